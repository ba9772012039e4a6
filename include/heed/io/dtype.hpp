#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <heed/tensor/shape.hpp>

namespace heed {

/// The number format of a tensor in a safetensors file.
struct Dtype {
  std::string_view name;
  Index bits = 0;

  bool operator==(const Dtype&) const = default;
};

/// All formats of safetensors 0.8. heed can read the first four. It knows the sizes of the others
/// so that it can check files that contain them.
inline constexpr auto dtypes = std::to_array<Dtype>({
    {"F64", 64},    {"F32", 32},    {"F16", 16},    {"BF16", 16},       {"I64", 64},
    {"U64", 64},    {"C64", 64},    {"I32", 32},    {"U32", 32},        {"I16", 16},
    {"U16", 16},    {"I8", 8},      {"U8", 8},      {"BOOL", 8},        {"F8_E5M2", 8},
    {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F6_E2M3", 6}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
    {"F6_E3M2", 6}, {"F4", 4},
});

/// The format with this name, or null.
constexpr const Dtype* find_dtype(std::string_view name) {
  const auto* found = std::find_if(dtypes.begin(), dtypes.end(),
                                   [&](const Dtype& known) { return known.name == name; });
  return found == dtypes.end() ? nullptr : found;
}

/// The format of a scalar type. Numbers are written with the same bits.
template <class Scalar>
constexpr Dtype dtype_of() {
  static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>,
                "heed writes tensors of float and of double to files");
  return sizeof(Scalar) == 4 ? dtypes[1] : dtypes[0];
}

namespace detail {

template <class Scalar>
using BitsOf = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;

// Numbers are assembled byte by byte, lowest byte first, so that the byte order of the machine does
// not matter. On a little-endian machine, compilers turn this into one load or store.

template <class Bits>
Bits from_little_endian(const std::byte* bytes) {
  Bits bits = 0;
  for (std::size_t i = 0; i < sizeof(Bits); ++i) {
    bits = static_cast<Bits>(bits | static_cast<Bits>(bytes[i]) << (8 * i));
  }
  return bits;
}

template <class Bits>
void to_little_endian(Bits bits, std::byte* bytes) {
  for (std::size_t i = 0; i < sizeof(Bits); ++i) bytes[i] = static_cast<std::byte>(bits >> (8 * i));
}

/// IEEE 754 binary16: a sign, 5 bits of exponent, 10 bits of fraction.
inline float from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 0x1fu;
  const std::uint32_t fraction = half & 0x3ffu;
  if (exponent == 0) {  // subnormal: a multiple of 2^-24
    return std::copysign(static_cast<float>(fraction) * 0x1p-24f, std::bit_cast<float>(sign));
  }
  const std::uint32_t widened = exponent == 31 ? 255 : exponent + (127 - 15);
  return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}

/// bfloat16: the upper half of a float.
inline float from_bfloat(std::uint16_t bfloat) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bfloat) << 16);
}

}  // namespace detail

/// Reads as many numbers as `values` has elements. The same format keeps every bit; a wider one is
/// rounded to nearest, and becomes infinite beyond the range of `Scalar`. Returns false for a
/// format that heed cannot read.
template <class Scalar>
bool decode(const Dtype& dtype, std::span<const std::byte> bytes, std::span<Scalar> values) {
  const auto each = [&]<class Bits>(Bits, auto number) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<Scalar>(
          number(detail::from_little_endian<Bits>(bytes.data() + i * sizeof(Bits))));
    }
    return true;
  };
  if (dtype.name == "F64") return each(std::uint64_t{}, std::bit_cast<double, std::uint64_t>);
  if (dtype.name == "F32") return each(std::uint32_t{}, std::bit_cast<float, std::uint32_t>);
  if (dtype.name == "F16") return each(std::uint16_t{}, detail::from_half);
  if (dtype.name == "BF16") return each(std::uint16_t{}, detail::from_bfloat);
  return false;
}

/// Writes numbers in the format `dtype_of<Scalar>()`.
template <class Scalar>
void encode(std::span<const Scalar> values, std::byte* bytes) {
  for (const Scalar value : values) {
    detail::to_little_endian(std::bit_cast<detail::BitsOf<Scalar>>(value), bytes);
    bytes += sizeof(Scalar);
  }
}

}  // namespace heed
