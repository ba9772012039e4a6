#pragma once

#include <heed/layers/layer.hpp>
#include <heed/math/activation.hpp>

namespace heed {

/// A fully connected layer over the last axis, whatever the rank: `y = φ(x W + b)`.
///
///     x: (N, …, D)    W = kernel: (D, U)    b = bias: (U)    y: (N, …, U)
///
/// Keras: `layers.Dense`; these of its fields, with the same defaults and weights.
struct Dense {
  Required<Index> units;
  ActivationFunction activation = ActivationFunction::linear;
  bool use_bias = true;
  Initializer kernel_initializer = Initializer::glorot_uniform;
  Initializer bias_initializer = Initializer::zeros;

  static constexpr std::string_view type = "Dense";
  static constexpr auto fields() {
    return std::tuple{field("units", &Dense::units), field("activation", &Dense::activation),
                      field("use_bias", &Dense::use_bias),
                      field("kernel_initializer", &Dense::kernel_initializer),
                      field("bias_initializer", &Dense::bias_initializer)};
  }

  enum { kernel, bias };

  Shape output_shape(const Shape& x) const {
    detail::check_positive("units", units);
    check<ShapeError>(x.rank() >= 1, "expected an input with a last axis, got ", x);
    return x.with_last(units);
  }

  std::vector<Weight> weights(const Shape& x) const {
    std::vector<Weight> result{{"kernel", {x.back(), units}, kernel_initializer}};
    if (use_bias) result.push_back({"bias", {units}, bias_initializer});
    return result;
  }

  static bool is_step_wise(const Shape& x) { return x.rank() >= 2; }

  ActivationFunction& output_activation() { return activation; }

  template <class S>
  struct Cache {
    Tensor<S> dz;
  };

  template <class S>
  void forward(Parameters<const S> w, View<const S> x, View<S> y, Cache<S>&) const {
    auto z = y.matrix();
    const auto b = use_bias ? repeated(w[bias]) : zeros<S>();
    set_product<S>(z, b, x.matrix(), w[kernel].matrix());
    activate<S>(activation, z);
  }

  template <class S>
  void backward(Parameters<const S> w, View<const S> x, View<const S> y, View<const S> dy,
                Cache<S>& cache, Parameters<S> dw, View<S> dx) const {
    // y = φ(z):  dz = dy ∘ φ'(z)
    View<const S> dz = dy;
    if (activation != ActivationFunction::linear) {
      cache.dz.assign(dy);
      activate_backward<S>(activation, y.matrix(), cache.dz.matrix());
      dz = cache.dz;
    }
    // z = x W + b:  dW += xᵀ dz,  db += Σₙ dzₙ,  dx = dz Wᵀ
    add_product<S>(dw[kernel].matrix(), transposed(x.matrix()), dz.matrix());
    if (use_bias) add_row_sum<S>(dw[bias], dz.matrix());
    if (dx) set_product<S>(dx.matrix(), dz.matrix(), transposed(w[kernel].matrix()));
  }
};

}  // namespace heed
