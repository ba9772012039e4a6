#include <heed/layers/flatten.hpp>
#include <heed/layers/maximum.hpp>

#include "support/layer_testing.hpp"

namespace heed::maximum_test {

using namespace heed::testing;

TEST_CASE("Maximum is the element-wise maximum of all its inputs") {
  LayerRun run(Maximum{}, {{3, 2}, {3, 2}, {3, 2}}, 2);
  run.forward();
  for (Index i = 0; i < run.y.size(); ++i) {
    CHECK(run.y.data()[i] ==
          std::max({run.x[0].data()[i], run.x[1].data()[i], run.x[2].data()[i]}));
  }
}

TEST_CASE("Maximum's gradients agree with differences, and each step is computed by itself") {
  check_layer(Maximum{}, {{3, 2}, {3, 2}});
  check_layer(Maximum{}, {{1}, {1}, {1}, {1}});
  check_step_wise(Maximum{}, {{5, 3}, {5, 3}});
  check_config(Maximum{}, {});
}

TEST_CASE("Of equal elements the first has the gradient of Maximum, and NaN is not lost") {
  LayerRun run(Maximum{}, {{2}, {2}, {2}}, 1);
  for (auto& x : run.x) x.set_zero();
  run.x[2].data()[1] = std::numeric_limits<double>::quiet_NaN();
  run.forward();
  run.backward();
  CHECK(run.dx[0].data()[0] == run.dy.data()[0]);
  CHECK(run.dx[1].data()[0] == 0);
  CHECK(run.dx[2].data()[0] == 0);
  CHECK(std::isnan(run.y.data()[1]));
}

TEST_CASE("Maximum leaves out an input at its masked steps") {
  LayerRun run(Maximum{}, {{3, 2}, {3, 2}}, 1);
  run.set_mask({1, 0, 1});
  StepTable other;
  const std::vector<std::uint8_t> counts{1, 0, 0};
  other.assign({counts.data(), {1, 3}});
  run.steps[1] = Steps(other);
  run.forward();
  run.backward();
  for (Index d = 0; d < 2; ++d) {
    CHECK(run.y(0, 0, d) == std::max(run.x[0](0, 0, d), run.x[1](0, 0, d)));
    CHECK(run.y(0, 1, d) == run.x[0](0, 1, d));  // masked in both
    CHECK(run.y(0, 2, d) == run.x[0](0, 2, d));
    CHECK(run.dx[1](0, 2, d) == 0);
  }
}

TEST_CASE("Maximum of inputs that do not fit is refused in a sentence") {
  Model<double> model;
  const Node x = model.input({3, 2});
  const Node flat = model.add("flat", Flatten{}, x);
  CHECK(message<ShapeError>([&] {
          model.add("y", Maximum{}, {x, flat});
        }) == "Maximum \"y\": expected inputs of the same shape, got (3, 2) and (6)");
}

}  // namespace heed::maximum_test
