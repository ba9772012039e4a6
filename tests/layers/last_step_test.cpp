#include <heed/layers/last_step.hpp>

#include "support/layer_testing.hpp"

namespace heed::last_step_test {

using namespace heed::testing;

TEST_CASE("LastStep is the last time step") {
  LayerRun run(LastStep{}, {{4, 3}}, 2);
  run.forward();
  CHECK(run.y.shape() == Shape{2, 3});
  CHECK(run.y.matrix() == run.x[0].step(3));
}

TEST_CASE("LastStep's gradients agree with differences, and those of other steps are zero") {
  check_layer(LastStep{}, {{4, 3}});
  check_layer(LastStep{}, {{1, 1}});
  check_layer(LastStep{}, {{1, 5}});
  check_layer(LastStep{}, {{6, 1}});

  LayerRun run(LastStep{}, {{3, 2}}, 2);
  run.dx[0].array().setConstant(9);
  run.forward();
  run.backward();
  CHECK(run.dx[0].step(0).isZero(0));
  CHECK(run.dx[0].step(1).isZero(0));
  CHECK(run.dx[0].step(2) == run.dy.matrix());
}

TEST_CASE("LastStep remembers nothing") {
  CHECK(LastStep::stream_state({4, 3}, 99).empty());
  const AnyLayer<double> layer(LastStep{});
  CHECK(layer.can_stream());
  CHECK_FALSE(layer.is_step_wise(std::vector<Shape>{{4, 3}}));
}

TEST_CASE("LastStep survives the way through its configuration") { check_config(LastStep{}, {}); }

TEST_CASE("LastStep of what has no steps is refused in a sentence") {
  CHECK(refusal<ShapeError>(LastStep{}, {3}) ==
        "LastStep \"layer\": expected an input of (steps, features), got (3)");
  CHECK(refusal<ShapeError>(LastStep{}, {3, 2, 1}) ==
        "LastStep \"layer\": expected an input of (steps, features), got (3, 2, 1)");
}

}  // namespace heed::last_step_test
