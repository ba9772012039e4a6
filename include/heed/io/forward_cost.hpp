#pragma once

#include <cmath>

#include <heed/io/registry.hpp>
#include <heed/model/graph.hpp>

namespace heed::detail {

/// An approximate upper bound on the cost of a forward pass of one sample: the numbers in memory at
/// the same time, and the time as a number of multiplications.
struct ForwardCost {
  double values = 0, work = 0;

  ForwardCost& operator+=(const ForwardCost& more) {
    values += more.values;
    work += more.work;
    return *this;
  }
};

/// Whether the work of a layer is a product of weights and inputs, plus little work for each number
/// of input and output. Any other layer is assumed to compare every step with every other step, as
/// attention does.
template <class Scalar>
bool is_linear_in_steps(const AnyLayer<Scalar>& layer) {
  const auto is = [&]<Layer... L>() { return ((layer.template get<L>() != nullptr) || ...); };
  return is.template operator()<
      Activation, ActivityRegularization, Add, AlphaDropout, Average, BatchNormalization,
      Concatenate, Conv1D, Cropping1D, Dense, Dropout, ELU, Flatten, GaussianDropout, GaussianNoise,
      GlobalAveragePooling1D, GlobalMaxPooling1D, GroupNormalization, GRU, Identity, Input,
      LastStep, LayerNormalization, LeakyReLU, LSTM, LuongAttention, Maximum, Minimum, Multiply,
      Permute, PReLU, ReLU, RepeatVector, Rescaling, Reshape, SimpleRNN, Softmax, SpatialDropout1D,
      StepAttention, Subtract, UnitNormalization, UpSampling1D, ZeroPadding1D>();
}

template <class Scalar>
ForwardCost forward_cost(const Graph<Scalar>& graph, std::size_t i) {
  constexpr double call = 1000, function = 16;  // as multiplications
  const auto& node = graph[i];
  const auto size = [](const Shape& shape) { return static_cast<double>(shape.size()); };
  const auto last = [](const Shape& shape) {
    return static_cast<double>(shape.empty() ? 1 : std::max<Index>(shape.back(), 1));
  };
  double read = 0, longest = 1, steps = 1;
  for (const Node input : node.inputs) {
    const Shape& x = graph.shape(input);
    read += size(x);
    steps = (std::max)(steps, size(x) / last(x));
    for (const Index length : x) longest = (std::max)(longest, static_cast<double>(length));
  }
  ForwardCost cost{size(node.shape()), call + function * (read + size(node.shape()))};
  for (const Slot& slot : graph.layout().all_slots().subspan(node.first_slot, node.slot_count)) {
    const double rows = size(slot.shape) / last(slot.shape);
    // A weight is used once for each step. The numbers of a step are along the last axis, or along
    // an axis whose length fits the weight.
    double times = steps;
    for (const Node input : node.inputs) {
      for (const Index length : graph.shape(input)) {
        const bool is_along =
            static_cast<double>(length) == rows || (!slot.shape.empty() && length == slot.shape[0]);
        if (is_along)
          times = (std::max)(times, size(graph.shape(input)) / std::max<double>(1, rows));
      }
    }
    cost += {times * (rows + last(slot.shape)), times * size(slot.shape)};
  }
  if (node.layer.template get<Dot>() != nullptr && node.inputs.size() == 2) {
    // |y| = |a| |b| / L², where L is the length of the axes that are multiplied.
    const double both = size(graph.shape(node.inputs[0])) * size(graph.shape(node.inputs[1]));
    cost.work += std::sqrt(both) * std::sqrt(size(node.shape()));
  } else if (!is_linear_in_steps(node.layer)) {
    cost += {steps * longest, (read + size(node.shape())) * longest};
  }
  return cost;
}

/// The cost of all layers of a model for one sample.
template <class Scalar>
ForwardCost forward_cost(const Graph<Scalar>& graph) {
  ForwardCost cost;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) cost += forward_cost(graph, i);
  return cost;
}

}  // namespace heed::detail
