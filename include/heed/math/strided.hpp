#pragma once

#include <heed/tensor/view.hpp>

namespace heed {

/// A matrix, or some of its columns, passed without a copy and without a template for each
/// expression.
template <class Scalar>
using MatrixRef = Eigen::Ref<Matrix<Scalar>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class Scalar>
using ConstMatrixRef = Eigen::Ref<const Matrix<Scalar>, Eigen::Unaligned, Eigen::OuterStride<>>;

/// A matrix in memory, or its transpose: element (i, j) is at `data + i row_stride + j col_stride`.
template <class Scalar>
struct Strided {
  Scalar* data;
  Index rows, cols;              ///< how many there are
  Index row_stride, col_stride;  ///< from one row to the next, from one column to the next

  Strided(Scalar* place, Index m, Index n, Index by_row, Index by_col)
      : data(place), rows(m), cols(n), row_stride(by_row), col_stride(by_col) {}

  /// From a row-major Eigen matrix, map or block.
  template <class M>
    requires(std::remove_reference_t<M>::IsRowMajor == 1 &&
             std::remove_reference_t<M>::InnerStrideAtCompileTime == 1)
  Strided(M&& m)  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
      : Strided(m.data(), m.rows(), m.cols(), m.outerStride(), 1) {}

  /// A writable matrix converts to a read-only one.
  operator Strided<const Scalar>() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<Scalar>) {
    return {data, rows, cols, row_stride, col_stride};
  }

  Strided transpose() const { return {data, cols, rows, col_stride, row_stride}; }
};

/// One row that represents any number of equal rows: a bias for a batch.
template <class Scalar>
Strided<const std::remove_const_t<Scalar>> repeated(View<Scalar> row) {
  return {row.data(), 1, row.size(), 0, 1};
}

/// Zeros of any size, for a product without an initial value.
template <class Scalar>
Strided<const Scalar> zeros() {
  return {nullptr, 1, 1, 0, 1};
}

/// A factor that represents the transpose of a matrix.
template <class M>
auto transposed(const M& matrix) {
  return Strided<const typename M::Scalar>(matrix).transpose();
}

}  // namespace heed
