#pragma once

#include <heed/model/shards.hpp>
#include <heed/train/counted_rows.hpp>
#include <heed/train/history.hpp>
#include <heed/train/metrics.hpp>
#include <heed/train/objective.hpp>

namespace heed::detail {

/// The means of a loss and of metrics over batches: of the loss weighted by samples, of metrics by what
/// counts of them.
template <class Scalar>
class RunningMeans {
 public:
  RunningMeans(std::vector<Metric<Scalar>> metrics, const std::string& prefix)
      : metrics_(std::move(metrics)), names_{prefix + "loss"} {
    for (const Metric<Scalar>& metric : metrics_)
      names_.push_back(free_name(prefix + metric.name()));
    sums_.resize(names_.size() + 1);
  }

  const std::vector<std::string>& names() const { return names_; }

  void reset() {
    samples_ = 0;
    std::fill(sums_.begin(), sums_.end(), 0.0);
  }

  /// One batch: its loss, and what the metrics say of what `objective` gave.
  void add(double loss, const Objective<Scalar>& objective, View<const Scalar> y,
           View<const Scalar> output, Mask mask = {}) {
    const Index samples = output.dim(0);
    samples_ += samples;
    sums_[0] += loss * static_cast<double>(samples);
    if (metrics_.empty()) return;
    const auto predictions = objective.predictions(output, predictions_);
    const double weight = counted_.take(y, predictions, mask);
    if (weight == 0) return;
    sums_.back() += weight;
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
      sums_[i + 1] += counted_.metric(metrics_[i]) * weight;
    }
  }

  // What there is to go on from in the middle of an epoch.
  Index samples() const { return samples_; }
  const std::vector<double>& sums() const { return sums_; }
  void restore(Index samples, const std::vector<double>& sums) {
    samples_ = samples;
    sums_ = sums;
  }

  void write(Logs& logs) const {
    logs.set(names_[0], sums_[0] / static_cast<double>(samples_));
    for (std::size_t i = 1; i < names_.size(); ++i) logs.set(names_[i], sums_[i] / sums_.back());
  }

 private:
  /// Two metrics of a name are told apart by a number.
  std::string free_name(const std::string& base) const {
    std::string name = base;
    for (Index i = 1; std::find(names_.begin(), names_.end(), name) != names_.end(); ++i) {
      name = join(base, "_", i);
    }
    return name;
  }

  std::vector<Metric<Scalar>> metrics_;
  std::vector<std::string> names_;
  std::vector<double> sums_;  ///< of each name, and last of the weights of metrics
  Index samples_ = 0;
  Tensor<Scalar> predictions_;
  CountedRows<Scalar> counted_;
};

/// Adds loss and metrics over all samples, run for inference, to `logs`.
template <class Scalar>
void evaluate(const Objective<Scalar>& objective, View<const Scalar> weights, View<const Scalar> x,
              View<const Scalar> y, Index batch_size, Shards<Scalar>& shards,
              RunningMeans<Scalar>& means, Logs& logs) {
  means.reset();
  CountedRows<Scalar> counted;
  for (Index first = 0; first < x.dim(0); first += batch_size) {
    const Index count = (std::min)(batch_size, x.dim(0) - first);
    const auto targets = y.samples(first, count);
    const auto output = shards.forward(objective.graph(), weights, x.samples(first, count), {});
    const Mask mask = shards.mask(objective.graph());
    const double loss = counted.loss(objective.loss(), targets, output, mask);
    means.add(loss, objective, targets, output, mask);
  }
  means.write(logs);
}

}  // namespace heed::detail
