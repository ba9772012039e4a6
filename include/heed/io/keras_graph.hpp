#pragma once

#include <heed/io/keras_calls.hpp>

namespace heed::detail {

/// A model's layers and their connections, from the attribute `model_config` of a file. It refers
/// to the JSON that it was read from.
struct KerasModel {
  std::string name;
  std::vector<KerasLayer> layers;
  std::vector<KerasModel> inside;  ///< the models among its layers
  bool sequential = false;
  const nlohmann::json* input_shape = nullptr;  ///< of a sequential model without an input layer
  std::vector<KerasTensor> inputs, outputs;     ///< of a functional model, in their order
  bool trains = true;                           ///< false: all layers are frozen
};

/// Whether a layer or its inner layer is frozen.
inline bool is_frozen(const KerasLayer& layer) {
  const auto trains = [](const nlohmann::json& config) {
    const auto said = config.find("trainable");
    return said == config.end() || *said != false;
  };
  if (!trains(*layer.config)) return true;
  const auto held = layer.config->find("layer");
  if (held == layer.config->end() || !held->is_object()) return false;
  const auto inner = held->find("config");
  return inner != held->end() && inner->is_object() && !trains(*inner);
}

/// The tensors of `input_layers` or `output_layers`: `["dense", 0, 0]` for one, or a list. If a
/// model's inputs or outputs have names, they are a dictionary, and Keras uses them in the order of
/// the names.
inline std::vector<KerasTensor> keras_ends(const nlohmann::json& config, const char* key,
                                           const std::string& place) {
  const auto found = config.find(key);
  check<FileError>(found != config.end() && (found->is_array() || found->is_object()), place,
                   " has no list \"", key, "\"");
  if (is_keras_tensor(*found)) return {keras_tensor(*found, place)};
  std::vector<KerasTensor> ends;
  for (const auto& end : *found) ends.push_back(keras_tensor(end, place));
  check<FileError>(!ends.empty(), place, " has an empty \"", key, "\"");
  return ends;
}

/// Whether a class is one of Keras's models.
inline bool is_keras_model(const KerasLayer& layer) {
  const std::string& type = layer.class_name;
  return layer.of_keras && (type == "Sequential" || type == "Functional" || type == "Model");
}

/// The shape that a sequential model takes, with the batch axis: that of its first layer, or that
/// of the first layer of a model there. Null if the file does not say it.
inline const nlohmann::json* keras_first_shape(const KerasModel& model) {
  const KerasLayer& first = model.layers.front();
  if (first.model) return keras_first_shape(model.inside[*first.model]);
  for (const char* key : {"batch_input_shape", "batch_shape"}) {
    const auto shape = first.config->find(key);
    if (shape != first.config->end()) return &*shape;
  }
  return model.input_shape;
}

/// Throws `FileError`, which begins with `where`, for anything other than a sequential or
/// functional model.
inline KerasModel keras_model(const nlohmann::json& json, const std::string& where) {
  using Type = nlohmann::json::value_t;
  const std::string place = where + ": the model";
  check<FileError>(json.is_object(), place, " is not a JSON object");
  KerasLayer whole;
  read_keras_class(json, place, whole);
  const std::string& class_name = whole.class_name;
  KerasModel model;
  model.sequential = class_name == "Sequential";
  check<FileError>(is_keras_model(whole), place, " is of the class ", in_quotes(whole.registered),
                   "; heed reads only Sequential and Functional");
  const auto config = json.find("config");
  check<FileError>(config != json.end(), place, " has no \"config\"");
  // Before Keras 2.2.3, the configuration of a sequential model was a list of layers.
  const bool bare = model.sequential && config->is_array();
  check<FileError>(bare || config->is_object(), place, " has no object \"config\"");
  model.name = bare ? "sequential" : text_member(*config, "name", place);
  const auto& layers = bare ? *config : member(*config, "layers", Type::array, place);
  for (const auto& layer : layers) {
    model.layers.push_back(keras_layer(layer, model.layers.size() + 1, where));
    KerasLayer& added = model.layers.back();
    if (!is_keras_model(added)) continue;
    added.model = model.inside.size();
    model.inside.push_back(keras_model(layer, added.place));
  }
  check<FileError>(!model.layers.empty(), place, " has no layers");
  if (model.sequential) {
    const auto of_model = config->find("build_input_shape");
    if (!bare && of_model != config->end()) model.input_shape = &*of_model;
    model.input_shape = keras_first_shape(model);
  } else {
    model.inputs = keras_ends(*config, "input_layers", place);
    model.outputs = keras_ends(*config, "output_layers", place);
  }
  model.trains = bare || config->value("trainable", nlohmann::json()) != false;
  return model;
}

}  // namespace heed::detail
