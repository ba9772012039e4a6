#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// An activation function as a layer: `y = φ(x)`. It also names the functions, so that a field of
/// another layer can be written as `Dense{.units = 1, .activation = Activation::sigmoid}`.
///
/// Keras: `layers.Activation`.
struct Activation {
  // Not `using enum`: g++ 12 stops with an internal error if a template uses its names.
  static constexpr auto linear = ActivationFunction::linear;
  static constexpr auto sigmoid = ActivationFunction::sigmoid;
  static constexpr auto tanh = ActivationFunction::tanh;
  static constexpr auto relu = ActivationFunction::relu;
  static constexpr auto softmax = ActivationFunction::softmax;
  static constexpr auto elu = ActivationFunction::elu;
  static constexpr auto selu = ActivationFunction::selu;
  static constexpr auto softplus = ActivationFunction::softplus;
  static constexpr auto softsign = ActivationFunction::softsign;
  static constexpr auto exponential = ActivationFunction::exponential;
  static constexpr auto hard_sigmoid = ActivationFunction::hard_sigmoid;
  static constexpr auto leaky_relu = ActivationFunction::leaky_relu;
  static constexpr auto celu = ActivationFunction::celu;
  static constexpr auto gelu = ActivationFunction::gelu;
  static constexpr auto hard_shrink = ActivationFunction::hard_shrink;
  static constexpr auto hard_sigmoid_keras_2 = ActivationFunction::hard_sigmoid_keras_2;
  static constexpr auto hard_silu = ActivationFunction::hard_silu;
  static constexpr auto hard_tanh = ActivationFunction::hard_tanh;
  static constexpr auto log_sigmoid = ActivationFunction::log_sigmoid;
  static constexpr auto log_softmax = ActivationFunction::log_softmax;
  static constexpr auto mish = ActivationFunction::mish;
  static constexpr auto relu6 = ActivationFunction::relu6;
  static constexpr auto silu = ActivationFunction::silu;
  static constexpr auto soft_shrink = ActivationFunction::soft_shrink;
  static constexpr auto sparse_plus = ActivationFunction::sparse_plus;
  static constexpr auto sparse_sigmoid = ActivationFunction::sparse_sigmoid;
  static constexpr auto squareplus = ActivationFunction::squareplus;
  static constexpr auto tanh_shrink = ActivationFunction::tanh_shrink;

  Required<ActivationFunction> activation;

  static constexpr std::string_view type = "Activation";
  static constexpr auto fields() {
    return std::tuple{field("activation", &Activation::activation)};
  }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    check<ShapeError>(x.rank() >= 1, "expected an input with a last axis, got ", x);
    return x;
  }

  static bool is_step_wise(const Shape& x) { return x.rank() >= 2; }

  ActivationFunction& output_activation() { return activation.value; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    args.y[0].array() = args.x[0].array();
    activate<S>(activation, args.y[0].matrix());
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y = φ(x):  dx = dy ∘ φ'(x)
    dx.array() = args.dy[0].array();
    const View<const S> from = needs_z(activation) ? args.x[0] : args.y[0];
    activate_backward<S>(activation, from.matrix(), dx.matrix());
  }
};

}  // namespace heed
