#pragma once

#include <set>

#include <heed/io/model_file.hpp>
#include <heed/train/snapshot.hpp>

namespace heed::detail {

/// JSON has no NaN and no infinity.
inline nlohmann::ordered_json number_to_json(double value) {
  if (is_finite(value)) return value;
  return !is_number(value) ? "nan" : std::signbit(value) ? "-inf" : "inf";
}

inline double number_from_json(const nlohmann::json& json) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (json.is_number()) return json.get<double>();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (json == "inf") return infinity;
  check<FileError>(json == "-inf", "a value is not a number");
  return -infinity;
}

inline nlohmann::ordered_json numbers_to_json(const std::vector<double>& numbers) {
  auto list = nlohmann::ordered_json::array();
  for (const double number : numbers) list.push_back(number_to_json(number));
  return list;
}

inline std::vector<double> numbers_from_json(const nlohmann::json& json) {
  check<FileError>(json.is_array(), "a value is not a list of numbers");
  std::vector<double> numbers;
  for (const auto& entry : json) numbers.push_back(number_from_json(entry));
  return numbers;
}

/// `[["loss", 0.5], …]`: a list, because an object does not keep the order.
inline nlohmann::ordered_json logs_to_json(const Logs& logs) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& [name, value] : logs) list.push_back({name, number_to_json(value)});
  return list;
}

/// Calls `take(name, value)` for each pair of a list.
template <class Take>
void for_each_pair(const nlohmann::json& json, const char* key, const Take& take) {
  for (const auto& pair : member(json, key, nlohmann::json::value_t::array, "it")) {
    check<FileError>(pair.is_array() && pair.size() == 2 && pair[0].is_string(), "an entry of \"",
                     key, "\" is not a pair of a name and a value");
    take(pair[0].get_ref<const std::string&>(), pair[1]);
  }
}

inline Logs logs_from_json(const nlohmann::json& json, const char* key) {
  Logs logs;
  for_each_pair(json, key, [&](const std::string& name, const nlohmann::json& value) {
    logs.set(name, number_from_json(value));
  });
  return logs;
}

inline History history_from_json(const nlohmann::json& json, Index epochs) {
  std::vector<History::Column> columns;
  for_each_pair(json, "history", [&](const std::string& name, const nlohmann::json& values) {
    columns.emplace_back(name, numbers_from_json(values));
    check<FileError>(std::ssize(columns.back().second) == epochs, "its history has ",
                     columns.back().second.size(), " epochs in ", in_quotes(name), ", expected ",
                     epochs);
  });
  History history;
  for (Index epoch = 0; epoch < epochs && !columns.empty(); ++epoch) {
    Logs logs;
    for (const auto& [name, values] : columns) {
      logs.set(name, values[static_cast<std::size_t>(epoch)]);
    }
    history.append(logs);
  }
  return history;
}

/// The name of a moment, of a callback's weights or of states among a file's tensors. No weight has
/// such a name.
inline std::string kept_tensor(std::string_view what, std::size_t i) { return join(what, "_", i); }

template <class Scalar>
nlohmann::ordered_json training_to_json(const TrainingSnapshot<Scalar>& made,
                                        const Layout& layout) {
  nlohmann::ordered_json json;
  json["format_version"] = format_version;
  json["terms"] = nlohmann::ordered_json::array();
  for (const auto& [name, text] : made.terms) json["terms"].push_back({name, text});
  json["trained_before"] = {{"epochs", made.before.epochs}, {"updates", made.before.updates}};
  json["epoch"] = made.epoch;
  json["step"] = made.step;
  json["stop"] = made.stop;
  json["learning_rate"] = number_to_json(made.learning_rate);
  json["weights"] = nlohmann::ordered_json::array();
  for (const Slot& slot : layout.all_slots()) json["weights"].push_back(slot.name);
  json["updates"] = made.optimizer.steps;
  json["moments"] = made.optimizer.moments.size();
  json["history"] = nlohmann::ordered_json::array();
  for (const auto& [name, values] : made.history) {
    json["history"].push_back({name, numbers_to_json(values)});
  }
  json["logs"] = logs_to_json(made.logs);
  json["samples"] = made.samples;
  json["sums"] = numbers_to_json(made.sums);
  json["callbacks"] = nlohmann::ordered_json::array();
  for (const auto& memory : made.callbacks) {
    json["callbacks"].push_back({{"name", memory.name}, {"numbers", logs_to_json(memory.numbers)}});
  }
  return json;
}

