#pragma once

#include <heed/io/keras_archive.hpp>

// Opens Keras's files: `.h5`, `.keras`, and a `model.json` with a file of weights.

namespace heed::detail {

/// A text attribute of the root group or of the group of weights.
inline std::optional<std::string_view> keras_text(const Hdf5Object& object,
                                                  std::string_view attribute) {
  const auto texts = object.texts(attribute);
  if (!texts) return {};
  check<FileError>(texts->size() == 1, object.place(), ": attribute ", in_quotes(attribute),
                   " has ", texts->size(), " texts, expected one");
  return texts->front();
}

/// The version of Keras. `model.save` writes it to the root and to the group of weights,
/// `model.save_weights` only to the root.
inline KerasVersion keras_version(const Hdf5Object& root) {
  return KerasVersion(keras_text(root, "keras_version").value_or(""));
}

inline nlohmann::json keras_json(std::string_view model_config, const std::string& where) {
  return parse_keras_json(model_config, where + ": model_config");
}

/// `model.save` writes the weights to a group, `model.save_weights` of Keras 2 to the root.
inline Hdf5Object keras_weights_group(const Hdf5Object& root, const Hdf5File& file) {
  if (root.has_attribute("layer_names") || root.has_attribute("layer_names0")) return root;
  auto group = root.open("model_weights");
  check<FileError>(group.has_value(), file.where(),
                   " contains no weights in the form that Keras's model.save(\"….h5\") writes");
  return *std::move(group);
}

/// The version of Keras that wrote a file with numbered layers. Such a file does not contain the
/// version. Keras 3 has written names to it since 3.6; without names, it cannot be told from a file
/// of tf_keras.
inline KerasVersion keras_numbered_version(const Hdf5Object& root) {
  const auto vars = root.open("vars");
  return vars && vars->has_attribute("name") ? KerasVersion("3.6.0") : KerasVersion();
}

/// Whether a file has weights under the names of layers: `model.save` writes them to a group,
/// `model.save_weights` of Keras 2 to the root.
inline bool has_named_layers(const Hdf5Object& root) {
  return root.open("model_weights") || root.has_attribute("layer_names") ||
         root.has_attribute("layer_names0");
}

/// Whether a file has the weights of numbered layers, and not under the names of layers.
inline bool has_numbered_layers(const Hdf5Object& root) {
  return keras_numbered_group(root) && !has_named_layers(root);
}

/// The version that the JSON of a model names: that of `model.to_json()` names it in Keras 2, and
/// has another form in Keras 3.
inline KerasVersion keras_json_version(const nlohmann::json& json) {
  if (!json.is_object()) return {};
  const auto version = json.find("keras_version");
  if (version != json.end() && version->is_string()) {
    return KerasVersion(version->get_ref<const std::string&>());
  }
  return json.contains("module") ? KerasVersion("3.0.0") : KerasVersion();
}

/// A model of a file before it has weights.
template <class Scalar>
class KerasDraft {
 public:
  KerasDraft(const nlohmann::json& json, const std::string& where,
             const keras::LoadOptions<Scalar>& options, const KerasVersion& version)
      : options_(options),
        description_(keras_model(json, where)),
        file_(description_, where),
        model_(KerasBuilder<Scalar>(file_, where, options, version).build()) {
    check<FileError>(model_.graph().nodes().size() > 1, where,
                     ": the model has no layer besides its input");
  }

  /// The model with the weights of a file in HDF5.
  Model<Scalar> with_weights(Hdf5File& file) && {
    const Hdf5Object root(file);
    // A file without any weights has no group of layers.
    const bool none = model_.count_params() == 0 && !has_named_layers(root);
    const auto values = none || has_numbered_layers(root)
                            ? keras_numbered_weights(model_, file_, root, options_.allow_not_finite)
                            : named_weights(file, root);
    model_.set_weights(values.values());
    return options_.blocks ? with_blocks(model_) : std::move(model_);
  }

 private:
  Arena<Scalar> named_weights(Hdf5File& file, const Hdf5Object& root) const {
    KerasWeights weights(file, keras_weights_group(root, file));
    file_.visit(0, [&](const KerasLayer& layer, std::size_t, std::size_t inner) {
      if (layer.model) weights.divide(layer.saved_name, inside(inner));
    });
    const auto places =
        keras_places(model_.graph(), {}, [](const std::string& name) { return name; });
    return weights.read<Scalar>(model_.graph().layout(), places, options_.allow_not_finite,
                                cudnn());
  }

