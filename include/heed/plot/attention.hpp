#pragma once

#include <heed/plot/bars.hpp>
#include <heed/plot/heat_map.hpp>

namespace heed::plot {

/// Attention by sample and step, in percent. Of weights (N, steps, units) it is the mean over the
/// units; `model.activations("attention/weights", x)` gives either. Throws `ShapeError` for weights that
/// are neither.
template <class Scalar>
HeatMap heat_map(View<Scalar> weights) {
  const Index rank = weights.rank();
  check<ShapeError>(rank == 2 || rank == 3,
                    "plot: expected weights (N, steps) or (N, steps, units), got ",
                    weights.shape());
  const Index units = rank == 3 ? weights.dim(2) : 1;
  check<ShapeError>(units > 0, "plot: expected at least one unit, got ", weights.shape());
  HeatMap map{.title = "Attention by sample and step",
              .legend = "attention (%)",
              .x_label = "step",
              .y_label = "sample",
              .values = Tensor<double, 2>(Shape{weights.dim(0), weights.dim(1)})};
  const auto* next = weights.data();
  for (double& value : map.values.values()) {
    for (Index u = 0; u < units; ++u) value += static_cast<double>(*next++);
    value *= 100 / static_cast<double>(units);
  }
  return map;
}

/// Attention by step, in percent: the mean over the samples of `heat_map(weights)`.
template <class Scalar>
Bars bars(View<Scalar> weights) {
  const HeatMap map = heat_map(weights);
  Bars bars{.title = "Attention by step", .legend = "attention (%)", .x_label = "step"};
  if (map.values.empty()) return bars;
  const Eigen::RowVectorXd mean = map.values.matrix().colwise().mean();
  bars.values.assign(mean.begin(), mean.end());
  return bars;
}

template <class Scalar, int Rank>
HeatMap heat_map(const Tensor<Scalar, Rank>& weights) {
  return heat_map(weights.view());
}
template <class Scalar, int Rank>
Bars bars(const Tensor<Scalar, Rank>& weights) {
  return bars(weights.view());
}

}  // namespace heed::plot
