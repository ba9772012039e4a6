#pragma once

#include <heed/layers/elementwise.hpp>

// What the layers share that multiply their input by random numbers in training. The numbers of a
// sample depend on the seed, the training step, the layer and the position of the sample in the
// batch.

namespace heed::detail {

/// The factors; empty if the last forward pass multiplied by nothing.
template <class S>
struct NoiseCache {
  Tensor<S> factors;
};

inline void check_rate(double rate) {
  check<OptionError>(is_finite(rate) && 0 <= rate && rate < 1, "expected a rate in [0, 1), got ",
                     rate);
}

/// Draws `size` numbers for each of N samples: `draw(random)`.
template <class S, class Draw>
void draw_noise(const Pass& pass, Index N, Index size, Tensor<S>& numbers, const Draw& draw) {
  numbers.resize({N, size});
  for (Index n = 0; n < N; ++n) {
    Random random = pass.random(n);
    S* own = numbers.data() + n * size;
    for (Index i = 0; i < size; ++i) own[i] = draw(random);
  }
}

/// `y = factors ∘ x`, or without factors `y = x`. The factors of a sample are repeated `times`.
template <class S>
void multiply_by(const Tensor<S>& factors, Index times, View<const S> x, View<S> y) {
  if (factors.empty()) {
    y.array() = x.array();
    return;
  }
  const Index size = factors.dim(1);
  for (Index row = 0; row < factors.dim(0) * times; ++row) {
    ArrayMap<S>(y.data() + row * size, size) =
        ArrayMap<const S>(factors.data() + row / times * size, size) *
        ArrayMap<const S>(x.data() + row * size, size);
  }
}

/// In training `y = factors ∘ x`, with factors that `draw(random)` gives; otherwise `y = x`.
template <class S, class Draw>
void noise_forward(const Forward<S>& args, Index times, NoiseCache<S>& cache, const Draw& draw) {
  const Shape& x = args.x[0].shape();
  if (args.pass.training) {
    const Index size = x.product(1, x.rank()) / (std::max)(Index{1}, times);
    draw_noise(args.pass, x[0], size, cache.factors, draw);
  } else {
    cache.factors.resize({0, 0});
  }
  multiply_by<S>(cache.factors, times, args.x[0], args.y[0]);
}

/// `y = factors ∘ x`:  `dx = factors ∘ dy`
template <class S>
void noise_backward(const Backward<S>& args, Index times, const NoiseCache<S>& cache) {
  if (args.dx[0]) multiply_by<S>(cache.factors, times, args.dy[0], args.dx[0]);
}

/// Zero with probability `rate`, otherwise `1 / (1 − rate)`.
template <class S>
auto dropout_factor(double rate) {
  return [rate, kept = static_cast<S>(1 / (1 - rate))](Random& random) {
    return random.uniform() < rate ? S{0} : kept;
  };
}

}  // namespace heed::detail
