#include <heed/math/initializer.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.hpp"

namespace heed::initializer_test {

namespace {

template <class Scalar = double>
std::vector<Scalar> make(Initializer initializer, const Shape& shape, std::uint64_t seed = 42) {
  Random random(seed, 7);
  std::vector<Scalar> weights(static_cast<std::size_t>(shape.size()), Scalar{-7});
  initialize(initializer, std::span(weights), shape, random);
  return weights;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum / static_cast<double>(values.size());
}

double mean_square(std::vector<double> values) {
  for (double& x : values) x *= x;
  return mean(values);
}

double largest(const std::vector<double>& values) {
  double result = 0;
  for (const double x : values) result = std::max(result, std::abs(x));
  return result;
}

/// The largest element of |W W^T - I| for wide and |W^T W - I| for tall weights.
double orthogonality_error(const std::vector<double>& weights, const Shape& shape) {
  const auto columns = static_cast<std::size_t>(shape.back());
  const std::size_t rows = weights.size() / columns;
  const bool wide = rows < columns;
  const auto element = [&](std::size_t vector, std::size_t i) {
    return wide ? weights[vector * columns + i] : weights[i * columns + vector];
  };
  double worst = 0;
  for (std::size_t a = 0; a < std::min(rows, columns); ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      double dot = a == b ? -1 : 0;
      for (std::size_t i = 0; i < std::max(rows, columns); ++i)
        dot += element(a, i) * element(b, i);
      worst = std::max(worst, std::abs(dot));
    }
  }
  return worst;
}

/// Kolmogorov and Smirnov's statistic, the largest distance of two distribution functions, times
/// sqrt(n): above 1.95 with a probability of 0.001.
template <class Distribution>
double distance_from(const Distribution& distribution, std::vector<double> values) {
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

/// Uniform on [-1, 1].
double uniform(double x) { return (x + 1) / 2; }

/// Gaussian, cut off at two standard deviations.
double truncated_normal(double x) {
  const auto below = [](double z) { return (1 + std::erf(z / std::sqrt(2.0))) / 2; };
  return (below(x) - below(-2)) / (below(2) - below(-2));
}

std::vector<double> scaled(std::vector<double> values, double factor) {
  for (double& x : values) x *= factor;
  return values;
}

template <class Function>
std::string message_of(Function function) {
  try {
    function();
  } catch (const ShapeError& error) {
    return error.what();
  }
  return "no error";
}

/// The algorithm of `detail::orthonormal_columns` with one reflection after the other.
void plain_orthonormal_columns(std::span<double> q, std::size_t n, std::size_t k, Random& random) {
  using heed::detail::leading_bits;
  std::fill(q.begin(), q.end(), 0.0);
  std::vector<double> v(n), w(k), w_rest(k);
  for (std::size_t i = k; i-- > 0;) {
    for (std::size_t row = i; row < n; ++row) v[row] = static_cast<float>(random.normal());
    const double x = v[i];
    double tail = 0;
    for (std::size_t row = i + 1; row < n; ++row) tail += v[row] * v[row];
    v[i] = static_cast<float>(x + std::copysign(std::sqrt(tail + x * x), x));
    const double scale = 2 / (tail + v[i] * v[i]);
    q[i * k + i] = -std::copysign(1.0, x);
    std::fill(w.begin(), w.end(), 0.0);
    for (std::size_t row = i; row < n; ++row) {
      for (std::size_t j = i; j < k; ++j) {
        const double lead = leading_bits(q[row * k + j]);
        w[j] += v[row] * lead;
        w[j] += v[row] * (q[row * k + j] - lead);
      }
    }
    for (std::size_t j = i; j < k; ++j) {
      const double lead = leading_bits(scale * w[j]);
      w_rest[j] = leading_bits(std::fma(scale, w[j], -lead));
      w[j] = lead;
    }
    for (std::size_t row = i; row < n; ++row) {
      for (std::size_t j = i; j < k; ++j) {
        q[row * k + j] -= v[row] * w[j];
        q[row * k + j] -= v[row] * w_rest[j];
      }
    }
  }
}

constexpr Initializer random_initializers[] = {
    Initializer::glorot_uniform, Initializer::glorot_normal, Initializer::he_uniform,
    Initializer::he_normal,      Initializer::lecun_uniform, Initializer::lecun_normal,
    Initializer::random_uniform, Initializer::random_normal, Initializer::truncated_normal,
    Initializer::orthogonal};

}  // namespace

TEST_CASE("Each initializer has its name in Keras and is found by it") {
  STATIC_REQUIRE(name_of(Initializer::glorot_uniform) == "glorot_uniform");
  STATIC_REQUIRE(by_name<Initializer>("orthogonal") == Initializer::orthogonal);
  STATIC_REQUIRE(by_name<Initializer>("lecun_normal") == Initializer::lecun_normal);
  STATIC_REQUIRE_FALSE(by_name<Initializer>("Orthogonal").has_value());
  STATIC_REQUIRE(by_name<Initializer>("uniform") == Initializer::random_uniform);
  STATIC_REQUIRE(by_name<Initializer>("normal") == Initializer::random_normal);
  STATIC_REQUIRE(Names<Initializer>::table.size() == 14);
  for (const auto& [name, initializer] : Names<Initializer>::table) {
    if (name != "uniform" && name != "normal") CHECK(name_of(initializer) == name);
    CHECK(by_name<Initializer>(name) == initializer);
  }
}

TEST_CASE("Fans are those of Keras's compute_fans") {
  const auto fans = [](const Shape& shape) {
    const Fans result = compute_fans(shape);
    return std::pair(result.in, result.out);
  };
  CHECK(fans({}) == std::pair(1., 1.));
  CHECK(fans({5}) == std::pair(5., 5.));
  CHECK(fans({3, 7}) == std::pair(3., 7.));
  CHECK(fans({2, 3, 5}) == std::pair(6., 10.));
  CHECK(fans({2, 3, 5, 7}) == std::pair(30., 42.));
}

TEST_CASE("zeros and ones are constant") {
  CHECK(make(Initializer::zeros, {2, 3}) == std::vector<double>(6, 0.0));
  CHECK(make(Initializer::ones, {2, 3}) == std::vector<double>(6, 1.0));
  CHECK(make<float>(Initializer::ones, {}) == std::vector<float>(1, 1.0f));
}

TEST_CASE("Uniform initializers fill Keras's limits evenly") {
  // Keras documents sqrt(6 / (fan_in + fan_out)), sqrt(6 / fan_in) and sqrt(3 / fan_in).
  const double n = 300 * 200;
  for (const auto& [initializer, limit] :
       {std::pair(Initializer::glorot_uniform, std::sqrt(6. / 500)),
        std::pair(Initializer::he_uniform, std::sqrt(6. / 300)),
        std::pair(Initializer::lecun_uniform, 0.1), std::pair(Initializer::random_uniform, 0.05)}) {
    const auto weights = make(initializer, {300, 200});
    const double stddev = limit / std::sqrt(3.0);
    CHECK(largest(weights) <= limit * (1 + 1e-15));
    CHECK(largest(weights) > limit * 0.999);
    CHECK(std::abs(mean(weights)) < 4 * stddev / std::sqrt(n));
    // The relative standard error of the variance of a uniform distribution is sqrt(0.8 / n).
    CHECK(std::abs(mean_square(weights) / (stddev * stddev) - 1) < 4 * std::sqrt(0.8 / n));
    CHECK(distance_from(uniform, scaled(weights, 1 / limit)) < 1.95);
  }
}

TEST_CASE("Normal initializers have Keras's standard deviation after the cut") {
  const double n = 300 * 200;
  for (const auto& [initializer, stddev] :
       {std::pair(Initializer::glorot_normal, std::sqrt(2. / 500)),
        std::pair(Initializer::he_normal, std::sqrt(2. / 300)),
        std::pair(Initializer::lecun_normal, std::sqrt(1. / 300)),
        std::pair(Initializer::truncated_normal, 0.05 * 0.87962566103423978)}) {
    const auto weights = make(initializer, {300, 200});
    const double cut = 2 * stddev / 0.87962566103423978;
    CHECK(largest(weights) < cut);
    CHECK(largest(weights) > cut * 0.99);
    CHECK(std::abs(mean(weights)) < 4 * stddev / std::sqrt(n));
    CHECK(std::abs(mean_square(weights) / (stddev * stddev) - 1) < 4 * std::sqrt(2 / n));
    CHECK(distance_from(truncated_normal, scaled(weights, 2 / cut)) < 1.95);
  }
}

TEST_CASE("random_normal has a standard deviation of 0.05 without a cut, as in Keras") {
  const auto weights = make(Initializer::random_normal, {300, 200});
  CHECK(std::abs(mean(weights)) < 4 * 0.05 / std::sqrt(6e4));
  CHECK(std::abs(mean_square(weights) / 0.0025 - 1) < 4 * std::sqrt(2 / 6e4));
  CHECK(largest(weights) > 0.15);
}

TEST_CASE("Fans below one count as one, as in Keras") {
  CHECK(make(Initializer::he_uniform, {0, 3}).empty());
  CHECK(largest(make(Initializer::lecun_uniform, {1, 3})) <= std::sqrt(3.0));
}

TEST_CASE("Orthogonal weights have orthonormal rows or columns, whichever are fewer") {
  const Shape shapes[] = {{1, 1}, {1, 7},    {7, 1},   {2, 2},    {4, 12},  {12, 4},
                          {8, 8}, {2, 3, 4}, {64, 64}, {32, 128}, {96, 384}};
  for (const Shape& shape : shapes) {
    SECTION(to_text(shape)) {
      CHECK(orthogonality_error(make(Initializer::orthogonal, shape), shape) < 1e-14);
      const auto floats = make<float>(Initializer::orthogonal, shape);
      CHECK(orthogonality_error({floats.begin(), floats.end()}, shape) < 1e-6);
    }
  }
  CHECK(make(Initializer::orthogonal, {0, 4}).empty());
  CHECK(make(Initializer::orthogonal, {4, 0}).empty());
}

TEST_CASE("Columns that go through all reflections together have the bits of one after the other") {
  using heed::detail::orthonormal_columns;
  for (const auto& [n, k] : {std::pair<std::size_t, std::size_t>{1, 1},
                             {5, 1},
                             {16, 16},
                             {17, 17},
                             {40, 15},
                             {101, 37},
                             {96, 64}}) {
    CAPTURE(n, k);
    std::vector<double> plain(n * k), together(n * k);
    Random one(3), other(3);
    plain_orthonormal_columns(plain, n, k, one);
    orthonormal_columns(together, n, k, other);
    CHECK(plain == together);
    CHECK(one == other);
  }
#if defined(__OPTIMIZE__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
  // About a quarter of the time: a matrix that no cache holds is read once, not for each reflection.
  double ratio = 1;
  std::vector<double> q(1024 * 256);
  const auto seconds = [&](const auto& function) {
    Random random(3);
    const std::clock_t begin = std::clock();
    function(q, std::size_t{1024}, std::size_t{256}, random);
    return static_cast<double>(std::clock() - begin);
  };
  for (int attempt = 0; attempt < 3; ++attempt) {
    const double together = seconds(orthonormal_columns);
    ratio = std::min(ratio, together / seconds(plain_orthonormal_columns));
  }
  CHECK(ratio < 0.7);
#endif
}

TEST_CASE("A wide orthogonal weight is the transpose of the tall one from the same numbers") {
  const auto wide = make(Initializer::orthogonal, {2, 3});
  const auto tall = make(Initializer::orthogonal, {3, 2});
  CHECK(wide == std::vector{tall[0], tall[2], tall[4], tall[1], tall[3], tall[5]});
}

TEST_CASE("Orthogonal matrices are spread evenly over all there are") {
  // Each column of a random rotation of space is a point of the sphere, whose coordinates are
  // uniform on [-1, 1] (Archimedes); half of the matrices are reflections.
  constexpr int n = 4000;
  std::array<std::vector<double>, 9> elements;
  double determinants = 0;
  for (std::uint64_t seed = 0; seed < n; ++seed) {
    const auto q = make(Initializer::orthogonal, {3, 3}, seed);
    for (std::size_t i = 0; i < 9; ++i) elements[i].push_back(q[i]);
    determinants += q[0] * (q[4] * q[8] - q[5] * q[7]) - q[1] * (q[3] * q[8] - q[5] * q[6]) +
                    q[2] * (q[3] * q[7] - q[4] * q[6]);
  }
  for (const auto& element : elements) CHECK(distance_from(uniform, element) < 1.95);
  CHECK(std::abs(determinants) < 4 * std::sqrt(n));
}

TEST_CASE("A bias with a forget gate has ones in its second quarter alone") {
  const auto bias = [](Initializer initializer) {
    std::vector<double> values(12, 7);
    Random random(3);
    initialize_unit_forget(initializer, std::span(values), {12}, random);
    return values;
  };
  CHECK(bias(Initializer::zeros) == std::vector<double>{0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0});
  // As in Keras, others make (units) before it, and (2 * units) after it.
  auto expected = bias(Initializer::glorot_uniform);
  Random random(3);
  initialize(Initializer::glorot_uniform, std::span(expected).first(3), {3}, random);
  std::fill_n(expected.begin() + 3, 3, 1.0);
  initialize(Initializer::glorot_uniform, std::span(expected).subspan(6), {6}, random);
  CHECK(bias(Initializer::glorot_uniform) == expected);
}

TEST_CASE("A model of floats starts from the rounded numbers of one of doubles") {
  for (const Initializer initializer : random_initializers) {
    SECTION(to_text(initializer)) {
      const auto doubles = make<double>(initializer, {8, 32});
      const std::vector<float> rounded(doubles.begin(), doubles.end());
      CHECK(make<float>(initializer, {8, 32}) == rounded);
    }
  }
}

TEST_CASE("Each initializer gives the same bits on every machine") {
  using Six = std::vector<double>;
  CHECK(make(Initializer::glorot_uniform, {2, 3}) ==
        Six{0x1.bbffac338ac8dp-1, -0x1.74e03cca97447p-2, -0x1.17e84c0175254p-2,
            -0x1.6d9fe4a982ab2p-1, 0x1.eac555352a0b5p-1, 0x1.6bb741d940bccp-1});
  CHECK(make(Initializer::glorot_normal, {2, 3}) ==
        Six{0x1.09117edb8b471p-1, -0x1.3ba114406d6ecp-2, -0x1.9e088b1ea263dp-9,
            -0x1.17721f5c3df54p-2, 0x1.271d0793de971p-1, -0x1.00aec52acc9fbp-5});
  CHECK(make(Initializer::he_uniform, {2, 3}) == Six{0x1.5f0305f0ed7d3p+0, -0x1.26c8c825154fbp-1,
                                                     -0x1.ba928dae860cdp-2, -0x1.210d367ba6315p+0,
                                                     0x1.83fd08612bf23p+0, 0x1.1f8ae98301a86p+0});
  CHECK(make(Initializer::he_normal, {2, 3}) == Six{0x1.a31c1f00d70f5p-1, -0x1.f30db943c7ccep-2,
                                                    -0x1.4752768b4ee7ep-8, -0x1.b9d7b40ca6d07p-2,
                                                    0x1.d29d811838961p-1, -0x1.95d9d9acd001fp-5});
  CHECK(make(Initializer::lecun_uniform, {2, 3}) == Six{0x1.f067d96d250bep-1, -0x1.a0e3516390b44p-2,
                                                        -0x1.38f22ce99329p-2, -0x1.98c7dca901d34p-1,
                                                        0x1.12596778caa6p+0, 0x1.96a58ce10667bp-1});
  CHECK(make(Initializer::lecun_normal, {2, 3}) ==
        Six{0x1.285afc84dd2b9p-1, -0x1.60e25a4f2b042p-2, -0x1.cee7442028cd2p-9,
            -0x1.386e0d6d37478p-2, 0x1.49f2620662be4p-1, -0x1.1efadfdec5eb7p-5});
  CHECK(make(Initializer::orthogonal, {2, 3}) == Six{-0x1.449c72bb9a913p-8, -0x1.b62e84f09126bp-2,
                                                     0x1.cebfc77e70aedp-1, -0x1.a8fafce7c1cdbp-1,
                                                     0x1.02f9576dbabb6p-1, 0x1.e122468346833p-3});

  // Larger weights, which vectorised loops fill, folded to one number.
  std::uint64_t all = 0;
  for (const Initializer initializer : random_initializers) {
    const bool is_later = initializer == Initializer::random_uniform ||
                          initializer == Initializer::random_normal ||
                          initializer == Initializer::truncated_normal;
    if (is_later) continue;  // than the number below
    for (const double w : make(initializer, {37, 101})) {
      all = all * 6364136223846793005 + std::bit_cast<std::uint64_t>(w);
    }
  }
  CHECK(all == 0xc2567565a6ebef5b);
}

TEST_CASE("An initializer that does not fit the weight says why") {
  CHECK(message_of([] { make(Initializer::orthogonal, {8}); }) ==
        "an orthogonal weight has at least two axes, got (8)");
  for (const Shape& shape : {Shape{7}, Shape{2, 4}}) {
    CHECK(message_of([&] {
            Random random;
            std::vector<float> weights(static_cast<std::size_t>(shape.size()));
            initialize_unit_forget(Initializer::zeros, std::span(weights), shape, random);
          }) == join("a bias with a forget gate has the shape (4 * units), got ", shape));
  }
  CHECK(message_of([] {
          Random random;
          std::vector<float> weights(5);
          initialize(Initializer::zeros, std::span(weights), {2, 3}, random);
        }) == "a weight of shape (2, 3) cannot have 5 values");
}

}  // namespace heed::initializer_test