  std::vector<KerasInside> inside(std::size_t scope) const {
    const Graph<Scalar>& graph = model_.graph();
    std::vector<KerasInside> layers;
    for (const std::size_t i : file_.all_in(scope)) {
      layers.push_back({file_.layers()[i].name});
      const std::size_t node = graph.find(layers.back().name);
      if (node == graph.nodes().size()) continue;
      const auto all = graph.layout().all_slots();
      for (const Slot& slot : all.subspan(graph[node].first_slot, graph[node].slot_count)) {
        ++(slot.trains ? layers.back().trained : layers.back().others);
      }
    }
    return layers;
  }

  KerasCudnn cudnn() const {
    KerasCudnn found;
    for (const KerasLayer& layer : file_.layers()) {
      std::size_t gates = layer.cudnn_gates;
      const auto held = layer.config->find("layer");
      if (layer.of_keras && held != layer.config->end() && held->is_object()) {
        gates = keras_layer(*held, 1, layer.place).cudnn_gates;
      }
      if (gates > 0) found.gates[layer.name] = gates;
    }
    return found;
  }

  const keras::LoadOptions<Scalar>& options_;
  KerasModel description_;
  KerasFlat file_;
  Model<Scalar> model_;
};

/// What `use` returns for the weights in an archive or in a file in HDF5.
template <class Use>
auto with_keras_weights(std::span<const std::byte> bytes, const std::string& where,
                        const Use& use) {
  if (!hdf5_text(bytes).starts_with(zip_file_signature)) {
    Hdf5File file(bytes, where);
    return use(file);
  }
  const ZipFile archive(bytes, where);
  Hdf5File file(archive.file(keras_archive_weights), join(where, ": ", keras_archive_weights));
  return use(file);
}

template <class Scalar>
Model<Scalar> keras_load_archive(std::span<const std::byte> bytes, const std::string& where,
                                 const keras::LoadOptions<Scalar>& options) {
  const ZipFile archive(bytes, where);
  const auto json = parse_keras_json(hdf5_text(archive.file(keras_archive_config)),
                                     join(where, ": ", keras_archive_config));
  auto version = keras_archive_version(archive, where);
  if (!version.at_least(1)) version = KerasVersion("3.0.0");
  KerasDraft<Scalar> draft(json, where, options, version);
  return with_keras_weights(bytes, where,
                            [&](Hdf5File& file) { return std::move(draft).with_weights(file); });
}

template <class Scalar>
Model<Scalar> keras_load_hdf5(std::span<const std::byte> bytes, const std::string& where,
                              const keras::LoadOptions<Scalar>& options) {
  Hdf5File file(bytes, where);
  const Hdf5Object root(file);
  const auto text = keras_text(root, "model_config");
  check<FileError>(
      text.has_value(), where,
      " contains no model: it has no attribute model_config; keras::load_weights loads "
      "weights into a model of your own, and keras::load_model(\"model.json\", "
      "\"weights.h5\") reads the model from a file beside it");
  const auto json = keras_json(*text, where);
  return KerasDraft<Scalar>(json, where, options, keras_version(root)).with_weights(file);
}

template <class Scalar>
Model<Scalar> keras_load_model(std::span<const std::byte> bytes, const std::string& where,
                               const keras::LoadOptions<Scalar>& options) {
  const bool is_archive = hdf5_text(bytes).starts_with(zip_file_signature);
  return is_archive ? keras_load_archive(bytes, where, options)
                    : keras_load_hdf5(bytes, where, options);
}

/// A model as `model.to_json()` describes it, with weights of another file.
template <class Scalar>
Model<Scalar> keras_load_model(std::span<const std::byte> config, const std::string& where,
                               std::span<const std::byte> weights, const std::string& weights_where,
                               const keras::LoadOptions<Scalar>& options) {
  const auto text = hdf5_text(config);
  const auto begin = text.find_first_not_of(" \t\r\n");
  const bool is_json = begin != std::string_view::npos && text[begin] == '{';
  check<FileError>(is_json, where, is_json ? "" : file_kind(config),
                   "; expected the JSON of a model, as model.to_json() makes it");
  const auto json = parse_keras_json(text, where);
  return with_keras_weights(weights, weights_where, [&](Hdf5File& file) {
    auto version = keras_json_version(json);
    if (!version.at_least(1)) version = keras_version(Hdf5Object(file));
    return KerasDraft<Scalar>(json, where, options, version).with_weights(file);
  });
}

}  // namespace heed::detail
