#pragma once

#include <heed/math/finite.hpp>
#include <heed/model/model.hpp>
#include <heed/model/shards.hpp>
#include <heed/train/batch_loss.hpp>
#include <heed/train/optimizer.hpp>

namespace heed {

/// Training that cannot go on: a loss that is not finite.
struct TrainingError : Error {
  using Error::Error;
};

/// How a `Trainer` trains.
template <class Scalar>
struct TrainerOptions {
  Losses<Scalar> loss = {};             ///< has to be given
  NamedList<double> loss_weights = {};  ///< see `FitOptions::loss_weights`
  Optimizer<Scalar> optimizer = Adam{};
  std::uint64_t seed = 0;  ///< of what layers draw in training, as dropout does
  Index threads = 1;       ///< see `FitOptions::threads`
  /// Updates that others have made with this seed: what layers draw goes on from there.
  std::uint64_t updates_before = 0;
  /// All layers begin a batch with the states of the one before, as `FitOptions::window` needs it.
  bool carry_states = false;
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
        objective_(model.graph(), given(options.loss), options.loss_weights),
        optimizer_(options.optimizer),
        state_(options.optimizer.make_state(model.graph().layout())),
        seed_(options.seed),
        updates_before_(options.updates_before),
        shards_(std::make_shared<Team>(options.threads)) {
    if (options.carry_states) objective_.carry_states();
    const auto& nodes = model.graph().nodes();
    check<OptionError>(
        model.count_params() == 0 ||
            std::any_of(nodes.begin(), nodes.end(),
                        [](const auto& node) { return node.trains && node.slot_count > 0; }),
        "model \"", model.name(),
        "\": nothing is left to train, all layers with weights are frozen; "
        "set_trainable(layer, true) thaws one");
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
    return step({.inputs = {.x = {&x, 1}}, .y = {&y, 1}});
  }

  /// The same for several inputs and outputs, masks and weights of samples.
  double step(const Batch<Scalar>& batch) {
    check_model();
    model_.check_batch(batch.inputs);
    optimizer_.check_state(graph_layout(), state_);
    check_targets(batch);
    const View<Scalar> weights = model_.weights();
    const Pass pass{.training = true, .seed = seed_, .step = updates()};
    const Graph<Scalar>& graph = objective_.graph();
    shards_.forward(graph, weights, batch.inputs, pass);
    loss_.take(objective_, shards_, batch);
    const double loss = loss_.value_and_gradients(objective_, shards_);
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
  /// step. Throws `ModelError` before the first step, and for an output that the model does not have.
  View<const Scalar> output(std::size_t output = 0) {
    const View<const Scalar> given = objective_output(output);
    predictions_.resize(objective_.terms().size());
    return objective_.predictions(given, predictions_[output], output);
  }

  /// The same as `objective().loss()` takes it: logits where the last activation was taken off.
  View<const Scalar> objective_output(std::size_t output = 0) const { return last(output).given; }

  /// Which steps of it count; false where all do.
  Mask mask(std::size_t output = 0) const { return last(output).mask; }

  /// The losses of the last step by output, and what they were computed from.
  const detail::BatchLoss<Scalar>& batch_loss() const { return loss_; }

  /// Layers that carry their states from batch to batch begin with zeros again.
  void reset_states() { shards_.reset_states(); }

  /// The states with which they begin the next batch, of so many samples, one after the other.
  Arena<Scalar> states(Index samples) { return shards_.states(objective_.graph(), samples); }
  void set_states(Index samples, const Arena<Scalar>& states) {
    shards_.set_states(objective_.graph(), samples, states);
  }

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
  const typename detail::BatchLoss<Scalar>::Output& last(std::size_t output) const {
    check<ModelError>(output < loss_.outputs().size(), "model \"", model_.name(),
                      "\": expected an output below ", loss_.outputs().size(), ", got ", output,
                      loss_.outputs().empty() ? "; there is none before the first step" : "");
    return loss_.outputs()[output];
  }
  static const Losses<Scalar>& given(const Losses<Scalar>& losses) {
    check<OptionError>(!losses.empty(), "training needs a loss");
    return losses;
  }
  void check_targets(const Batch<Scalar>& batch) const {
    const auto& terms = objective_.terms();
    check<ShapeError>(batch.y.size() == terms.size(), "model \"", model_.name(),
                      "\": expected targets for ", terms.size(),
                      terms.size() == 1 ? " output" : " outputs", ", got ", batch.y.size());
    check<ShapeError>(batch.sample_weight.empty() || batch.sample_weight.size() == terms.size(),
                      "model \"", model_.name(), "\": expected a sample_weight for each of ",
                      terms.size(), " outputs, got ", batch.sample_weight.size());
    check<ShapeError>(batch.masks.empty() || batch.masks.size() == terms.size(), "model \"",
                      model_.name(), "\": expected a mask for each of ", terms.size(),
                      " outputs, got ", batch.masks.size());
    for (std::size_t k = 0; k < terms.size(); ++k) terms[k].loss.check_targets(batch.y[k]);
  }
  const Layout& graph_layout() const { return objective_.graph().layout(); }

  Model<Scalar>& model_;
  Objective<Scalar> objective_;
  Optimizer<Scalar> optimizer_;
  OptimizerState<Scalar> state_;
  std::uint64_t seed_, updates_before_;
  Shards<Scalar> shards_;
  Arena<Scalar> last_good_;
  detail::BatchLoss<Scalar> loss_;
  std::vector<Tensor<Scalar>> predictions_;
};

}  // namespace heed
