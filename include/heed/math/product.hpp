#pragma once

#include <heed/math/tile.hpp>

namespace heed {

/// A matrix, or columns of one, passed without a copy and without a template for each expression.
template <class Scalar>
using MatrixRef = Eigen::Ref<Matrix<Scalar>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class Scalar>
using ConstMatrixRef = Eigen::Ref<const Matrix<Scalar>, Eigen::Unaligned, Eigen::OuterStride<>>;

/// A matrix in memory, or its transpose: (i, j) stands at `data + i row_stride + j col_stride`.
template <class Scalar>
struct Strided {
  Scalar* data;
  Index rows, cols;
  Index row_stride, col_stride;

  Strided(Scalar* place, Index m, Index n, Index by_row, Index by_col)
      : data(place), rows(m), cols(n), row_stride(by_row), col_stride(by_col) {}

  /// A row-major matrix, map or block of Eigen's.
  template <class M>
    requires(std::remove_reference_t<M>::IsRowMajor == 1 &&
             std::remove_reference_t<M>::InnerStrideAtCompileTime == 1)
  Strided(M&& m)  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
      : Strided(m.data(), m.rows(), m.cols(), m.outerStride(), 1) {}

  Strided transpose() const { return {data, cols, rows, col_stride, row_stride}; }
};

/// A factor that stands for the transpose of the matrix it refers to.
template <class M>
auto transposed(const M& matrix) {
  return Strided<const typename M::Scalar>(matrix).transpose();
}

namespace detail {

/// A part of b as its tiles read it: `depth` rows of `packets` packets, one behind the other, and
/// zeros behind the last column.
template <class Scalar>
void pack(const Strided<const Scalar>& b, Index packets, Scalar* to) {
  using Values = Lanes<Scalar, true>;
  constexpr Index W = Values::width;
  const Index width = packets * W;
  Index rows = 0, cols = 0;  // how much of `to` has been filled
  if (b.col_stride == 1) {
    rows = b.rows;
    cols = b.cols - b.cols % W;
    for (Index i = 0; i < rows; ++i) {
      const Scalar* from = b.data + i * b.row_stride;
      for (Index j = 0; j < cols; j += W) Values::load(from + j).store(to + i * width + j);
    }
  } else if (b.row_stride == 1) {
    rows = b.rows - b.rows % W;
    cols = width;
    for (Index i = 0; i < rows; i += W) {
      for (Index j = 0; j < cols; j += W) {
        const auto column = [&](Index r) {
          if (j + r >= b.cols) return Values(Scalar{0});
          return Values::load(b.data + i + (j + r) * b.col_stride);
        };
        transpose_square<Scalar>(column, [&](Index r) { return to + (i + r) * width + j; });
      }
    }
  }
  for (Index i = 0; i < b.rows; ++i) {
    const Scalar* from = b.data + i * b.row_stride;
    for (Index j = i < rows ? cols : 0; j < width; ++j) {
      to[i * width + j] = j < b.cols ? from[j * b.col_stride] : Scalar{0};
    }
  }
}

/// `c = a b`, or to `add` `c += a b`. The parts that are worked on at a time have room in the caches:
/// 24 KiB of b, the columns of one tile, in a first of 32 KiB or more; 256 rows of a, as deep as b, in
/// a second of 512 KiB or more.
template <class Scalar>
void multiply(const Strided<Scalar>& c, const Strided<const Scalar>& a,
              const Strided<const Scalar>& b, bool add) {
  using Sizes = TileSizes<Scalar>;
  constexpr Index most_rows = 256;
  constexpr Index kib = 1024 / static_cast<Index>(sizeof(Scalar));
  constexpr Index most_depth = 24 * kib / Sizes::cols;
  // A b that the first cache holds as it is, or that few tiles read, is not worth a copy.
  constexpr Index little = 32 * kib;
  constexpr Index few_strips = 4;
  alignas(64) Scalar packed[most_depth * Sizes::cols];

  const bool one_row = c.rows == 1;
  const Index most_cols = one_row && b.col_stride == 1 ? Sizes::row_cols : Sizes::cols;
  for (Index k = 0; k < a.cols; k += most_depth) {
    const Index depth = std::min(most_depth, a.cols - k);
    for (Index i = 0; i < c.rows; i += most_rows) {
      const Index rows = std::min(most_rows, c.rows - i);
      // Tiles of two heights that differ by one row: none is left over with few rows.
      const Index strips = (rows + Sizes::rows - 1) / Sizes::rows;
      const Index height = rows / strips;
      const Index higher = rows % strips;
      for (Index j = 0, cols = 0; j < c.cols; j += cols) {
        cols = std::min(most_cols, c.cols - j);
        if (cols > Sizes::cols) cols -= cols % Sizes::width;  // what is left over comes by itself
        const Index packets = (cols + Sizes::width - 1) / Sizes::width;
        Tiles<Scalar> tiles{
            .c = c.data + i * c.row_stride + j,
            .c_row_stride = c.row_stride,
            .cols = cols,
            .a = a.data + i * a.row_stride + k * a.col_stride,
            .a_row_stride = a.row_stride,
            .a_depth_stride = a.col_stride,
            .b = b.data + k * b.row_stride + j * b.col_stride,
            .b_row_stride = b.row_stride,
            .depth = depth,
            .strips = strips - higher,
            .add = add || k > 0,
        };
        const bool readable = b.col_stride == 1 && cols % Sizes::width == 0;
        if (!readable || (strips > few_strips && b.rows * b.cols > little)) {
          pack<Scalar>({tiles.b, depth, cols, b.row_stride, b.col_stride}, packets, packed);
          tiles.b = packed;
          tiles.b_row_stride = packets * Sizes::width;
        }
        if (one_row) {
          Sizes::row(packets)(tiles);
          continue;
        }
        Sizes::tile(height, packets)(tiles);
        if (higher > 0) {
          tiles.a += tiles.strips * height * a.row_stride;
          tiles.c += tiles.strips * height * c.row_stride;
          tiles.strips = higher;
          Sizes::tile(height + 1, packets)(tiles);
        }
      }
    }
  }
}

/// The same for a c and b of one column, in which the numbers of a row of a are neighbours.
template <class Scalar>
void multiply_column(const Strided<Scalar>& c, const Strided<const Scalar>& a,
                     const Strided<const Scalar>& b, bool add) {
  using Values = Lanes<Scalar, true>;
  constexpr Index W = Values::width;
  for (Index i = 0; i < c.rows; ++i) {
    const Scalar* a_i = a.data + i * a.row_stride;
    Values even(Scalar{0}), odd(Scalar{0});
    Index k = 0;
    for (; k + 2 * W <= a.cols; k += 2 * W) {
      even = fma(Values::load(a_i + k), Values::load(b.data + k), even);
      odd = fma(Values::load(a_i + k + W), Values::load(b.data + k + W), odd);
    }
    Scalar sum = sum_of(even + odd);
    for (; k < a.cols; ++k) sum += a_i[k] * b.data[k];
    Scalar& c_i = c.data[i * c.row_stride];
    c_i = add ? c_i + sum : sum;
  }
}

template <class Scalar>
void product(const Strided<Scalar>& c, const Strided<const Scalar>& a,
             const Strided<const Scalar>& b, bool add) {
  eigen_assert(c.rows == a.rows && c.cols == b.cols && a.cols == b.rows);
  eigen_assert(c.col_stride == 1 || c.row_stride == 1);
  if (c.rows == 0 || c.cols == 0) return;
  if (!add && a.cols == 0) {
    for (Index i = 0; i < c.rows; ++i) {
      for (Index j = 0; j < c.cols; ++j) c.data[i * c.row_stride + j * c.col_stride] = Scalar{0};
    }
  } else if (c.cols == 1 && a.col_stride == 1 && b.row_stride == 1) {
    multiply_column(c, a, b, add);
  } else if (c.row_stride == 1 && (c.cols == 1 || c.col_stride != 1)) {
    // A column is a row as well, and a transposed c the other way round: cᵀ = bᵀ aᵀ.
    multiply(c.transpose(), b.transpose(), a.transpose(), add);
  } else {
    multiply(c, a, b, add);
  }
}

}  // namespace detail

// Every matrix product of the library is one of these, so that each is compiled once for a scalar
// and not once for each pair of expressions. Neither allocates. No element of c may stand in a or b.

/// `c = a b`, any of them `transposed`
template <class Scalar>
void set_product(const Strided<Scalar>& c, const Strided<const Scalar>& a,
                 const Strided<const Scalar>& b) {
  detail::product(c, a, b, false);
}

/// `c += a b`, any of them `transposed`
template <class Scalar>
void add_product(const Strided<Scalar>& c, const Strided<const Scalar>& a,
                 const Strided<const Scalar>& b) {
  detail::product(c, a, b, true);
}

}  // namespace heed
