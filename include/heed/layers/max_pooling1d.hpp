#pragma once

#include <heed/layers/window.hpp>

namespace heed {

/// The largest value of each feature in a window that moves along the time axis:
///
///     y[n, t, d] = maxⱼ x[n, t s + j − p, d]    over the steps inside the sequence
///
///     x: (N, T, D)    y: (N, T', D)    j from 0 to pool_size − 1
///
/// s is `strides`, or `pool_size` if that is 0. T' and p are as in `Conv1D`; `padding` is valid or
/// same. The gradient goes to the first of several equal values. A mask of the input is dropped, as
/// in Keras.
///
/// Keras: `layers.MaxPooling1D` with `data_format="channels_last"`; `strides` 0 is None there.
struct MaxPooling1D {
  Index pool_size = 2;
  Index strides = 0;
  WindowPadding padding = WindowPadding::valid;

  static constexpr std::string_view type = "MaxPooling1D";
  static constexpr auto fields() {
    return std::tuple{field("pool_size", &MaxPooling1D::pool_size),
                      field("strides", &MaxPooling1D::strides),
                      field("padding", &MaxPooling1D::padding)};
  }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    return {detail::check_pooling(pool_size, strides, padding, x), x[1]};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    detail::for_each_pool(detail::pools(pool_size, strides, padding, args.x[0].dim(1)), args.x[0],
                          args.y[0], [](auto x, auto y) {
                            y = x.row(0);
                            for (Index j = 1; j < x.rows(); ++j) detail::set_larger<S>(x.row(j), y);
                          });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y = xⱼ for the first j where it is largest:  dxⱼ += dy
    dx.set_zero();
    const auto windows = detail::pools(pool_size, strides, padding, dx.dim(1));
    const S* x = args.x[0].data();
    const S* y = args.y[0].data();
    const S* dy = args.dy[0].data();
    const Index D = dx.dim(2);
    for (Index n = 0; n < dx.dim(0); ++n) {
      for (Index t = 0; t < windows.outputs; ++t) {
        const auto [begin, end] = windows.inside(t);
        for (Index d = 0; d < D; ++d) {
          const Index out = (n * windows.outputs + t) * D + d;
          for (Index j = begin; j < end; ++j) {
            const Index in = (n * windows.steps + windows.first(t) + j) * D + d;
            if (x[in] != y[out]) continue;
            dx.data()[in] += dy[out];
            break;
          }
        }
      }
    }
  }
};

}  // namespace heed
