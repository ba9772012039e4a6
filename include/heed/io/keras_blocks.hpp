#pragma once

#include <functional>

#include <heed/io/keras_graph.hpp>
#include <heed/io/model_json.hpp>

// Keras has no layers like heed's attention blocks. In a file, a block is written as the layers of
// philipperemy/keras-attention-mechanism, "the reference", with the names that they have there. If
// a model has several blocks of a kind, or another layer with one of these names, the block's name
// is put in front of them.

namespace heed::detail {

inline constexpr auto luong_names = std::to_array<std::string_view>(
    {"attention_score_vec", "last_hidden_state", "attention_score", "attention_weight",
     "context_vector", "attention_output", "attention_vector"});
enum class LuongName { score_vec, last_step, score, weight, context, output, vector };

inline constexpr auto step_names = std::to_array<std::string_view>(
    {"attention_vec_permute", "attention_vec_dense", "attention_vec", "attention_mul"});
enum class StepName { permute, dense, vec, mul };

/// The prefix of the names of a block's layers: empty, or `attention_`.
template <Layer Block, class Scalar>
std::string block_prefix(const Graph<Scalar>& graph, std::size_t node,
                         std::span<const std::string_view> names) {
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const bool another = i != node && graph[i].layer.template get<Block>() != nullptr;
    const bool taken =
        i != node && std::find(names.begin(), names.end(), graph[i].name) != names.end();
    if (another || taken) return graph[node].name + "_";
  }
  return {};
}

/// A place in a file where a weight of a model can be: the layer, and the end of its path there.
struct KerasPlace {
  std::string layer;
  std::string weight;
  std::string part = {};  ///< the prefix of a group in the path: `forward_`
};

/// The possible places of one weight. The first one that exists in the file is used.
using KerasPlaces = std::vector<KerasPlace>;

/// The layer that a layer reads; empty if the file does not say it.
using KerasInputOf = std::function<std::string(const std::string& layer)>;

/// The places of a LuongAttention's weight in files of the package `attention` and its
/// predecessors: in a single layer with a class of the package or, in the package's debug mode, in
/// separate layers.
inline KerasPlaces luong_places(const std::string& weight, const std::string& prefix,
                                const std::string& node, const std::string* given) {
  std::vector<std::string> names{"attention_vector"};
  if (weight == "score_kernel") names = {"attention_score_vec", "luong_w"};
  KerasPlaces places;
  for (const std::string& name : names) {
    places.push_back({given != nullptr ? *given : prefix + name, "kernel"});
  }
  for (const std::string& name : names) {
    places.push_back({given != nullptr ? *given : node, name + "/kernel"});
  }
  // A single layer contains two kernels; the longer name identifies the right one.
  if (given != nullptr) std::reverse(places.begin(), places.end());
  return places;
}

/// The places of a model's weights, in the order of its layout. `given` contains the layers of
/// nodes or of weights, `attention/score_kernel`, and has priority.
template <class Scalar>
std::vector<KerasPlaces> keras_places(const Graph<Scalar>& graph,
                                      const std::map<std::string, std::string, std::less<>>& given,
                                      const KerasInputOf& input_of) {
  std::vector<KerasPlaces> places;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto& node = graph[i];
    if (owner_of_weights(graph, i) != i) continue;
    const auto parts = keras_parts(node.layer.type(), node.layer.config());
    for (const Slot& slot : graph.layout().all_slots().subspan(node.first_slot, node.slot_count)) {
      std::string weight = slot.name.substr(node.name.size() + 1);
      std::string layer = node.name;
      auto named = given.find(slot.name);
      if (named == given.end()) named = given.find(node.name);
      const std::string* other = named == given.end() ? nullptr : &named->second;
      if (node.layer.template get<LuongAttention>() != nullptr) {
        const auto prefix = block_prefix<LuongAttention>(graph, i, luong_names);
        places.push_back(luong_places(weight, prefix, node.name, other));
        continue;
      }
      if (other != nullptr) {
        layer = *other;
      } else if (node.layer.template get<StepAttention>() != nullptr) {
        // The reference does not name the Dense. It is the layer before the Permute.
        layer = block_prefix<StepAttention>(graph, i, step_names);
        layer = input_of(layer.append(step_names[static_cast<std::size_t>(StepName::vec)]));
      }
      const auto part = std::find_if(parts.begin(), parts.end(), [&](const KerasPart& one) {
        return weight.starts_with(one.names);
      });
      weight.erase(0, part->names.size());
      places.push_back({{std::move(layer), std::move(weight), part->names}});
    }
  }
  return places;
}

