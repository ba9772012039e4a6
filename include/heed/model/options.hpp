#pragma once

#include <cstdint>

#include <heed/tensor/shape.hpp>

namespace heed {

/// Options of `Model::build`.
struct BuildOptions {
  std::uint64_t seed = 0;
};

/// Options of `Model::predict` and `Model::activations`.
struct PredictOptions {
  Index batch_size = 32;  ///< the number of samples in a batch, on each thread
  /// The number of threads that share the samples. 1: only the calling thread. Other threads are
  /// started by the call and end with it. The result has the same bits for any number of threads.
  Index threads = 1;
};

/// How long a model has been trained by all calls of `fit` since it was built. The order of the
/// samples and the random numbers of layers continue from there, so that repeated calls of `fit` do
/// not repeat them.
struct Trained {
  std::uint64_t epochs = 0;   ///< the number of epochs begun
  std::uint64_t updates = 0;  ///< the number of updates made

  bool operator==(const Trained&) const = default;
};

// heed/train/fit.hpp, in a later room, defines these.
template <class Scalar>
struct FitOptions;
template <class Scalar>
struct EvaluateOptions;
class History;
class Logs;

}  // namespace heed
