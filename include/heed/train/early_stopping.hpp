#pragma once

#include <cmath>
#include <memory>

#include <heed/train/callbacks.hpp>

namespace heed {

/// Ends training when a value has not improved for `patience` epochs. Keras: `EarlyStopping`, with
/// the same fields and defaults.
///
///     model.fit(x, y, {…, .callbacks = {EarlyStopping{.patience = 3}}});
///
/// Throws `OptionError` at the end of the first epoch when `monitor` is not among the logs.
struct EarlyStopping {
  enum class Mode { automatic, min, max };

  std::string monitor = "val_loss";
  double min_delta = 0;  ///< a smaller change is no improvement
  Index patience = 0;
  Mode mode = Mode::automatic;  ///< automatic: max for a name that ends in `accuracy`, else min
  bool restore_best_weights = false;

  template <class Scalar>
  operator Callback<Scalar>() const {  // NOLINT(google-explicit-constructor)
    struct Memory {
      double best = 0;
      Index wait = 0;
      bool any = false;
      Arena<Scalar> weights;
    };
    const auto memory = std::make_shared<Memory>();
    const auto improves = [*this](double value, double best) {
      return maximizes() ? value - min_delta > best : value + min_delta < best;
    };
    Callback<Scalar> callback;
    callback.on_train_begin = [memory](TrainingState<Scalar>&) { *memory = {}; };
    callback.on_epoch_end = [memory, improves, *this](TrainingState<Scalar>& state) {
      const double value = state.logs[monitor];
      const bool best = !memory->any || std::isnan(memory->best) || improves(value, memory->best);
      if (best) {
        memory->any = true;
        memory->best = value;
        memory->wait = 0;
        if (restore_best_weights) memory->weights = state.model.weights();
      } else if (++memory->wait >= patience) {
        state.stop = true;
      }
    };
    callback.on_train_end = [memory, *this](TrainingState<Scalar>& state) {
      if (restore_best_weights && memory->any) state.model.weights() = memory->weights;
    };
    return callback;
  }

 private:
  bool maximizes() const {
    return mode == Mode::max || (mode == Mode::automatic && monitor.ends_with("accuracy"));
  }
};

}  // namespace heed
