#pragma once

#include <heed/io/model_json.hpp>

namespace heed::detail {

/// A layer of a Keras model, as its file describes it.
struct KerasLayer {
  std::string class_name;
  std::string name;
  const nlohmann::json* config = nullptr;  ///< what its constructor is called with
  const nlohmann::json* nodes = nullptr;   ///< `inbound_nodes`: how it is called
  std::string place;                       ///< how errors call it: `model.h5: LSTM "encoder"`

  template <class... Pieces>
  void expect(bool condition, const Pieces&... pieces) const {
    check<FileError>(condition, place, pieces...);
  }
};

inline KerasLayer keras_layer(const nlohmann::json& json, std::size_t position,
                              const std::string& where) {
  using Type = nlohmann::json::value_t;
  const std::string nameless = join(where, ": layer ", position);
  check<FileError>(json.is_object(), nameless, " is not an object");
  KerasLayer layer;
  layer.class_name = text_member(json, "class_name", nameless);
  layer.config = &member(json, "config", Type::object, join(nameless, " (", layer.class_name, ")"));
  // Sequential models name their layers in the configuration only.
  const auto& named = json.contains("name") ? json : *layer.config;
  layer.name = text_member(named, "name", nameless);
  layer.place = join(where, ": ", printable(layer.class_name, 80), " ", in_quotes(layer.name));
  const auto nodes = json.find("inbound_nodes");
  if (nodes != json.end()) layer.nodes = &*nodes;
  return layer;
}

/// The configuration of a layer of Keras, taken apart: what heed's layer has, too, becomes its fields;
/// what says nothing about the numbers that a trained layer gives is left out; anything else has to be
/// off. Throws `OptionError`.
class KerasConfig {
 public:
  /// `keras_2` says that the file is older than Keras 3.
  KerasConfig(const nlohmann::json& fields, bool keras_2) : fields_(fields), keras_2_(keras_2) {}

  /// The fields of heed's layer `L`.
  template <Layer L>
  Config read() const {
    std::vector<std::string_view> known;
    std::apply([&](const auto&... field) { (known.push_back(field.name), ...); }, L::fields());
    Config config;
    for (const auto& [name, value] : fields_.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        check_off(name, value);
      } else {
        add(config, name, value);
      }
    }
    return config;
  }

  /// All fields but those about a layer's name and training, for a layer of somebody's own.
  Config read_all() const {
    Config config;
    for (const auto& [name, value] : fields_.items()) {
      if (!is_common(name)) add(config, name, value);
    }
    return config;
  }

  /// For a layer that heed has in one form only: one field with its value, and all others off.
  void expect_only(std::string_view field = {}, const nlohmann::json& expected = {}) const {
    for (const auto& [name, value] : fields_.items()) {
      if (name != field) {
        check_off(name, value);
      } else {
        check<OptionError>(value == expected, "\"", name, "\" is ", printable(value.dump(), 80),
                           ", and heed has this layer with ", expected.dump(), " only");
      }
    }
  }

 private:
  /// Fields about a layer's name, its training, and how Keras computes it.
  static bool is_common(std::string_view name) {
    constexpr auto fields = std::to_array<std::string_view>(
        {"name", "trainable", "dtype", "batch_input_shape", "implementation", "unroll", "seed",
         "use_cudnn", "dropout", "recurrent_dropout"});
    return std::find(fields.begin(), fields.end(), name) != fields.end() ||
           name.ends_with("_regularizer") || name.ends_with("_constraint") ||
           name.ends_with("_initializer");
  }

  static void check_off(std::string_view name, const nlohmann::json& value) {
    const bool off = value == nullptr || value == false || value == 0 || value.empty() ||
                     (name == "data_format" && value == "channels_last");
    check<OptionError>(off || is_common(name), in_quotes(name), " is ", printable(value.dump(), 80),
                       ", which heed's layer does not have");
  }

  void add(Config& config, const std::string& name, const nlohmann::json& value) const {
    if (value.is_null()) return;
    if (name.ends_with("_initializer")) {
      add_initializer(config, name, value);
    } else if (name == "axes" && value.is_number()) {
      const Index axis = index_from_json(value, name);
      config.emplace_back(name, std::vector<Index>{axis, axis});
    } else {
      check<OptionError>(!keras_2_ || value != "hard_sigmoid", in_quotes(name),
                         " is \"hard_sigmoid\", which before Keras 3 was another function");
      config.emplace_back(name, config_value_from_json(value, name));
    }
  }

  /// A name, or an object with a class. One that heed does not have leaves its layer's own: how weights
  /// began does not matter any more.
  static void add_initializer(Config& config, const std::string& name,
                              const nlohmann::json& value) {
    const auto class_name = value.find("class_name");  // the end of what is no object
    const auto& said = class_name == value.end() ? value : *class_name;
    if (!said.is_string()) return;
    auto known = snake_case(said.get_ref<const std::string&>());
    if (by_name<Initializer>(known)) config.emplace_back(name, std::move(known));
  }

  const nlohmann::json& fields_;
  bool keras_2_;
};

/// The shape of a sample, from `batch_shape` of Keras 3 or `batch_input_shape` of Keras 2. Axes that
/// the file leaves open (None) are taken from `given`, if it has any.
inline std::vector<Index> keras_input_shape(const nlohmann::json& batch, const Shape& given,
                                            const std::string& place) {
  check<FileError>(batch.is_array() && batch.size() > 1, place,
                   " has no shape of a batch axis and at least one other");
  const auto rank = static_cast<Index>(batch.size()) - 1;
  check<FileError>(given.empty() || given.rank() == rank, place, " has ", rank,
                   " axes, and the input_shape given is ", given);
  std::vector<Index> shape;
  for (Index axis = 0; axis < rank; ++axis) {
    const auto& length = batch[static_cast<std::size_t>(axis) + 1];
    if (length.is_null()) {
      check<FileError>(!given.empty(), place, " leaves the length of axis ", axis,
                       " open; heed needs it: load_model(…, {.input_shape = {…}})");
      shape.push_back(given[axis]);
    } else {
      shape.push_back(at_place(place, [&] { return index_from_json(length, "batch_shape"); }));
      check<FileError>(given.empty() || given[axis] == shape.back(), place, " has the length ",
                       shape.back(), " along axis ", axis, ", and the input_shape given is ",
                       given);
    }
  }
  return shape;
}

}  // namespace heed::detail
