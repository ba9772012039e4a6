#pragma once

#include <heed/layers/merging.hpp>

namespace heed {

/// The element-wise sum of two or more inputs of the same shape: `y = x₁ + x₂ + …`.
///
/// Keras: `layers.Add`, without broadcasting.
struct Add {
  static constexpr std::string_view type = "Add";
  static constexpr auto fields() { return std::tuple{}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(std::span<const Shape> x) const { return detail::common_shape(x); }

  static bool is_step_wise(std::span<const Shape>) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    auto y = args.y[0].array();
    y = args.x[0].array() + args.x[1].array();
    for (const auto& term : args.x.subspan(2)) y += term.array();
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    // y = Σⱼ xⱼ:  dxᵢ = dy
    for (const auto& dx : args.dx) {
      if (dx) dx.array() = args.dy[0].array();
    }
  }
};

}  // namespace heed
