#include <heed/layers/activation.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/layers/masking.hpp>

#include "support/layer_testing.hpp"

namespace heed::masking_test {

using namespace heed::testing;

namespace {

/// Steps of which all features are `value`: the second of the first sample, the first of the other.
void set_masked(LayerRun& run, double value) {
  run.x[0].slice(0).row(1).setConstant(value);
  run.x[0].slice(1).row(0).setConstant(value);
}

}  // namespace

TEST_CASE("Masking keeps steps that count and makes zeros of the others") {
  LayerRun run(Masking{.mask_value = -1}, {{3, 2}}, 2);
  set_masked(run, -1);
  run.x[0](1, 2, 0) = -1;  // one feature of two
  run.forward();
  CHECK(run.y.slice(0).row(0) == run.x[0].slice(0).row(0));
  CHECK(run.y.slice(0).row(1).isZero(0));
  CHECK(run.y.slice(1).row(0).isZero(0));
  CHECK(run.y.slice(1).row(2) == run.x[0].slice(1).row(2));

  std::vector<std::uint8_t> counts(6, 7);
  const bool masks = run.layer.mark({.x = run.x_views, .y = run.y_views}, counts);
  CHECK(masks);
  CHECK(counts == std::vector<std::uint8_t>{1, 0, 1, 0, 1, 1});
  run.x[0].array().setConstant(0);
  CHECK_FALSE(run.layer.mark({.x = run.x_views, .y = run.y_views}, counts));
}

TEST_CASE("Masking's gradients agree with differences, and are zero where steps do not count") {
  check_layer(Masking{}, {{4, 3}});
  check_layer(Masking{}, {{1, 1}});
  LayerRun run(Masking{.mask_value = 0.5}, {{3, 2}}, 2);
  set_masked(run, 0.5);
  run.dx[0].array().setConstant(9);
  run.forward();
  run.backward();
  CHECK(run.dx[0].slice(0).row(1).isZero(0));
  CHECK(run.dx[0].slice(1).row(0).isZero(0));
  CHECK(run.dx[0].slice(1).row(1) == run.dy.slice(1).row(1));
}

TEST_CASE("Masking gives each step by itself, and survives the way through its configuration") {
  check_step_wise(Masking{}, {{4, 3}});
  check_config(Masking{.mask_value = -1}, {{"mask_value", -1.0}});
}

TEST_CASE("Steps that a Masking leaves out are nothing to the layers after it") {
  Model<double> model;
  model.input({any, 2});
  model.add(Masking{.mask_value = -1});
  model.add("sequence", LSTM{.units = 3, .return_sequences = true});
  model.add("steps", Dense{.units = 3, .activation = Activation::tanh});
  model.add("last", LSTM{.units = 2});
  model.build({.seed = 3});
  const Tensor<double> x = random_tensor({1, 4, 2}, 5);
  Tensor<double> padded({1, 7, 2});
  padded.array().setConstant(-1);
  for (const auto& [from, to] : {std::pair(0, 0), {1, 2}, {2, 3}, {3, 5}}) {
    padded.slice(0).row(to) = x.slice(0).row(from);
  }
  CHECK(model.predict(padded) == model.predict(x));
  const auto with = model.activations("steps", padded), without = model.activations("steps", x);
  CHECK(with.slice(0).row(5) == without.slice(0).row(3));
}

TEST_CASE("Masking of what has no steps is refused in a sentence") {
  CHECK(refusal<ShapeError>(Masking{}, {3}) ==
        "Masking \"layer\": expected an input of (steps, features), got (3)");
  CHECK(refusal<ShapeError>(Masking{}, {3, 2, 1}) ==
        "Masking \"layer\": expected an input of (steps, features), got (3, 2, 1)");
}

}  // namespace heed::masking_test
