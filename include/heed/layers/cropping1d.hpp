#pragma once

#include <heed/layers/window.hpp>

namespace heed {

/// Removes steps at the beginning and at the end of a sequence: `y[n, t] = x[n, t + c₁]`.
///
///     x: (N, T, D)    y: (N, T − c₁ − c₂, D)    c = cropping
///
/// A mask of the input is dropped, as in Keras.
///
/// Keras: `layers.Cropping1D`; `cropping` is a list of two numbers here, also if they are equal.
struct Cropping1D {
  std::vector<Index> cropping = {1, 1};

  static constexpr std::string_view type = "Cropping1D";
  static constexpr auto fields() { return std::tuple{field("cropping", &Cropping1D::cropping)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_ends("cropping", cropping);
    detail::check_rank(x, 2, "(steps, features)");
    if (x[0] == any) return x;
    check<ShapeError>(x[0] - cropping[0] - cropping[1] > 0, "expected more than the ",
                      cropping[0] + cropping[1], " steps that are cropped, got ", x);
    return {x[0] - cropping[0] - cropping[1], x[1]};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<S> y = args.y[0];
    for (Index n = 0; n < y.dim(0); ++n) {
      y.slice(n) = args.x[0].slice(n).middleRows(cropping[0], y.dim(1));
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y is a part of x:  dx is dy there and zero elsewhere
    const View<const S> dy = args.dy[0];
    dx.set_zero();
    for (Index n = 0; n < dx.dim(0); ++n) {
      dx.slice(n).middleRows(cropping[0], dy.dim(1)) = dy.slice(n);
    }
  }
};

}  // namespace heed
