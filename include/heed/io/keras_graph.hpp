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

/// How a layer is called: with the layers whose outputs it takes, by name, and what else.
struct KerasCall {
  std::vector<std::string> inputs;
  bool is_list = true;                           ///< Keras 3: the inputs are one argument, a list
  std::vector<const nlohmann::json*> arguments;  ///< those that are no tensors, but for None
  std::vector<std::pair<std::string, const nlohmann::json*>> named;  ///< the same of named ones

  /// Layers take their inputs and nothing else: no masks, no initial states, no `training=True`, with which a
  /// Dropout drops in predictions as well.
  void expect_inputs_alone(const KerasLayer& layer) const {
    layer.expect(!inputs.empty(), " is called without an input");
    layer.expect(arguments.empty() && (is_list || inputs.size() == 1),
                 " is called with more than its inputs");
    for (const auto& [name, value] : named) {
      layer.expect(*value == false, " is called with ", in_quotes(name),
                   ", which heed's layers are not");
    }
  }
};

/// Keras 3 writes `[{"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": ["lstm", 0, 0]}}],
/// "kwargs": {}}]`, with a list of such tensors for a layer that joins, and with one after the other for an operator.
inline KerasCall keras_3_call(const nlohmann::json& node, const KerasLayer& layer) {
  using Type = nlohmann::json::value_t;
  KerasCall call;
  const auto add_tensor = [&](const nlohmann::json& json) {
    const bool is_tensor = json.is_object() && json.contains("config") &&
                           json["config"].is_object() && json["config"].contains("keras_history");
    if (is_tensor) {
      const auto& from = member(json["config"], "keras_history", Type::array, layer.place);
      call.inputs.push_back(keras_tensor(from, layer.place));
    }
    return is_tensor;
  };
  const auto& arguments = member(node, "args", Type::array, layer.place);
  for (const auto& argument : arguments) {
    if (argument.is_array() && &argument == &arguments.front()) {
      for (const auto& tensor : argument) {
        layer.expect(add_tensor(tensor), " has \"inbound_nodes\" of an unknown form");
      }
    } else if (add_tensor(argument)) {
      call.is_list = false;
    } else if (!argument.is_null()) {
      call.arguments.push_back(&argument);
    }
  }
  const auto named = node.find("kwargs");
  if (named == node.end() || named->is_null()) return call;
  layer.expect(named->is_object(), " is called with something that is not named");
  for (const auto& [name, value] : named->items()) {
    if (!value.is_null()) call.named.emplace_back(name, &value);
  }
  return call;
}

/// Keras 2 writes `[[["lstm", 0, 0, {}], …]]`, and `[["lstm", 0, 0, {"y": ["dense", 0, 0]}]]` for an operator, where
/// `["_CONSTANT_VALUE", -1, 2.0, {}]` is a number.
inline KerasCall keras_2_call(const nlohmann::json& node, const KerasLayer& layer) {
  KerasCall call;
  call.is_list = node.empty() || !node[0].is_string();
  const auto add = [&](const nlohmann::json& tensor) {
    const bool is_number =
        tensor.is_array() && tensor.size() >= 3 && tensor[0] == "_CONSTANT_VALUE";
    if (is_number) {
      call.arguments.push_back(&tensor[2]);
    } else {
      call.inputs.push_back(keras_tensor(tensor, layer.place));
    }
    if (tensor.size() <= 3 || tensor[3].is_null()) return;
    layer.expect(tensor[3].is_object(), " is called with something that is not named");
    for (const auto& [name, value] : tensor[3].items()) {
      const bool is_tensor = value.is_array() && value.size() == 3 && value[0].is_string();
      if (is_tensor && !call.is_list) {
        call.inputs.push_back(keras_tensor(value, layer.place));
      } else if (!value.is_null()) {
        call.named.emplace_back(name, &value);
      }
    }
  };
  if (!call.is_list) {
    add(node);
  } else {
    for (const auto& tensor : node) add(tensor);
  }
  return call;
}

inline KerasCall keras_call(const KerasLayer& layer) {
  layer.expect(layer.nodes != nullptr && layer.nodes->is_array(), " has no \"inbound_nodes\"");
  layer.expect(!layer.nodes->empty(), " has no input");
  layer.expect(layer.nodes->size() == 1, " is called ", layer.nodes->size(),
               " times; layers that are shared have no place in heed");
  const auto& node = layer.nodes->front();
  if (node.is_array()) return keras_2_call(node, layer);
  layer.expect(node.is_object(), " has \"inbound_nodes\" of an unknown form");
  return keras_3_call(node, layer);
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
  KerasLayer whole;
  read_keras_class(json, place, whole);
  const std::string& class_name = whole.class_name;
  KerasModel model;
  model.sequential = class_name == "Sequential";
  check<FileError>(
      whole.of_keras && (model.sequential || class_name == "Functional" || class_name == "Model"),
      place, " is of the class ", in_quotes(whole.registered),
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
