#pragma once

#include <array>

#include <heed/layers/layer.hpp>

namespace heed {

namespace detail {

/// Copies `x` to `y` so that axis `i` of `y` is axis `axes[i]` of `x`. Elements are written in the
/// order of `y`.
template <class S>
void permute(View<const S> x, std::span<const Index> axes, View<S> y) {
  const Index rank = y.rank();
  std::array<Index, Shape::max_rank> stride{};  // the stride in x for each axis of y
  std::array<Index, Shape::max_rank> at{};
  for (Index axis = 0; axis < rank; ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    stride[i] = x.shape().product(axes[i] + 1, rank);
  }
  const Index inner = y.shape().back();
  const Index inner_stride = stride[static_cast<std::size_t>(rank - 1)];
  Index from = 0;
  for (S* to = y.data(); to != y.data() + y.size(); to += inner) {
    for (Index i = 0; i < inner; ++i) to[i] = x.data()[from + i * inner_stride];
    for (Index axis = rank - 2; axis >= 0; --axis) {  // to the next row of y, like an odometer
      const auto i = static_cast<std::size_t>(axis);
      from += stride[i];
      if (++at[i] < y.dim(axis)) break;
      from -= at[i] * stride[i];
      at[i] = 0;
    }
  }
}

}  // namespace detail

/// Reorders the axes of a sample: axis `i` of `y` is axis `dims[i]` of `x`. Axes count from 1 and
/// the batch axis stays first, so `Permute{.dims = {2, 1}}` swaps steps and features.
///
/// Keras: `layers.Permute`.
struct Permute {
  Required<std::vector<Index>> dims;

  static constexpr std::string_view type = "Permute";
  static constexpr auto fields() { return std::tuple{field("dims", &Permute::dims)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    check<OptionError>(
        !dims.value.empty() && static_cast<Index>(dims.value.size()) < Shape::max_rank,
        "expected 1 to ", Shape::max_rank - 1, " dims, got ", dims.value.size());
    std::vector<Index> sorted = dims;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      check<OptionError>(sorted[i] == static_cast<Index>(i) + 1,
                         "expected dims that contain each of 1 to ", sorted.size(), " once, got ",
                         to_text(std::span<const Index>(dims.value)));
    }
    check<ShapeError>(x.rank() == static_cast<Index>(sorted.size()), "expected an input of ",
                      sorted.size(), " axes for dims ", to_text(std::span<const Index>(dims.value)),
                      ", got ", x);
    Shape y;
    for (const Index dim : dims.value) y.push_back(x[dim - 1]);
    return y;
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    std::array<Index, Shape::max_rank> axes{};
    for (std::size_t i = 0; i < dims.value.size(); ++i) axes[i + 1] = dims.value[i];
    detail::permute<S>(args.x[0], axes, args.y[0]);
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    if (!args.dx[0]) return;
    std::array<Index, Shape::max_rank> inverse{};
    for (std::size_t i = 0; i < dims.value.size(); ++i) {
      inverse[static_cast<std::size_t>(dims.value[i])] = static_cast<Index>(i) + 1;
    }
    detail::permute<S>(args.dy[0], inverse, args.dx[0]);
  }
};

}  // namespace heed
