#pragma once

#include <heed/train/evaluation.hpp>
#include <heed/train/fit_options.hpp>
#include <heed/train/trainer.hpp>

namespace heed::detail {

/// A copy of a callback for one training.
template <class Scalar>
Callback<Scalar> made(const Callback<Scalar>& callback) {
  if (!callback.make) return callback;
  Callback<Scalar> anew;
  callback.make(anew);
  return anew;
}

/// One run of `fit`, from checked data to a history.
template <class Scalar>
class FitLoop {
 public:
  FitLoop(Model<Scalar>& model, const Data<Scalar>& training, const Data<Scalar>& validation,
          const FitOptions<Scalar>& options)
      : options_(options),
        model_(model),
        before_(model.trained()),
        validation_(validation, options.batch_size, {}),
        batches_(training, options.batch_size,
                 {options.shuffle, options.similar_lengths, options.seed}),
        trainer_(model, {options.loss, options.loss_weights, options.optimizer, options.seed,
                         options.threads, before_.updates, options.window > 0}),
        means_(trainer_.objective(), metrics(), ""),
        validation_means_(trainer_.objective(), metrics(), "val_"),
        validation_shards_(trainer_.team()),
        state_{.model = model, .epochs = options.epochs, .steps = batches_.steps()} {
    for (const Callback<Scalar>& callback : options.callbacks) {
      callbacks_.push_back(made(callback));
    }
    callbacks_.push_back(progress_bar<Scalar>(options.verbose, options.output));
    state_.learning_rate = options.optimizer.learning_rate();
    state_.names = means_.names();
    if (validation.samples() > 0) {
      const auto& names = validation_means_.names();
      state_.names.insert(state_.names.end(), names.begin(), names.end());
    }
    state_.fit = this;
  }

  History run() {
#if defined(__GNUC__) && !defined(__OPTIMIZE__)
    say_unoptimized(options_.verbose, options_.output);
#endif
    const auto start = options_.resume_from.read(*this);
    if (start) {
      state_.epoch = start->epoch;
      state_.step = start->step;
    }
    call(&Callback<Scalar>::on_train_begin);
    if (start) restore(*start);
    bool is_inside = start && start->step > 0;  // an epoch, which is finished even after a stop
    while (is_inside || (state_.epoch < state_.epochs && !state_.stop)) {
      begin_epoch(is_inside ? start->step : 0);
      if (is_inside) restore(*start);
      is_inside = false;
      run_steps();
      finish_epoch();
    }
    call(&Callback<Scalar>::on_train_end);
    return std::move(history_);
  }

  /// Sets the states of stateful layers to zeros.
  void reset_states() { trainer_.reset_states(); }

  // Defined in heed/train/resume.hpp, and compiled only if they are used.
  std::optional<TrainingSnapshot<Scalar>> snapshot();
  void check_fits(const TrainingSnapshot<Scalar>& snapshot, const std::string& where);

 private:
  void begin_epoch(Index step) {
    ++state_.epoch;
    state_.step = step;
    state_.logs.clear();
    epoch_is_begun_ = epoch_is_done_ = false;
    means_.reset();
    batches_.begin_epoch(count_trained().epochs);
    call(&Callback<Scalar>::on_epoch_begin);
  }

  /// Restores the state of a snapshot. It is called after the callbacks, and overwrites their
  /// changes.
  void restore(const TrainingSnapshot<Scalar>& made) {
    before_ = made.before;
    trainer_.set_updates_before(before_.updates);
    state_.stop = made.stop;
    state_.learning_rate = made.learning_rate;
    model_.set_weights(made.weights.values());
    trainer_.state() = made.optimizer;
    if (made.states.size() > 0) trainer_.set_states(options_.batch_size, made.states);
    history_ = made.history;
    if (made.step > 0) {
      state_.logs = made.logs;
      means_.restore(made.sums);
    }
    std::size_t next = 0;
    for (const auto& callback : callbacks_) {
      if (callback.memory) *callback.memory = made.callbacks[next++];
    }
    count_trained();
  }

  void run_steps() {
    epoch_is_begun_ = true;
    while (state_.step < state_.steps) run_step();
  }

