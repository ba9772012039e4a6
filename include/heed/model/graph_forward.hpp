#pragma once

#include <heed/model/graph_nodes.hpp>

// The forward pass through a graph.

namespace heed {

/// Marks the wanted nodes and all nodes that they depend on as active, and makes their caches.
template <class Scalar>
void Graph<Scalar>::activate(std::span<const Node> wanted, Tape<Scalar>& tape) const {
  tape.entries.resize(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    tape.entries[i].active = false;
    tape.entries[i].outputs.resize(nodes_[i].shapes.size());
    for (Output& output : tape.entries[i].outputs) {
      output.consumers = 0;
      output.has_gradient = false;
    }
  }
  for (const Node node : wanted) {
    tape.entries[node.index].active = true;
    ++output_of(node, tape).consumers;
  }
  for (std::size_t node = nodes_.size(); node-- > 0;) {
    auto& entry = tape.entries[node];
    if (!entry.active) continue;
    const Entry& here = nodes_[node];
    for (const Node input : here.inputs) {
      tape.entries[input.index].active = true;
      ++output_of(input, tape).consumers;
    }
    if (entry.cache_key != here.layer.key()) {
      entry.cache = here.layer.make_cache();
      entry.cache_key = here.layer.key();
    }
    entry.x.resize(here.inputs.size());
    entry.dx.resize(here.inputs.size());
    entry.steps.resize(here.inputs.size());
    entry.scratch.resize(here.inputs.size());
    entry.y.resize(here.shapes.size());
    entry.made.resize(here.shapes.size());
    entry.dy.resize(here.shapes.size());
  }
}

/// Sets the shapes of all values in this batch. If inputs have axes of any length, the shapes
/// depend on the data. They are computed again only when a length changes.
template <class Scalar>
void Graph<Scalar>::set_shapes(const Inputs<Scalar>& inputs, Tape<Scalar>& tape) const {
  bool same = tape.shaped_for == id_;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    Shape& shape = tape.entries[inputs_[i]].outputs[0].shape;
    const Shape now = inputs.x[i].shape().sample();
    same = same && shape == now;
    shape = now;
  }
  if (same && !shapes_are_known_) return;
  tape.shaped_for = id_;
  std::vector<Shape> shapes;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    auto& entry = tape.entries[i];
    if (nodes_[i].is_input()) continue;
    if (shapes_are_known_) {
      for (std::size_t k = 0; k < entry.outputs.size(); ++k)
        entry.outputs[k].shape = nodes_[i].shapes[k];
      continue;
    }
    shapes.clear();
    for (const Node input : nodes_[i].inputs) shapes.push_back(output_of(input, tape).shape);
    try {
      const auto made = nodes_[i].layer.output_shapes(shapes);
      for (std::size_t k = 0; k < made.size(); ++k) entry.outputs[k].shape = made[k];
    } catch (const ShapeError& error) {
      tape.shaped_for = 0;
      throw ShapeError(join(title(i), ": ", error.what()));
    }
  }
}

template <class Scalar>
std::vector<Shape> Graph<Scalar>::output_shapes(std::span<const Shape> inputs) const {
  std::vector<View<const Scalar>> x;
  for (const Shape& shape : inputs) x.emplace_back(nullptr, shape.batch(1));
  Tape<Scalar> tape;
  activate(outputs_, tape);
  set_shapes({.x = x}, tape);
  std::vector<Shape> shapes;
  for (const Node node : outputs_) shapes.push_back(output_of(node, tape).shape);
  return shapes;
}

template <class Scalar>
void Graph<Scalar>::forward(View<const Scalar> weights, const Inputs<Scalar>& inputs,
                            std::span<const Node> wanted, const Pass& pass,
                            Tape<Scalar>& tape) const {
  activate(wanted, tape);
  set_shapes(inputs, tape);
  for (std::size_t i = 0; i < inputs_.size(); ++i) enter(i, inputs, tape);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (tape.entries[i].active && !nodes_[i].is_input()) run(i, weights, pass, tape);
  }
}

/// Sets the data of an input and its mask.
template <class Scalar>
void Graph<Scalar>::enter(std::size_t input, const Inputs<Scalar>& inputs,
                          Tape<Scalar>& tape) const {
  Output& output = tape.entries[inputs_[input]].outputs[0];
  output.value = inputs.x[input];
  output.steps = {};
  if (input >= inputs.masks.size() || !inputs.masks[input]) return;
  output.table.assign(inputs.masks[input]);
  output.steps = Steps(output.table);
}

