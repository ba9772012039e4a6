#pragma once

#include <heed/tensor/sequences.hpp>

namespace heed {

/// Where `pad_sequences` puts padding: before a sequence, or after it.
enum class Padding { pre, post };

/// Which steps `pad_sequences` takes away from a sequence that is too long: the first ones, or the last.
enum class Truncating { pre, post };

/// Keras's arguments of `pad_sequences`, with their names and defaults.
struct PadOptions {
  Index maxlen = any;              ///< how many steps all get; `any`: as many as the longest has
  Padding padding = Padding::pre;  ///< where padding goes
  Truncating truncating = Truncating::pre;  ///< which steps go from a sequence that is too long
  double value = 0;                         ///< of the padding
};

/// Sequences of unequal length as one tensor, (samples, maxlen, …): those that are shorter are padded with
/// `value`, those that are longer lose steps. Throws `OptionError` for a maxlen below 1.
///
///     const auto x = pad_sequences<float>(sentences, {.maxlen = 100});   // (samples, 100)
///
/// Keras: `utils.pad_sequences`, whose dtype is `Scalar` here. It pads before each sequence unless it is told
/// not to, and so does this. A model that is given `Sequences` needs none of it.
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

/// The same of a list of tensors, each (steps, …), or of lists of numbers; see `Sequences`.
template <class Scalar, detail::SequenceList<Scalar> List>
Tensor<Scalar> pad_sequences(const List& list, const PadOptions& options = {}) {
  return pad_sequences(Sequences<Scalar>(list), options);
}

}  // namespace heed
