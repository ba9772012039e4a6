#pragma once

#include <heed/math/activation_function.hpp>
#include <heed/math/lanes.hpp>
#include <heed/math/softmax.hpp>

namespace heed {

namespace detail {

/// The constants of the functions.
template <class Scalar>
struct Constants {
  static constexpr Scalar zero = 0;
  static constexpr Scalar half = 0.5;
  static constexpr Scalar one = 1;
  static constexpr Scalar two = 2;
  static constexpr Scalar four = 4;
  static constexpr Scalar six = 6;
  static constexpr Scalar quarter = 0.25;
  static constexpr Scalar sixth = Scalar{1} / Scalar{6};
  static constexpr Scalar fifth = Scalar{1} / Scalar{5};
  static constexpr Scalar leaky_slope = static_cast<Scalar>(0.2);
  // Klambauer et al. 2017, "Self-Normalizing Neural Networks", section 2.
  static constexpr auto selu_alpha = static_cast<Scalar>(1.6732632423543772);
  static constexpr auto selu_scale = static_cast<Scalar>(1.0507009873554805);
  static constexpr auto inverse_root_2 = static_cast<Scalar>(0.70710678118654752440);
  static constexpr auto inverse_root_2_pi = static_cast<Scalar>(0.39894228040143267794);
};

// Functions of one number, on lanes: the call is φ(z), and `slope` is φ'(z) computed from y = φ(z),
// or from z if the function `needs_z`.

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

template <class Scalar>
struct Silu {
  auto operator()(const auto& z) const { return z * sigmoid(z); }
  // σ(z) + z σ(z) (1 − σ(z))
  auto slope(const auto& z) const {
    const auto s = sigmoid(z);
    return s + z * s * (Constants<Scalar>::one - s);
  }
};

/// `z Φ(z)` with Φ the distribution function of the normal distribution (Hendrycks, Gimpel 2016).
template <class Scalar>
struct Gelu {
  using C = Constants<Scalar>;
  static auto below(const auto& z) { return C::half * erfc(-z * C::inverse_root_2); }
  auto operator()(const auto& z) const { return z * below(z); }
  auto slope(const auto& z) const {
    return below(z) + z * exp(-C::half * square(z)) * C::inverse_root_2_pi;
  }
};

/// `z tanh(softplus(z))` (Misra 2019).
template <class Scalar>
struct Mish {
  auto operator()(const auto& z) const { return z * tanh(softplus(z)); }
  auto slope(const auto& z) const {
    const auto t = tanh(softplus(z));
    return t + z * (Constants<Scalar>::one - square(t)) * sigmoid(z);
  }
};

/// `low` and `high` are the limits of z.
template <class Scalar, Index Width>
Lanes<Scalar, Width> limited(Lanes<Scalar, Width> z, Scalar low, Scalar high) {
  return smaller(larger(z, low), high);
}

/// The slope of a function inside its limits, zero at and beyond them.
template <class Scalar, Index Width>
Lanes<Scalar, Width> slope_inside(Lanes<Scalar, Width> y, Scalar low, Scalar high, Scalar slope) {
  return where_positive((y - low) * (high - y), slope, Scalar{0});
}

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
    case F::softplus: return softplus(z);
    case F::softsign: return z / (C::one + abs(z));
    case F::exponential: return exp(z);
    case F::hard_sigmoid: return smaller(larger(z * C::sixth + C::half, C::zero), C::one);
    case F::leaky_relu: return where_positive(z, z, C::leaky_slope * z);
    case F::celu: return larger(z, C::zero) + expm1(smaller(z, C::zero));
    case F::gelu: return Gelu<Scalar>{}(z);
    case F::hard_shrink: return z * where_positive(abs(z) - C::half, C::one, C::zero);
    case F::hard_sigmoid_keras_2: return limited(z * C::fifth + C::half, C::zero, C::one);
    case F::hard_silu: return z * limited(z * C::sixth + C::half, C::zero, C::one);
    case F::hard_tanh: return limited(z, -C::one, C::one);
    case F::log_sigmoid: return -softplus(-z);
    case F::mish: return Mish<Scalar>{}(z);
    case F::relu6: return limited(z, C::zero, C::six);
    case F::silu: return Silu<Scalar>{}(z);
    case F::soft_shrink: return z - limited(z, -C::half, C::half);
    case F::sparse_plus:
      return C::quarter * square(limited(z + C::one, C::zero, C::two)) +
             larger(z - C::one, C::zero);
    case F::sparse_sigmoid: return limited(z * C::half + C::half, C::zero, C::one);
    case F::squareplus: {
      // (z + √(z² + 4)) / 2, without the difference of two large numbers for negative z
      const auto root = sqrt(square(z) + C::four);
      return where_positive(z, C::half * (z + root), C::two / (root - z));
    }
    case F::tanh_shrink: return z - tanh(z);
    case F::softmax:
    case F::log_softmax: break;  // work on a row, not on one number
  }
  return z;
}

