#include <heed/layers/leaky_relu.hpp>

#include "support/layer_testing.hpp"

namespace heed::leaky_relu_test {

using namespace heed::testing;

TEST_CASE("LeakyReLU multiplies what is negative by its slope") {
  LayerRun run(LeakyReLU{.negative_slope = 0.25}, {{5, 3}}, 2);
  run.x[0].data()[0] = 0;
  run.forward();
  for (Index i = 0; i < run.y.size(); ++i) {
    const double x = run.x[0].data()[i];
    CHECK(run.y.data()[i] == (x > 0 ? x : 0.25 * x));
  }
  run.backward();
  CHECK(run.dx[0].data()[0] == 0.25 * run.dy.data()[0]);
  CHECK(LeakyReLU{}.negative_slope == 0.3);
}

TEST_CASE("LeakyReLU's gradients agree with differences") {
  for (const Shape& shape : {Shape{1}, Shape{17}, Shape{3, 2}, Shape{2, 1, 3}}) {
    check_layer(LeakyReLU{}, {shape});
  }
  check_layer(LeakyReLU{.negative_slope = 0}, {{5}});
}

TEST_CASE(
    "LeakyReLU computes each step by itself, and survives the way through its configuration") {
  check_step_wise(LeakyReLU{}, {{5, 4}});
  check_config(LeakyReLU{.negative_slope = 0.5}, {{"negative_slope", 0.5}});
}

TEST_CASE("LeakyReLU with a slope below 0 is refused in a sentence") {
  CHECK(refusal<OptionError>(LeakyReLU{.negative_slope = -0.5}, {3}) ==
        "LeakyReLU \"layer\": expected a negative_slope of at least 0, got -0.5");
  CHECK(refusal<OptionError>(LeakyReLU{.negative_slope = std::numeric_limits<double>::quiet_NaN()},
                             {3}) ==
        "LeakyReLU \"layer\": expected a negative_slope of at least 0, got nan");
}

}  // namespace heed::leaky_relu_test
