#pragma once

#include <heed/io/json.hpp>
#include <heed/io/registry.hpp>
#include <heed/model/model.hpp>

namespace heed {

namespace detail {

inline constexpr std::string_view format_name = "heed";
inline constexpr int format_version = 1;

/// An entry of a JSON object. Throws `FileError` when it is missing or of another type.
inline const nlohmann::json& member(const nlohmann::json& object, const char* key,
                                    nlohmann::json::value_t type, const std::string& place) {
  const auto entry = object.find(key);
  check<FileError>(entry != object.end() && entry->type() == type, place, " has no ",
                   nlohmann::json(type).type_name(), " \"", key, "\"");
  return *entry;
}

inline const std::string& text_member(const nlohmann::json& object, const char* key,
                                      const std::string& place) {
  return member(object, key, nlohmann::json::value_t::string, place).get_ref<const std::string&>();
}

/// `m.safetensors: LSTM "lstm"`: how errors call a layer of a file.
inline std::string layer_place(const nlohmann::json& layer, std::size_t position,
                               std::string_view where) {
  const std::string nameless = join(where, ": layer ", position);
  check<FileError>(layer.is_object(), nameless, " is not an object");
  const auto& type = text_member(layer, "type", nameless);
  const auto& name = text_member(layer, "name", nameless);
  return join(where, ": ", printable(type, 80), " ", in_quotes(name));
}

/// Runs what may throw on account of a file's content, and says the place in its message.
template <class Work>
auto at_place(const std::string& place, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    throw FileError(join(place, ": ", printable(error.what())));
  }
}

}  // namespace detail

/// A model without its weights as JSON:
///
///     {"format": "heed", "format_version": 1, "name": "model", "scalar": "float32",
///      "layers": [{"type": "LSTM", "name": "lstm", "config": {"units": 32, …},
///                  "inputs": ["input_layer"]}, …],
///      "output": "dense"}
///
/// Layers stand in the order in which they were added, behind all that they take as inputs. Throws
/// `FileError`, naming the layer, for a field or a name that JSON cannot say.
template <class Scalar>
nlohmann::ordered_json model_to_json(const Model<Scalar>& model) {
  const Graph<Scalar>& graph = model.graph();
  auto layers = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto& node = graph[i];
    auto inputs = nlohmann::ordered_json::array();
    for (const Node input : node.inputs) inputs.push_back(graph[input.index].name);
    const auto config = detail::at_place(detail::printable(graph.title(i)),
                                         [&] { return config_to_json(node.layer.config()); });
    layers.push_back({{"type", node.layer.type()},
                      {"name", node.name},
                      {"config", config},
                      {"inputs", std::move(inputs)}});
    print_json(layers.back(),
               detail::printable(graph.title(i)));  // names the layer whose text is not UTF-8
  }
  check<ModelError>(!layers.empty(), "model \"", model.name(), "\" has no layers to save");
  nlohmann::ordered_json json;
  json["format"] = detail::format_name;
  json["format_version"] = detail::format_version;
  json["name"] = model.name();
  json["scalar"] = sizeof(Scalar) == 4 ? "float32" : "float64";
  json["layers"] = std::move(layers);
  json["output"] = graph[graph.output()].name;
  return json;
}

/// The model that JSON describes, not yet built. `where` begins the message of the `FileError` that is
/// thrown for JSON of another form, an unknown layer type, a configuration that is not the layer's,
/// an input that is no earlier layer, and layers that do not fit each other.
template <class Scalar>
Model<Scalar> model_from_json(const nlohmann::json& json, const Registry<Scalar>& registry = {},
                              std::string_view where = "memory") {
  using Type = nlohmann::json::value_t;
  const std::string whole = join(where, ": the model");
  check<FileError>(json.is_object(), whole, " is not a JSON object");
  check<FileError>(detail::text_member(json, "format", whole) == detail::format_name, whole,
                   " is not of the format \"heed\"");
  const auto version = json.find("format_version");
  check<FileError>(version != json.end() && *version == detail::format_version, whole,
                   " is not of format_version ", detail::format_version, ", which this heed reads");

  const auto& scalar = detail::text_member(json, "scalar", whole);
  check<FileError>(scalar == "float32" || scalar == "float64", whole, " is of the \"scalar\" ",
                   detail::in_quotes(scalar), ", expected \"float32\" or \"float64\"");

  Model<Scalar> model(detail::text_member(json, "name", whole));
  std::map<std::string, Node, std::less<>> nodes;
  for (const auto& layer : detail::member(json, "layers", Type::array, whole)) {
    const std::string place = detail::layer_place(layer, nodes.size() + 1, where);
    const auto& type = detail::text_member(layer, "type", place);
    const auto& name = detail::text_member(layer, "name", place);
    check<FileError>(!name.empty(), place, " has an empty name");
    std::vector<Node> inputs;
    for (const auto& input : detail::member(layer, "inputs", Type::array, place)) {
      check<FileError>(input.is_string(), place, " has an input that is not a layer's name");
      const auto known = nodes.find(input.get_ref<const std::string&>());
      check<FileError>(known != nodes.end(), place, " takes its input from ",
                       detail::in_quotes(input.get_ref<const std::string&>()),
                       ", which is not the name of a layer in front of it");
      inputs.push_back(known->second);
    }
    check<FileError>(inputs.empty() == (type == Input::type), place, " has ", inputs.size(),
                     " inputs: an ", Input::type, " has none, and every other layer has some");
    const auto& config = detail::member(layer, "config", Type::object, place);
    auto made =
        detail::at_place(place, [&] { return registry.make(type, config_from_json(config)); });
    // The graph's own errors name the layer.
    nodes[name] = detail::at_place(std::string(where),
                                   [&] { return model.add(name, std::move(made), inputs); });
  }
  const auto& output = detail::text_member(json, "output", whole);
  check<FileError>(nodes.contains(output), whole, " has the output ", detail::in_quotes(output),
                   ", which is not the name of a layer");
  model.set_output(nodes[output]);
  return model;
}

}  // namespace heed
