#pragma once

#include <heed/layers/multiply.hpp>

namespace heed {

/// The element-wise sum of two or more inputs of one shape: `y = x₁ + x₂ + …`.
///
/// Keras: `layers.Add`, without broadcasting.
struct Add {
  static constexpr std::string_view type = "Add";
  static constexpr auto fields() { return std::tuple{}; }

  template <class S>
  using Cache = NoCache;

  Shape output_shape(std::span<const Shape> x) const { return detail::common_shape(x); }

  static bool is_step_wise(std::span<const Shape>) { return true; }

  template <class S>
  void forward(Parameters<const S>, std::span<const View<const S>> x, View<S> y, Cache<S>&) const {
    y.array() = x[0].array() + x[1].array();
    for (const auto& term : x.subspan(2)) y.array() += term.array();
  }

  template <class S>
  void backward(Parameters<const S>, std::span<const View<const S>>, View<const S>,
                View<const S> dy, Cache<S>&, Parameters<S>, std::span<const View<S>> dx) const {
    // y = Σⱼ xⱼ:  dxᵢ = dy
    for (const auto& d : dx) {
      if (d) d.array() = dy.array();
    }
  }
};

}  // namespace heed
