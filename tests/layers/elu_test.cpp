#include <heed/layers/elu.hpp>

#include "support/layer_testing.hpp"

namespace heed::elu_test {

using namespace heed::testing;

TEST_CASE("ELU is alpha (exp(x) − 1) where x is negative") {
  LayerRun run(ELU{.alpha = 0.5}, {{5, 3}}, 2);
  run.forward();
  for (Index i = 0; i < run.y.size(); ++i) {
    const double x = run.x[0].data()[i];
    CHECK(near(run.y.data()[i], x > 0 ? x : 0.5 * (std::exp(x) - 1), 1e-15));
  }
}

TEST_CASE("ELU's gradients agree with differences") {
  for (const Shape& shape : {Shape{1}, Shape{17}, Shape{3, 2}}) {
    check_layer(ELU{.alpha = 0.5}, {shape});
    check_layer(ELU{.alpha = -1.5}, {shape});
  }
}

TEST_CASE("ELU computes each step by itself, and survives the way through its configuration") {
  check_step_wise(ELU{}, {{5, 4}});
  check_config(ELU{.alpha = 0.5}, {{"alpha", 0.5}});
}

TEST_CASE("ELU with an alpha that is not a number is refused in a sentence") {
  CHECK(refusal<OptionError>(ELU{.alpha = std::numeric_limits<double>::quiet_NaN()}, {3}) ==
        "ELU \"layer\": expected a finite alpha, got nan");
}

}  // namespace heed::elu_test
