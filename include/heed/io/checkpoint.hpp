#pragma once

#include <heed/io/checkpoint_json.hpp>
#include <heed/train/fit.hpp>

namespace heed {

namespace detail {

inline std::string checksum_text(std::uint64_t sum, const Metadata& metadata) {
  for (const auto& [key, text] : metadata) {
    if (key == checksum_key) continue;
    for (const char c : key + text) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return to_text(sum);
}

/// Of all that a checkpoint holds: its numbers, and its texts, which are its metadata.
template <class Scalar>
std::string checkpoint_checksum(const TrainingSnapshot<Scalar>& snapshot,
                                const Metadata& metadata) {
  std::uint64_t sum = checksum<Scalar>(snapshot.weights);
  for (const auto& moment : snapshot.optimizer.moments) sum = checksum<Scalar>(moment, sum);
  for (const auto& memory : snapshot.callbacks) {
    if (memory.weights.size() > 0) sum = checksum<Scalar>(memory.weights, sum);
  }
  if (snapshot.states.size() > 0) sum = checksum<Scalar>(snapshot.states, sum);
  return checksum_text(sum, metadata);
}

/// The same of a file, whose tensors are all of `Scalar`, before anything is made of what it says.
template <class Scalar>
std::string checkpoint_checksum(const Safetensors& file, const Metadata& metadata) {
  std::vector<std::span<const std::byte>> parts;
  for (const auto& [name, tensor] : file.tensors) parts.push_back(tensor.bytes);
  std::sort(parts.begin(), parts.end(),
            [](const auto& a, const auto& b) { return a.data() < b.data(); });
  std::vector<Scalar> numbers(4096);
  std::uint64_t sum = checksum<Scalar>({numbers.data(), Shape{0}});
  for (std::span<const std::byte> part : parts) {
    while (!part.empty()) {
      const auto count = (std::min)(numbers.size(), part.size() / sizeof(Scalar));
      decode(dtype_of<Scalar>(), part, std::span(numbers).first(count));
      sum = checksum<Scalar>({numbers.data(), Shape{static_cast<Index>(count)}}, sum);
      part = part.subspan(count * sizeof(Scalar));
    }
  }
  return checksum_text(sum, metadata);
}

/// Throws `FileError` unless a file is a checkpoint of this type, as it was written.
template <class Scalar>
void check_checksum(const Safetensors& file, std::string_view where, const std::string& place) {
  check<FileError>(file.metadata.contains(training_key), where,
                   " is not a checkpoint: it says nothing of a training");
  for (const auto& [name, tensor] : file.tensors) {
    check<FileError>(tensor.dtype == dtype_of<Scalar>(), place, ": its tensor ", in_quotes(name),
                     " is of ", tensor.dtype.name, ", and this training is in ",
                     dtype_of<Scalar>().name);
  }
  const auto said = file.metadata.find(checksum_key);
  check<FileError>(said != file.metadata.end() &&
                       said->second == checkpoint_checksum<Scalar>(file, file.metadata),
                   place, ": it is damaged, or was changed: its checksum is that of other content");
}

}  // namespace detail

/// A snapshot of a training of this model as the bytes of a safetensors file. It is a file of
/// `save_model` too, from which `load_model` and `load_weights` take the model as it stood, with the
/// tensors `moment_0`, … of the optimizer and `callback_0`, …, and with the metadata `heed_training`,
/// which is all else as JSON, and `heed_checksum`. Throws as `save_model` does, and `ShapeError` for a
/// snapshot of another number of weights.
template <class Scalar>
std::vector<std::byte> save_checkpoint(const Model<Scalar>& model,
                                       const TrainingSnapshot<Scalar>& snapshot) {
  const Layout& layout = model.graph().layout();
  check<ShapeError>(snapshot.weights.size() == layout.size(), "model \"", model.name(),
                    "\": expected a snapshot of ", layout.size(), " weights, got ",
                    snapshot.weights.size());
  std::vector<NamedView<Scalar>> tensors;
  for (const Slot& slot : layout.all_slots()) {
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
  if (snapshot.states.size() > 0) {
    tensors.emplace_back(detail::kept_tensor("states", 0), snapshot.states);
  }
  const std::string where = join("model \"", model.name(), "\"");
  Metadata metadata{{"format", std::string(detail::format_name)},
                    {std::string(detail::format_name), print_json(model_to_json(model), where)},
                    {std::string(detail::training_key),
                     print_json(detail::training_to_json(snapshot, layout), where)}};
  metadata.emplace(detail::checksum_key, detail::checkpoint_checksum(snapshot, metadata));
  return format_safetensors<Scalar>(tensors, metadata);
}

/// Writes a snapshot to a file, which is replaced as a whole or not at all: see `write_file`.
template <class Scalar>
void save_checkpoint(const Model<Scalar>& model, const TrainingSnapshot<Scalar>& snapshot,
                     const std::filesystem::path& path) {
  write_file(path, save_checkpoint(model, snapshot));
}

/// The snapshot that a file's bytes hold. Throws `FileError`, which begins with `where`, for whatever
/// they can be other than a checkpoint of numbers of this type, and for one whose checksum is not that
/// of what it holds.
template <class Scalar>
TrainingSnapshot<Scalar> load_checkpoint(std::span<const std::byte> bytes,
                                         std::string_view where = "memory") {
  const Safetensors file = parse_safetensors(bytes, where);
  const std::string place = join(where, " cannot be resumed");
  detail::check_checksum<Scalar>(file, where, place);
  const auto json = parse_json(file.metadata.find(detail::training_key)->second, place);
  auto snapshot =
      detail::at_place(place, [&] { return detail::training_from_json<Scalar>(json, file); });
  check<FileError>(file.metadata.find(detail::checksum_key)->second ==
                       detail::checkpoint_checksum(snapshot, file.metadata),
                   place, ": it is damaged: its names do not belong to its numbers");
  return snapshot;
}

/// The snapshot that a file holds. Throws `FileError`, beginning with the path, as `read_file` and the
/// above do.
template <class Scalar>
TrainingSnapshot<Scalar> load_checkpoint(const std::filesystem::path& path) {
  return load_checkpoint<Scalar>(read_file(path), path.string());
}

template <class Scalar>
struct CheckpointFile {
  std::filesystem::path path;

  /// False when there is none. Throws where there cannot be one.
  bool exists() const {
    check<OptionError>(!path.empty(), "resume_from: expected a path, got an empty one");
    std::error_code ignored;
    if (std::filesystem::status(path, ignored).type() != std::filesystem::file_type::not_found) {
      return true;
    }
    detail::check_folder_of(path, path.string() + " cannot be read: ");
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
/// history, and what callbacks such as EarlyStopping remember; `load_model` takes the model from it,
/// with the weights of its last step: those that EarlyStopping restores come after it. It is written
/// when all other callbacks have run, so that its place among them does not matter. Weights that do
/// not give their batch a finite loss are not written: a training that diverges leaves its last good
/// checkpoint.
///
/// A file that cannot be written is a `FileError`, which `fit` throws, unless `on_failure` takes it;
/// then training goes on. Either way the old file stays as it was, and the model keeps its weights. A
/// path where no file can be is found when training begins, whatever `on_failure` is.
struct Checkpoint {
  std::filesystem::path path;  ///< has to be given
  Index every_epochs = 1;      ///< at their ends; 0: only at that of the last one
  Index every_steps = 0;       ///< counted over all epochs; 0 for none
  std::function<void(const FileError&)> on_failure = {};

  /// Throws `OptionError` without a path, and for counts that are negative.
  template <class Scalar>
  operator Callback<Scalar>() const {  // NOLINT(google-explicit-constructor)
    check<OptionError>(!path.empty(), "Checkpoint: expected a path");
    check<OptionError>(every_epochs >= 0 && every_steps >= 0,
                       "Checkpoint: expected every_epochs and every_steps of at least 0, got ",
                       every_epochs, " and ", every_steps);
    Callback<Scalar> callback;
    callback.runs_last = true;
    callback.on_train_begin = [path = path](auto&) {
      const std::string complaint = path.string() + " cannot be written: ";
      detail::check_folder_of(path, complaint);
      detail::check_regular_file(path, complaint);
    };
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
