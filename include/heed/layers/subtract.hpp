#pragma once

#include <heed/layers/merging.hpp>

namespace heed {

/// The element-wise difference of two inputs of the same shape: `y = x₁ − x₂`.
///
/// Keras: `layers.Subtract`, without broadcasting.
struct Subtract {
  static constexpr std::string_view type = "Subtract";
  static constexpr auto fields() { return std::tuple{}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(std::span<const Shape> x) const {
    check<ShapeError>(x.size() == 2, "expected two inputs, got ", x.size());
    return detail::common_shape(x);
  }

  static bool is_step_wise(std::span<const Shape>) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    args.y[0].array() = args.x[0].array() - args.x[1].array();
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    // y = x₁ − x₂:  dx₁ = dy,  dx₂ = −dy
    if (args.dx[0]) args.dx[0].array() = args.dy[0].array();
    if (args.dx[1]) args.dx[1].array() = -args.dy[0].array();
  }
};

}  // namespace heed
