#include <heed/attention/luong_attention.hpp>

#include "support/equivalence.hpp"
#include "support/layer_testing.hpp"
#include "support/networks.hpp"

namespace heed::luong_attention_test {

using namespace heed::testing;

namespace {

/// Holes, steps that are missing at the beginning and at the end, and a single step: (4, 5).
const std::vector<std::uint8_t> some{0, 1, 0, 1, 0,  //
                                     0, 0, 1, 1, 1,  //
                                     1, 1, 1, 0, 0,  //
                                     0, 0, 1, 0, 0};

}  // namespace

TEST_CASE("LuongAttention publishes weights that sum to 1, and the context that they give") {
  LayerRun run(LuongAttention{.units = 4}, {{5, 3}}, 2);
  run.forward();
  const auto published = run.layer.published(run.cache);
  REQUIRE(published.size() == 2);
  CHECK(published[0].name == "weights");
  CHECK(published[1].name == "context");
  const View<const double> a = published[0].value;
  const View<const double> c = published[1].value;
  CHECK(a.shape() == Shape{2, 5});
  CHECK(c.shape() == Shape{2, 3});
  CHECK((a.array() > 0).all());
  CHECK((a.matrix().rowwise().sum().array() - 1).abs().maxCoeff() < 1e-14);
  for (Index n = 0; n < 2; ++n) {
    CHECK((a.slice(n) * run.x[0].slice(n) - c.slice(n)).cwiseAbs().maxCoeff() < 1e-14);
  }
}

TEST_CASE("LuongAttention's gradients agree with differences") {
  check_layer(LuongAttention{.units = 4}, {{5, 3}});
  check_layer(LuongAttention{.units = 1}, {{1, 1}});
  check_layer(LuongAttention{.units = 3}, {{1, 5}});
  check_layer(LuongAttention{.units = 2}, {{6, 1}}, {1, 2});
  check_layer(LuongAttention{.units = 7}, {{3, 9}}, {2});
}

TEST_CASE("LuongAttention equals the network of layers that the reference writes out") {
  struct Case {
    Index N, T, U, units;
  };
  for (const auto& [N, T, U, units] : {Case{1, 1, 1, 1}, Case{3, 1, 4, 2}, Case{1, 5, 3, 7},
                                       Case{4, 5, 1, 3}, Case{3, 10, 64, 32}, Case{2, 7, 9, 5}}) {
    CAPTURE(N, T, U, units);
    Model<double> block, layers;
    block.input({T, U});
    block.add("attention", LuongAttention{.units = units});
    add_luong_attention(layers, layers.input({T, U}), U, units);
    const auto seed = static_cast<std::uint64_t>(N + T + U);
    block.build({.seed = seed});
    layers.build({.seed = seed});
    const auto x = random_tensor({N, T, U}, seed);
    check_equivalent(block, layers, x);
    check_same_activations(block, "attention/weights", layers, "attention_weight", x);
    check_same_activations(block, "attention/context", layers, "context_vector", x);
  }
}

TEST_CASE("The regression network is the same in both forms, and has 25,121 weights") {
  const auto block = regression_network<double>(Form::block);
  const auto layers = regression_network<double>(Form::functional);
  CHECK(block.count_params() == 25121);
  CHECK(layers.count_params() == 25121);
  for (const Index N : {1, 7}) {
    const auto x = random_tensor({N, 10, 1}, 1);
    check_equivalent(block, layers, x);
    check_same_activations(block, "attention/weights", layers, "attention_weight", x);
  }
}

TEST_CASE("LuongAttention of scores of ±1e4 has no NaN, forwards or backwards") {
  LayerRun run(LuongAttention{.units = 2}, {{4, 3}}, 2);
  run.x[0].array() *= 1e3;
  run.forward();
  run.backward();
  CHECK(run.y.array().isFinite().all());
  CHECK(run.gradients.array().isFinite().all());
  CHECK(run.dx[0].array().isFinite().all());
}

TEST_CASE("LuongAttention with a mask is what it is without the steps that do not count") {
  for (const Index U : {1, 3, 9}) {
    LayerRun run(LuongAttention{.units = 4}, {{5, U}}, 4);
    run.set_mask(some);
    run.forward();
    run.backward();
    const auto a = run.layer.published(run.cache)[0].value;
    Arena<double> sum(run.gradients.shape());
    for (Index n = 0; n < 4; ++n) {
      CAPTURE(U, n);
      const Steps steps = run.steps[0];
      LayerRun alone(LuongAttention{.units = 4}, {{steps->length(n), U}}, 1);
      alone.weights = run.weights;
      alone.dy.assign(run.dy.samples(n, 1));
      for (Index k = 0; k < steps->length(n); ++k) {
        alone.x[0].slice(0).row(k) = run.x[0].slice(n).row(steps->step(n, k));
      }
      alone.forward();
      alone.backward();
      sum.array() += alone.gradients.array();
      CHECK(run.y.matrix().row(n) == alone.y.matrix().row(0));
      const auto b = alone.layer.published(alone.cache)[0].value;
      for (Index t = 0, k = 0; t < 5; ++t) {
        if (!steps.counts(n, t)) {
          CHECK(a(n, t) == 0);
          CHECK((run.dx[0].slice(n).row(t).array() == 0).all());
          continue;
        }
        CHECK(a(n, t) == b(0, k));
        const auto difference = run.dx[0].slice(n).row(t) - alone.dx[0].slice(0).row(k++);
        CHECK(difference.cwiseAbs().maxCoeff() < 1e-14);
      }
    }
    CHECK(distance(run.gradients, sum) < 1e-13);
  }
}

TEST_CASE("LuongAttention of one unit adds in the same order without the steps that do not count") {
  Model<float> model;
  model.input({any, 1});
  model.add(LuongAttention{.units = 2});
  model.build({.seed = 1});
  const std::vector<std::uint8_t> counts{1, 0, 1, 1, 0, 0, 1, 0, 1};
  const auto x = random_tensor<float>({200, 9, 1}, 1);
  Tensor<float> compact({200, 5, 1});
  std::vector<std::uint8_t> all;
  for (Index n = 0, k = 0; n < 200; ++n) {
    all.insert(all.end(), counts.begin(), counts.end());
    for (Index t = 0; t < 9; ++t) {
      if (counts[static_cast<std::size_t>(t)] != 0) compact.data()[k++] = x(n, t, 0);
    }
  }
  CHECK(model.predict(Column<float>(x, Mask(all.data(), {200, 9}))) == model.predict(compact));
}

TEST_CASE("LuongAttention's gradients agree with differences with a mask") {
  for (const Index U : {1, 3}) {
    LayerRun run(LuongAttention{.units = 2}, {{5, U}}, 4);
    run.set_mask(some);
    CHECK(check_gradients(run).worst < gradient_tolerance);
    LayerRun again(LuongAttention{.units = 2}, {{5, U}}, 4, 3);
    again.set_mask(some);
    check_backward(again);
  }
}

TEST_CASE("LuongAttention refuses a sample without a step that counts") {
  LayerRun run(LuongAttention{.units = 2}, {{2, 3}}, 3);
  run.set_mask({1, 0, 0, 0, 1, 1});
  CHECK(message<DataError>([&] { run.forward(); }) ==
        "expected at least one unmasked step in each sample, but sample 1 of the batch has none");
}

TEST_CASE("LuongAttention names its weights and starts them as the reference's layers") {
  const auto weights = LuongAttention{.units = 32}.weights({10, 64});
  REQUIRE(weights.size() == 2);
  CHECK(weights[0].name == "score_kernel");
  CHECK(weights[0].shape == Shape{64, 64});
  CHECK(weights[0].initializer == Initializer::glorot_uniform);
  CHECK(weights[1].name == "vector_kernel");
  CHECK(weights[1].shape == Shape{128, 32});
  CHECK(weights[1].initializer == Initializer::glorot_uniform);
  const LuongAttention other{.kernel_initializer = Initializer::he_normal};
  CHECK(other.weights({10, 64})[0].initializer == Initializer::he_normal);
  CHECK(other.weights({10, 64})[1].shape == Shape{128, 128});
}

TEST_CASE("LuongAttention remembers as many steps as it is told") {
  CHECK(LuongAttention::stream_state({10, 3}, 7) == std::vector<Shape>{{7, 3}});
  const AnyLayer<double> layer(LuongAttention{});
  CHECK(layer.can_stream());
  CHECK_FALSE(layer.is_step_wise(std::vector<Shape>{{10, 3}}));
}

TEST_CASE("LuongAttention survives the way through its configuration") {
  check_config(LuongAttention{}, {{"units", Index{128}}, {"kernel_initializer", "glorot_uniform"}});
  check_config(LuongAttention{.units = 3, .kernel_initializer = Initializer::zeros},
               {{"units", Index{3}}, {"kernel_initializer", "zeros"}});
}

TEST_CASE("LuongAttention that does not fit is refused in a sentence") {
  CHECK(refusal<ShapeError>(LuongAttention{}, {3}) ==
        "LuongAttention \"layer\": expected an input of (steps, hidden units), got (3)");
  CHECK(refusal<OptionError>(LuongAttention{.units = 0}, {3, 2}) ==
        "LuongAttention \"layer\": expected units of at least 1, got 0");
}

}  // namespace heed::luong_attention_test
