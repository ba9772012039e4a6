#include <heed/layers/subtract.hpp>

#include "support/layer_testing.hpp"

namespace heed::subtract_test {

using namespace heed::testing;

TEST_CASE("Subtract is the first input without the second") {
  LayerRun run(Subtract{}, {{3, 2}, {3, 2}}, 2);
  run.forward();
  CHECK((run.y.array() == run.x[0].array() - run.x[1].array()).all());
  check_layer(Subtract{}, {{3, 2}, {3, 2}});
  check_layer(Subtract{}, {{1}, {1}});
  check_step_wise(Subtract{}, {{5, 3}, {5, 3}});
  check_config(Subtract{}, {});
}

TEST_CASE("Subtract of more or fewer than two inputs is refused in a sentence") {
  Model<double> model;
  const Node x = model.input({3, 2});
  CHECK(message<ShapeError>([&] {
          model.add("y", Subtract{}, {x, x, x});
        }) == "Subtract \"y\": expected two inputs, got 3");
  CHECK(message<ShapeError>([&] { model.add("y", Subtract{}, x); }) ==
        "Subtract \"y\": expected two inputs, got 1");
}

}  // namespace heed::subtract_test
