#include <heed/layers/relu.hpp>

#include "support/layer_testing.hpp"

namespace heed::relu_test {

using namespace heed::testing;

TEST_CASE("ReLU has a slope below its threshold and a largest value") {
  LayerRun run(ReLU{.max_value = 2, .negative_slope = 0.25, .threshold = 1}, {{6}}, 1);
  const Tensor<double, 2> x{{-3, 0.5, 1, 1.5, 2, 9}};
  const Tensor<double, 2> y{{-1, -0.125, 0, 1.5, 2, 2}};
  const Tensor<double, 2> slopes{{0.25, 0.25, 0.25, 1, 0, 0}};
  run.x[0].array() = x.array();
  run.forward();
  CHECK((run.y.array() == y.array()).all());
  run.backward();
  CHECK((run.dx[0].array() == run.dy.array() * slopes.array()).all());
}

TEMPLATE_TEST_CASE("ReLU has no limit by default", "", float, double) {
  const std::vector<Tensor<TestType>> x{Tensor<TestType, 2>{{1e30f, -1e30f, 0}}};
  Model<TestType> model;
  model.input({3});
  model.add(ReLU{});
  model.build();
  CHECK(model.predict(x[0]) == Tensor<TestType, 2>{{1e30f, 0, 0}});
}

TEST_CASE("ReLU's gradients agree with differences") {
  for (const Shape& shape : {Shape{1}, Shape{17}, Shape{3, 2}}) {
    check_layer(ReLU{}, {shape});
    check_layer(ReLU{.max_value = 0.5, .negative_slope = 0.25, .threshold = 0.125}, {shape});
  }
}

TEST_CASE("ReLU computes each step by itself, and survives the way through its configuration") {
  check_step_wise(ReLU{.max_value = 0.5}, {{5, 4}});
  check_config(ReLU{.max_value = 6, .negative_slope = 0.5, .threshold = 1},
               {{"max_value", 6.0}, {"negative_slope", 0.5}, {"threshold", 1.0}});
}

TEST_CASE("Fields of ReLU below 0 are refused in a sentence") {
  CHECK(refusal<OptionError>(ReLU{.max_value = -1}, {3}) ==
        "ReLU \"layer\": expected a max_value of at least 0, got -1");
  CHECK(refusal<OptionError>(ReLU{.negative_slope = -1}, {3}) ==
        "ReLU \"layer\": expected a negative_slope of at least 0, got -1");
  CHECK(refusal<OptionError>(ReLU{.threshold = -1}, {3}) ==
        "ReLU \"layer\": expected a threshold of at least 0, got -1");
}

}  // namespace heed::relu_test
