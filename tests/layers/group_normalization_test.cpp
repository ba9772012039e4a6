#include <heed/layers/group_normalization.hpp>
#include <heed/layers/layer_normalization.hpp>

#include "support/layer_testing.hpp"

namespace heed::group_normalization_test {

using namespace heed::testing;

TEST_CASE("GroupNormalization shifts and scales each group of channels, over all steps") {
  LayerRun run(GroupNormalization{.groups = 2}, {{3, 4}}, 2);
  run.forward();
  for (Index n = 0; n < 2; ++n) {
    for (const Index first : {0, 2}) {
      const auto x = run.x[0].slice(n).middleCols(first, 2).array();
      const double mean = x.mean(), variance = (x - mean).square().mean();
      for (Index t = 0; t < 3; ++t) {
        for (Index c = first; c < first + 2; ++c) {
          const double normal = (run.x[0](n, t, c) - mean) / std::sqrt(variance + 1e-3);
          CHECK(near(run.y(n, t, c), normal * run.weights.data()[c] + run.weights.data()[4 + c],
                     1e-14));
        }
      }
    }
  }
}

TEST_CASE("GroupNormalization of one group of a vector is LayerNormalization") {
  LayerRun run(GroupNormalization{.groups = 1}, {{6}}, 3), other(LayerNormalization{}, {{6}}, 3);
  run.forward();
  other.forward();
  CHECK(distance(run.y, other.y) < 1e-14);
}

TEST_CASE("GroupNormalization's gradients agree with differences") {
  for (const bool scale : {true, false}) {
    for (const bool center : {true, false}) {
      const GroupNormalization layer{.groups = 2, .center = center, .scale = scale};
      check_layer(layer, {{4}});
      check_layer(layer, {{3, 4}});
    }
  }
  for (const Index groups : {1, 3, 6, -1})
    check_layer(GroupNormalization{.groups = groups}, {{2, 6}});
  for (const Index axis : {1, 2, 3, -2}) {
    check_layer(GroupNormalization{.groups = 2, .axis = axis, .epsilon = 0.5}, {{2, 4, 2}});
  }
}

TEST_CASE("GroupNormalization needs all steps, and keeps their mask") {
  CHECK_FALSE(
      AnyLayer<double>(GroupNormalization{.groups = 2}).is_step_wise(std::array{Shape{3, 4}}));
  CHECK(GroupNormalization::keeps_steps());
}

TEST_CASE("GroupNormalization survives the way through its configuration") {
  check_config(GroupNormalization{.groups = 2, .axis = 1}, {{"groups", Index{2}},
                                                            {"axis", Index{1}},
                                                            {"epsilon", 1e-3},
                                                            {"center", true},
                                                            {"scale", true},
                                                            {"beta_initializer", "zeros"},
                                                            {"gamma_initializer", "ones"}});
}

TEST_CASE("Groups that do not divide the channels are refused in a sentence") {
  for (const Index groups : {3, 8, 0, -2}) {
    CHECK(refusal<OptionError>(GroupNormalization{.groups = groups}, {3, 4}) ==
          join("GroupNormalization \"layer\": expected groups that 4 channels can be divided into, "
               "or -1, got ",
               groups));
  }
  CHECK(refusal<OptionError>(GroupNormalization{.groups = 1, .epsilon = -1}, {4}) ==
        "GroupNormalization \"layer\": expected an epsilon above 0, got -1");
  CHECK(refusal<ShapeError>(GroupNormalization{.groups = 1, .axis = 1}, {any, 4}) ==
        "GroupNormalization \"layer\": expected a known number of channels, got (any, 4)");
  CHECK(refusal<OptionError>(GroupNormalization{.groups = 1, .axis = 3}, {3, 4}) ==
        "GroupNormalization \"layer\": expected an axis of 3 axes without that of the samples, got "
        "3");
}

}  // namespace heed::group_normalization_test
