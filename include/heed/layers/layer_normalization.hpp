#pragma once

#include <heed/layers/normalizing.hpp>

namespace heed {

/// Shifts and scales the elements along some axes to mean 0 and variance 1, separately for each
/// sample and each position on the other axes (Ba, Kiros, Hinton 2016, section 3):
///
///     x̂ = (x − mean) / √(variance + epsilon)
///     y = gamma ∘ x̂ + beta
///
///     x: (N, …, K, …)    gamma, beta: (K), of the lengths of the axes    y: as x
///
/// Keras: `layers.LayerNormalization`, along adjacent axes and without `rms_scaling`.
struct LayerNormalization {
  std::vector<Index> axis = {-1};
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = Initializer::zeros;
  Initializer gamma_initializer = Initializer::ones;

  static constexpr std::string_view type = "LayerNormalization";
  static constexpr auto fields() {
    using L = LayerNormalization;
    return std::tuple{field("axis", &L::axis),
                      field("epsilon", &L::epsilon),
                      field("center", &L::center),
                      field("scale", &L::scale),
                      field("beta_initializer", &L::beta_initializer),
                      field("gamma_initializer", &L::gamma_initializer)};
  }

  Shape output_shape(const Shape& x) const {
    detail::check_variance_epsilon(epsilon);
    const Shape shape = weight_shape(x);
    check<ShapeError>(shape.is_known(), "expected known lengths along its axes, got ", x);
    return x;
  }

  std::vector<Weight> weights(const Shape& x) const {
    return detail::normalizing_weights(*this, weight_shape(x));
  }

  bool is_step_wise(const Shape& x) const { return detail::leaves_steps_apart(axis, x); }
  static bool keeps_steps() { return true; }

  template <class S>
  using Cache = detail::NormalizingCache<S>;

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const auto axes = detail::along(axis, args.x[0].shape());
    cache.moments.resize({axes.groups(), 2});
    detail::for_each_group(axes, [&](Index group, auto elements) {
      const auto x = elements(args.x[0]);
      auto y = elements(args.y[0]);
      S* moments = cache.moments.data() + 2 * group;
      detail::write_moments(x, epsilon, moments);
      y = (x - moments[0]) * moments[1];
      if (scale) y *= args.w[0].array();
      if (center) y += args.w[beta()].array();
    });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const auto axes = detail::along(axis, args.x[0].shape());
    detail::for_each_group(axes, [&](Index group, auto elements) {
      const auto x = elements(args.x[0]), dy = elements(args.dy[0]);
      const S mean = cache.moments.data()[2 * group], inverse = cache.moments.data()[2 * group + 1];
      const auto normal = (x - mean) * inverse;
      // y = gamma ∘ x̂ + beta:  dgamma += dy ∘ x̂,  dbeta += dy,  dx̂ = dy ∘ gamma
      if (args.dw && scale) args.dw[0].array() += dy * normal;
      if (args.dw && center) args.dw[beta()].array() += dy;
      if (!args.dx[0]) return;
      auto dx = elements(args.dx[0]);
      dx = dy;
      if (scale) dx *= args.w[0].array();
      // x̂ = (x − mean) inverse:  dx = inverse (dx̂ − mean(dx̂) − x̂ mean(dx̂ ∘ x̂))
      const auto K = static_cast<S>(x.size());
      const S shift = dx.sum() / K, slope = (dx * normal).sum() / K;
      dx = inverse * (dx - shift - normal * slope);
    });
  }

 private:
  std::size_t beta() const { return scale ? 1 : 0; }

  Shape weight_shape(const Shape& x) const {
    const auto [first, last] = detail::range_along(axis, x);
    Shape shape;
    for (Index at = first; at < last; ++at) shape.push_back(x[at]);
    return shape;
  }
};

}  // namespace heed
