#pragma once

#include <heed/model/graph.hpp>
#include <heed/train/network_checks.hpp>

namespace heed {

/// What training minimises: a network and the loss of what it gives.
///
/// A network that ends in the function its loss is canonical for (sigmoid and binary cross-entropy,
/// softmax and categorical cross-entropy) is run without that function, and the loss is computed from
/// the logits, where nothing saturates. Keras on TensorFlow does the same. This is the only place
/// that decides it.
template <class Scalar>
class Objective {
 public:
  /// Throws `OptionError` when the loss cannot be meant for what the network gives.
  Objective(const Graph<Scalar>& network, const Loss<Scalar>& loss) : graph_(network), loss_(loss) {
    detail::check_network(network, loss);
    const auto activation = network.output_activation().value_or(ActivationFunction::linear);
    if (activation != ActivationFunction::linear && activation == loss.canonical_activation()) {
      activation_ = activation;
      graph_ = network.without_output_activation();
      loss_ = loss.from_logits();
    }
  }

  const Graph<Scalar>& graph() const { return graph_; }
  const Loss<Scalar>& loss() const { return loss_; }

  /// Runs a batch and leaves it on the tape; returns what `loss` takes.
  View<const Scalar> forward(View<const Scalar> weights, View<const Scalar> x, const Pass& pass,
                             Tape<Scalar>& tape) const {
    return graph_.forward(weights, x, graph_.output(), pass, tape);
  }

  /// What the whole network predicts, from what `forward` returned; in `memory` if it differs.
  View<const Scalar> predictions(View<const Scalar> output, Tensor<Scalar>& memory) const {
    if (activation_ == ActivationFunction::linear) return output;
    memory.assign(output);
    activate<Scalar>(activation_, memory.matrix());
    return memory;
  }

 private:
  Graph<Scalar> graph_;
  Loss<Scalar> loss_;
  ActivationFunction activation_ = ActivationFunction::linear;
};

}  // namespace heed
