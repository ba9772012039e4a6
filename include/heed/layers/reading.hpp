#pragma once

#include <heed/layers/layer.hpp>
#include <heed/math/product.hpp>

// Converts between a batch, (N, T, …), and the rows that a recurrent layer works on: one row for
// each unmasked step, ordered by step. Masks, direction and dropout are handled only here.

namespace heed::detail {

/// The order in which a recurrent layer reads the steps of a batch. Its k-th step has a row for
/// each sample with more than k steps; row r always belongs to the same sample. With a mask, the
/// samples with the most steps come first, so the rows of a step are the first rows of the previous
/// step.
class Reading {
 public:
  Reading(const Shape& x, Steps steps, bool backwards)
      : steps_(steps), samples_(x[0]), length_(x[1]), backwards_(backwards) {}

  bool masked() const { return bool(steps_); }
  bool backwards() const { return backwards_; }
  Index samples() const { return samples_; }
  /// The number of steps of the input, including masked ones.
  Index length() const { return length_; }
  /// The largest number of steps that is read for a sample.
  Index steps() const { return steps_ ? steps_->longest() : length_; }
  Index rows(Index k) const { return steps_ ? steps_->rows(k) : samples_; }
  /// The number of rows of all steps before the k-th.
  Index first(Index k) const { return steps_ ? steps_->first(k) : k * samples_; }
  Index total() const { return first(steps()); }

  Index sample(Index r) const { return steps_ ? steps_->sample(r) : r; }
  /// The number of steps that are read for the sample in row r.
  Index length(Index r) const { return steps_ ? steps_->length(sample(r)) : length_; }
  /// The step of sample `n` that is read k-th.
  Index time(Index n, Index k) const {
    if (!steps_) return in_turn(k);
    return steps_->step(n, backwards_ ? steps_->length(n) - 1 - k : k);
  }
  /// The step of the input that is read at position `i` if no step is masked; its output is step
  /// `i` of y.
  Index in_turn(Index i) const { return backwards_ ? length_ - 1 - i : i; }
  bool counts(Index n, Index t) const { return steps_.counts(n, t); }

  /// Whether the last output of sample `n` is that of its last unmasked step. Like Keras, returns
  /// zeros instead for a sample in which all steps are masked, and, with `zero_output_for_mask`,
  /// also if the very last step is masked.
  bool gives_last(Index n, bool zero_output_for_mask) const {
    if (!steps_) return true;
    return steps_->length(n) > 0 && (!zero_output_for_mask || counts(n, in_turn(length_ - 1)));
  }

  /// The end of a block of steps from k on, with enough rows for a fast product but not more than
  /// fit in the cache.
  Index block_end(Index k, Index most_rows) const {
    Index end = k + 1;
    while (end < steps() && first(end + 1) - first(k) <= most_rows) ++end;
    return end;
  }
  Index block_begin(Index end, Index most_rows) const {
    Index begin = end - 1;
    while (begin > 0 && first(end) - first(begin - 1) <= most_rows) --begin;
    return begin;
  }

  /// Calls `use(row, n, t)` for each row of the steps from `begin` to `end`.
  template <class Use>
  void for_each(Index begin, Index end, const Use& use) const {
    for (Index k = begin; k < end; ++k) {
      for (Index r = 0; r < rows(k); ++r) use(first(k) + r, sample(r), time(sample(r), k));
    }
  }

