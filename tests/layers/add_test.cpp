#include <heed/layers/add.hpp>
#include <heed/layers/flatten.hpp>

#include "support/layer_testing.hpp"

namespace heed::add_test {

using namespace heed::testing;

TEST_CASE("Add is the element-wise sum of all its inputs") {
  LayerRun run(Add{}, {{3, 2}, {3, 2}, {3, 2}}, 2);
  run.forward();
  for (Index i = 0; i < run.y.size(); ++i) {
    CHECK(run.y.data()[i] == run.x[0].data()[i] + run.x[1].data()[i] + run.x[2].data()[i]);
  }
}

TEST_CASE("Add's gradients agree with differences for two to four inputs") {
  check_layer(Add{}, {{3, 2}, {3, 2}});
  check_layer(Add{}, {{1}, {1}});
  check_layer(Add{}, {{5}, {5}, {5}});
  check_layer(Add{}, {{1, 3}, {1, 3}, {1, 3}, {1, 3}});
}

TEST_CASE("Add computes each step by itself") {
  check_step_wise(Add{}, {{5, 3}, {5, 3}});
  check_step_wise(Add{}, {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}});
}

TEST_CASE("Add survives the way through its configuration") { check_config(Add{}, {}); }

TEST_CASE("Add of inputs that do not fit is refused in a sentence") {
  Model<double> model;
  const Node x = model.input({3, 2});
  const Node flat = model.add("flat", Flatten{}, x);
  CHECK(message<ShapeError>([&] {
          model.add("sum", Add{}, {flat, x});
        }) == "Add \"sum\": expected inputs of the same shape, got (6) and (3, 2)");
  CHECK(message<ShapeError>([&] { model.add("sum", Add{}, {x}); }) ==
        "Add \"sum\": expected at least two inputs, got 1");
}

}  // namespace heed::add_test
