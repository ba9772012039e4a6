#pragma once

#include <heed/layers/window.hpp>

namespace heed {

/// The largest value of each feature in a sequence: `y[n, d] = maxₜ x[n, t, d]`.
///
///     x: (N, T, D)    y: (N, D), or (N, 1, D) with `keepdims`
///
/// Equal values share the gradient. A mask of the input is ignored and dropped, as in Keras: masked
/// steps count like all others.
///
/// Keras: `layers.GlobalMaxPooling1D` with `data_format="channels_last"`.
struct GlobalMaxPooling1D {
  bool keepdims = false;

  static constexpr std::string_view type = "GlobalMaxPooling1D";
  static constexpr auto fields() {
    return std::tuple{field("keepdims", &GlobalMaxPooling1D::keepdims)};
  }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const { return detail::global_pool_shape(x, keepdims); }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    auto y = args.y[0].matrix();
    for (Index n = 0; n < x.dim(0); ++n) {
      const auto x_n = x.slice(n);
      y.row(n) = x_n.row(0);
      for (Index t = 1; t < x.dim(1); ++t) detail::set_larger<S>(x_n.row(t), y.row(n));
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y = xₜ for the t of a set M:  dxₜ = dy / |M|, and zero for all other t
    const auto y = args.y[0].matrix(), dy = args.dy[0].matrix();
    for (Index n = 0; n < x.dim(0); ++n) {
      const auto x_n = x.slice(n);
      auto dx_n = dx.slice(n);
      for (Index d = 0; d < x.dim(2); ++d) {
        Index equal = 0;
        for (Index t = 0; t < x.dim(1); ++t) equal += x_n(t, d) == y(n, d) ? 1 : 0;
        for (Index t = 0; t < x.dim(1); ++t) {
          dx_n(t, d) = x_n(t, d) == y(n, d) ? dy(n, d) / static_cast<S>(equal) : S{0};
        }
      }
    }
  }

  /// The largest values so far.
  std::vector<Shape> stream_state(const Shape& x, Index) const {
    detail::check_global_pool_streams(keepdims);
    return {Shape{x.back()}};
  }

  template <class S>
  void stream(const Forward<S>& args, Index seen, Cache<S>&) const {
    const auto x = args.x[0].matrix();
    auto y = args.y[0].matrix();
    auto largest = args.next_state[0].row();
    for (Index i = 0; i < x.rows(); ++i) {
      if (seen + i == 0) largest = x.row(0);
      detail::set_larger<S>(x.row(i), largest);
      y.row(i) = largest;
    }
  }
};

}  // namespace heed
