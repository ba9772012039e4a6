#pragma once

#include <heed/layers/steps.hpp>
#include <heed/train/metrics.hpp>

namespace heed::detail {

/// Losses and metrics of the steps that count, for outputs whose steps may not all count, p: (N, T, …). The
/// rows that count are put side by side, so that no loss and no metric has to know of masks: their mean is
/// that over what counts, as Keras has it. A batch in which nothing counts has the loss 0.
template <class Scalar>
class CountedRows {
 public:
  /// The loss of a batch; its gradient by p goes to `dp` if given, with zeros for what does not count.
  double loss(const Loss<Scalar>& loss, View<const Scalar> y, View<const Scalar> p, Mask mask,
              View<Scalar> dp = {}) {
    if (!mask) return loss(y, p, dp);
    const auto targets = match_targets(loss.name(), y, p.shape());
    if (dp) dp.array().setZero();
    if (!gather(targets, p, mask)) return 0;
    dp_.resize(p_.shape());
    const double value = loss(y_, p_, dp ? dp_.view() : View<Scalar>{});
    if (dp) {
      for_each_counted(mask, [&](Index row, Index from) {
        std::copy_n(dp_.data() + row * width_, width_, dp.data() + from * width_);
      });
    }
    return value;
  }

  /// Takes a batch for `metric`; returns how many samples' worth of it counts.
  double take(View<const Scalar> y, View<const Scalar> p, Mask mask) {
    given_y_ = y;
    given_p_ = p;
    if (!mask) return static_cast<double>(p.dim(0));
    const auto targets = fit_targets(y, p.shape());
    if (!gather(targets ? targets : y, p, mask)) return 0;
    given_y_ = y_;
    given_p_ = p_;
    return static_cast<double>(p_.dim(0)) / static_cast<double>(mask.dim(1));
  }
  double metric(const Metric<Scalar>& metric) const { return metric(given_y_, given_p_); }

 private:
  /// Calls `use(row, from)` for each step that counts: the row among those, and the step among all.
  template <class Use>
  static void for_each_counted(Mask mask, const Use& use) {
    Index row = 0;
    for (Index from = 0; from < mask.size(); ++from) {
      if (mask.data()[from] != 0) use(row++, from);
    }
  }

  bool gather(View<const Scalar> y, View<const Scalar> p, Mask mask) {
    eigen_assert(p.rank() >= 2 && p.dim(0) == mask.dim(0) && p.dim(1) == mask.dim(1));
    const Index rows = std::count_if(mask.data(), mask.data() + mask.size(),
                                     [](std::uint8_t counts) { return counts != 0; });
    Shape shape{rows};
    for (Index axis = 2; axis < p.rank(); ++axis) shape.push_back(p.dim(axis));
    if (shape.rank() == 1) shape.push_back(1);
    width_ = p.shape().product(2, p.rank());
    y_.resize(shape);
    p_.resize(shape);
    for_each_counted(mask, [&](Index row, Index from) {
      std::copy_n(y.data() + from * width_, width_, y_.data() + row * width_);
      std::copy_n(p.data() + from * width_, width_, p_.data() + row * width_);
    });
    return rows > 0;
  }

  Index width_ = 0;
  Tensor<Scalar> y_, p_, dp_;
  View<const Scalar> given_y_, given_p_;
};

}  // namespace heed::detail
