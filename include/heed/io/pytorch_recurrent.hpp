#pragma once

#include <optional>

#include <heed/io/pytorch_tensors.hpp>
#include <heed/layers/bidirectional.hpp>
#include <heed/layers/dropout.hpp>
#include <heed/layers/gru.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/layers/simple_rnn.hpp>
#include <heed/model/model.hpp>

// PyTorch's recurrent modules: one description of each kind, for both reading and writing.

namespace heed::detail {

/// A kind of recurrent module, and how its weights differ from those of heed's layer. Every module of
/// PyTorch has two biases, one for x W and one for h' U.
struct TorchKind {
  std::string_view module;       ///< its class, in torch.nn
  std::string_view gates;        ///< one letter for each gate, in heed's order
  std::string_view torch_gates;  ///< the same letters, in PyTorch's order
  bool adds_biases;  ///< whether the layer has one bias, the sum, instead of both as two rows

  /// For each block of PyTorch's, the number of the same block in heed.
  std::vector<Index> blocks() const {
    std::vector<Index> result;
    for (const char gate : torch_gates) result.push_back(static_cast<Index>(gates.find(gate)));
    return result;
  }
};

// Letters as in PyTorch's documentation; its new gate n is heed's g.
template <CellLayer L>
inline constexpr TorchKind torch_kind{};
template <>
inline constexpr TorchKind torch_kind<LSTM>{"LSTM", "ifgo", "ifgo", true};
template <>
inline constexpr TorchKind torch_kind<GRU>{"GRU", "zrn", "rzn", false};
template <>
inline constexpr TorchKind torch_kind<SimpleRNN>{"RNN", "h", "h", true};

/// The class with this number of gates; empty if there is none.
inline std::string_view torch_class_of(Index gates) {
  for (const auto* kind : {&torch_kind<LSTM>, &torch_kind<GRU>, &torch_kind<SimpleRNN>}) {
    if (std::ssize(kind->gates) == gates) return kind->module;
  }
  return {};
}

/// The properties of a layer that all layers of one recurrent module share.
struct TorchRecurrent {
  const TorchKind* kind;
  bool both;  ///< whether it has two directions
  Index units;
  ActivationFunction activation;
  bool use_bias;
  std::string refusal;  ///< why no module computes the same; empty if one does

  bool operator==(const TorchRecurrent&) const = default;
};

/// Why no module of PyTorch computes the same as a layer; empty if one does.
template <CellLayer L>
std::string torch_refusal(const L& cell) {
  using enum ActivationFunction;
  if constexpr (requires { cell.recurrent_activation; }) {
    if (cell.activation != tanh || cell.recurrent_activation != sigmoid) {
      return join("has the activation functions ", name_of(cell.activation), " and ",
                  name_of(cell.recurrent_activation), ", and PyTorch's have tanh and sigmoid");
    }
  } else if (cell.activation != tanh && cell.activation != relu) {
    return join("has the activation function ", name_of(cell.activation), ", and PyTorch's ",
                torch_kind<L>.module, " has tanh or relu");
  }
  if constexpr (requires { cell.reset_after; }) {
    if (!cell.reset_after) {
      return join("has reset_after = false, and PyTorch's ", torch_kind<L>.module,
                  " computes what heed's does with reset_after = true");
    }
  }
  return {};
}

/// These properties, if the layer is recurrent.
template <class Scalar>
std::optional<TorchRecurrent> torch_recurrent(const AnyLayer<Scalar>& layer) {
  std::optional<TorchRecurrent> result;
  const auto look = [&]<CellLayer L>(const L*) {
    const auto* two = layer.template get<Bidirectional<L>>();
    const L* cell = two != nullptr ? &two->layer : layer.template get<L>();
    if (cell == nullptr) return;
    result = TorchRecurrent{&torch_kind<L>,   two != nullptr, cell->units,
                            cell->activation, cell->use_bias, torch_refusal(*cell)};
    if (two != nullptr && two->merge_mode != MergeMode::concat && result->refusal.empty()) {
      result->refusal = join("has merge_mode ", name_of(two->merge_mode),
                             ", and PyTorch's modules have what heed calls concat");
    }
  };
  look(static_cast<const LSTM*>(nullptr));
  look(static_cast<const GRU*>(nullptr));
  look(static_cast<const SimpleRNN*>(nullptr));
  return result;
}

/// The number of a node among the layers of its recurrent module, from 0: one more than that of the
/// layer that it reads, if that one is mapped to the same module.
template <class Scalar>
Index torch_level(const Graph<Scalar>& graph, std::size_t node, const pytorch::Modules& modules) {
  Index level = 0;
  const auto own = modules.find(graph[node].name);
  if (own == modules.end()) return level;
  while (!graph[node].is_input()) {
    node = graph[node].inputs[0].index;
    if (graph[node].layer.template get<Dropout>() != nullptr) continue;  // nn.LSTM(dropout=…)
    const auto module = modules.find(graph[node].name);
    const bool is_below = module != modules.end() && module->second == own->second &&
                          torch_recurrent(graph[node].layer);
    if (!is_below) break;
    ++level;
  }
  return level;
}

/// The tensors in PyTorch for a weight of a recurrent layer: `kernel`, or `backward_kernel` of a
/// Bidirectional.
inline TorchTensors torch_recurrent_tensors(const TorchRecurrent& layer, std::string_view weight,
                                            Index level) {
  const bool backward = layer.both && weight.starts_with("backward_");
  if (layer.both) weight.remove_prefix(weight.find('_') + 1);
  const std::string place = join("_l", level, backward ? "_reverse" : "");
  TorchTensors result{{}, TorchForm::transposed, layer.kind->blocks()};
  if (weight == "kernel") {
    result.names = {join("weight_ih", place)};
  } else if (weight == "recurrent_kernel") {
    result.names = {join("weight_hh", place)};
  } else {
    result.names = {join("bias_ih", place), join("bias_hh", place)};
    if (!layer.kind->adds_biases) result.form = TorchForm::rows;
  }
  return result;
}

}  // namespace heed::detail
