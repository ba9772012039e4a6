#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Repeats each step of a sequence: `y[n, t] = x[n, ⌊t / size⌋]`.
///
///     x: (N, T, D)    y: (N, T size, D)
///
/// A mask of the input is dropped, as in Keras.
///
/// Keras: `layers.UpSampling1D`.
struct UpSampling1D {
  Index size = 2;

  static constexpr std::string_view type = "UpSampling1D";
  static constexpr auto fields() { return std::tuple{field("size", &UpSampling1D::size)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_positive("size", size);
    detail::check_rank(x, 2, "(steps, features)");
    if (x[0] == any) return x;
    const Shape together{x[0], size};  // throws if there are more steps than can be counted
    return {together.size(), x[1]};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto x = args.x[0].matrix();
    auto y = args.y[0].matrix();
    for (Index t = 0; t < y.rows(); ++t) y.row(t) = x.row(t / size);
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    if (!args.dx[0]) return;
    // yₜ = x₍ₜ/ₛ₎:  dx is the sum of the dy of its copies
    const auto dy = args.dy[0].matrix();
    auto dx = args.dx[0].matrix();
    dx.setZero();
    for (Index t = 0; t < dy.rows(); ++t) dx.row(t / size) += dy.row(t);
  }
};

}  // namespace heed
