#include <heed/layers/dropout.hpp>

#include "support/layer_testing.hpp"

namespace heed::dropout_test {

using namespace heed::testing;

namespace {

/// The output for ones: the mask itself.
Tensor<double> mask(double rate, const Shape& sample, Index N, const Pass& pass) {
  LayerRun run(Dropout{.rate = rate}, {sample}, N);
  run.x[0].array().setOnes();
  run.pass = pass;
  run.forward();
  return run.y;
}

constexpr Pass training{.training = true, .seed = 1, .step = 2, .node = 3};

}  // namespace

TEST_CASE("Dropout does nothing but in training") {
  LayerRun run(Dropout{.rate = 0.5}, {{5, 2}}, 3);
  run.forward();
  CHECK(run.y == run.x[0]);
  run.backward();
  CHECK(run.dx[0] == run.dy);
}

TEST_CASE("Dropout forgets its last mask outside of training") {
  LayerRun run(Dropout{.rate = 0.5}, {{5, 2}}, 3);
  run.pass = training;
  run.forward();
  CHECK_FALSE(run.y == run.x[0]);
  run.pass.training = false;
  run.forward();
  run.backward();
  CHECK(run.y == run.x[0]);
  CHECK(run.dx[0] == run.dy);
  run.pass.training = true;
  run.forward();
  run.backward();
  CHECK(((run.y.array() == 0) == (run.dx[0].array() == 0)).all());
}

TEST_CASE("Dropout computes each step by itself") {
  check_step_wise(Dropout{.rate = 0.5}, {{5, 4}});
  check_step_wise(Dropout{.rate = 0.5}, {{5, 2, 3}});
}

TEST_CASE("In training Dropout zeroes its share of the elements and scales the rest") {
  for (const double rate : {0.1, 0.5, 0.9}) {
    const auto y = mask(rate, {100}, 1000, training);
    const double kept = 1 / (1 - rate);
    const auto dropped = static_cast<double>((y.array() == 0).count());
    CHECK((y.array() == 0 || y.array() == kept).all());
    // Five standard errors of 100,000 draws.
    CHECK(std::abs(dropped / 1e5 - rate) < 5 * std::sqrt(rate * (1 - rate) / 1e5));
    CHECK(std::abs(y.array().mean() - 1) < 5 * std::sqrt(rate / (1 - rate) / 1e5));
  }
}

TEST_CASE("A rate of 0 drops nothing") { CHECK((mask(0, {10}, 3, training).array() == 1).all()); }

TEST_CASE("Dropout draws the same mask for the same run, and others for others") {
  const auto first = mask(0.5, {50}, 2, training);
  CHECK(mask(0.5, {50}, 2, training) == first);
  for (Pass other :
       {Pass{true, 2, 2, 3}, Pass{true, 1, 3, 3}, Pass{true, 1, 2, 4}, Pass{true, 1, 2, 3, 7}}) {
    CHECK_FALSE(mask(0.5, {50}, 2, other) == first);
  }
  CHECK_FALSE(first.slice(0) == first.slice(1));
}

TEST_CASE("A sample's mask does not depend on the batch around it") {
  const auto all = mask(0.5, {5, 4}, 6, training);
  Pass later = training;
  later.first_sample = 4;
  CHECK(distance<double>(mask(0.5, {5, 4}, 2, later), all.samples(4, 2)) == 0);
}

TEST_CASE("Dropout's gradients agree with differences, in training and outside of it") {
  for (const bool is_training : {false, true}) {
    check_layer(Dropout{.rate = 0.5}, {{4, 3}}, {1, 3}, is_training);
    check_layer(Dropout{.rate = 0.3}, {{1}}, {1}, is_training);
    check_layer(Dropout{.rate = 0}, {{5}}, {2}, is_training);
  }
}

TEST_CASE("Dropout survives the way through its configuration") {
  check_config(Dropout{.rate = 0.25}, {{"rate", 0.25}});
  CHECK(from_config<Dropout>({{"rate", Index{0}}}) == Dropout{.rate = 0.0});
}

TEST_CASE("A rate outside [0, 1) is refused in a sentence") {
  CHECK(refusal<OptionError>(Dropout{.rate = 1.0}, {3}) ==
        "Dropout \"layer\": expected a rate in [0, 1), got 1");
  CHECK(refusal<OptionError>(Dropout{.rate = -0.1}, {3}) ==
        "Dropout \"layer\": expected a rate in [0, 1), got -0.1");
  CHECK(refusal<OptionError>(Dropout{.rate = std::numeric_limits<double>::quiet_NaN()}, {3}) ==
        "Dropout \"layer\": expected a rate in [0, 1), got nan");
}

}  // namespace heed::dropout_test
