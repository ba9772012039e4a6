#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// The last time step of a sequence: `y = x[:, T − 1, :]`.
///
///     x: (N, T, D)    y: (N, D)
///
/// Keras has no such layer; programs write `Lambda(lambda x: x[:, -1, :])`.
struct LastStep {
  static constexpr std::string_view type = "LastStep";
  static constexpr auto fields() { return std::tuple{}; }

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_rank(x, 2, "(steps, features)");
    return {x.back()};
  }

  template <class S>
  void forward(Parameters<const S>, View<const S> x, View<S> y, Cache<S>&) const {
    y.matrix() = x.step(x.dim(1) - 1);
  }

  template <class S>
  void backward(Parameters<const S>, View<const S>, View<const S>, View<const S> dy, Cache<S>&,
                Parameters<S>, View<S> dx) const {
    if (!dx) return;
    // y = x_T:  dx_T = dy, and nothing flows to the other steps
    dx.array().setZero();
    dx.step(dx.dim(1) - 1) = dy.matrix();
  }

  static std::vector<Shape> state(const Shape&, Index) { return {}; }

  template <class S>
  void stream(Parameters<const S>, const View<const S>& x, const View<S>& y,
              std::span<const View<S>>, Index, Cache<S>&) const {
    y.array() = x.array();  // of each step, the last one so far
  }
};

}  // namespace heed
