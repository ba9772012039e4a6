#pragma once

#include <heed/model/model.hpp>
#include <heed/model/shards.hpp>
#include <heed/train/objective.hpp>
#include <heed/train/optimizer.hpp>

namespace heed {

/// Training that cannot go on: a loss that is not finite.
struct TrainingError : Error {
  using Error::Error;
};

/// How a `Trainer` trains.
template <class Scalar>
struct TrainerOptions {
  Loss<Scalar> loss = {};
  Optimizer<Scalar> optimizer = Adam{};
  std::uint64_t seed = 0;  ///< of what layers draw in training, as dropout does
  Index threads = 1;       ///< see `FitOptions::threads`
};

/// Trains a model batch by batch, for loops of one's own; `Model::fit` is such a loop.
///
///     Trainer<float> trainer(model, {.loss = MeanSquaredError{}, .optimizer = SGD{}});
///     while (…) loss = trainer.step(x, y);
///
/// It refers to the model, which must stay where it is, and owns all else: the threads, their tapes
/// and the optimizer's state. From the second batch of a size on a step allocates nothing.
template <class Scalar>
class Trainer {
 public:
  /// Throws `ModelError` when the model is not built, `OptionError` without a loss and for a number
  /// of threads outside its range.
  Trainer(Model<Scalar>& model, const TrainerOptions<Scalar>& options)
      : model_(built(model)),
        objective_(model.graph(), options.loss),
        optimizer_(options.optimizer),
        state_(options.optimizer.make_state(model.graph().layout())),
        seed_(options.seed),
        shards_(std::make_shared<Team>(options.threads)) {
    check<OptionError>(bool(options.loss), "training needs a loss");
  }

  /// One batch: forward, loss, backward, clipping, update. Returns the mean loss of x: (N, …) and
  /// targets y before the update. A loss that is not finite changes nothing, but takes the weights
  /// back to where they last gave a finite one. Throws `ShapeError` when x or y does not fit,
  /// `DataError` for no samples and for targets that the loss is not defined for.
  double step(View<const Scalar> x, View<const Scalar> y) {
    model_.check_batch(x);
    objective_.loss().check_targets(y);
    const View<Scalar> weights = model_.weights();
    const Pass pass{
        .training = true, .seed = seed_, .step = static_cast<std::uint64_t>(state_.steps)};
    const Graph<Scalar>& graph = objective_.graph();
    output_ = shards_.forward(graph, weights, x, pass);
    const double loss = objective_.loss()(y, output_, shards_.output_gradient(graph));
    if (!std::isfinite(loss)) {
      roll_back();
      return loss;
    }
    shards_.backward(graph, weights);
    last_good_.assign(weights);
    optimizer_.update(graph.layout(), weights, shards_.gradients(), state_);
    return loss;
  }

  /// What the last step's batch gave in front of the loss, before the update; until the next step.
  View<const Scalar> output() const { return output_; }

  /// The gradients of the last step, clipped, in the layout of the weights.
  const Arena<Scalar>& gradients() const { return shards_.gradients(); }

  const Objective<Scalar>& objective() const { return objective_; }

  /// The threads that work on a batch; between steps they may do other work.
  const std::shared_ptr<Team>& team() const { return shards_.team(); }

  /// The optimizer's memory, which may be set between steps: the learning rate for a schedule, all of
  /// it to go on from where another trainer was with the same weights.
  OptimizerState<Scalar>& state() { return state_; }
  const OptimizerState<Scalar>& state() const { return state_; }

  /// Whether a step has had a finite loss: there are weights to go back to.
  bool can_roll_back() const { return !last_good_.empty(); }

  /// Takes the weights back to where they were before the last update, which had a finite loss.
  void roll_back() {
    if (can_roll_back()) model_.set_weights(last_good_.values());
  }

  bool weights_are_finite() const {
    const auto weights = std::as_const(model_).weights().values();
    return std::all_of(weights.begin(), weights.end(),
                       [](Scalar weight) { return std::isfinite(weight); });
  }

  /// Weights that an update has driven out of the finite go back to where they were before it;
  /// returns whether they had to. `step` finds that out by the next loss.
  bool repair_weights() {
    const bool finite = weights_are_finite();
    if (!finite) roll_back();
    return !finite;
  }

 private:
  static Model<Scalar>& built(Model<Scalar>& model) {
    check<ModelError>(model.is_built(), "model \"", model.name(), "\" is trained before build()");
    return model;
  }

  Model<Scalar>& model_;
  Objective<Scalar> objective_;
  Optimizer<Scalar> optimizer_;
  OptimizerState<Scalar> state_;
  std::uint64_t seed_;
  Shards<Scalar> shards_;
  Arena<Scalar> last_good_;
  View<const Scalar> output_;
};

}  // namespace heed
