#pragma once

#include <heed/train/evaluation.hpp>
#include <heed/train/fit_options.hpp>
#include <heed/train/trainer.hpp>

namespace heed::detail {

/// One run of `fit`, from checked data to a history.
template <class Scalar>
class FitLoop {
 public:
  FitLoop(Model<Scalar>& model, const Dataset<Scalar>& training, const Dataset<Scalar>& validation,
          const FitOptions<Scalar>& options)
      : options_(options),
        callbacks_(options.callbacks),
        model_(model),
        validation_(validation),
        batches_(training, options.batch_size, options.shuffle, options.seed),
        trainer_(model, {options.loss, options.optimizer, options.seed, options.threads}),
        means_(options.metrics, ""),
        validation_means_(options.metrics, "val_"),
        validation_shards_(trainer_.team()),
        state_{.model = model, .epochs = options.epochs, .steps = batches_.steps()} {
    callbacks_.push_back(progress_bar<Scalar>(options.verbose, options.output));
    state_.learning_rate = options.optimizer.learning_rate();
    state_.fit = this;
  }

  History run() {
    if (!options_.resume_from(*this)) call(&Callback<Scalar>::on_train_begin);
    while (state_.epoch < state_.epochs && !state_.stop) {
      begin_epoch();
      finish_epoch();
    }
    call(&Callback<Scalar>::on_train_end);
    return std::move(history_);
  }

  // Defined in heed/train/resume.hpp, and compiled only where they are used.
  std::optional<TrainingSnapshot<Scalar>> snapshot();
  void resume(const TrainingSnapshot<Scalar>& snapshot, const std::string& where);

 private:
  void begin_epoch(Index step = 0) {
    ++state_.epoch;
    state_.step = step;
    state_.logs.clear();
    epoch_is_begun_ = epoch_is_done_ = false;
    means_.reset();
    batches_.begin_epoch(state_.epoch);
    call(&Callback<Scalar>::on_epoch_begin);
  }

  void finish_epoch() {
    epoch_is_begun_ = true;
    while (state_.step < state_.steps) run_step();
    check<TrainingError>(!trainer_.repair_weights(), place(), "the weights are not finite",
                         advice());
    if (validation_.samples() > 0) {
      evaluate<Scalar>(trainer_.objective(), model_.weights(), validation_.x, validation_.y,
                       options_.batch_size, validation_shards_, validation_means_, state_.logs);
      const double loss = state_.logs["val_loss"];
      if (!std::isfinite(loss)) {
        trainer_.roll_back();
        throw TrainingError(join(place(), "the validation loss is ", loss, advice()));
      }
    }
    epoch_is_done_ = true;
    call(&Callback<Scalar>::on_epoch_end);
    history_.append(state_.logs);
  }

  [[gnu::noinline]] void run_step() {
    check_learning_rate(state_.learning_rate);
    trainer_.state().learning_rate = state_.learning_rate;
    const Dataset<Scalar> batch = batches_.batch(state_.step++);
    const double loss = trainer_.step(batch.x, batch.y);
    // Not by check(): its arguments would be made, and allocate, in every step.
    if (!std::isfinite(loss)) throw TrainingError(join(place(), "the loss is ", loss, advice()));
    means_.add(loss, trainer_.objective(), batch.y, trainer_.output());
    means_.write(state_.logs);
    call(&Callback<Scalar>::on_batch_end);
  }

  void call(typename Callback<Scalar>::Function Callback<Scalar>::*function) {
    for (const bool last : {false, true}) {
      for (const Callback<Scalar>& callback : callbacks_) {
        if (callback.runs_last == last && callback.*function) (callback.*function)(state_);
      }
    }
  }

  bool gives_finite_loss();
  const TrainingTerms& terms();
  void check_fits(const TrainingSnapshot<Scalar>& snapshot, const std::string& where);
  void restore(const TrainingSnapshot<Scalar>& snapshot);

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
  Dataset<Scalar> validation_;
  Batches<Scalar> batches_;
  Trainer<Scalar> trainer_;
  RunningMeans<Scalar> means_;
  RunningMeans<Scalar> validation_means_;
  Shards<Scalar> validation_shards_;
  TrainingState<Scalar> state_;
  History history_;
  TrainingTerms terms_;
  bool epoch_is_begun_ = false, epoch_is_done_ = false;
};

}  // namespace heed::detail
