#pragma once

#include <concepts>
#include <functional>
#include <memory>

#include <heed/train/callbacks.hpp>
#include <heed/train/optimizers.hpp>

namespace heed {

/// The settings of a training as names and texts: the layers, the optimizer, the data, and so on.
using TrainingTerms = std::vector<std::pair<std::string, std::string>>;

/// The complete state of a training, as a plain value. With the same data and options, and heed's
/// callbacks, a training that `fit` resumes from it ends with the same bits as one without a break.
///
/// The state of random generators is not needed: orders are a function of the seed and the epoch,
/// and the random numbers of layers a function of the seed and the number of updates.
template <class Scalar>
struct TrainingSnapshot {
  TrainingTerms terms;  ///< must be the same when training is resumed
  Trained before;       ///< how long the model had been trained before this training
  Index epoch = 0;      ///< the number of epochs done
  Index step = 0;       ///< the number of batches done in the next epoch
  bool stop = false;    ///< whether a callback has ended training
  double learning_rate = 0;
  Arena<Scalar> weights;
  OptimizerState<Scalar> optimizer;
  Arena<Scalar> states =
      Arena<Scalar>(Shape{0});  ///< the states with which stateful layers begin the next batch
  History history;              ///< of the epochs done
  Logs logs;                    ///< of the current epoch
  Index samples = 0;            ///< the number of samples in the batches done
  std::vector<double> sums;     ///< over these batches, of the loss and of each metric
  std::vector<CallbackMemory<Scalar>> callbacks;  ///< the memories of the callbacks, in order
};

/// A file that contains a snapshot. Defined in heed/io/checkpoint.hpp.
template <class Scalar>
struct CheckpointFile;

/// The position from which training is resumed: a `TrainingSnapshot`, or the path of a file that a
/// `Checkpoint` wrote.
///
/// A path needs `#include <heed/io.hpp>`. If the file does not exist, training starts from the
/// beginning. So a program that writes its checkpoints to the same file can simply be run again
/// until it has finished. The file is read when `fit` begins.
///
/// The model, loss, metrics and optimizer, the data, `batch_size`, `shuffle`, `seed` and the
/// callbacks with a memory must be those of the snapshot. Otherwise `fit` throws `OptionError`, as
/// it does for a snapshot whose parts do not fit together. It throws `FileError` for a file that is
/// not a checkpoint. In each case nothing is changed. The displayed progress and `threads` may
/// differ, although the last bits depend on `threads`. `epochs` may differ too, but must not be less
/// than the number of epochs done.
/// Losses, metrics, layers and optimizers are compared by their names and fields. Callbacks without
/// a memory are not compared.
///
/// `on_train_begin` is called as usual, and `on_epoch_begin` is called again for an epoch that was
/// interrupted. The snapshot overwrites changes that they make to the training. A training that a
/// callback stopped stays stopped.
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

  /// For `fit`: the snapshot, checked against this training; null if training starts from the
  /// beginning.
  Snapshot read(detail::FitLoop<Scalar>& fit) const { return read_ ? read_(fit) : nullptr; }

 private:
  std::function<Snapshot(detail::FitLoop<Scalar>&)> read_;
};

}  // namespace heed
