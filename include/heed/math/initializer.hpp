#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <heed/math/lanes.hpp>
#include <heed/math/names.hpp>
#include <heed/math/random.hpp>
#include <heed/tensor/shape.hpp>

namespace heed {

/// The initial values of a weight, with Keras's names and definitions (`keras.initializers`).
///
/// | name             | values                                                                |
/// |------------------|-----------------------------------------------------------------------|
/// | zeros, ones      | the constant                                                          |
/// | glorot_uniform   | uniform, variance 2 / (fan_in + fan_out): Glorot, Bengio 2010         |
/// | he_uniform       | uniform, variance 2 / fan_in: He, Zhang, Ren, Sun 2015                |
/// | lecun_uniform    | uniform, variance 1 / fan_in: LeCun, Bottou, Orr, Müller 1998         |
/// | …_normal         | the same variance, from a Gaussian cut off at 2 standard deviations   |
/// | random_uniform   | uniform in [−0.05, 0.05); also called uniform                         |
/// | random_normal    | a Gaussian of standard deviation 0.05; also called normal             |
/// | truncated_normal | the same, cut off at 2 standard deviations                            |
/// | orthogonal       | orthonormal rows or columns: Saxe, McClelland, Ganguli 2014           |
enum class Initializer {
  zeros,
  ones,
  glorot_uniform,
  glorot_normal,
  he_uniform,
  he_normal,
  lecun_uniform,
  lecun_normal,
  random_uniform,
  random_normal,
  truncated_normal,
  orthogonal,
};

/// The names of the initializers.
template <>
struct Names<Initializer> {
  using enum Initializer;
  static constexpr auto table = std::to_array<std::pair<std::string_view, Initializer>>({
      {"zeros", zeros},
      {"ones", ones},
      {"glorot_uniform", glorot_uniform},
      {"glorot_normal", glorot_normal},
      {"he_uniform", he_uniform},
      {"he_normal", he_normal},
      {"lecun_uniform", lecun_uniform},
      {"lecun_normal", lecun_normal},
      {"random_uniform", random_uniform},
      {"random_normal", random_normal},
      {"truncated_normal", truncated_normal},
      {"orthogonal", orthogonal},
      // Aliases.
      {"uniform", random_uniform},
      {"normal", random_normal},
  });
};

/// The number of inputs and outputs of one unit of a weight.
struct Fans {
  double in;
  double out;
};

/// Keras's `compute_fans`: the two axes of a matrix; the only axis of a vector for both; and for
/// more axes the last two, each multiplied by the product of the others, as for the kernel of a
/// convolution.
inline Fans compute_fans(const Shape& shape) {
  const auto last = static_cast<double>(shape.empty() ? 1 : shape.back());
  if (shape.rank() < 2) return {last, last};
  const auto receptive_field = static_cast<double>(shape.product(0, shape.rank() - 2));
  return {static_cast<double>(shape.leading()), receptive_field * last};
}

namespace detail {

/// The 29 leading bits of `x`. Their product with a float (24 bits) is exact in double, and so is
/// the product of the remaining 24 bits. A sum of exact products has the same bits whether or not
/// the compiler contracts it to an fma. This avoids `std::fma`, which is slow on processors without
/// the instruction.
inline double leading_bits(double x) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & ~std::uint64_t{0xffffff});
}

/// The number of columns of Q that are computed at a time; their sums stay in registers.
inline constexpr std::size_t q_columns = 16;

/// One row of these columns. Each factor is split into two parts whose products with a float are
/// exact.
using QRow = std::array<double, q_columns>;
struct Halves {
  QRow lead{}, rest{};
};

