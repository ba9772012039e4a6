#pragma once

#include <heed/io/finite.hpp>
#include <heed/io/model_json.hpp>
#include <heed/io/sample.hpp>

namespace heed {

/// Options of `save_model`.
template <class Scalar>
struct SaveOptions {
  /// Samples (N, …) to store in the file with the model's predictions, as the tensors `x` and `y`.
  /// They are predicted again each time the file is loaded, so a few samples are enough.
  View<const Scalar> sample = {};
};

/// Options of `load_model`.
template <class Scalar>
struct LoadOptions {
  Registry<Scalar> registry = {};  ///< contains heed's layers; add your own

  /// The largest difference allowed between the model's prediction for the file's sample and the
  /// prediction in the file, relative to the largest number of the latter, or absolute if that is
  /// less than 1. The default is 1e-10 if the file and `Scalar` are both double, and 1e-4
  /// otherwise, because processors and compilers add in different orders. A network that amplifies
  /// small differences from step to step may need more. With infinity, the sample is not predicted.
  std::optional<double> sample_tolerance = {};

  /// Whether NaN or infinite weights are accepted, for example from a training that diverged.
  bool allow_not_finite = false;
};

namespace detail {

/// The key in the metadata of a checkpoint that tells it from other model files.
inline constexpr std::string_view training_key = "heed_training";
inline constexpr std::string_view checksum_key = "heed_checksum";

/// All weights of a model as tensors for a file.
template <class Scalar>
std::vector<NamedView<Scalar>> named_weights(const Model<Scalar>& model) {
  model.check_built("saved");
  std::vector<NamedView<Scalar>> weights;
  for (const Slot& slot : model.graph().layout().all_slots()) {
    weights.emplace_back(slot.name,
                         View<const Scalar>(model.weights().data() + slot.offset, slot.shape));
  }
  return weights;
}

/// Sets a model's weights from a file, or throws and changes nothing. Every weight must be in the
/// file with its shape, and every tensor must be a weight.
template <class Scalar>
void set_weights(Model<Scalar>& model, const Safetensors& file, std::string_view where,
                 const WeightOptions& options) {
  const Layout& layout = model.graph().layout();
  for (const Slot& slot : layout.all_slots()) {
    const auto found = file.tensors.find(slot.name);
    check<FileError>(found != file.tensors.end(), where, " has no tensor ", in_quotes(slot.name),
                     ", a weight of the model, of shape ", slot.shape);
    const auto& [name, tensor] = *found;
    check_axes(name, tensor, where);
    check<FileError>(tensor.shape == slot.shape, where, ": tensor ", in_quotes(name),
                     " has the shape ", tensor.shape, ", but the model's weight has ", slot.shape);
    check<FileError>(decode<Scalar>(tensor.dtype, tensor.bytes, {}), where, ": tensor ",
                     in_quotes(name), " is of ", tensor.dtype.name,
                     "; weights can be F64, F32, F16 or BF16");
  }
  const bool has_model = file.metadata.contains(format_name);
  const bool is_checkpoint = file.metadata.contains(training_key);
  for (const auto& [name, tensor] : file.tensors) {
    const bool is_sample = has_model && (name == sample_input || name == sample_output);
    const bool is_of_training = is_checkpoint && name.find('/') == std::string::npos;
    check<FileError>(is_sample || is_of_training || layout.find(name) != nullptr, where,
                     " has the tensor ", in_quotes(name), ", which is not a weight of the model");
  }
  Arena<Scalar> weights(Shape{layout.size()});
  for (const Slot& slot : layout.all_slots()) {
    const SafeTensor& tensor = file.tensors.find(slot.name)->second;
    decode(tensor.dtype, tensor.bytes,
           weights.values().subspan(static_cast<std::size_t>(slot.offset),
                                    static_cast<std::size_t>(slot.shape.size())));
  }
  check_weights_finite<Scalar>(layout, weights.values(), options.allow_not_finite, where);
  model.set_weights(weights.values());
}

/// Throws `FileError` unless the weights have the type that the model names, or a smaller one.
inline void check_scalar(const Safetensors& file, const Layout& layout, const std::string& scalar,
                         std::string_view where) {
  for (const Slot& slot : layout.all_slots()) {
    const auto found = file.tensors.find(slot.name);
    if (found == file.tensors.end() || found->second.dtype.bits < 32) continue;
    check<FileError>(found->second.dtype.name == (scalar == "float32" ? "F32" : "F64"), where,
                     ": the model is of ", scalar, ", and tensor ", in_quotes(slot.name), " is of ",
                     found->second.dtype.name);
  }
}

template <class Scalar>
Model<Scalar> model_from_file(const Safetensors& file, const LoadOptions<Scalar>& options,
                              std::string_view where) {
  const auto text = file.metadata.find(format_name);
  check<FileError>(text != file.metadata.end(), where,
                   " contains weights but no model; make the model and use load_weights(model, …)");
  const auto json = parse_json(text->second, join(where, ": the model"));
  auto model = model_from_json<Scalar>(json, options.registry, where);
  check<FileError>(model.graph().nodes().size() > 1, where,
                   ": the model has no layer besides its input");
  check_scalar(file, model.graph().layout(), text_member(json, "scalar", std::string(where)),
               where);
  set_weights(model, file, where, {.allow_not_finite = options.allow_not_finite});
  check_sample(model, file, options.sample_tolerance, where);
  return model;
}

}  // namespace detail

/// A model, its layers and its weights, as the bytes of a safetensors file. The tensors are the
/// weights by their names, `lstm/kernel`. The layers are in the metadata under `heed`, as
/// `model_to_json` writes them. Throws `ModelError` if the model is not built, `FileError` for
/// content that JSON cannot express, and `ShapeError` or `DataError` for a sample that the model
/// does not accept or cannot predict.
template <class Scalar>
std::vector<std::byte> save_model(const Model<Scalar>& model,
                                  const SaveOptions<Scalar>& options = {}) {
  auto weights = detail::named_weights(model);
  Tensor<Scalar> y;
  if (options.sample.rank() > 0) {
    y = detail::predict_sample(model, options.sample);
    weights.emplace_back(detail::sample_input, options.sample);
    weights.emplace_back(detail::sample_output, y);
  }
  const std::string json =
      print_json(model_to_json(model), join("model ", detail::in_quotes(model.name())));
  return format_safetensors<Scalar>(weights, {{"format", std::string(detail::format_name)},
                                              {std::string(detail::format_name), json}});
}

/// Writes a model to a file. An existing file is replaced completely or, if writing fails, not
/// changed: see `write_file`. Throws the same errors, and `FileError` with the path and the reason.
template <class Scalar>
void save_model(const Model<Scalar>& model, const std::filesystem::path& path,
                const SaveOptions<Scalar>& options = {}) {
  write_file(path, save_model(model, options));
}

/// The model in a file, ready for use. If `Scalar` is the same, its predictions have the same bits
/// as those of the saved model; otherwise the weights are converted.
///
/// Throws `FileError`, which names the file and the position in it, for anything other than a model
/// that `save_model` wrote, for weights that are NaN or infinite, and if the model's prediction for
/// the file's sample differs from that in the file; see `LoadOptions`. Needs memory in proportion
/// to the size of the file, whatever its content.
template <class Scalar>
Model<Scalar> load_model(const std::filesystem::path& path,
                         const LoadOptions<Scalar>& options = {}) {
  return detail::model_from_file(read_safetensors(path), options, path.string());
}

/// The same for a file in memory. `where` is its name in messages.
template <class Scalar>
Model<Scalar> load_model(std::span<const std::byte> bytes, const LoadOptions<Scalar>& options = {},
                         std::string_view where = "memory") {
  return detail::model_from_file(parse_safetensors(bytes, where), options, where);
}

/// Only the weights, as the bytes of a safetensors file. Throws `ModelError` if the model is not
/// built.
template <class Scalar>
std::vector<std::byte> save_weights(const Model<Scalar>& model) {
  return format_safetensors<Scalar>(detail::named_weights(model));
}

/// Writes only the weights to a file, as `save_model` does.
template <class Scalar>
void save_weights(const Model<Scalar>& model, const std::filesystem::path& path) {
  write_file(path, save_weights(model));
}

/// Sets a model's weights to those with the same names in a file, and builds the model if
/// necessary. The file can come from `save_weights`, from `save_model`, from a checkpoint, or from
/// another program. A sample in it is ignored.
///
/// Throws `FileError` for a weight that is missing or has another shape, for a weight that is NaN
/// or infinite unless the options allow it, and for a tensor that is not a weight of the model. The
/// model is then unchanged.
template <class Scalar>
void load_weights(Model<Scalar>& model, const std::filesystem::path& path,
                  const WeightOptions& options = {}) {
  detail::set_weights(model, read_safetensors(path), path.string(), options);
}

/// The same for a file in memory. `where` is its name in messages.
template <class Scalar>
void load_weights(Model<Scalar>& model, std::span<const std::byte> bytes,
                  std::string_view where = "memory", const WeightOptions& options = {}) {
  detail::set_weights(model, parse_safetensors(bytes, where), where, options);
}

}  // namespace heed
