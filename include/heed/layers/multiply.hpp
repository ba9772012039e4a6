#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

namespace detail {

/// The common shape of all inputs of an element-wise layer.
inline Shape common_shape(std::span<const Shape> x) {
  check<ShapeError>(x.size() >= 2, "expected at least two inputs, got ", x.size());
  for (const Shape& shape : x) {
    check<ShapeError>(shape == x[0], "expected inputs of the same shape, got ", x[0], " and ",
                      shape);
  }
  return x[0];
}

}  // namespace detail

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
    if (!has_masks(args)) {
      y = args.x[0].array() * args.x[1].array();
      for (const auto& factor : args.x.subspan(2)) y *= factor.array();
      return;
    }
    y.setOnes();
    for_each_step(args, [&](auto step, auto counts) {
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
        if (j != i && !has_masks(args)) dx[i].array() *= x[j].array();
      }
    }
    if (!has_masks(args)) return;
    for_each_step(args, [&](auto step, auto counts) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (dx[i] && !counts(i)) step(dx[i]).setZero();
        for (std::size_t j = 0; dx[i] && j < x.size(); ++j) {
          if (j != i && counts(j)) step(dx[i]) *= step(x[j]);
        }
      }
    });
  }

 private:
  template <class Args>
  static bool has_masks(const Args& args) {
    return std::any_of(args.steps.begin(), args.steps.end(),
                       [](auto& steps) { return bool(steps); });
  }

  /// Calls `use(step, counts)` for each step of a batch: `step(x)` is the part of x, and
  /// `counts(j)` is false if the step is masked in factor j.
  template <class Args, class Use>
  static void for_each_step(const Args& args, const Use& use) {
    const Shape& shape = args.x[0].shape();
    const Index T = shape[1], size = shape.product(2, shape.rank());
    for (Index row = 0; row < shape[0] * T; ++row) {
      const auto step = [&](auto x) {
        return ArrayMap<std::remove_pointer_t<decltype(x.data())>>(x.data() + row * size, size);
      };
      use(step, [&](std::size_t j) { return args.counting(j).counts(row / T, row % T); });
    }
  }
};

}  // namespace heed
