#pragma once

#include <concepts>
#include <functional>
#include <memory>

#include <heed/train/callbacks.hpp>
#include <heed/train/optimizers.hpp>

namespace heed {

/// What a training was asked to do, as names and texts: the layers, the optimizer, the data, ….
using TrainingTerms = std::vector<std::pair<std::string, std::string>>;

/// All that a training goes on from. A plain value: with the same data and options, and heed's
/// callbacks, `fit` comes from it to the bits that it would have come to without a stop.
///
/// What is random needs no state of its own: orders are a function of the seed and the epoch, and what
/// layers draw of the seed and the number of updates.
template <class Scalar>
struct TrainingSnapshot {
  TrainingTerms terms;  ///< have to be the same where training goes on
  Trained before;       ///< how long the model was trained when this training began
  Index epoch = 0;      ///< how many are done
  Index step = 0;       ///< batches that are done of the next one
  bool stop = false;    ///< a callback has ended training
  double learning_rate = 0;
  Arena<Scalar> weights;
  OptimizerState<Scalar> optimizer;
  Arena<Scalar> states =
      Arena<Scalar>(Shape{0});  ///< of stateful layers, with which the next batch begins
  History history;              ///< of the epochs that are done
  Logs logs;                    ///< of the epoch that is not
  Index samples = 0;            ///< of its batches
  std::vector<double> sums;     ///< over them: of the loss, and of each metric
  std::vector<CallbackMemory<Scalar>> callbacks;  ///< of those that have one, in their order
};

/// A file that a snapshot is read from. Defined in heed/io/checkpoint.hpp.
template <class Scalar>
struct CheckpointFile;

/// Where a training goes on: a `TrainingSnapshot`, or the path of a file that a `Checkpoint` wrote.
///
/// A path needs `#include <heed/io.hpp>`. If there is no such file, training begins at its beginning: a
/// program that writes its checkpoints to the file that it resumes from can be run again until it comes
/// to its end. The path is looked at when `fit` begins.
///
/// The model, loss, metrics and optimizer, the data, `batch_size`, `shuffle`, `seed` and the callbacks
/// with a memory have to be those that the snapshot was made with. `fit` throws `OptionError`
/// otherwise, and for a snapshot whose parts do not fit together, and `FileError` for a file that is
/// not a checkpoint, with nothing changed. `threads`, on which the last bits depend, `epochs`, but for
/// fewer than are done, and what is shown may differ. Losses, metrics, layers and
/// optimizers are compared by their names and fields, and other callbacks not at all.
///
/// `on_train_begin` is called as ever, and `on_epoch_begin` for an epoch that was begun; what they
/// change in the training is replaced by what the snapshot says. A training that a callback stopped
/// stays stopped.
template <class Scalar>
class ResumeFrom {
  using Snapshot = std::shared_ptr<const TrainingSnapshot<Scalar>>;

 public:
  ResumeFrom() = default;

  ResumeFrom(TrainingSnapshot<Scalar> snapshot)  // NOLINT(google-explicit-constructor)
      : read_([kept = std::make_shared<const TrainingSnapshot<Scalar>>(std::move(snapshot))](
                  detail::FitLoop<Scalar>& fit) {
          fit.check_fits(*kept, "the snapshot");
          return kept;
        }) {}

  template <class Path>
    requires(std::convertible_to<const Path&, std::string> ||
             requires(const Path& path) { path.u8string(); })
  ResumeFrom(const Path& path)  // NOLINT(google-explicit-constructor): `.resume_from = "…"`
      : read_([file = CheckpointFile<Scalar>{path}](detail::FitLoop<Scalar>& fit) -> Snapshot {
          if (!file.exists()) return nullptr;
          auto made = std::make_shared<const TrainingSnapshot<Scalar>>(file.read());
          fit.check_fits(*made, file.path.string());
          return made;
        }) {}

  explicit operator bool() const { return bool(read_); }

  /// For `fit`: the snapshot, which fits this training; null when it begins at its beginning.
  Snapshot read(detail::FitLoop<Scalar>& fit) const { return read_ ? read_(fit) : nullptr; }

 private:
  std::function<Snapshot(detail::FitLoop<Scalar>&)> read_;
};

}  // namespace heed
