#pragma once

#include <algorithm>
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <heed/math/names.hpp>
#include <heed/tensor/shape.hpp>

namespace heed {

/// A field of a layer without a default. If it is not set, the program does not compile.
template <class T>
struct Required {
  T value;

  constexpr Required(T given)  // NOLINT(google-explicit-constructor): fields are set by value
      : value(std::move(given)) {}
  /// Lists are written in braces: `.dims = {2, 1}`.
  template <class Entry>
  constexpr Required(std::initializer_list<Entry> given) requires
      std::constructible_from<T, const Entry*, const Entry*> : value(given.begin(), given.end()) {}
  constexpr operator const T&() const { return value; }  // NOLINT(google-explicit-constructor)
  /// Numbers and enumerations are compared directly: `layer.units == 32`.
  bool operator==(const Required&) const requires(std::is_class_v<T>) = default;
};

struct LayerConfig;

/// The value of a field, independent of its C++ type, as JSON can represent it. An enumeration is
/// its Keras name; an inner layer is its type and its fields.
using ConfigValue = std::variant<bool, Index, double, std::string, std::vector<Index>, LayerConfig>;

/// The fields of a layer by name, in the order of declaration.
using Config = std::vector<std::pair<std::string, ConfigValue>>;

/// A layer inside another layer: the `layer` of a `TimeDistributed`.
struct LayerConfig {
  std::string type;
  Config config;

  friend bool operator==(const LayerConfig& a, const LayerConfig& b);
};

inline bool operator==(const LayerConfig& a, const LayerConfig& b) {
  return a.type == b.type && a.config == b.config;
}

/// One field of a layer: its Keras name and its member. A layer lists its fields once, in
/// `fields()`; this list is used to save, load and compare it.
template <class Layer, class T>
struct Field {
  std::string_view name;
  T Layer::*member;
};

template <class Layer, class T>
constexpr Field<Layer, T> field(std::string_view name, T Layer::*member) {
  return {name, member};
}

template <class Layer>
Config get_config(const Layer& layer);
template <class Layer>
Layer from_config(const Config& config);

namespace detail {

/// A field that is a layer. Like a `Required` field, it must be set.
template <class T>
concept LayerField = requires {
  T::type;
  T::fields();
};

template <class T>
ConfigValue to_config(const T& value) {
  if constexpr (Named<T>) {
    return std::string(name_of(value));
  } else if constexpr (LayerField<T>) {
    return LayerConfig{std::string(T::type), get_config(value)};
  } else {
    return value;
  }
}

template <class T>
ConfigValue to_config(const Required<T>& required) {
  return to_config(required.value);
}

inline void append(Config& config, std::string_view name, ConfigValue value) {
  config.emplace_back(name, std::move(value));
}

template <class T>
void from_config(std::string_view name, const ConfigValue& value, T& field) {
  if constexpr (Named<T>) {
    const auto* text = std::get_if<std::string>(&value);
    check<OptionError>(text != nullptr, "expected \"", name, "\" to be a name");
    const auto known = by_name<T>(*text);
    check<OptionError>(known.has_value(), "\"", name, "\" cannot be \"", *text, "\"");
    field = *known;
  } else if constexpr (LayerField<T>) {
    const auto* held = std::get_if<LayerConfig>(&value);
    check<OptionError>(held != nullptr, "expected \"", name, "\" to be a layer");
    check<OptionError>(held->type == T::type, "expected \"", name, "\" to be of the type ", T::type,
                       ", got \"", held->type, "\"");
    field = heed::from_config<T>(held->config);
  } else {
    if constexpr (std::same_as<T, double>) {
      if (const auto* whole = std::get_if<Index>(&value)) {
        field = static_cast<double>(*whole);
        return;
      }
    }
    if constexpr (std::same_as<T, std::vector<Index>>) {
      // A number is a list of one, as in Keras.
      if (const auto* one = std::get_if<Index>(&value)) {
        field = {*one};
        return;
      }
    }
    const auto* held = std::get_if<T>(&value);
    check<OptionError>(held != nullptr, "\"", name, "\" has a value of the wrong type");
    field = *held;
  }
}

template <class T>
void from_config(std::string_view name, const ConfigValue& value, Required<T>& field) {
  from_config(name, value, field.value);
}

template <class Layer, class... Blanks>
Layer blank(Blanks... blanks);

/// A placeholder for a required field until its value has been read.
struct Blank {
  template <class T>
  operator Required<T>() const {  // NOLINT(google-explicit-constructor)
    return Required<T>(T{});
  }
  template <LayerField T>
  operator T() const {  // NOLINT(google-explicit-constructor)
    return blank<T>();
  }
};

/// A layer with default values; the required fields, which come first, are blank.
template <class Layer, class... Blanks>
Layer blank(Blanks... blanks) {
  if constexpr (requires { Layer{blanks...}; }) {
    return Layer{blanks...};
  } else {
    return blank<Layer>(blanks..., Blank{});
  }
}

template <class T>
inline constexpr bool is_required = LayerField<T>;
template <class T>
inline constexpr bool is_required<Required<T>> = true;

}  // namespace detail

/// The fields of a layer as values.
template <class Layer>
Config get_config(const Layer& layer) {
  Config config;
  std::apply(
      [&](const auto&... field) {
        (detail::append(config, field.name, detail::to_config(layer.*field.member)), ...);
      },
      Layer::fields());
  return config;
}

/// Makes a layer from its fields; missing fields keep their defaults. Throws `OptionError` for a
/// missing required field, an unknown name, or a value of the wrong type.
template <class Layer>
Layer from_config(const Config& config) {
  Layer layer = detail::blank<Layer>();
  const auto fields = Layer::fields();
  const auto find = [&](std::string_view name) {
    return std::find_if(config.begin(), config.end(),
                        [&](auto& entry) { return entry.first == name; });
  };
  const auto read = [&](const auto& field) {
    const auto entry = find(field.name);
    if (entry != config.end()) {
      detail::from_config(field.name, entry->second, layer.*field.member);
    } else {
      using T = std::remove_cvref_t<decltype(layer.*field.member)>;
      check<OptionError>(!detail::is_required<T>, Layer::type, " needs \"", field.name, "\"");
    }
  };
  std::apply([&](const auto&... field) { (read(field), ...); }, fields);
  for (const auto& entry : config) {
    const auto has = [&](const auto&... field) { return ((field.name == entry.first) || ...); };
    check<OptionError>(std::apply(has, fields), Layer::type, " has no field \"", entry.first, "\"");
  }
  return layer;
}

}  // namespace heed
