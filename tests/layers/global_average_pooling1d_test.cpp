#include <heed/layers/global_average_pooling1d.hpp>

#include "support/layer_testing.hpp"

namespace heed::global_average_pooling1d_test {

using namespace heed::testing;

namespace {

/// Holes, steps that are missing at the beginning and at the end, one step.
const std::vector<std::uint8_t> some{0, 1, 0, 1,  //
                                     0, 0, 1, 1,  //
                                     1, 0, 0, 0};

}  // namespace

TEST_CASE("GlobalAveragePooling1D is the mean of each feature") {
  LayerRun run(GlobalAveragePooling1D{}, {{5, 3}}, 4);
  run.forward();
  CHECK(run.y.shape() == Shape{4, 3});
  for (Index n = 0; n < 4; ++n) {
    CHECK((run.y.matrix().row(n) - run.x[0].slice(n).colwise().mean()).norm() <= 1e-15);
  }
}

TEST_CASE("GlobalAveragePooling1D leaves masked steps out, whatever is in them") {
  LayerRun run(GlobalAveragePooling1D{}, {{4, 2}}, 3);
  run.set_mask(some);
  run.x[0].slice(0).row(0).setConstant(std::numeric_limits<double>::quiet_NaN());
  run.forward();
  run.backward();
  CHECK(run.y.matrix().row(0) == (run.x[0].slice(0).row(1) + run.x[0].slice(0).row(3)) / 2);
  CHECK(run.y.matrix().row(2) == run.x[0].slice(2).row(0));
  CHECK(run.dx[0].slice(0).row(0).isZero(0));
  CHECK(run.dx[0].slice(0).row(1) == run.dy.matrix().row(0) / 2);
  CHECK(run.dx[0].slice(2).row(0) == run.dy.matrix().row(2));
}

TEST_CASE("GlobalAveragePooling1D's gradients agree with differences") {
  for (const bool keepdims : {false, true}) {
    const GlobalAveragePooling1D layer{.keepdims = keepdims};
    check_layer(layer, {{5, 3}});
    check_layer(layer, {{1, 1}});
    LayerRun run(layer, {{4, 2}}, 3);
    run.set_mask(some);
    CHECK(check_gradients(run).worst < gradient_tolerance);
    check_backward(run);
  }
}

TEST_CASE("GlobalAveragePooling1D keeps the axis of steps on request, and no mask") {
  CHECK(GlobalAveragePooling1D{}.output_shape({any, 3}) == Shape{3});
  CHECK(GlobalAveragePooling1D{.keepdims = true}.output_shape({any, 3}) == Shape{1, 3});
  CHECK_FALSE(AnyLayer<double>(GlobalAveragePooling1D{}).keeps_steps());
}

TEST_CASE("GlobalAveragePooling1D survives the way through its configuration") {
  check_config(GlobalAveragePooling1D{.keepdims = true}, {{"keepdims", true}});
}

TEST_CASE("GlobalAveragePooling1D of no step that counts is refused in a sentence") {
  LayerRun run(GlobalAveragePooling1D{}, {{4, 2}}, 3);
  auto none = some;
  none[8] = 0;
  run.set_mask(none);
  CHECK(message<DataError>([&] { run.forward(); }) ==
        "expected at least one unmasked step in each sample, but sample 2 of the batch has none");
  CHECK(refusal<Error>(GlobalAveragePooling1D{}, {4}) ==
        "GlobalAveragePooling1D \"layer\": expected an input of (steps, features), got (4)");
  CHECK(message<ShapeError>([] {
          GlobalAveragePooling1D{}.output_shape({0, 2});
        }) == "expected at least one step, got (0, 2)");
}

}  // namespace heed::global_average_pooling1d_test
