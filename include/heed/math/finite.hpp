#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <span>

namespace heed {

// All checks for NaN and infinity use these functions. With -ffast-math, `std::isfinite` is always
// true and comparisons with NaN are meaningless, but the bits of a number can still be tested.

/// Whether a number is neither NaN nor infinite: not all bits of its exponent are set.
constexpr bool is_finite(float x) {
  constexpr std::uint32_t exponent = 0x7F800000;
  return (std::bit_cast<std::uint32_t>(x) & exponent) != exponent;
}
/// The same for a double.
constexpr bool is_finite(double x) {
  constexpr std::uint64_t exponent = 0x7FF0000000000000;
  return (std::bit_cast<std::uint64_t>(x) & exponent) != exponent;
}

/// Whether a number is not NaN.
constexpr bool is_number(double x) {
  constexpr std::uint64_t infinity = 0x7FF0000000000000;
  return (std::bit_cast<std::uint64_t>(x) << 1) <= (infinity << 1);
}
/// The same for a float.
constexpr bool is_number(float x) {
  constexpr std::uint32_t infinity = 0x7F800000;
  return (std::bit_cast<std::uint32_t>(x) << 1) <= (infinity << 1);
}

namespace detail {

/// The position of the first number that is not finite, or the end.
template <class Scalar>
const Scalar* find_not_finite(std::span<const Scalar> values) {
  const Scalar* const end = values.data() + values.size();
  return std::find_if(values.data(), end, [](Scalar value) { return !is_finite(value); });
}

}  // namespace detail

}  // namespace heed
