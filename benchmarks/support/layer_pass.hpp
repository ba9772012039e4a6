#pragma once

#include <heed/heed.hpp>

namespace training {

using namespace heed;

/// Forward and backward of a model with a given dy, the gradient of the input included: what a layer
/// costs inside a network.
struct LayerPass {
  Model<float> model;
  Tensor<float> x, dy;
  Tape<float> tape;

  void run() {
    const auto& graph = model.graph();
    graph.forward(model.weights(), x, graph.output(), {.training = true}, tape);
    graph.output_gradient(tape).array() = dy.array();
    graph.backward(model.weights(), tape, true);
  }

  /// Of the loss by x.
  View<const float> dx() const { return tape.entries.front().outputs[0].gradient; }
};

}  // namespace training
