#include <heed/attention/luong_attention.hpp>
#include <heed/layers/activation.hpp>
#include <heed/layers/bidirectional.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/dropout.hpp>
#include <heed/layers/flatten.hpp>
#include <heed/layers/gru.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/layers/permute.hpp>
#include <heed/layers/time_distributed.hpp>

#include "support/layer_testing.hpp"

namespace heed::time_distributed_test {

using namespace heed::testing;

namespace {

/// A layer gives to each step what it gives to a sample.
template <class L>
void check_like_samples(const L& layer, const Shape& step) {
  constexpr Index N = 2, T = 3;
  LayerRun run(TimeDistributed<L>{.layer = layer}, {step.batch(T)}, N);
  LayerRun samples(layer, {step}, N * T);
  samples.weights = run.weights;
  samples.x[0].array() = run.x[0].array();
  samples.dys[0].array() = run.dy.array();
  run.forward();
  CHECK(run.y.shape() == samples.y.shape().sample().batch(T).batch(N));
  if (!samples.layer.only_reshapes()) {
    samples.forward();
    CHECK((run.y.array() == samples.y.array()).all());
    run.backward();
    samples.backward();
    CHECK(run.gradients == samples.gradients);
    CHECK((run.dx[0].array() == samples.dx[0].array()).all());
  } else {
    CHECK((run.y.array() == run.x[0].array()).all());
  }
}

}  // namespace

TEST_CASE("TimeDistributed gives each step what its layer gives a sample") {
  check_like_samples(Dense{.units = 4, .activation = Activation::softmax}, {3});
  check_like_samples(Flatten{}, {2, 3});
  check_like_samples(Permute{.dims = {2, 1}}, {2, 3});
  check_like_samples(LSTM{.units = 2, .return_sequences = true}, {4, 3});
  check_like_samples(Bidirectional<GRU>{.layer = {.units = 2}}, {4, 3});
  check_like_samples(LuongAttention{.units = 2}, {4, 3});
}

TEST_CASE("TimeDistributed's gradients agree with differences") {
  check_layer(TimeDistributed<Dense>{.layer = {.units = 2, .activation = Activation::tanh}},
              {{3, 4}});
  check_layer(TimeDistributed<Dense>{.layer = {.units = 2}}, {{1, 1}});
  check_layer(TimeDistributed<LSTM>{.layer = {.units = 2}}, {{2, 3, 2}});
  check_layer(TimeDistributed<Flatten>{}, {{2, 3, 2}});
  check_layer(TimeDistributed<LuongAttention>{.layer = {.units = 2}}, {{2, 3, 2}});
  check_step_wise(TimeDistributed<LSTM>{.layer = {.units = 2}}, {{3, 2, 2}});
}

TEST_CASE("Each step of each sample of a TimeDistributed has a mask of dropout of its own") {
  const TimeDistributed<Dropout> layer{.layer = {.rate = 0.5}};
  LayerRun run(layer, {{4, 30}}, 3);
  run.pass.training = true;
  CHECK(check_gradients(run).worst < gradient_tolerance);
  run.x[0].array().setConstant(1);
  run.forward();
  for (Index row = 1; row < 12; ++row) CHECK(run.y.matrix().row(row) != run.y.matrix().row(0));
  // Which follows from the sample's place in the batch, whoever computes it.
  LayerRun later(layer, {{4, 30}}, 1);
  later.pass.training = true;
  later.pass.first_sample = 2;
  later.x[0].array().setConstant(1);
  later.forward();
  CHECK(later.y.slice(0) == run.y.slice(2));
}

TEST_CASE("TimeDistributed hands on which steps count, and what its layer publishes") {
  Model<double> model;
  model.input({3, 4, 2});
  model.add("look", TimeDistributed<LuongAttention>{.layer = {.units = 2}});
  model.add("flat", TimeDistributed<Flatten>{});
  model.build({.seed = 1});
  const Tensor<double> x = random_tensor({2, 3, 4, 2}, 1);
  const auto weights = model.activations("look/weights", x);
  CHECK(weights.shape() == Shape{2, 3, 4});
  for (Index row = 0; row < 6; ++row) CHECK(weights.matrix().row(row).sum() == Approx(1));

  const std::vector<std::uint8_t> counts{1, 0, 1, 1, 1, 0};
  const Mask mask(counts.data(), {2, 3});
  const View<const double> given = x;
  Tape<double> tape;
  model.forward(Inputs<double>{.x = {&given, 1}, .masks = {&mask, 1}}, tape);
  for (const std::size_t node : {1u, 2u}) {
    const Steps steps = model.graph().steps({node, 0}, tape);
    REQUIRE(steps);
    CHECK(std::equal(counts.begin(), counts.end(), steps->mask().data()));
  }
}

TEST_CASE("A TimeDistributed Dense ends in its activation function") {
  const AnyLayer<double> layer(
      TimeDistributed<Dense>{.layer = {.units = 2, .activation = Activation::sigmoid}});
  CHECK(layer.output_activation() == ActivationFunction::sigmoid);
  CHECK(layer.without_output_activation().output_activation() == ActivationFunction::linear);
  CHECK_FALSE(AnyLayer<double>(TimeDistributed<Flatten>{}).output_activation().has_value());
}

TEST_CASE("TimeDistributed survives the way through its configuration") {
  check_config(TimeDistributed<Dropout>{.layer = {.rate = 0.5}},
               {{"layer", LayerConfig{"Dropout", {{"rate", 0.5}}}}});
  check_config(TimeDistributed<Flatten>{}, {{"layer", LayerConfig{"Flatten", {}}}});
  const Bidirectional<LSTM> inner{.layer = {.units = 2}};
  check_config(TimeDistributed<Bidirectional<LSTM>>{.layer = inner},
               {{"layer", LayerConfig{"Bidirectional", get_config(inner)}}});
}

TEST_CASE("A TimeDistributed that cannot be is refused in a sentence") {
  const std::string place = "TimeDistributed \"layer\": ";
  CHECK(refusal<ShapeError>(TimeDistributed<Flatten>{}, {3}) ==
        place + "expected an input of (steps, …), got (3)");
  CHECK(refusal<OptionError>(TimeDistributed<LSTM>{.layer = {.units = 2, .return_state = true}},
                             {3, 2, 2}) ==
        place +
            "expected an inner layer with one output, without return_state and stateful, got LSTM");
  CHECK(refusal<OptionError>(
            TimeDistributed<Bidirectional<LSTM>>{
                .layer = {.layer = {.units = 2}, .merge_mode = MergeMode::none}},
            {3, 2, 2}) == place +
                              "expected an inner layer with one output, without return_state and "
                              "stateful, got Bidirectional");
  CHECK(refusal<ShapeError>(TimeDistributed<LSTM>{.layer = {.units = 2}}, {3, 2}) ==
        place + "expected an input of (steps, features), got (2)");
}

}  // namespace heed::time_distributed_test
