#pragma once

#include <heed/model/shards.hpp>
#include <heed/train/counted_rows.hpp>
#include <heed/train/data.hpp>
#include <heed/train/objective.hpp>

namespace heed::detail {

/// The loss of one batch over all outputs of a network.
template <class Scalar>
class BatchLoss {
 public:
  /// What belongs to one output.
  struct Output {
    View<const Scalar> given;   ///< what the objective's graph gave: (N, …)
    View<const Scalar> y;       ///< its targets
    View<const Scalar> weight;  ///< of samples or steps; false: all weigh 1
    Mask mask;                  ///< which steps count, of output and targets; false: all
    double loss = 0;            ///< before it is weighted against those of other outputs
    CountedRows<Scalar> rows;
    std::vector<std::uint8_t> counts;  ///< of the mask, where output and targets have one each
  };

  /// Takes what a forward left. The views hold until the next one. Throws `ShapeError` for targets, weights and
  /// masks that do not fit it.
  void take(const Objective<Scalar>& objective, const Shards<Scalar>& shards,
            const Batch<Scalar>& batch) {
    const Graph<Scalar>& graph = objective.graph();
    outputs_.resize(objective.terms().size());
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      Output& output = outputs_[k];
      output.given = shards.output(graph, k);
      mask(output, shards.mask(graph, k), batch.masks.empty() ? Mask{} : batch.masks[k],
           objective.loss(k).name());
      output.y = batch.y[k];
      output.weight = batch.sample_weight.empty() ? View<const Scalar>{} : batch.sample_weight[k];
      output.rows.take(objective.loss(k).name(), output.y, output.given, output.mask,
                       output.weight);
    }
  }

  /// The weighted sum of the losses.
  double value(const Objective<Scalar>& objective) {
    return sum(objective, [](std::size_t) { return View<Scalar>{}; });
  }

  /// The same, with the gradients by what the graph gave, from which the shards may run back.
  double value_and_gradients(const Objective<Scalar>& objective, Shards<Scalar>& shards) {
    return sum(objective,
               [&](std::size_t k) { return shards.output_gradient(objective.graph(), k); });
  }

  const std::vector<Output>& outputs() const { return outputs_; }
  Index samples() const { return outputs_.empty() ? 0 : outputs_[0].given.dim(0); }

 private:
  /// A step counts when it does both in the output and in its targets.
  static void mask(Output& output, Mask own, Mask targets, const std::string& loss) {
    const Shape& p = output.given.shape();
    check<ShapeError>(!targets || (p.rank() > 2 && targets.shape() == Shape{p[0], p[1]}), loss,
                      ": expected a mask of (samples, steps) for predictions of ", p, ", got ",
                      targets.shape());
    output.mask = own ? own : targets;
    if (!own || !targets) return;
    output.counts.resize(static_cast<std::size_t>(own.size()));
    std::transform(own.data(), own.data() + own.size(), targets.data(), output.counts.begin(),
                   [](auto a, auto b) { return static_cast<std::uint8_t>(a != 0 && b != 0); });
    output.mask = {output.counts.data(), own.shape()};
  }

  template <class Gradient>
  double sum(const Objective<Scalar>& objective, const Gradient& gradient) {
    double total = 0;
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      const auto& term = objective.terms()[k];
      const View<Scalar> dp = gradient(k);
      outputs_[k].loss = outputs_[k].rows.loss(term.loss, dp);
      total += term.weight * outputs_[k].loss;
      if (dp && term.weight != 1) dp.array() *= static_cast<Scalar>(term.weight);
    }
    return total;
  }

  std::vector<Output> outputs_;
};

}  // namespace heed::detail
