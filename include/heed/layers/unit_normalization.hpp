#pragma once

#include <heed/layers/along.hpp>

namespace heed {

/// Divides by the Euclidean norm along some axes, so that it becomes 1: `y = x / max(‖x‖, ε)` with
/// ε = 1e-12.
///
/// Keras: `layers.UnitNormalization`, along adjacent axes.
struct UnitNormalization {
  std::vector<Index> axis = {-1};

  static constexpr std::string_view type = "UnitNormalization";
  static constexpr auto fields() { return std::tuple{field("axis", &UnitNormalization::axis)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::range_along(axis, x);
    return x;
  }

  bool is_step_wise(const Shape& x) const { return detail::leaves_steps_apart(axis, x); }
  static bool keeps_steps() { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto axes = detail::along(axis, args.x[0].shape());
    detail::for_each_group(axes, [&](Index, auto elements) {
      const auto x = elements(args.x[0]);
      elements(args.y[0]) = x * inverse_norm<S>(x.square().sum());
    });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    if (!args.dx[0]) return;
    const auto axes = detail::along(axis, args.x[0].shape());
    detail::for_each_group(axes, [&](Index, auto elements) {
      const auto x = elements(args.x[0]), y = elements(args.y[0]), dy = elements(args.dy[0]);
      auto dx = elements(args.dx[0]);
      const S inverse = inverse_norm<S>(x.square().sum());
      // y = x / ‖x‖:  dx = (dy − y Σ dy y) / ‖x‖;  y = x / ε:  dx = dy / ε
      const S along = inverse < S{1} / epsilon<S>() ? (dy * y).sum() : S{0};
      dx = inverse * (dy - y * along);
    });
  }

 private:
  template <class S>
  static S epsilon() {
    return static_cast<S>(1e-12);
  }

  template <class S>
  static S inverse_norm(S squares) {
    using std::sqrt;
    const S most = S{1} / epsilon<S>();
    const S inverse = S{1} / sqrt(squares);
    return inverse < most ? inverse : most;
  }
};

}  // namespace heed
