#include <heed/layers/average.hpp>
#include <heed/layers/flatten.hpp>

#include "support/layer_testing.hpp"

namespace heed::average_test {

using namespace heed::testing;

TEST_CASE("Average is the element-wise mean of all its inputs") {
  LayerRun run(Average{}, {{3, 2}, {3, 2}, {3, 2}}, 2);
  run.forward();
  for (Index i = 0; i < run.y.size(); ++i) {
    const double sum = run.x[0].data()[i] + run.x[1].data()[i] + run.x[2].data()[i];
    CHECK(near(run.y.data()[i], sum / 3, 1e-15));
  }
}

TEST_CASE("Average's gradients agree with differences, and each step is computed by itself") {
  check_layer(Average{}, {{3, 2}, {3, 2}});
  check_layer(Average{}, {{1}, {1}, {1}, {1}});
  check_step_wise(Average{}, {{5, 3}, {5, 3}});
  check_config(Average{}, {});
}

TEST_CASE("Average of inputs that do not fit is refused in a sentence") {
  Model<double> model;
  const Node x = model.input({3, 2});
  const Node flat = model.add("flat", Flatten{}, x);
  CHECK(message<ShapeError>([&] {
          model.add("y", Average{}, {x, flat});
        }) == "Average \"y\": expected inputs of the same shape, got (3, 2) and (6)");
}

}  // namespace heed::average_test
