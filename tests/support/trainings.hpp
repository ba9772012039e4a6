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

}  // namespace heed::testing
