#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// The last unmasked time step of a sequence; without a mask, `y = x[:, T − 1, :]`.
///
///     x: (N, T, D)    y: (N, D)
///
/// Keras has no such layer; programs use `Lambda(lambda x: x[:, -1, :])`, which ignores masks.
/// Throws `DataError` for a sample in which all steps are masked.
struct LastStep {
  static constexpr std::string_view type = "LastStep";
  static constexpr auto fields() { return std::tuple{}; }
  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_rank(x, 2, "(steps, features)");
    return {x.back()};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const Steps steps = args.counting();
    detail::check_each_has_a_step(steps);
    if (!steps) {
      args.y[0].matrix() = x.step(x.dim(1) - 1);
      return;
    }
    for (Index n = 0; n < x.dim(0); ++n) {
      args.y[0].matrix().row(n) = x.slice(n).row(detail::last_step(steps, n, x.dim(1)));
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y = x_T:  dx_T = dy, and dx is zero at all other steps
    dx.array().setZero();
    for (Index n = 0; n < dx.dim(0); ++n) {
      dx.slice(n).row(detail::last_step(args.counting(), n, dx.dim(1))) =
          args.dy[0].matrix().row(n);
    }
  }

  static std::vector<Shape> stream_state(const Shape&, Index) { return {}; }

  template <class S>
  void stream(const Forward<S>& args, Index, Cache<S>&) const {
    args.y[0].array() = args.x[0].array();  // each step is the last one so far
  }
};

}  // namespace heed
