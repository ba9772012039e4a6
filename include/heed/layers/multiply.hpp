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

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(std::span<const Shape> x) const { return detail::common_shape(x); }

  static bool is_step_wise(std::span<const Shape>) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    auto y = args.y[0].array();
    y = args.x[0].array() * args.x[1].array();
    for (const auto& factor : args.x.subspan(2)) y *= factor.array();
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const auto x = args.x;
    const auto dx = args.dx;
    // y = Πⱼ xⱼ:  dxᵢ = dy ∘ Π_{j ≠ i} xⱼ
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!dx[i]) continue;
      dx[i].array() = args.dy[0].array();
      for (std::size_t j = 0; j < x.size(); ++j) {
        if (j != i) dx[i].array() *= x[j].array();
      }
    }
  }
};

}  // namespace heed
