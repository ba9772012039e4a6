#pragma once

#include <heed/train/batch_loss.hpp>
#include <heed/train/batches.hpp>
#include <heed/train/history.hpp>

namespace heed::detail {

/// What is measured of one output.
template <class Scalar>
struct OutputMetrics {
  std::vector<Metric<Scalar>> metrics;
  std::vector<Metric<Scalar>> weighted;  ///< by the weights of the samples
};

/// The metrics of all outputs. Throws `OptionError` for one that cannot be meant for its output.
template <class Scalar>
std::vector<OutputMetrics<Scalar>> output_metrics(const Graph<Scalar>& network,
                                                  const Metrics<Scalar>& metrics,
                                                  const Metrics<Scalar>& weighted) {
  auto plain = metrics_by_output(network, metrics);
  auto by_weight = metrics_by_output(network, weighted);
  std::vector<OutputMetrics<Scalar>> all;
  for (std::size_t k = 0; k < plain.size(); ++k) {
    all.push_back({std::move(plain[k]), std::move(by_weight[k])});
  }
  return all;
}

/// The means of losses and metrics over batches: of losses weighted by samples, of metrics by the samples or
/// steps that count in them. With several outputs each has its own, `price_loss`, `price_mae`. Names are Keras's: a metric
/// with weights that is there without them, too, is `weighted_mae`.
template <class Scalar>
class RunningMeans {
 public:
  RunningMeans(const Objective<Scalar>& objective, std::vector<OutputMetrics<Scalar>> metrics,
               const std::string& prefix)
      : metrics_(std::move(metrics)),
        names_{prefix + "loss"},
        predictions_(metrics_.size()),
        rows_(metrics_.size()) {
    const auto& terms = objective.terms();
    const bool several = terms.size() > 1;
    for (std::size_t k = 0; several && k < terms.size(); ++k) {
      names_.push_back(free_name(join(prefix, terms[k].name, "_loss")));
    }
    for (std::size_t k = 0; k < terms.size(); ++k) {
      const std::string front = prefix + (several ? terms[k].name + "_" : "");
      for (const auto& metric : metrics_[k].metrics)
        names_.push_back(free_name(front + metric.name()));
      for (const auto& metric : metrics_[k].weighted) {
        const std::string name = front + metric.name();
        names_.push_back(is_taken(name) ? free_name(front + "weighted_" + metric.name()) : name);
      }
    }
    sums_.resize(2 * names_.size());
  }

  const std::vector<std::string>& names() const { return names_; }

  void reset() { std::fill(sums_.begin(), sums_.end(), 0.0); }

  /// One batch: its loss, and what there is to say of what `objective` gave. Of windows of time, which may be
  /// shorter at the end, each counts by its steps.
  void add(double loss, const Objective<Scalar>& objective, const BatchLoss<Scalar>& batch,
           Index window = 0) {
    const auto& outputs = batch.outputs();
    std::size_t place = 0;
    const auto add_mean = [&](double mean, double counted) {
      sums_[place++] += mean * counted;
      sums_[place++] += counted;
    };
    const auto loss_weight = [&](std::size_t k) {
      return window == 0 ? static_cast<double>(batch.samples()) : outputs[k].rows.count();
    };
    add_mean(loss, loss_weight(0));
    for (std::size_t k = 0; outputs.size() > 1 && k < outputs.size(); ++k) {
      add_mean(outputs[k].loss, loss_weight(k));
    }
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const auto& [metrics, weighted] = metrics_[k];
      if (metrics.empty() && weighted.empty()) continue;
      const auto& output = outputs[k];
      auto& rows = rows_[k];
      rows.take(metrics.empty() ? weighted[0].name() : metrics[0].name(), output.y,
                objective.predictions(output.given, predictions_[k], k), output.mask,
                output.weight);
      for (const auto& metric : metrics) add_mean(rows.metric(metric), rows.count());
      for (const auto& metric : weighted) {
        add_mean(rows.weighted_metric(metric), rows.weights());
      }
    }
  }

  // What there is to go on from in the middle of an epoch.
  /// For each name a sum, and the sum of the weights in it.
  const std::vector<double>& sums() const { return sums_; }
  void restore(const std::vector<double>& sums) { sums_ = sums; }

  void write(Logs& logs) const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const double weight = sums_[2 * i + 1];
      logs.set(names_[i], weight == 0 ? 0 : sums_[2 * i] / weight);
    }
  }

 private:
  bool is_taken(const std::string& name) const {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  }

  /// Two metrics of a name are told apart by a number.
  std::string free_name(const std::string& base) const {
    std::string name = base;
    for (Index i = 1; is_taken(name); ++i) name = join(base, "_", i);
    return name;
  }

  std::vector<OutputMetrics<Scalar>> metrics_;
  std::vector<std::string> names_;
  std::vector<double> sums_;
  std::vector<Tensor<Scalar>> predictions_;
  std::vector<CountedRows<Scalar>> rows_;
};

/// Calls `use(batch)` for each window of a batch, one after the other; for the batch itself if there are none.
template <class Scalar, class Use>
void for_each_window(Batches<Scalar>& batches, Index step, Index window, const Use& use) {
  if (window == 0) return use(batches.batch(step));
  const Index windows = batches.windows(step, window);
  for (Index i = 0; i < windows; ++i) use(batches.batch(step, {i * window, window}));
}

/// Adds losses and metrics over all samples, run for inference, to `logs`.
template <class Scalar>
void evaluate(const Objective<Scalar>& objective, View<const Scalar> weights,
              Batches<Scalar>& batches, Index window, Shards<Scalar>& shards,
              BatchLoss<Scalar>& loss, RunningMeans<Scalar>& means, Logs& logs) {
  means.reset();
  shards.reset_states();
  for (Index step = 0; step < batches.steps(); ++step) {
    if (window > 0) shards.reset_states();
    for_each_window(batches, step, window, [&](const Batch<Scalar>& batch) {
      shards.forward(objective.graph(), weights, batch.inputs, {});
      loss.take(objective, shards, batch);
      means.add(loss.value(objective), objective, loss, window);
    });
  }
  means.write(logs);
}

}  // namespace heed::detail
