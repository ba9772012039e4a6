#pragma once

#include <heed/io/keras_forms.hpp>
#include <heed/io/keras_generations.hpp>
#include <heed/io/keras_json.hpp>
#include <heed/io/model_json.hpp>

namespace heed::detail {

/// Whether a module belongs to Keras, under any of the names it has had.
inline bool is_keras_module(std::string_view module) {
  constexpr auto roots = std::to_array<std::string_view>(
      {"keras", "tf_keras", "keras_core", "tensorflow.keras", "tensorflow.python.keras"});
  return std::any_of(roots.begin(), roots.end(), [&](std::string_view root) {
    return module == root || (module.starts_with(root) && module[root.size()] == '.');
  });
}

/// A layer of a Keras model as described by a file.
struct KerasLayer {
  std::string class_name;
  std::string registered;   ///< the registered name of its class: `mine>Gain`, or the class name
  bool of_keras = true;     ///< false for a custom class, whatever its name
  bool has_module = false;  ///< whether the file names the module; otherwise only the name is known
  std::string name;
  std::string saved_name;  ///< its name in the file, if `name` differs because another layer has it
  bool trains = true;      ///< false if it is in a frozen model
  std::size_t cudnn_gates = 0;       ///< of a CuDNNLSTM or CuDNNGRU, which is read as LSTM or GRU
  std::optional<std::size_t> model;  ///< it is a model: its position in `KerasModel::inside`
  const nlohmann::json* config = nullptr;  ///< the arguments of its constructor
  const nlohmann::json* nodes = nullptr;   ///< `inbound_nodes`: its calls
  std::string place;                       ///< its name in errors: `model.h5: LSTM "encoder"`

  template <class... Pieces>
  void expect(bool condition, const Pieces&... pieces) const {
    check<FileError>(condition, place, pieces...);
  }
};

/// Finds out whether an object's class belongs to Keras. Keras's native format names the module,
/// which is null or a module of the user for a custom class. HDF5 has only the name, with a package
/// in front if the class is registered.
inline void read_keras_class(const nlohmann::json& json, const std::string& place,
                             KerasLayer& layer) {
  layer.registered = text_member(json, "class_name", place);
  const auto text = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto after_package = [](const std::string& name) {
    return name.substr(name.find('>') + 1);
  };
  layer.class_name = after_package(layer.registered);
  const std::string registered = text("registered_name");
  if (registered.find('>') != std::string::npos) layer.registered = registered;
  const bool has_package = layer.registered.find('>') != std::string::npos;
  layer.has_module = json.contains("module");
  layer.of_keras = !has_package && (!layer.has_module || is_keras_module(text("module")));
  if (layer.of_keras && layer.class_name == "CuDNNLSTM") layer.cudnn_gates = 4;
  if (layer.of_keras && layer.class_name == "CuDNNGRU") layer.cudnn_gates = 3;
  if (layer.cudnn_gates > 0) layer.class_name.erase(0, std::string_view("CuDNN").size());
  if (layer.of_keras) layer.class_name = keras_class_now(layer.class_name);
}

inline KerasLayer keras_layer(const nlohmann::json& json, std::size_t position,
                              const std::string& where) {
  using Type = nlohmann::json::value_t;
  const std::string nameless = join(where, ": layer ", position);
  check<FileError>(json.is_object(), nameless, " is not an object");
  KerasLayer layer;
  read_keras_class(json, nameless, layer);
  layer.config = &member(json, "config", Type::object,
                         join(nameless, " (", printable(layer.registered, 80), ")"));
  // Sequential models have the names of layers only in the configuration.
  const auto& named = json.contains("name") ? json : *layer.config;
  layer.saved_name = layer.name = text_member(named, "name", nameless);
  layer.place = join(where, ": ", printable(layer.registered, 80), " ", in_quotes(layer.name));
  const auto nodes = json.find("inbound_nodes");
  if (nodes != json.end()) layer.nodes = &*nodes;
  return layer;
}

/// A value in the form of a field of type `T` of heed's layer: Keras writes what belongs to the only
/// axis of a layer as a list, `"kernel_size": [3]`, and accepts one number for two equal ones.
template <class T>
nlohmann::json keras_form(std::string_view name, const nlohmann::json& value) {
  if constexpr (std::same_as<T, Index> || std::same_as<T, Required<Index>>) {
    if (value.is_array() && value.size() == 1 && value[0].is_number()) return value[0];
  }
  if constexpr (std::convertible_to<T, std::vector<Index>>) {
    constexpr auto pairs = std::to_array<std::string_view>({"axes", "cropping", "padding"});
    const bool is_pair = std::find(pairs.begin(), pairs.end(), name) != pairs.end();
    if (is_pair && value.is_number()) return nlohmann::json::array({value, value});
  }
  return value;
}

/// The configuration of a Keras layer. Fields that heed's layer also has are read. Fields that do
/// not affect the output of a trained layer are ignored. All other fields must be off; otherwise an
/// `OptionError` is thrown.
class KerasConfig {
 public:
  KerasConfig(const nlohmann::json& fields, const KerasVersion& version)
      : fields_(fields), version_(version) {}

  /// The fields of heed's layer `L`, except for some that are read elsewhere.
  template <Layer L>
  Config read(std::initializer_list<std::string_view> elsewhere = {}) const {
    Config config;
    for (const auto& item : fields_.items()) {
      const std::string name = keras_field_now(L::type, item.key());
      if (std::find(elsewhere.begin(), elsewhere.end(), name) != elsewhere.end()) continue;
      const auto& value = keras_value(item.value());
      const auto read_one = [&](const auto& field) {
        if (field.name != name) return false;
        using T = std::remove_cvref_t<decltype(std::declval<L&>().*field.member)>;
        add(config, name, keras_form<T>(name, value));
        return true;
      };
      const bool known =
          std::apply([&](const auto&... field) { return (read_one(field) || ...); }, L::fields());
      if (!known) check_off(name, value);
    }
    return config;
  }

