#pragma once

#include <charconv>

#include <heed/io/json.hpp>
#include <heed/layers/config.hpp>
#include <heed/math/activation_function.hpp>

// Names in a file can have different meanings, depending on the versions of Keras that wrote and
// read it. This is the only list of the differences that affect heed's layers; `load_model`,
// `load_weights` and `save_model` use it.

namespace heed::detail {

/// The version of Keras that wrote a file: `2.2.4-tf`, `3.0.0`. Files from before Keras 1.2 do not
/// name it.
class KerasVersion {
 public:
  KerasVersion() = default;
  explicit KerasVersion(std::string_view text) {
    const char* end = text.data() + text.size();
    const auto [after_major, error] = std::from_chars(text.data(), end, major_);
    if (error != std::errc() || after_major == end || *after_major != '.') return;
    std::from_chars(after_major + 1, end, minor_);
  }

  bool at_least(int major, int minor = 0) const {
    return std::pair(major_, minor_) >= std::pair(major, minor);
  }

 private:
  int major_ = 0, minor_ = 0;
};

/// A name of an activation function in files that is not that of the same function in heed, at least
/// before Keras 3. All functions were compared in Keras 2.12, tf_keras 2.21, Keras 3.1 and 3.15.
struct KerasFunction {
  std::string_view name;
  ActivationFunction before_3, since_3;
};
inline constexpr auto keras_functions = std::to_array<KerasFunction>({
    {"hard_sigmoid", ActivationFunction::hard_sigmoid_keras_2, ActivationFunction::hard_sigmoid},
    {"hard_swish", ActivationFunction::hard_silu, ActivationFunction::hard_silu},
    {"log_softmax_v2", ActivationFunction::log_softmax, ActivationFunction::log_softmax},
    {"swish", ActivationFunction::silu, ActivationFunction::silu},
});

/// Whether a field of a layer of Keras is an activation function.
inline bool is_keras_function_field(std::string_view field) {
  return field == "activation" || field.ends_with("_activation");
}

/// heed's name of a function that a file calls `name`.
inline std::string_view keras_function(std::string_view name, const KerasVersion& version) {
  for (const KerasFunction& function : keras_functions) {
    if (function.name == name) {
      return name_of(version.at_least(3) ? function.since_3 : function.before_3);
    }
  }
  return name;
}

/// The function in a layer's field for which Keras has another formula under the same name before
/// version 3; if there is none, null.
inline const KerasFunction* keras_difference(const ConfigValue& value) {
  const auto* name = std::get_if<std::string>(&value);
  for (const KerasFunction& function : keras_functions) {
    if (function.before_3 == function.since_3 || name == nullptr) continue;
    if (*name == name_of(function.before_3) || *name == name_of(function.since_3)) return &function;
  }
  return nullptr;
}

/// Whether Keras before version 3 would compute something else from a file with this layer.
inline bool is_of_keras_3(const Config& config) {
  return std::any_of(config.begin(), config.end(), [](const auto& field) {
    const auto* inner = std::get_if<LayerConfig>(&field.second);
    return keras_difference(field.second) != nullptr ||
           (inner != nullptr && is_of_keras_3(inner->config));
  });
}

/// Throws `OptionError` unless a field of heed's layer has the meaning that it has in the version of
/// Keras that wrote a file of weights. Which version that was may not be known: then the field must
/// have the meaning that it has before Keras 3.
inline void check_keras_meaning(std::string_view field, const ConfigValue& value,
                                const KerasVersion& version) {
  if (const auto* inner = std::get_if<LayerConfig>(&value)) {
    for (const auto& [name, held] : inner->config) check_keras_meaning(name, held, version);
  }
  const KerasFunction* function = keras_difference(value);
  if (function == nullptr) return;
  const auto expected = name_of(version.at_least(3) ? function->since_3 : function->before_3);
  check<OptionError>(value == ConfigValue(std::string(expected)), in_quotes(field), " is \"",
                     std::get<std::string>(value), "\", and what Keras calls ", function->name,
                     version.at_least(3) ? " since version 3" : " before version 3",
                     " is Activation::", expected);
}

/// Throws `OptionError` for a function that Keras 3 does not have.
inline void check_keras_has(std::string_view field, const ConfigValue& value) {
  for (const KerasFunction& function : keras_functions) {
    check<OptionError>(function.before_3 == function.since_3 ||
                           value != ConfigValue(std::string(name_of(function.before_3))),
                       in_quotes(field), " is ", function.before_3,
                       ", which Keras 3 does not have: what it calls ", function.name,
                       " is Activation::", function.since_3);
  }
}

}  // namespace heed::detail
