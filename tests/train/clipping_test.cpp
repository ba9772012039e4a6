#include <heed/train/clipping.hpp>
#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::clipping_test {

namespace {

/// Two weights of 3 and 2 numbers, with norms 3 and 4, together 5.
Layout two_weights() {
  Layout layout;
  layout.append("a", {{"kernel", {3, 1}}});
  layout.append("b", {{"bias", {2}}});
  return layout;
}

template <class S = double>
Tensor<S, 1> clipped(const Clipping& clipping, Tensor<S, 1> gradients) {
  clip<S>(clipping, two_weights(), gradients);
  return gradients;
}

const Tensor<double, 1> gradients{1, -2, 2, 0, -4};

}  // namespace

TEST_CASE("without clipping gradients keep their bits") {
  CHECK(clipped({}, gradients) == gradients);
}

TEST_CASE("clipvalue bounds each number") {
  CHECK(clipped({.clipvalue = 1.5}, gradients) == Tensor<double, 1>{1, -1.5, 1.5, 0, -1.5});
}

TEST_CASE("clipnorm bounds each weight by its own norm and leaves shorter ones alone") {
  CHECK(clipped({.clipnorm = 3.5}, gradients) == Tensor<double, 1>{1, -2, 2, 0, -3.5});
  CHECK(clipped({.clipnorm = 3}, gradients) == Tensor<double, 1>{1, -2, 2, 0, -3});
  CHECK(testing::distance(clipped({.clipnorm = 1}, gradients),
                          Tensor<double, 1>{1. / 3, -2. / 3, 2. / 3, 0, -1}) < 1e-15);
}

TEST_CASE("global_clipnorm scales all weights by one number and leaves shorter ones alone") {
  CHECK(clipped({.global_clipnorm = 5}, gradients) == gradients);
  CHECK(clipped({.global_clipnorm = 2.5}, gradients) == Tensor<double, 1>{0.5, -1, 1, 0, -2});
}

TEST_CASE("norms of floats whose squares overflow are clipped all the same") {
  const Tensor<float, 1> huge{0, 0, 3e30F, 0, -4e30F};
  const auto global = clipped<float>({.global_clipnorm = 5}, huge);
  CHECK(testing::distance(global, Tensor<float, 1>{0, 0, 3, 0, -4}) < 1e-6);
}

TEST_CASE("clipping does not hide NaN") {
  const Tensor<double, 1> bad{std::numeric_limits<double>::quiet_NaN(), 0, 0, 0, 0};
  CHECK(std::isnan(clipped({.clipvalue = 1}, bad)(0)));
  CHECK(std::isnan(clipped({.clipnorm = 1}, bad)(0)));
  CHECK(std::isnan(clipped({.global_clipnorm = 1}, bad)(0)));
}

TEST_CASE("bounds that are negative, not finite or two at once are refused") {
  const auto refused = [](const Clipping& clipping) {
    return testing::message<OptionError>([&] { clipping.validate("adam"); });
  };
  CHECK(refused({.clipnorm = -1}) ==
        "adam: expected clipnorm, clipvalue and global_clipnorm of at least 0, got -1, 0 and 0");
  CHECK(refused({.clipnorm = 1, .global_clipnorm = 2}) ==
        "adam: expected one of clipnorm, clipvalue and global_clipnorm, got 1, 0 and 2");
  CHECK_THROWS_AS(Clipping{.clipvalue = std::numeric_limits<double>::infinity()}.validate("SGD"),
                  OptionError);
  Clipping{.clipvalue = 1}.validate("SGD");
}

}  // namespace heed::clipping_test
