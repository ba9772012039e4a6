#include <heed/layers/unit_normalization.hpp>

#include "support/layer_testing.hpp"

namespace heed::unit_normalization_test {

using namespace heed::testing;

TEST_CASE("UnitNormalization divides by the norm along its axes") {
  LayerRun run(UnitNormalization{}, {{5, 3}}, 2);
  run.forward();
  for (Index row = 0; row < 10; ++row) {
    CHECK(near(run.y.matrix().row(row).norm(), 1, 1e-15));
    CHECK(near(run.y.matrix()(row, 0) * run.x[0].matrix().row(row).norm(),
               run.x[0].matrix()(row, 0), 1e-14));
  }
  LayerRun both(UnitNormalization{.axis = {1, 2}}, {{5, 3}}, 2);
  both.forward();
  for (Index n = 0; n < 2; ++n) CHECK(near(both.y.slice(n).norm(), 1, 1e-15));
}

TEST_CASE("UnitNormalization of zeros is zeros, with a gradient") {
  LayerRun run(UnitNormalization{}, {{3}}, 1);
  run.x[0].set_zero();
  run.forward();
  run.backward();
  CHECK((run.y.array() == 0).all());
  CHECK(((run.dx[0].array() - run.dy.array() * 1e12).abs() <= 1e-3).all());
}

TEST_CASE("UnitNormalization's gradients agree with differences along every axis") {
  check_layer(UnitNormalization{}, {{1}});
  check_layer(UnitNormalization{}, {{5}});
  for (const auto& axis : std::vector<std::vector<Index>>{{1}, {2}, {3}, {-2}, {1, 2}, {3, 2}}) {
    check_layer(UnitNormalization{.axis = axis}, {{2, 3, 4}});
  }
}

TEST_CASE("UnitNormalization computes each step by itself if it is not along the steps") {
  check_step_wise(UnitNormalization{}, {{5, 4}});
  CHECK_FALSE(UnitNormalization{.axis = {1}}.is_step_wise({5, 4}));
  CHECK_FALSE(UnitNormalization{}.is_step_wise({4}));
}

TEST_CASE("UnitNormalization takes its axes from its configuration, one or several") {
  check_config(UnitNormalization{.axis = {1, 2}}, {{"axis", std::vector<Index>{1, 2}}});
  CHECK(from_config<UnitNormalization>({{"axis", Index{2}}}).axis == std::vector<Index>{2});
  CHECK(
      refusal<OptionError>(UnitNormalization{.axis = {0}}, {3}) ==
      "UnitNormalization \"layer\": expected an axis of 2 axes without that of the samples, got 0");
  CHECK(refusal<OptionError>(UnitNormalization{.axis = {1, 3}}, {3, 2, 2}) ==
        "UnitNormalization \"layer\": expected different axes that follow one another");
  CHECK(refusal<OptionError>(UnitNormalization{.axis = {1, 3, 3}}, {3, 2, 2}) ==
        "UnitNormalization \"layer\": expected different axes that follow one another");
  CHECK(refusal<OptionError>(UnitNormalization{.axis = {1, 1}}, {3, 2}) ==
        "UnitNormalization \"layer\": expected different axes that follow one another");
  CHECK(refusal<OptionError>(UnitNormalization{.axis = {}}, {3, 2}) ==
        "UnitNormalization \"layer\": expected at least one axis");
}

}  // namespace heed::unit_normalization_test
