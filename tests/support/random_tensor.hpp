#pragma once

#include <algorithm>
#include <cmath>

#include <heed/math/random.hpp>
#include <heed/tensor/print.hpp>

namespace heed::testing {

/// Gaussian numbers; different seeds give different ones.
template <class Scalar = double>
Tensor<Scalar> random_tensor(const Shape& shape, std::uint64_t seed, double stddev = 1) {
  Random random(seed, 0x7e57);
  Tensor<Scalar> tensor(shape);
  for (Scalar& value : tensor.values()) value = static_cast<Scalar>(random.normal(0, stddev));
  return tensor;
}

/// Whether two numbers differ by no more than a part of the larger one; infinity is near itself alone.
inline bool near(double a, double b, double tolerance = 1e-9) {
  const double larger = std::max(std::abs(a), std::abs(b));
  return a == b || (std::isfinite(larger) && std::abs(a - b) <= tolerance * larger);
}

/// The largest difference of two elements; infinite for different shapes and for NaN.
template <class Scalar>
double distance(View<const Scalar> a, View<const Scalar> b) {
  if (a.shape() != b.shape()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]));
    if (!(d <= worst)) worst = d == d ? d : std::numeric_limits<double>::infinity();
  }
  return worst;
}

template <class A, class B>
double distance(const A& a, const B& b) {
  using Scalar = std::remove_cvref_t<decltype(*a.data())>;
  return distance<Scalar>(View<const Scalar>(a), View<const Scalar>(b));
}

}  // namespace heed::testing