/// Subtracts `w` times v from some rows of the columns of Q, and adds the result times `next` to
/// `sums`. The sums run over the rows in order and columns are independent, so the bits do not
/// depend on the width of the lanes.
inline void reflect(double* q, std::size_t rows, const float* v, const Halves& w, const float* next,
                    QRow& sums) {
  using D = Lanes<double>;
  constexpr std::size_t wide = D::width, packets = q_columns / wide;
  const auto leading =
      Eigen::internal::pset1<D::Packet>(std::bit_cast<double>(~std::uint64_t{0xffffff}));
  D::Packet s[packets];
  for (std::size_t p = 0; p < packets; ++p) s[p] = D::load(sums.data() + p * wide).packet;
  for (std::size_t row = 0; row < rows; ++row, q += q_columns) {
    const D v_row = static_cast<double>(v[row]), next_row = static_cast<double>(next[row]);
    for (std::size_t p = 0; p < packets; ++p) {
      D x = D::load(q + p * wide);
      x = x - v_row * D::load(w.lead.data() + p * wide);
      x = x - v_row * D::load(w.rest.data() + p * wide);
      x.store(q + p * wide);
      const D lead = Eigen::internal::pand(x.packet, leading);
      s[p] = (s[p] + next_row * lead + next_row * (x - lead)).packet;
    }
  }
  for (std::size_t p = 0; p < packets; ++p) D(s[p]).store(sums.data() + p * wide);
}

/// Fills `q`, row-major with shape (n, k) and n >= k, with orthonormal columns, uniformly
/// distributed over all such matrices. The result is the Q of the QR decomposition of a Gaussian
/// matrix whose R has a positive diagonal, as in Keras, but it is computed without that matrix:
/// Stewart 1980, "The efficient generation of random orthogonal matrices", theorem 3.3.
///
///   Q = H_0 H_1 ... H_{k-1} S,   H_i = I - 2 v v^T / (v^T v),   v = x + sign(x_i) |x| e_i,
///
/// where x is Gaussian in the axes from i on and zero before, S is the diagonal matrix of all
/// -sign(x_i), and Q is the first k columns. H_i is orthogonal for every v, so v can be rounded to
/// float.
///
/// Each column of Q depends only on the reflections, not on the other columns. A few columns at a
/// time go through all reflections while they are in the cache. H_i Q = Q - v w with w = (2 / v^T
/// v) v^T Q; the pass over the rows that subtracts v w also computes the next w.
///
/// |Q^T Q - I| is below 1e-14 in every element for shapes up to (2048, 512).
[[gnu::noinline]] inline void orthonormal_columns(std::span<double> q, std::size_t n, std::size_t k,
                                                  Random& random) {
  std::vector<float> vectors;  // of H_{k-1}, H_{k-2}, …; each starts at its axis i
  vectors.reserve(k * n - k * (k - 1) / 2);
  std::vector<double> scales(k), signs(k);
  for (std::size_t i = k; i-- > 0;) {
    const std::size_t begin = vectors.size();
    for (std::size_t row = i; row < n; ++row) {
      vectors.push_back(static_cast<float>(random.normal()));
    }
    const double x = vectors[begin];
    double tail = 0;  // |x|^2 without the square of x_i
    for (std::size_t at = begin + 1; at < vectors.size(); ++at) {
      tail += static_cast<double>(vectors[at]) * vectors[at];
    }
    vectors[begin] = static_cast<float>(x + std::copysign(std::sqrt(tail + x * x), x));
    scales[i] = 2 / (tail + static_cast<double>(vectors[begin]) * vectors[begin]);
    signs[i] = -std::copysign(1.0, x);
  }
  // The offset of H_i in `vectors`: after the vectors of n - k + 1, …, n - i - 1 numbers.
  const auto vector = [&](std::size_t i) {
    const std::size_t before = k - 1 - i;
    return vectors.data() + before * (n - k) + before * (before + 1) / 2;
  };

  std::vector<double> columns(n * q_columns);
  for (std::size_t first = 0; first < k; first += q_columns) {
    const std::size_t count = (std::min)(q_columns, k - first);
    std::fill(columns.begin(), columns.end(), 0.0);
    QRow sums{};
    for (std::size_t i = first + count; i-- > 0;) {
      double* const own = columns.data() + i * q_columns;
      const float* const v = vector(i);
      if (i >= first) {
        own[i - first] = signs[i];
        sums[i - first] = v[0] * signs[i];
      }
      Halves w;
      for (std::size_t j = 0; j < count; ++j) {
        w.lead[j] = leading_bits(scales[i] * sums[j]);
        w.rest[j] = leading_bits(std::fma(scales[i], sums[j], -w.lead[j]));
        sums[j] = 0;
      }
      reflect(own, n - i, v, w, i > 0 ? vector(i - 1) + 1 : v, sums);
    }
    for (std::size_t row = 0; row < n; ++row) {
      std::copy_n(columns.data() + row * q_columns, count, q.data() + row * k + first);
    }
  }
}

}  // namespace detail

