#include <heed/check/gradient_check.hpp>
#include <heed/math/activation.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::activation_test {

using heed::testing::distance;
using heed::testing::random_tensor;

namespace {

using enum ActivationFunction;

/// φ(z) of one number; softmax is tested on its own.
double value(ActivationFunction function, double z) {
  Tensor<double, 2> y{{z}};
  activate<double>(function, y.matrix());
  return y(0, 0);
}

/// φ'(z), from φ(z), or from z where that is needed.
double slope(ActivationFunction function, double z) {
  const Tensor<double, 2> y{{needs_z(function) ? z : value(function, z)}};
  Tensor<double, 2> dz{{1}};
  activate_backward<double>(function, y.matrix(), dz.matrix());
  return dz(0, 0);
}

/// The definition, as Keras documents it.
double definition(ActivationFunction function, double z) {
  const double alpha = 1.67326324;
  const double scale = 1.05070098;
  switch (function) {
    case linear: return z;
    case sigmoid: return 1 / (1 + std::exp(-z));
    case tanh: return std::tanh(z);
    case relu: return z > 0 ? z : 0;
    case softmax: return 1;
    case elu: return z > 0 ? z : std::exp(z) - 1;
    case selu: return scale * (z > 0 ? z : alpha * (std::exp(z) - 1));
    case softplus: return std::log(std::exp(z) + 1);
    case softsign: return z / (std::abs(z) + 1);
    case exponential: return std::exp(z);
    case hard_sigmoid: return z < -3 ? 0 : z > 3 ? 1 : z / 6 + 0.5;
    case leaky_relu: return z > 0 ? z : 0.2 * z;
    case celu: return z > 0 ? z : std::exp(z) - 1;
    case gelu: return z * (1 + std::erf(z / std::sqrt(2))) / 2;
    case hard_shrink: return std::abs(z) > 0.5 ? z : 0;
    case hard_sigmoid_keras_2: return z < -2.5 ? 0 : z > 2.5 ? 1 : 0.2 * z + 0.5;
    case hard_silu: return z < -3 ? 0 : z > 3 ? z : z * (z / 6 + 0.5);
    case hard_tanh: return z < -1 ? -1 : z > 1 ? 1 : z;
    case log_sigmoid: return -std::log(1 + std::exp(-z));
    case log_softmax: return 0;
    case mish: return z * std::tanh(std::log(1 + std::exp(z)));
    case relu6: return z < 0 ? 0 : z > 6 ? 6 : z;
    case silu: return z / (1 + std::exp(-z));
    case soft_shrink: return z > 0.5 ? z - 0.5 : z < -0.5 ? z + 0.5 : 0;
    case sparse_plus: return z <= -1 ? 0 : z < 1 ? (z + 1) * (z + 1) / 4 : z;
    case sparse_sigmoid: return z <= -1 ? 0 : z < 1 ? (z + 1) / 2 : 1;
    case squareplus: return (z + std::sqrt(z * z + 4)) / 2;
    case tanh_shrink: return z - std::tanh(z);
  }
  return 0;
}

}  // namespace

TEST_CASE("Every activation function has the values of its definition") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    for (const double z : {-5.0, -2.5, -1.0, -0.1, 0.0, 0.3, 1.0, 2.9, 7.0}) {
      CAPTURE(z);
      CHECK(std::abs(value(function, z) - definition(function, z)) < 2e-8 * (1 + std::exp(z)));
    }
  }
}

TEST_CASE("Every activation function has the slope of its values") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    for (const double z : {-20.0, -4.0, -2.4, -1.1, -0.1, 0.3, 1.1, 2.9, 7.0, 20.0}) {
      CAPTURE(z);
      const auto moved = [&, f = function](double h) { return value(f, z + h); };
      const double numeric = detail::derivative(moved, 0.05);
      CHECK(std::abs(slope(function, z) - numeric) < 1e-9 * (1 + std::abs(numeric)));
    }
  }
}

