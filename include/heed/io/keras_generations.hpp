#pragma once

#include <charconv>

#include <heed/io/json.hpp>
#include <heed/math/activation.hpp>

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

/// An activation function that had the same name but another formula before Keras 3. All of heed's
/// functions were compared in Keras 2.12, tf_keras 2.21, Keras 3.0 and 3.15.
struct KerasDifference {
  ActivationFunction function;
  std::string_view before_3;
};
inline constexpr auto keras_differences = std::to_array<KerasDifference>(
    {{ActivationFunction::hard_sigmoid, "min(max(0.2 x + 0.5, 0), 1)"}});

/// The difference that affects this value of a layer's field, or null.
inline const KerasDifference* keras_difference(const ConfigValue& value) {
  const auto* name = std::get_if<std::string>(&value);
  for (const KerasDifference& difference : keras_differences) {
    if (name != nullptr && *name == name_of(difference.function)) return &difference;
  }
  return nullptr;
}

/// The same for a whole layer.
inline const KerasDifference* keras_difference(const Config& config) {
  for (const auto& [name, value] : config) {
    if (const auto* difference = keras_difference(value)) return difference;
  }
  return nullptr;
}

/// Throws `OptionError` for a field that had another meaning in the version of Keras that wrote the
/// file. Only fields with an activation function have such values.
inline void check_keras_meaning(std::string_view field, const ConfigValue& value,
                                const KerasVersion& version) {
  const KerasDifference* difference = keras_difference(value);
  check<OptionError>(difference == nullptr || version.at_least(3), in_quotes(field), " is \"",
                     difference == nullptr ? "" : name_of(difference->function),
                     "\", which before Keras 3 was another function: ",
                     difference == nullptr ? "" : difference->before_3);
}

}  // namespace heed::detail
