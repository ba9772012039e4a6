#pragma once

#include <heed/model/graph.hpp>

// Truncated backpropagation through time: sequences that are too long to be unrolled are trained window by
// window, with the state carried from one to the next and no gradient across their borders.
// Williams and Peng 1990, "An efficient gradient-based algorithm for on-line training of recurrent network
// trajectories".

namespace heed::detail {

/// The network whose layers begin each window with the states of the one before. Throws `OptionError` for a
/// network that gives something else when it is run in windows.
template <class Scalar>
Graph<Scalar> windowed(const Graph<Scalar>& graph) {
  const auto& nodes = graph.nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto refuse = [&](std::string_view reason) {
      throw OptionError(join("window: ", graph.title(i), ": ", reason));
    };
    if (nodes[i].is_input()) {
      const Shape& shape = nodes[i].shape();
      if (shape.empty() || shape[0] != any) {
        refuse(join("expected an input of any length, Shape{any, …}, got ", shape));
      }
      continue;
    }
    std::vector<Shape> shapes;
    for (const Node input : nodes[i].inputs) shapes.push_back(graph.shape(input));
    if (nodes[i].step_wise) continue;
    try {
      const auto& layer = nodes[i].layer;
      if (!layer.can_stream() || layer.states(shapes[0]).empty())
        refuse("it needs all steps at once");
      if (shapes.size() > 1) refuse("its initial states come from other layers");
      if (nodes[i].shape().rank() != shapes[0].rank())
        refuse("expected return_sequences, so that each step has an output");
      layer.stream_state(shapes[0], 1);
    } catch (const ModelError& error) {
      refuse(error.what());
    }
  }
  return graph.with_carried_states();
}

}  // namespace heed::detail
