#include <heed/attention/step_attention.hpp>

#include "support/equivalence.hpp"
#include "support/layer_testing.hpp"
#include "support/networks.hpp"

namespace heed::step_attention_test {

using namespace heed::testing;

namespace {

/// Holes, steps that are missing at the beginning and at the end, a single step, none: (5, 5).
const std::vector<std::uint8_t> holes{0, 1, 0, 1, 0,  //
                                      0, 0, 1, 1, 1,  //
                                      1, 1, 1, 0, 0,  //
                                      0, 0, 1, 0, 0,  //
                                      0, 0, 0, 0, 0};

}  // namespace

TEST_CASE("StepAttention's weights are positive and sum to 1 over the steps, for each unit") {
  LayerRun run(StepAttention{}, {{5, 3}}, 2);
  run.forward();
  const auto published = run.layer.published(run.cache);
  REQUIRE(published.size() == 1);
  CHECK(published[0].name == "weights");
  const View<const double> a = published[0].value;
  CHECK(a.shape() == Shape{2, 5, 3});
  CHECK((a.array() > 0).all());
  for (Index n = 0; n < 2; ++n) {
    CHECK((a.slice(n).colwise().sum().array() - 1).abs().maxCoeff() < 1e-14);
  }
  CHECK((run.y.array() == run.x[0].array() * a.array()).all());
}

TEST_CASE("StepAttention's gradients agree with differences") {
  for (const bool use_bias : {true, false}) {
    const StepAttention attention{.use_bias = use_bias};
    check_layer(attention, {{4, 3}});
    check_layer(attention, {{1, 1}});
    check_layer(attention, {{1, 5}});
    check_layer(attention, {{6, 1}}, {1, 2});
    check_layer(attention, {{3, 17}}, {2});
    check_layer(attention, {{9, 7}}, {3});
  }
}

TEST_CASE("StepAttention equals the network of layers that the reference writes out") {
  struct Case {
    Index N, T, U;
  };
  for (const auto& [N, T, U] : {Case{1, 1, 1}, Case{3, 1, 4}, Case{1, 5, 3}, Case{4, 5, 1},
                                Case{3, 10, 32}, Case{2, 7, 9}}) {
    CAPTURE(N, T, U);
    Model<double> block, layers;
    block.input({T, U});
    block.add("attention", StepAttention{});
    add_step_attention(layers, layers.input({T, U}), T);
    const auto seed = static_cast<std::uint64_t>(N + T + U);
    block.build({.seed = seed});
    layers.build({.seed = seed});
    // The bias starts at zero, which would hide it.
    const auto bias = random_tensor({T}, seed);
    block.weight("attention/bias").array() = bias.array();
    layers.weight("dense/bias").array() = bias.array();
    const auto x = random_tensor({N, T, U}, seed, 3);
    check_equivalent(block, layers, x);
    check_same_activations(block, "attention/weights", layers, "attention_vec", x);
  }
}

TEST_CASE("The index-2 network is the same in both forms, and has 4,911 weights") {
  const auto block = index2_network<double>(Form::block);
  const auto layers = index2_network<double>(Form::functional);
  CHECK(block.count_params() == 4911);
  CHECK(layers.count_params() == 4911);
  for (const Index N : {1, 7}) {
    const auto x = random_tensor({N, 10, 2}, 1, 10);
    check_equivalent(block, layers, x);
    check_same_activations(block, "attention/weights", layers, "attention_vec", x);
    check_same_activations(block, "attention", layers, "attention_mul", x);
    check_same_activations(block, "lstm", layers, "lstm", x, 0);
  }
}

TEST_CASE("StepAttention of logits of ±1e4 has no NaN, forwards or backwards") {
  LayerRun run(StepAttention{}, {{4, 3}}, 2);
  run.x[0].array() *= 1e4;
  run.weights.array() *= 1e2;
  run.forward();
  run.backward();
  CHECK(run.y.array().isFinite().all());
  CHECK(run.gradients.array().isFinite().all());
  CHECK(run.dx[0].array().isFinite().all());
  const auto a = run.layer.published(run.cache)[0].value;
  for (Index n = 0; n < 2; ++n) {
    CHECK((a.slice(n).colwise().sum().array() - 1).abs().maxCoeff() < 1e-14);
  }
}

TEST_CASE("StepAttention with a mask weighs the steps that count, and looks at no others") {
  for (const bool use_bias : {true, false}) {
    LayerRun run(StepAttention{.use_bias = use_bias}, {{5, 3}}, 5);
    run.set_mask(holes);
    run.y.array().setConstant(std::numeric_limits<double>::quiet_NaN());
    run.forward();
    const Tensor<double> a(run.layer.published(run.cache)[0].value);
    for (Index n = 0; n < 5; ++n) {
      CAPTURE(n);
      for (Index t = 0; t < 5; ++t) {
        const bool counts = run.steps[0].counts(n, t);
        CHECK(((a.slice(n).row(t).array() > 0) == counts).all());
        if (!counts) CHECK((a.slice(n).row(t).array() == 0).all());
      }
      const double sum = run.steps[0]->length(n) > 0 ? 1 : 0;
      CHECK((a.slice(n).colwise().sum().array() - sum).abs().maxCoeff() < 1e-14);
    }
    CHECK((run.y.array() == run.x[0].array() * a.array()).all());
    // What stands where nothing counts is looked at nowhere.
    const Tensor<double> y = run.y;
    run.backward();
    const auto gradients = run.gradients;
    const auto dx = run.dx;
    for (Index n = 0; n < 5; ++n) {
      for (Index t = 0; t < 5; ++t) {
        if (run.steps[0].counts(n, t)) continue;
        CHECK((dx[0].slice(n).row(t).array() == 0).all());
        run.x[0].slice(n).row(t).setConstant(std::numeric_limits<double>::quiet_NaN());
        run.dy.slice(n).row(t).setConstant(std::numeric_limits<double>::quiet_NaN());
      }
    }
    run.gradients.set_zero();
    run.forward();
    run.backward();
    CHECK(run.y == y);
    CHECK(run.gradients == gradients);
    CHECK(run.dx == dx);
  }
}

TEST_CASE("StepAttention's gradients agree with differences with a mask") {
  for (const bool use_bias : {true, false}) {
    for (const Index U : {1, 3, 9}) {
      LayerRun run(StepAttention{.use_bias = use_bias}, {{5, U}}, 5);
      run.set_mask(holes);
      CHECK(check_gradients(run).worst < gradient_tolerance);
      LayerRun again(StepAttention{.use_bias = use_bias}, {{5, U}}, 5, 3);
      again.set_mask(holes);
      check_backward(again);
    }
  }
}

TEST_CASE("StepAttention names its weights and starts them as the reference's Dense") {
  const auto weights = StepAttention{}.weights({10, 32});
  REQUIRE(weights.size() == 2);
  CHECK(weights[0].name == "kernel");
  CHECK(weights[0].shape == Shape{10, 10});
  CHECK(weights[0].initializer == Initializer::glorot_uniform);
  CHECK(weights[1].name == "bias");
  CHECK(weights[1].shape == Shape{10});
  CHECK(weights[1].initializer == Initializer::zeros);
  const StepAttention other{.use_bias = false, .kernel_initializer = Initializer::he_normal};
  CHECK(other.weights({10, 32}).size() == 1);
  CHECK(other.weights({10, 32})[0].initializer == Initializer::he_normal);
}

TEST_CASE("StepAttention survives the way through its configuration") {
  check_config(StepAttention{}, {{"use_bias", true}, {"kernel_initializer", "glorot_uniform"}});
  check_config(StepAttention{.use_bias = false, .kernel_initializer = Initializer::zeros},
               {{"use_bias", false}, {"kernel_initializer", "zeros"}});
}

TEST_CASE("StepAttention of what has no steps is refused in a sentence") {
  CHECK(refusal<ShapeError>(StepAttention{}, {3}) ==
        "StepAttention \"layer\": expected an input of (steps, units), got (3)");
  CHECK(refusal<ShapeError>(StepAttention{}, {3, 2, 1}) ==
        "StepAttention \"layer\": expected an input of (steps, units), got (3, 2, 1)");
}

}  // namespace heed::step_attention_test
