#pragma once

#include <heed/layers/layer.hpp>
#include <heed/math/finite.hpp>

namespace heed {

/// In training, sets each element to zero with probability `rate` and multiplies the others by
/// `1 / (1 − rate)` (inverted dropout; Srivastava et al. 2014, section 10). Otherwise `y = x`.
///
/// Keras: `layers.Dropout`. The mask of a sample depends on the seed, the training step, the layer
/// and the position of the sample in the batch.
struct Dropout {
  Required<double> rate;

  static constexpr std::string_view type = "Dropout";
  static constexpr auto fields() { return std::tuple{field("rate", &Dropout::rate)}; }

  static constexpr bool has_weights = false;

  /// Zero or `1 / (1 − rate)` for each element; empty if the last forward pass dropped nothing.
  template <class S>
  struct Cache {
    Tensor<S> mask;
  };

  Shape output_shape(const Shape& x) const {
    check<OptionError>(is_finite(rate.value) && 0 <= rate && rate < 1,
                       "expected a rate in [0, 1), got ", rate.value);
    return x;
  }

  static bool is_step_wise(const Shape&) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const View<const S> x = args.x[0];
    auto y = args.y[0].array();
    if (args.pass.training) {
      cache.mask.resize(x.shape());
      const S kept = static_cast<S>(1 / (1 - rate));
      const Index N = x.dim(0);
      const Index size = x.shape().product(1, x.rank());
      for (Index n = 0; n < N; ++n) {
        Random random = args.pass.random(n);
        S* mask = cache.mask.data() + n * size;
        for (Index i = 0; i < size; ++i) mask[i] = random.uniform() < rate ? S{0} : kept;
      }
      y = cache.mask.array() * x.array();
    } else {
      cache.mask.resize({0});
      y = x.array();
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y = mask ∘ x:  dx = mask ∘ dy
    dx.array() = args.dy[0].array();
    if (!cache.mask.empty()) dx.array() *= cache.mask.array();
  }
};

}  // namespace heed
