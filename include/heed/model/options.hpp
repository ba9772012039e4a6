#pragma once

#include <cstdint>

#include <heed/tensor/shape.hpp>

namespace heed {

/// How `Model::build` makes weights.
struct BuildOptions {
  std::uint64_t seed = 0;
};

/// How `Model::predict` and `Model::activations` run.
struct PredictOptions {
  Index batch_size = 32;  ///< how many samples at a time go through the layers, on each thread
  /// How many threads share the samples: at least 1, which is the caller alone. They are made by the
  /// call and end with it. The result has the same bits with any number of threads.
  Index threads = 1;
};

/// How long a model has been trained since it was built, by all calls of `fit` together. Orders of
/// samples and what layers draw go on from there, so that `fit` in a loop repeats neither.
struct Trained {
  std::uint64_t epochs = 0;   ///< those that were begun
  std::uint64_t updates = 0;  ///< those that were made

  bool operator==(const Trained&) const = default;
};

// Training is in a later room; heed/train/fit.hpp defines what is declared here.
template <class Scalar>
struct FitOptions;
template <class Scalar>
struct EvaluateOptions;
class History;
class Logs;

}  // namespace heed
