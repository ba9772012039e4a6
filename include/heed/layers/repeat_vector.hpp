#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Repeats a vector over `n` time steps: `y[:, t, :] = x`.
///
///     x: (N, D)    y: (N, n, D)
///
/// Keras: `layers.RepeatVector`.
struct RepeatVector {
  Required<Index> n;

  static constexpr std::string_view type = "RepeatVector";
  static constexpr auto fields() { return std::tuple{field("n", &RepeatVector::n)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_positive("n", n);
    detail::check_rank(x, 1, "(features)");
    return {n, x[0]};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    for (Index t = 0; t < n; ++t) args.y[0].step(t) = args.x[0].matrix();
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // yₜ = x for every t:  dx = Σₜ dyₜ
    dx.array().setZero();
    for (Index t = 0; t < n; ++t) dx.matrix() += args.dy[0].step(t);
  }
};

}  // namespace heed
