#pragma once

#include <heed/attention/step_attention.hpp>
#include <heed/io/json.hpp>
#include <heed/io/pytorch_recurrent.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/embedding.hpp>

namespace heed::detail {

/// The tensors of a layer's weight in PyTorch's module of the same kind; none if there is no such
/// module.
template <class Scalar>
TorchTensors torch_tensors(const AnyLayer<Scalar>& layer, const Slot& slot, std::string_view weight,
                           Index level) {
  if (const auto recurrent = torch_recurrent(layer)) {
    return torch_recurrent_tensors(*recurrent, weight, level);
  }
  if (layer.template get<Embedding>() != nullptr) return {{"weight"}, TorchForm::same};
  if (layer.template get<Dense>() != nullptr || layer.template get<StepAttention>() != nullptr) {
    return {{slot.shape.rank() == 2 ? "weight" : "bias"}};
  }
  return {};
}

/// Throws `OptionError` if a layer does not compute the same as the module to which it is mapped, or
/// differs from another layer that is mapped to the same module.
template <class Scalar>
void check_torch_recurrent(const Graph<Scalar>& graph, const pytorch::Modules& modules) {
  std::map<std::string_view, std::size_t> first;  // recurrent node of each module
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto mapped = modules.find(graph[i].name);
    const auto recurrent = torch_recurrent(graph[i].layer);
    if (mapped == modules.end() || !recurrent) continue;
    check<OptionError>(recurrent->refusal.empty(), graph.title(i), " ", recurrent->refusal);
    const auto other = first.emplace(mapped->second, i).first->second;
    check<OptionError>(
        recurrent == torch_recurrent(graph[other].layer), graph.title(other), " and ",
        graph.title(i), " are mapped to PyTorch's ", in_quotes(mapped->second),
        ", but the layers of one module must have the same type, units, activation and use_bias");
  }
}

/// Throws `OptionError` for a name that is neither a weight nor a layer with weights, and for a
/// recurrent layer that does not compute the same as PyTorch's.
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
                       " has no weights, but is mapped to PyTorch's \"", module, "\"");
  }
  check_torch_recurrent(graph, modules);
}

/// All weights of a model, in the order of its layout. Throws `OptionError` for a weight that is not
/// mapped.
template <class Scalar>
std::vector<TorchWeight> torch_weights(const Model<Scalar>& model,
                                       const pytorch::Modules& modules) {
  check_torch_modules(model, modules);
  const Graph<Scalar>& graph = model.graph();
  std::vector<TorchWeight> weights;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto& node = graph[i];
    const auto layer = modules.find(node.name);
    const auto recurrent = torch_recurrent(node.layer);
    const auto own_slots = graph.layout().all_slots().subspan(node.first_slot, node.slot_count);
    std::vector<std::string> names;
    for (const Slot& slot : own_slots) names.push_back(slot.name);
    for (const Slot& slot : own_slots) {
      const auto alone = modules.find(slot.name);
      const auto module = alone != modules.end() ? alone : layer;
      check<OptionError>(module != modules.end(), graph.title(i), " has the weights ",
                         quoted_list(names), ", and ", in_quotes(slot.name),
                         " is not mapped to a module of PyTorch: add {", in_quotes(node.name),
                         ", \"…\"}");
      const auto weight = std::string_view(slot.name).substr(node.name.size() + 1);
      auto tensors = torch_tensors(node.layer, slot, weight, torch_level(graph, i, modules));
      const bool is_linear = alone != modules.end() && slot.shape.rank() <= 2;
      if (is_linear && (recurrent || tensors.names.empty())) {
        tensors = {{slot.shape.rank() == 2 ? "weight" : "bias"}};
      }
      check<OptionError>(!tensors.names.empty(), graph.title(i), " is mapped to PyTorch's ",
                         in_quotes(module->second),
                         ", but PyTorch has no such module: map each of its weights ",
                         quoted_list(names), " to an nn.Linear of its own");
      for (auto& name : tensors.names) name = torch_tensor(module->second, name);
      const bool has_gates = recurrent && alone == modules.end();
      const Index gates = has_gates ? std::ssize(recurrent->kind->gates) : 0;
      weights.push_back({&slot, graph.title(i), module->second, std::move(tensors), gates});
    }
  }
  return weights;
}

}  // namespace heed::detail
