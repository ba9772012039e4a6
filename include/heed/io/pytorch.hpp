#pragma once

#include <heed/io/finite.hpp>
#include <heed/io/pytorch_checks.hpp>

namespace heed::pytorch {

/// Options of `save_weights`.
struct SaveOptions {
  /// The names of modules that are an nn.LSTMCell, nn.GRUCell or nn.RNNCell.
  std::set<std::string, std::less<>> cells = {};
};

}  // namespace heed::pytorch

namespace heed::detail {

/// The name that a tensor has in a cell, `weight_hh` for `weight_hh_l0`; unchanged if a cell has no
/// such tensor.
inline std::string_view torch_cell_tensor(std::string_view tensor) {
  constexpr std::string_view first_layer = "_l0";
  if (tensor.ends_with(first_layer)) tensor.remove_suffix(first_layer.size());
  return tensor;
}

/// Renames the tensors of modules that are cells in this file to the names used there.
inline void rename_torch_cells(const Safetensors& file, std::vector<TorchWeight>& weights) {
  for (TorchWeight& weight : weights) {
    for (std::string& tensor : weight.tensors.names) {
      const std::string cell(torch_cell_tensor(tensor));
      const bool is_cell = weight.gates > 0 && file.tensors.contains(cell);
      if (is_cell && !file.tensors.contains(tensor)) tensor = cell;
    }
  }
}

/// Renames the tensors of these modules to those of a cell. Throws `OptionError` for a module that
/// cannot be a cell.
inline void rename_torch_cells(const pytorch::SaveOptions& options,
                               std::vector<TorchWeight>& weights) {
  for (const std::string& module : options.cells) {
    bool found = false;
    for (TorchWeight& weight : weights) {
      if (weight.module != module || weight.gates == 0) continue;
      found = true;
      for (std::string& tensor : weight.tensors.names) {
        const std::string cell(torch_cell_tensor(tensor));
        check<OptionError>(
            cell != tensor, "PyTorch's ", in_quotes(module),
            " is to be written as a cell, which has one layer and one direction, but it has ",
            in_quotes(tensor), " of ", weight.title);
        tensor = cell;
      }
    }
    check<OptionError>(
        found, "PyTorch's ", in_quotes(module),
        " is to be written as a cell, but no LSTM, GRU or SimpleRNN is mapped to it");
  }
}

template <class Scalar>
void torch_load_weights(Model<Scalar>& model, const Safetensors& file,
                        const pytorch::Modules& modules, std::string_view where,
                        const WeightOptions& options) {
  auto weights = torch_weights(model, modules);
  rename_torch_cells(file, weights);
  check_torch_tensors(file, weights, where);
  check_torch_shapes<Scalar>(file, weights, where);

  Arena<Scalar> values(Shape{model.count_params()});
  Tensor<double> sum, part;  // so that biases in half precision are added exactly
  for (const TorchWeight& weight : weights) {
    const auto& names = weight.tensors.names;
    sum.resize(weight.slot->shape);
    part.resize(weight.shape());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const SafeTensor& tensor = file.tensors.find(names[i])->second;
      decode(tensor.dtype, tensor.bytes, part.values());
      const bool is_added = i > 0 && weight.tensors.form == TorchForm::transposed;
      weight.for_each_number(i, [&](Index own, Index torch) {
        const double value = part.data()[torch];
        sum.data()[own] = is_added ? sum.data()[own] + value : value;
      });
    }
    const View<Scalar> own(values.data() + weight.slot->offset, weight.slot->shape);
    own.array() = sum.array().template cast<Scalar>();
  }
  check_weights_finite<Scalar>(model.graph().layout(), values.values(), options.allow_not_finite,
                               where);
  model.set_weights(values.values());
}

}  // namespace heed::detail

namespace heed::pytorch {

/// Loads the weights of a PyTorch network into a model, and builds the model if necessary. The file
/// is written by `safetensors.torch.save_file(network.state_dict(), path)`. Gates are reordered,
/// matrices are transposed, and the two biases of an LSTM or a SimpleRNN are added. Modules that are
/// not mapped are ignored.
///
/// Throws `OptionError` for a layer with weights that is not mapped, or that has no counterpart in
/// PyTorch. Throws `FileError` for a module that is missing, has other tensors than its layer, or
/// tensors of other shapes, and for weights that are NaN or infinite, unless the options allow them.
/// The model is unchanged if an exception is thrown.
template <class Scalar>
void load_weights(Model<Scalar>& model, const std::filesystem::path& path, const Modules& modules,
                  const WeightOptions& options = {}) {
  detail::torch_load_weights(model, read_safetensors(path), modules, path.string(), options);
}

/// The same for a file in memory; `where` is its name in error messages.
template <class Scalar>
void load_weights(Model<Scalar>& model, std::span<const std::byte> bytes, const Modules& modules,
                  std::string_view where = "memory", const WeightOptions& options = {}) {
  detail::torch_load_weights(model, parse_safetensors(bytes, where), modules, where, options);
}

/// The weights of a model as the `state_dict` of a PyTorch network: the bytes of a safetensors file,
/// for `network.load_state_dict(safetensors.torch.load_file(path))`. The second bias of an LSTM or a
/// SimpleRNN is zero. Throws `ModelError` if the model is not built, and `OptionError` as
/// `load_weights` does, and also for a cell to which several layers or none are mapped.
template <class Scalar>
std::vector<std::byte> save_weights(const Model<Scalar>& model, const Modules& modules,
                                    const SaveOptions& options = {}) {
  model.check_built("saved");
  auto weights = detail::torch_weights(model, modules);
  detail::rename_torch_cells(options, weights);
  std::vector<std::pair<std::string, Tensor<Scalar>>> tensors;
  for (const detail::TorchWeight& weight : weights) {
    const auto own = model.weight(weight.slot->name);
    const auto& names = weight.tensors.names;
    for (std::size_t i = 0; i < names.size(); ++i) {
      Tensor<Scalar>& values = tensors.emplace_back(names[i], weight.shape()).second;
      if (i > 0 && weight.tensors.form == detail::TorchForm::transposed) continue;
      weight.for_each_number(i,
                             [&](Index from, Index to) { values.data()[to] = own.data()[from]; });
    }
  }
  const std::vector<NamedView<Scalar>> views(tensors.begin(), tensors.end());
  return format_safetensors<Scalar>(views, {{"format", "pt"}});
}

/// The same, written to a file by `write_file`.
template <class Scalar>
void save_weights(const Model<Scalar>& model, const std::filesystem::path& path,
                  const Modules& modules, const SaveOptions& options = {}) {
  write_file(path, save_weights(model, modules, options));
}

}  // namespace heed::pytorch
