#pragma once

#include <heed/layers/window.hpp>

namespace heed {

/// The mean of each feature in a window that moves along the time axis:
///
///     y[n, t, d] = (1 / |J|) Σⱼ x[n, t s + j − p, d]    over the J steps inside the sequence
///
///     x: (N, T, D)    y: (N, T', D)    j from 0 to pool_size − 1
///
/// s is `strides`, or `pool_size` if that is 0. T' and p are as in `Conv1D`; `padding` is valid or
/// same. Padding is not part of the mean. A mask of the input is dropped, as in Keras.
///
/// Keras: `layers.AveragePooling1D` with `data_format="channels_last"`; `strides` 0 is None there.
struct AveragePooling1D {
  Required<Index> pool_size;
  Index strides = 0;
  WindowPadding padding = WindowPadding::valid;

  static constexpr std::string_view type = "AveragePooling1D";
  static constexpr auto fields() {
    return std::tuple{field("pool_size", &AveragePooling1D::pool_size),
                      field("strides", &AveragePooling1D::strides),
                      field("padding", &AveragePooling1D::padding)};
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
                            for (Index j = 1; j < x.rows(); ++j) y += x.row(j);
                            y /= static_cast<S>(x.rows());
                          });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y = Σⱼ xⱼ / |J|:  dxⱼ += dy / |J|
    dx.set_zero();
    detail::for_each_pool(detail::pools(pool_size, strides, padding, dx.dim(1)), dx, args.dy[0],
                          [](auto dx_j, auto dy) {
                            const S count = static_cast<S>(dx_j.rows());
                            for (Index j = 0; j < dx_j.rows(); ++j) dx_j.row(j) += dy / count;
                          });
  }
};

}  // namespace heed