  void finish_epoch() {
    check<TrainingError>(!trainer_.repair_weights(), place(), "the weights are not finite",
                         advice());
    if (validation_.data().samples() > 0) {
      evaluate<Scalar>(trainer_.objective(), model_.weights(), validation_, options_.window,
                       validation_shards_, validation_loss_, validation_means_, state_.logs);
      const double loss = state_.logs["val_loss"];
      if (!is_finite(loss)) {
        trainer_.roll_back();
        throw TrainingError(join(place(), "the validation loss is ", loss, advice()));
      }
    }
    epoch_is_done_ = true;
    call(&Callback<Scalar>::on_epoch_end);
    history_.append(state_.logs);
  }

  [[gnu::noinline]] void run_step() {
    trainer_.state().learning_rate = state_.learning_rate;
    if (options_.window > 0) trainer_.reset_states();
    for_each_window(batches_, state_.step++, options_.window, [&](const Batch<Scalar>& batch) {
      const double loss = trainer_.step(batch);
      // Without check(), whose arguments would be evaluated, and allocate, in every step.
      if (!is_finite(loss)) throw TrainingError(join(place(), "the loss is ", loss, advice()));
      means_.add(loss, trainer_.objective(), trainer_.batch_loss(), options_.window);
    });
    count_trained();
    means_.write(state_.logs);
    call(&Callback<Scalar>::on_batch_end);
  }

  void call(typename Callback<Scalar>::Function Callback<Scalar>::*function) {
    for (const bool last : {false, true}) {
      for (const Callback<Scalar>& callback : callbacks_) {
        if (callback.runs_last == last && callback.*function) run_callback(callback.*function);
      }
    }
  }

  /// Calls one callback, and throws if it changes more than `TrainingState` allows.
  void run_callback(const typename Callback<Scalar>::Function& function) {
    const auto counts = [this] {
      return std::array{state_.epochs, state_.steps, state_.epoch, state_.step};
    };
    const auto before = counts();
    function(state_);
    if (counts() == before && state_.fit == this) {
      trainer_.check_model();
      return;
    }
    throw OptionError(
        join("a callback changed where training is, in epoch ", before[2], " of ", before[0],
             ", step ", before[3], " of ", before[1],
             "; it may set learning_rate and stop, add to logs, and change the model's weights"));
  }

  /// Stores in the model how long it has been trained, so that the next `fit` continues from there.
  const Trained& count_trained() {
    model_.set_trained(
        {before_.epochs + static_cast<std::uint64_t>(state_.epoch), trainer_.updates()});
    return model_.trained();
  }

  /// The number of samples in the first `steps` batches of an epoch.
  Index samples_done(Index steps) const {
    return (std::min)(steps * options_.batch_size, batches_.data().samples());
  }

  std::vector<OutputMetrics<Scalar>> metrics() const {
    return output_metrics(model_.graph(), options_.metrics, options_.weighted_metrics);
  }

  bool gives_finite_loss();
  const TrainingTerms& terms();

  std::string place() const { return join("epoch ", state_.epoch, ", step ", state_.step, ": "); }
  std::string advice() const {
    return join(" with a learning rate of ", state_.learning_rate,
                trainer_.can_roll_back()
                    ? "; the model keeps the last weights that gave a finite loss"
                    : "; the model keeps the weights that it began with");
  }

  const FitOptions<Scalar>& options_;
  std::vector<Callback<Scalar>> callbacks_;
  Model<Scalar>& model_;
  Trained before_;  ///< how long the model was trained when this training began
  Batches<Scalar> validation_;
  Batches<Scalar> batches_;
  Trainer<Scalar> trainer_;
  RunningMeans<Scalar> means_;
  RunningMeans<Scalar> validation_means_;
  Shards<Scalar> validation_shards_;
  BatchLoss<Scalar> validation_loss_;
  TrainingState<Scalar> state_;
  History history_;
  TrainingTerms terms_;
  bool epoch_is_begun_ = false, epoch_is_done_ = false;
};

}  // namespace heed::detail

namespace heed {

template <class Scalar>
void TrainingState<Scalar>::reset_states() const {
  check<OptionError>(fit != nullptr, "reset_states() needs a training that fit runs");
  fit->reset_states();
}

}  // namespace heed
