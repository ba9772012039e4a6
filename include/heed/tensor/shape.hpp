#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <ranges>
#include <span>
#include <string>

#include <heed/tensor/error.hpp>

namespace heed {

using Index = std::ptrdiff_t;

/// The length of an axis that can differ between batches, like Keras's `None`: `Shape{any, 12}` is
/// a sequence of any length. Only the shape of a sample can contain it, not the shape of a tensor.
inline constexpr Index any = -1;

/// The lengths of a tensor's axes, outermost first. A small value type that never allocates.
///
/// Letters used throughout: `N` samples of a batch, `T` time steps, `D` features, `U` units.
class Shape {
 public:
  /// Enough for the batch axis and four axes of a sample, plus one.
  static constexpr Index max_rank = 6;

  constexpr Shape() = default;

  /// Throws `ShapeError` for more than `max_rank` axes, a negative length, or a product of lengths
  /// other than 0 that `Index` cannot hold.
  Shape(std::initializer_list<Index> dims) : Shape(std::span(dims.begin(), dims.size())) {}

  explicit Shape(std::span<const Index> dims) {
    check<ShapeError>(dims.size() <= max_rank, "a shape has at most ", max_rank, " axes, got ",
                      dims.size());
    for (const Index dim : dims) push_back(dim);
  }

  constexpr Index rank() const { return rank_; }
  constexpr bool empty() const { return rank_ == 0; }

  /// The length of one axis; negative axes count from the end. Unchecked.
  constexpr Index operator[](Index axis) const { return dims_[position(axis)]; }
  constexpr Index front() const { return dims_[0]; }
  constexpr Index back() const { return (*this)[-1]; }

  /// Whether all axes have a length.
  constexpr bool is_known() const { return known_; }

  constexpr const Index* begin() const { return dims_.data(); }
  constexpr const Index* end() const { return dims_.data() + rank_; }

  /// The lengths. Not every standard library converts a range whose `size()` has another meaning to
  /// a span by itself.
  constexpr operator std::span<const Index>() const {  // NOLINT(google-explicit-constructor)
    return {dims_.data(), static_cast<std::size_t>(rank_)};
  }

  /// The number of elements in a tensor of this shape; 1 without axes. An axis of length `any`
  /// counts as 1.
  constexpr Index size() const { return size_; }

  /// The product of the lengths of the axes in [first, last).
  constexpr Index product(Index first, Index last) const {
    Index result = 1;
    for (Index axis = first; axis < last; ++axis) result *= dims_[static_cast<std::size_t>(axis)];
    return result;
  }

  /// The product of all axes but the last: the rows of the tensor seen as a matrix.
  constexpr Index leading() const { return rank_ == 0 ? 1 : product(0, rank_ - 1); }

  /// This shape with a different last axis: `(64, 10, 2).with_last(32)` is `(64, 10, 32)`.
  Shape with_last(Index dim) const { return with(-1, dim); }

  /// This shape with one axis changed.
  Shape with(Index axis, Index dim) const {
    Shape result;
    for (Index i = 0; i < rank_; ++i) {
      result.push_back(i == static_cast<Index>(position(axis)) ? dim : (*this)[i]);
    }
    return result;
  }

  /// This shape with a batch axis in front: `(10, 2).batch(64)` is `(64, 10, 2)`.
  Shape batch(Index samples) const {
    Shape result{samples};
    for (const Index dim : *this) result.push_back(dim);
    return result;
  }

  /// This shape without its first axis: the shape of one sample.
  Shape sample() const {
    return empty() ? Shape{} : Shape(std::span(begin() + 1, static_cast<std::size_t>(rank_ - 1)));
  }

  void push_back(Index dim) {
    check<ShapeError>(rank_ < max_rank, "a shape has at most ", max_rank, " axes");
    if (dim == any) {
      known_ = false;
      dims_[static_cast<std::size_t>(rank_++)] = any;
      return;
    }
    check<ShapeError>(dim >= 0, "a shape's axis cannot have the length ", dim);
    // If an axis is 0, the product of the other axes must still not overflow, for `product` and
    // `leading`.
    Index rest = size_;
    if (rest == 0) {
      rest = 1;
      for (const Index length : *this) rest *= std::max<Index>(length, 1);  // `any` counts as 1
    }
    // Skips the division if the product cannot overflow.
    constexpr Index half = Index{1} << std::numeric_limits<Index>::digits / 2;
    check<ShapeError>(
        (dim <= half && rest <= half) || dim <= (std::numeric_limits<Index>::max)() / rest,
        "a shape with an axis of ", dim, " has more elements than can be counted");
    size_ *= dim;
    dims_[static_cast<std::size_t>(rank_++)] = dim;
  }

  constexpr bool operator==(const Shape&) const = default;

 private:
  constexpr std::size_t position(Index axis) const {
    return static_cast<std::size_t>(axis < 0 ? axis + rank_ : axis);
  }

  std::array<Index, max_rank> dims_{};
  Index rank_ = 0;
  Index size_ = 1;
  bool known_ = true;
};

}  // namespace heed

/// As a range, a shape has one entry per axis; its `size()` is the number of elements of a tensor.
template <>
inline constexpr bool std::ranges::disable_sized_range<heed::Shape> = true;

namespace heed {

/// `(64, 10, 2)`; `(64)` for one axis.
inline std::string to_text(std::span<const Index> numbers) {
  std::string text = "(";
  for (const Index number : numbers) {
    if (text.size() > 1) text += ", ";
    text += to_text(number);
  }
  return text + ")";
}

/// The same, with `any` for axes of any length.
inline std::string to_text(const Shape& shape) {
  std::string text = "(";
  for (const Index dim : shape) {
    if (text.size() > 1) text += ", ";
    text += dim == any ? std::string("any") : to_text(dim);
  }
  return text + ")";
}

}  // namespace heed
