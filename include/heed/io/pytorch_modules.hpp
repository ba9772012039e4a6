#pragma once

#include <map>

#include <heed/attention/step_attention.hpp>
#include <heed/io/json.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/dropout.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/model/model.hpp>

namespace heed::pytorch {

/// Which module of a PyTorch network a layer of a model is, by their names: `{{"lstm", "rnn"},
/// {"output", "head"}}`. A module's name is what stands in front of its tensors in the `state_dict`:
/// `encoder.rnn` of `encoder.rnn.weight_ih_l0`, `0` in an `nn.Sequential`, nothing for a module alone.
///
///     heed                            PyTorch
///     LSTM                            nn.LSTM of one layer and one direction, or nn.LSTMCell
///     LSTM behind LSTM, both          nn.LSTM of two layers; of more in the same way
///     Dense                           nn.Linear; the activation function has no weights
///     StepAttention                   nn.Linear(steps, steps), applied with the steps as last axis
///     "attention/score_kernel"        the `weight` of an nn.Linear, for a weight of any other layer
///     "layer/any_bias"                the `bias` of an nn.Linear
using Modules = std::map<std::string, std::string, std::less<>>;

}  // namespace heed::pytorch

namespace heed::detail {

/// One weight of a model and what it is in a `state_dict`: a tensor, or several that add up. Matrices
/// are transposed there.
struct TorchWeight {
  const Slot* slot;
  std::string title;  ///< of the layer
  std::string module;
  std::vector<std::string> tensors;

  Shape shape() const {
    const Shape& own = slot->shape;
    return own.rank() == 2 ? Shape{own[1], own[0]} : own;
  }
};

inline std::string torch_tensor(const std::string& module, std::string_view name) {
  return join(module, module.empty() ? "" : ".", name);
}

/// The module of a tensor: all in front of the last dot.
inline std::string_view torch_module(std::string_view tensor) {
  const std::size_t dot = tensor.rfind('.');
  return dot == std::string_view::npos ? "" : tensor.substr(0, dot);
}

/// Which layer of an nn.LSTM a node is, from 0: one more than the LSTM that it reads from, if that is
/// mapped to the same module.
template <class Scalar>
Index torch_level(const Graph<Scalar>& graph, std::size_t node, const pytorch::Modules& modules) {
  Index level = 0;
  const auto own = modules.find(graph[node].name);
  if (own == modules.end()) return level;
  while (!graph[node].is_input()) {
    node = graph[node].inputs[0].index;
    if (graph[node].layer.template get<Dropout>() != nullptr) continue;  // nn.LSTM(dropout=…)
    const auto module = modules.find(graph[node].name);
    const bool is_below = graph[node].layer.template get<LSTM>() != nullptr &&
                          module != modules.end() && module->second == own->second;
    if (!is_below) break;
    ++level;
  }
  return level;
}

/// What PyTorch calls a weight of a module that stands for a layer; nothing when no module does.
template <class Scalar>
std::vector<std::string> torch_names(const AnyLayer<Scalar>& layer, std::string_view weight,
                                     Index level) {
  if (layer.template get<LSTM>() != nullptr) {
    if (weight == "kernel") return {join("weight_ih_l", level)};
    if (weight == "recurrent_kernel") return {join("weight_hh_l", level)};
    return {join("bias_ih_l", level), join("bias_hh_l", level)};
  }
  if (layer.template get<Dense>() != nullptr || layer.template get<StepAttention>() != nullptr) {
    return {weight == "kernel" ? "weight" : "bias"};
  }
  return {};
}

/// Throws `OptionError` unless each name is that of a layer with weights or of a weight, and for an
/// LSTM that computes something else than PyTorch's.
template <class Scalar>
void check_torch_modules(const Model<Scalar>& model, const pytorch::Modules& modules) {
  const Graph<Scalar>& graph = model.graph();
  for (const auto& [name, module] : modules) {
    const std::string_view layer = std::string_view(name).substr(0, name.find('/'));
    const std::size_t node = graph.find(layer);
    check<OptionError>(
        node < graph.nodes().size() && (layer == name || graph.layout().find(name) != nullptr),
        "model \"", model.name(), "\" has no layer or weight \"", name,
        "\", which is mapped to PyTorch's \"", module, "\"");
    check<OptionError>(graph[node].slot_count > 0, graph.title(node),
                       " has no weights and is mapped to PyTorch's \"", module, "\"");
    const auto* lstm = graph[node].layer.template get<LSTM>();
    if (lstm != nullptr && layer == name) {
      check<OptionError>(lstm->activation == ActivationFunction::tanh &&
                             lstm->recurrent_activation == ActivationFunction::sigmoid,
                         graph.title(node), " has the activation functions ",
                         name_of(lstm->activation), " and ", name_of(lstm->recurrent_activation),
                         ", and PyTorch's have tanh and sigmoid");
    }
  }
}

/// All weights of a model, in the order of its layout. Throws `OptionError` for one without a module.
template <class Scalar>
std::vector<TorchWeight> torch_weights(const Model<Scalar>& model,
                                       const pytorch::Modules& modules) {
  check_torch_modules(model, modules);
  const Graph<Scalar>& graph = model.graph();
  std::vector<TorchWeight> weights;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto& node = graph[i];
    const auto layer = modules.find(node.name);
    const auto own_slots = graph.layout().all_slots().subspan(node.first_slot, node.slot_count);
    std::vector<std::string> names;
    for (const Slot& slot : own_slots) names.push_back(slot.name);
    for (const Slot& slot : own_slots) {
      const auto alone = modules.find(slot.name);
      const auto module = alone != modules.end() ? alone : layer;
      check<OptionError>(module != modules.end(), graph.title(i), " has the weights ",
                         quoted_list(names), ", and ", in_quotes(slot.name),
                         " is mapped to no module of PyTorch: add {", in_quotes(node.name),
                         ", \"…\"}");
      auto known = torch_names(node.layer, std::string_view(slot.name).substr(node.name.size() + 1),
                               torch_level(graph, i, modules));
      if (alone != modules.end() && slot.shape.rank() <= 2) {
        known = {slot.shape.rank() == 2 ? "weight" : "bias"};
      }
      check<OptionError>(!known.empty(), graph.title(i), " is mapped to PyTorch's ",
                         in_quotes(module->second),
                         ", and no module of PyTorch is such a layer: map its weights ",
                         quoted_list(names), " one by one to an nn.Linear each");
      weights.push_back({&slot, graph.title(i), module->second, {}});
      for (const auto& name : known) {
        weights.back().tensors.push_back(torch_tensor(module->second, name));
      }
    }
  }
  return weights;
}

}  // namespace heed::detail
