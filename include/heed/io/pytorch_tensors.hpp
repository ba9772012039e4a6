#pragma once

#include <map>

#include <heed/layers/layer.hpp>

namespace heed::pytorch {

/// Maps layers of a model to modules of a PyTorch network, by their names: `{{"lstm", "rnn"},
/// {"output", "head"}}`. The name of a module is the part of its tensors' names before the last dot:
/// `encoder.rnn` for `encoder.rnn.weight_ih_l0`, `0` in an `nn.Sequential`, and empty if the network is
/// a single module.
///
///     heed                            PyTorch
///     LSTM, GRU, SimpleRNN            nn.LSTM, nn.GRU, nn.RNN with one layer, or nn.LSTMCell etc.
///     Bidirectional<LSTM>, …          the same with bidirectional=True
///     several of these in a row       the same with several layers
///     Dense                           nn.Linear; the activation function has no weights
///     Embedding                       nn.Embedding
///     StepAttention                   nn.Linear(steps, steps), with the steps as the last axis
///     "attention/score_kernel"        the `weight` of an nn.Linear, for a weight of any other layer
///     "layer/any_bias"                the `bias` of an nn.Linear
///
/// A GRU needs `reset_after`, the default, and a Bidirectional the `merge_mode` concat.
using Modules = std::map<std::string, std::string, std::less<>>;

}  // namespace heed::pytorch

namespace heed::detail {

/// How a weight of a model is stored in PyTorch.
enum class TorchForm {
  transposed,  ///< with exchanged axes; the sum, if there are several tensors
  same,        ///< unchanged
  rows,        ///< each row is a tensor of its own
};

/// The tensors of a `state_dict` in which a weight is stored.
struct TorchTensors {
  std::vector<std::string> names;
  TorchForm form = TorchForm::transposed;
  std::vector<Index> blocks{
      0};  ///< for each block of PyTorch's first axis, the number of the same block in heed
};

/// One weight of a model and its tensors in a `state_dict`.
struct TorchWeight {
  const Slot* slot;
  std::string title;  ///< of the layer
  std::string module;
  TorchTensors tensors;  ///< with names that include the module's
  Index gates = 0;       ///< of a recurrent module, otherwise 0

  /// The shape of each tensor.
  Shape shape() const {
    const Shape& own = slot->shape;
    if (own.rank() != 2 || tensors.form == TorchForm::same) return own;
    return tensors.form == TorchForm::rows ? Shape{own[1]} : Shape{own[1], own[0]};
  }

  /// Calls `use(own, torch)` for each number of a tensor, with its index in the weight and in the
  /// tensor.
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

/// The module of a tensor: everything before the last dot of its name.
inline std::string_view torch_module(std::string_view tensor) {
  const std::size_t dot = tensor.rfind('.');
  return dot == std::string_view::npos ? "" : tensor.substr(0, dot);
}

}  // namespace heed::detail
