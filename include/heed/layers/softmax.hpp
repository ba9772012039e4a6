#pragma once

#include <heed/layers/along.hpp>

namespace heed {

/// Softmax along one axis: `yⱼ = exp(xⱼ) / Σₖ exp(xₖ)`.
///
/// A softmax along the steps, `axis` 1, leaves masked steps out: they are 0. Along another axis the
/// mask is handed on.
///
/// Keras: `layers.Softmax`, with one axis. Keras takes a mask of x for one of all its elements; it
/// agrees with heed for inputs of (steps).
struct Softmax {
  Index axis = -1;

  static constexpr std::string_view type = "Softmax";
  static constexpr auto fields() { return std::tuple{field("axis", &Softmax::axis)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::range_along(std::span(&axis, 1), x);
    return x;
  }

  bool is_step_wise(const Shape& x) const {
    return detail::leaves_steps_apart(std::span(&axis, 1), x);
  }
  static bool keeps_steps() { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto axes = detail::along(std::span(&axis, 1), args.x[0].shape());
    const Index per_sample = axes.groups() / (std::max)(Index{1}, args.x[0].dim(0));
    detail::for_each_group(axes, [&](Index group, auto elements) {
      const auto x = elements(args.x[0]);
      auto y = elements(args.y[0]);
      const auto counts = [&](Index k) {
        return !axes.of_steps || args.counting().counts(group / per_sample, k);
      };
      bool is_any = false;
      S top = 0;
      for (Index k = 0; k < x.size(); ++k) {
        if (!counts(k)) continue;
        top = is_any && !(x[k] > top) ? top : x[k];
        is_any = true;
      }
      S sum = 0;
      for (Index k = 0; k < x.size(); ++k) {
        using std::exp;
        y[k] = counts(k) ? exp(x[k] - top) : S{0};
        sum += y[k];
      }
      if (is_any) y *= 1 / sum;
    });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    if (!args.dx[0]) return;
    const auto axes = detail::along(std::span(&axis, 1), args.x[0].shape());
    // yⱼ = exp(xⱼ) / Σₖ exp(xₖ):  dxⱼ = yⱼ (dyⱼ − Σᵢ dyᵢ yᵢ), which is 0 where y is
    detail::for_each_group(axes, [&](Index, auto elements) {
      const auto y = elements(args.y[0]), dy = elements(args.dy[0]);
      const S inner = (dy * y).sum();
      elements(args.dx[0]) = y * (dy - inner);
    });
  }
};

}  // namespace heed
