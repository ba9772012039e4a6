#pragma once

#include <heed/train/early_stopping.hpp>
#include <heed/train/fit.hpp>

#include "support/networks.hpp"
#include "support/random_tensor.hpp"

namespace heed::testing {

/// A short training in which all takes part that a checkpoint has to keep: orders and dropout that are
/// drawn anew, moments, a learning rate that changes, means of metrics, validation, and a callback that
/// ends it. 3 steps an epoch, the last of them with fewer samples; 4 epochs of 6.
template <class S>
struct Training {
  Tensor<S> x = random_tensor<S>({50, 5, 2}, 1);
  Tensor<S> y = Tensor<S>(Shape{50, 1});

  Training() {
    for (Index n = 0; n < 50; ++n) y(n, 0) = x(n, 2, 0) > 0 ? 1 : 0;
  }

  static Model<S> model(std::uint64_t seed = 1) {
    Model<S> model;
    model.input({5, 2});
    model.add("lstm", LSTM{.units = 4, .return_sequences = true});
    model.add("attention", StepAttention{});
    model.add(Flatten{});
    model.add(Dropout{.rate = 0.3});
    model.add("output", Dense{.units = 1, .activation = Activation::sigmoid});
    model.build({.seed = seed});
    return model;
  }

  static FitOptions<S> options(Index threads = 1) {
    return {.loss = BinaryCrossentropy{},
            .optimizer = Adam{.learning_rate = 0.02, .global_clipnorm = 0.5},
            .metrics = {BinaryAccuracy{}, MeanAbsoluteError{}},
            .epochs = 6,
            .batch_size = 16,
            .validation_split = 0.2,
            .seed = 4,
            .threads = threads,
            .callbacks = {LearningRateSchedule{[](Index, double rate) { return rate * 0.7; }},
                          EarlyStopping{.min_delta = 10, .patience = 3}},
            .verbose = Verbose::silent};
  }
};

/// Two inputs, one of them Sequences, and two outputs, one of steps, with weights of both.
struct UnevenTraining {
  Sequences<double> x = Sequences<double>(Shape{2}), tags, tag_weights;
  Tensor<double> wide = random_tensor({14, 3}, 1), price = random_tensor({14, 1}, 2);
  Tensor<double> weights = Tensor<double>(Shape{14});

  UnevenTraining() {
    for (Index n = 0; n < 14; ++n) {
      const Index steps = 1 + n * 5 % 6;
      x.push_back(random_tensor({steps, 2}, static_cast<std::uint64_t>(n)));
      std::vector<double> tag, weight;
      for (Index t = 0; t < steps; ++t) {
        tag.push_back(static_cast<double>((n + t) % 2));
        weight.push_back(0.5 + static_cast<double>(t));
      }
      tags.push_back(tag);
      tag_weights.push_back(weight);
      weights(n) = static_cast<double>(n % 3);
    }
  }

  static Model<double> model(std::uint64_t seed) {
    Model<double> model;
    const Node x = model.input("x", {any, 2}), wide = model.input("wide", {3});
    const Node lstm = model.add("lstm", LSTM{.units = 3, .return_sequences = true}, x);
    const Node tag = model.add("tag", Dense{.units = 1, .activation = Activation::sigmoid}, lstm);
    const Node last = model.add("last", LastStep{}, lstm);
    const Node both = model.add("both", Concatenate{}, {last, wide});
    const Node kept = model.add("kept", Dropout{.rate = 0.3}, both);
    model.set_outputs({model.add("price", Dense{.units = 1}, kept), tag});
    model.build({.seed = seed});
    return model;
  }

  FitOptions<double> options() const {
    return {.loss = {{"tag", "bce"}, {"price", "mse"}},
            .loss_weights = {0.5, 2.},
            .metrics = {{"tag", {"accuracy"}}},
            .weighted_metrics = {{"tag", {"accuracy"}}, {"price", {"mae"}}},
            .epochs = 3,
            .batch_size = 4,
            .validation_split = 0.2,
            .similar_lengths = true,
            .sample_weight = {{"tag", tag_weights}, {"price", weights}},
            .seed = 4,
            .verbose = Verbose::silent};
  }
  History fit(Model<double>& model, const FitOptions<double>& options) const {
    return model.fit({x, wide}, {price, tags}, options);
  }
};

}  // namespace heed::testing
