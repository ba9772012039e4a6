#include <heed/layers/alpha_dropout.hpp>

#include "support/layer_testing.hpp"

namespace heed::alpha_dropout_test {

using namespace heed::testing;

TEST_CASE("In training AlphaDropout draws its numbers for each element") {
  LayerRun run(AlphaDropout{.rate = 0.4}, {{1000}}, 50);
  run.x[0].array().setOnes();
  run.pass.training = true;
  run.forward();
  const double p = -1.6732632423543772 * 1.0507009873554805;
  const double a = 1 / std::sqrt(0.6 * (1 + 0.4 * p * p)), b = -a * p * 0.4;
  Index dropped = 0;
  for (Index i = 0; i < run.y.size(); ++i) {
    const double y = run.y.data()[i];
    CHECK((near(y, a * p + b, 1e-15) || near(y, a + b, 1e-15)));
    dropped += y < 0 ? 1 : 0;
  }
  CHECK(std::abs(static_cast<double>(dropped) / 5e4 - 0.4) < 5 * std::sqrt(0.24 / 5e4));
  const Tensor<double> first = run.y;
  run.forward();
  CHECK(run.y == first);
  run.pass.step = 1;
  run.forward();
  CHECK_FALSE(run.y == first);
}

TEST_CASE("AlphaDropout keeps mean 0 and variance 1") {
  LayerRun run(AlphaDropout{.rate = 0.3}, {{1000}}, 100);
  run.pass.training = true;
  Random random(3);
  for (double& x : run.x[0].values()) x = random.normal();
  run.forward();
  const double mean = run.y.array().mean();
  CHECK(std::abs(mean) < 0.02);
  CHECK(std::abs((run.y.array() - mean).square().mean() - 1) < 0.03);
}

TEST_CASE("AlphaDropout does nothing but in training") {
  LayerRun run(AlphaDropout{.rate = 0.4}, {{5, 2}}, 3);
  run.pass.training = true;
  run.forward();
  CHECK_FALSE(run.y == run.x[0]);
  run.pass.training = false;
  run.forward();
  run.backward();
  CHECK(run.y == run.x[0]);
  CHECK(run.dx[0] == run.dy);
}

TEST_CASE("AlphaDropout's gradients agree with differences, in training and outside of it") {
  for (const bool is_training : {false, true}) {
    check_layer(AlphaDropout{.rate = 0.4}, {{4, 3}}, {1, 3}, is_training);
    check_layer(AlphaDropout{.rate = 0.4}, {{1}}, {1}, is_training);
    check_layer(AlphaDropout{.rate = 0.0}, {{5}}, {2}, is_training);
  }
}

TEST_CASE("AlphaDropout survives the way through its configuration, and refuses what fits not") {
  check_step_wise(AlphaDropout{.rate = 0.4}, {{5, 4}});
  check_config(AlphaDropout{.rate = 0.4}, {{"rate", 0.4}});
  CHECK(refusal<OptionError>(AlphaDropout{.rate = 1.0}, {3}) ==
        "AlphaDropout \"layer\": expected a rate in [0, 1), got 1");
}

}  // namespace heed::alpha_dropout_test
