#include <heed/layers/masking.hpp>
#include <heed/layers/prelu.hpp>

#include "support/layer_testing.hpp"

namespace heed::prelu_test {

using namespace heed::testing;

TEST_CASE("PReLU multiplies what is negative by the alpha of its place") {
  LayerRun run(PReLU{.shared_axes = {1}}, {{5, 3}}, 2);
  run.forward();
  REQUIRE(run.layout.all_slots()[0].shape == Shape{1, 3});
  for (Index i = 0; i < run.y.size(); ++i) {
    const double x = run.x[0].data()[i];
    CHECK(run.y.data()[i] == (x > 0 ? x : run.weights.data()[i % 3] * x));
  }
  LayerRun whole(PReLU{}, {{5, 3}}, 2);
  whole.forward();
  for (Index i = 0; i < whole.y.size(); ++i) {
    const double x = whole.x[0].data()[i];
    CHECK(whole.y.data()[i] == (x > 0 ? x : whole.weights.data()[i % 15] * x));
  }
}

TEST_CASE("PReLU's slope at 0 is 0, as in Keras") {
  LayerRun run(PReLU{}, {{2}}, 1);
  run.x[0].set_zero();
  run.forward();
  run.backward();
  CHECK((run.dx[0].array() == 0).all());
}

TEST_CASE("PReLU's gradients agree with differences, whatever axes share an alpha") {
  check_layer(PReLU{}, {{1}});
  check_layer(PReLU{}, {{3, 5}});
  for (const auto& axes : std::vector<std::vector<Index>>{{1}, {2}, {3}, {1, 3}, {1, 2, 3}}) {
    check_layer(PReLU{.shared_axes = axes}, {{3, 2, 4}});
  }
}

TEST_CASE("PReLU computes each step by itself if the steps share their alphas") {
  check_step_wise(PReLU{.shared_axes = {1}}, {{5, 4}});
  CHECK_FALSE(PReLU{}.is_step_wise({5, 4}));
  CHECK_FALSE(PReLU{.shared_axes = {2}}.is_step_wise({5, 4}));
  CHECK(refusal<ShapeError>(PReLU{}, {any, 4}) ==
        "PReLU \"layer\": expected known lengths except along shared_axes, got (any, 4)");
  CHECK(refusal<ShapeError>(PReLU{.shared_axes = {1}}, {any, 4}) == "(nothing thrown)");
}

TEST_CASE("PReLU survives the way through its configuration, and refuses axes that are not there") {
  check_config(PReLU{.shared_axes = {1, 2}},
               {{"alpha_initializer", "zeros"}, {"shared_axes", std::vector<Index>{1, 2}}});
  CHECK(refusal<OptionError>(PReLU{.shared_axes = {0}}, {3}) ==
        "PReLU \"layer\": expected shared_axes from 1 to 1, got 0");
  CHECK(refusal<OptionError>(PReLU{.shared_axes = {3}}, {3, 4}) ==
        "PReLU \"layer\": expected shared_axes from 1 to 2, got 3");
}

}  // namespace heed::prelu_test
