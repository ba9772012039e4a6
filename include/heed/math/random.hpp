#pragma once

#include <heed/version.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace heed {

namespace detail {

/// Philox4x32-10: a bijection of 128-bit counters for each 64-bit key, in ten rounds. Salmon,
/// Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3". The least significant
/// word comes first, as in their Random123.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xd2511f53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xcd9e8d57} * counter[2];
    counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
    key[0] += 0x9e3779b9;  // the fraction of the golden ratio
    key[1] += 0xbb67ae85;  // and of the square root of three
  }
  return counter;
}

struct Product {
  std::uint64_t high, low;
};

/// The full 128-bit product `a * b`.
constexpr Product wide_product(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t low = 0xffffffff;
  const std::uint64_t a1 = a >> 32, a0 = a & low, b1 = b >> 32, b0 = b & low;
  const std::uint64_t carry = a1 * b0 + (a0 * b0 >> 32);
  const std::uint64_t middle = a0 * b1 + (carry & low);
  return {a1 * b1 + (carry >> 32) + (middle >> 32), a * b};
}

/// The natural logarithm of a positive, finite, normal `x`, within 1.5 ulp for x in (0, 1).
///
/// With x = 2^e m, sqrt(1/2) <= m < sqrt(2), f = m - 1 and s = f / (2 + f):
///   log m = 2 atanh(s) = 2 s + 2 s (s^2 / 3 + s^4 / 5 + ...), where 2 s = f - s f.
inline double portable_log(double x) {
  constexpr double series[] = {1. / 21, 1. / 19, 1. / 17, 1. / 15, 1. / 13,
                               1. / 11, 1. / 9,  1. / 7,  1. / 5,  1. / 3};
  constexpr std::uint64_t sqrt_half = 0x3fe6a09e667f3bcd;  // the bits of sqrt(1/2)
  constexpr double log_2 = 0x1.62e42fefa39efp-1;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const auto e = static_cast<std::int64_t>(bits - sqrt_half) >> 52;
  const auto m = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(e) << 52));
  const double f = m - 1;
  const double s = f / (m + 1);
  const double z = s * s;
  double p = 0;
  for (const double c : series) p = std::fma(p, z, c);
  const double log_m = std::fma(-s, std::fma(-2 * z, p, f), f);
  return std::fma(static_cast<double>(e), log_2, log_m);
}

}  // namespace detail

/// A random generator based on Philox4x32-10. Its output is a function of (seed, stream, position).
///
/// The seed is the key of Philox, the stream is the upper half of its counter, and the lower half
/// counts blocks of four words: there are 2^64 seeds with 2^64 independent streams of 2^64 words
/// each. The words are the same as those of cuRAND's (seed, subsequence), TensorFlow's Philox and
/// C++26's `std::philox4x32`. Creating a stream costs nothing, so parallel work should use one
/// stream per task, not one per thread.
///
/// A seed gives the same bits with every compiler, optimisation level, standard library and
/// processor. Besides integer operations, the code uses only operations that IEEE 754 rounds
/// correctly, and where a product is added, it is exact or the code uses an explicit `std::fma`.
/// This requires that `double` is binary64 and evaluated as such, which excludes x87 arithmetic and
/// `-ffast-math`.
class Random {
 public:
  /// The complete state of a generator. `position` counts the 32-bit words drawn.
  struct State {
    std::uint64_t seed = 0;
    std::uint64_t stream = 0;
    std::uint64_t position = 0;
    bool operator==(const State&) const = default;
  };

  explicit Random(std::uint64_t seed = 0, std::uint64_t stream = 0) : state_{seed, stream, 0} {}

  /// Continues from a state that `state()` returned.
  explicit Random(const State& state) : state_(state), block_(block()) {}

  const State& state() const { return state_; }

  bool operator==(const Random& other) const { return state_ == other.state_; }

  /// 32 random bits: the words of each block in order.
  std::uint32_t next32() {
    if (state_.position % 4 == 0) block_ = block();
    return block_[state_.position++ % 4];
  }

  /// 64 random bits, the lower half drawn first.
  std::uint64_t next64() {
    const std::uint64_t low = next32();
    return std::uint64_t{next32()} << 32 | low;
  }

  /// Uniform in [0, 1): one of the 2^53 multiples of 2^-53.
  double uniform() {
    const auto bits = static_cast<std::int64_t>(next64() >> 11);
    return static_cast<double>(bits) * 0x1p-53;
  }

  /// Uniform between `low` and `high`; `high` itself can occur only through rounding.
  double uniform(double low, double high) { return std::fma(high - low, uniform(), low); }

  /// Gaussian, by the polar method: Marsaglia, Bray 1964, "A convenient method for generating
  /// normal variables". The second value of each pair is discarded, so that the state need not
  /// store it.
  double normal(double mean = 0, double stddev = 1) {
    double u = 0, s = 0;
    do {
      u = 2 * uniform() - 1;  // exact, as is every multiple of 2^-52 in [-1, 1)
      const double v = 2 * uniform() - 1;
      s = std::fma(u, u, v * v);
    } while (s >= 1 || s == 0);
    // The square root of a square leaves no product that the compiler could contract with `mean`.
    const double z = std::copysign(std::sqrt(u * u * (-2 * detail::portable_log(s) / s)), u);
    return std::fma(stddev, z, mean);
  }

  /// Gaussian, drawn again while it is two `stddev` or more from `mean`, as in Keras. The result
  /// has a standard deviation of 0.87962566103423978 `stddev`.
  double truncated_normal(double mean = 0, double stddev = 1) {
    double z = 0;
    do {
      z = normal();
    } while (z <= -2 || z >= 2);
    return std::fma(stddev, z, mean);
  }

  /// An integer in [0, n), each equally likely; `n` is at least 1. Lemire 2019, "Fast random
  /// integer generation in an interval", algorithm 5.
  std::ptrdiff_t below(std::ptrdiff_t n) {
    const auto range = static_cast<std::uint64_t>(n);
    auto product = detail::wide_product(next64(), range);
    if (product.low < range) {
      const std::uint64_t surplus = (0 - range) % range;  // 2^64 mod n
      while (product.low < surplus) product = detail::wide_product(next64(), range);
    }
    return static_cast<std::ptrdiff_t>(product.high);
  }

  /// True with probability `p`; never for 0, always for 1.
  bool bernoulli(double p) { return uniform() < p; }

  /// Shuffles the items; all orders are equally likely. Fisher-Yates, from the last item down to
  /// the second, each exchanged with one at or before it.
  template <class T, std::size_t Extent>
  void shuffle(std::span<T, Extent> items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      const auto j = static_cast<std::size_t>(below(static_cast<std::ptrdiff_t>(i)));
      using std::swap;
      swap(items[i - 1], items[j]);
    }
  }

 private:
  /// The block of four words that contains `position`.
  std::array<std::uint32_t, 4> block() const {
    const std::uint64_t count = state_.position / 4;
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    return detail::philox4x32(
        {low(count), low(count >> 32), low(state_.stream), low(state_.stream >> 32)},
        {low(state_.seed), low(state_.seed >> 32)});
  }

  State state_;
  std::array<std::uint32_t, 4> block_{};
};

}  // namespace heed