 private:
  Steps steps_;
  Index samples_, length_;
  bool backwards_;
};

/// Copies x: (N, T, D) to one row for each unmasked step, to: (R, D).
template <class S>
void gather_steps(const Reading& reading, View<const S> x, Tensor<S>& to) {
  const Index N = reading.samples(), D = x.dim(2);
  if (!reading.masked()) {
    for (Index k = 0; k < reading.steps(); ++k) {
      MatrixMap<S>(to.data() + k * N * D, N, D) = x.step(reading.in_turn(k));
    }
    return;
  }
  reading.for_each(0, reading.steps(), [&](Index row, Index n, Index t) {
    std::copy_n(x.data() + (n * x.dim(1) + t) * D, D, to.data() + row * D);
  });
}

/// Its backward pass for the steps from `begin` to `end`, whose rows are in `from`. Other steps are
/// not changed.
template <class S>
void scatter_steps(const Reading& reading, Index begin, Index end, const Tensor<S>& from,
                   View<S> dx) {
  const Index N = reading.samples(), D = dx.dim(2), first = reading.first(begin);
  if (!reading.masked()) {
    for (Index k = begin; k < end; ++k) {
      dx.step(reading.in_turn(k)) = MatrixMap<const S>(from.data() + (k - begin) * N * D, N, D);
    }
    return;
  }
  reading.for_each(begin, end, [&](Index row, Index n, Index t) {
    std::copy_n(from.data() + (row - first) * D, D, dx.data() + (n * dx.dim(1) + t) * D);
  });
}

/// Writes y: (N, T, U) from the outputs h: (R, U) of the unmasked steps. A masked step repeats the
/// output of the last unmasked step before it, or zeros if there is none.
template <class S>
void scatter_outputs(const Reading& reading, MatrixMap<const S> h, bool zero, View<S> y) {
  const Index T = reading.length();
  for (Index r = 0; r < reading.samples(); ++r) {
    const Index n = reading.sample(r);
    auto y_n = y.slice(n);
    for (Index i = 0, k = 0; i < T; ++i) {
      if (reading.counts(n, reading.in_turn(i))) {
        y_n.row(i) = h.row(reading.first(k++) + r);
      } else if (i == 0 || zero) {
        y_n.row(i).setZero();
      } else {
        y_n.row(i) = y_n.row(i - 1);
      }
    }
  }
}

/// Its backward pass: the gradient of a masked step is added to that of the last unmasked step
/// before it.
template <class S>
void gather_gradients(const Reading& reading, View<const S> dy, bool zero, MatrixMap<S> dh) {
  const Index T = reading.length();
  dh.setZero();
  for (Index r = 0; r < reading.samples(); ++r) {
    const Index n = reading.sample(r);
    const auto dy_n = dy.slice(n);
    for (Index i = 0, k = 0; i < T; ++i) {
      const bool counts = reading.counts(n, reading.in_turn(i));
      if (counts) ++k;
      if (counts || (k > 0 && !zero)) dh.row(reading.first(k - 1) + r) += dy_n.row(i);
    }
  }
}

/// Writes y: (N, U), the output of the last step of each sample.
template <class S>
void scatter_last(const Reading& reading, MatrixMap<const S> h, bool zero, View<S> y) {
  for (Index r = 0; r < reading.samples(); ++r) {
    const Index n = reading.sample(r);
    if (reading.gives_last(n, zero)) {
      y.matrix().row(n) = h.row(reading.first(reading.length(r) - 1) + r);
    } else {
      y.matrix().row(n).setZero();
    }
  }
}

/// Draws one dropout mask for each sample, in the order of rows: 0 or 1 / (1 − rate), mask: (N,
/// width). Empty if nothing is dropped. With recurrent dropout, Keras draws one mask for each gate;
/// here all gates share one mask of the state.
template <class S>
void draw_masks(double rate, Index width, const Pass& pass, const Reading& reading,
                std::uint64_t which, Tensor<S>& mask) {
  if (!pass.training || rate == 0) {
    mask.resize({0, width});
    return;
  }
  mask.resize({reading.samples(), width});
  const S scale = static_cast<S>(1 / (1 - rate));
  Pass own = pass;
  own.seed += which;  // a layer has several masks, which must differ
  for (Index r = 0; r < reading.samples(); ++r) {
    Random random = own.random(reading.sample(r));
    for (Index i = 0; i < width; ++i) {
      mask.data()[r * width + i] = random.uniform() < rate ? S{0} : scale;
    }
  }
}

/// The rows of the steps from `begin` to `end`, multiplied by the masks of their samples.
template <class S>
void mask_steps(const Reading& reading, Index begin, Index end, const Tensor<S>& mask,
                Tensor<S>& rows) {
  const Index width = mask.dim(1);
  for (Index k = begin; k < end; ++k) {
    const Index size = reading.rows(k) * width;
    ArrayMap<S>(rows.data() + (reading.first(k) - reading.first(begin)) * width, size) *=
        ArrayMap<const S>(mask.data(), size);
  }
}

/// Some rows of a buffer as a time step.
template <class S>
StridedMap<S> as_step(MatrixMap<S> rows) {
  return {rows.data(), rows.rows(), rows.cols(), Eigen::OuterStride<>(rows.cols())};
}

}  // namespace heed::detail
