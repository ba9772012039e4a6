#pragma once

#include <map>

#include <heed/layers/layer.hpp>

namespace heed::pytorch {

/// Which module of a PyTorch network a layer of a model is, by their names: `{{"lstm", "rnn"},
/// {"output", "head"}}`. A module's name is the part of its tensors' names before the last dot:
/// `encoder.rnn` of `encoder.rnn.weight_ih_l0`, `0` in an `nn.Sequential`, nothing for a module alone.
///
///     heed                            PyTorch
///     LSTM, GRU, SimpleRNN            nn.LSTM, nn.GRU, nn.RNN of one layer, or nn.LSTMCell and so on
///     Bidirectional<LSTM>, …          the same with bidirectional=True
///     one after the other, all        the same of several layers
///     Dense                           nn.Linear; the activation function has no weights
///     Embedding                       nn.Embedding
///     StepAttention                   nn.Linear(steps, steps), applied with the steps as last axis
///     "attention/score_kernel"        the `weight` of an nn.Linear, for a weight of any other layer
///     "layer/any_bias"                the `bias` of an nn.Linear
///
/// A GRU has `reset_after`, as it does by default, and a Bidirectional the `merge_mode` concat.
using Modules = std::map<std::string, std::string, std::less<>>;

}  // namespace heed::pytorch

namespace heed::detail {

/// What a weight of a model is in PyTorch.
enum class TorchForm {
  transposed,  ///< the same with its axes exchanged; if it is several tensors, their sum
  same,        ///< the same
  rows,        ///< each row is a tensor
};

/// The tensors that a weight of a layer is in a `state_dict`.
struct TorchTensors {
  std::vector<std::string> names;
  TorchForm form = TorchForm::transposed;
  std::vector<Index> blocks{
      0};  ///< for each block of the first axis in PyTorch, which of heed's it is
};

/// One weight of a model and what it is in a `state_dict`.
struct TorchWeight {
  const Slot* slot;
  std::string title;  ///< of the layer
  std::string module;
  TorchTensors tensors;  ///< names with the module's
  Index gates = 0;       ///< of a recurrent module

  /// The shape of each tensor.
  Shape shape() const {
    const Shape& own = slot->shape;
    if (own.rank() != 2 || tensors.form == TorchForm::same) return own;
    return tensors.form == TorchForm::rows ? Shape{own[1]} : Shape{own[1], own[0]};
  }

  /// Calls `use(own, torch)` for each number of a tensor, with its place in the weight and in the tensor.
  template <class Use>
  void for_each_number(std::size_t tensor, const Use& use) const {
    const Shape torch = shape();
    const Index rows = torch[0], columns = torch.size() / rows;
    const Index block = rows / std::ssize(tensors.blocks);
    const Index first = tensors.form == TorchForm::rows ? static_cast<Index>(tensor) * rows : 0;
    for (Index i = 0; i < rows; ++i) {
      const Index row = tensors.blocks[static_cast<std::size_t>(i / block)] * block + i % block;
      for (Index j = 0; j < columns; ++j) {
        const bool same = tensors.form == TorchForm::same;
        use(first + (same ? row * columns + j : j * rows + row), i * columns + j);
      }
    }
  }
};

inline std::string torch_tensor(const std::string& module, std::string_view name) {
  return join(module, module.empty() ? "" : ".", name);
}

/// The module of a tensor: all before the last dot.
inline std::string_view torch_module(std::string_view tensor) {
  const std::size_t dot = tensor.rfind('.');
  return dot == std::string_view::npos ? "" : tensor.substr(0, dot);
}

}  // namespace heed::detail
