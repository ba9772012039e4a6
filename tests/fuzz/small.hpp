#pragma once

#include <heed/stream/stream.hpp>

#include "fuzzing.hpp"

namespace heed::fuzzing {

/// Whether a model, its weights and one sample through it take little memory and time.
template <class Scalar>
bool is_small(const Model<Scalar>& model) {
  constexpr Index most = 1024;
  Index numbers = model.count_params();
  for (const auto& node : model.graph().nodes()) {
    // An LSTM takes 4 U² multiplications a step.
    if (numbers > most || node.shape().size() > most) return false;
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

/// One forward and one backward of a small model, a look at one layer, and a stream where there can be
/// one. Numbers may be anything; shapes may not.
template <class Scalar>
void run_if_small(const Model<Scalar>& model) {
  if (!is_small(model)) return;
  const Graph<Scalar>& graph = model.graph();
  const auto x = some_numbers<Scalar>(model.input_shape().batch(2));
  Tape<Scalar> tape;
  const auto y = model.forward(x, tape, {.training = true, .seed = 1});
  require(y.shape() == model.output_shape().batch(2), "the output has the shape that it says");
  graph.output_gradient(tape).array().setConstant(1);
  graph.backward(model.weights(), tape, true);
  require(tape.gradients.size() == model.count_params(), "each weight has a gradient");
  const auto node = static_cast<std::size_t>(model.count_params()) % graph.nodes().size();
  model.activations(graph[node].name, x, {.batch_size = 1});
  try {
    Stream<Scalar> stream(model);
    stream.process(some_numbers<Scalar>(model.input_shape()));
  } catch (const ModelError&) {  // not every model can be streamed
  }
}

}  // namespace heed::fuzzing
