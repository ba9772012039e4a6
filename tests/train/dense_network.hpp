#pragma once

#include <heed/layers/dense.hpp>
#include <heed/model/model.hpp>

namespace heed::testing {

/// Numbers that Python makes with the same expressions: xₙᵢ = sin(1 + 3 n + i), (samples, 3).
inline Tensor<double, 2> sines(Index samples) {
  Tensor<double, 2> x(Shape{samples, 3});
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = std::sin(1.0 + static_cast<double>(i));
  return x;
}

/// 1 where the sum of a sample's features is positive.
inline Tensor<double, 2> signs(const Tensor<double, 2>& x) {
  Tensor<double, 2> y(Shape{x.dim(0), 1});
  for (Index n = 0; n < x.dim(0); ++n) y(n, 0) = x.slice(n).sum() > 0 ? 1 : 0;
  return y;
}

/// Which feature of a sample is the largest, as one of three classes.
inline Tensor<double, 2> largest(const Tensor<double, 2>& x) {
  Tensor<double, 2> y(x.shape());
  for (Index n = 0; n < x.dim(0); ++n) {
    Index feature = 0;
    x.slice(n).row(0).maxCoeff(&feature);
    y(n, feature) = 1;
  }
  return y;
}

/// Dense(4, tanh) and Dense(units, activation) on three features; number i of the k-th weight is
/// scale * cos(i + k).
inline Model<double> dense_network(Index units, ActivationFunction activation, double scale = 1) {
  Model<double> model;
  model.input({3});
  model.add(Dense{.units = 4, .activation = ActivationFunction::tanh});
  model.add("output", Dense{.units = units, .activation = activation});
  model.build();
  double k = 0;
  for (const Slot& slot : model.graph().layout().all_slots()) {
    const View<double> weight = model.weight(slot.name);
    for (Index i = 0; i < weight.size(); ++i) {
      weight.data()[i] = scale * std::cos(static_cast<double>(i) + k);
    }
    ++k;
  }
  return model;
}

}  // namespace heed::testing
