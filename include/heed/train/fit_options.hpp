#pragma once

#include <heed/train/batches.hpp>
#include <heed/train/metrics.hpp>
#include <heed/train/optimizer.hpp>
#include <heed/train/progress.hpp>
#include <heed/train/snapshot.hpp>

namespace heed {

/// How `Model::fit` trains: Keras's arguments of `compile` and `fit`, with their names and, but for
/// the optimizer, their defaults.
template <class Scalar>
struct FitOptions {
  Loss<Scalar> loss = {};                ///< has to be given
  Optimizer<Scalar> optimizer = Adam{};  ///< begins anew, unless training is resumed
  std::vector<Metric<Scalar>> metrics = {};
  Index epochs = 1;
  Index batch_size = 32;
  double validation_split = 0;           ///< the share of samples, the last ones, not trained on
  Dataset<Scalar> validation_data = {};  ///< `{x, y}`; takes the place of a split
  bool shuffle = true;                   ///< a new order in each epoch
  std::uint64_t seed = 0;                ///< of the orders, and of what layers draw
  /// How many threads work on a batch, each on samples of its own: at least 1, which is the caller
  /// alone. The optimizer, metrics and callbacks run on the calling thread. Runs with the same number
  /// give the same bits. With another number predictions, losses and metrics of the same weights keep
  /// their bits, and so do random numbers; but gradients are summed thread by thread, so that trained
  /// weights differ by rounding.
  Index threads = 1;
  std::vector<Callback<Scalar>> callbacks = {};
  /// The path of a file that a `Checkpoint` wrote, which `#include <heed/io.hpp>` allows, or
  /// a `TrainingSnapshot`: training goes on from there; see `ResumeFrom`.
  ResumeFrom<Scalar> resume_from = {};
  Verbose verbose = Verbose::automatic;
  std::ostream* output = nullptr;  ///< where progress is shown; stdout if none is given
};

template <class Scalar>
struct EvaluateOptions {
  Loss<Scalar> loss = {};  ///< has to be given
  std::vector<Metric<Scalar>> metrics = {};
  Index batch_size = 32;
  Index threads = 1;  ///< see `FitOptions::threads`; the result does not depend on it
};

}  // namespace heed
