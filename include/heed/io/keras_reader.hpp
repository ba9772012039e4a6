#pragma once

#include <heed/io/file.hpp>
#include <heed/io/keras_fuse.hpp>
#include <heed/io/keras_open.hpp>

namespace heed::keras {

/// Options of `load_weights`.
struct WeightOptions {
  /// The names of layers in the file for layers or weights of the model, if they differ:
  /// `{.layers = {{"attention", "dense"}, {"other/score_kernel", "score"}}}`.
  std::map<std::string, std::string, std::less<>> layers = {};

  /// Whether NaN or infinite weights are accepted, for example from a training that diverged.
  bool allow_not_finite = false;
};

}  // namespace heed::keras

namespace heed::detail {

/// The layer that another one reads, from the attribute `model_config`.
inline std::string keras_input_of(const std::string& layer, const Hdf5Object& root,
                                  const std::string& where) {
  const auto text = keras_text(root, "model_config");
  check<FileError>(text.has_value(), where,
                   " has no model_config in which to find the Dense before ", in_quotes(layer),
                   "; name it: load_weights(model, …, {.layers = {…}})");
  const auto json = keras_json(*text, where);
  const KerasModel model = keras_model(json, where);
  for (const KerasLayer& known : model.layers) {
    if (known.name != layer) continue;
    const auto inputs = keras_calls(known)[0].inputs;
    known.expect(inputs.size() == 1, " has ", inputs.size(), " inputs, expected a Dense");
    return inputs[0].layer;
  }
  throw FileError(join(where, " has no layer ", in_quotes(layer),
                       ", which would follow the Dense of a StepAttention; name that Dense: "
                       "load_weights(model, …, {.layers = {…}})"));
}

/// Refuses weights trained with an activation function that is another one in the model.
template <class Scalar>
void check_keras_meaning(const Graph<Scalar>& graph, const KerasVersion& version,
                         const std::string& where) {
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto place = join(
        where,
        version.at_least(3) ? " was written by Keras 3: " : " does not say that Keras 3 wrote it: ",
        graph.title(i));
    for (const auto& [name, value] : graph[i].layer.config()) {
      at_place(place,
               [&, &field = name, &held = value] { check_keras_meaning(field, held, version); });
    }
  }
}

template <class Scalar>
void keras_load_numbered(Model<Scalar>& model, const Hdf5Object& root, const KerasVersion& version,
                         const std::string& where, const keras::WeightOptions& options) {
  check<FileError>(options.layers.empty(), where,
                   " numbers its layers instead of naming them, so {.layers = …} cannot be used");
  check_keras_meaning(model.graph(), version, where);
  const auto values = keras_numbered_weights(model, root, options.allow_not_finite);
  model.set_weights(values.values());
}

template <class Scalar>
void keras_load_weights(Model<Scalar>& model, std::span<const std::byte> bytes,
                        const std::string& where, const keras::WeightOptions& options) {
  if (hdf5_text(bytes).starts_with(zip_file_signature)) {
    const ZipFile archive(bytes, where);
    Hdf5File inner(archive.file(keras_archive_weights), join(where, ": ", keras_archive_weights));
    const auto version = keras_archive_version(archive, where);
    return keras_load_numbered(model, Hdf5Object(inner), version, inner.where(), options);
  }
  Hdf5File file(bytes, where);
  const Hdf5Object root(file);
  if (has_numbered_layers(root)) {
    return keras_load_numbered(model, root, keras_numbered_version(root), where, options);
  }
  for (const auto& [name, layer] : options.layers) {
    const std::string_view node = std::string_view(name).substr(0, name.find('/'));
    check<OptionError>(model.graph().find(node) < model.graph().nodes().size() &&
                           (node == name || model.graph().layout().find(name) != nullptr),
                       "{.layers = …}: model \"", model.name(), "\" has no layer or weight \"",
                       name, "\"");
  }
  check_keras_meaning(model.graph(), keras_version(root), where);
  const auto places = keras_places(model.graph(), options.layers, [&](const std::string& layer) {
    return keras_input_of(layer, root, where);
  });
  const KerasWeights weights(file, keras_weights_group(root, file));
  const auto values =
      weights.read<Scalar>(model.graph().layout(), places, options.allow_not_finite);
  model.set_weights(values.values());
}

}  // namespace heed::detail

