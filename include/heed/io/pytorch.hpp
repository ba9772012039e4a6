#pragma once

#include <set>

#include <heed/attention/step_attention.hpp>
#include <heed/io/safetensors.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/model/model.hpp>

namespace heed::pytorch {

/// Which module of a PyTorch network a layer of a model is, by their names: `{{"lstm", "rnn"},
/// {"output", "head"}}`. A module's name is what stands in front of its tensors in the `state_dict`:
/// `encoder.rnn` of `encoder.rnn.weight_ih_l0`, `0` in an `nn.Sequential`, nothing for a module alone.
///
///     heed                            PyTorch
///     LSTM                            nn.LSTM of one layer and one direction
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

/// What PyTorch calls a weight of a module that stands for a layer; nothing when no module does.
template <class Scalar>
std::vector<std::string_view> torch_names(const AnyLayer<Scalar>& layer, std::string_view weight) {
  if (layer.template get<LSTM>() != nullptr) {
    if (weight == "kernel") return {"weight_ih_l0"};
    if (weight == "recurrent_kernel") return {"weight_hh_l0"};
    return {"bias_ih_l0", "bias_hh_l0"};
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
    check<OptionError>(graph[node].slots > 0, graph.title(node),
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
    const auto slots = graph.layout().slots().subspan(node.first_slot, node.slots);
    std::vector<std::string> names;
    for (const Slot& slot : slots) names.push_back(slot.name);
    for (const Slot& slot : slots) {
      const auto alone = modules.find(slot.name);
      const auto module = alone != modules.end() ? alone : layer;
      check<OptionError>(module != modules.end(), graph.title(i), " has the weights ",
                         quoted_list(names), ", and ", in_quotes(slot.name),
                         " is mapped to no module of PyTorch: add {", in_quotes(node.name),
                         ", \"…\"}");
      auto known =
          torch_names(node.layer, std::string_view(slot.name).substr(node.name.size() + 1));
      if (alone != modules.end() && slot.shape.rank() <= 2) {
        known = {slot.shape.rank() == 2 ? "weight" : "bias"};
      }
      check<OptionError>(!known.empty(), graph.title(i), " is mapped to PyTorch's ",
                         in_quotes(module->second),
                         ", and no module of PyTorch is such a layer: map its weights ",
                         quoted_list(names), " one by one to an nn.Linear each");
      weights.push_back({&slot, graph.title(i), module->second, {}});
      for (const auto name : known) {
        weights.back().tensors.push_back(torch_tensor(module->second, name));
      }
    }
  }
  return weights;
}

/// Why a tensor beside those of a layer cannot be left out.
inline std::string torch_leftover(const TorchWeight& layer, const std::string& tensor) {
  const std::string_view name =
      std::string_view(tensor).substr(layer.module.empty() ? 0 : layer.module.size() + 1);
  const bool is_lstm = name.starts_with("weight_") || name.starts_with("bias_");
  const auto of = [&](std::string_view kind, std::string_view own) {
    return join(": module ", in_quotes(layer.module), " is an LSTM ", kind, " (it has ",
                in_quotes(tensor), "), and ", layer.title, " has ", own);
  };
  if (is_lstm && name.ends_with("_reverse")) return of("of two directions", "one");
  if (name.starts_with("weight_hr_l")) return of("with projections", "none");
  if (is_lstm && name.find("_l") != std::string_view::npos && !name.ends_with("_l0")) {
    return of("of several layers", "one");
  }
  return join(" has the tensor ", in_quotes(tensor), ", which ", layer.title, " does not have",
              name.starts_with("bias") ? ": it has use_bias = false" : "");
}

/// Throws `FileError` unless every module that is mapped is there, with all the tensors that its layer
/// takes and no other.
inline void check_torch_tensors(const Safetensors& file, std::span<const TorchWeight> weights,
                                std::string_view where) {
  std::map<std::string_view, const TorchWeight*> modules;
  std::set<std::string_view> used, present;
  for (const TorchWeight& weight : weights) {
    modules.emplace(weight.module, &weight);
    used.insert(weight.tensors.begin(), weight.tensors.end());
  }
  for (const auto& [tensor, ignored] : file.tensors) present.insert(torch_module(tensor));
  for (const auto& [module, weight] : modules) {
    check<FileError>(present.contains(module), where, " has no module ", in_quotes(module),
                     ", to which ", weight->title, " is mapped; its modules are ",
                     quoted_list(present));
  }
  for (const auto& [tensor, ignored] : file.tensors) {
    const auto module = modules.find(torch_module(tensor));
    if (module == modules.end() || used.contains(tensor)) continue;
    throw FileError(join(where, torch_leftover(*module->second, tensor)));
  }
  for (const TorchWeight& weight : weights) {
    for (const std::string& tensor : weight.tensors) {
      check<FileError>(
          file.tensors.contains(tensor), where, " has no tensor ", in_quotes(tensor),
          ", which belongs to ", in_quotes(weight.slot->name), " of ", weight.title,
          weight.slot->shape.rank() == 1 ? "; without a bias it has use_bias = false" : "");
    }
  }
}

template <class Scalar>
void torch_load_weights(Model<Scalar>& model, const Safetensors& file,
                        const pytorch::Modules& modules, std::string_view where) {
  const auto weights = torch_weights(model, modules);
  check_torch_tensors(file, weights, where);
  for (const TorchWeight& weight : weights) {
    for (const std::string& name : weight.tensors) {
      const SafeTensor& tensor = file.tensors.find(name)->second;
      const bool is_matrix = weight.slot->shape.rank() == 2;
      check<FileError>(tensor.shape == weight.shape(), where, ": tensor ", in_quotes(name),
                       " has the shape ", tensor.shape, ", expected ", weight.shape(), ": ",
                       weight.title, " has ", in_quotes(weight.slot->name), " of ",
                       weight.slot->shape, is_matrix ? ", which is transposed in PyTorch" : "");
      check<FileError>(decode<Scalar>(tensor.dtype, tensor.bytes, {}), where, ": tensor ",
                       in_quotes(name), " is of ", tensor.dtype.name,
                       ", and weights are read from F64, F32, F16 and BF16");
    }
  }

  Arena<Scalar> values(Shape{model.count_params()});
  Tensor<double> sum, part;  // biases in half precision are added as what they are
  for (const TorchWeight& weight : weights) {
    for (const std::string& name : weight.tensors) {
      const SafeTensor& tensor = file.tensors.find(name)->second;
      part.resize(weight.shape());
      decode(tensor.dtype, tensor.bytes, part.values());
      if (name != weight.tensors.front()) part.array() += sum.array();
      std::swap(sum, part);
    }
    const View<Scalar> own(values.data() + weight.slot->offset, weight.slot->shape);
    if (own.rank() == 2) {
      own.matrix() = sum.matrix().transpose().template cast<Scalar>();
    } else {
      own.array() = sum.array().template cast<Scalar>();
    }
  }
  model.set_weights(values.values());
}

}  // namespace heed::detail

namespace heed::pytorch {

/// Gives a model the weights of a PyTorch network, `safetensors.torch.save_file(network.state_dict(),
/// path)`, and builds it if it is not built. Gates have PyTorch's order i, f, g, o; matrices are
/// transposed, and the two biases of an LSTM added. Modules that are not mapped are left alone.
///
/// Throws `OptionError` for a layer with weights that is not mapped, or that no module can be;
/// `FileError` for a module that is not in the file, that has other tensors than its layer, or of
/// another shape. The model has not changed then.
template <class Scalar>
void load_weights(Model<Scalar>& model, const std::filesystem::path& path, const Modules& modules) {
  detail::torch_load_weights(model, read_safetensors(path), modules, path.string());
}

/// The same of a file in memory; `where` stands for its name in messages.
template <class Scalar>
void load_weights(Model<Scalar>& model, std::span<const std::byte> bytes, const Modules& modules,
                  std::string_view where = "memory") {
  detail::torch_load_weights(model, parse_safetensors(bytes, where), modules, where);
}

/// The weights of a model as the `state_dict` of a PyTorch network, in the bytes of a safetensors
/// file: `network.load_state_dict(safetensors.torch.load_file(path))`. The second bias of an LSTM is
/// zero. Throws `ModelError` when the model is not built, `OptionError` as `load_weights` does.
template <class Scalar>
std::vector<std::byte> save_weights(const Model<Scalar>& model, const Modules& modules) {
  const auto weights = detail::torch_weights(model, modules);
  std::vector<std::pair<std::string, Tensor<Scalar>>> tensors;
  for (const detail::TorchWeight& weight : weights) {
    const auto own = model.weight(weight.slot->name);
    for (const std::string& name : weight.tensors) {
      Tensor<Scalar>& values = tensors.emplace_back(name, weight.shape()).second;
      if (name != weight.tensors.front()) continue;
      if (own.rank() == 2) {
        values.matrix() = own.matrix().transpose();
      } else {
        values.array() = own.array();
      }
    }
  }
  const std::vector<NamedView<Scalar>> views(tensors.begin(), tensors.end());
  return format_safetensors<Scalar>(views, {{"format", "pt"}});
}

/// Writes them to a file, as `write_file` does.
template <class Scalar>
void save_weights(const Model<Scalar>& model, const std::filesystem::path& path,
                  const Modules& modules) {
  write_file(path, save_weights(model, modules));
}

}  // namespace heed::pytorch
