#pragma once

#include <string>
#include <tuple>

#include <heed/io/keras_config.hpp>

namespace heed::detail {

/// A tensor of a file: an output of a call of a layer.
struct KerasTensor {
  std::string layer;
  std::size_t call = 0, output = 0;

  bool operator==(const KerasTensor&) const = default;
  // libc++ 14 has no three-way comparison of strings.
  bool operator<(const KerasTensor& that) const {
    return std::tie(layer, call, output) < std::tie(that.layer, that.call, that.output);
  }
};

/// `["dense", 0, 0]`: the layer, the index of its call, and the index of the call's output.
inline bool is_keras_tensor(const nlohmann::json& json) {
  return json.is_array() && json.size() >= 3 && json[0].is_string() &&
         json[1].is_number_unsigned() && json[2].is_number_unsigned();
}

inline KerasTensor keras_tensor(const nlohmann::json& json, const std::string& place) {
  check<FileError>(is_keras_tensor(json), place, " does not name a layer where one is expected");
  return {json[0].get<std::string>(), json[1].get<std::size_t>(), json[2].get<std::size_t>()};
}

/// A call of a layer: its tensors and its other arguments.
struct KerasCall {
  std::vector<KerasTensor> inputs;
  std::vector<KerasTensor> states;  ///< `initial_state`
  std::optional<KerasTensor> mask;
  /// Whether the file has the form of Keras 3, in which a call names the mask that it uses. In the
  /// form of Keras 2, it uses the mask of its input.
  bool says_mask = false;
  bool is_list = true;                           ///< the inputs are one argument, a list
  bool crosses = false;                          ///< an input comes from inside another model
  std::vector<const nlohmann::json*> arguments;  ///< those that are neither tensors nor None
  std::vector<std::pair<std::string, const nlohmann::json*>> named;  ///< the same by keyword

  /// Throws if a call has arguments other than inputs, and states if the layer carries them. An
  /// argument `training=True`, for example, would make a Dropout drop values in predictions.
  void expect_inputs_alone(const KerasLayer& layer, bool takes_states) const {
    layer.expect(!inputs.empty(), " is called without an input");
    layer.expect(arguments.empty() && (is_list || inputs.size() == 1),
                 " is called with more than its inputs");
    layer.expect(takes_states || states.empty(),
                 " is called with \"initial_state\", which this layer of heed is not");
    for (const auto& [name, value] : named) {
      layer.expect(*value == false, " is called with ", in_quotes(name),
                   ", which heed's layers are not");
    }
  }
};

/// Calls `use` with one tensor or with each tensor of a list; false for anything else.
template <class Read, class Use>
bool for_each_keras_tensor(const nlohmann::json& json, const Read& read, const Use& use) {
  if (const auto one = read(json)) return use(*one), true;
  if (!json.is_array() || json.empty()) return false;
  for (const auto& entry : json) {
    const auto tensor = read(entry);
    if (!tensor) return false;
    use(*tensor);
  }
  return true;
}

/// Keras 3 writes
///
///     [{"args": [{"class_name": "__keras_tensor__",
///                 "config": {"keras_history": ["lstm", 0, 0]}}],
///       "kwargs": {"mask": …, "initial_state": […]}}]
///
/// For a layer that joins, the tensors are in a list; for an operator they are separate arguments.
inline KerasCall keras_3_call(const nlohmann::json& node, const KerasLayer& layer) {
  using Type = nlohmann::json::value_t;
  KerasCall call;
  call.says_mask = true;
  const auto read = [&](const nlohmann::json& json) -> std::optional<KerasTensor> {
    const bool is_tensor = json.is_object() && json.contains("config") &&
                           json["config"].is_object() && json["config"].contains("keras_history");
    if (!is_tensor) return {};
    return keras_tensor(member(json["config"], "keras_history", Type::array, layer.place),
                        layer.place);
  };
  const auto to = [](std::vector<KerasTensor>& list) {
    return [&](const KerasTensor& tensor) { list.push_back(tensor); };
  };
  const auto& arguments = member(node, "args", Type::array, layer.place);
  for (const auto& argument : arguments) {
    const bool is_first = &argument == &arguments.front();
    if (is_first && argument.is_array()) {
      layer.expect(argument.empty() || for_each_keras_tensor(argument, read, to(call.inputs)),
                   " has \"inbound_nodes\" of an unknown form");
    } else if (const auto tensor = read(argument)) {
      call.inputs.push_back(*tensor);
      call.is_list = false;
    } else if (argument.is_array() && for_each_keras_tensor(argument, read, [](const auto&) {})) {
      for_each_keras_tensor(argument, read, to(call.states));  // initial_state by position
    } else if (!argument.is_null()) {
      call.arguments.push_back(&argument);
    }
  }
  const auto named = node.find("kwargs");
  if (named == node.end() || named->is_null()) return call;
  layer.expect(named->is_object(), " is called with something that is not named");
  for (const auto& [name, value] : named->items()) {
    if (value.is_null()) continue;
    if (name == "mask" && (call.mask = read(value))) continue;
    if (name == "initial_state" && for_each_keras_tensor(value, read, to(call.states))) continue;
    call.named.emplace_back(name, &value);
  }
  return call;
}

/// Keras 2 writes `[[["lstm", 0, 0, {}], …]]`, where states come after the first tensor. For an
/// operator it writes `[["lstm", 0, 0, {"y": ["dense", 0, 0]}]]`, where
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
      if (is_keras_tensor(value) && value.size() == 3 && !call.is_list) {
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

/// All calls of a layer in order. A shared layer has several.
inline std::vector<KerasCall> keras_calls(const KerasLayer& layer) {
  layer.expect(layer.nodes != nullptr && layer.nodes->is_array(), " has no \"inbound_nodes\"");
  layer.expect(!layer.nodes->empty(), " has no input");
  std::vector<KerasCall> calls;
  for (const auto& node : *layer.nodes) {
    layer.expect(node.is_array() || node.is_object(), " has \"inbound_nodes\" of an unknown form");
    calls.push_back(node.is_array() ? keras_2_call(node, layer) : keras_3_call(node, layer));
  }
  return calls;
}

}  // namespace heed::detail
