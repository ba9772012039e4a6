#pragma once

#include <heed/layers/steps.hpp>
#include <heed/train/metrics.hpp>

namespace heed::detail {

/// The loss and metrics of one output p: (N, …), with an optional mask of its steps and optional
/// weights of its samples. The rows that are not masked are copied to consecutive memory, so losses
/// and metrics need no code for masks and weights.
///
/// As in Keras, a loss is the sum of weights times losses, divided by the number of rows that are
/// not masked. A weighted metric is divided by the sum of the weights. If all rows are masked, both
/// are 0.
template <class Scalar>
class CountedRows {
 public:
  /// Takes a model's output p and its targets y, which must outlive the use of this object.
  /// `weight` is (N), or (N, T) for p: (N, T, …); false: all weights are 1. Throws `ShapeError`,
  /// with `what` in front, for targets and weights of another shape. Targets may be class numbers,
  /// for losses and metrics that take these.
  void take(std::string_view what, View<const Scalar> y, View<const Scalar> p, Mask mask = {},
            View<const Scalar> weight = {}) {
    y_ = fit_targets(y, p.shape());
    const Shape class_numbers = p.shape().with_last(1);
    if (!y_) y_ = fit_targets(y, class_numbers);
    if (!y_) y_ = match_targets(what, y, p.shape());
    p_ = p;
    weight_ = weight;
    mask_ = mask;
    if (weight) check_weight(what);
    const double steps = p.rank() > 2 ? static_cast<double>(p.dim(1)) : 1;
    steps_per_weight_ = weight && weight.rank() == 1 ? steps : 1;
    count_ = static_cast<double>(p.dim(0)) * steps;
    if (mask) gather();
  }

  /// The mean loss. Writes its gradient of p to `dp` if given, with zeros for masked rows.
  double loss(const Loss<Scalar>& loss, View<Scalar> dp = {}) {
    if (!mask_) return mean(loss, dp);
    if (dp) dp.array().setZero();
    if (p_.dim(0) == 0) return 0;
    if (!dp) return mean(loss, {});
    dp_.resize(p_.shape());
    const double value = mean(loss, dp_);
    for_each_counted([&](Index row, Index from) {
      std::copy_n(dp_.data() + row * width_, width_, dp.data() + from * width_);
    });
    return value;
  }

  /// The mean of a metric, without weights.
  double metric(const Metric<Scalar>& metric) const { return p_.dim(0) == 0 ? 0 : metric(y_, p_); }
  /// The number of steps that are not masked, or of samples if there are no steps. It is the weight of
  /// these means in a mean over batches.
  double count() const { return count_; }

  /// The weighted mean of a metric.
  double weighted_metric(const Metric<Scalar>& metric) const {
    const double all = sum_of_weights();
    if (!weight_ || all == 0) return all == 0 ? 0 : metric(y_, p_);
    double sum = 0;
    for_each_weight([&](double weight, View<const Scalar> y, View<const Scalar> p, Index) {
      sum += weight * metric(y, p);
    });
    return sum / all;
  }
  /// The sum of the weights of all steps that are not masked, or of all samples if there are no steps.
  /// It is the weight of these means in a mean over batches.
  double weights() const { return sum_of_weights() * steps_per_weight_; }

 private:
  double sum_of_weights() const {
    if (!weight_) return count_;
    double sum = 0;
    for (const Scalar weight : weight_.values()) sum += static_cast<double>(weight);
    return sum;
  }

  void check_weight(std::string_view what) const {
    const Shape &weight = weight_.shape(), &p = p_.shape();
    const bool fits = !weight.empty() && weight.rank() < (std::min)(p.rank(), Index{3}) &&
                      std::equal(weight.begin(), weight.end(), p.begin());
    check<ShapeError>(fits, what, ": expected a sample_weight of (", p[0], ")",
                      p.rank() > 2 ? join(" or (", p[0], ", ", p[1], ")") : "",
                      " for predictions of ", p, ", got ", weight);
  }

  /// Calls `use(row, from)` for each step that is not masked: `row` is its index among these steps,
  /// `from` its index among all steps.
  template <class Use>
  void for_each_counted(const Use& use) const {
    Index row = 0;
    for (Index from = 0; from < mask_.size(); ++from) {
      if (mask_.data()[from] != 0) use(row++, from);
    }
  }

  void gather() {
    const View<const Scalar> y = y_, p = p_, weight = weight_;
    eigen_assert(p.rank() >= 2 && p.dim(0) == mask_.dim(0) && p.dim(1) == mask_.dim(1));
    const Index rows = std::count_if(mask_.data(), mask_.data() + mask_.size(),
                                     [](std::uint8_t counts) { return counts != 0; });
    Shape shape{rows};
    for (Index axis = 2; axis < p.rank(); ++axis) shape.push_back(p.dim(axis));
    if (shape.rank() == 1) shape.push_back(1);
    width_ = p.shape().product(2, p.rank());
    const Index y_width = y.shape().product(2, y.rank());
    y_memory_.resize(shape.with_last(y.shape() == p.shape() ? shape.back() : 1));
    p_memory_.resize(shape);
    for_each_counted([&](Index row, Index from) {
      std::copy_n(y.data() + from * y_width, y_width, y_memory_.data() + row * y_width);
      std::copy_n(p.data() + from * width_, width_, p_memory_.data() + row * width_);
    });
    y_ = y_memory_;
    p_ = p_memory_;
    count_ = static_cast<double>(rows);
    if (!weight) return;
    const Index steps = weight.rank() == 1 ? mask_.dim(1) : 1;  // that have the same weight
    weight_memory_.resize({rows});
    for_each_counted(
        [&](Index row, Index from) { weight_memory_.data()[row] = weight.data()[from / steps]; });
    weight_ = weight_memory_;
    steps_per_weight_ = 1;
  }

  /// Calls `use(weight, y, p, offset)` for each weight, with the targets and predictions that it
  /// applies to, as a batch of one sample. Their numbers begin at `offset`.
  template <class Use>
  void for_each_weight(const Use& use) const {
    Shape shape{1};
    for (Index axis = weight_.rank(); axis < p_.rank(); ++axis) shape.push_back(p_.dim(axis));
    const Index size = shape.size();
    const Shape y_shape = y_.shape() == p_.shape() ? shape : shape.with_last(1);
    const Index y_size = y_shape.size();
    for (Index i = 0; i < weight_.size(); ++i) {
      const auto weight = static_cast<double>(weight_.data()[i]);
      use(weight, View<const Scalar>(y_.data() + i * y_size, y_shape),
          View<const Scalar>(p_.data() + i * size, shape), i * size);
    }
  }

  double mean(const Loss<Scalar>& loss, View<Scalar> dp) const {
    if (!weight_) return loss(y_, p_, dp);
    double sum = 0;
    const auto count = static_cast<double>(weight_.size());
    for_each_weight([&](double weight, View<const Scalar> y, View<const Scalar> p, Index offset) {
      const View<Scalar> part = dp ? View<Scalar>(dp.data() + offset, p.shape()) : View<Scalar>{};
      sum += weight * loss(y, p, part);
      if (part) part.array() *= static_cast<Scalar>(weight / count);
    });
    return sum / count;
  }

  View<const Scalar> y_, p_, weight_;
  Mask mask_;
  double count_ = 0, steps_per_weight_ = 1;
  Index width_ = 0;
  Tensor<Scalar> y_memory_, p_memory_, weight_memory_, dp_;
};

}  // namespace heed::detail
