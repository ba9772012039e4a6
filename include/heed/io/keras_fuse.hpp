#pragma once

#include <set>

#include <heed/io/keras_blocks.hpp>
#include <heed/io/keras_masks.hpp>

// Finds the blocks of heed that were written to a file as several layers. They are recognised by
// what the layers compute and how they are connected, not by their names.

namespace heed::detail {

/// The nodes of a block: those inside it, the last one, its input, and the nodes with the block's
/// weights, in the block's order.
struct KerasBlock {
  Node input;
  std::vector<std::size_t> inside;
  std::vector<std::size_t> weighted;
};

/// A node of a graph, with the questions that the search asks.
template <class Scalar>
struct KerasNode {
  const Graph<Scalar>& graph;
  std::size_t index;

  /// The node whose output it reads.
  KerasNode input(std::size_t i) const { return {graph, from(i).index}; }
  Node from(std::size_t i) const { return graph[index].inputs[i]; }

  /// Its layer, if it is of this type and has this number of inputs.
  template <Layer L>
  const L* as(std::size_t inputs) const {
    return graph[index].inputs.size() == inputs ? graph[index].layer.template get<L>() : nullptr;
  }

  bool is_dense(ActivationFunction function) const {
    const auto* dense = as<Dense>(1);
    return dense != nullptr && dense->activation == function;
  }

  bool is_dot(Index first, Index second) const {
    const auto* dot = as<Dot>(2);
    return dot != nullptr && dot->axes.value == std::vector<Index>{first, second};
  }

  bool is_turn() const {
    const auto* permute = as<Permute>(1);
    return permute != nullptr && permute->dims.value == std::vector<Index>{2, 1};
  }

  bool has_bias() const { return graph[index].slot_count > 1; }
};

/// The layers of a LuongAttention that ends in a node.
template <class Scalar>
std::optional<KerasBlock> luong_block(const KerasNode<Scalar>& vector) {
  using F = ActivationFunction;
  if (!vector.is_dense(F::tanh) || vector.has_bias()) return {};
  const auto both = vector.input(0);
  if (both.template as<Concatenate>(2) == nullptr) return {};
  const auto context = both.input(0), last = both.input(1);
  if (!context.is_dot(1, 1) || last.template as<LastStep>(1) == nullptr) return {};
  const auto weights = context.input(1);
  const auto* softmax = weights.template as<Activation>(1);
  if (softmax == nullptr || softmax->activation != F::softmax) return {};
  const auto score = weights.input(0);
  if (!score.is_dot(1, 2) || score.input(0).index != last.index) return {};
  const auto projected = score.input(1);
  if (!projected.is_dense(F::linear) || projected.has_bias()) return {};
  if (projected.from(0) != context.from(0) || last.from(0) != context.from(0)) return {};
  return KerasBlock{context.from(0),
                    {projected.index, last.index, score.index, weights.index, context.index,
                     both.index, vector.index},
                    {projected.index, vector.index}};
}

/// The layers of a StepAttention that ends in a node.
template <class Scalar>
std::optional<KerasBlock> step_block(const KerasNode<Scalar>& mul) {
  if (mul.template as<Multiply>(2) == nullptr) return {};
  for (const std::size_t side : {std::size_t{1}, std::size_t{0}}) {
    const auto vec = mul.input(side);
    const Node x = mul.from(1 - side);
    if (!vec.is_turn() || !vec.input(0).is_dense(ActivationFunction::softmax)) continue;
    const auto dense = vec.input(0), turned = dense.input(0);
    if (!turned.is_turn() || turned.from(0) != x) continue;
    return KerasBlock{x, {turned.index, dense.index, vec.index, mul.index}, {dense.index}};
  }
  return {};
}

/// Whether no node outside the block reads its inner nodes or has its weights.
template <class Scalar>
bool is_closed(const Graph<Scalar>& graph, const KerasBlock& block) {
  const auto begin = block.inside.begin(), end = block.inside.end();
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const std::size_t owner = owner_of_weights(graph, i);
    const bool one = std::find(begin, end, i) != end, other = std::find(begin, end, owner) != end;
    if (owner != i && (one || other)) return false;
  }
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    if (std::find(begin, end, i) != end) continue;
    for (const Node input : graph[i].inputs) {
      if (std::find(begin, end - 1, input.index) != end - 1) return false;
    }
  }
  return std::none_of(graph.outputs().begin(), graph.outputs().end(), [&](const Node output) {
    return std::find(begin, end - 1, output.index) != end - 1;
  });
}

/// The same network with the same weights, in which the layers of blocks are replaced by heed's
/// blocks. A block has the name of its last layer.
template <class Scalar>
Model<Scalar> with_blocks(const Model<Scalar>& model) {
  const Graph<Scalar>& graph = model.graph();
  std::map<std::size_t, std::pair<KerasBlock, AnyLayer<Scalar>>> blocks;
  std::set<std::size_t> inside;
  KerasMasks<Scalar> masks;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) masks.add(graph);
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const KerasNode<Scalar> node{graph, i};
    const auto luong = luong_block(node);
    const auto step = step_block(node);
    const auto block = luong ? luong : step;
    // A block leaves out masked steps, but its layers do not.
    if (!block || !is_closed(graph, *block) || masks.of(graph, block->input)) continue;
    const auto is_frozen = [&](std::size_t inner) { return !graph[inner].trains; };
    const auto frozen = std::count_if(block->weighted.begin(), block->weighted.end(), is_frozen);
    if (frozen != 0 && frozen != std::ssize(block->weighted)) continue;
    const auto& dense = *graph[block->weighted.back()].layer.template get<Dense>();
    const auto initializer = dense.kernel_initializer;
    const auto layer = luong ? AnyLayer<Scalar>(LuongAttention{.units = dense.units,
                                                               .kernel_initializer = initializer})
                             : AnyLayer<Scalar>(StepAttention{.use_bias = dense.use_bias,
                                                              .kernel_initializer = initializer});
    inside.insert(block->inside.begin(), block->inside.end());
    blocks.emplace(i, std::pair(*block, layer));
  }
  Model<Scalar> fused(model.name());
  std::vector<std::size_t> nodes(graph.nodes().size());
  std::vector<std::size_t> sources;  // slots of `model` in the order of `fused`
  const auto take = [&](std::size_t node) {
    for (std::size_t i = 0; i < graph[node].slot_count; ++i) {
      sources.push_back(graph[node].first_slot + i);
    }
  };
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto block = blocks.find(i);
    if (block != blocks.end()) {
      const auto& [parts, layer] = block->second;
      for (const std::size_t node : parts.weighted) take(node);
      const Node input{nodes[parts.input.index], parts.input.output};
      nodes[i] = fused.add(graph[i].name, layer, std::vector{input}).index;
      if (!graph[parts.weighted[0]].trains) fused.set_trainable(graph[i].name, false);
    } else if (!inside.contains(i)) {
      std::vector<Node> inputs;
      for (const Node input : graph[i].inputs) inputs.push_back({nodes[input.index], input.output});
      if (owner_of_weights(graph, i) == i) take(i);
      nodes[i] = add_copy(fused, graph, i, nodes, inputs).index;
    }
  }
  set_same_outputs(fused, graph, nodes);
  std::vector<Scalar> values;
  for (const std::size_t source : sources) {
    const Slot& slot = graph.layout().all_slots()[source];
    const auto all = model.weights().values();
    const auto begin = all.begin() + slot.offset;
    values.insert(values.end(), begin, begin + slot.shape.size());
  }
  fused.set_weights(values);
  return fused;
}

}  // namespace heed::detail
