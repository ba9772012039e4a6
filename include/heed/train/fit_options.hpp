#pragma once

#include <heed/train/data.hpp>
#include <heed/train/metrics.hpp>
#include <heed/train/objective.hpp>
#include <heed/train/optimizer.hpp>
#include <heed/train/progress.hpp>
#include <heed/train/snapshot.hpp>

namespace heed {

/// How `Model::fit` trains: Keras's arguments of `compile` and `fit`, with their names and, but for
/// the optimizer, their defaults.
template <class Scalar>
struct FitOptions {
  Losses<Scalar> loss =
      {};  ///< has to be given: one, a list for several outputs, or by their names
  NamedList<double> loss_weights = {};   ///< how much the loss of each output counts; 1 if left out
  Optimizer<Scalar> optimizer = Adam{};  ///< begins anew, unless training is resumed
  Metrics<Scalar> metrics = {};
  Metrics<Scalar> weighted_metrics = {};  ///< means by `sample_weight` and `class_weight`
  Index epochs = 1;
  Index batch_size = 32;
  double validation_split = 0;           ///< the share of samples, the last ones, not trained on
  Dataset<Scalar> validation_data = {};  ///< `{x, y}` or `{x, y, weight}`; in place of a split
  /// Trains on windows of so many time steps, one after the other, for sequences that are too long to be
  /// unrolled: states are carried from window to window, gradients are not. An update follows each window;
  /// a batch is done with its last one, and the next batch begins with zeros. The model needs an output
  /// for each step, and inputs of any length. 0: whole sequences.
  Index window = 0;
  bool shuffle = true;  ///< a new order in each epoch
  /// Puts samples of similar length into a batch, so that little is padded. Samples are sorted among a hundred
  /// batches at a time, and the batches then come in a new order in each epoch.
  bool similar_lengths = false;
  /// How much each sample counts in the loss, (N), or each of its steps, (N, T), at least 0; of each output
  /// if there are several. The loss is the sum of weights times losses over how many there are.
  Columns<Scalar> sample_weight = {};
  /// How much samples, or steps, of each class count, from class 0 on; a class is the place of a row's 1, or a
  /// target of one number. For a model of one output, and in place of a `sample_weight`.
  std::vector<double> class_weight = {};
  std::uint64_t seed = 0;  ///< of the orders, and of what layers draw
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
  Losses<Scalar> loss = {};  ///< has to be given
  NamedList<double> loss_weights = {};
  Metrics<Scalar> metrics = {};
  Metrics<Scalar> weighted_metrics = {};
  Columns<Scalar> sample_weight = {};  ///< see `FitOptions::sample_weight`
  Index window = 0;  ///< see `FitOptions::window`; the results are the same, in less memory
  Index batch_size = 32;
  Index threads = 1;  ///< see `FitOptions::threads`; the result does not depend on it
};

}  // namespace heed
