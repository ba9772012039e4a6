#pragma once

#include <heed/math/packed.hpp>

namespace heed {

namespace detail {

/// `c = start + a b` for one row; `start` without memory means zeros. b is `packed`, or consists of
/// whole packets of adjacent columns. No part of b is read twice, so it is not split into blocks.
template <class Scalar>
void multiply_row(const Strided<Scalar>& c, const Strided<const Scalar>& start,
                  const Strided<const Scalar>& a, const Strided<const Scalar>& b,
                  const PackedRows<Scalar>& packed) {
  using Sizes = TileSizes<Scalar>;
  for (Index j = 0; j < c.cols; j += Sizes::row_cols) {
    const Index cols = (std::min)(Sizes::row_cols, c.cols - j);
    const Index packets = packets_of<Scalar>(cols);
    Sizes::row(packets)({
        .c = c.data + j,
        .c_row_stride = 0,
        .cols = cols,
        .start = start.data == nullptr ? nullptr : start.data + j,
        .start_row_stride = 0,
        .a = a.data,
        .a_row_stride = 0,
        .a_depth_stride = a.col_stride,
        .b = packed ? packed.row_of_panel(0, j, packets) : b.data + j,
        .b_row_stride = packed ? packets * Sizes::width : b.row_stride,
        .depth = a.cols,
        .strips = 1,
    });
  }
}

/// `c = start + a b`; `start` without memory means zeros. `packed` is the same b, or null. The
/// block sizes fit the caches: 24 KiB of b, the columns of one tile, in an L1 cache of 32 KiB or
/// more; 256 rows of a, as deep as b, in an L2 cache of 512 KiB or more.
template <class Scalar>
void multiply(const Strided<Scalar>& c, const Strided<const Scalar>& start,
              const Strided<const Scalar>& a, const Strided<const Scalar>& b,
              const PackedRows<Scalar>& packed = {}) {
  using Sizes = TileSizes<Scalar>;
  constexpr Index most_rows = 256;
  constexpr Index kib = 1024 / static_cast<Index>(sizeof(Scalar));
  constexpr Index most_depth = 24 * kib / Sizes::cols;
  // If b fits in the L1 cache as it is, or is read by few tiles, packing it is not worthwhile.
  constexpr Index little = 32 * kib;
  constexpr Index few_strips = 4;
  alignas(64) Scalar panel[most_depth * Sizes::cols];

  const bool row_of_packets = b.col_stride == 1 && b.cols % Sizes::width == 0;
  if (c.rows == 1 && !packed && row_of_packets) return multiply_row(c, start, a, b, {});

  const bool one_row = packed ? packed.factor->one_row() : c.rows == 1 && b.col_stride == 1;
  const Index most_cols = panel_cols<Scalar>(one_row);
  for (Index k = 0; k < a.cols; k += most_depth) {
    const Index depth = (std::min)(most_depth, a.cols - k);
    const Scalar* from = k == 0 ? start.data : c.data;
    const Index from_stride = k == 0 ? start.row_stride : c.row_stride;
    for (Index i = 0; i < c.rows; i += most_rows) {
      const Index rows = (std::min)(most_rows, c.rows - i);
      // The heights of the tiles differ by at most one row, so that no tile has only a few rows.
      const Index strips = (rows + Sizes::rows - 1) / Sizes::rows;
      const Index height = rows / strips;
      const Index higher = rows % strips;
      for (Index j = 0, cols = 0; j < c.cols; j += cols) {
        cols = (std::min)(most_cols, c.cols - j);
        // The remainder of a wide row that is read in place is computed separately.
        if (!packed && cols > Sizes::cols) cols -= cols % Sizes::width;
        const Index packets = packets_of<Scalar>(cols);
        Tiles<Scalar> tiles{
            .c = c.data + i * c.row_stride + j,
            .c_row_stride = c.row_stride,
            .cols = cols,
            .start = from == nullptr ? nullptr : from + i * from_stride + j,
            .start_row_stride = from_stride,
            .a = a.data + i * a.row_stride + k * a.col_stride,
            .a_row_stride = a.row_stride,
            .a_depth_stride = a.col_stride,
            .b = packed ? packed.row_of_panel(k, j, packets)
                        : b.data + k * b.row_stride + j * b.col_stride,
            .b_row_stride = b.row_stride,
            .depth = depth,
            .strips = strips - higher,
        };
        if (packed) {
          tiles.b_row_stride = packets * Sizes::width;
        } else if (b.col_stride != 1 || cols % Sizes::width != 0 ||
                   (strips > few_strips && b.rows * b.cols > little)) {
          pack<Scalar>({tiles.b, depth, cols, b.row_stride, b.col_stride}, packets, panel);
          tiles.b = panel;
          tiles.b_row_stride = packets * Sizes::width;
        }
        if (c.rows == 1) {
          Sizes::row(packets)(tiles);
          continue;
        }
        Sizes::tile(height, packets)(tiles);
        if (higher > 0) {
          tiles.a += tiles.strips * height * a.row_stride;
          tiles.c += tiles.strips * height * c.row_stride;
          if (from != nullptr) tiles.start += tiles.strips * height * from_stride;
          tiles.strips = higher;
          Sizes::tile(height + 1, packets)(tiles);
        }
      }
    }
  }
}

/// `Σₖ aₖ bₖ`, with full packets and then narrower ones.
template <class Scalar, Index Width = widest<Scalar>>
Scalar inner_product(const Scalar* a, const Scalar* b, Index size) {
  if constexpr (Width > 1) {
    if (size < Width) return inner_product<Scalar, PacketOf<Scalar, Width>::half>(a, b, size);
  }
  using Values = Lanes<Scalar, Width>;
  Values even(Scalar{0}), odd(Scalar{0});
  Index k = 0;
  for (; k + 2 * Width <= size; k += 2 * Width) {
    even = fma(Values::load(a + k), Values::load(b + k), even);
    odd = fma(Values::load(a + k + Width), Values::load(b + k + Width), odd);
  }
  if (k + Width <= size) {
    even = fma(Values::load(a + k), Values::load(b + k), even);
    k += Width;
  }
  const Scalar sum = sum_of(even + odd);
  if constexpr (Width > 1) {
    constexpr Index half = PacketOf<Scalar, Width>::half;
    if (k < size) return sum + inner_product<Scalar, half>(a + k, b + k, size - k);
  }
  return sum;
}

/// The same for c and b with one column, if the numbers in a row of a are adjacent.
template <class Scalar>
void multiply_column(const Strided<Scalar>& c, const Strided<const Scalar>& start,
                     const Strided<const Scalar>& a, const Strided<const Scalar>& b) {
  for (Index i = 0; i < c.rows; ++i) {
    const auto sum = inner_product<Scalar>(a.data + i * a.row_stride, b.data, a.cols);
    c.data[i * c.row_stride] = start.data == nullptr ? sum : start.data[i * start.row_stride] + sum;
  }
}

template <class Scalar>
void product(const Strided<Scalar>& c, const Strided<const Scalar>& start,
             const Strided<const Scalar>& a, const Strided<const Scalar>& b) {
  eigen_assert(c.rows == a.rows && c.cols == b.cols && a.cols == b.rows);
  eigen_assert(c.col_stride == 1 || c.row_stride == 1);
  if (c.rows == 0 || c.cols == 0) return;
  if (a.cols == 0) {
    for (Index i = 0; i < c.rows; ++i) {
      for (Index j = 0; j < c.cols; ++j) {
        const Index place = i * start.row_stride + j * start.col_stride;
        c.data[i * c.row_stride + j * c.col_stride] =
            start.data == nullptr ? Scalar{0} : start.data[place];
      }
    }
  } else if (c.cols == 1 && a.col_stride == 1 && b.row_stride == 1) {
    multiply_column(c, start, a, b);
  } else if (c.row_stride == 1 && (c.cols == 1 || c.col_stride != 1) &&
             (start.data == nullptr || start.row_stride == 1)) {
    // A column vector, or a transposed c, is computed in transposed form: cᵀ = bᵀ aᵀ.
    multiply<Scalar>(c.transpose(), start.transpose(), b.transpose(), a.transpose());
  } else {
    multiply<Scalar>(c, start, a, b);
  }
}

}  // namespace detail

// Every matrix product of the library is one of these functions, so that each is compiled once per
// scalar type and not once per pair of expressions. None of them allocates. c must not overlap a or
// b.

/// `c = a b`; any of them can be `transposed`.
template <class Scalar>
void set_product(const Strided<Scalar>& c, const Strided<const Scalar>& a,
                 const Strided<const Scalar>& b) {
  detail::product(c, zeros<Scalar>(), a, b);
}

/// `c += a b`; any of them can be `transposed`.
template <class Scalar>
void add_product(const Strided<Scalar>& c, const Strided<const Scalar>& a,
                 const Strided<const Scalar>& b) {
  detail::product<Scalar>(c, c, a, b);
}

/// `c = start + a b`, where the columns of c and start are adjacent.
template <class Scalar>
void set_product(const Strided<Scalar>& c, const Strided<const Scalar>& start,
                 const Strided<const Scalar>& a, const Strided<const Scalar>& b) {
  eigen_assert(c.col_stride == 1 && start.col_stride == 1);
  detail::product(c, start, a, b);
}

/// The same with a packed factor, or with as many of its rows, from `first` on, as a has columns.
template <class Scalar>
void set_product(const Strided<Scalar>& c, const Strided<const Scalar>& start,
                 const Strided<const Scalar>& a, const Packed<Scalar>& b, Index first = 0) {
  eigen_assert(c.rows == a.rows && c.cols == b.cols() && first + a.cols <= b.rows());
  eigen_assert(c.col_stride == 1 && start.col_stride == 1);
  eigen_assert(c.rows == 1 || !b.one_row());
  const Strided<const Scalar> shape_of_b(nullptr, a.cols, b.cols(), 0, 1);
  if (b.one_row()) return detail::multiply_row<Scalar>(c, start, a, shape_of_b, {&b, first});
  detail::multiply<Scalar>(c, start, a, shape_of_b, {&b, first});
}

/// `c = a b` with a packed factor.
template <class Scalar>
void set_product(const Strided<Scalar>& c, const Strided<const Scalar>& a,
                 const Packed<Scalar>& b) {
  set_product<Scalar>(c, zeros<Scalar>(), a, b);
}

/// `c += a b` with a packed factor.
template <class Scalar>
void add_product(const Strided<Scalar>& c, const Strided<const Scalar>& a, const Packed<Scalar>& b,
                 Index first = 0) {
  set_product<Scalar>(c, c, a, b, first);
}

/// `sums += Σₙ mₙ` over the rows of m: (N, U); sums: (U). Uses four independent sums, so that
/// additions do not have to wait for each other.
template <class Scalar>
void add_row_sum(View<Scalar> sums, const ConstMatrixRef<Scalar>& m) {
  auto total = sums.row();
  for_lanes<Scalar>(1, m.cols(), [&](auto at) {
    using Value = typename decltype(at)::Value;
    Value part[4] = {Scalar{0}, Scalar{0}, Scalar{0}, Scalar{0}};
    Index n = 0;
    for (; n + 4 <= m.rows(); n += 4) {
      for (Index i = 0; i < 4; ++i) part[i] += at.in_row(n + i)(m);
    }
    for (; n < m.rows(); ++n) part[n % 4] += at.in_row(n)(m);
    at(total) += (part[0] + part[1]) + (part[2] + part[3]);
  });
}

}  // namespace heed
