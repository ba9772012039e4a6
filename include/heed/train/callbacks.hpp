#pragma once

#include <functional>
#include <memory>
#include <optional>

#include <heed/model/model.hpp>
#include <heed/train/history.hpp>

namespace heed {

template <class Scalar>
struct TrainingSnapshot;

namespace detail {
template <class Scalar>
class FitLoop;
}

/// Where training is, as callbacks see it. They may change what says so, and the model's weights;
/// `fit` throws `OptionError` when they change another number, or give the model other layers.
template <class Scalar>
struct TrainingState {
  Model<Scalar>& model;
  Index epochs = 0;  ///< how many were asked for
  Index steps = 0;   ///< batches in an epoch
  Index epoch = 0;   ///< from 1; when training begins, how many are done
  Index step = 0;    ///< batches of this epoch that are done
  Logs logs = {};    ///< may be added to: means over this epoch so far, with validation at its end
  double learning_rate = 0;                ///< may be changed: of the next step
  bool stop = false;                       ///< may be set: ends training after this epoch
  std::vector<std::string> names = {};     ///< of the logs that fit makes by an epoch's end
  detail::FitLoop<Scalar>* fit = nullptr;  ///< for `snapshot`

  /// All that a training goes on from, when `on_batch_end` or `on_epoch_end` calls it; `nullopt` when
  /// the weights do not give the batch a finite loss any more. Defined in heed/train/resume.hpp.
  std::optional<TrainingSnapshot<Scalar>> snapshot() const;

  /// Stateful layers begin the next batch with zeros: as `on_epoch_begin` of Keras's users does it.
  void reset_states() const;
};

/// What a callback remembers from one call to the next, so that a snapshot can keep it.
template <class Scalar>
struct CallbackMemory {
  std::string name;  ///< whose, with all its options; a snapshot fits only callbacks whose memories
                     ///< have the same names, in their order
  Logs numbers = {};
  Arena<Scalar> weights = {};
};

/// What is called while a model trains; functions that are left out are not called. Several callbacks
/// run in the order in which they were given, then the progress bar, and then those that are to run
/// last.
template <class Scalar>
struct Callback {
  using Function = std::function<void(TrainingState<Scalar>&)>;

  Function on_train_begin = {};
  Function on_epoch_begin = {};
  Function on_batch_end = {};  ///< `logs` has the means over the epoch's batches so far
  Function on_epoch_end = {};  ///< what it adds to `logs` comes into the history
  Function on_train_end = {};

  /// What the functions remember, if training is to go on from a snapshot as if it had not stopped.
  std::shared_ptr<CallbackMemory<Scalar>> memory = {};
  bool runs_last = false;  ///< sees what all others have done, as one that saves has to

  /// Makes the callback anew, in one that has no functions. `fit` calls it, if it is given, and uses
  /// what it made: a callback with a memory needs it to be copied with its options, or used by several
  /// trainings at once.
  std::function<void(Callback&)> make = {};
};

/// Sets the learning rate when an epoch begins: `rate(epoch, learning_rate)`, epochs from 1. Throws
/// `OptionError` without a function.
struct LearningRateSchedule {
  std::function<double(Index epoch, double learning_rate)> rate;

  template <class Scalar>
  operator Callback<Scalar>() const {  // NOLINT(google-explicit-constructor)
    check<OptionError>(bool(rate), "LearningRateSchedule: expected a function");
    return {.on_epoch_begin = [rate = rate](TrainingState<Scalar>& state) {
      state.learning_rate = rate(state.epoch, state.learning_rate);
    }};
  }
};

}  // namespace heed
