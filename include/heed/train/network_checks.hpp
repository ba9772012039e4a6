#pragma once

#include <heed/model/graph.hpp>
#include <heed/model/named_list.hpp>
#include <heed/train/metrics.hpp>

namespace heed::detail {

/// The names of the outputs: those of their nodes, `lstm`, and `lstm/1` for a further output of a
/// node.
template <class Scalar>
std::vector<std::string> output_names(const Graph<Scalar>& network) {
  std::vector<std::string> names;
  for (const Node node : network.outputs()) {
    const std::string& name = network[node.index].name;
    names.push_back(node.output == 0 ? name : join(name, "/", node.output));
  }
  return names;
}

/// Whether the node of an output is also read elsewhere: by another output, or by a layer that
/// another output depends on.
template <class Scalar>
bool is_read_again(const Graph<Scalar>& network, std::size_t output) {
  std::vector<Index> readers(network.nodes().size(), 0);
  for (const Node node : network.outputs()) ++readers[node.index];
  for (std::size_t i = network.nodes().size(); i-- > 0;) {
    if (readers[i] == 0) continue;
    for (const Node input : network[i].inputs) ++readers[input.index];
  }
  return readers[network.outputs()[output].index] > 1;
}

/// The layer and function that end the network at an output, without layers that only reshape.
template <class Scalar>
NetworkOutput network_output(const Graph<Scalar>& network, std::size_t output = 0) {
  const Node node = network.outputs()[output];
  std::size_t last = node.index;
  while (network[last].layer.only_reshapes() && !network[last].is_input()) {
    last = network[last].inputs[0].index;
  }
  auto function = network[last].layer.output_activation();
  if (node.output > 0) function.reset();
  if (function == ActivationFunction::softmax) {
    check<OptionError>(network[last].shape().back() > 1, network.title(last),
                       " ends in a softmax over one unit, which is 1 for every input; expected two "
                       "units or more, or Activation::sigmoid for one");
  }
  return {network.title(last), function, network.shape(node)};
}

/// Throws `OptionError` for a network whose output does not fit its loss: a softmax over one unit,
/// or logits for a loss of probabilities. Outputs of layers without a known function are accepted.
template <class Scalar>
void check_network(const Graph<Scalar>& network, const Loss<Scalar>& loss, std::size_t output = 0) {
  loss.check_output(network_output(network, output));
}

/// The metrics of each output. Throws `OptionError` for a metric that does not fit the network.
template <class Scalar>
std::vector<std::vector<Metric<Scalar>>> metrics_by_output(const Graph<Scalar>& network,
                                                           const Metrics<Scalar>& metrics) {
  const auto ordered = metrics.by_output(output_names(network));
  for (std::size_t k = 0; k < ordered.size(); ++k) {
    for (const Metric<Scalar>& metric : ordered[k]) {
      metric.check_output(network_output(network, k));
    }
  }
  return ordered;
}

}  // namespace heed::detail
