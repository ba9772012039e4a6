#pragma once

#include <heed/layers/along.hpp>

// What LayerNormalization and GroupNormalization share: a group of elements is shifted and scaled to
// mean 0 and variance 1.

namespace heed::detail {

/// The mean of a group and 1 / √(variance + ε), for each group: (groups, 2).
template <class S>
struct NormalizingCache {
  Tensor<S> moments;
};

/// Writes the moments of a group.
template <class S, class Elements>
void write_moments(const Elements& x, double epsilon, S* moments) {
  using std::sqrt;
  const S mean = x.sum() / static_cast<S>(x.size());
  const S variance = (x - mean).square().sum() / static_cast<S>(x.size());
  moments[0] = mean;
  moments[1] = S{1} / sqrt(variance + static_cast<S>(epsilon));
}

/// The fields `scale` and `center` say which of the two weights there are: gamma, beta.
template <class L>
std::vector<Weight> normalizing_weights(const L& layer, const Shape& shape) {
  std::vector<Weight> weights;
  if (layer.scale) weights.push_back({"gamma", shape, layer.gamma_initializer});
  if (layer.center) weights.push_back({"beta", shape, layer.beta_initializer});
  return weights;
}

inline void check_variance_epsilon(double epsilon) {
  check<OptionError>(is_finite(epsilon) && epsilon > 0, "expected an epsilon above 0, got ",
                     epsilon);
}

}  // namespace heed::detail
