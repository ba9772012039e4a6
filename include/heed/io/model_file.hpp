#pragma once

#include <heed/io/finite.hpp>
#include <heed/io/model_json.hpp>
#include <heed/io/sample.hpp>

namespace heed {

/// What `save_model` writes besides the model.
template <class Scalar>
struct SaveOptions {
  /// Samples (N, …) to go into the file with what the model predicts for them, as the tensors `x` and
  /// `y`. Whoever loads the file computes them again: a few samples are enough.
  View<const Scalar> sample = {};
};

/// How `load_model` reads a file.
template <class Scalar>
struct LoadOptions {
  Registry<Scalar> registry = {};  ///< knows heed's layers; add your own

  /// By how much the prediction of the file's sample may differ from what the file says, as a part of
  /// its largest number, or of 1 when that is less. Unless given it is 1e-10 when the file and
  /// `Scalar` are both double, otherwise 1e-4: processors and compilers add in different orders. A
  /// network that amplifies small differences from step to step can need more. With infinity the
  /// sample is not computed.
  std::optional<double> sample_tolerance = {};

  /// Takes weights that are NaN or infinite, as those of a training that diverged are.
  bool allow_not_finite = false;
};

namespace detail {

/// Where the metadata of a checkpoint, which is a model's file with more in it, say so.
inline constexpr std::string_view training_key = "heed_training";
inline constexpr std::string_view checksum_key = "heed_checksum";

/// All weights of a model as the tensors of a file.
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

/// Gives a model the weights of a file, or throws and changes nothing: every weight has to be there
/// with its shape, and every tensor has to be one of them.
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
                     " has the shape ", tensor.shape, ", and the model's weight has ", slot.shape);
    check<FileError>(decode<Scalar>(tensor.dtype, tensor.bytes, {}), where, ": tensor ",
                     in_quotes(name), " is of ", tensor.dtype.name,
                     ", and weights are read from F64, F32, F16 and BF16");
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

/// Throws `FileError` unless weights are of the type that the model says, or shorter than that.
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
                   " holds weights without the model they belong to: make the model and use "
                   "load_weights(model, …)");
  const auto json = parse_json(text->second, join(where, ": the model"));
  auto model = model_from_json<Scalar>(json, options.registry, where);
  check<FileError>(model.graph().nodes().size() > 1, where, ": the model is an input alone");
  check_scalar(file, model.graph().layout(), text_member(json, "scalar", std::string(where)),
               where);
  set_weights(model, file, where, {.allow_not_finite = options.allow_not_finite});
  check_sample(model, file, options.sample_tolerance, where);
  return model;
}

}  // namespace detail

/// A model, its layers and its weights, as the bytes of a safetensors file: weights by their names,
/// `lstm/kernel`, and the layers in the metadata, under `heed`, as `model_to_json` writes them. Throws
/// `ModelError` when the model is not built, `FileError` for what JSON cannot say, `ShapeError` or
/// `DataError` for a sample that the model does not take or predict.
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

/// Writes a model to a file; an old one is replaced as a whole or, when that fails, stays as it was:
/// see `write_file`. Throws as above, and `FileError` with the path and the reason.
template <class Scalar>
void save_model(const Model<Scalar>& model, const std::filesystem::path& path,
                const SaveOptions<Scalar>& options = {}) {
  write_file(path, save_model(model, options));
}

/// The model that a file holds, ready for use. Its predictions have the same bits as those of the
/// model that was saved, when `Scalar` is the same; otherwise the weights are converted.
///
/// Throws `FileError`, naming the file and the place in it, for whatever the file can be other than a
/// model that `save_model` wrote, for weights that are NaN or infinite, and when the model does not
/// predict what the file says for its sample; see `LoadOptions`. Needs memory in proportion to the size of the file, whatever it says.
template <class Scalar>
Model<Scalar> load_model(const std::filesystem::path& path,
                         const LoadOptions<Scalar>& options = {}) {
  return detail::model_from_file(read_safetensors(path), options, path.string());
}

/// The same of a file in memory; `where` stands for its name in messages.
template <class Scalar>
Model<Scalar> load_model(std::span<const std::byte> bytes, const LoadOptions<Scalar>& options = {},
                         std::string_view where = "memory") {
  return detail::model_from_file(parse_safetensors(bytes, where), options, where);
}

/// The weights alone as the bytes of a safetensors file. Throws `ModelError` when the model is not
/// built.
template <class Scalar>
std::vector<std::byte> save_weights(const Model<Scalar>& model) {
  return format_safetensors<Scalar>(detail::named_weights(model));
}

/// Writes the weights alone to a file, as `save_model` does.
template <class Scalar>
void save_weights(const Model<Scalar>& model, const std::filesystem::path& path) {
  write_file(path, save_weights(model));
}

/// Gives a model the weights that a file holds under the same names, and builds it if it is not
/// built. The file is one of `save_weights`, of `save_model`, a checkpoint, or anybody's. A model's
/// sample in it is not looked at.
///
/// Throws `FileError` for a weight that is missing or has another shape, for one that is NaN or infinite
/// unless the options allow it, and for a tensor that is not one of the model's weights; the model has
/// not changed then.
template <class Scalar>
void load_weights(Model<Scalar>& model, const std::filesystem::path& path,
                  const WeightOptions& options = {}) {
  detail::set_weights(model, read_safetensors(path), path.string(), options);
}

/// The same of a file in memory; `where` stands for its name in messages.
template <class Scalar>
void load_weights(Model<Scalar>& model, std::span<const std::byte> bytes,
                  std::string_view where = "memory", const WeightOptions& options = {}) {
  detail::set_weights(model, parse_safetensors(bytes, where), where, options);
}

}  // namespace heed
