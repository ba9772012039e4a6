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
    activate_backward<S>(activation, args.y[0].matrix(), dx.matrix());
  }
};

}  // namespace heed
