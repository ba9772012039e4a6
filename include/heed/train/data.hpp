#pragma once

#include <heed/model/columns.hpp>
#include <heed/model/graph.hpp>

namespace heed {

/// Samples, what a model should give for them, and how much each counts: a tensor (N, …) or `Sequences` where
/// the model has one input or output, a list or a list by names where it has several.
template <class Scalar>
struct Dataset {
  Columns<Scalar> x = {};
  Columns<Scalar> y = {};
  Columns<Scalar> sample_weight = {};  ///< see `FitOptions::sample_weight`
};

/// What one training step works on: as many samples of each input and of the targets of each output, in
/// the order of the model's inputs and outputs.
template <class Scalar>
struct Batch {
  Inputs<Scalar> inputs = {};
  std::span<const View<const Scalar>> y = {};
  /// How much each sample counts, (N), or each of its steps, (N, T); of no output, or of all of them.
  std::span<const View<const Scalar>> sample_weight = {};
  /// Which steps of the targets count; where the output has a mask, only those that count there, too. Of no
  /// output, or of all, (N, T) or false for one whose steps all count.
  std::span<const Mask> masks = {};

  Index samples() const { return inputs.x.empty() ? 0 : inputs.x[0].dim(0); }
};

namespace detail {

/// A data set that fits a model: a column for each input and output, in their order.
template <class Scalar>
struct Data {
  std::vector<Column<Scalar>> x, y;
  std::vector<Column<Scalar>> weight;  ///< of no output, or of all

  Index samples() const { return x.empty() ? 0 : x[0].samples(); }

  Data part(Index first, Index count) const {
    Data data = *this;
    for (auto* columns : {&data.x, &data.y, &data.weight}) {
      for (Column<Scalar>& column : *columns) column = column.part(first, count);
    }
    return data;
  }

  /// How many steps of a sample count, in the first input that says so.
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
