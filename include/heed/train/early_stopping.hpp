#pragma once

#include <algorithm>

#include <heed/math/finite.hpp>
#include <heed/train/callbacks.hpp>

namespace heed {

/// Ends training when a value has not improved for `patience` epochs. Keras: `EarlyStopping`, of
/// which these are some of the fields, with the same defaults.
///
///     model.fit(x, y, {…, .callbacks = {EarlyStopping{.patience = 3}}});
///
/// A snapshot stores its values, so a resumed training stops in the same epoch as one without a
/// break. Throws `OptionError` for a negative `min_delta` or `patience`. `fit` throws `OptionError`
/// before the first epoch if `monitor` is a value of validation data and there are none, and at the
/// end of the first epoch if `monitor` is not among the logs.
struct EarlyStopping {
  enum class Mode { automatic, min, max };

  std::string monitor = "val_loss";
  double min_delta = 0;  ///< smaller changes are not improvements
  Index patience = 0;
  Mode mode = Mode::automatic;  ///< automatic: max if the name ends in `accuracy`, else min
  bool restore_best_weights = false;

  template <class Scalar>
  operator Callback<Scalar>() const {  // NOLINT(google-explicit-constructor)
    check<OptionError>(is_number(min_delta) && min_delta >= 0 && patience >= 0,
                       "EarlyStopping: expected min_delta and patience of at least 0, got ",
                       min_delta, " and ", patience);
    Callback<Scalar> callback = make<Scalar>();
    callback.make = [*this](Callback<Scalar>& made) { made = make<Scalar>(); };
    return callback;
  }

 private:
  template <class Scalar>
  Callback<Scalar> make() const {
    Callback<Scalar> callback;
    const auto memory = callback.memory = std::make_shared<CallbackMemory<Scalar>>();
    memory->name = join("EarlyStopping of ", monitor, ", min_delta ", min_delta, ", patience ",
                        patience, ", mode ", maximizes() ? "max" : "min",
                        restore_best_weights ? ", restore_best_weights" : "");
    callback.on_train_begin = [memory, *this](TrainingState<Scalar>& state) {
      check_monitor(state.names);
      memory->numbers.clear();
      memory->weights = {};
    };
    callback.on_epoch_end = [memory, *this](TrainingState<Scalar>& state) {
      const double value = state.logs[monitor];
      Logs& numbers = memory->numbers;
      if (numbers.empty() || !is_number(numbers["best"]) || improves(value, numbers["best"])) {
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

  /// Before the first epoch, only values of validation data can be reported as missing: a callback
  /// may still log other names.
  void check_monitor(const std::vector<std::string>& names) const {
    const auto has = [&](std::string_view name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    const bool lacks_validation =
        monitor.starts_with("val_") && has(std::string_view(monitor).substr(4)) && !has(monitor);
    check<OptionError>(
        !lacks_validation, "EarlyStopping: expected validation data for the monitor \"", monitor,
        "\"; give validation_split or validation_data, or monitor one of ", detail::quoted(names));
  }

  bool improves(double value, double best) const {
    return maximizes() ? value - min_delta > best : value + min_delta < best;
  }
  bool maximizes() const {
    return mode == Mode::max || (mode == Mode::automatic && monitor.ends_with("accuracy"));
  }
};

}  // namespace heed
