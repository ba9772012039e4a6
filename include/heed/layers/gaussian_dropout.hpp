#pragma once

#include <cmath>

#include <heed/layers/noise.hpp>

namespace heed {

/// In training, multiplies each element by a random number of the normal distribution with mean 1 and
/// variance `rate / (1 − rate)` (Srivastava et al. 2014, section 10). Otherwise `y = x`.
///
/// Keras: `layers.GaussianDropout`.
struct GaussianDropout {
  Required<double> rate;

  static constexpr std::string_view type = "GaussianDropout";
  static constexpr auto fields() { return std::tuple{field("rate", &GaussianDropout::rate)}; }

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
    const double stddev = std::sqrt(rate / (1 - rate));
    detail::noise_forward(args, 1, cache,
                          [&](Random& random) { return static_cast<S>(random.normal(1, stddev)); });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    detail::noise_backward(args, 1, cache);
  }
};

}  // namespace heed
