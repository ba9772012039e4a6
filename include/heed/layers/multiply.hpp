#pragma once

#include <heed/layers/merging.hpp>

namespace heed {

/// The element-wise product of two or more inputs of the same shape: `y = x₁ ∘ x₂ ∘ …`.
///
/// A factor counts as 1 at its masked steps, and y is 0 at steps that are masked in all factors.
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
    if (!detail::has_masks(args)) {
      y = args.x[0].array() * args.x[1].array();
      for (const auto& factor : args.x.subspan(2)) y *= factor.array();
      return;
    }
    y.setOnes();
    detail::for_each_step(args, [&](auto step, auto counts) {
      bool is_any = false;
      for (std::size_t j = 0; j < args.x.size(); ++j) {
        if (!counts(j)) continue;
        step(args.y[0]) *= step(args.x[j]);
        is_any = true;
      }
      if (!is_any) step(args.y[0]).setZero();
    });
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
        if (j != i && !detail::has_masks(args)) dx[i].array() *= x[j].array();
      }
    }
    if (!detail::has_masks(args)) return;
    detail::for_each_step(args, [&](auto step, auto counts) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (dx[i] && !counts(i)) step(dx[i]).setZero();
        for (std::size_t j = 0; dx[i] && j < x.size(); ++j) {
          if (j != i && counts(j)) step(dx[i]) *= step(x[j]);
        }
      }
    });
  }
};

}  // namespace heed
