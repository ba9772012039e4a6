#pragma once

#include <heed/layers/window.hpp>

namespace heed {

/// Adds steps of zeros before and after a sequence:
///
///     y[n, t] = x[n, t − p₁]    zeros where x has no such step
///
///     x: (N, T, D)    y: (N, p₁ + T + p₂, D)    p = padding
///
/// A mask of the input is dropped, as in Keras.
///
/// Keras: `layers.ZeroPadding1D` with `data_format="channels_last"`; `padding` is a list of two
/// numbers here, also if they are equal.
struct ZeroPadding1D {
  std::vector<Index> padding = {1, 1};

  static constexpr std::string_view type = "ZeroPadding1D";
  static constexpr auto fields() { return std::tuple{field("padding", &ZeroPadding1D::padding)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_ends("padding", padding);
    detail::check_rank(x, 2, "(steps, features)");
    return {x[0] == any ? any : padding[0] + x[0] + padding[1], x[1]};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    for (Index n = 0; n < x.dim(0); ++n) {
      auto y = args.y[0].slice(n);
      y.topRows(padding[0]).setZero();
      y.middleRows(padding[0], x.dim(1)) = x.slice(n);
      y.bottomRows(padding[1]).setZero();
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y is x between zeros:  dx is that part of dy
    for (Index n = 0; n < dx.dim(0); ++n) {
      dx.slice(n) = args.dy[0].slice(n).middleRows(padding[0], dx.dim(1));
    }
  }
};

}  // namespace heed
