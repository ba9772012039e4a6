#pragma once

#include <heed/tensor/view.hpp>

namespace heed {

/// A matrix, or columns of one, passed without a copy and without a template for each expression.
template <class Scalar>
using MatrixRef = Eigen::Ref<Matrix<Scalar>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class Scalar>
using ConstMatrixRef = Eigen::Ref<const Matrix<Scalar>, Eigen::Unaligned, Eigen::OuterStride<>>;

/// A factor that stands for the transpose of the matrix it refers to.
template <class Scalar>
struct Transposed {
  ConstMatrixRef<Scalar> matrix;
};

template <class Derived>
Transposed<typename Derived::Scalar> transposed(const Eigen::MatrixBase<Derived>& matrix) {
  return {matrix.derived()};
}

// Every matrix product of the library is one of these, so that each is compiled once for a scalar
// and not once for each pair of expressions.

namespace detail {

/// `c += a b`, block by block: Eigen copies a part of each factor to a buffer, which stands on the
/// stack up to EIGEN_STACK_ALLOCATION_LIMIT and is allocated beyond. These blocks stay below.
template <class C, class A, class B>
void add_blocks(C& c, const A& a, const B& b) {
  constexpr Index side = 256;
  constexpr Index most = EIGEN_STACK_ALLOCATION_LIMIT / sizeof(typename C::Scalar);
  const Index rows = std::min(side, c.rows());
  const Index cols = std::min(side, c.cols());
  const Index depth = std::max<Index>(most / std::max<Index>({rows, cols, 1}), 16);
  for (Index k = 0; k < a.cols(); k += depth) {
    const Index dk = std::min(depth, a.cols() - k);
    for (Index i = 0; i < c.rows(); i += rows) {
      const Index di = std::min(rows, c.rows() - i);
      for (Index j = 0; j < c.cols(); j += cols) {
        const Index dj = std::min(cols, c.cols() - j);
        c.block(i, j, di, dj).noalias() += a.block(i, k, di, dk) * b.block(k, j, dk, dj);
      }
    }
  }
}

}  // namespace detail

/// `c += a b`
template <class Scalar>
void add_product(MatrixRef<Scalar> c, const ConstMatrixRef<Scalar>& a,
                 const ConstMatrixRef<Scalar>& b) {
  detail::add_blocks(c, a, b);
}

/// `c += aᵀ b`
template <class Scalar>
void add_product(MatrixRef<Scalar> c, const Transposed<Scalar>& a,
                 const ConstMatrixRef<Scalar>& b) {
  detail::add_blocks(c, a.matrix.transpose(), b);
}

/// `c += a bᵀ`
template <class Scalar>
void add_product(MatrixRef<Scalar> c, const ConstMatrixRef<Scalar>& a,
                 const Transposed<Scalar>& b) {
  detail::add_blocks(c, a, b.matrix.transpose());
}

/// `c += aᵀ bᵀ`
template <class Scalar>
void add_product(MatrixRef<Scalar> c, const Transposed<Scalar>& a, const Transposed<Scalar>& b) {
  for (Index i = 0; i < c.rows(); ++i) {
    for (Index j = 0; j < c.cols(); ++j) c(i, j) += a.matrix.col(i).dot(b.matrix.row(j));
  }
}

/// `c = a b`, either factor `transposed`
template <class Scalar, class A, class B>
void set_product(MatrixRef<Scalar> c, const A& a, const B& b) {
  c.setZero();
  add_product<Scalar>(c, a, b);
}

}  // namespace heed