TEMPLATE_TEST_CASE("Functions that are types of their own are those known at run time", "", float,
                   double) {
  using S = TestType;
  const auto z = random_tensor<S>({1, 39}, 1, 3);
  const auto row = z.matrix();
  const auto check = [&](auto phi, ActivationFunction function) {
    for_lanes<S>(1, 39, [&](auto at) {
      const detail::AnyFunction any{function};
      const auto y = phi(at(row));
      const auto apart = [](auto a, auto b) { return max_of(abs(a - b)); };
      CHECK(apart(y, any(at(row))) <= std::numeric_limits<S>::epsilon());
      CHECK(apart(phi.slope(y), any.slope(y)) <= std::numeric_limits<S>::epsilon());
    });
  };
  check(detail::Sigmoid<S>{}, sigmoid);
  check(detail::Tanh<S>{}, ActivationFunction::tanh);
}

TEST_CASE("At a kink the slope is TensorFlow's") {
  CHECK(slope(relu, 0) == 0);
  CHECK(slope(leaky_relu, 0) == 0.2);
  CHECK(slope(elu, 0) == 1);
  CHECK(slope(selu, 0) == 1.0507009873554805);
  // At its own kinks rounding decides.
  CHECK(slope(hard_sigmoid, 3.001) == 0);
  CHECK(slope(hard_sigmoid, -3.001) == 0);
  CHECK(slope(softsign, 0) == 1);
  CHECK(slope(celu, 0) == 1);  // TensorFlow adds the slopes of both sides
  CHECK(slope(relu6, 0) == 0);
  CHECK(slope(relu6, 6) == 0);
  CHECK(slope(sparse_plus, 1) == 1);
  CHECK(slope(sparse_plus, -1) == 0);
  CHECK(slope(hard_shrink, 0.5) == 0);
  CHECK(slope(soft_shrink, 0.5) == 0);
}

TEST_CASE("A NaN stays one through every activation function") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    Tensor<float, 2> y(Shape{2, 19});
    y.array().setConstant(std::numeric_limits<float>::quiet_NaN());
    activate<float>(function, y.matrix());
    CHECK(y.array().isNaN().all());
  }
}

TEST_CASE("No activation function gives a NaN for large arguments, nor does its slope") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    if (function == exponential) continue;
    CAPTURE(name);
    for (const double z : {-1e4, -800.0, -90.0, 90.0, 800.0, 1e4}) {
      CAPTURE(z);
      CHECK(std::isfinite(value(function, z)));
      CHECK(std::isfinite(slope(function, z)));
    }
  }
  CHECK(value(sigmoid, 1e4) == 1);
  CHECK(value(sigmoid, -1e4) == 0);
  CHECK(value(ActivationFunction::tanh, -1e4) == -1);
  CHECK(value(softplus, 1e4) == 1e4);
  CHECK(value(softplus, -1e4) == 0);
  CHECK(value(elu, -1e4) == -1);
  CHECK(value(exponential, -1e4) == 0);
  CHECK(value(log_sigmoid, -1e4) == -1e4);
  CHECK(value(mish, 1e4) == 1e4);
  CHECK(std::abs(value(squareplus, -1e4) - 1e-4) < 1e-11);
}

TEST_CASE("log_softmax is the logarithm of softmax, without overflow") {
  Tensor<double, 2> y{{1, 2, 3}, {-7, 0, 7}};
  Tensor<double, 2> expected = y;
  activate<double>(log_softmax, y.matrix());
  activate<double>(softmax, expected.matrix());
  for (Index i = 0; i < y.size(); ++i) {
    CHECK(std::abs(y.data()[i] - std::log(expected.data()[i])) < 1e-14);
  }
  Tensor<double, 2> large{{1e4, -1e4}};
  activate<double>(log_softmax, large.matrix());
  CHECK(large == Tensor<double, 2>{{0, -2e4}});
  Tensor<double, 2> dz{{1, 0, 0}, {2, -1, 1}};
  activate_backward<double>(log_softmax, y.matrix(), dz.matrix());
  for (Index n = 0; n < 2; ++n) CHECK(std::abs(dz.matrix().row(n).sum()) < 1e-15);
  CHECK(std::abs(dz(0, 0) - (1 - expected(0, 0))) < 1e-15);
  CHECK(std::abs(dz(1, 1) - (-1 - 2 * expected(1, 1))) < 1e-15);
}

