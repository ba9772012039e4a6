#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include <heed/layers/config.hpp>
#include <heed/math/finite.hpp>

namespace heed {

namespace detail {

/// A text from a file, shortened and without control characters, for a message.
inline std::string printable(std::string_view text, std::size_t most = 1000) {
  std::size_t length = (std::min)(text.size(), most);
  while (length < text.size() && length > 0 && (text[length] & 0xC0) == 0x80) --length;
  std::string result(text.substr(0, length));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return length < text.size() ? result + "…" : result;
}

inline std::string in_quotes(std::string_view name) {
  return join("\"", printable(name, 80), "\"");
}

/// `"rnn", "head"`; the first nine if there are more.
template <class Names>
std::string quoted_list(const Names& names) {
  std::string text;
  std::size_t count = 0;
  for (const auto& name : names) {
    if (++count == 10) return join(text, " and ", names.size() - 9, " more");
    text += join(text.empty() ? "" : ", ", in_quotes(name));
  }
  return text;
}

/// Builds a value from the events of nlohmann's parser. Unlike that parser, it rejects a key that
/// occurs twice in an object, and lists that are nested without limit.
class StrictJson final : public nlohmann::json_sax<nlohmann::json> {
 public:
  using Json = nlohmann::json;

  StrictJson(std::string_view where, std::size_t most_levels)
      : where_(where), most_levels_(most_levels) {}

  Json root;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not possible in JSON text
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [entry, is_new] = open_.back()->emplace(name, nullptr);
    check<FileError>(is_new, where_, " says ", in_quotes(name), " twice");
    member_ = &*entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    throw FileError(join(where_, " is not JSON at byte ", position));
  }

 private:
  /// Adds a value to the open list, to the last key, or as the whole document.
  Json* place(Json value) {
    if (open_.empty()) return &(root = std::move(value));
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    return &(*member_ = std::move(value));
  }

  bool put(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json empty) {
    check<FileError>(open_.size() < most_levels_, where_, " is nested deeper than ", most_levels_,
                     " levels");
    open_.push_back(place(std::move(empty)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string where_;
  std::size_t most_levels_;
  std::vector<Json*> open_;
  Json* member_ = nullptr;
};

/// The levels of JSON that a model of heed needs at most. There is a limit because copying and
/// printing a value are recursive.
inline constexpr std::size_t json_levels = 16;

}  // namespace detail

/// Parses JSON. Throws `FileError`, which begins with `where`, for a text that is not JSON, for a
/// key that occurs twice in an object, and for more than `most_levels` levels of nesting.
inline nlohmann::json parse_json(std::string_view text, std::string_view where,
                                 std::size_t most_levels = detail::json_levels) {
  // nlohmann treats a zero byte as the end of the text.
  const std::size_t zero = text.find('\0');
  check<FileError>(zero == std::string_view::npos, where, " is not JSON at byte ", zero + 1);
  detail::StrictJson handler(where, most_levels);
  nlohmann::json::sax_parse(text.begin(), text.end(), &handler);
  return std::move(handler.root);
}

/// JSON as text. Throws `FileError` if a name or text in it is not UTF-8.
template <class Json>
std::string print_json(const Json& json, std::string_view where) {
  try {
    return json.dump();
  } catch (const nlohmann::json::type_error&) {
    throw FileError(join(where, " contains text that is not UTF-8"));
  }
}

/// A layer's fields as a JSON object, in their order. An inner layer is written as
/// `{"type": …, "config": {…}}`. Throws `OptionError` for a number that is not finite.
inline nlohmann::ordered_json config_to_json(const Config& config) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : config) {
    if (const auto* number = std::get_if<double>(&value)) {
      check<OptionError>(is_finite(*number), "\"", name, "\" is ", *number,
                         ", which JSON cannot represent");
    }
    if (const auto* layer = std::get_if<LayerConfig>(&value)) {
      json[name] = {{"type", layer->type}, {"config", config_to_json(layer->config)}};
      continue;
    }
    const auto put = [&, &key = name](const auto& held) {
      if constexpr (!std::same_as<decltype(held), const LayerConfig&>) json[key] = held;
    };
    std::visit(put, value);
  }
  return json;
}

inline Config config_from_json(const nlohmann::json& json);

namespace detail {

inline Index index_from_json(const nlohmann::json& json, std::string_view field) {
  const bool fits = json.is_number_unsigned() ? std::in_range<Index>(json.get<std::uint64_t>())
                                              : json.is_number_integer() &&
                                                    std::in_range<Index>(json.get<std::int64_t>());
  check<OptionError>(fits, in_quotes(field),
                     " contains a number that is not whole or is too large");
  return json.get<Index>();
}

inline ConfigValue config_value_from_json(const nlohmann::json& json, std::string_view field) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_number()) return index_from_json(json, field);
  if (json.is_string()) return json.get<std::string>();
  if (json.is_object()) {
    const auto type = json.find("type"), config = json.find("config");
    check<OptionError>(type != json.end() && type->is_string() && config != json.end(), "expected ",
                       in_quotes(field), " to be a layer, with a \"type\" and a \"config\"");
    return LayerConfig{type->get<std::string>(), config_from_json(*config)};
  }
  check<OptionError>(json.is_array(), "expected ", in_quotes(field),
                     " to be a truth value, a number, a text, a list of numbers or a layer, got ",
                     json.type_name());
  std::vector<Index> list;
  for (const auto& entry : json) list.push_back(index_from_json(entry, field));
  return list;
}

}  // namespace detail

/// The fields in a JSON object. Throws `OptionError` for a value that a field cannot have.
inline Config config_from_json(const nlohmann::json& json) {
  check<OptionError>(json.is_object(), "expected \"config\" to be an object, got ",
                     json.type_name());
  Config config;
  for (const auto& [name, value] : json.items()) {
    config.emplace_back(name, detail::config_value_from_json(value, name));
  }
  return config;
}

}  // namespace heed
