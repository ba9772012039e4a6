#pragma once

#include <array>
#include <utility>

#include <heed/math/lanes.hpp>
#include <heed/math/names.hpp>
#include <heed/math/softmax.hpp>

namespace heed {

/// The activation functions, with Keras's names and constants. Each has a derivative that follows
/// from its value alone, so that a backward needs `y` and not `z`.
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
};

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
  });
};

namespace detail {

/// The numbers in the functions' definitions.
template <class Scalar>
struct Constants {
  static constexpr Scalar zero = 0;
  static constexpr Scalar half = 0.5;
  static constexpr Scalar one = 1;
  static constexpr Scalar sixth = Scalar{1} / Scalar{6};
  static constexpr Scalar leaky_slope = static_cast<Scalar>(0.2);
  // Klambauer et al. 2017, "Self-Normalizing Neural Networks", section 2.
  static constexpr auto selu_alpha = static_cast<Scalar>(1.6732632423543772);
  static constexpr auto selu_scale = static_cast<Scalar>(1.0507009873554805);
};

/// `z = φ(z)` for every element.
template <class Scalar, class Phi>
void map(MatrixRef<Scalar> z, const Phi& phi) {
  for_lanes<Scalar>(z.rows(), z.cols(), [&](auto at) {
    const typename decltype(at)::Value value = at(z);
    at(z) = phi(value);
  });
}

/// `dz = dz ∘ φ'` for every element, with φ' said by y.
template <class Scalar, class Derivative>
void map_backward(const ConstMatrixRef<Scalar>& y, MatrixRef<Scalar> dz,
                  const Derivative& derivative) {
  for_lanes<Scalar>(y.rows(), y.cols(), [&](auto at) { at(dz) *= derivative(at(y)); });
}

}  // namespace detail

/// `z` becomes `y = φ(z)`, in place. Softmax runs over each row, the others over each element.
template <class Scalar>
void activate(ActivationFunction function, MatrixRef<Scalar> z) {
  using F = ActivationFunction;
  using C = detail::Constants<Scalar>;
  const auto map = [&](const auto& phi) { detail::map<Scalar>(z, phi); };
  switch (function) {
    case F::linear: return;
    case F::sigmoid: return map([](auto a) { return sigmoid(a); });
    case F::tanh: return map([](auto a) { return tanh(a); });
    case F::relu: return map([](auto a) { return max(a, C::zero); });
    case F::softmax: return softmax_rows<Scalar>(z);
    case F::elu: return map([](auto a) { return where_positive(a, a, expm1(a)); });
    case F::selu:
      return map(
          [](auto a) { return C::selu_scale * where_positive(a, a, C::selu_alpha * expm1(a)); });
    case F::softplus: return map([](auto a) { return max(a, C::zero) + log1p(exp(-abs(a))); });
    case F::softsign: return map([](auto a) { return a / (C::one + abs(a)); });
    case F::exponential: return map([](auto a) { return exp(a); });
    case F::hard_sigmoid:
      return map([](auto a) { return min(max(a * C::sixth + C::half, C::zero), C::one); });
    case F::leaky_relu: return map([](auto a) { return where_positive(a, a, C::leaky_slope * a); });
  }
}

/// `dz` comes as `dy` and becomes `dy ∘ φ'(z)`, in place, with `φ'(z)` said by `y = φ(z)`.
template <class Scalar>
void activate_backward(ActivationFunction function, const ConstMatrixRef<Scalar>& y,
                       MatrixRef<Scalar> dz) {
  using F = ActivationFunction;
  using C = detail::Constants<Scalar>;
  const auto map = [&](const auto& derivative) { detail::map_backward<Scalar>(y, dz, derivative); };
  switch (function) {
    case F::linear: return;
    case F::sigmoid: return map([](auto a) { return a * (C::one - a); });
    case F::tanh: return map([](auto a) { return C::one - a * a; });
    case F::relu: return map([](auto a) { return where_positive(a, C::one, C::zero); });
    case F::softmax: return softmax_rows_backward<Scalar>(y, dz);
    case F::elu: return map([](auto a) { return where_positive(a, C::one, a + C::one); });
    case F::selu:
      // At 0 the slope is that of the positive side, as in TensorFlow.
      return map([](auto a) {
        return where_positive(-a, a + C::selu_scale * C::selu_alpha, C::selu_scale);
      });
    case F::softplus: return map([](auto a) { return -expm1(-a); });
    case F::softsign: return map([](auto a) { return square(C::one - abs(a)); });
    case F::exponential: return map([](auto a) { return a; });
    case F::hard_sigmoid:
      return map([](auto a) { return where_positive(a * (C::one - a), C::sixth, C::zero); });
    case F::leaky_relu:
      return map([](auto a) { return where_positive(a, C::one, C::leaky_slope); });
  }
}

}  // namespace heed