/// Adds the layers of a LuongAttention. Its two weights have the same order in them.
template <class Scalar>
Node add_expanded(Model<Scalar>& model, const LuongAttention& block, const std::string& prefix,
                  Node x) {
  const auto name = [&](LuongName which) {
    return join(prefix, luong_names[static_cast<std::size_t>(which)]);
  };
  using enum LuongName;
  const Index features = model.graph().shape(x).back();
  const Dense score_dense{
      .units = features, .use_bias = false, .kernel_initializer = block.kernel_initializer};
  const Dense vector_dense{.units = block.units,
                           .activation = ActivationFunction::tanh,
                           .use_bias = false,
                           .kernel_initializer = block.kernel_initializer};
  const Node projected = model.add(name(score_vec), score_dense, x);
  const Node last = model.add(name(last_step), LastStep{}, x);
  const Node scores = model.add(name(score), Dot{.axes = {1, 2}}, {last, projected});
  const Node weights = model.add(name(weight), Activation{ActivationFunction::softmax}, scores);
  const Node sum = model.add(name(context), Dot{.axes = {1, 1}}, {x, weights});
  const Node both = model.add(name(output), Concatenate{}, {sum, last});
  return model.add(name(vector), vector_dense, both);
}

/// Adds the layers of a StepAttention.
template <class Scalar>
Node add_expanded(Model<Scalar>& model, const StepAttention& block, const std::string& prefix,
                  Node x) {
  const auto name = [&](StepName which) {
    return join(prefix, step_names[static_cast<std::size_t>(which)]);
  };
  using enum StepName;
  const Index steps = model.graph().shape(x)[0];
  const Node turned = model.add(name(permute), Permute{.dims = {2, 1}}, x);
  const Node logits = model.add(name(dense),
                                Dense{.units = steps,
                                      .activation = ActivationFunction::softmax,
                                      .use_bias = block.use_bias,
                                      .kernel_initializer = block.kernel_initializer},
                                turned);
  const Node weights = model.add(name(vec), Permute{.dims = {2, 1}}, logits);
  return model.add(name(mul), Multiply{}, {x, weights});
}

/// Adds a node of a graph to a model, in which `nodes` are the earlier nodes. It stays shared or
/// frozen.
template <class Scalar>
Node add_copy(Model<Scalar>& model, const Graph<Scalar>& graph, std::size_t i,
              std::span<const std::size_t> nodes, std::span<const Node> inputs) {
  const auto& node = graph[i];
  const std::size_t owner = owner_of_weights(graph, i);
  if (owner != i) return model.share(node.name, {nodes[owner], 0}, inputs);
  const Node copy = model.add(node.name, node.layer, inputs);
  if (!node.trains) model.set_trainable(node.name, false);
  return copy;
}

/// Freezes the layers of a frozen block: the node added last.
template <class Scalar>
void freeze_since(Model<Scalar>& model, std::span<const std::size_t> nodes) {
  const std::size_t before = nodes.size() > 1 ? nodes[nodes.size() - 2] + 1 : 0;
  for (std::size_t i = before; i <= nodes.back(); ++i) {
    model.set_trainable(model.graph()[i].name, false);
  }
}

/// Sets the outputs of a model to those of a graph.
template <class Scalar>
void set_same_outputs(Model<Scalar>& model, const Graph<Scalar>& graph,
                      std::span<const std::size_t> nodes) {
  std::vector<Node> outputs;
  for (const Node output : graph.outputs()) {
    outputs.push_back({nodes[output.index], output.output});
  }
  model.set_outputs(std::move(outputs));
}

/// The same network with the same weights, in which blocks are replaced by their layers.
template <class Scalar>
Model<Scalar> without_blocks(const Model<Scalar>& model) {
  const Graph<Scalar>& graph = model.graph();
  Model<Scalar> expanded(model.name());
  std::vector<std::size_t> nodes;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto& node = graph[i];
    std::vector<Node> inputs;
    for (const Node input : node.inputs) inputs.push_back({nodes[input.index], input.output});
    const std::size_t owner = owner_of_weights(graph, i);
    const auto* luong = node.layer.template get<LuongAttention>();
    const auto* step = node.layer.template get<StepAttention>();
    check<ModelError>(
        owner == i || (luong == nullptr && step == nullptr), graph.title(i),
        " shares its weights with ", graph.title(owner),
        ", but in a Keras file it is several layers, which cannot be shared together");
    if (luong != nullptr) {
      const auto prefix = block_prefix<LuongAttention>(graph, i, luong_names);
      nodes.push_back(add_expanded(expanded, *luong, prefix, inputs[0]).index);
    } else if (step != nullptr) {
      const auto prefix = block_prefix<StepAttention>(graph, i, step_names);
      nodes.push_back(add_expanded(expanded, *step, prefix, inputs[0]).index);
    } else {
      nodes.push_back(add_copy(expanded, graph, i, nodes, inputs).index);
    }
    if (!node.trains) freeze_since(expanded, nodes);
  }
  set_same_outputs(expanded, graph, nodes);
  expanded.set_weights(model.weights().values());
  return expanded;
}

}  // namespace heed::detail
