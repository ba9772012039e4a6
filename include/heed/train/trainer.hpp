#pragma once

#include <heed/math/finite.hpp>
#include <heed/model/model.hpp>
#include <heed/model/shards.hpp>
#include <heed/train/batch_loss.hpp>
#include <heed/train/optimizer.hpp>

namespace heed {

/// An error that ends training: a loss or weights that are not finite.
struct TrainingError : Error {
  using Error::Error;
};

/// Options of a `Trainer`.
template <class Scalar>
struct TrainerOptions {
  Losses<Scalar> loss = {};             ///< required
  NamedList<double> loss_weights = {};  ///< see `FitOptions::loss_weights`
  Optimizer<Scalar> optimizer = Adam{};
  std::uint64_t seed = 0;  ///< for the random numbers of layers, such as dropout
  Index threads = 1;       ///< see `FitOptions::threads`
  /// The number of updates already made with this seed. The random numbers of layers continue from
  /// there.
  std::uint64_t updates_before = 0;
  /// Whether all layers begin each batch with the final states of the previous batch, as
  /// `FitOptions::window` requires.
  bool carry_states = false;
};

/// Trains a model batch by batch, in a loop that you write; `Model::fit` is such a loop.
///
///     Trainer<float> trainer(model, {.loss = MeanSquaredError{}, .optimizer = SGD{}});
///     while (…) loss = trainer.step(x, y);
///
/// It refers to the model, which must not be moved. It owns the threads, their tapes and the
/// optimizer's state, so it cannot be copied. From the second batch of a size on, a step allocates
/// nothing.
template <class Scalar>
class Trainer {
 public:
  /// Throws `ModelError` if the model is not built, and `OptionError` without a loss or for a
  /// number of threads outside its range.
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
  /// Moves everything; the other trainer cannot be used any more.
  Trainer(Trainer&&) noexcept = default;

  /// Trains on one batch: forward, loss, backward, clipping, update. Returns the mean loss of x:
  /// (N, …) with targets y before the update. If the loss is not finite, there is no update, and
  /// the weights are reset to the last ones that gave a finite loss. Throws `ShapeError` if x or y
  /// does not fit, `DataError` for no samples and for targets that the loss is not defined for,
  /// `OptionError` for an optimizer state that training cannot produce, and `ModelError` if the
  /// model's layers have changed.
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

  /// The model's predictions for the last batch, before the update. Valid until the next step.
  /// Throws `ModelError` before the first step, and for an output that the model does not have.
  View<const Scalar> output(std::size_t output = 0) {
    const View<const Scalar> given = objective_output(output);
    predictions_.resize(objective_.terms().size());
    return objective_.predictions(given, predictions_[output], output);
  }

  /// The same as the input of `objective().loss()`: logits if the last activation was removed.
  View<const Scalar> objective_output(std::size_t output = 0) const { return last(output).given; }

  /// The mask of that output; false if no step is masked.
  Mask mask(std::size_t output = 0) const { return last(output).mask; }

  /// The losses of the last step by output, and the values they were computed from.
  const detail::BatchLoss<Scalar>& batch_loss() const { return loss_; }

  /// Sets the states of layers that carry them from batch to batch to zeros.
  void reset_states() { shards_.reset_states(); }

  /// The states with which these layers begin the next batch of `samples` samples, layer by layer.
  Arena<Scalar> states(Index samples) { return shards_.states(objective_.graph(), samples); }
  /// Sets these states, in the form that `states` returns.
  void set_states(Index samples, const Arena<Scalar>& states) {
    shards_.set_states(objective_.graph(), samples, states);
  }

  /// The clipped gradients of the last step, in the layout of the weights.
  const Arena<Scalar>& gradients() const { return shards_.gradients(); }

  const Objective<Scalar>& objective() const { return objective_; }

  /// The threads that run batches. Between steps they can be used for other work.
  const std::shared_ptr<Team>& team() const { return shards_.team(); }

  /// The optimizer's state. It may be changed between steps: the learning rate by a schedule, or
  /// all of it to continue the work of another trainer with the same weights.
  OptimizerState<Scalar>& state() { return state_; }
  const OptimizerState<Scalar>& state() const { return state_; }

  /// The number of updates with this seed, including those before this trainer.
  std::uint64_t updates() const {
    return updates_before_ + static_cast<std::uint64_t>(state_.steps);
  }
  /// Sets the number of updates before this trainer: see `TrainerOptions::updates_before`.
  void set_updates_before(std::uint64_t updates) { updates_before_ = updates; }

  /// Throws `ModelError` unless the model still has as many parameters as at construction.
  void check_model() const {
    model_.check_built("trained");
    check<ModelError>(model_.count_params() == graph_layout().size(), "model \"", model_.name(),
                      "\": expected the ", graph_layout().size(),
                      " weights that training began with, got ", model_.count_params());
  }

  /// Whether there are weights to go back to: a step has had a finite loss.
  bool can_roll_back() const { return !last_good_.empty(); }

  /// Resets the weights to those before the last update, which gave a finite loss.
  void roll_back() {
    if (can_roll_back()) model_.set_weights(last_good_.values());
  }

  bool weights_are_finite() const {
    const auto weights = std::as_const(model_).weights().values();
    return detail::find_not_finite(weights) == weights.data() + weights.size();
  }

  /// If the last update made weights that are not finite, resets them and returns true. `step`
  /// would only notice at the next loss.
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
    for (std::size_t k = 0; k < terms.size(); ++k) {
      const Graph<Scalar>& graph = objective_.graph();
      terms[k].loss.check_targets(batch.y[k], graph.shape(graph.outputs()[k]).back());
    }
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
