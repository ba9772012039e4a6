#pragma once

#include <set>

#include <heed/io/finite.hpp>
#include <heed/io/pytorch_modules.hpp>
#include <heed/io/safetensors.hpp>

namespace heed::detail {

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
    return of("of several layers",
              join("one: map the LSTM behind it to ", in_quotes(layer.module), " as well"));
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

/// An nn.LSTMCell calls its weights as an nn.LSTM does, without the number of a layer.
inline void rename_torch_cells(const Safetensors& file, std::vector<TorchWeight>& weights) {
  constexpr std::string_view first_layer = "_l0";
  for (TorchWeight& weight : weights) {
    for (std::string& tensor : weight.tensors) {
      if (!tensor.ends_with(first_layer) || file.tensors.contains(tensor)) continue;
      auto cell = tensor.substr(0, tensor.size() - first_layer.size());
      if (file.tensors.contains(cell)) tensor = std::move(cell);
    }
  }
}

template <class Scalar>
void torch_load_weights(Model<Scalar>& model, const Safetensors& file,
                        const pytorch::Modules& modules, std::string_view where,
                        const WeightOptions& options) {
  auto weights = torch_weights(model, modules);
  rename_torch_cells(file, weights);
  check_torch_tensors(file, weights, where);
  for (const TorchWeight& weight : weights) {
    for (const std::string& name : weight.tensors) {
      const SafeTensor& tensor = file.tensors.find(name)->second;
      const bool is_matrix = weight.slot->shape.rank() == 2;
      check_axes(name, tensor, where);
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
  check_weights_finite<Scalar>(model.graph().layout(), values.values(), options.allow_not_finite,
                               where);
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
/// another shape, and for weights that are NaN or infinite unless the options allow it. The model has
/// not changed then.
template <class Scalar>
void load_weights(Model<Scalar>& model, const std::filesystem::path& path, const Modules& modules,
                  const WeightOptions& options = {}) {
  detail::torch_load_weights(model, read_safetensors(path), modules, path.string(), options);
}

/// The same of a file in memory; `where` stands for its name in messages.
template <class Scalar>
void load_weights(Model<Scalar>& model, std::span<const std::byte> bytes, const Modules& modules,
                  std::string_view where = "memory", const WeightOptions& options = {}) {
  detail::torch_load_weights(model, parse_safetensors(bytes, where), modules, where, options);
}

/// The weights of a model as the `state_dict` of a PyTorch network, in the bytes of a safetensors
/// file: `network.load_state_dict(safetensors.torch.load_file(path))`. The second bias of an LSTM is
/// zero. Throws `ModelError` when the model is not built, `OptionError` as `load_weights` does.
template <class Scalar>
std::vector<std::byte> save_weights(const Model<Scalar>& model, const Modules& modules) {
  model.check_built("saved");
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
