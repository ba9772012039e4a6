#pragma once

#include <heed/model/graph.hpp>
#include <heed/train/metrics.hpp>

namespace heed::detail {

/// What ends a network, seen through layers that only reshape.
template <class Scalar>
NetworkOutput network_output(const Graph<Scalar>& network) {
  std::size_t last = network.output();
  while (network[last].layer.only_reshapes() && !network[last].is_input()) {
    last = network[last].inputs[0].index;
  }
  const auto function = network[last].layer.output_activation();
  if (function == ActivationFunction::softmax) {
    check<OptionError>(network[last].shape().back() > 1, network.title(last),
                       " ends in a softmax over one unit, which is 1 for every input; expected two "
                       "units or more, or Activation::sigmoid for one");
  }
  return {network.title(last), function, network[network.output()].shape()};
}

/// Throws `OptionError` for a network whose output cannot be meant for its loss: a softmax over one
/// unit, logits for a loss of probabilities. What a layer of unknown kind gives is taken as it comes.
template <class Scalar>
void check_network(const Graph<Scalar>& network, const Loss<Scalar>& loss) {
  loss.check_output(network_output(network));
}

/// Throws `OptionError` for a metric that cannot be meant for what a network gives.
template <class Scalar>
void check_metrics(const Graph<Scalar>& network, const std::vector<Metric<Scalar>>& metrics) {
  for (const Metric<Scalar>& metric : metrics) metric.check_output(network_output(network));
}

}  // namespace heed::detail
