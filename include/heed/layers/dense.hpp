#pragma once

#include <heed/layers/layer.hpp>
#include <heed/math/activation.hpp>

namespace heed {

/// A fully connected layer along the last axis, for inputs of any rank: `y = φ(x W + b)`.
///
///     x: (N, …, D)    W = kernel: (D, U)    b = bias: (U)    y: (N, …, U)
///
/// Keras: `layers.Dense`, with a subset of its fields and the same defaults and weights.
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
    Tensor<S> z;  ///< for a function that `needs_z`; otherwise empty
  };

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const auto& w = args.w;
    auto z = args.y[0].matrix();
    const auto b = use_bias ? repeated(w[bias]) : zeros<S>();
    set_product<S>(z, b, args.x[0].matrix(), w[kernel].matrix());
    if (needs_z(activation)) cache.z.assign(args.y[0]);
    activate<S>(activation, z);
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const auto& w = args.w;
    const auto& dw = args.dw;
    const View<const S> x = args.x[0];
    const View<S> dx = args.dx[0];
    // y = φ(z):  dz = dy ∘ φ'(z)
    View<const S> dz = args.dy[0];
    if (activation != ActivationFunction::linear) {
      cache.dz.assign(dz);
      const View<const S> from = needs_z(activation) ? View<const S>(cache.z) : args.y[0];
      activate_backward<S>(activation, from.matrix(), cache.dz.matrix());
      dz = cache.dz;
    }
    // z = x W + b:  dW += xᵀ dz,  db += Σₙ dzₙ,  dx = dz Wᵀ
    if (dw) add_product<S>(dw[kernel].matrix(), transposed(x.matrix()), dz.matrix());
    if (dw && use_bias) add_row_sum<S>(dw[bias], dz.matrix());
    if (dx) set_product<S>(dx.matrix(), dz.matrix(), transposed(w[kernel].matrix()));
  }
};

}  // namespace heed
