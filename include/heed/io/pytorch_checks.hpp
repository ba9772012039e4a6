#pragma once

#include <set>

#include <heed/io/pytorch_modules.hpp>
#include <heed/io/safetensors.hpp>

// Checks that a state_dict fits a model. Each error is a sentence that says what is wrong.

namespace heed::detail {

/// The reason why a tensor of a module that its layer does not have cannot be ignored.
inline std::string torch_leftover(const TorchWeight& layer, const std::string& tensor) {
  const std::string_view name =
      std::string_view(tensor).substr(layer.module.empty() ? 0 : layer.module.size() + 1);
  const bool is_recurrent =
      layer.gates > 0 && (name.starts_with("weight_") || name.starts_with("bias_"));
  const auto has = [&](std::string_view what) {
    return join(": module ", in_quotes(layer.module), " has ", what, " (it has ", in_quotes(tensor),
                "), and ", layer.title);
  };
  if (is_recurrent && name.starts_with("weight_hr_l")) {
    return has("projections") + " has none: only modules with proj_size = 0 are read";
  }
  const bool is_first = name.find("_l0") != std::string_view::npos;
  if (is_recurrent && is_first && name.ends_with("_reverse")) {
    return has("two directions") + " has one: in a Bidirectional it has two";
  }
  if (is_recurrent && !is_first && name.find("_l") != std::string_view::npos) {
    return join(": module ", in_quotes(layer.module), " has more layers (it has ",
                in_quotes(tensor), ") than are mapped to it: map the layer after ", layer.title,
                " to ", in_quotes(layer.module), " as well");
  }
  return join(" has the tensor ", in_quotes(tensor), ", which ", layer.title, " does not have",
              name.starts_with("bias") ? ": it has use_bias = false" : "");
}

/// Advice for a tensor that a layer needs and the file does not have.
inline std::string_view torch_missing(const TorchWeight& weight, std::string_view tensor,
                                      const Safetensors& file) {
  const auto has = [&](std::string_view name) {
    return file.tensors.contains(torch_tensor(weight.module, name));
  };
  const std::string_view name = tensor.substr(tensor.rfind('.') + 1);
  if (name.starts_with("bias")) {
    return "; a layer for a module with bias=False has use_bias = false";
  }
  if (weight.gates == 0) return "";
  if (tensor.ends_with("_reverse") && !has("weight_ih_l0_reverse")) {
    return "; a layer for a module of one direction is not in a Bidirectional";
  }
  const std::string_view place = tensor.substr(tensor.rfind("_l"));
  if (!place.starts_with("_l0") && !has(join("weight_ih", place))) {
    return "; the module has fewer layers than are mapped to it";
  }
  return "";
}

/// Throws `FileError` unless the file has every mapped module, with exactly the tensors that its
/// layer needs.
inline void check_torch_tensors(const Safetensors& file, std::span<const TorchWeight> weights,
                                std::string_view where) {
  std::map<std::string_view, const TorchWeight*> modules;  // the last layer of each
  std::set<std::string_view> used, present;
  for (const TorchWeight& weight : weights) {
    modules.insert_or_assign(weight.module, &weight);
    used.insert(weight.tensors.names.begin(), weight.tensors.names.end());
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
    for (const std::string& tensor : weight.tensors.names) {
      if (file.tensors.contains(tensor)) continue;
      throw FileError(join(where, " has no tensor ", in_quotes(tensor), ", which belongs to ",
                           in_quotes(weight.slot->name), " of ", weight.title,
                           torch_missing(weight, tensor, file)));
    }
  }
}

/// Throws `FileError` if a module is of another class than its layer. The class follows from the
/// number of gates: weight_hh has that many times more rows than columns.
inline void check_torch_class(const TorchWeight& weight, const std::string& name,
                              const SafeTensor& tensor, std::string_view where) {
  const Shape& shape = tensor.shape;
  const bool says = weight.gates > 0 && shape.rank() == 2 && shape[1] > 0 &&
                    shape[0] % shape[1] == 0 && name.find("weight_hh") != std::string::npos;
  if (!says) return;
  const Index gates = shape[0] / shape[1];
  const std::string_view other = torch_class_of(gates);
  check<FileError>(gates == weight.gates || other.empty(), where, ": module ",
                   in_quotes(weight.module), " is an nn.", other, " (", in_quotes(name),
                   " has the shape ", shape, "), and ", weight.title, " is an nn.",
                   torch_class_of(weight.gates), " in PyTorch");
}

/// Throws `FileError` unless each tensor has the shape that its layer needs, and a type that heed
/// reads.
template <class Scalar>
void check_torch_shapes(const Safetensors& file, std::span<const TorchWeight> weights,
                        std::string_view where) {
  for (const TorchWeight& weight : weights) {
    for (const std::string& name : weight.tensors.names) {
      check_torch_class(weight, name, file.tensors.find(name)->second, where);
    }
  }
  for (const TorchWeight& weight : weights) {
    for (const std::string& name : weight.tensors.names) {
      const SafeTensor& tensor = file.tensors.find(name)->second;
      const Shape expected = weight.shape();
      const bool is_turned = expected.rank() == 2 && weight.tensors.form == TorchForm::transposed;
      check_axes(name, tensor, where);
      check<FileError>(tensor.shape == expected, where, ": tensor ", in_quotes(name),
                       " has the shape ", tensor.shape, ", expected ", expected, ": ", weight.title,
                       " has ", in_quotes(weight.slot->name), " of ", weight.slot->shape,
                       is_turned ? ", which is transposed in PyTorch" : "");
      check<FileError>(decode<Scalar>(tensor.dtype, tensor.bytes, {}), where, ": tensor ",
                       in_quotes(name), " is of ", tensor.dtype.name,
                       "; weights can be F64, F32, F16 or BF16");
    }
  }
}

}  // namespace heed::detail
