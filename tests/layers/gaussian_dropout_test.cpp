#include <heed/layers/gaussian_dropout.hpp>

#include "support/layer_testing.hpp"

namespace heed::gaussian_dropout_test {

using namespace heed::testing;

TEST_CASE("In training GaussianDropout draws its numbers for each element") {
  LayerRun run(GaussianDropout{.rate = 0.2}, {{1000}}, 50);
  run.x[0].array().setOnes();
  run.pass.training = true;
  run.forward();
  // Of mean 1 and variance rate / (1 − rate), within five standard errors of 50,000 draws.
  const double mean = run.y.array().mean(), variance = (run.y.array() - mean).square().mean();
  CHECK(std::abs(mean - 1) < 5 * 0.5 / std::sqrt(5e4));
  CHECK(std::abs(variance - 0.25) < 5 * 0.25 * std::sqrt(2 / 5e4));
  const Tensor<double> first = run.y;
  run.forward();
  CHECK(run.y == first);
  run.pass.step = 1;
  run.forward();
  CHECK_FALSE(run.y == first);
}

TEST_CASE("GaussianDropout does nothing but in training") {
  LayerRun run(GaussianDropout{.rate = 0.2}, {{5, 2}}, 3);
  run.pass.training = true;
  run.forward();
  CHECK_FALSE(run.y == run.x[0]);
  run.pass.training = false;
  run.forward();
  run.backward();
  CHECK(run.y == run.x[0]);
  CHECK(run.dx[0] == run.dy);
}

TEST_CASE("GaussianDropout's gradients agree with differences, in training and outside of it") {
  for (const bool is_training : {false, true}) {
    check_layer(GaussianDropout{.rate = 0.2}, {{4, 3}}, {1, 3}, is_training);
    check_layer(GaussianDropout{.rate = 0.2}, {{1}}, {1}, is_training);
    check_layer(GaussianDropout{.rate = 0.0}, {{5}}, {2}, is_training);
  }
}

TEST_CASE("GaussianDropout survives the way through its configuration, and refuses what fits not") {
  check_step_wise(GaussianDropout{.rate = 0.2}, {{5, 4}});
  check_config(GaussianDropout{.rate = 0.2}, {{"rate", 0.2}});
  CHECK(refusal<OptionError>(GaussianDropout{.rate = 1.0}, {3}) ==
        "GaussianDropout \"layer\": expected a rate in [0, 1), got 1");
}

}  // namespace heed::gaussian_dropout_test
