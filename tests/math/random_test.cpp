#include <heed/math/random.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "support/catch.hpp"

namespace heed::random_test {

using heed::Random;
using Block = std::array<std::uint32_t, 4>;

namespace {

constexpr int samples = 100'000;

template <class Draw>
std::vector<double> draw_many(Draw draw) {
  Random random(2024);
  std::vector<double> values(samples);
  for (double& value : values) value = draw(random);
  return values;
}

/// The mean of (x - center)^power.
double moment(const std::vector<double>& values, int power, double center = 0) {
  double sum = 0;
  for (const double x : values) sum += std::pow(x - center, power);
  return sum / static_cast<double>(values.size());
}

/// Pearson's statistic against equal frequencies.
double chi_square(const std::vector<int>& counts) {
  const double expected =
      std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size());
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

/// What the statistic exceeds with a probability of 0.001, by Wilson and Hilferty's approximation.
double chi_square_bound(const std::vector<int>& counts) {
  const auto freedom = static_cast<double>(counts.size() - 1);
  const double variance = 2 / (9 * freedom);
  return freedom * std::pow(1 - variance + 3.09 * std::sqrt(variance), 3);
}

/// Kolmogorov and Smirnov's statistic, times sqrt(n): above 1.95 with a probability of 0.001.
template <class Distribution>
double kolmogorov_smirnov(std::vector<double> values, Distribution distribution) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = distribution(values[i]);
    worst = std::max(
        {worst, expected - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - expected});
  }
  return worst * std::sqrt(n);
}

double normal_distribution(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

template <std::size_t N, class Draw>
std::array<double, N> first(Draw draw) {
  Random random(42, 7);
  std::array<double, N> values;
  for (double& value : values) value = draw(random);
  return values;
}

}  // namespace