namespace heed::keras {

/// The network in a Keras file, ready for use. The file can be written by `model.save("model.h5")`
/// of Keras 3, tf.keras and Keras 2, or by `model.save("model.keras")` of Keras 2.12 and later. The
/// model can be Sequential or Functional, with layers that heed has, and with models inside, whose
/// layers become layers of one graph. Inputs and outputs have the file's order.
/// The second call of a shared layer `dense` is the node `dense_2`. A Lambda with the name
/// `last_hidden_state`, as in philipperemy/keras-attention-mechanism, is read as `LastStep`; see
/// `LoadOptions` for other Lambdas and for your own layers.
///
/// The same steps are masked as in the version of Keras that wrote the file. Keras 3 drops the mask
/// of a recurrent layer that is given states. In heed, its input then goes through a Reshape
/// without a mask, `words_unmasked`.
///
/// Throws `FileError`, which names the file and the layer or position in it, for a layer that heed
/// does not have, for a field that heed's layer does not have unless it is off, for a mask that
/// heed would not use as Keras does, for layers in a circle, for weights that do not fit, and for
/// anything else that is not a Keras file. Needs memory in proportion to the size of the file,
/// whatever its content.
///
/// Regularizers, constraints, dtype policies and optimizer states are ignored, because they do not
/// change the output of the network. A float16 model is computed in `Scalar`.
template <class Scalar>
Model<Scalar> load_model(const std::filesystem::path& path,
                         const LoadOptions<Scalar>& options = {}) {
  return detail::keras_load_model(std::span<const std::byte>(read_file(path)), path.string(),
                                  options);
}

/// The same for a file in memory. `where` is its name in messages.
template <class Scalar>
Model<Scalar> load_model(std::span<const std::byte> bytes, const LoadOptions<Scalar>& options = {},
                         std::string_view where = "memory") {
  return detail::keras_load_model(bytes, std::string(where), options);
}

/// The network that `model.to_json()` of Keras describes in the first file, with the weights in the
/// second one: of `model.save_weights`, or of a whole model. Weights belong to layers with the same
/// names or, if no name is the same, in the same order. Throws the same errors.
template <class Scalar, std::convertible_to<std::filesystem::path> Path>
Model<Scalar> load_model(const std::filesystem::path& json, const Path& weights,
                         const LoadOptions<Scalar>& options = {}) {
  const std::filesystem::path path(weights);
  return detail::keras_load_model(std::span<const std::byte>(read_file(json)), json.string(),
                                  std::span<const std::byte>(read_file(path)), path.string(),
                                  options);
}

/// The same for files in memory. `where` is the name of both in messages.
template <class Scalar, std::convertible_to<std::span<const std::byte>> Bytes>
Model<Scalar> load_model(std::span<const std::byte> json, const Bytes& weights,
                         const LoadOptions<Scalar>& options = {},
                         std::string_view where = "memory") {
  return detail::keras_load_model(json, join(where, ": JSON"), std::span<const std::byte>(weights),
                                  std::string(where), options);
}

/// Sets a model's weights from a Keras file, `.h5`, by the names of its layers, or by their order if
/// no name is the same, and builds the model if necessary. A `.weights.h5` of Keras 3 and a `.keras` number the layers of each class in
/// the model's order instead; then the names do not matter. A block takes the weights of its
/// layers: `LuongAttention` those of `attention_score_vec` and `attention_vector`, `StepAttention`
/// those of the Dense before the Permute `attention_vec`. With several blocks of a kind, these
/// names begin with the block's name: `encoder_attention_score_vec`.
///
/// Throws `FileError` unless the layers with weights in the file and in the model are the same and
/// have the same shapes, and `OptionError` for a name in the options that the model does not have.
/// The model is then unchanged.
template <class Scalar>
void load_weights(Model<Scalar>& model, const std::filesystem::path& path,
                  const WeightOptions& options = {}) {
  detail::keras_load_weights(model, std::span<const std::byte>(read_file(path)), path.string(),
                             options);
}

/// The same for a file in memory. `where` is its name in messages.
template <class Scalar>
void load_weights(Model<Scalar>& model, std::span<const std::byte> bytes,
                  const WeightOptions& options = {}, std::string_view where = "memory") {
  detail::keras_load_weights(model, bytes, std::string(where), options);
}

}  // namespace heed::keras
