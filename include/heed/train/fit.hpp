#pragma once

#include <heed/train/class_weight.hpp>
#include <heed/train/data_checks.hpp>
#include <heed/train/resume.hpp>

namespace heed {

/// Trains on samples x: (N, …) and targets y, which have the output's shape (a last axis of 1 may
/// be missing), or on `Sequences`. For several inputs or outputs, x and y are lists, in order or by
/// name. Returns the losses and metrics of each epoch. They are means over the samples, computed
/// while the weights change from batch to batch. `val_…` are the values of the validation data at
/// the end of the epoch.
///
/// Throws, with nothing changed, `ModelError` before `build`, `ShapeError` if x or y does not fit,
/// `DataError` for no samples, for numbers that are not finite and for targets that the loss is not
/// defined for, `OptionError` for an option outside its range, and the errors of `ResumeFrom`.
/// Throws `TrainingError`, with the epoch, the step and the learning rate, as soon as the loss of a
/// batch or of the validation data is not finite, or the weights are not finite at the end of an
/// epoch. The model then has the last weights that gave a batch a finite loss. An exception of a
/// callback is passed on; the model then has the weights of the last step.
template <class Scalar>
History Model<Scalar>::fit(const Columns<Scalar>& x, const Columns<Scalar>& y,
                           const FitOptions<Scalar>& options) {
  const double split = options.validation_split;
  detail::check_batch_size(options.batch_size);
  check<OptionError>(options.epochs >= 1, "expected epochs of at least 1, got ", options.epochs);
  check<OptionError>(is_finite(split) && 0 <= split && split < 1,
                     "expected a validation_split in [0, 1), got ", split);
  auto training = detail::check_data(*this, options.loss, {x, y, options.sample_weight}, "");
  detail::Data<Scalar> validation;
  if (!options.validation_data.x.empty() || !options.validation_data.y.empty()) {
    validation = detail::check_data(*this, options.loss, options.validation_data, "validation ");
  } else {
    const Index samples = training.samples();
    const auto kept = static_cast<Index>(std::floor(static_cast<double>(samples) * (1 - split)));
    check<OptionError>(kept > 0, "a validation_split of ", split, " leaves none of ", samples,
                       " samples to train on");
    validation = training.part(kept, samples - kept);
    training = training.part(0, kept);
  }
  detail::check_window(options.window, graph_, training, "");
  detail::check_window(options.window, graph_, validation, "validation ");
  if (graph_.carries_states()) detail::check_stateful(options, training.samples());
  check<OptionError>(
      !options.similar_lengths || training.has_lengths(),
      "similar_lengths: expected x as Sequences or with a mask, which say how long each sample is");
  std::optional<detail::ClassWeights<Scalar>> class_weights;
  if (!options.class_weight.empty()) {
    check<OptionError>(
        training.y.size() == 1,
        "class_weight: expected a model with one output, use sample_weight for several; got ",
        training.y.size());
    check<OptionError>(training.weight.empty(),
                       "expected a sample_weight or a class_weight, got both");
    class_weights.emplace(options.class_weight, training.y[0]);
    training.weight = {class_weights->column(training.y[0].padding())};
  }
  return detail::FitLoop<Scalar>(*this, training, validation, options).run();
}

/// The losses and metrics of samples x and targets y, under the same names as in `fit`. Throws the
/// same errors as `fit`.
template <class Scalar>
Logs Model<Scalar>::evaluate(const Columns<Scalar>& x, const Columns<Scalar>& y,
                             const EvaluateOptions<Scalar>& options) const {
  detail::check_batch_size(options.batch_size);
  const auto data = detail::check_data(*this, options.loss, {x, y, options.sample_weight}, "");
  Objective<Scalar> objective(graph_, options.loss, options.loss_weights);
  detail::check_window(options.window, graph_, data, "");
  if (options.window > 0) objective.carry_states();
  detail::RunningMeans<Scalar> means(
      objective, detail::output_metrics(graph_, options.metrics, options.weighted_metrics), "");
  detail::Batches<Scalar> batches(data, options.batch_size, {});
  Shards<Scalar> shards(std::make_shared<Team>(options.threads));
  Logs logs;
  detail::BatchLoss<Scalar> loss;
  detail::evaluate<Scalar>(objective, weights_, batches, options.window, shards, loss, means, logs);
  return logs;
}

}  // namespace heed
