#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include <heed/tensor/view.hpp>

// clang warns about a view that is made of a temporary and kept.
#ifdef __clang__
#define HEED_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define HEED_LIFETIMEBOUND
#endif

namespace heed {

/// The rank of a tensor that knows its number of axes only at run time.
inline constexpr int Dynamic = Eigen::Dynamic;

namespace detail {

/// `{{1, 2}, {3, 4}}` as a type: initialiser lists nested `Rank` deep.
template <class Scalar, int Rank>
struct NestedList {
  using type = std::initializer_list<typename NestedList<Scalar, Rank - 1>::type>;
};
template <class Scalar>
struct NestedList<Scalar, 1> {
  using type = std::initializer_list<Scalar>;
};
/// A dynamic rank has no nested lists; this type cannot be made by braces.
template <class Scalar>
struct NestedList<Scalar, Dynamic> {
  struct type {
    type() = delete;
  };
};

/// What braces hold that are neither a shape nor values of the tensor's rank.
struct Number {
  template <class T>
    requires std::is_arithmetic_v<T> Number(T) {}  // NOLINT(google-explicit-constructor)
};

/// False, but only once somebody calls the function that says so.
template <class...>
inline constexpr bool never = false;

}  // namespace detail

/// A row-major, contiguous array of `Rank` axes that owns its elements.
///
/// With `Rank = Dynamic` (the default) the number of axes is part of the value. A tensor shrinks and
/// grows within its capacity without allocating. Every tensor converts to a `View`, which is what
/// layers and models take.
///
/// Braces hold values, `Shape{…}` a shape; what could be read as either does not compile.
///
/// `view`, `samples` and what else shows elements without owning them can only be asked of a tensor
/// with a name: of a temporary they would show freed memory. A temporary can be given to a function,
/// which ends first, `plot::bars(model.predict(x))`, and be reckoned with, `model.predict(x).array()`.
template <class Scalar, int Rank = Dynamic>
class Tensor {
  static_assert(!Eigen::NumTraits<Scalar>::IsInteger,
                "a heed::Tensor holds floating-point numbers");
  static_assert(Rank == Dynamic || (1 <= Rank && Rank <= Shape::max_rank),
                "a heed::Tensor has at least one axis and at most Shape::max_rank");

 public:
  Tensor() = default;

  /// Zeros of a shape: `Tensor<float, 3> x(Shape{64, 10, 2})`.
  explicit Tensor(const Shape& shape) { resize(shape); }

  /// A copy of values in row-major order, for example of a `std::vector`. Throws `ShapeError` when
  /// their number is not that of the shape.
  Tensor(const Shape& shape, std::span<const Scalar> values) {
    check<ShapeError>(shape.size() == static_cast<Index>(values.size()), "a tensor of ", shape,
                      " has ", shape.size(), " elements, got ", values.size(), " values");
    resize(shape);
    std::copy(values.begin(), values.end(), data());
  }

  /// Nested braces: `Tensor<float, 2> x{{1, 2}, {3, 4}}`. Throws `ShapeError` when the rows differ
  /// in length.
  Tensor(typename detail::NestedList<Scalar, Rank>::type values) requires(Rank != Dynamic) {
    Shape shape;
    measure(values, shape);
    resize(shape);
    Scalar* next = data();
    fill(values, shape, 0, next);
  }

