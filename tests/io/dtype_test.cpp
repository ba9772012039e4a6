#include <heed/io/dtype.hpp>

#include <limits>
#include <set>
#include <vector>

#include "support/catch.hpp"

namespace heed::dtype_test {

namespace {

template <class Scalar>
std::vector<std::byte> encoded(std::vector<Scalar> values) {
  std::vector<std::byte> bytes(values.size() * sizeof(Scalar));
  encode(std::span<const Scalar>(values), bytes.data());
  return bytes;
}

template <class Scalar>
Scalar decoded(std::string_view dtype, std::span<const std::byte> bytes) {
  Scalar value = -7;
  REQUIRE(decode(*find_dtype(dtype), bytes, std::span(&value, 1)));
  return value;
}

template <class Scalar>
Scalar decoded16(std::string_view dtype, std::uint32_t bits) {
  return decoded<Scalar>(dtype, std::vector{std::byte(bits & 0xff), std::byte(bits >> 8)});
}

template <class Scalar>
void check_every_bit() {
  using Bits = detail::BitsOf<Scalar>;
  using limits = std::numeric_limits<Scalar>;
  const auto nan = std::bit_cast<Bits>(limits::quiet_NaN());
  std::vector<Bits> patterns{0, 1, nan, nan | 5, ~Bits{0}, std::bit_cast<Bits>(-Scalar{0})};
  for (const Scalar value : {limits::infinity(), -limits::infinity(), limits::min(), limits::max(),
                             limits::denorm_min(), Scalar(0.1)}) {
    patterns.push_back(std::bit_cast<Bits>(value));
  }
  std::vector<Scalar> values;
  for (const Bits bits : patterns) values.push_back(std::bit_cast<Scalar>(bits));
  const auto bytes = encoded(values);
  std::vector<Scalar> again(values.size());
  REQUIRE(decode<Scalar>(dtype_of<Scalar>(), bytes, again));
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    CAPTURE(i);
    CHECK(std::bit_cast<Bits>(again[i]) == patterns[i]);
  }
}

}  // namespace

TEST_CASE("Numbers keep every bit on the way through their own format") {
  check_every_bit<float>();
  check_every_bit<double>();
}

TEST_CASE("Numbers are written with their lowest byte first") {
  const auto list = [](std::initializer_list<int> bytes) {
    std::vector<std::byte> result;
    for (const int byte : bytes) result.push_back(std::byte(byte));
    return result;
  };
  CHECK(encoded<float>({1, -2.5f}) == list({0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0}));
  CHECK(encoded<double>({1}) == list({0, 0, 0, 0, 0, 0, 0xf0, 0x3f}));
}

TEST_CASE("Every half is the number that IEEE 754 says") {
  int wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const double fraction = (bits & 1023) / 1024.0;
    const double sign = bits >> 15 ? -1 : 1;
    const double value = decoded16<double>("F16", bits);
    if (exponent == 31) {
      wrong += (bits & 1023) ? !std::isnan(value)
                             : value != sign * std::numeric_limits<double>::infinity();
    } else {
      const double expected =
          exponent ? std::ldexp(1 + fraction, exponent - 15) : std::ldexp(fraction, -14);
      wrong += value != sign * expected || std::signbit(value) != (sign < 0);
      wrong += decoded16<float>("F16", bits) != static_cast<float>(value);
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("Every bfloat is the upper half of a float") {
  int wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    wrong += std::bit_cast<std::uint32_t>(decoded16<float>("BF16", bits)) != bits << 16;
  }
  CHECK(wrong == 0);
}

TEST_CASE("A wider format is rounded, a narrower one is kept") {
  CHECK(decoded<float>("F64", encoded<double>({0.1})) == 0.1f);
  CHECK(decoded<float>("F64", encoded<double>({1 + 0x1p-24 + 0x1p-40})) == 1 + 0x1p-23f);
  CHECK(std::isnan(decoded<float>("F64", encoded<double>({std::nan("")}))));
  CHECK(decoded<double>("F32", encoded<float>({0.1f})) == static_cast<double>(0.1f));
}

TEST_CASE("A number beyond the range of float becomes infinite") {
  CHECK(decoded<float>("F64", encoded<double>({1e300})) == std::numeric_limits<float>::infinity());
}

TEST_CASE("Formats that are not heed's numbers are known but not read") {
  std::set<std::string_view> readable;
  std::set<std::string_view> names;
  for (const Dtype& dtype : dtypes) {
    const std::vector<std::byte> bytes(8);
    float value = -7;
    if (decode(dtype, bytes, std::span(&value, 1))) {
      CHECK(value == 0);
      readable.insert(dtype.name);
    } else {
      CHECK(value == -7);
    }
    CHECK(names.insert(dtype.name).second);
    CHECK(*find_dtype(dtype.name) == dtype);
    CHECK((dtype.bits == 4 || dtype.bits == 6 || 64 % dtype.bits == 0));
  }
  CHECK(readable == std::set<std::string_view>{"F64", "F32", "F16", "BF16"});
  CHECK(find_dtype("f32") == nullptr);
  CHECK(find_dtype("") == nullptr);
}

}  // namespace heed::dtype_test
