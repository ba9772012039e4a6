#pragma once

#include <heed/heed.hpp>

/// Training as it is measured: on one batch over and over.
namespace training {

using namespace heed;

/// Stands behind a layer that is measured alone: its dy is the targets y, divided by the number of
/// samples as in every mean. Returns a loss that is nowhere used.
struct GivenGradient {
  static constexpr std::string_view name = "given_gradient";
  template <class S>
  double evaluate(View<const S> y, View<const S>, View<S> dp) const {
    if (dp) dp.array() = y.array() / static_cast<S>(y.dim(0));
    return 0;
  }
};

/// Leaves the weights as they are, so that forward and backward are all there is to measure.
struct NoUpdate {
  static constexpr std::string_view name = "no_update";
  double learning_rate = 0;
  template <class S>
  void update(View<S>, View<const S>, OptimizerState<S>&) const {}
};

inline TrainerOptions<float> backward_only(Index threads) {
  return {.loss = GivenGradient{}, .optimizer = NoUpdate{}, .threads = threads};
}

/// A model with the batch that it is trained on. It stays where it is, for the trainer refers to it.
struct Training {
  Model<float> model;
  Tensor<float> x, y;
  Trainer<float> trainer;

  Training(Model<float> network, Tensor<float> inputs, Tensor<float> targets,
           const TrainerOptions<float>& options)
      : model(std::move(network)),
        x(std::move(inputs)),
        y(std::move(targets)),
        trainer(model, options) {}
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  double step() { return trainer.step(x, y); }
};

}  // namespace training
