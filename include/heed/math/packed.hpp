#pragma once

#include <vector>

#include <heed/math/strided.hpp>
#include <heed/math/tile.hpp>

namespace heed {

namespace detail {

/// Copies a part of b into the layout that its tiles read: `depth` rows of `packets` packets,
/// contiguous, with zeros after the last column.
template <class Scalar>
void pack(const Strided<const Scalar>& b, Index packets, Scalar* to) {
  using Values = Lanes<Scalar>;
  constexpr Index W = Values::width;
  const Index width = packets * W;
  Index rows = 0, cols = 0;  // the part of `to` that has been filled
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

/// The number of columns of b in one column of tiles: few for a block of rows of a, more for one
/// row.
template <class Scalar>
constexpr Index panel_cols(bool one_row) {
  return one_row ? TileSizes<Scalar>::row_cols : TileSizes<Scalar>::cols;
}

template <class Scalar>
constexpr Index packets_of(Index cols) {
  return (cols + widest<Scalar> - 1) / widest<Scalar>;
}

}  // namespace detail

/// A factor b that is packed once for many products, in the layout that their tiles read: panels of
/// a few columns, in which the rows are contiguous. If it was packed for one row, it can only be
/// used for products with one row.
template <class Scalar>
class Packed {
 public:
  /// Allocates only if the capacity is too small.
  void assign(const Strided<const Scalar>& b, bool one_row) {
    depth_ = b.rows;
    cols_ = b.cols;
    one_row_ = one_row;
    const Index width = detail::panel_cols<Scalar>(one_row);
    const Index padded = detail::packets_of<Scalar>(cols_) * widest<Scalar>;
    panels_.resize(static_cast<std::size_t>(depth_ * padded));
    for (Index j = 0; j < cols_; j += width) {
      const Index cols = (std::min)(width, cols_ - j);
      detail::pack<Scalar>({b.data + j * b.col_stride, depth_, cols, b.row_stride, b.col_stride},
                           detail::packets_of<Scalar>(cols), panels_.data() + j * depth_);
    }
  }

  Index rows() const { return depth_; }
  Index cols() const { return cols_; }
  bool one_row() const { return one_row_; }
  /// Row k of the panel that begins with column j and is `packets` packets wide.
  const Scalar* row_of_panel(Index k, Index j, Index packets) const {
    return panels_.data() + j * depth_ + k * packets * widest<Scalar>;
  }

 private:
  std::vector<Scalar, Eigen::aligned_allocator<Scalar>> panels_;
  Index depth_ = 0, cols_ = 0;
  bool one_row_ = false;
};

namespace detail {

/// Rows of a packed factor from `first` on; no rows if it is null.
template <class Scalar>
struct PackedRows {
  const Packed<Scalar>* factor = nullptr;
  Index first = 0;

  explicit operator bool() const { return factor != nullptr; }
  const Scalar* row_of_panel(Index k, Index j, Index packets) const {
    return factor->row_of_panel(first + k, j, packets);
  }
};

}  // namespace detail

}  // namespace heed
