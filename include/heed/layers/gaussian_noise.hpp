#pragma once

#include <heed/layers/noise.hpp>

namespace heed {

/// In training, adds to each element a random number of the normal distribution with mean 0 and the
/// standard deviation `stddev`. Otherwise `y = x`.
///
/// Keras: `layers.GaussianNoise`, which since Keras 3 accepts a `stddev` of at most 1.
struct GaussianNoise {
  Required<double> stddev;

  static constexpr std::string_view type = "GaussianNoise";
  static constexpr auto fields() { return std::tuple{field("stddev", &GaussianNoise::stddev)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = detail::NoiseCache<S>;

  Shape output_shape(const Shape& x) const {
    detail::check_not_negative("a stddev", stddev);
    return x;
  }

  static bool is_step_wise(const Shape&) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    detail::copy_elements(args);
    if (!args.pass.training) return;
    const Shape& x = args.x[0].shape();
    detail::draw_noise(args.pass, x[0], x.product(1, x.rank()), cache.factors,
                       [&](Random& random) { return static_cast<S>(random.normal(0, stddev)); });
    args.y[0].array() += cache.factors.array();
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    // y = x + noise:  dx = dy
    detail::copy_elements_back(args);
  }
};

}  // namespace heed