  // What follows refuses, with a sentence, what can be read in two ways or in none. A constructor
  // with a pack is asked about `({64})` alone, never about `{64}`.
  /// Refused: it can mean two things.
  template <std::integral Integer, class... Nothing>
    requires(Rank == 1 && sizeof...(Nothing) == 0)
  explicit Tensor(std::initializer_list<Integer>, Nothing...) {
    static_assert(detail::never<Integer>,
                  "y({64}) can mean 64 zeros or the one value 64: write y(Shape{64}) for the "
                  "zeros, y{64} for the value");
  }
  /// Zeros of a shape in braces: `Tensor<float, 2> y({64, 1})`.
  template <class... Nothing>
    requires(Rank != 1 && sizeof...(Nothing) == 0)
  explicit Tensor(std::initializer_list<Index> dims, Nothing...)
      : Tensor(Shape(std::span(dims.begin(), dims.size()))) {}
  /// Refused: a tensor is made from a shape or from values in braces.
  template <class... Numbers>
    requires(sizeof...(Numbers) > 0 && (std::is_arithmetic_v<Numbers> && ...))
  explicit Tensor(Numbers...) { refuse<Numbers...>(); }
  /// Refused: braces of another depth than the rank.
  explicit Tensor(std::initializer_list<detail::Number>) requires(Rank != 1) { refuse<Scalar>(); }
  /// Refused: braces of another depth than the rank.
  explicit Tensor(std::initializer_list<std::initializer_list<detail::Number>>) requires(
      Rank != 1 && Rank != 2) {
    refuse<Scalar>();
  }

  /// A copy of an Eigen matrix or expression, of whatever storage order: shape (rows, cols).
  template <class Derived>
  explicit Tensor(const Eigen::DenseBase<Derived>& values) requires(Rank == 2 || Rank == Dynamic) {
    resize(Shape{values.rows(), values.cols()});
    matrix() = values.derived().matrix();
  }

  /// A copy of what somebody else's memory holds.
  explicit Tensor(View<const Scalar> values) { assign(values); }

  /// A tensor of known rank is also one of dynamic rank; the other way throws `ShapeError` when the
  /// ranks differ.
  template <int Other>
  explicit(Rank != Dynamic) Tensor(const Tensor<Scalar, Other>& other) requires(Other != Rank) {
    assign(other);
  }

  void assign(View<const Scalar> values) {
    resize(values.shape());
    std::copy_n(values.data(), size(), data());
  }

  /// Takes a shape; the elements are then unspecified, but zero where memory is new. Allocates only
  /// when the capacity does not suffice.
  void resize(const Shape& shape) {
    check<ShapeError>(Rank == Dynamic || shape.rank() == Rank, "a tensor of rank ", Rank,
                      " cannot have the shape ", shape);
    elements_.resize(static_cast<std::size_t>(shape.size()));
    shape_ = shape;
  }

  void set_zero() { std::fill(elements_.begin(), elements_.end(), Scalar{0}); }

  View<Scalar> view() & { return {elements_.data(), shape_}; }
  View<const Scalar> view() const& { return {elements_.data(), shape_}; }
  operator View<Scalar>() & { return view(); }  // NOLINT(google-explicit-constructor)
  /// Also of a temporary, which lives until the call ends that it is an argument of.
  operator View<const Scalar>() const HEED_LIFETIMEBOUND {  // NOLINT(google-explicit-constructor)
    return {elements_.data(), shape_};
  }

  const Shape& shape() const& { return shape_; }
  Shape shape() && { return shape_; }
  Index rank() const { return shape_.rank(); }
  Index dim(Index axis) const { return shape_[axis]; }
  Index size() const { return static_cast<Index>(elements_.size()); }
  bool empty() const { return elements_.empty(); }

  Scalar* data() & { return elements_.data(); }
  const Scalar* data() const& { return elements_.data(); }
  std::span<Scalar> values() & { return elements_; }
  std::span<const Scalar> values() const& { return elements_; }

  // What a view offers, on the own elements; see `View` for each.
  auto array() & { return view().array(); }
  auto array() const& { return view().array(); }
  auto row() & { return view().row(); }
  auto row() const& { return view().row(); }
  auto matrix() & { return view().matrix(); }
  auto matrix() const& { return view().matrix(); }
  auto slice(Index n) & { return view().slice(n); }
  auto slice(Index n) const& { return view().slice(n); }
  auto step(Index t) & { return view().step(t); }
  auto step(Index t) const& { return view().step(t); }
  auto sample(Index n) & { return view().sample(n); }
  auto sample(Index n) const& { return view().sample(n); }
  auto samples(Index first, Index count) & { return view().samples(first, count); }
  auto samples(Index first, Index count) const& { return view().samples(first, count); }

