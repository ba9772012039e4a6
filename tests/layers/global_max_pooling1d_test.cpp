#include <heed/layers/global_max_pooling1d.hpp>

#include "support/layer_testing.hpp"

namespace heed::global_max_pooling1d_test {

using namespace heed::testing;

TEST_CASE("GlobalMaxPooling1D is the largest value of each feature") {
  LayerRun run(GlobalMaxPooling1D{}, {{5, 19}}, 3);
  run.forward();
  CHECK(run.y.shape() == Shape{3, 19});
  for (Index n = 0; n < 3; ++n) {
    CHECK(run.y.matrix().row(n) == run.x[0].slice(n).colwise().maxCoeff());
  }
}

TEST_CASE("GlobalMaxPooling1D shares the gradient among equal values") {
  LayerRun run(GlobalMaxPooling1D{}, {{4, 2}}, 1);
  const auto set = [](Tensor<double>& tensor, std::initializer_list<double> values) {
    std::copy(values.begin(), values.end(), tensor.data());
  };
  set(run.x[0], {0, 7, 3, 7, 3, 7, 1, 7});
  set(run.dy, {6, 8});
  run.forward();
  run.backward();
  Tensor<double> dx(run.dx[0].shape());
  set(dx, {0, 2, 3, 2, 3, 2, 0, 2});
  CHECK(run.dx[0] == dx);
}

TEST_CASE("GlobalMaxPooling1D's gradients agree with differences") {
  for (const bool keepdims : {false, true}) {
    check_layer(GlobalMaxPooling1D{.keepdims = keepdims}, {{5, 3}});
    check_layer(GlobalMaxPooling1D{.keepdims = keepdims}, {{1, 1}});
  }
}

TEST_CASE("GlobalMaxPooling1D keeps the axis of steps on request, and no mask") {
  CHECK(GlobalMaxPooling1D{}.output_shape({any, 3}) == Shape{3});
  CHECK(GlobalMaxPooling1D{.keepdims = true}.output_shape({any, 3}) == Shape{1, 3});
  CHECK_FALSE(AnyLayer<double>(GlobalMaxPooling1D{}).keeps_steps());
}

TEST_CASE("GlobalMaxPooling1D survives the way through its configuration") {
  check_config(GlobalMaxPooling1D{.keepdims = true}, {{"keepdims", true}});
}

TEST_CASE("GlobalMaxPooling1D of another rank or of no steps is refused in a sentence") {
  CHECK(refusal<Error>(GlobalMaxPooling1D{}, {4}) ==
        "GlobalMaxPooling1D \"layer\": expected an input of (steps, features), got (4)");
  CHECK(message<ShapeError>([] {
          GlobalMaxPooling1D{}.output_shape({0, 2});
        }) == "expected at least one step, got (0, 2)");
}

}  // namespace heed::global_max_pooling1d_test
