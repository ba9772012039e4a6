#pragma once

#include <heed/io/checkpoint.hpp>
#include <heed/train/early_stopping.hpp>

#include "../support/networks.hpp"
#include "small.hpp"

namespace heed::fuzzing {

using testing::small_network;

/// Two epochs of two steps, with a callback that remembers weights.
inline History train(Model<float>& model, FitOptions<float> options) {
  static const auto x = some_numbers<float>({3, 3, 2}), y = some_numbers<float>({3, 1});
  options.loss = MeanSquaredError{};
  options.epochs = 2;
  options.batch_size = 2;
  options.callbacks.push_back(EarlyStopping{.monitor = "loss", .restore_best_weights = true});
  options.verbose = Verbose::silent;
  return model.fit(x, y, options);
}

}  // namespace heed::fuzzing
