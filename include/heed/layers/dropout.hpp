#pragma once

#include <heed/layers/noise.hpp>

namespace heed {

/// In training, sets each element to zero with probability `rate` and multiplies the others by
/// `1 / (1 − rate)` (inverted dropout; Srivastava et al. 2014, section 10). Otherwise `y = x`.
///
/// Keras: `layers.Dropout`, without `noise_shape`. The mask of a sample depends on the seed, the
/// training step, the layer and the position of the sample in the batch.
struct Dropout {
  Required<double> rate;

  static constexpr std::string_view type = "Dropout";
  static constexpr auto fields() { return std::tuple{field("rate", &Dropout::rate)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = detail::NoiseCache<S>;

  Shape output_shape(const Shape& x) const {
    detail::check_rate(rate);
    return x;
  }

  static bool is_step_wise(const Shape&) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    detail::noise_forward(args, 1, cache, detail::dropout_factor<S>(rate));
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    detail::noise_backward(args, 1, cache);
  }
};

}  // namespace heed
