#pragma once

#include <heed/layers/layer.hpp>
#include <heed/math/finite.hpp>

// Layers that work along adjacent axes: `axis` counts as in Keras, with the axis of samples as 0 and
// negative numbers from the end.

namespace heed::detail {

/// Adjacent axes of a batch as one: `outer` groups in front of them, `length` elements along them,
/// `inner` groups behind them. The elements of a group are `inner` apart.
struct Along {
  Index outer = 1, length = 1, inner = 1;
  bool of_steps = false;  ///< whether the first axis of a sample is among them

  Index groups() const { return outer * inner; }
};

/// The range of axes of a sample that `axes` are, counted without the axis of samples.
inline std::pair<Index, Index> range_along(std::span<const Index> axes, const Shape& x) {
  check<OptionError>(!axes.empty(), "expected at least one axis");
  Index first = x.rank(), last = -1;
  std::uint64_t seen = 0;
  bool differ = true;
  for (const Index axis : axes) {
    check<OptionError>(-x.rank() <= axis && axis <= x.rank() && axis != 0, "expected an axis of ",
                       x.rank() + 1, " axes without that of the samples, got ", axis);
    const Index at = axis < 0 ? axis + x.rank() : axis - 1;
    differ = differ && (seen >> at & 1u) == 0;
    seen |= std::uint64_t{1} << at;
    first = (std::min)(first, at);
    last = (std::max)(last, at);
  }
  check<OptionError>(differ && last - first + 1 == std::ssize(axes),
                     "expected different axes that follow one another");
  return {first, last + 1};
}

/// `x` is the shape of a batch, and the range that of its samples.
inline Along along(std::pair<Index, Index> range, const Shape& x) {
  const auto [first, last] = range;
  return {x.product(0, first + 1), x.product(first + 1, last + 1), x.product(last + 1, x.rank()),
          first == 0};
}

inline Along along(std::span<const Index> axes, const Shape& batch) {
  return along(range_along(axes, batch.sample()), batch);
}

template <class S>
using StridedArray = Eigen::Map<Eigen::Array<S, Eigen::Dynamic, 1>, 0, Eigen::InnerStride<>>;
template <class S>
using ConstStridedArray =
    Eigen::Map<const Eigen::Array<S, Eigen::Dynamic, 1>, 0, Eigen::InnerStride<>>;

/// Calls `use(group, elements)` for each group; `elements(x)` are those of the group in x.
template <class Use>
void for_each_group(const Along& axes, const Use& use) {
  for (Index group = 0; group < axes.groups(); ++group) {
    const Index from = group / axes.inner * axes.length * axes.inner + group % axes.inner;
    const auto elements = [&]<class T>(View<T> x) {
      using Array = std::conditional_t<std::is_const_v<T>,
                                       ConstStridedArray<std::remove_const_t<T>>, StridedArray<T>>;
      return Array(x.data() + from, axes.length, Eigen::InnerStride<>(axes.inner));
    };
    use(group, elements);
  }
}

/// Whether each step of the output depends only on the same step of x.
inline bool leaves_steps_apart(std::span<const Index> axes, const Shape& x) {
  return x.rank() >= 2 && range_along(axes, x).first > 0;
}

}  // namespace heed::detail
