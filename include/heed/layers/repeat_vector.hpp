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

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_positive("n", n);
    detail::check_rank(x, 1, "(features)");
    return {n, x[0]};
  }

  template <class S>
  void forward(Parameters<const S>, View<const S> x, View<S> y, Cache<S>&) const {
    for (Index t = 0; t < n; ++t) y.step(t) = x.matrix();
  }

  template <class S>
  void backward(Parameters<const S>, View<const S>, View<const S>, View<const S> dy, Cache<S>&,
                Parameters<S>, View<S> dx) const {
    if (!dx) return;
    // yₜ = x for every t:  dx = Σₜ dyₜ
    dx.array().setZero();
    for (Index t = 0; t < n; ++t) dx.matrix() += dy.step(t);
  }
};

}  // namespace heed
