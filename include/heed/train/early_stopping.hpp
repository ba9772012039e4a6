#pragma once

#include <cmath>

#include <heed/train/callbacks.hpp>

namespace heed {

/// Ends training when a value has not improved for `patience` epochs. Keras: `EarlyStopping`, with
/// these of its fields and their defaults.
///
///     model.fit(x, y, {…, .callbacks = {EarlyStopping{.patience = 3}}});
///
/// A snapshot keeps what it remembers: a training that is resumed stops when it would have stopped.
/// Throws `OptionError` for a negative `min_delta` or `patience`, and at the end of the first epoch
/// when `monitor` is not among the logs.
struct EarlyStopping {
  enum class Mode { automatic, min, max };

  std::string monitor = "val_loss";
  double min_delta = 0;  ///< a smaller change is no improvement
  Index patience = 0;
  Mode mode = Mode::automatic;  ///< automatic: max for a name that ends in `accuracy`, else min
  bool restore_best_weights = false;

  template <class Scalar>
  operator Callback<Scalar>() const {  // NOLINT(google-explicit-constructor)
    check<OptionError>(min_delta >= 0 && patience >= 0,
                       "EarlyStopping: expected min_delta and patience of at least 0, got ",
                       min_delta, " and ", patience);
    Callback<Scalar> callback;
    const auto memory = callback.memory = std::make_shared<CallbackMemory<Scalar>>();
    memory->name = join("EarlyStopping of ", monitor, ", min_delta ", min_delta, ", patience ",
                        patience, ", mode ", maximizes() ? "max" : "min",
                        restore_best_weights ? ", restore_best_weights" : "");
    callback.on_train_begin = [memory](TrainingState<Scalar>&) {
      memory->numbers.clear();
      memory->weights = {};
    };
    callback.on_epoch_end = [memory, *this](TrainingState<Scalar>& state) {
      const double value = state.logs[monitor];
      Logs& numbers = memory->numbers;
      if (numbers.empty() || std::isnan(numbers["best"]) || improves(value, numbers["best"])) {
        numbers = {{"best", value}, {"wait", 0}};
        if (restore_best_weights) memory->weights.assign(state.model.weights());
        return;
      }
      numbers.set("wait", numbers["wait"] + 1);
      state.stop |= numbers["wait"] >= static_cast<double>(patience);
    };
    callback.on_train_end = [memory](TrainingState<Scalar>& state) {
      if (memory->weights.size() > 0) state.model.set_weights(memory->weights.values());
    };
    return callback;
  }

 private:
  bool improves(double value, double best) const {
    return maximizes() ? value - min_delta > best : value + min_delta < best;
  }
  bool maximizes() const {
    return mode == Mode::max || (mode == Mode::automatic && monitor.ends_with("accuracy"));
  }
};

}  // namespace heed
