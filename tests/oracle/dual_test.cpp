#include "oracle.hpp"

#include "support/catch.hpp"
#include "support/random_tensor.hpp"

#include <heed/math/activation.hpp>

namespace heed::dual_test {

using testing::Dual;
using testing::near;

namespace {

/// Value and slope at x in the direction 2.
void check_dual(Dual got, double value, double slope) {
  CHECK(near(got.value, value, 1e-15));
  CHECK(near(got.slope, 2 * slope, 1e-15));
}

}  // namespace

TEST_CASE("A dual number carries the derivatives that calculus knows", "[oracle]") {
  for (const double at : {-2.5, -0.3, 0.7, 3.0}) {
    CAPTURE(at);
    const Dual x(at, 2);
    check_dual(x + 3, at + 3, 1);
    check_dual(3 - x, 3 - at, -1);
    check_dual(-x, -at, -1);
    check_dual(x * x * x, at * at * at, 3 * at * at);
    check_dual(1 / x, 1 / at, -1 / (at * at));
    check_dual(x / (x * x), 1 / at, -1 / (at * at));
    check_dual(exp(x), std::exp(at), std::exp(at));
    check_dual(expm1(x), std::expm1(at), std::exp(at));
    check_dual(erfc(x), std::erfc(at), -2 / std::sqrt(std::acos(-1.)) * std::exp(-at * at));
    check_dual(abs(x), std::abs(at), at < 0 ? -1 : 1);
    check_dual(tanh(x), std::tanh(at), 1 / (std::cosh(at) * std::cosh(at)));
    check_dual(sqrt(x * x), std::abs(at), at < 0 ? -1 : 1);
    check_dual(log(x * x), std::log(at * at), 2 / at);
    check_dual(log1p(x * x), std::log1p(at * at), 2 * at / (1 + at * at));
    check_dual(fma(x, x, x), at * at + at, 2 * at + 1);
  }
}

TEST_CASE("Lanes of dual numbers choose and compare by value, with the slope chosen", "[oracle]") {
  using One = Lanes<Dual>;
  const One small = Dual(-1, 5), large = Dual(2, 7);
  CHECK(larger(small, large).packet.slope == 7);
  CHECK(smaller(small, large).packet.slope == 5);
  CHECK(where_positive(large, small, large).packet.slope == 5);
  CHECK(where_positive(small, small, large).packet.slope == 7);
  CHECK(where_positive(One(Dual(0)), small, large).packet.slope == 7);
  const One third = sigmoid(One(Dual(std::log(0.5), 1)));
  CHECK(near(third.packet.value, 1. / 3, 1e-15));
  CHECK(near(third.packet.slope, 2. / 9, 1e-15));
}

// Of f(x) = x², whose slope is 2 x: what is to fail is asked to fail.

namespace {

void check_square(double value, double gradient) {
  Tensor<Dual> x(Shape{1});
  x(0) = Dual(value);
  Tensor<double> dx(Shape{1});
  dx(0) = gradient;
  testing::check_exact("x", x, dx, [&] { return (x(0) * x(0)).slope; });
}

}  // namespace

TEST_CASE("The oracle takes the exact gradient", "[oracle]") {
  check_square(3, 6);
  check_square(0, 0);
}

TEST_CASE("The oracle refuses a gradient that is off by 1e-9", "[oracle][!shouldfail]") {
  check_square(3, 6 * (1 + 1e-9));
}

TEST_CASE("The oracle refuses a gradient where there is none", "[oracle][!shouldfail]") {
  check_square(0, 1e-12);
}

TEST_CASE("The oracle refuses a gradient that is not a number", "[oracle][!shouldfail]") {
  check_square(3, std::nan(""));
}

TEST_CASE("The oracle refuses one that is not a number in place of 0", "[oracle][!shouldfail]") {
  check_square(0, std::nan(""));
}

TEST_CASE("The oracle refuses to compare with what is not a number", "[oracle][!shouldfail]") {
  check_square(std::nan(""), 0);
}

}  // namespace heed::dual_test
