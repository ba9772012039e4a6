#include <heed/layers/activation.hpp>
#include <heed/layers/softmax.hpp>

#include "support/layer_testing.hpp"

namespace heed::softmax_layer_test {

using namespace heed::testing;

TEST_CASE("Softmax along an axis sums to 1 along it") {
  for (const Index axis : {1, 2, 3, -1, -2, -3}) {
    CAPTURE(axis);
    LayerRun run(Softmax{.axis = axis}, {{2, 3, 4}}, 2);
    run.forward();
    const Index at = axis < 0 ? axis + 4 : axis;
    const Index inner = at == 1 ? 12 : at == 2 ? 4 : 1, length = at + 1;
    for (Index i = 0; i < run.y.size(); ++i) {
      const Index first = i - i / inner % length * inner;
      double sum = 0;
      for (Index k = 0; k < length; ++k) sum += std::exp(run.x[0].data()[first + k * inner]);
      CHECK(near(run.y.data()[i], std::exp(run.x[0].data()[i]) / sum, 1e-15));
    }
  }
}

TEST_CASE("Softmax along the last axis is the Activation of that name") {
  LayerRun run(Softmax{}, {{3, 5}}, 2), other(Activation{Activation::softmax}, {{3, 5}}, 2);
  run.forward();
  other.forward();
  CHECK(distance(run.y, other.y) < 1e-15);
}

TEST_CASE("Softmax does not overflow") {
  LayerRun run(Softmax{.axis = 1}, {{3}}, 1);
  run.x[0].array() << 1e4, -1e4, 1e4;
  run.forward();
  CHECK(run.y(0, 0) == 0.5);
  CHECK(run.y(0, 1) == 0);
}

TEST_CASE("Softmax's gradients agree with differences along every axis") {
  check_layer(Softmax{}, {{5}});
  for (const Index axis : {1, 2, 3}) check_layer(Softmax{.axis = axis}, {{2, 3, 4}});
}

TEST_CASE("A softmax along the steps leaves masked steps out") {
  LayerRun run(Softmax{.axis = 1}, {{3, 2}}, 3);
  run.set_mask({1, 0, 1, 0, 0, 0, 1, 1, 1});
  run.forward();
  run.backward();
  for (Index d = 0; d < 2; ++d) {
    const double a = std::exp(run.x[0](0, 0, d)), b = std::exp(run.x[0](0, 2, d));
    CHECK(near(run.y(0, 0, d), a / (a + b), 1e-15));
    CHECK(run.y(0, 1, d) == 0);
    CHECK(run.dx[0](0, 1, d) == 0);
    for (Index t = 0; t < 3; ++t) CHECK(run.y(1, t, d) == 0);
  }
  CHECK(check_gradients(run).worst < gradient_tolerance);
}

TEST_CASE("A softmax that is not along the steps computes each step by itself") {
  check_step_wise(Softmax{.axis = 2}, {{5, 4}});
  check_step_wise(Softmax{.axis = -2}, {{5, 2, 3}});
  CHECK_FALSE(Softmax{.axis = 1}.is_step_wise({5, 4}));
  CHECK_FALSE(Softmax{}.is_step_wise({4}));
  CHECK(Softmax::keeps_steps());
}

TEST_CASE(
    "Softmax survives the way through its configuration, and refuses axes that are not there") {
  check_config(Softmax{.axis = 2}, {{"axis", Index{2}}});
  for (const Index axis : {0, 3, -3}) {
    CHECK(refusal<OptionError>(Softmax{.axis = axis}, {3, 4}) ==
          join("Softmax \"layer\": expected an axis of 3 axes without that of the samples, got ",
               axis));
  }
}

}  // namespace heed::softmax_layer_test
