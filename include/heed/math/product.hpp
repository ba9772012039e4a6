#pragma once

#include <heed/math/packed.hpp>

namespace heed {

namespace detail {

/// `c = start + a b` for one row, from zeros when start has no memory; b is `packed`, or else has
/// whole packets of neighbouring columns. Nothing of b is read twice, so that nothing is cut.
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

/// `c = start + a b`, from zeros when start has no memory; `packed` is b as well, or null. The parts
/// that are worked on at a time have room in the caches: 24 KiB of b, the columns of one tile, in a
/// first of 32 KiB or more; 256 rows of a, as deep as b, in a second of 512 KiB or more.
template <class Scalar>
void multiply(const Strided<Scalar>& c, const Strided<const Scalar>& start,
              const Strided<const Scalar>& a, const Strided<const Scalar>& b,
              const PackedRows<Scalar>& packed = {}) {
  using Sizes = TileSizes<Scalar>;
  constexpr Index most_rows = 256;
  constexpr Index kib = 1024 / static_cast<Index>(sizeof(Scalar));
  constexpr Index most_depth = 24 * kib / Sizes::cols;
  // A b that the first cache holds as it is, or that few tiles read, is not worth a copy.
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
      // Tiles of two heights that differ by one row: none is left over with few rows.
      const Index strips = (rows + Sizes::rows - 1) / Sizes::rows;
      const Index height = rows / strips;
      const Index higher = rows % strips;
      for (Index j = 0, cols = 0; j < c.cols; j += cols) {
        cols = (std::min)(most_cols, c.cols - j);
        // What is left over of a wide row that is read in place comes by itself.
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

/// `Σₖ aₖ bₖ`, by packets and then by narrower ones.
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

/// The same for a c and b of one column, in which the numbers of a row of a are neighbours.
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
    // A column is a row as well, and a transposed c the other way round: cᵀ = bᵀ aᵀ.
    multiply<Scalar>(c.transpose(), start.transpose(), b.transpose(), a.transpose());
  } else {
    multiply<Scalar>(c, start, a, b);
  }
}

}  // namespace detail

// Every matrix product of the library is one of these, so that each is compiled once for a scalar
// and not once for each pair of expressions. None allocates. No element of c may stand in a or b.

/// `c = a b`, any of them `transposed`
template <class Scalar>
void set_product(const Strided<Scalar>& c, const Strided<const Scalar>& a,
                 const Strided<const Scalar>& b) {
  detail::product(c, zeros<Scalar>(), a, b);
}

/// `c += a b`, any of them `transposed`
template <class Scalar>
void add_product(const Strided<Scalar>& c, const Strided<const Scalar>& a,
                 const Strided<const Scalar>& b) {
  detail::product<Scalar>(c, c, a, b);
}

/// `c = start + a b`, where c and start have neighbouring columns
template <class Scalar>
void set_product(const Strided<Scalar>& c, const Strided<const Scalar>& start,
                 const Strided<const Scalar>& a, const Strided<const Scalar>& b) {
  eigen_assert(c.col_stride == 1 && start.col_stride == 1);
  detail::product(c, start, a, b);
}

/// The same with a factor that was packed before, or with as many of its rows as a has columns, from
/// `first` on.
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

/// `c = a b` with a factor that was packed before
template <class Scalar>
void set_product(const Strided<Scalar>& c, const Strided<const Scalar>& a,
                 const Packed<Scalar>& b) {
  set_product<Scalar>(c, zeros<Scalar>(), a, b);
}

/// `c += a b` with a factor that was packed before
template <class Scalar>
void add_product(const Strided<Scalar>& c, const Strided<const Scalar>& a, const Packed<Scalar>& b,
                 Index first = 0) {
  set_product<Scalar>(c, c, a, b, first);
}

/// `sums += Σₙ mₙ`, over the rows of m: (N, U); sums: (U). Every fourth row is added up by itself, so
/// that the additions do not wait for each other.
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