TEST_CASE("Floats of ±1e4 give no NaN in any activation function, nor do their slopes") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    if (function == exponential) continue;
    CAPTURE(name);
    // Sixteen of each, so that the vectorised paths run as well as the rest.
    Tensor<float, 2> y(Shape{3, 37});
    for (Index i = 0; i < y.size(); ++i) y.data()[i] = i % 3 == 0 ? 1e4f : i % 3 == 1 ? -1e4f : 0.f;
    Tensor<float, 2> dz(y.shape());
    dz.array().setOnes();
    Tensor<float, 2> z = y;
    activate<float>(function, y.matrix());
    activate_backward<float>(function, needs_z(function) ? z.matrix() : y.matrix(), dz.matrix());
    CHECK(y.array().isFinite().all());
    CHECK(dz.array().isFinite().all());
  }
}

TEST_CASE("Vectorised and single elements agree") {
  const auto z = random_tensor({5, 19}, 1, 2);
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    if (is_of_row(function)) continue;
    CAPTURE(name);
    Tensor<double> y = z;
    Tensor<double> dz = z;
    activate<double>(function, y.matrix());
    activate_backward<double>(function, (needs_z(function) ? z : y).matrix(), dz.matrix());
    Tensor<double> expected = z;
    Tensor<double> expected_dz = z;
    for (double& element : expected.values()) element = value(function, element);
    for (double& element : expected_dz.values()) element *= slope(function, element);
    CHECK(distance(y, expected) < 1e-14 * (1 + expected.array().abs().maxCoeff()));
    CHECK(distance(dz, expected_dz) < 1e-12 * (1 + expected_dz.array().abs().maxCoeff()));
  }
}

TEST_CASE("Activations run over columns of a matrix and leave the others alone") {
  Tensor<double, 2> z{{1, -1, 2}, {-3, -4, -5}};
  activate<double>(relu, z.matrix().middleCols(1, 1));
  CHECK(z == Tensor<double, 2>{{1, 0, 2}, {-3, 0, -5}});
  Tensor<double, 2> s{{1, 5, 5}, {-3, 7, 7}};
  activate<double>(softmax, s.matrix().rightCols(2));
  CHECK(s == Tensor<double, 2>{{1, 0.5, 0.5}, {-3, 0.5, 0.5}});
}

TEST_CASE("Activations do not allocate") {
  auto z = random_tensor({3, 17}, 1);
  auto dz = random_tensor({3, 17}, 2);
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    const testing::Allocations allocations;
    activate<double>(function, z.matrix());
    activate_backward<double>(function, z.matrix(), dz.matrix());
    const std::size_t count = allocations.count();
    CAPTURE(name);
    CHECK(count == 0);
  }
}

TEST_CASE("The activation functions have Keras's names") {
  std::string names;
  for (const auto& entry : Names<ActivationFunction>::table) names += join(entry.first, " ");
  CHECK(names ==
        "linear sigmoid tanh relu softmax elu selu softplus softsign exponential hard_sigmoid "
        "leaky_relu celu gelu hard_shrink hard_sigmoid_keras_2 hard_silu hard_tanh log_sigmoid "
        "log_softmax mish relu6 silu soft_shrink sparse_plus sparse_sigmoid squareplus "
        "tanh_shrink ");
  CHECK(by_name<ActivationFunction>("softmax") == softmax);
  CHECK(name_of(leaky_relu) == "leaky_relu");
}

}  // namespace heed::activation_test