  /// All fields of a custom layer, except those of Keras's class `Layer` and those about training.
  Config read_all() const {
    Config config;
    for (const auto& [name, value] : fields_.items()) {
      if (!is_base(name) && name != "seed") add(config, name, keras_value(value));
    }
    return config;
  }

  /// Whether this cannot be Keras's class of this name, in a file that contains only class names:
  /// it lacks a field that the class has written since Keras 2.3, or has one that `Layer` writes
  /// only for classes without their own configuration.
  bool is_of_another(std::string_view class_name) const {
    if (fields_.contains("autocast")) return true;
    if (!fields_.contains("trainable") || !version_.at_least(2, 3)) return false;  // not Keras's
    constexpr auto written =
        std::to_array<std::pair<std::string_view, const char*>>({{"Concatenate", "axis"},
                                                                 {"Flatten", "data_format"},
                                                                 {"ReLU", "max_value"},
                                                                 {"Softmax", "axis"}});
    return std::any_of(written.begin(), written.end(), [&](const auto& entry) {
      return entry.first == class_name && !fields_.contains(entry.second);
    });
  }

  /// For a layer that heed has only in one form: one field must have this value, all others must be
  /// off.
  void expect_only(std::string_view field = {}, const nlohmann::json& expected = {}) const {
    for (const auto& [name, wrapped] : fields_.items()) {
      const auto& value = keras_value(wrapped);
      if (name != field) {
        check_off(name, value);
      } else {
        check<OptionError>(value == keras_value(expected), "\"", name, "\" is ",
                           printable(value.dump(), 80), ", but heed supports only ",
                           expected.dump());
      }
    }
  }

 private:
  /// Fields that a layer of any class can have. For a class without its own `get_config`, Keras
  /// writes the arguments of its `Layer`.
  static bool is_base(std::string_view name) {
    constexpr auto fields =
        std::to_array<std::string_view>({"name", "trainable", "dtype", "autocast", "dynamic",
                                         "batch_input_shape", "batch_shape", "input_shape"});
    return std::find(fields.begin(), fields.end(), name) != fields.end() ||
           name.ends_with("_regularizer") || name.ends_with("_constraint") ||
           name.ends_with("_initializer");
  }

  /// The same, and fields of Keras's own layers about training and about how Keras computes them.
  static bool is_common(std::string_view name) {
    constexpr auto fields = std::to_array<std::string_view>(
        {"implementation", "unroll", "seed", "use_cudnn", "dropout", "recurrent_dropout",
         "input_length", "noise_shape", "renorm_momentum"});
    return is_base(name) || std::find(fields.begin(), fields.end(), name) != fields.end();
  }

  static void check_off(std::string_view name, const nlohmann::json& value) {
    const bool off = value == nullptr || value == false || value == 0 || value.empty() ||
                     (name == "data_format" && value == "channels_last");
    check<OptionError>(off || is_common(name), in_quotes(name), " is ", printable(value.dump(), 80),
                       ", which heed's layer does not support");
  }

  void add(Config& config, const std::string& name, const nlohmann::json& value) const {
    if (name == "merge_mode" && value.is_null()) {
      config.emplace_back(name, std::string(name_of(MergeMode::none)));
    }
    if (value.is_null()) return;
    if (name.ends_with("_initializer")) {
      add_initializer(config, name, value);
    } else {
      config.emplace_back(name, config_value_from_json(value, name));
      auto* text = std::get_if<std::string>(&config.back().second);
      if (text != nullptr && is_keras_function_field(name)) {
        *text = std::string(keras_function(*text, version_));
      }
    }
  }

  /// A name, or an object with a class. For an initializer that heed does not have, the layer's
  /// default is kept: the initial weights do not matter any more.
  static void add_initializer(Config& config, const std::string& name,
                              const nlohmann::json& value) {
    const auto class_name = value.find("class_name");  // the end if it is not an object
    const auto& said = class_name == value.end() ? value : *class_name;
    if (!said.is_string()) return;
    auto known = snake_case(said.get_ref<const std::string&>());
    if (by_name<Initializer>(known)) config.emplace_back(name, std::move(known));
  }

  const nlohmann::json& fields_;
  KerasVersion version_;
};

/// The shape of a sample, from `batch_shape` of Keras 3 or `batch_input_shape` of Keras 2. Axes
/// that the file leaves open (None) have the lengths in `given`, or any length if `given` is empty.
inline std::vector<Index> keras_input_shape(const nlohmann::json& batch, const Shape& given,
                                            const std::string& place) {
  check<FileError>(batch.is_array() && batch.size() > 1, place,
                   " has no shape with a batch axis and at least one other axis");
  const auto rank = static_cast<Index>(batch.size()) - 1;
  check<FileError>(given.empty() || given.rank() == rank, place, " has ", rank,
                   " axes, but the given input_shape is ", given);
  std::vector<Index> shape;
  for (Index axis = 0; axis < rank; ++axis) {
    const auto& length = batch[static_cast<std::size_t>(axis) + 1];
    if (length.is_null()) {
      shape.push_back(given.empty() ? any : given[axis]);
    } else {
      shape.push_back(at_place(place, [&] { return index_from_json(length, "batch_shape"); }));
      check<FileError>(shape.back() >= 0, place, " has an axis of length ", shape.back());
      check<FileError>(given.empty() || given[axis] == shape.back(), place, " has the length ",
                       shape.back(), " along axis ", axis, ", but the given input_shape is ",
                       given);
    }
  }
  return shape;
}

}  // namespace heed::detail
