#include <heed/layers/spatial_dropout_1d.hpp>

#include "support/layer_testing.hpp"

namespace heed::spatial_dropout_1d_test {

using namespace heed::testing;

TEST_CASE("SpatialDropout1D drops a feature in all steps or in none") {
  LayerRun run(SpatialDropout1D{.rate = 0.4}, {{5, 100}}, 50);
  run.x[0].array().setOnes();
  run.pass.training = true;
  run.forward();
  Index dropped = 0;
  for (Index n = 0; n < 50; ++n) {
    for (Index d = 0; d < 100; ++d) {
      const double first = run.y(n, 0, d);
      CHECK((first == 0 || near(first, 1 / 0.6, 1e-15)));
      for (Index t = 1; t < 5; ++t) CHECK(run.y(n, t, d) == first);
      dropped += first == 0 ? 1 : 0;
    }
  }
  // Five standard errors of 5,000 draws.
  CHECK(std::abs(static_cast<double>(dropped) / 5e3 - 0.4) < 5 * std::sqrt(0.24 / 5e3));
}

TEST_CASE("SpatialDropout1D's gradients agree with differences, in training and outside of it") {
  for (const bool is_training : {false, true}) {
    check_layer(SpatialDropout1D{.rate = 0.5}, {{4, 3}}, {1, 3}, is_training);
    check_layer(SpatialDropout1D{.rate = 0.5}, {{1, 1}}, {1}, is_training);
  }
  LayerRun run(SpatialDropout1D{.rate = 0.5}, {{4, 3}}, 2);
  run.forward();
  CHECK(run.y == run.x[0]);
}

TEST_CASE(
    "SpatialDropout1D survives the way through its configuration, and refuses what fits not") {
  check_step_wise(SpatialDropout1D{.rate = 0.5}, {{5, 4}});
  check_config(SpatialDropout1D{.rate = 0.25}, {{"rate", 0.25}});
  CHECK(refusal<OptionError>(SpatialDropout1D{.rate = 1.0}, {3, 2}) ==
        "SpatialDropout1D \"layer\": expected a rate in [0, 1), got 1");
  CHECK(refusal<ShapeError>(SpatialDropout1D{.rate = 0.5}, {3}) ==
        "SpatialDropout1D \"layer\": expected an input of (steps, features), got (3)");
}

}  // namespace heed::spatial_dropout_1d_test
