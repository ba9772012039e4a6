#pragma once

#include <heed/tensor/sequences.hpp>

namespace heed {

/// Whether `pad_sequences` pads before or after a sequence.
enum class Padding { pre, post };

/// Whether `pad_sequences` removes the first or the last steps of a sequence that is too long.
enum class Truncating { pre, post };

/// The arguments of Keras's `pad_sequences`, with the same names and defaults.
struct PadOptions {
  Index maxlen = any;  ///< the number of steps of the result; `any`: that of the longest
  Padding padding = Padding::pre;           ///< where padding is added
  Truncating truncating = Truncating::pre;  ///< which steps longer sequences lose
  double value = 0;                         ///< of padded steps
};

/// Sequences of unequal length as one tensor, (samples, maxlen, …). Shorter sequences are padded
/// with `value`, longer ones are truncated. Throws `OptionError` for a maxlen below 1.
///
///     const auto x = pad_sequences<float>(sentences, {.maxlen = 100});   // (samples, 100)
///
/// Keras: `utils.pad_sequences`, whose dtype is `Scalar` here. As in Keras, padding is added before
/// each sequence by default. A model that is given `Sequences` does not need this function.
template <class Scalar>
Tensor<Scalar> pad_sequences(const Sequences<Scalar>& sequences, const PadOptions& options = {}) {
  check<OptionError>(options.maxlen >= 1 || options.maxlen == any,
                     "pad_sequences: expected a maxlen of at least 1, got ", options.maxlen);
  const Index maxlen = options.maxlen == any ? sequences.longest() : options.maxlen;
  const Index width = sequences.step_shape().size();
  Tensor<Scalar> x(sequences.step_shape().batch(maxlen).batch(sequences.samples()));
  x.array().setConstant(static_cast<Scalar>(options.value));
  for (Index n = 0; n < sequences.samples(); ++n) {
    const Index kept = (std::min)(sequences.steps(n), maxlen);
    const Index from = options.truncating == Truncating::pre ? sequences.steps(n) - kept : 0;
    const Index to = options.padding == Padding::pre ? maxlen - kept : 0;
    std::copy_n(sequences[n].data() + from * width, kept * width,
                x.data() + (n * maxlen + to) * width);
  }
  return x;
}

/// The same for a list of tensors, each (steps, …), or of lists of numbers; see `Sequences`.
template <class Scalar, detail::SequenceList<Scalar> List>
Tensor<Scalar> pad_sequences(const List& list, const PadOptions& options = {}) {
  return pad_sequences(Sequences<Scalar>(list), options);
}

}  // namespace heed
