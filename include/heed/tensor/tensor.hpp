#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include <heed/tensor/view.hpp>

// Lets clang warn if a view of a temporary is kept.
#ifdef __clang__
#define HEED_LIFETIMEBOUND [[clang::lifetimebound]]
#else
#define HEED_LIFETIMEBOUND
#endif

namespace heed {

/// The rank of a tensor that knows its number of axes only at run time.
inline constexpr int Dynamic = Eigen::Dynamic;

namespace detail {

/// The type of `{{1, 2}, {3, 4}}`: initialiser lists, nested `Rank` deep.
template <class Scalar, int Rank>
struct NestedList {
  using type = std::initializer_list<typename NestedList<Scalar, Rank - 1>::type>;
};
template <class Scalar>
struct NestedList<Scalar, 1> {
  using type = std::initializer_list<Scalar>;
};
/// A tensor of dynamic rank cannot be made from nested lists; nothing converts to this type.
template <class Scalar>
struct NestedList<Scalar, Dynamic> {
  struct type {
    type() = delete;
  };
};

/// Matches a number in braces that are neither a shape nor values for the tensor's rank.
struct Number {
  template <class T>
    requires std::is_arithmetic_v<T> Number(T) {}  // NOLINT(google-explicit-constructor)
};

/// False, but only when the function that contains it is instantiated.
template <class...>
inline constexpr bool never = false;

}  // namespace detail

/// A row-major, contiguous array of `Rank` axes that owns its elements.
///
/// With `Rank = Dynamic` (the default), the number of axes is known only at run time. A tensor can
/// be resized within its capacity without allocating. Every tensor converts to a `View`, which is
/// what layers and models accept.
///
/// Braces contain values, and `Shape{…}` is a shape. Expressions that could mean either do not
/// compile.
///
/// `view`, `samples` and other functions that return views cannot be called on a temporary, because
/// the view would refer to freed memory. A temporary can be passed to a function,
/// `plot::bars(model.predict(x))`, or used in an expression, `model.predict(x).array()`.
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

  /// A copy of values in row-major order, for example of a `std::vector`. Throws `ShapeError` if
  /// their number does not match the shape.
  Tensor(const Shape& shape, std::span<const Scalar> values) {
    check<ShapeError>(shape.size() == static_cast<Index>(values.size()), "a tensor of ", shape,
                      " has ", shape.size(), " elements, got ", values.size(), " values");
    resize(shape);
    std::copy(values.begin(), values.end(), data());
  }

  /// Nested braces: `Tensor<float, 2> x{{1, 2}, {3, 4}}`. Throws `ShapeError` if the rows have
  /// different lengths.
  Tensor(typename detail::NestedList<Scalar, Rank>::type values) requires(Rank != Dynamic) {
    Shape shape;
    measure(values, shape);
    resize(shape);
    Scalar* next = data();
    fill(values, shape, 0, next);
  }

  // These overloads make ambiguous or invalid arguments a compile error with an explanation. A
  // constructor with a parameter pack is considered only for `({64})`, never for `{64}`.
  /// Refused: the argument is ambiguous.
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

  /// A copy of an Eigen matrix or expression of any storage order, with the shape (rows, cols).
  template <class Derived>
  explicit Tensor(const Eigen::DenseBase<Derived>& values) requires(Rank == 2 || Rank == Dynamic) {
    resize(Shape{values.rows(), values.cols()});
    matrix() = values.derived().matrix();
  }

  /// A copy of the elements of a view.
  explicit Tensor(View<const Scalar> values) { assign(values); }

  /// Converts between known and dynamic rank. Throws `ShapeError` if the ranks differ.
  template <int Other>
  explicit(Rank != Dynamic) Tensor(const Tensor<Scalar, Other>& other) requires(Other != Rank) {
    assign(other);
  }

  void assign(View<const Scalar> values) {
    resize(values.shape());
    std::copy_n(values.data(), size(), data());
  }

  /// Changes the shape. The elements are then unspecified; newly allocated memory is zero.
  /// Allocates only if the capacity is too small.
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
  /// Also allowed for a temporary, which lives until the end of the call it is passed to.
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

  // The functions of `View`, applied to this tensor's elements.
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

  // For a temporary, these return read-only expressions that own the elements, so that
  // `(model.predict(x).array() - y.array()).abs()` can safely be stored.
  auto array() && { return owned<Eigen::Array<Scalar, Eigen::Dynamic, 1>>(size(), 1); }
  auto row() && { return owned<Row<Scalar>>(1, size()); }
  auto matrix() && { return owned<Matrix<Scalar>>(shape_.leading(), shape_.back()); }

  // The other functions would return views of a temporary that is about to be destroyed.
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

  /// Whether shapes and elements are equal.
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

  /// Moves the elements into an Eigen expression, which can be copied.
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
