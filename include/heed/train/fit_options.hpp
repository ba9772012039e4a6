#pragma once

#include <heed/train/data.hpp>
#include <heed/train/metrics.hpp>
#include <heed/train/objective.hpp>
#include <heed/train/optimizer.hpp>
#include <heed/train/progress.hpp>
#include <heed/train/snapshot.hpp>

namespace heed {

/// Options of `Model::fit`: Keras's arguments of `compile` and `fit`, with the same names and,
/// except for the optimizer, the same defaults.
template <class Scalar>
struct FitOptions {
  Losses<Scalar> loss =
      {};  ///< required: one loss, or for several outputs a list or a list by names
  NamedList<double> loss_weights = {};   ///< the weight of the loss of each output; 1 if left out
  Optimizer<Scalar> optimizer = Adam{};  ///< starts anew unless training is resumed
  Metrics<Scalar> metrics = {};
  Metrics<Scalar> weighted_metrics = {};  ///< weighted by `sample_weight` and `class_weight`
  Index epochs = 1;
  Index batch_size = 32;
  double validation_split = 0;  ///< the share of samples, from the end, used for validation
  Dataset<Scalar> validation_data = {};  ///< `{x, y}` or `{x, y, weight}`, instead of a split
  /// The number of time steps in a window, for truncated backpropagation through time: sequences
  /// that are too long to be unrolled are trained window by window, and states are carried from
  /// window to window, but gradients are not. Each window is followed by an update. Each batch
  /// begins with states of zeros. The model needs an output for each step and inputs of any length.
  /// 0: whole sequences.
  Index window = 0;
  bool shuffle = true;  ///< whether each epoch has a new order
  /// Puts samples of similar length into the same batch, so that less padding is needed. Samples
  /// are sorted within groups of a hundred batches. With `shuffle`, the batches of each epoch are
  /// shuffled afterwards.
  bool similar_lengths = false;
  /// The weight of each sample in the loss, (N), or of each of its steps, (N, T), at least 0; one
  /// for each output if there are several. The loss is the sum of weights times losses, divided by
  /// the number of samples or steps, not by the sum of the weights.
  Columns<Scalar> sample_weight = {};
  /// The weights of samples, or steps, of each class, from class 0 on. The class is the position of
  /// the 1 in a row, or the target itself if it is one number. Only for models with one output, and
  /// instead of a `sample_weight`.
  std::vector<double> class_weight = {};
  std::uint64_t seed = 0;  ///< for the order of the samples and the random numbers of layers
  /// The number of threads that share the samples of a batch. 1: only the calling thread. The
  /// optimizer, metrics and callbacks always run on the calling thread. Runs with the same number
  /// of threads give the same bits. With another number, the predictions, losses and metrics of the
  /// same weights keep their bits, and so do random numbers. Gradients, however, are summed thread
  /// by thread, so that trained weights differ by rounding.
  Index threads = 1;
  std::vector<Callback<Scalar>> callbacks = {};
  /// The path of a file that a `Checkpoint` wrote, with `#include <heed/io.hpp>`, or a
  /// `TrainingSnapshot`, from which training continues; see `ResumeFrom`.
  ResumeFrom<Scalar> resume_from = {};
  Verbose verbose = Verbose::automatic;
  std::ostream* output = nullptr;  ///< the stream for progress; stdout if none is given
};

template <class Scalar>
struct EvaluateOptions {
  Losses<Scalar> loss = {};             ///< required
  NamedList<double> loss_weights = {};  ///< see `FitOptions::loss_weights`
  Metrics<Scalar> metrics = {};
  Metrics<Scalar> weighted_metrics = {};  ///< see `FitOptions::weighted_metrics`
  Columns<Scalar> sample_weight = {};     ///< see `FitOptions::sample_weight`
  Index window = 0;  ///< see `FitOptions::window`; needs less memory and gives the same results
  Index batch_size = 32;
  Index threads = 1;  ///< see `FitOptions::threads`; the result does not depend on it
};

}  // namespace heed
