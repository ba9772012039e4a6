#include <heed/layers/gaussian_noise.hpp>

#include "support/layer_testing.hpp"

namespace heed::gaussian_noise_test {

using namespace heed::testing;

TEST_CASE("In training GaussianNoise draws its numbers for each element") {
  LayerRun run(GaussianNoise{.stddev = 0.5}, {{1000}}, 50);
  run.x[0].array().setOnes();
  run.pass.training = true;
  run.forward();
  // Of mean 0 and the standard deviation, within five standard errors of 50,000 draws.
  const double mean = run.y.array().mean() - 1, variance = (run.y.array() - 1).square().mean();
  CHECK(std::abs(mean) < 5 * 0.5 / std::sqrt(5e4));
  CHECK(std::abs(variance - 0.25) < 5 * 0.25 * std::sqrt(2 / 5e4));
  const Tensor<double> first = run.y;
  run.forward();
  CHECK(run.y == first);
  run.pass.step = 1;
  run.forward();
  CHECK_FALSE(run.y == first);
}

TEST_CASE("GaussianNoise does nothing but in training") {
  LayerRun run(GaussianNoise{.stddev = 0.5}, {{5, 2}}, 3);
  run.pass.training = true;
  run.forward();
  CHECK_FALSE(run.y == run.x[0]);
  run.pass.training = false;
  run.forward();
  run.backward();
  CHECK(run.y == run.x[0]);
  CHECK(run.dx[0] == run.dy);
}

TEST_CASE("GaussianNoise's gradients agree with differences, in training and outside of it") {
  for (const bool is_training : {false, true}) {
    check_layer(GaussianNoise{.stddev = 0.5}, {{4, 3}}, {1, 3}, is_training);
    check_layer(GaussianNoise{.stddev = 0.5}, {{1}}, {1}, is_training);
    check_layer(GaussianNoise{.stddev = 0.0}, {{5}}, {2}, is_training);
  }
}

TEST_CASE("GaussianNoise survives the way through its configuration, and refuses what fits not") {
  check_step_wise(GaussianNoise{.stddev = 0.5}, {{5, 4}});
  check_config(GaussianNoise{.stddev = 0.5}, {{"stddev", 0.5}});
  CHECK(refusal<OptionError>(GaussianNoise{.stddev = -1.0}, {3}) ==
        "GaussianNoise \"layer\": expected a stddev of at least 0, got -1");
}

}  // namespace heed::gaussian_noise_test
