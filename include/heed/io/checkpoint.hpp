#pragma once

#include <heed/io/model_file.hpp>
#include <heed/train/fit.hpp>

namespace heed {

namespace detail {

/// JSON has no NaN and no infinity.
inline nlohmann::ordered_json number_to_json(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

inline double number_from_json(const nlohmann::json& json) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (json.is_number()) return json.get<double>();
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (json == "inf") return infinity;
  check<FileError>(json == "-inf", "something is not a number");
  return -infinity;
}

inline nlohmann::ordered_json numbers_to_json(const std::vector<double>& numbers) {
  auto list = nlohmann::ordered_json::array();
  for (const double number : numbers) list.push_back(number_to_json(number));
  return list;
}

inline std::vector<double> numbers_from_json(const nlohmann::json& json) {
  check<FileError>(json.is_array(), "something is not a list of numbers");
  std::vector<double> numbers;
  for (const auto& entry : json) numbers.push_back(number_from_json(entry));
  return numbers;
}

/// `[["loss", 0.5], …]`: in their order, which an object does not keep.
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
                     key, "\" is not a name and what it names");
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
    check<FileError>(std::ssize(columns.back().second) == epochs, "it has a history of ",
                     columns.back().second.size(), " epochs in ", in_quotes(name), ", not of ",
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

/// How a moment or a callback's weights are called among a file's tensors; no weight has such a name.
inline std::string kept_tensor(std::string_view what, std::size_t i) { return join(what, "_", i); }

template <class Scalar>
nlohmann::ordered_json training_to_json(const TrainingSnapshot<Scalar>& made,
                                        const Layout& layout) {
  nlohmann::ordered_json json;
  json["format_version"] = format_version;
  json["terms"] = nlohmann::ordered_json::array();
  for (const auto& [name, text] : made.terms) json["terms"].push_back({name, text});
  json["epoch"] = made.epoch;
  json["step"] = made.step;
  json["stop"] = made.stop;
  json["learning_rate"] = number_to_json(made.learning_rate);
  json["weights"] = nlohmann::ordered_json::array();
  for (const Slot& slot : layout.slots()) json["weights"].push_back(slot.name);
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

/// The numbers of tensors, one behind the other. They are of this very type: another has other bits.
template <class Scalar>
Arena<Scalar> numbers_of_tensors(const Safetensors& file, const std::vector<std::string>& names) {
  std::vector<const SafeTensor*> tensors;
  std::size_t size = 0;
  for (const std::string& name : names) {
    const auto found = file.tensors.find(name);
    check<FileError>(found != file.tensors.end(), "it has no tensor ", in_quotes(name));
    const Dtype& dtype = found->second.dtype;
    check<FileError>(dtype.name == dtype_of<Scalar>().name, "its tensor ", in_quotes(name),
                     " is of ", dtype.name, ", and this training is in ", dtype_of<Scalar>().name);
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

template <class Scalar>
TrainingSnapshot<Scalar> training_from_json(const nlohmann::json& json, const Safetensors& file) {
  using Type = nlohmann::json::value_t;
  const std::string it = "it";
  check<FileError>(json.is_object() && json.contains("format_version") &&
                       json["format_version"] == format_version,
                   "it is not of format_version ", format_version, ", which this heed reads");
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
  made.epoch = count("epoch");
  made.step = count("step");
  made.stop = member(json, "stop", Type::boolean, it).get<bool>();
  check<FileError>(json.contains("learning_rate"), "it has no \"learning_rate\"");
  made.learning_rate = number_from_json(json["learning_rate"]);
  std::vector<std::string> names;
  for (const auto& name : member(json, "weights", Type::array, it)) {
    check<FileError>(name.is_string(), "the name of a weight is not a text");
    names.push_back(name.get<std::string>());
  }
  made.weights = numbers_of_tensors<Scalar>(file, names);
  made.optimizer.learning_rate = made.learning_rate;
  made.optimizer.steps = count("updates");
  const auto moments = static_cast<std::size_t>(count("moments"));
  for (std::size_t i = 0; i < moments; ++i) {
    made.optimizer.moments.push_back(numbers_of_tensors<Scalar>(file, {kept_tensor("moment", i)}));
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

}  // namespace detail

/// A snapshot of a training of this model as the bytes of a safetensors file. It is a file of
/// `save_model` too, from which `load_model` and `load_weights` take the model as it stood, with the
/// tensors `moment_0`, … of the optimizer and `callback_0`, …, and with the metadata `heed_training`,
/// which is all else as JSON. Throws as `save_model` does.
template <class Scalar>
std::vector<std::byte> save_checkpoint(const Model<Scalar>& model,
                                       const TrainingSnapshot<Scalar>& snapshot) {
  const Layout& layout = model.graph().layout();
  std::vector<NamedView<Scalar>> tensors;
  for (const Slot& slot : layout.slots()) {
    tensors.emplace_back(slot.name,
                         View<const Scalar>(snapshot.weights.data() + slot.offset, slot.shape));
  }
  for (std::size_t i = 0; i < snapshot.optimizer.moments.size(); ++i) {
    tensors.emplace_back(detail::kept_tensor("moment", i), snapshot.optimizer.moments[i]);
  }
  for (std::size_t i = 0; i < snapshot.callbacks.size(); ++i) {
    const auto& weights = snapshot.callbacks[i].weights;
    if (weights.size() > 0) tensors.emplace_back(detail::kept_tensor("callback", i), weights);
  }
  const std::string where = join("model \"", model.name(), "\"");
  return format_safetensors<Scalar>(
      tensors, {{"format", std::string(detail::format_name)},
                {std::string(detail::format_name), print_json(model_to_json(model), where)},
                {std::string(detail::training_key),
                 print_json(detail::training_to_json(snapshot, layout), where)}});
}

/// Writes a snapshot to a file, which is replaced as a whole or not at all: see `write_file`.
template <class Scalar>
void save_checkpoint(const Model<Scalar>& model, const TrainingSnapshot<Scalar>& snapshot,
                     const std::filesystem::path& path) {
  write_file(path, save_checkpoint(model, snapshot));
}

/// The snapshot that a file holds. Throws `FileError`, naming the file, for whatever it can be other
/// than a checkpoint of numbers of this type.
template <class Scalar>
TrainingSnapshot<Scalar> load_checkpoint(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Safetensors file = read_safetensors(path);
  const auto text = file.metadata.find(detail::training_key);
  check<FileError>(text != file.metadata.end(), where,
                   " is not a checkpoint: it says nothing of a training");
  const std::string place = where + " cannot be resumed";
  const auto json = parse_json(text->second, place);
  return detail::at_place(place, [&] { return detail::training_from_json<Scalar>(json, file); });
}

template <class Scalar>
struct CheckpointFile {
  std::filesystem::path path;

  /// False when there is none, but a folder for it.
  bool exists() const {
    std::error_code ignored;
    if (std::filesystem::status(path, ignored).type() != std::filesystem::file_type::not_found) {
      return true;
    }
    const auto folder = path.parent_path();
    check<FileError>(folder.empty() || std::filesystem::is_directory(folder, ignored),
                     path.string(), " cannot be read: ", folder.string(), " is not a folder");
    return false;
  }

  TrainingSnapshot<Scalar> read() const { return load_checkpoint<Scalar>(path); }
};

/// Keeps a training in a file, from which `fit` goes on with `.resume_from`, to the same bits as
/// without a stop. Killed at any moment, a training loses the steps since the last checkpoint.
///
///     model.fit(x, y, {…, .callbacks = {Checkpoint{.path = "run.checkpoint"}},
///                      .resume_from = "run.checkpoint"});
///
/// The file holds the weights, the optimizer's state, the place in the epoch with its means so far, the
/// history, and what callbacks such as EarlyStopping remember; `load_model` takes the model from it.
/// It is written when all other callbacks have run, so that its place among them does not matter.
/// Weights that do not give their batch a finite loss are not written: a training that diverges leaves
/// its last good checkpoint.
///
/// A file that cannot be written is a `FileError`, which `fit` throws, unless `on_failure` takes it;
/// then training goes on. Either way the old file stays as it was, and the model keeps its weights. A
/// folder that is not there is found when training begins.
struct Checkpoint {
  std::filesystem::path path;  ///< has to be given
  Index every_epochs = 1;      ///< at their ends, and at the end of training; 0 for none
  Index every_steps = 0;       ///< counted over all epochs; 0 for none
  std::function<void(const FileError&)> on_failure = {};

  /// Throws `OptionError` without a path, and for counts that are negative or both 0.
  template <class Scalar>
  operator Callback<Scalar>() const {  // NOLINT(google-explicit-constructor)
    check<OptionError>(!path.empty(), "Checkpoint: expected a path");
    check<OptionError>(
        every_epochs >= 0 && every_steps >= 0 && every_epochs + every_steps > 0,
        "Checkpoint: expected every_epochs and every_steps of at least 0, and one of "
        "them of at least 1, got ",
        every_epochs, " and ", every_steps);
    Callback<Scalar> callback;
    callback.runs_last = true;
    callback.on_train_begin = [file = CheckpointFile<Scalar>{path}](auto&) { file.exists(); };
    callback.on_batch_end = [*this](TrainingState<Scalar>& state) {
      if (is_due((state.epoch - 1) * state.steps + state.step, every_steps)) save(state);
    };
    callback.on_epoch_end = [*this](TrainingState<Scalar>& state) {
      const bool is_last = state.stop || state.epoch == state.epochs;
      if (is_due(state.epoch, every_epochs) || is_last) save(state);
    };
    return callback;
  }

 private:
  static bool is_due(Index count, Index every) { return every > 0 && count % every == 0; }

  template <class Scalar>
  void save(const TrainingState<Scalar>& state) const {
    const auto snapshot = state.snapshot();
    if (!snapshot) return;
    try {
      save_checkpoint(state.model, *snapshot, path);
    } catch (const FileError& error) {
      if (!on_failure) throw;
      on_failure(error);
    }
  }
};

}  // namespace heed
