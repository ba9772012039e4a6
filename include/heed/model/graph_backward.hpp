#pragma once

#include <heed/model/graph_nodes.hpp>

// The backward pass through a graph.

namespace heed {

/// Whether a node that only reshapes can pass its gradient on without a copy: no other node adds to
/// it.
template <class Scalar>
bool Graph<Scalar>::shares_gradient(std::size_t node, const Tape<Scalar>& tape) const {
  const Entry& here = nodes_[node];
  if (!here.layer.only_reshapes() || here.is_input()) return false;
  const Node input = here.inputs[0];
  return tape.entries[input.index].outputs[input.output].consumers == 1;
}

template <class Scalar>
View<Scalar> Graph<Scalar>::make_gradient(Node node, Tape<Scalar>& tape) const {
  Output& output = output_of(node, tape);
  if (shares_gradient(node.index, tape)) {
    output.gradient =
        make_gradient(nodes_[node.index].inputs[0], tape).reshaped(output.value.shape());
  } else {
    output.gradient_memory.resize(output.value.shape());
    output.gradient = output.gradient_memory;
  }
  output.has_gradient = true;
  return output.gradient;
}

template <class Scalar>
void Graph<Scalar>::backward(View<const Scalar> weights, Tape<Scalar>& tape,
                             bool input_gradient) const {
  tape.gradients.resize({layout_.size()});
  tape.gradients.set_zero();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    auto& entry = tape.entries[i];
    for (std::size_t k = 0; k < entry.outputs.size(); ++k) {
      const bool leaves = std::find(outputs_.begin(), outputs_.end(), Node{i, k}) != outputs_.end();
      entry.outputs[k].has_gradient &= leaves;
    }
    entry.wanted =
        (nodes_[i].slot_count > 0 && nodes_[i].trains) || (nodes_[i].is_input() && input_gradient);
    for (const Node input : nodes_[i].inputs) entry.wanted |= tape.entries[input.index].wanted;
  }
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    const auto& entry = tape.entries[i];
    if (entry.active && entry.wanted && !nodes_[i].is_input()) run_back(i, weights, tape);
  }
}

/// The first node that has a gradient for an input writes it; every later one adds to it.
template <class Scalar>
void Graph<Scalar>::run_back(std::size_t node, View<const Scalar> weights,
                             Tape<Scalar>& tape) const {
  const Entry& here = nodes_[node];
  auto& entry = tape.entries[node];
  bool reached = false;
  for (std::size_t k = 0; k < entry.outputs.size(); ++k) {
    const Output& output = entry.outputs[k];
    entry.dy[k] = output.has_gradient ? View<const Scalar>(output.gradient) : View<const Scalar>{};
    reached |= output.has_gradient;
  }
  if (!reached) return;
  if (shares_gradient(node, tape)) {
    output_of(here.inputs[0], tape).has_gradient = true;
    return;
  }
  for (std::size_t k = 0; k < here.inputs.size(); ++k) {
    Output& input = output_of(here.inputs[k], tape);
    if (!tape.entries[here.inputs[k].index].wanted) {
      entry.dx[k] = {};
    } else if (!input.has_gradient) {
      entry.dx[k] = make_gradient(here.inputs[k], tape);
    } else {
      entry.scratch[k].resize(input.value.shape());
      entry.dx[k] = entry.scratch[k];
    }
  }
  if (here.layer.only_reshapes()) {
    if (entry.dx[0]) std::copy_n(entry.dy[0].data(), entry.dy[0].size(), entry.dx[0].data());
  } else {
    const auto dw = here.trains ? parameters(tape.gradients.data(), node) : Parameters<Scalar>{};
    here.layer.backward({.w = parameters(weights.data(), node),
                         .x = entry.x,
                         .y = entry.made,
                         .dy = entry.dy,
                         .dw = dw,
                         .dx = entry.dx,
                         .steps = entry.steps,
                         .state = entry.carried},
                        entry.cache);
  }
  for (std::size_t k = 0; k < here.inputs.size(); ++k) {
    if (entry.dx[k] && entry.dx[k].data() == entry.scratch[k].data()) {
      output_of(here.inputs[k], tape).gradient.array() += entry.dx[k].array();
    }
  }
}

}  // namespace heed