/// Fills row-major `weights` of `shape`. All values are drawn and computed in double and rounded at
/// the end, so that a model of floats starts from the same numbers as a model of doubles. The same
/// `random` gives the same bits on every machine.
///
/// Throws `ShapeError` if the size of `weights` does not match `shape`, and if `orthogonal` is used
/// with fewer than two axes (all axes before the last are folded into rows).
template <class Scalar>
void initialize(Initializer initializer, std::span<Scalar> weights, const Shape& shape,
                Random& random) {
  check<ShapeError>(std::ssize(weights) == shape.size(), "a weight of shape ", shape,
                    " cannot have ", weights.size(), " values");
  const Fans fans = compute_fans(shape);
  const double in = (std::max)(1.0, fans.in);
  const double mean = (std::max)(1.0, (fans.in + fans.out) / 2);
  const auto within = [&](double limit) {
    for (Scalar& w : weights) w = static_cast<Scalar>(random.uniform(-limit, limit));
  };
  const auto cut_off = [&](double stddev) {
    for (Scalar& w : weights) w = static_cast<Scalar>(random.truncated_normal(0, stddev));
  };
  const auto uniform = [&](double variance) { within(std::sqrt(3 * variance)); };
  const auto normal = [&](double variance) { cut_off(std::sqrt(variance) / 0.87962566103423978); };
  using enum Initializer;
  switch (initializer) {
    case zeros: std::fill(weights.begin(), weights.end(), Scalar{0}); break;
    case ones: std::fill(weights.begin(), weights.end(), Scalar{1}); break;
    case glorot_uniform: uniform(1 / mean); break;
    case glorot_normal: normal(1 / mean); break;
    case he_uniform: uniform(2 / in); break;
    case he_normal: normal(2 / in); break;
    case lecun_uniform: uniform(1 / in); break;
    case lecun_normal: normal(1 / in); break;
    case random_uniform: within(0.05); break;
    case truncated_normal: cut_off(0.05); break;
    case random_normal:
      for (Scalar& w : weights) w = static_cast<Scalar>(0.05 * random.normal());
      break;
    case orthogonal: {
      check<ShapeError>(shape.rank() >= 2, "an orthogonal weight has at least two axes, got ",
                        shape);
      const auto rows = static_cast<std::size_t>(shape.leading());
      const auto columns = static_cast<std::size_t>(shape.back());
      std::vector<double> q(weights.size());
      detail::orthonormal_columns(q, (std::max)(rows, columns), (std::min)(rows, columns), random);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const std::size_t transposed = i % columns * rows + i / columns;
        weights[i] = static_cast<Scalar>(q[rows < columns ? transposed : i]);
      }
      break;
    }
  }
}

/// An LSTM's bias of (4 * units) whose forget gate, the second quarter, begins with ones (Gers, Schmidhuber,
/// Cummins 2000; Jozefowicz, Zaremba, Sutskever 2015). As in Keras the initializer makes what is before it
/// and what is after it, each as a weight of its own: (units) and (2 * units).
///
/// Throws `ShapeError` for another shape, and what `initialize` throws.
template <class Scalar>
void initialize_unit_forget(Initializer initializer, std::span<Scalar> weights, const Shape& shape,
                            Random& random) {
  check<ShapeError>(
      std::ssize(weights) == shape.size() && shape.rank() == 1 && shape.back() % 4 == 0,
      "a bias with a forget gate has the shape (4 * units), got ", shape);
  const Index units = shape.back() / 4;
  const auto U = static_cast<std::size_t>(units);
  initialize(initializer, weights.first(U), {units}, random);
  initialize(Initializer::ones, weights.subspan(U, U), {units}, random);
  initialize(initializer, weights.subspan(2 * U), {2 * units}, random);
}

}  // namespace heed
