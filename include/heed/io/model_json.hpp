#pragma once

#include <heed/io/json.hpp>
#include <heed/io/registry.hpp>
#include <heed/model/model.hpp>

namespace heed {

namespace detail {

inline constexpr std::string_view format_name = "heed";
inline constexpr int format_version = 1;

/// An entry of a JSON object. Throws `FileError` if it is missing or has another type.
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

/// `m.safetensors: LSTM "lstm"`: the name of a file's layer in errors.
inline std::string layer_place(const nlohmann::json& layer, std::size_t position,
                               std::string_view where) {
  const std::string nameless = join(where, ": layer ", position);
  check<FileError>(layer.is_object(), nameless, " is not an object");
  const auto& type = text_member(layer, "type", nameless);
  const auto& name = text_member(layer, "name", nameless);
  return join(where, ": ", printable(type, 80), " ", in_quotes(name));
}

/// Calls a function whose errors are caused by a file's content, and adds the position to their
/// messages.
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
/// Layers are in the order in which they were added, so each comes after its inputs. An input that
/// is a further output of a layer is `["lstm", 1]` instead of a name. A layer that shares the
/// weights of another one has `"shares": "lstm"`, a frozen layer has `"trainable": false`, and a
/// model with several outputs has a list as `"output"`. Throws `FileError`, which names the layer,
/// for a field or a name that JSON cannot express.
namespace detail {

/// An output of a layer: its name, or its name and a number.
template <class Scalar>
nlohmann::ordered_json reference_to_json(const Graph<Scalar>& graph, Node node) {
  const std::string& name = graph[node.index].name;
  if (node.output == 0) return name;
  return nlohmann::ordered_json::array({name, node.output});
}

/// The first node with the weights of node `i`, whose name they have; `i` if no other node shares
/// them.
template <class Scalar>
std::size_t owner_of_weights(const Graph<Scalar>& graph, std::size_t i) {
  if (graph[i].slot_count == 0) return i;
  const std::string_view name = graph.layout().all_slots()[graph[i].first_slot].name;
  return graph.find(name.substr(0, name.find('/')));
}

using NamedNodes = std::map<std::string, Node, std::less<>>;

inline Node reference_from_json(const nlohmann::json& json, const NamedNodes& nodes,
                                std::string_view place, std::string_view verb) {
  const bool is_pair =
      json.is_array() && json.size() == 2 && json[0].is_string() && json[1].is_number_unsigned();
  check<FileError>(
      json.is_string() || is_pair, place, verb,
      printable(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), 80),
      ", expected the name of a layer, or its name and the number of an output");
  const auto& name = (is_pair ? json[0] : json).get_ref<const std::string&>();
  const auto known = nodes.find(name);
  check<FileError>(known != nodes.end(), place, verb, in_quotes(name),
                   ", which is not the name of an earlier layer");
  return {known->second.index, is_pair ? json[1].get<std::size_t>() : 0};
}

}  // namespace detail

template <class Scalar>
nlohmann::ordered_json model_to_json(const Model<Scalar>& model) {
  const Graph<Scalar>& graph = model.graph();
  auto layers = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const auto& node = graph[i];
    auto inputs = nlohmann::ordered_json::array();
    for (const Node input : node.inputs) inputs.push_back(detail::reference_to_json(graph, input));
    const auto config = detail::at_place(detail::printable(graph.title(i)),
                                         [&] { return config_to_json(node.layer.config()); });
    layers.push_back({{"type", node.layer.type()},
                      {"name", node.name},
                      {"config", config},
                      {"inputs", std::move(inputs)}});
    const std::size_t owner = detail::owner_of_weights(graph, i);
    if (owner != i) layers.back()["shares"] = graph[owner].name;
    if (!node.trains) layers.back()["trainable"] = false;
    print_json(layers.back(),
               detail::printable(graph.title(i)));  // an error about UTF-8 names the layer
  }
  check<ModelError>(!layers.empty(), "model \"", model.name(), "\" has no layers to save");
  nlohmann::ordered_json json;
  json["format"] = detail::format_name;
  json["format_version"] = detail::format_version;
  json["name"] = model.name();
  json["scalar"] = sizeof(Scalar) == 4 ? "float32" : "float64";
  json["layers"] = std::move(layers);
  auto outputs = nlohmann::ordered_json::array();
  for (const Node output : graph.outputs())
    outputs.push_back(detail::reference_to_json(graph, output));
  json["output"] = outputs.size() == 1 && outputs[0].is_string() ? outputs[0] : outputs;
  return json;
}

/// The model described by JSON, not yet built. Throws `FileError`, which begins with `where`, for
/// JSON of another form, an unknown layer type, a configuration that the layer does not accept, an
/// input that is not an earlier layer, and layers that do not fit together.
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
                   " does not have format_version ", detail::format_version,
                   ", the only one that this version of heed reads");

  const auto& scalar = detail::text_member(json, "scalar", whole);
  check<FileError>(scalar == "float32" || scalar == "float64", whole, " is of the \"scalar\" ",
                   detail::in_quotes(scalar), ", expected \"float32\" or \"float64\"");

  Model<Scalar> model(detail::text_member(json, "name", whole));
  detail::NamedNodes nodes;
  for (const auto& layer : detail::member(json, "layers", Type::array, whole)) {
    const std::string place = detail::layer_place(layer, nodes.size() + 1, where);
    const auto& type = detail::text_member(layer, "type", place);
    const auto& name = detail::text_member(layer, "name", place);
    check<FileError>(!name.empty(), place, " has an empty name");
    std::vector<Node> inputs;
    for (const auto& input : detail::member(layer, "inputs", Type::array, place)) {
      inputs.push_back(detail::reference_from_json(input, nodes, place, " takes its input from "));
    }
    check<FileError>(inputs.empty() == (type == Input::type), place, " has ", inputs.size(),
                     " inputs: an ", Input::type, " has none, and every other layer has some");
    const auto& config = detail::member(layer, "config", Type::object, place);
    auto made =
        detail::at_place(place, [&] { return registry.make(type, config_from_json(config)); });
    const auto shares = layer.find("shares");
    std::optional<Node> owner;
    if (shares != layer.end()) {
      owner = detail::reference_from_json(*shares, nodes, place, " shares the weights of ");
      const auto& other = model.graph()[owner->index].layer;
      check<FileError>(other.key() == made.key() && other.config() == made.config(), place,
                       " shares the weights of ", model.graph().title(owner->index),
                       ", which has another configuration");
    }
    // Errors of the graph already name the layer.
    nodes[name] = detail::at_place(std::string(where), [&] {
      return owner ? model.share(name, *owner, inputs) : model.add(name, std::move(made), inputs);
    });
    const auto trainable = layer.find("trainable");
    if (trainable == layer.end()) continue;
    check<FileError>(trainable->is_boolean(), place,
                     " has a \"trainable\" that is not true or false");
    model.set_trainable(name, trainable->template get<bool>());
  }
  const auto output = json.find("output");
  check<FileError>(output != json.end(), whole, " has no \"output\"");
  std::vector<Node> outputs;
  const bool is_list = output->is_array() && !(output->size() == 2 && (*output)[1].is_number());
  for (const auto& one : is_list ? *output : nlohmann::json::array({*output})) {
    outputs.push_back(detail::reference_from_json(one, nodes, whole, " has the output "));
  }
  check<FileError>(!outputs.empty(), whole, " has no output");
  detail::at_place(std::string(where), [&] { model.set_outputs(outputs); });
  return model;
}

}  // namespace heed