  // Expressions that own the elements, so that `(model.predict(x).array() - y.array()).abs()` is right
  // also where it is kept. They can only be read.
  auto array() && { return owned<Eigen::Array<Scalar, Eigen::Dynamic, 1>>(size(), 1); }
  auto row() && { return owned<Row<Scalar>>(1, size()); }
  auto matrix() && { return owned<Matrix<Scalar>>(shape_.leading(), shape_.back()); }

  // What the others would show ends with the temporary tensor that they are asked of.
  void view() const&& = delete;                 // give the tensor a name first
  void data() const&& = delete;                 // give the tensor a name first
  void values() const&& = delete;               // give the tensor a name first
  void slice(Index) const&& = delete;           // give the tensor a name first
  void step(Index) const&& = delete;            // give the tensor a name first
  void sample(Index) const&& = delete;          // give the tensor a name first
  void samples(Index, Index) const&& = delete;  // give the tensor a name first
  void array() const&& = delete;                // give the tensor a name first
  void row() const&& = delete;                  // give the tensor a name first
  void matrix() const&& = delete;               // give the tensor a name first

  template <class... Indices>
  Scalar& operator()(Indices... indices) & {
    static_assert(Rank == Dynamic || static_cast<int>(sizeof...(Indices)) == Rank,
                  "one index for each axis");
    return view()(indices...);
  }
  template <class... Indices>
  Scalar operator()(Indices... indices) const& {
    static_assert(Rank == Dynamic || static_cast<int>(sizeof...(Indices)) == Rank,
                  "one index for each axis");
    return view()(indices...);
  }
  template <class... Indices>
  Scalar& at(Indices... indices) & {
    return view().at(indices...);
  }
  template <class... Indices>
  Scalar at(Indices... indices) const& {
    return view().at(indices...);
  }

  /// The same shape and the same elements.
  bool operator==(const Tensor&) const = default;

 private:
  template <class... Numbers>
  static void refuse() {
    static_assert(
        detail::never<Numbers...>,
        "these numbers are neither the shape nor the values of a heed::Tensor: write "
        "Shape{2, 3} for zeros of a shape; values have a pair of braces for each axis, and "
        "the type says how many: Tensor<float, 2>{{1, 2, 3}, {4, 5, 6}}");
  }

  template <class List>
  static void measure(const std::initializer_list<List>& list, Shape& shape) {
    shape.push_back(static_cast<Index>(list.size()));
    if constexpr (!std::is_same_v<List, Scalar>) {
      if (list.size() > 0) measure(*list.begin(), shape);
    }
  }

  template <class List>
  static void fill(const std::initializer_list<List>& list, const Shape& shape, Index axis,
                   Scalar*& next) {
    check<ShapeError>(static_cast<Index>(list.size()) == shape[axis], "nested lists of ", shape,
                      " need ", shape[axis], " entries along axis ", axis, ", got ", list.size());
    for (const List& entry : list) {
      if constexpr (std::is_same_v<List, Scalar>) {
        *next++ = entry;
      } else {
        fill(entry, shape, axis + 1, next);
      }
    }
  }

  using Elements = std::vector<Scalar, Eigen::aligned_allocator<Scalar>>;

  /// Takes the elements away: an Eigen expression of them, which whoever holds it may copy.
  template <class Plain>
  auto owned(Index rows, Index cols) {
    const auto elements = std::make_shared<const Elements>(std::move(elements_));
    const auto at = [elements](Index i) { return (*elements)[static_cast<std::size_t>(i)]; };
    if constexpr (Plain::IsVectorAtCompileTime) {
      return Plain::NullaryExpr(rows, cols, at);
    } else {
      return Plain::NullaryExpr(rows, cols, [=](Index r, Index c) { return at(r * cols + c); });
    }
  }

  Elements elements_;
  Shape shape_;
};

}  // namespace heed

#undef HEED_LIFETIMEBOUND
