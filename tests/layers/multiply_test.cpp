#include <heed/layers/flatten.hpp>
#include <heed/layers/multiply.hpp>

#include "support/layer_testing.hpp"

namespace heed::multiply_test {

using namespace heed::testing;

TEST_CASE("Multiply is the element-wise product of all its inputs") {
  LayerRun run(Multiply{}, {{3, 2}, {3, 2}, {3, 2}}, 2);
  run.forward();
  for (Index i = 0; i < run.y.size(); ++i) {
    const double expected = run.x[0].data()[i] * run.x[1].data()[i] * run.x[2].data()[i];
    CHECK(near(run.y.data()[i], expected, 1e-15));
  }
}

TEST_CASE("Multiply's gradients agree with differences for two to four inputs") {
  check_layer(Multiply{}, {{3, 2}, {3, 2}});
  check_layer(Multiply{}, {{1}, {1}});
  check_layer(Multiply{}, {{5}, {5}, {5}});
  check_layer(Multiply{}, {{1, 3}, {1, 3}, {1, 3}, {1, 3}});
}

TEST_CASE("Multiply has gradients where a factor is zero") {
  LayerRun run(Multiply{}, {{2}, {2}}, 1);
  run.x[0].set_zero();
  run.forward();
  run.backward();
  for (Index i = 0; i < 2; ++i) {
    CHECK(run.dx[0].data()[i] == run.dy.data()[i] * run.x[1].data()[i]);
    CHECK(run.dx[1].data()[i] == 0);
  }
}

TEST_CASE("Multiply computes each step by itself") {
  check_step_wise(Multiply{}, {{5, 3}, {5, 3}});
  check_step_wise(Multiply{}, {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}});
}

TEST_CASE("Multiply leaves out a factor at its masked steps") {
  LayerRun run(Multiply{}, {{3, 2}, {3, 2}}, 1);
  run.set_mask({1, 0, 1});
  run.forward();
  run.backward();
  for (Index d = 0; d < 2; ++d) {
    CHECK(run.y(0, 0, d) == run.x[0](0, 0, d) * run.x[1](0, 0, d));
    CHECK(run.y(0, 1, d) == run.x[1](0, 1, d));
    CHECK(run.dx[0](0, 1, d) == 0);
    CHECK(run.dx[1](0, 1, d) == run.dy(0, 1, d));
  }
}

TEST_CASE("Multiply survives the way through its configuration") { check_config(Multiply{}, {}); }

TEST_CASE("Multiply of inputs that do not fit is refused in a sentence") {
  Model<double> model;
  const Node x = model.input({3, 2});
  const Node flat = model.add("flat", Flatten{}, x);
  CHECK(message<ShapeError>([&] {
          model.add("mul", Multiply{}, {x, flat});
        }) == "Multiply \"mul\": expected inputs of the same shape, got (3, 2) and (6)");
  CHECK(message<ShapeError>([&] {
          model.add("mul", Multiply{}, {x, x, flat});
        }) == "Multiply \"mul\": expected inputs of the same shape, got (3, 2) and (6)");
  CHECK(message<ShapeError>([&] { model.add("mul", Multiply{}, x); }) ==
        "Multiply \"mul\": expected at least two inputs, got 1");
}

}  // namespace heed::multiply_test