/// φ'(z) for a function that is known only at run time, from y, or from z in its place if the
/// function `needs_z`.
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
    case F::celu: return where_positive(y, C::one, y + C::one);
    case F::gelu: return Gelu<Scalar>{}.slope(y);
    case F::hard_shrink:
    case F::soft_shrink: return where_positive(abs(y), C::one, C::zero);
    case F::hard_sigmoid_keras_2: return slope_inside(y, C::zero, C::one, C::fifth);
    case F::hard_silu: {
      const auto s = limited(y * C::sixth + C::half, C::zero, C::one);
      return s + y * slope_inside(s, C::zero, C::one, C::sixth);
    }
    case F::hard_tanh: return slope_inside(y, -C::one, C::one, C::one);
    case F::log_sigmoid: return -expm1(y);
    case F::mish: return Mish<Scalar>{}.slope(y);
    case F::relu6: return slope_inside(y, C::zero, C::six, C::one);
    case F::silu: return Silu<Scalar>{}.slope(y);
    case F::sparse_plus: return smaller(sqrt(y), C::one);
    case F::sparse_sigmoid: return slope_inside(y, C::zero, C::one, C::half);
    case F::squareplus: return C::one / (C::one + C::one / square(y));
    case F::tanh_shrink: return square(tanh(y));
    case F::softmax:
    case F::log_softmax: break;
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

/// Replaces `z` by `y = φ(z)`, in place. Softmax and log_softmax run over each row, the others over
/// each element.
template <class Scalar>
void activate(ActivationFunction function, MatrixRef<Scalar> z) {
  if (function == ActivationFunction::linear) return;
  if (function == ActivationFunction::softmax) return softmax_rows<Scalar>(z);
  if (function == ActivationFunction::log_softmax) return log_softmax_rows<Scalar>(z);
  detail::with_function<Scalar>(function, [&](auto phi) {
    for_lanes<Scalar>(z.rows(), z.cols(), [&](auto at) { at(z) = phi(at(z)); });
  });
}

/// Replaces `dy` in `dz` by `dy ∘ φ'(z)`, in place, with `φ'(z)` computed from `y = φ(z)`.
/// A function of which needs_z is true is given z in the place of y.
template <class Scalar>
void activate_backward(ActivationFunction function, const ConstMatrixRef<Scalar>& y,
                       MatrixRef<Scalar> dz) {
  if (function == ActivationFunction::linear) return;
  if (function == ActivationFunction::softmax) return softmax_rows_backward<Scalar>(y, dz);
  if (function == ActivationFunction::log_softmax) return log_softmax_rows_backward<Scalar>(y, dz);
  detail::with_function<Scalar>(function, [&](auto phi) {
    for_lanes<Scalar>(y.rows(), y.cols(), [&](auto at) { at(dz) *= phi.slope(at(y)); });
  });
}

}  // namespace heed
