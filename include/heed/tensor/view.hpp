#pragma once

#include <algorithm>
#include <concepts>
#include <span>
#include <type_traits>
#include <utility>

#include <heed/tensor/eigen.hpp>
#include <heed/tensor/shape.hpp>

namespace heed {

/// A row-major matrix, and maps of memory as such a matrix; `Scalar` may be const.
template <class Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class Scalar>
using Row = Eigen::Matrix<Scalar, 1, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {

template <class Scalar, class Plain>
using constness = std::conditional_t<std::is_const_v<Scalar>, const Plain, Plain>;

template <class Scalar>
using Plain = std::remove_const_t<Scalar>;

template <class Map>
inline constexpr bool skips_nothing = false;
template <class Array, int Alignment>
inline constexpr bool skips_nothing<Eigen::Map<Array, Alignment, Eigen::Stride<0, 0>>> = true;

/// An Eigen map of contiguous row-major numbers, as in a `View<Scalar>`.
template <class Map, class Scalar>
concept ContiguousMap = skips_nothing<Map> &&
                        (bool(Map::IsRowMajor) || bool(Map::IsVectorAtCompileTime)) &&
                        std::is_convertible_v<decltype(std::declval<Map&>().data()), Scalar*>;

}  // namespace detail

template <class Scalar>
using MatrixMap = Eigen::Map<detail::constness<Scalar, Matrix<detail::Plain<Scalar>>>>;

/// A matrix with a stride between its rows: one time step of a batch.
template <class Scalar>
using StridedMap = Eigen::Map<detail::constness<Scalar, Matrix<detail::Plain<Scalar>>>,
                              Eigen::Unaligned, Eigen::OuterStride<>>;

template <class Scalar>
using RowMap = Eigen::Map<detail::constness<Scalar, Row<detail::Plain<Scalar>>>>;

template <class Scalar>
using ArrayMap =
    Eigen::Map<detail::constness<Scalar, Eigen::Array<detail::Plain<Scalar>, Eigen::Dynamic, 1>>>;

/// A pointer and a shape: a tensor in contiguous row-major memory that the view does not own.
///
/// A `View<const Scalar>` is read-only, a `View<Scalar>` can write. Copying a view copies no
/// elements. A view without memory is false: `if (dx) …`.
template <class Scalar>
class View {
 public:
  View() = default;
  View(Scalar* data, const Shape& shape) : data_(data), shape_(shape) {}

  /// Accepts the results of `slice`, `matrix`, `row` and `array`, and other contiguous row-major
  /// Eigen maps: a matrix becomes (rows, cols), a vector one axis. Copy a column-major or strided
  /// map to a tensor first.
  template <detail::ContiguousMap<Scalar> Map>
  View(Map map)  // NOLINT(google-explicit-constructor)
      : data_(map.data()),
        shape_(Map::IsVectorAtCompileTime ? Shape{map.size()} : Shape{map.rows(), map.cols()}) {}

  View(const View&) = default;
  /// Makes the view refer to other memory; no element changes. Only for lvalues, so
  /// `model.weights() = …` does not compile.
  View& operator=(const View&) & = default;

  /// Every view converts to a read-only view.
  operator View<const Scalar>() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<Scalar>) {
    return {data_, shape_};
  }

  explicit operator bool() const { return data_ != nullptr; }

  Scalar* data() const { return data_; }
  const Shape& shape() const { return shape_; }
  Index rank() const { return shape_.rank(); }
  Index dim(Index axis) const { return shape_[axis]; }
  Index size() const { return shape_.size(); }
  std::span<Scalar> values() const {
    return {data_, data_ == nullptr ? 0 : static_cast<std::size_t>(size())};
  }

  void set_zero() const { std::fill_n(data_, size(), Scalar{0}); }

  /// All elements as one array.
  ArrayMap<Scalar> array() const { return {data_, size()}; }

  /// All elements as one row vector.
  RowMap<Scalar> row() const { return {data_, size()}; }

  /// All axes but the last folded into rows: `(64, 10, 32)` is a matrix of 640 × 32.
  MatrixMap<Scalar> matrix() const { return {data_, shape_.leading(), shape_.back()}; }

  /// Sample `n` as a matrix: 10 × 32 for `(64, 10, 32)`, 1 × 32 for `(64, 32)`.
  MatrixMap<Scalar> slice(Index n) const {
    const Index rows = shape_.rank() < 3 ? 1 : shape_.product(1, shape_.rank() - 1);
    const Index cols = shape_.rank() < 2 ? 1 : shape_.back();
    eigen_assert(0 <= n && n < shape_.front());
    return {data_ + n * rows * cols, rows, cols};
  }

  /// Time step `t` of a batch `(N, T, D)` as a matrix N × D.
  StridedMap<Scalar> step(Index t) const {
    eigen_assert(shape_.rank() == 3 && 0 <= t && t < shape_[1]);
    const Index steps = shape_[1];
    const Index features = shape_[2];
    return {data_ + t * features, shape_[0], features, Eigen::OuterStride<>(steps * features)};
  }

  /// The elements as the only time step of a batch.
  StridedMap<Scalar> as_step() const {
    return {data_, shape_.leading(), shape_.back(), Eigen::OuterStride<>(shape_.back())};
  }

  /// Sample `n` without the batch axis: `(10, 32)` for `(64, 10, 32)`.
  View sample(Index n) const {
    eigen_assert(0 <= n && n < shape_.front());
    return {data_ + n * shape_.product(1, shape_.rank()), shape_.sample()};
  }

  /// Samples [first, first + count) as a batch: `(count, 10, 32)` for `(64, 10, 32)`.
  View samples(Index first, Index count) const {
    eigen_assert(0 <= first && first + count <= shape_.front());
    return {data_ + first * shape_.product(1, shape_.rank()), shape_.with(0, count)};
  }

  /// The same elements with another shape of the same size.
  View reshaped(const Shape& shape) const {
    eigen_assert(shape.size() == size());
    return {data_, shape};
  }

  /// One element; the number of indices is the rank. Checked only by assertions.
  template <std::convertible_to<Index>... Indices>
  Scalar& operator()(Indices... indices) const {
    eigen_assert(static_cast<Index>(sizeof...(Indices)) == rank());
    Index offset = 0;
    [[maybe_unused]] Index axis = 0;
    [[maybe_unused]] const auto next = [&](Index index) {
      eigen_assert(0 <= index && index < shape_[axis]);
      offset = offset * shape_[axis++] + index;
    };
    (next(static_cast<Index>(indices)), ...);
    return data_[offset];
  }

  /// One element; throws `ShapeError` if the indices do not fit the shape.
  template <std::convertible_to<Index>... Indices>
  Scalar& at(Indices... indices) const {
    const Index position[] = {static_cast<Index>(indices)...};
    bool inside = static_cast<Index>(sizeof...(Indices)) == rank();
    for (Index axis = 0; inside && axis < rank(); ++axis) {
      inside = 0 <= position[axis] && position[axis] < shape_[axis];
    }
    check<ShapeError>(inside, "element ", to_text(std::span<const Index>(position)),
                      " is outside a tensor of ", shape_);
    return (*this)(indices...);
  }

  /// Whether shapes and elements are equal; also compares with a tensor.
  template <std::convertible_to<View<const Scalar>> Other>
  bool operator==(const Other& other) const {
    const View<const Scalar> seen = other;
    return shape_ == seen.shape() && std::equal(data_, data_ + size(), seen.data());
  }

 private:
  Scalar* data_ = nullptr;
  Shape shape_;
};

}  // namespace heed
