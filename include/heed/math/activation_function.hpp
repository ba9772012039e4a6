#pragma once

#include <array>
#include <utility>

#include <heed/math/names.hpp>

namespace heed {

/// The activation functions, with Keras's names and constants. The derivative of most of them can be
/// computed from the value alone, so that a backward pass needs `y` but not `z`; see `needs_z`.
enum class ActivationFunction {
  linear,
  sigmoid,
  tanh,
  relu,
  softmax,
  elu,
  selu,
  softplus,
  softsign,
  exponential,
  hard_sigmoid,
  leaky_relu,
  celu,
  gelu,
  hard_shrink,
  hard_sigmoid_keras_2,  ///< what Keras calls hard_sigmoid before version 3
  hard_silu,
  hard_tanh,
  log_sigmoid,
  log_softmax,
  mish,
  relu6,
  silu,
  soft_shrink,
  sparse_plus,
  sparse_sigmoid,
  squareplus,
  tanh_shrink,
};

/// The names of the functions.
template <>
struct Names<ActivationFunction> {
  using enum ActivationFunction;
  static constexpr auto table = std::to_array<std::pair<std::string_view, ActivationFunction>>({
      {"linear", linear},
      {"sigmoid", sigmoid},
      {"tanh", tanh},
      {"relu", relu},
      {"softmax", softmax},
      {"elu", elu},
      {"selu", selu},
      {"softplus", softplus},
      {"softsign", softsign},
      {"exponential", exponential},
      {"hard_sigmoid", hard_sigmoid},
      {"leaky_relu", leaky_relu},
      {"celu", celu},
      {"gelu", gelu},
      {"hard_shrink", hard_shrink},
      {"hard_sigmoid_keras_2", hard_sigmoid_keras_2},
      {"hard_silu", hard_silu},
      {"hard_tanh", hard_tanh},
      {"log_sigmoid", log_sigmoid},
      {"log_softmax", log_softmax},
      {"mish", mish},
      {"relu6", relu6},
      {"silu", silu},
      {"soft_shrink", soft_shrink},
      {"sparse_plus", sparse_plus},
      {"sparse_sigmoid", sparse_sigmoid},
      {"squareplus", squareplus},
      {"tanh_shrink", tanh_shrink},
  });
};

/// Whether φ'(z) does not follow from φ(z), so that a backward pass needs z.
constexpr bool needs_z(ActivationFunction function) {
  using F = ActivationFunction;
  return function == F::gelu || function == F::hard_silu || function == F::mish ||
         function == F::silu || function == F::tanh_shrink;
}

/// Whether a function works on a row, not on single numbers.
constexpr bool is_of_row(ActivationFunction function) {
  return function == ActivationFunction::softmax || function == ActivationFunction::log_softmax;
}

}  // namespace heed
