#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstddef>
#include <type_traits>

namespace heed::testing {

/// A dual number `value + slope ε` with ε² = 0: what a function makes of it is its value and, in the
/// direction that the slopes of its arguments say, its derivative, both exact but for rounding.
/// Clifford 1871; Griewank, Walther 2008, "Evaluating Derivatives", chapter 3.
struct Dual {
  double value = 0;
  double slope = 0;

  constexpr Dual() = default;
  constexpr Dual(double at, double direction) : value(at), slope(direction) {}
  template <class T>
  constexpr Dual(T constant)  // NOLINT(google-explicit-constructor)
      requires std::is_arithmetic_v<T> : value(static_cast<double>(constant)) {}

  /// Where heed hands a sum over its scalars on as a double, as losses do, only the derivative of the
  /// sum is of use here, which is the sum of the slopes.
  explicit constexpr operator double() const { return slope; }

  /// An id, for the row of a table that it stands for.
  explicit constexpr operator std::ptrdiff_t() const { return static_cast<std::ptrdiff_t>(value); }

  friend constexpr Dual operator+(Dual a, Dual b) { return {a.value + b.value, a.slope + b.slope}; }
  friend constexpr Dual operator-(Dual a, Dual b) { return {a.value - b.value, a.slope - b.slope}; }
  friend constexpr Dual operator-(Dual a) { return {-a.value, -a.slope}; }
  friend constexpr Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.slope * b.value + a.value * b.slope};
  }
  friend constexpr Dual operator/(Dual a, Dual b) {
    const double quotient = a.value / b.value;
    return {quotient, (a.slope - quotient * b.slope) / b.value};
  }
  constexpr Dual& operator+=(Dual b) { return *this = *this + b; }
  constexpr Dual& operator-=(Dual b) { return *this = *this - b; }
  constexpr Dual& operator*=(Dual b) { return *this = *this * b; }
  constexpr Dual& operator/=(Dual b) { return *this = *this / b; }

  /// Numbers are in order, and equal, by their values; a branch has the slope of the side it takes.
  friend constexpr auto operator<=>(Dual a, Dual b) { return a.value <=> b.value; }
  friend constexpr bool operator==(Dual a, Dual b) { return a.value == b.value; }

  friend Dual exp(Dual a) { return {std::exp(a.value), a.slope * std::exp(a.value)}; }
  friend Dual expm1(Dual a) { return {std::expm1(a.value), a.slope * std::exp(a.value)}; }
  friend Dual log(Dual a) { return {std::log(a.value), a.slope / a.value}; }
  friend Dual log1p(Dual a) { return {std::log1p(a.value), a.slope / (1 + a.value)}; }
  friend Dual sqrt(Dual a) { return {std::sqrt(a.value), a.slope / (2 * std::sqrt(a.value))}; }
  friend Dual erfc(Dual a) {
    constexpr double two_by_root_pi = 1.1283791670955126;
    return {std::erfc(a.value), -a.slope * two_by_root_pi * std::exp(-a.value * a.value)};
  }
  friend Dual tanh(Dual a) {
    const double cosh = std::cosh(a.value);
    return {std::tanh(a.value), a.slope / cosh / cosh};
  }
  friend Dual abs(Dual a) { return a.value < 0 ? -a : a; }
  friend bool isnan(Dual a) { return std::isnan(a.value); }
  friend Dual fma(Dual a, Dual b, Dual c) { return a * b + c; }
};

}  // namespace heed::testing

namespace Eigen {

template <>
struct NumTraits<heed::testing::Dual> : NumTraits<double> {
  using Real = heed::testing::Dual;
  using NonInteger = heed::testing::Dual;
  using Literal = heed::testing::Dual;
  using Nested = heed::testing::Dual;
};

namespace internal {

/// A packet of one number; Eigen's own takes a mask of bits.
template <>
inline heed::testing::Dual pselect(const heed::testing::Dual& mask, const heed::testing::Dual& yes,
                                   const heed::testing::Dual& no) {
  return mask.value == 0 ? no : yes;
}

}  // namespace internal

}  // namespace Eigen
