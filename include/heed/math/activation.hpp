#pragma once

#include <array>
#include <utility>

#include <heed/math/lanes.hpp>
#include <heed/math/names.hpp>
#include <heed/math/softmax.hpp>

namespace heed {

/// The activation functions, with Keras's names and constants. The derivative of each can be
/// computed from its value alone, so that a backward pass needs `y` but not `z`.
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
  });
};

namespace detail {

/// The constants of the functions.
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

// Functions of one number, on lanes: the call is φ(z), and `slope` is φ'(z) computed from y = φ(z).

template <class Scalar>
struct Sigmoid {
  auto operator()(const auto& z) const { return sigmoid(z); }
  auto slope(const auto& y) const { return y * (Constants<Scalar>::one - y); }
};

template <class Scalar>
struct Tanh {
  auto operator()(const auto& z) const { return tanh(z); }
  auto slope(const auto& y) const { return Constants<Scalar>::one - y * y; }
};

/// φ(z) for a function that is known only at run time.
template <class Scalar, Index Width>
[[gnu::noinline]] Lanes<Scalar, Width> value_of(ActivationFunction function,
                                                Lanes<Scalar, Width> z) {
  using F = ActivationFunction;
  using C = Constants<Scalar>;
  switch (function) {
    case F::linear: return z;
    case F::sigmoid: return Sigmoid<Scalar>{}(z);
    case F::tanh: return Tanh<Scalar>{}(z);
    case F::relu: return larger(z, C::zero);
    case F::elu: return where_positive(z, z, expm1(z));
    case F::selu: return C::selu_scale * where_positive(z, z, C::selu_alpha * expm1(z));
    case F::softplus: return larger(z, C::zero) + log1p(exp(-abs(z)));
    case F::softsign: return z / (C::one + abs(z));
    case F::exponential: return exp(z);
    case F::hard_sigmoid: return smaller(larger(z * C::sixth + C::half, C::zero), C::one);
    case F::leaky_relu: return where_positive(z, z, C::leaky_slope * z);
    case F::softmax: break;  // works on a row, not on one number
  }
  return z;
}

/// φ'(z) for a function that is known only at run time.
template <class Scalar, Index Width>
[[gnu::noinline]] Lanes<Scalar, Width> slope_of(ActivationFunction function,
                                                Lanes<Scalar, Width> y) {
  using F = ActivationFunction;
  using C = Constants<Scalar>;
  switch (function) {
    case F::linear: return C::one;
    case F::sigmoid: return Sigmoid<Scalar>{}.slope(y);
    case F::tanh: return Tanh<Scalar>{}.slope(y);
    case F::relu: return where_positive(y, C::one, C::zero);
    case F::elu: return where_positive(y, C::one, y + C::one);
    case F::selu:
      // At 0, the slope of the positive side, as in TensorFlow.
      return where_positive(-y, y + C::selu_scale * C::selu_alpha, C::selu_scale);
    case F::softplus: return -expm1(-y);
    case F::softsign: return square(C::one - abs(y));
    case F::exponential: return y;
    case F::hard_sigmoid: return where_positive(y * (C::one - y), C::sixth, C::zero);
    case F::leaky_relu: return where_positive(y, C::one, C::leaky_slope);
    case F::softmax: break;
  }
  return y;
}

struct AnyFunction {
  ActivationFunction function;
  auto operator()(const auto& z) const { return value_of(function, +z); }
  auto slope(const auto& y) const { return slope_of(function, +y); }
};

/// Calls `use(φ)`. The functions common in gates and attention have types of their own, so that the
/// compiler can inline them.
template <class Scalar, class Use>
void with_function(ActivationFunction function, const Use& use) {
  switch (function) {
    case ActivationFunction::sigmoid: return use(Sigmoid<Scalar>{});
    case ActivationFunction::tanh: return use(Tanh<Scalar>{});
    default: return use(AnyFunction{function});
  }
}

}  // namespace detail

/// Replaces `z` by `y = φ(z)`, in place. Softmax runs over each row, the others over each element.
template <class Scalar>
void activate(ActivationFunction function, MatrixRef<Scalar> z) {
  if (function == ActivationFunction::linear) return;
  if (function == ActivationFunction::softmax) return softmax_rows<Scalar>(z);
  detail::with_function<Scalar>(function, [&](auto phi) {
    for_lanes<Scalar>(z.rows(), z.cols(), [&](auto at) { at(z) = phi(at(z)); });
  });
}

/// Replaces `dy` in `dz` by `dy ∘ φ'(z)`, in place, with `φ'(z)` computed from `y = φ(z)`.
template <class Scalar>
void activate_backward(ActivationFunction function, const ConstMatrixRef<Scalar>& y,
                       MatrixRef<Scalar> dz) {
  if (function == ActivationFunction::linear) return;
  if (function == ActivationFunction::softmax) return softmax_rows_backward<Scalar>(y, dz);
  detail::with_function<Scalar>(function, [&](auto phi) {
    for_lanes<Scalar>(y.rows(), y.cols(), [&](auto at) { at(dz) *= phi.slope(at(y)); });
  });
}

}  // namespace heed
