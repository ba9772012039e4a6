#pragma once

#include <heed/io/json.hpp>

// JSON as Python and numpy write it.

namespace heed::detail {

/// Python writes numbers that are not finite as `NaN`, `Infinity` and `-Infinity`, which JSON does
/// not have. They are converted to strings: an ignored field may contain one, and an error about a
/// required field shows it.
inline std::string without_python_numbers(std::string_view text) {
  std::string result;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t taken = 1;
    if (in_text && text[i] == '\\') {
      taken = std::min<std::size_t>(2, text.size() - i);
    } else if (text[i] == '"') {
      in_text = !in_text;
    } else if (!in_text) {
      for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
        if (!text.substr(i).starts_with(word)) continue;
        result += join("\"", word, "\"");
        i += word.size();
        taken = 0;
        break;
      }
    }
    result += text.substr(i, taken);
    i += taken;
  }
  return result;
}

/// A model takes about 12 levels, and three more for each model around it.
inline constexpr std::size_t keras_json_levels = 40;

/// Parses the JSON of a Keras file. Throws as `parse_json` does.
inline nlohmann::json parse_keras_json(std::string_view text, std::string_view where) {
  return parse_json(without_python_numbers(text), where, keras_json_levels);
}

/// A field's value without the object that Keras writes for numpy's numbers:
/// `{"type": "ndarray", "value": 0.0}` in Keras 2,
/// `{"class_name": "__numpy__", "config": {"value": [0.0], …}}` in Keras 3.
inline const nlohmann::json& keras_value(const nlohmann::json& json) {
  if (!json.is_object()) return json;
  const auto type = json.find("type");
  const auto value = json.find("value");
  if (type != json.end() && *type == "ndarray" && value != json.end()) return *value;
  const auto class_name = json.find("class_name");
  const auto config = json.find("config");
  if (class_name == json.end() || config == json.end() || !config->is_object()) return json;
  if (*class_name != "__numpy__" && *class_name != "__tensor__") return json;
  const auto inner = config->find("value");
  return inner == config->end() ? json : *inner;
}

}  // namespace heed::detail
