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

/// The current state of a training, for callbacks. A callback may change the fields marked "may be
/// changed" and the model's weights. `fit` throws `OptionError` if a callback changes another
/// number or gives the model other layers.
template <class Scalar>
struct TrainingState {
  Model<Scalar>& model;
  Index epochs = 0;  ///< the number of epochs to train
  Index steps = 0;   ///< the number of batches in an epoch
  Index epoch = 0;   ///< the epoch, from 1; before the first one, the number of epochs done
  Index step = 0;    ///< the number of batches of this epoch that are done
  Logs logs = {};    ///< may be changed: means over this epoch so far, with validation at its end
  double learning_rate = 0;                ///< may be changed: for the next step
  bool stop = false;                       ///< may be changed: true ends training after this epoch
  std::vector<std::string> names = {};     ///< the logs that `fit` has set by the end of an epoch
  detail::FitLoop<Scalar>* fit = nullptr;  ///< for `snapshot`

  /// A snapshot from which this training can be resumed, if called in `on_batch_end` or
  /// `on_epoch_end`; `nullopt` if the loss of the batch is not finite with the current weights.
  /// Defined in heed/train/resume.hpp.
  std::optional<TrainingSnapshot<Scalar>> snapshot() const;

  /// Sets the states of stateful layers to zeros, as users of Keras do in `on_epoch_begin`.
  void reset_states() const;
};

/// The values that a callback keeps between calls, so that a snapshot can store them.
template <class Scalar>
struct CallbackMemory {
  std::string name;  ///< the callback with all its options; a snapshot can only be restored if the
                     ///< memories of the callbacks have the same names, in the same order
  Logs numbers = {};
  Arena<Scalar> weights = {};
};

/// Functions that are called during training; empty ones are skipped. Callbacks run in the order in
/// which they were given, then the progress bar, then the callbacks with `runs_last`.
template <class Scalar>
struct Callback {
  using Function = std::function<void(TrainingState<Scalar>&)>;

  Function on_train_begin = {};
  Function on_epoch_begin = {};
  Function on_batch_end = {};  ///< `logs` contains the means over the epoch's batches so far
  Function on_epoch_end = {};  ///< values that it adds to `logs` are stored in the history
  Function on_train_end = {};

  /// The values that the functions keep, if a resumed training has to continue with them.
  std::shared_ptr<CallbackMemory<Scalar>> memory = {};
  bool runs_last = false;  ///< after all others, so that a callback that saves sees their changes

  /// Sets the functions of a new callback. If it is given, `fit` calls it and uses the new
  /// callback. A callback with a memory needs it, so that each training has a memory of its own
  /// even if the options are copied or used by several trainings at once.
  std::function<void(Callback&)> make = {};
};

/// Sets the learning rate at the beginning of each epoch to `rate(epoch, learning_rate)`; epochs
/// count from 1. Throws `OptionError` without a function.
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
