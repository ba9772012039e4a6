#pragma once

#include <heed/train/batches.hpp>
#include <heed/train/data_checks.hpp>
#include <heed/train/evaluation.hpp>
#include <heed/train/progress.hpp>
#include <heed/train/trainer.hpp>

namespace heed {

/// How `Model::fit` trains: Keras's arguments of `compile` and `fit`, with their names and, but for
/// the optimizer, their defaults.
template <class Scalar>
struct FitOptions {
  Loss<Scalar> loss = {};                ///< has to be given
  Optimizer<Scalar> optimizer = Adam{};  ///< begins anew with each fit
  std::vector<Metric<Scalar>> metrics = {};
  Index epochs = 1;
  Index batch_size = 32;
  double validation_split = 0;           ///< the share of samples, the last ones, not trained on
  Dataset<Scalar> validation_data = {};  ///< `{x, y}`; takes the place of a split
  bool shuffle = true;                   ///< a new order in each epoch
  std::uint64_t seed = 0;                ///< of the orders, and of what layers draw
  /// How many threads work on a batch, each on samples of its own: at least 1, which is the caller
  /// alone. The optimizer, metrics and callbacks run on the calling thread. Runs with the same number
  /// give the same bits. With another number predictions, losses and metrics of the same weights keep
  /// their bits, and so do random numbers; but gradients are summed thread by thread, so that trained
  /// weights differ by rounding.
  Index threads = 1;
  std::vector<Callback<Scalar>> callbacks = {};
  Verbose verbose = Verbose::automatic;
  std::ostream* output = nullptr;  ///< where progress is shown; stdout if none is given
};

template <class Scalar>
struct EvaluateOptions {
  Loss<Scalar> loss = {};  ///< has to be given
  std::vector<Metric<Scalar>> metrics = {};
  Index batch_size = 32;
  Index threads = 1;  ///< see `FitOptions::threads`; the result does not depend on it
};

namespace detail {

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
  }

  History run() {
    History history;
    call(&Callback<Scalar>::on_train_begin);
    while (state_.epoch < state_.epochs && !state_.stop) {
      run_epoch();
      history.append(state_.logs);
    }
    call(&Callback<Scalar>::on_train_end);
    return history;
  }

 private:
  void run_epoch() {
    ++state_.epoch;
    state_.step = 0;
    state_.logs.clear();
    means_.reset();
    batches_.begin_epoch(state_.epoch);
    call(&Callback<Scalar>::on_epoch_begin);
    while (state_.step < state_.steps) run_step();
    check<TrainingError>(!trainer_.repair_weights(), place(), "the weights are not finite",
                         advice());
    if (validation_.samples() > 0) {
      evaluate(trainer_.objective(), model_.weights(), validation_.x, validation_.y,
               options_.batch_size, validation_shards_, validation_means_, state_.logs);
    }
    call(&Callback<Scalar>::on_epoch_end);
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
    for (const Callback<Scalar>& callback : callbacks_) {
      if (callback.*function) (callback.*function)(state_);
    }
  }

  std::string place() const { return join("epoch ", state_.epoch, ", step ", state_.step, ": "); }
  std::string advice() const {
    return join(" with a learning rate of ", state_.learning_rate,
                "; the model keeps the last weights that gave a finite loss");
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
};

}  // namespace detail

/// Trains on samples x: (N, …) and targets y, which have the output's shape (a last axis of 1 may be
/// missing). Returns the loss and metrics of each epoch: sample-weighted means of what the batches
/// gave while the weights moved, and `val_…` of the validation data at the epoch's end.
///
/// Throws, with nothing changed, `ModelError` before `build`, `ShapeError` when x or y does not fit,
/// `DataError` for no samples, numbers that are not finite and targets the loss is not defined for,
/// `OptionError` for an option outside its range. Throws `TrainingError` when the loss stops being
/// finite; the model then has the last weights for which it was.
template <class Scalar>
History Model<Scalar>::fit(View<const Scalar> x, View<const Scalar> y,
                           const FitOptions<Scalar>& options) {
  const double split = options.validation_split;
  detail::check_batch_size(options.batch_size);
  check<OptionError>(options.epochs >= 1, "expected epochs of at least 1, got ", options.epochs);
  check<OptionError>(0 <= split && split < 1, "expected a validation_split in [0, 1), got ", split);
  Dataset<Scalar> training = detail::check_data(*this, options.loss, {x, y}, "");
  Dataset<Scalar> validation = options.validation_data;
  if (validation.x || validation.y) {
    validation = detail::check_data(*this, options.loss, validation, "validation ");
  } else {
    const Index samples = training.samples();
    const auto kept = static_cast<Index>(std::floor(static_cast<double>(samples) * (1 - split)));
    check<OptionError>(kept > 0, "a validation_split of ", split, " leaves none of ", samples,
                       " samples to train on");
    validation = training.part(kept, samples - kept);
    training = training.part(0, kept);
  }
  return detail::FitLoop<Scalar>(*this, training, validation, options).run();
}

/// The loss and metrics over samples x: (N, …) and targets y, under the names that `fit` gives them.
/// Throws as `fit` does.
template <class Scalar>
Logs Model<Scalar>::evaluate(View<const Scalar> x, View<const Scalar> y,
                             const EvaluateOptions<Scalar>& options) const {
  detail::check_batch_size(options.batch_size);
  const Dataset<Scalar> data = detail::check_data(*this, options.loss, {x, y}, "");
  const Objective<Scalar> objective(graph_, options.loss);
  detail::RunningMeans<Scalar> means(options.metrics, "");
  Shards<Scalar> shards(std::make_shared<Team>(options.threads));
  Logs logs;
  detail::evaluate(objective, weights_, data.x, data.y, options.batch_size, shards, means, logs);
  return logs;
}

}  // namespace heed