/// The numbers of tensors, one after the other. The tensors must have this scalar type, so that no
/// bits change.
template <class Scalar>
Arena<Scalar> numbers_of_tensors(const Safetensors& file, const std::vector<std::string>& names) {
  std::vector<const SafeTensor*> tensors;
  std::size_t size = 0;
  for (const std::string& name : names) {
    const auto found = file.tensors.find(name);
    check<FileError>(found != file.tensors.end(), "it has no tensor ", in_quotes(name));
    const Dtype& dtype = found->second.dtype;
    check<FileError>(dtype.name == dtype_of<Scalar>().name, "its tensor ", in_quotes(name),
                     " is of ", dtype.name, "; this training uses ", dtype_of<Scalar>().name);
    tensors.push_back(&found->second);
    size += found->second.bytes.size() / sizeof(Scalar);
  }
  Arena<Scalar> numbers(Shape{static_cast<Index>(size)});
  std::size_t next = 0;
  for (const SafeTensor* tensor : tensors) {
    const std::size_t count = tensor->bytes.size() / sizeof(Scalar);
    decode(tensor->dtype, tensor->bytes, numbers.values().subspan(next, count));
    next += count;
  }
  return numbers;
}

inline std::uint64_t unsigned_member(const nlohmann::json& json, const char* key) {
  check<FileError>(json.contains(key) && json[key].is_number_unsigned(), "\"", key,
                   "\" is not a whole number of 0 or more");
  return json[key].get<std::uint64_t>();
}

template <class Scalar>
TrainingSnapshot<Scalar> training_from_json(const nlohmann::json& json, const Safetensors& file) {
  using Type = nlohmann::json::value_t;
  const std::string it = "it";
  check<FileError>(json.is_object() && json.contains("format_version") &&
                       json["format_version"] == format_version,
                   "it does not have format_version ", format_version,
                   ", the only one that this version of heed reads");
  const auto count = [&](const char* key) {
    check<FileError>(json.contains(key), "it has no ", in_quotes(key));
    const Index number = index_from_json(json[key], key);
    check<FileError>(number >= 0, "\"", key, "\" is ", number);
    return number;
  };
  TrainingSnapshot<Scalar> made;
  for_each_pair(json, "terms", [&](const std::string& name, const nlohmann::json& text) {
    check<FileError>(text.is_string(), "the term ", in_quotes(name), " is not a text");
    made.terms.emplace_back(name, text.get<std::string>());
  });
  if (json.contains("trained_before")) {
    const auto& before = member(json, "trained_before", Type::object, it);
    made.before = {unsigned_member(before, "epochs"), unsigned_member(before, "updates")};
  }
  made.epoch = count("epoch");
  made.step = count("step");
  made.stop = member(json, "stop", Type::boolean, it).get<bool>();
  check<FileError>(json.contains("learning_rate"), "it has no \"learning_rate\"");
  made.learning_rate = number_from_json(json["learning_rate"]);
  std::vector<std::string> names;
  std::set<std::string> known;  // repeated names would take unlimited memory
  for (const auto& name : member(json, "weights", Type::array, it)) {
    check<FileError>(name.is_string(), "the name of a weight is not a text");
    names.push_back(name.get<std::string>());
    check<FileError>(known.insert(names.back()).second, "it names the weight ",
                     in_quotes(names.back()), " twice");
  }
  made.weights = numbers_of_tensors<Scalar>(file, names);
  made.optimizer.learning_rate = made.learning_rate;
  made.optimizer.steps = count("updates");
  const auto moments = static_cast<std::size_t>(count("moments"));
  for (std::size_t i = 0; i < moments; ++i) {
    made.optimizer.moments.push_back(numbers_of_tensors<Scalar>(file, {kept_tensor("moment", i)}));
  }
  if (const std::string name = kept_tensor("states", 0); file.tensors.contains(name)) {
    made.states = numbers_of_tensors<Scalar>(file, {name});
  }
  made.history = history_from_json(json, made.epoch);
  made.logs = logs_from_json(json, "logs");
  made.samples = count("samples");
  made.sums = numbers_from_json(member(json, "sums", Type::array, it));
  for (const auto& entry : member(json, "callbacks", Type::array, it)) {
    check<FileError>(entry.is_object(), "the memory of a callback is not an object");
    auto& memory = made.callbacks.emplace_back();
    memory.name = text_member(entry, "name", it);
    memory.numbers = logs_from_json(entry, "numbers");
    const std::string name = kept_tensor("callback", made.callbacks.size() - 1);
    if (file.tensors.contains(name)) memory.weights = numbers_of_tensors<Scalar>(file, {name});
  }
  return made;
}

}  // namespace heed::detail
