#pragma once

#include <heed/io/keras_config.hpp>

namespace heed::detail {

/// A model's layers and how they are joined, as the attribute `model_config` of a file says it. Refers
/// to the JSON it was read from.
struct KerasModel {
  std::string name;
  std::vector<KerasLayer> layers;
  bool sequential = false;
  const nlohmann::json* input_shape = nullptr;  ///< of a sequential model without an input layer
  std::string output;                           ///< of a functional model
};

/// `["dense", 0, 0]`: the layer that a tensor comes from. The numbers count calls of that layer and
/// outputs of the call.
inline std::string keras_tensor(const nlohmann::json& tensor, const std::string& place) {
  check<FileError>(tensor.is_array() && tensor.size() >= 3 && tensor[0].is_string(), place,
                   " names no layer where one is expected");
  const auto& layer = tensor[0].get_ref<const std::string&>();
  check<FileError>(tensor[1] == 0, place, " takes a further call of the layer ", in_quotes(layer),
                   "; layers that are shared have no place in heed");
  check<FileError>(tensor[2] == 0, place, " takes a further output of the layer ", in_quotes(layer),
                   "; heed's layers have one");
  return layer;
}

/// What a layer is called with beside its inputs has to be off: masks, initial states, and
/// `training=True`, with which a Dropout drops in predictions as well.
inline void check_keras_call(const nlohmann::json& arguments, const KerasLayer& layer) {
  if (arguments.is_null()) return;
  layer.expect(arguments.is_object(), " is called with something that is not named");
  for (const auto& [name, value] : arguments.items()) {
    layer.expect(value.is_null() || value == false, " is called with ", in_quotes(name),
                 ", which heed's layers are not");
  }
}

/// The inputs of a layer by name. Keras 2 writes `[[["lstm", 0, 0, {}], …]]`, Keras 3
/// `[{"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["lstm", 0, 0]}}],
/// "kwargs": {}}]`, with a list of such tensors for a layer that joins.
inline std::vector<std::string> keras_inputs(const KerasLayer& layer) {
  using Type = nlohmann::json::value_t;
  const std::string& place = layer.place;
  layer.expect(layer.nodes != nullptr && layer.nodes->is_array(), " has no \"inbound_nodes\"");
  if (layer.nodes->empty()) return {};
  layer.expect(layer.nodes->size() == 1, " is called ", layer.nodes->size(),
               " times; layers that are shared have no place in heed");
  const auto& node = layer.nodes->front();
  std::vector<std::string> inputs;
  if (node.is_array()) {
    for (const auto& tensor : node) {
      inputs.push_back(keras_tensor(tensor, place));
      if (tensor.size() > 3) check_keras_call(tensor[3], layer);
    }
    return inputs;
  }
  layer.expect(node.is_object(), " has \"inbound_nodes\" of an unknown form");
  const auto& arguments = member(node, "args", Type::array, place);
  layer.expect(!arguments.empty(), " is called without an input");
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    layer.expect(arguments[i].is_null(), " is called with more than its inputs");
  }
  if (node.contains("kwargs")) check_keras_call(node["kwargs"], layer);
  const auto add = [&](const nlohmann::json& tensor) {
    layer.expect(tensor.is_object(), " has \"inbound_nodes\" of an unknown form");
    const auto& config = member(tensor, "config", Type::object, place);
    inputs.push_back(keras_tensor(member(config, "keras_history", Type::array, place), place));
  };
  if (arguments[0].is_array()) {
    for (const auto& tensor : arguments[0]) add(tensor);
  } else {
    add(arguments[0]);
  }
  return inputs;
}

/// The one layer in `input_layers` or `output_layers`: `["dense", 0, 0]` or `[["dense", 0, 0]]`.
inline std::string keras_end(const nlohmann::json& config, const char* key,
                             const std::string& place) {
  const auto& list = member(config, key, nlohmann::json::value_t::array, place);
  const bool nested = !list.empty() && list[0].is_array();
  check<FileError>(!nested || list.size() == 1, place, " has ", list.size(), " in \"", key,
                   "\"; heed's models have one input and one output");
  return keras_tensor(nested ? list[0] : list, place);
}

/// Throws `FileError`, beginning with `where`, for what is no sequential or functional model.
inline KerasModel keras_model(const nlohmann::json& json, const std::string& where) {
  using Type = nlohmann::json::value_t;
  const std::string place = where + ": the model";
  check<FileError>(json.is_object(), place, " is not a JSON object");
  const auto& class_name = text_member(json, "class_name", place);
  KerasModel model;
  model.sequential = class_name == "Sequential";
  check<FileError>(model.sequential || class_name == "Functional" || class_name == "Model", place,
                   " is of the class ", in_quotes(class_name),
                   "; heed reads Sequential and Functional ones");
  const auto config = json.find("config");
  check<FileError>(config != json.end(), place, " has no \"config\"");
  // Before Keras 2.2.3 the configuration of a sequential model was the list of its layers.
  const bool bare = model.sequential && config->is_array();
  check<FileError>(bare || config->is_object(), place, " has no object \"config\"");
  model.name = bare ? "sequential" : text_member(*config, "name", place);
  const auto& layers = bare ? *config : member(*config, "layers", Type::array, place);
  for (const auto& layer : layers) {
    model.layers.push_back(keras_layer(layer, model.layers.size() + 1, where));
  }
  check<FileError>(!model.layers.empty(), place, " has no layers");
  if (model.sequential) {
    const auto& first = *model.layers.front().config;
    const auto of_layer = first.find("batch_input_shape");
    const auto of_model = config->find("build_input_shape");
    if (of_layer != first.end()) {
      model.input_shape = &*of_layer;
    } else if (!bare && of_model != config->end()) {
      model.input_shape = &*of_model;
    }
  } else {
    keras_end(*config, "input_layers", place);
    model.output = keras_end(*config, "output_layers", place);
  }
  return model;
}

}  // namespace heed::detail
