#pragma once

#include <heed/model/columns.hpp>
#include <heed/model/graph.hpp>

namespace heed {

/// Samples, their targets and optional weights. Each is a tensor (N, …) or `Sequences` if the model
/// has one input or output, and a list, or a list by names, if it has several. Temporaries are kept;
/// tensors and `Sequences` that have a name must outlive it.
template <class Scalar>
struct Dataset {
  Columns<Scalar> x = {};
  Columns<Scalar> y = {};
  Columns<Scalar> sample_weight = {};  ///< see `FitOptions::sample_weight`
};

/// The data of one training step: the samples of each input and the targets of each output, in the
/// order of the model's inputs and outputs. All have the same number of samples.
template <class Scalar>
struct Batch {
  Inputs<Scalar> inputs = {};
  std::span<const View<const Scalar>> y = {};
  /// The weights of the samples, (N), or of their steps, (N, T); for all outputs or for none.
  std::span<const View<const Scalar>> sample_weight = {};
  /// The masks of the targets, (N, T), for all outputs or for none; false if no step is masked. A
  /// step counts only if it is masked neither here nor in the output.
  std::span<const Mask> masks = {};

  Index samples() const { return inputs.x.empty() ? 0 : inputs.x[0].dim(0); }
};

namespace detail {

/// A data set that fits a model: one column for each input and output, in their order.
template <class Scalar>
struct Data {
  std::vector<Column<Scalar>> x, y;
  std::vector<Column<Scalar>> weight;  ///< for all outputs or for none

  Index samples() const { return x.empty() ? 0 : x[0].samples(); }

  Data part(Index first, Index count) const {
    Data data = *this;
    for (auto* columns : {&data.x, &data.y, &data.weight}) {
      for (Column<Scalar>& column : *columns) column = column.part(first, count);
    }
    return data;
  }

  /// The number of steps of a sample that are not masked, from the first input that has lengths.
  Index length(Index n) const {
    for (const Column<Scalar>& column : x) {
      if (column.has_lengths()) return column.counted_steps(n);
    }
    return x[0].steps(n);
  }
  bool has_lengths() const {
    return std::any_of(x.begin(), x.end(), [](const auto& column) { return column.has_lengths(); });
  }
};

}  // namespace detail

}  // namespace heed
