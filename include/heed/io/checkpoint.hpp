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

/// The checksum of a checkpoint: of its numbers, and of its texts, which are the metadata.
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

/// The same for a file. All its tensors must be of type `Scalar`. It is computed before any content
/// is used.
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

/// Throws `FileError` unless a file is a checkpoint of this type, and has not changed since it was
/// written.
template <class Scalar>
void check_checksum(const Safetensors& file, std::string_view where, const std::string& place) {
  check<FileError>(
      file.metadata.contains(training_key), where,
      " is not a checkpoint: it has no training state; expected a file that Checkpoint wrote");
  for (const auto& [name, tensor] : file.tensors) {
    check<FileError>(tensor.dtype == dtype_of<Scalar>(), place, ": its tensor ", in_quotes(name),
                     " is of ", tensor.dtype.name, "; this training uses ",
                     dtype_of<Scalar>().name);
  }
  const auto said = file.metadata.find(checksum_key);
  check<FileError>(said != file.metadata.end() &&
                       said->second == checkpoint_checksum<Scalar>(file, file.metadata),
                   place,
                   ": its checksum does not match its content; the file is damaged or was changed");
}

}  // namespace detail

/// The snapshot of a training of this model, as the bytes of a safetensors file. `load_model` and
/// `load_weights` can also read this file, and take from it the model as it was. It also contains
/// the tensors `moment_0`, … of the optimizer and `callback_0`, …, and the metadata
/// `heed_training`, which is everything else as JSON, and `heed_checksum`. Throws as `save_model`
/// does, and `ShapeError` for a snapshot with another number of weights.
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

/// Writes a snapshot to a file. The file is replaced completely or not at all: see `write_file`.
template <class Scalar>
void save_checkpoint(const Model<Scalar>& model, const TrainingSnapshot<Scalar>& snapshot,
                     const std::filesystem::path& path) {
  write_file(path, save_checkpoint(model, snapshot));
}

/// The snapshot in the bytes of a file. Throws `FileError`, which begins with `where`, for anything
/// other than a checkpoint of this type of numbers, and for a checkpoint with a wrong checksum.
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
                   place, ": it is damaged: its names and numbers do not match");
  return snapshot;
}

/// The snapshot in a file. Throws `FileError`, which begins with the path, if the file cannot be
/// read or is not a checkpoint of this type.
template <class Scalar>
TrainingSnapshot<Scalar> load_checkpoint(const std::filesystem::path& path) {
  return load_checkpoint<Scalar>(read_file(path), path.string());
}

template <class Scalar>
struct CheckpointFile {
  std::filesystem::path path;

  /// False if there is no such file. Throws if the folder does not exist.
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

/// Saves a training to a file, from which `fit` continues with `.resume_from`, with the same bits
/// as without a break. If the process is killed, only the steps since the last checkpoint are lost.
///
///     model.fit(x, y, {…, .callbacks = {Checkpoint{.path = "run.checkpoint"}},
///                      .resume_from = "run.checkpoint"});
///
/// The file contains the weights, the optimizer's state, the position in the epoch with its means
/// so far, the history, and the memories of callbacks such as EarlyStopping. `load_model` reads the
/// model from it, with the weights of the last step: EarlyStopping restores its weights later, when
/// training ends. The file is written after all other callbacks, wherever this one is in the list.
/// Weights that do not give their batch a finite loss are not written, so that a training that
/// diverges leaves its last good checkpoint.
///
/// If the file cannot be written, `fit` throws `FileError`; with `on_failure`, that function is
/// called instead, and training continues. In both cases the old file is not changed, and the model
/// keeps its weights. If no file can be written to the path at all, `fit` throws when training
/// begins, even with `on_failure`.
struct Checkpoint {
  std::filesystem::path path;  ///< required
  Index every_epochs = 1;      ///< saves after this many epochs; 0: only after the last one
  Index every_steps = 0;       ///< saves after this many steps over all epochs; 0: never
  std::function<void(const FileError&)> on_failure = {};

  /// Throws `OptionError` without a path, and for negative counts.
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
