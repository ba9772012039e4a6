#pragma once

#include <heed/plot/bars.hpp>
#include <heed/plot/heat_map.hpp>

namespace heed::plot {

namespace detail {

/// Whether weights (N, R, S) sum to 1 along an axis everywhere, as after a softmax over that axis.
template <class Scalar>
bool adds_up(View<Scalar> weights, Index axis) {
  const Index outer = weights.shape().product(0, axis);
  const Index stride = weights.shape().product(axis + 1, weights.rank());
  for (Index i = 0; i < outer * stride; ++i) {
    const auto* next = weights.data() + i / stride * stride * weights.dim(axis) + i % stride;
    double sum = 0;
    for (Index k = 0; k < weights.dim(axis); ++k) sum += static_cast<double>(next[k * stride]);
    if (!(std::abs(sum - 1) < 1e-3)) return false;
  }
  return true;
}

}  // namespace detail

/// Attention in percent, by sample and step; `model.activations("attention/weights", x)` returns
/// the weights. Weights with units, (N, steps, units), sum to 1 over the steps and are averaged
/// over the units. If steps attend to steps, (N, steps, steps), the weights sum to 1 along the last
/// axis: a single sample, `weights.samples(n, 1)`, is drawn with a row for each step that attends,
/// and several samples are averaged over those steps. Throws `ShapeError` for any other weights.
template <class Scalar>
HeatMap heat_map(View<Scalar> weights) {
  const Index rank = weights.rank();
  check<ShapeError>(rank == 2 || rank == 3,
                    "plot: expected weights (N, steps) or (N, steps, units), got ",
                    weights.shape());
  check<ShapeError>(rank == 2 || weights.dim(2) > 0, "plot: expected at least one unit, got ",
                    weights.shape());
  HeatMap map{.title = "Attention by sample and step",
              .legend = "attention (%)",
              .x_label = "step",
              .y_label = "sample"};
  const bool of_units = rank == 3 && detail::adds_up(weights, 1);
  const bool of_steps = rank == 3 && detail::adds_up(weights, 2);
  const bool is_matrix = rank == 2 || (weights.dim(0) == 1 && (of_steps || !of_units));
  if (rank == 3 && is_matrix) {
    map.title = "Attention from step to step";
    map.x_label = "step looked at";
    map.y_label = "step";
  }
  const Index samples = is_matrix ? weights.shape().leading() : weights.dim(0);
  const bool over_first = !is_matrix && of_steps && !of_units;
  map.values = Tensor<double, 2>(Shape{samples, weights.dim(is_matrix || over_first ? -1 : 1)});
  const Index size = samples == 0 ? 0 : weights.size() / samples, columns = map.values.dim(1);
  const Index shared = columns == 0 ? 1 : size / columns;  // weights averaged in a cell
  const auto* next = weights.data();
  for (Index n = 0; n < samples; ++n) {
    for (Index i = 0; i < size; ++i) {
      map.values(n, over_first ? i % columns : i / shared) += static_cast<double>(*next++);
    }
  }
  map.values.array() *= 100 / static_cast<double>(shared);
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
