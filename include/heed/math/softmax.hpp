#pragma once

#include <cmath>

#include <heed/math/lanes.hpp>
#include <heed/math/product.hpp>

namespace heed {

namespace detail {

/// The sum of adjacent numbers in an order that depends only on their count. In Eigen's `sum()`,
/// the order and therefore the last bits depend on the memory address.
template <class Scalar>
Scalar sum_in_order(const Scalar* values, Index count) {
  using Values = Lanes<Scalar>;
  Values sums(Scalar{0});
  Index i = 0;
  for (; i + Values::width <= count; i += Values::width) sums += Values::load(values + i);
  Scalar sum = sum_of(sums);
  for (; i < count; ++i) sum += values[i];
  return sum;
}

}  // namespace detail

/// Softmax of each row in place, `yⱼ = exp(zⱼ − max z) / Σₖ exp(zₖ − max z)`. The shift by the
/// maximum leaves the value unchanged and keeps every exponent at or below 0.
template <class Scalar>
void softmax_rows(MatrixRef<Scalar> z) {
  for (Index n = 0; n < z.rows(); ++n) {
    auto row = z.row(n);
    const Scalar top = row.maxCoeff();
    for_lanes<Scalar>(1, z.cols(), [&](auto at) { at(row) = exp(at(row) - top); });
    const Scalar scale = 1 / detail::sum_in_order(row.data(), row.cols());
    for_lanes<Scalar>(1, z.cols(), [&](auto at) { at(row) *= scale; });
  }
}

/// Replaces `dy` in each row by `dz`, in place. The Jacobian is `∂yᵢ/∂zⱼ = yᵢ (δᵢⱼ − yⱼ)`, so
/// `dzⱼ = yⱼ (dyⱼ − Σᵢ dyᵢ yᵢ)`.
template <class Scalar>
void softmax_rows_backward(const ConstMatrixRef<Scalar>& y, MatrixRef<Scalar> dz) {
  for (Index n = 0; n < y.rows(); ++n) {
    const auto y_n = y.row(n);
    auto dz_n = dz.row(n);
    const Scalar inner = dz_n.dot(y_n);
    for_lanes<Scalar>(1, y.cols(), [&](auto at) { at(dz_n) = at(y_n) * (at(dz_n) - inner); });
  }
}

/// The logarithm of softmax of each row in place, `yⱼ = zⱼ − max z − log Σₖ exp(zₖ − max z)`.
template <class Scalar>
void log_softmax_rows(MatrixRef<Scalar> z) {
  using std::log;
  for (Index n = 0; n < z.rows(); ++n) {
    auto row = z.row(n);
    const Scalar highest = row.maxCoeff();
    Scalar sum = 0;
    for (Index j = 0; j < z.cols(); ++j) {
      using std::exp;
      sum += exp(row(j) - highest);
    }
    const Scalar rest = log(sum);
    for_lanes<Scalar>(1, z.cols(), [&](auto at) { at(row) = at(row) - highest - rest; });
  }
}

/// Replaces `dy` in each row by `dz`, in place: `∂yᵢ/∂zⱼ = δᵢⱼ − exp(yⱼ)`, so
/// `dzⱼ = dyⱼ − exp(yⱼ) Σᵢ dyᵢ`.
template <class Scalar>
void log_softmax_rows_backward(const ConstMatrixRef<Scalar>& y, MatrixRef<Scalar> dz) {
  for (Index n = 0; n < y.rows(); ++n) {
    const auto y_n = y.row(n);
    auto dz_n = dz.row(n);
    const Scalar sum = detail::sum_in_order(dz_n.data(), dz_n.cols());
    for_lanes<Scalar>(1, y.cols(), [&](auto at) { at(dz_n) = at(dz_n) - exp(at(y_n)) * sum; });
  }
}

}  // namespace heed