template <class Scalar>
void Graph<Scalar>::run(std::size_t node, View<const Scalar> weights, const Pass& pass,
                        Tape<Scalar>& tape) const {
  const Entry& here = nodes_[node];
  auto& entry = tape.entries[node];
  for (std::size_t k = 0; k < here.inputs.size(); ++k) {
    const Output& input = output_of(here.inputs[k], tape);
    entry.x[k] = input.value;
    entry.steps[k] = input.steps;
  }
  const Index samples = entry.x[0].dim(0);
  if (here.layer.only_reshapes()) {
    entry.outputs[0].value = entry.x[0].reshaped(entry.outputs[0].shape.batch(samples));
    entry.outputs[0].steps = {};
    return;
  }
  for (std::size_t k = 0; k < entry.outputs.size(); ++k) {
    Output& output = entry.outputs[k];
    output.value_memory.resize(output.shape.batch(samples));
    output.value = entry.made[k] = output.value_memory;
    entry.y[k] = output.value_memory;
    output.steps = {};
  }
  Forward<Scalar> args{.w = parameters(weights.data(), node),
                       .x = entry.x,
                       .y = entry.y,
                       .steps = entry.steps,
                       .pass = pass};
  args.pass.node = node;
  args.pass.training &= here.trains || !here.has_statistics;
  if (here.carries) {
    carried_states(node, samples, tape);
    args.state = entry.carried;
    args.next_state = entry.next_carried;
  }
  try {
    here.layer.forward(args, entry.cache);
  } catch (const DataError& error) {
    throw DataError(join(title(node), ": ", error.what()));
  }
  mark_steps(node, args, tape);
}

template <class Scalar>
std::vector<Tensor<Scalar>>& Graph<Scalar>::carried_states(std::size_t node, Index samples,
                                                           Tape<Scalar>& tape) const {
  tape.entries.resize(nodes_.size());
  auto& entry = tape.entries[node];
  if (!entry.state.empty() && entry.state[0].dim(0) == samples) return entry.state;
  const auto shapes = nodes_[node].layer.states(shape(nodes_[node].inputs[0]));
  entry.state.clear();
  for (const Shape& shape : shapes) entry.state.emplace_back(shape.batch(samples));
  entry.carried.assign(entry.state.begin(), entry.state.end());
  entry.next_carried.assign(entry.state.begin(), entry.state.end());
  return entry.state;
}

/// Sets the mask of the first output: the mask that the layer makes, the mask of the first input if
/// the layer keeps its steps, or, for a step-wise layer, a mask of the steps that are masked in all
/// inputs. As in Keras, no step is masked if an input has no mask.
template <class Scalar>
void Graph<Scalar>::mark_steps(std::size_t node, const Forward<Scalar>& args,
                               Tape<Scalar>& tape) const {
  const Entry& here = nodes_[node];
  auto& entry = tape.entries[node];
  Output& output = entry.outputs[0];
  const auto count = [&] {
    const Shape& y = output.value.shape();
    output.table.assign({output.counts.data(), {y[0], y[1]}});
    output.steps = Steps(output.table);
  };
  if (here.layer.can_mark()) {
    output.counts.assign(static_cast<std::size_t>(output.value.shape().product(0, 2)), 1);
    if (here.layer.mark(args, output.counts)) count();
    return;
  }
  if (here.layer.keeps_steps()) {
    for (std::size_t k = 0; k < here.layer.outputs(); ++k) entry.outputs[k].steps = entry.steps[0];
    return;
  }
  const auto begin = entry.steps.begin(), end = entry.steps.end();
  if (!here.step_wise || std::any_of(begin, end, [](const Steps& s) { return !s; })) return;
  if (std::all_of(begin, end, [&](const Steps& s) { return &*s == &**begin; })) {
    output.steps = *begin;
    return;
  }
  const Mask first = (*begin)->mask();
  output.counts.assign(first.data(), first.data() + first.size());
  for (const Steps& steps : entry.steps) {
    for (std::size_t i = 0; i < output.counts.size(); ++i) {
      if (steps->mask().data()[i] != 0) output.counts[i] = 1;
    }
  }
  count();
}

}  // namespace heed
