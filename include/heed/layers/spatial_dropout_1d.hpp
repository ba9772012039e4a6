#pragma once

#include <heed/layers/noise.hpp>

namespace heed {

/// Dropout of whole features: in training, sets each feature of a sample to zero in all steps with
/// probability `rate`, and multiplies the others by `1 / (1 − rate)` (Tompson et al. 2015, section
/// 3.2). Otherwise `y = x`.
///
///     x: (N, T, D)    y: (N, T, D)
///
/// Keras: `layers.SpatialDropout1D`.
struct SpatialDropout1D {
  Required<double> rate;

  static constexpr std::string_view type = "SpatialDropout1D";
  static constexpr auto fields() { return std::tuple{field("rate", &SpatialDropout1D::rate)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = detail::NoiseCache<S>;

  Shape output_shape(const Shape& x) const {
    detail::check_rate(rate);
    detail::check_rank(x, 2, "(steps, features)");
    return x;
  }

  static bool is_step_wise(const Shape&) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    detail::noise_forward(args, args.x[0].dim(1), cache, detail::dropout_factor<S>(rate));
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    detail::noise_backward(args, args.dy[0].dim(1), cache);
  }
};

}  // namespace heed
