#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

namespace detail {

/// The shape that all inputs of an element-wise layer share.
inline Shape common_shape(std::span<const Shape> x) {
  check<ShapeError>(x.size() >= 2, "expected at least two inputs, got ", x.size());
  for (const Shape& shape : x) {
    check<ShapeError>(shape == x[0], "expected inputs of one shape, got ", x[0], " and ", shape);
  }
  return x[0];
}

}  // namespace detail

/// The element-wise product of two or more inputs of one shape: `y = x₁ ∘ x₂ ∘ …`.
///
/// Keras: `layers.Multiply`, without broadcasting.
struct Multiply {
  static constexpr std::string_view type = "Multiply";
  static constexpr auto fields() { return std::tuple{}; }

  template <class S>
  using Cache = NoCache;

  Shape output_shape(std::span<const Shape> x) const { return detail::common_shape(x); }

  static bool is_step_wise(std::span<const Shape>) { return true; }

  template <class S>
  void forward(Parameters<const S>, std::span<const View<const S>> x, View<S> y, Cache<S>&) const {
    y.array() = x[0].array() * x[1].array();
    for (const auto& factor : x.subspan(2)) y.array() *= factor.array();
  }

  template <class S>
  void backward(Parameters<const S>, std::span<const View<const S>> x, View<const S>,
                View<const S> dy, Cache<S>&, Parameters<S>, std::span<const View<S>> dx) const {
    // y = Πⱼ xⱼ:  dxᵢ = dy ∘ Π_{j ≠ i} xⱼ
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!dx[i]) continue;
      dx[i].array() = dy.array();
      for (std::size_t j = 0; j < x.size(); ++j) {
        if (j != i) dx[i].array() *= x[j].array();
      }
    }
  }
};

}  // namespace heed
