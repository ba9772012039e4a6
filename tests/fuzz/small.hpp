#pragma once

#include <heed/stream/stream.hpp>

#include "fuzzing.hpp"

namespace heed::fuzzing {

/// How many numbers a layer keeps from step to step of a stream: a convolution can reach far back.
template <class Scalar>
Index stream_size(const AnyLayer<Scalar>& layer, const Shape& x) {
  Index size = 0;
  try {
    for (const Shape& state : layer.stream_state(x, 1)) size += state.size();
  } catch (const Error&) {  // it cannot be streamed
  }
  return size;
}

/// Whether a model, its weights and one sample through it take little memory and time.
template <class Scalar>
bool is_small(const Model<Scalar>& model) {
  constexpr Index most = 1024;
  Index numbers = model.count_params();
  for (const auto& node : model.graph().nodes()) {
    // An LSTM takes 4 U² multiplications a step.
    if (numbers > most || node.shape().size() > most) return false;
    if (!node.is_input()) numbers += stream_size(node.layer, model.graph().shape(node.inputs[0]));
    numbers += node.shape().size();
  }
  return numbers <= most;
}

/// Numbers between -1 and 1, without a generator, to be quick.
template <class Scalar>
Tensor<Scalar> some_numbers(const Shape& shape) {
  Tensor<Scalar> x(shape);
  Index i = 0;
  for (Scalar& value : x.values()) value = static_cast<Scalar>(i++ * 37 % 17 - 8) / 8;
  return x;
}

/// A shape with three entries along each axis of any length.
inline Shape with_lengths(Shape shape) {
  for (Index axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == any) shape = shape.with(axis, 3);
  }
  return shape;
}

/// Two samples of each input.
template <class Scalar>
std::vector<Tensor<Scalar>> some_inputs(const Graph<Scalar>& graph) {
  std::vector<Tensor<Scalar>> x;
  for (const std::size_t input : graph.inputs()) {
    x.push_back(some_numbers<Scalar>(with_lengths(graph[input].shape()).batch(2)));
  }
  return x;
}

template <class Scalar>
void run(const Model<Scalar>& model, const std::vector<Tensor<Scalar>>& x) {
  const Graph<Scalar>& graph = model.graph();
  const std::vector<View<const Scalar>> views(x.begin(), x.end());
  const Inputs<Scalar> inputs{.x = views};
  Tape<Scalar> tape;
  const auto y = model.forward(inputs, tape, {.training = true, .seed = 1});
  const bool known = model.output_shape().is_known();
  require(!known || y.shape() == model.output_shape().batch(2), "the output has the shape it says");
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    graph.output_gradient(tape, i).array().setConstant(1);
  }
  graph.backward(model.weights(), tape, true);
  require(tape.gradients.size() == model.count_params(), "each weight has a gradient");
  const auto node = static_cast<std::size_t>(model.count_params()) % graph.nodes().size();
  model.activations(graph[node].name, Columns<Scalar>(x), {.batch_size = 1});
}

/// One forward and one backward of a small model, a look at one layer, and a stream where there can be
/// one. Numbers may be anything; shapes may not, unless lengths are open, which not every layer takes.
template <class Scalar>
void run_if_small(const Model<Scalar>& model) {
  if (!is_small(model)) return;
  const Graph<Scalar>& graph = model.graph();
  const bool known = std::all_of(graph.nodes().begin(), graph.nodes().end(),
                                 [](const auto& node) { return node.shape().is_known(); });
  try {
    auto x = some_inputs(graph);
    try {
      run(model, x);
    } catch (const DataError&) {  // numbers that are no ids
      for (auto& one : x) one.set_zero();
      run(model, x);
    }
    Stream<Scalar> stream(model);
    stream.process(some_numbers<Scalar>(with_lengths(model.input_shape())));
  } catch (const ModelError&) {  // not every model can be streamed
  } catch (const DataError&) {   // no step counts
  } catch (const ShapeError&) {
    require(!known, "a model of known shapes runs");
  }
}

}  // namespace heed::fuzzing
