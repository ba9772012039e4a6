#pragma once

#include <heed/math/finite.hpp>
#include <heed/model/model.hpp>
#include <heed/model/shards.hpp>
#include <heed/train/counted_rows.hpp>
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
  /// Updates that others have made with this seed: what layers draw goes on from there.
  std::uint64_t updates_before = 0;
};

/// Trains a model batch by batch, for loops of one's own; `Model::fit` is such a loop.
///
///     Trainer<float> trainer(model, {.loss = MeanSquaredError{}, .optimizer = SGD{}});
///     while (…) loss = trainer.step(x, y);
///
/// It refers to the model, which must stay where it is, and owns all else: the threads, their tapes
/// and the optimizer's state, which is why it is not copied. From the second batch of a size on a step
/// allocates nothing.
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
        updates_before_(options.updates_before),
        shards_(std::make_shared<Team>(options.threads)) {
    check<OptionError>(bool(options.loss), "training needs a loss");
  }
  Trainer(const Trainer&) = delete;
  /// Takes everything along; the other is not used any more.
  Trainer(Trainer&&) noexcept = default;

  /// One batch: forward, loss, backward, clipping, update. Returns the mean loss of x: (N, …) and
  /// targets y before the update. A loss that is not finite changes nothing, but takes the weights
  /// back to where they last gave a finite one. Throws `ShapeError` when x or y does not fit,
  /// `DataError` for no samples and for targets that the loss is not defined for, `OptionError` for a
  /// state that no training comes to, and `ModelError` for a model that got other layers.
  double step(View<const Scalar> x, View<const Scalar> y) {
    check_model();
    model_.check_batch(x);
    optimizer_.check_state(graph_layout(), state_);
    objective_.loss().check_targets(y);
    const View<Scalar> weights = model_.weights();
    const Pass pass{.training = true, .seed = seed_, .step = updates()};
    const Graph<Scalar>& graph = objective_.graph();
    output_ = shards_.forward(graph, weights, x, pass);
    mask_ = shards_.mask(graph);
    const auto gradient = shards_.output_gradient(graph);
    const double loss = counted_.loss(objective_.loss(), y, output_, mask_, gradient);
    if (!is_finite(loss)) {
      roll_back();
      return loss;
    }
    shards_.backward(graph, weights);
    last_good_.assign(weights);  // 0.1 % of an LSTM's step; a Dense of 1000 on one sample pays 18 %
    optimizer_.update(graph.layout(), weights, shards_.gradients(), state_);
    return loss;
  }

  /// What the model gave for the last step's batch, before the update: its predictions. Until the next
  /// step.
  View<const Scalar> output() { return objective_.predictions(output_, predictions_); }

  /// The same as `objective().loss()` takes it: logits where the last activation was taken off.
  View<const Scalar> objective_output() const { return output_; }

  /// Which steps of it count; false where all do.
  Mask mask() const { return mask_; }

  /// The gradients of the last step, clipped, in the layout of the weights.
  const Arena<Scalar>& gradients() const { return shards_.gradients(); }

  const Objective<Scalar>& objective() const { return objective_; }

  /// The threads that work on a batch; between steps they may do other work.
  const std::shared_ptr<Team>& team() const { return shards_.team(); }

  /// The optimizer's memory, which may be set between steps: the learning rate for a schedule, all of
  /// it to go on from where another trainer was with the same weights.
  OptimizerState<Scalar>& state() { return state_; }
  const OptimizerState<Scalar>& state() const { return state_; }

  /// All updates with this seed, of others and its own.
  std::uint64_t updates() const {
    return updates_before_ + static_cast<std::uint64_t>(state_.steps);
  }
  /// Goes on from that many updates of others: see `TrainerOptions::updates_before`.
  void set_updates_before(std::uint64_t updates) { updates_before_ = updates; }

  /// Throws `ModelError` unless the model has the weights that it had when this was made.
  void check_model() const {
    model_.check_built("trained");
    check<ModelError>(model_.count_params() == graph_layout().size(), "model \"", model_.name(),
                      "\": expected the ", graph_layout().size(),
                      " weights that training began with, got ", model_.count_params());
  }

  /// Whether a step has had a finite loss: there are weights to go back to.
  bool can_roll_back() const { return !last_good_.empty(); }

  /// Takes the weights back to where they were before the last update, which had a finite loss.
  void roll_back() {
    if (can_roll_back()) model_.set_weights(last_good_.values());
  }

  bool weights_are_finite() const {
    const auto weights = std::as_const(model_).weights().values();
    return detail::find_not_finite(weights) == weights.data() + weights.size();
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
    model.check_built("trained");
    return model;
  }
  const Layout& graph_layout() const { return objective_.graph().layout(); }

  Model<Scalar>& model_;
  Objective<Scalar> objective_;
  Optimizer<Scalar> optimizer_;
  OptimizerState<Scalar> state_;
  std::uint64_t seed_, updates_before_;
  Shards<Scalar> shards_;
  Arena<Scalar> last_good_;
  View<const Scalar> output_;
  Mask mask_;
  detail::CountedRows<Scalar> counted_;
  Tensor<Scalar> predictions_;
};

}  // namespace heed