TEST_CASE("Philox4x32-10 gives the known answers of Random123") {
  using heed::detail::philox4x32;
  constexpr std::uint32_t ones = 0xffffffff;
  STATIC_REQUIRE(philox4x32({0, 0, 0, 0}, {0, 0}) ==
                 Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  STATIC_REQUIRE(philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
                 Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  STATIC_REQUIRE(
      philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
      Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("A seed and stream give the words that TensorFlow and cuRAND give") {
  // tf.random.Generator.from_state([0, stream, seed], "philox").uniform_full_int([12], tf.uint32)
  // and curand_init(seed, stream, 0, &state).
  constexpr std::array<std::uint32_t, 12> expected{0xaef2adf7, 0xf69b5950, 0x3ceb44f4, 0x89b6573a,
                                                   0xec2ab39f, 0x4671fd85, 0x74decae0, 0x4b77ec76,
                                                   0xd7bb4a2f, 0xb8f76c27, 0x51cdda28, 0x48cc01cd};
  Random random(0x0123456789abcdef, 0xfedcba9876543210);
  for (const std::uint32_t word : expected) CHECK(random.next32() == word);
}

TEST_CASE("The ten thousandth word is the one that the C++ standard asks of std::philox4x32") {
  Random random(20111115);
  for (int i = 1; i < 10'000; ++i) random.next32();
  CHECK(random.next32() == 1955073260);  // [rand.predef]
}

TEST_CASE("Every distribution gives the same bits on every machine") {
  CHECK(first<4>([](Random& r) { return r.uniform(); }) ==
        std::array{0x1.caa82198cfdcdp-1, 0x1.55ce634db1fb2p-2, 0x1.803d865b9777ap-2,
                   0x1.6476c1cc7e6fcp-3});
  CHECK(first<4>([](Random& r) { return r.uniform(-0.1, 0.3); }) ==
        std::array{0x1.088681470cb0bp-2, 0x1.129470f89ff07p-5, 0x1.9a5e7abeb17edp-5,
                   -0x1.f1b72d719e9a7p-6});
  CHECK(first<6>([](Random& r) { return r.normal(); }) ==
        std::array{0x1.70a8e727def0dp-1, -0x1.b6faf8df0cfc5p-2, -0x1.1febc28ceea31p-8,
                   -0x1.84a7f4f0f7421p-2, 0x1.9a725e1f102d1p-1, -0x1.64ff371a3db83p-5});
  CHECK(first<4>([](Random& r) { return r.normal(0.1, 3); }) ==
        std::array{0x1.214b7a2ab4017p+1, -0x1.2fa2a10db023ap+0, 0x1.639d651f2cdb1p-4,
                   -0x1.09e45e1b1fd7fp+0});
  CHECK(first<4>([](Random& r) { return r.truncated_normal(0.1, 0.7); }) ==
        std::array{0x1.3543083582756p-1, -0x1.99c5c2d1defadp-3, 0x1.8d00e2b03bf5bp-4,
                   -0x1.53518a1e26f61p-3});
  CHECK(first<6>([](Random& r) { return static_cast<double>(r.below(1000)); }) ==
        std::array{895., 333., 375., 174., 937., 824.});
  CHECK(first<9>([](Random& r) { return r.bernoulli(0.3) ? 1. : 0.; }) ==
        std::array{0., 0., 0., 1., 0., 0., 0., 0., 1.});

  std::array items{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  Random random(42, 7);
  random.shuffle(std::span(items));
  CHECK(items == std::array{7, 0, 2, 6, 4, 5, 1, 9, 3, 8});

  // Many more, folded to one number.
  std::uint64_t all = 0;
  const auto fold = [&](auto x) {
    all = all * 6364136223846793005 + std::bit_cast<std::uint64_t>(x);
  };
  random = Random(42, 7);
  for (std::ptrdiff_t n = 1; n <= 50'000; ++n) {
    fold(random.normal(0.3, 1.7));
    fold(random.truncated_normal());
    fold(random.uniform(-0.3, 0.7));
    fold(std::int64_t{random.below(n)});
  }
  CHECK(all == 0xce4a0a0c9b6c5fac);
}

TEST_CASE("64 bits are two words, the lower half first") {
  Random words(5), pairs(5);
  const std::uint64_t low = words.next32();
  const std::uint64_t high = words.next32();
  CHECK(pairs.next64() == (high << 32 | low));
}

TEST_CASE("A generator continues from its state wherever it stopped") {
  Random random(7, 3);
  for (int drawn = 0; drawn < 9; ++drawn) {
    Random restored(random.state());
    Random copy = random;
    CHECK(restored == random);
    CHECK(random.state().position == static_cast<std::uint64_t>(drawn));
    for (int i = 0; i < 9; ++i) CHECK(restored.next32() == copy.next32());
    CHECK_FALSE(restored == random);
    random.next32();
  }
  CHECK_FALSE(Random(1) == Random(2));
  CHECK_FALSE(Random(1, 1) == Random(1, 2));
}

TEST_CASE("The counter carries into its second word and stops short of the stream") {
  using heed::detail::philox4x32;
  constexpr std::uint64_t last_of_low = (std::uint64_t{1} << 34) - 4;  // block 2^32 - 1
  Random random(Random::State{.seed = 1, .stream = 2, .position = last_of_low});
  for (int i = 0; i < 4; ++i) random.next32();
  CHECK(random.next32() == philox4x32({0, 1, 2, 0}, {1, 0})[0]);
}

TEST_CASE("Streams and seeds share no numbers and are not correlated") {
  constexpr int n = 20'000;
  std::vector<Random> generators{Random(1, 0), Random(1, 1), Random(1, std::uint64_t{1} << 32),
                                 Random(0, 1), Random(2, 0), Random(std::uint64_t{1} << 32, 0)};
  std::vector<std::vector<double>> drawn;
  std::set<double> seen;
  for (Random& random : generators) {
    auto& values = drawn.emplace_back(n);
    for (double& value : values) seen.insert(value = random.uniform() - 0.5);
  }
  CHECK(seen.size() == generators.size() * n);
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double sum =
          std::inner_product(drawn[i].begin(), drawn[i].end(), drawn[j].begin(), 0.0);
      CHECK(std::abs(sum * 12 / n) < 4 / std::sqrt(n));
    }
  }
}

TEST_CASE("uniform is flat over [0, 1) in its high and in its low bits") {
  const auto values = draw_many([](Random& r) { return r.uniform(); });
  std::vector<int> high(100), low(64);
  for (const double x : values) {
    ++high.at(static_cast<std::size_t>(x * 100));
    ++low[static_cast<std::size_t>(x * 0x1p53) % 64];
  }
  CHECK(chi_square(high) < chi_square_bound(high));
  CHECK(chi_square(low) < chi_square_bound(low));
  CHECK(kolmogorov_smirnov(values, [](double x) { return x; }) < 1.95);

  const auto scaled = draw_many([](Random& r) { return r.uniform(-3, 5); });
  CHECK(kolmogorov_smirnov(scaled, [](double x) { return (x + 3) / 8; }) < 1.95);
}

TEST_CASE("The logarithm is within two units in the last place of the standard library's") {
  Random random(1);
  double worst = 0;
  const auto compare = [&](double x) {
    const double expected = std::log(x);
    const double ulp =
        std::nextafter(-expected, std::numeric_limits<double>::infinity()) + expected;
    worst = std::max(worst, std::abs(heed::detail::portable_log(x) - expected) / ulp);
  };
  for (int i = 0; i < 100'000; ++i) {
    const double x = 1 - random.uniform();
    compare(x);
    compare(std::ldexp(x, -i % 105));
    compare(1 - std::ldexp(x, -1 - i % 52));
  }
  CHECK(worst <= 2);
  CHECK(heed::detail::portable_log(1) == 0);
}

TEST_CASE("normal has the moments and the distribution of a Gaussian") {
  const auto values = draw_many([](Random& r) { return r.normal(); });
  // The standard errors of the first four moments are sqrt(1, 2, 15, 96) / sqrt(n).
  const double error = 4 / std::sqrt(samples);
  CHECK(std::abs(moment(values, 1)) < error * std::sqrt(1));
  CHECK(std::abs(moment(values, 2) - 1) < error * std::sqrt(2));
  CHECK(std::abs(moment(values, 3)) < error * std::sqrt(15));
  CHECK(std::abs(moment(values, 4) - 3) < error * std::sqrt(96));
  CHECK(kolmogorov_smirnov(values, normal_distribution) < 1.95);

  const auto scaled = draw_many([](Random& r) { return r.normal(5, 0.5); });
  CHECK(kolmogorov_smirnov(scaled, [](double x) { return normal_distribution((x - 5) / 0.5); }) <
        1.95);

  std::vector<double> neighbours(values.size() - 1);
  for (std::size_t i = 0; i + 1 < values.size(); ++i) neighbours[i] = values[i] * values[i + 1];
  CHECK(std::abs(moment(neighbours, 1)) < error);
}

TEST_CASE("truncated_normal is a Gaussian cut off at two standard deviations") {
  const auto values = draw_many([](Random& r) { return r.truncated_normal(1, 3); });
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  CHECK((-5 < *least && *least < -4.99));
  CHECK((6.99 < *greatest && *greatest < 7));
  CHECK(std::abs(std::sqrt(moment(values, 2, 1)) - 3 * 0.87962566103423978) < 0.02);
  const double below = normal_distribution(-2);
  CHECK(kolmogorov_smirnov(values, [&](double x) {
          return (normal_distribution((x - 1) / 3) - below) / (1 - 2 * below);
        }) < 1.95);
}

TEST_CASE("The wide product has all 128 bits") {
  const auto product = [](std::uint64_t a, std::uint64_t b) {
    const auto [high, low] = heed::detail::wide_product(a, b);
    return std::array{high, low};
  };
  using Halves = std::array<std::uint64_t, 2>;
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  CHECK(product(ones, ones) == Halves{ones - 1, 1});
  CHECK(product(0xdeadbeefcafebabe, 0x0123456789abcdef) ==
        Halves{0x00fd5bdeeeb2a01d, 0x7eb689f4ea447d62});
  CHECK(product(0xffffffff, 0x100000001) == Halves{0, ones});
  CHECK(product(std::uint64_t{1} << 63, 6) == Halves{3, 0});
}

TEST_CASE("below gives every number of its range equally often") {
  for (const std::ptrdiff_t n : {2, 3, 10, 1000}) {
    Random random(3);
    std::vector<int> counts(static_cast<std::size_t>(n));
    for (int i = 0; i < samples; ++i) ++counts.at(static_cast<std::size_t>(random.below(n)));
    CHECK(chi_square(counts) < chi_square_bound(counts));
  }
  CHECK(Random(3).below(1) == 0);
}

#if PTRDIFF_MAX > INT32_MAX  // such a range has more numbers than 32 bits count
TEST_CASE("below is not biased for a range that 2^64 is a small multiple of") {
  // 2^64 / n = 8/3: without a rejection the residues 0, 1, 2 would come as 3 : 3 : 2.
  constexpr std::ptrdiff_t n = std::ptrdiff_t{3} << 61;
  Random random(4);
  std::vector<int> residues(3), thirds(3);
  for (int i = 0; i < samples; ++i) {
    const std::ptrdiff_t x = random.below(n);
    ++residues.at(static_cast<std::size_t>(x % 3));
    ++thirds.at(static_cast<std::size_t>(x / (n / 3)));
  }
  CHECK(chi_square(residues) < chi_square_bound(residues));
  CHECK(chi_square(thirds) < chi_square_bound(thirds));
}
#endif

TEST_CASE("bernoulli is true as often as it is told to") {
  for (const double p : {0.0, 0.1, 0.5, 1.0}) {
    const double rate = moment(draw_many([&](Random& r) { return r.bernoulli(p) ? 1. : 0.; }), 1);
    CHECK(std::abs(rate - p) <= 4 * std::sqrt(p * (1 - p) / samples));
  }
}

TEST_CASE("shuffle keeps every item") {
  std::vector<int> items(1000);
  std::iota(items.begin(), items.end(), 0);
  auto shuffled = items;
  Random random(5);
  random.shuffle(std::span(shuffled));
  CHECK(shuffled != items);
  std::sort(shuffled.begin(), shuffled.end());
  CHECK(shuffled == items);

  random = Random(5);
  random.shuffle(std::span<int>());
  random.shuffle(std::span(items).first(1));
  CHECK(items.front() == 0);
  CHECK(random == Random(5));
}

TEST_CASE("shuffle gives each of the 24 orders of four items equally often") {
  Random random(6);
  std::vector<int> counts(24);
  for (int i = 0; i < samples; ++i) {
    std::array order{0, 1, 2, 3};
    random.shuffle(std::span(order));
    std::size_t rank = 0;
    while (std::prev_permutation(order.begin(), order.end())) ++rank;
    ++counts.at(rank);
  }
  CHECK(chi_square(counts) < chi_square_bound(counts));
}

}  // namespace heed::random_test
