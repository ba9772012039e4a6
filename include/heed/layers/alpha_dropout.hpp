#pragma once

#include <cmath>

#include <heed/layers/noise.hpp>

namespace heed {

/// Dropout for networks of SELU, which keeps mean 0 and variance 1 (Klambauer et al. 2017, section 3).
/// In training, with k = 0 with probability `rate`, otherwise 1, and p = −1.7581 the limit of SELU:
///
///     y = a (k x + p (1 − k)) + b    a = 1 / √((1 − rate) (1 + rate p²))    b = −a p rate
///
/// Otherwise `y = x`.
///
/// Keras: `layers.AlphaDropout`, without `noise_shape`.
struct AlphaDropout {
  Required<double> rate;

  static constexpr std::string_view type = "AlphaDropout";
  static constexpr auto fields() { return std::tuple{field("rate", &AlphaDropout::rate)}; }

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
    const double limit = -1.6732632423543772 * 1.0507009873554805;
    const double a = 1 / std::sqrt((1 - rate) * (1 + rate * limit * limit));
    const double b = -a * limit * rate;
    const S kept = static_cast<S>(a), dropped = static_cast<S>(a * limit + b);
    detail::noise_forward(args, 1, cache,
                          [&](Random& random) { return random.uniform() < rate ? S{0} : kept; });
    if (!args.pass.training) return;
    auto y = args.y[0].array();
    for (Index i = 0; i < y.size(); ++i) {
      y[i] += cache.factors.data()[i] == S{0} ? dropped : static_cast<S>(b);
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    // y = a k x + …:  dx = a k dy
    detail::noise_backward(args, 1, cache);
  }
};

}  // namespace heed
