#include <heed/layers/layer_normalization.hpp>

#include "support/layer_testing.hpp"

namespace heed::layer_normalization_test {

using namespace heed::testing;

TEST_CASE("LayerNormalization shifts and scales to mean 0 and variance 1") {
  LayerRun run(LayerNormalization{.epsilon = 1e-9, .center = false, .scale = false}, {{4, 5}}, 2);
  run.forward();
  for (Index row = 0; row < 8; ++row) {
    const auto y = run.y.matrix().row(row).array();
    CHECK(std::abs(y.mean()) < 1e-14);
    CHECK(near(y.square().mean(), 1, 1e-8));
  }
  CHECK(run.layout.all_slots().empty());
}

TEST_CASE("LayerNormalization multiplies by gamma and adds beta") {
  LayerRun run(LayerNormalization{}, {{5}}, 3);
  run.forward();
  for (Index n = 0; n < 3; ++n) {
    const auto x = run.x[0].matrix().row(n).array();
    const double mean = x.mean(), variance = (x - mean).square().mean();
    for (Index k = 0; k < 5; ++k) {
      const double normal = (x[k] - mean) / std::sqrt(variance + 1e-3);
      CHECK(near(run.y(n, k), normal * run.weights.data()[k] + run.weights.data()[5 + k], 1e-14));
    }
  }
}

TEST_CASE("LayerNormalization's gradients agree with differences") {
  for (const bool scale : {true, false}) {
    for (const bool center : {true, false}) {
      check_layer(LayerNormalization{.center = center, .scale = scale}, {{5}});
      check_layer(LayerNormalization{.center = center, .scale = scale}, {{3, 4}});
    }
  }
  for (const auto& axis : std::vector<std::vector<Index>>{{1}, {2}, {3}, {-3}, {1, 2}, {1, 2, 3}}) {
    check_layer(LayerNormalization{.axis = axis, .epsilon = 0.5}, {{2, 3, 4}});
  }
  check_layer(LayerNormalization{}, {{1}});
}

TEST_CASE("LayerNormalization computes each step by itself if it is not along the steps") {
  check_step_wise(LayerNormalization{}, {{5, 4}});
  CHECK_FALSE(LayerNormalization{.axis = {1, 2}}.is_step_wise({5, 4}));
  CHECK(refusal<ShapeError>(LayerNormalization{}, {any, 4}) == "(nothing thrown)");
  CHECK(refusal<ShapeError>(LayerNormalization{.axis = {1}}, {any, 4}) ==
        "LayerNormalization \"layer\": expected known lengths along its axes, got (any, 4)");
}

TEST_CASE("LayerNormalization survives the way through its configuration") {
  check_config(LayerNormalization{.axis = {2}, .epsilon = 0.5, .center = false},
               {{"axis", std::vector<Index>{2}},
                {"epsilon", 0.5},
                {"center", false},
                {"scale", true},
                {"beta_initializer", "zeros"},
                {"gamma_initializer", "ones"}});
}

TEST_CASE("LayerNormalization with fields that do not fit is refused in a sentence") {
  CHECK(refusal<OptionError>(LayerNormalization{.epsilon = 0}, {3}) ==
        "LayerNormalization \"layer\": expected an epsilon above 0, got 0");
  CHECK(refusal<OptionError>(LayerNormalization{.axis = {2}}, {3}) ==
        "LayerNormalization \"layer\": expected an axis of 2 axes without that of the samples, got "
        "2");
}

}  // namespace heed::layer_normalization_test
