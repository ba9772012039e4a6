#pragma once

#include <heed/model/graph.hpp>
#include <heed/train/network_checks.hpp>
#include <heed/train/windows.hpp>

namespace heed {

/// A loss for each output of a model: see `NamedList`.
template <class Scalar>
using Losses = NamedList<Loss<Scalar>>;

/// The function that training minimises: the weighted sum of the losses of a network's outputs.
///
/// If the network ends in the canonical function of its loss (sigmoid and binary cross-entropy,
/// softmax and categorical cross-entropy), the function is removed from the network, and the loss
/// is computed from the logits, where nothing saturates. Keras on TensorFlow does the same. This
/// class alone decides it.
template <class Scalar>
class Objective {
 public:
  /// One output.
  struct Term {
    std::string name;  ///< of the output
    Loss<Scalar> loss;
    double weight = 1;
    ActivationFunction activation = ActivationFunction::linear;  ///< removed from the network
  };

  /// `weights` are the weights of the losses, 1 if there are none. Throws `OptionError` unless
  /// there is one loss for each output, and for a loss that does not fit the network.
  Objective(const Graph<Scalar>& network, const Losses<Scalar>& losses,
            const NamedList<double>& weights = {})
      : graph_(network) {
    for (const Node node : network.outputs()) {
      check<ModelError>(std::count(network.outputs().begin(), network.outputs().end(), node) == 1,
                        "training needs different outputs, got ", network.title(node.index),
                        " more than once");
    }
    const auto names = detail::output_names(network);
    const auto ordered = losses.template in_order<OptionError>(names, "a loss", "outputs");
    for (std::size_t k = 0; k < names.size(); ++k) {
      check<OptionError>(bool(ordered[k]), "training needs a loss");
      detail::check_network(network, ordered[k], k);
      terms_.push_back({names[k], ordered[k]});
      lift_activation(network, k);
    }
    if (weights.empty()) return;
    const auto all = weights.template in_order<OptionError>(names, "a loss weight", "outputs");
    for (std::size_t k = 0; k < names.size(); ++k) {
      check<OptionError>(is_finite(all[k]) && all[k] >= 0,
                         "expected a loss weight of at least 0 for \"", names[k], "\", got ",
                         all[k]);
      terms_[k].weight = all[k];
    }
  }

  const Graph<Scalar>& graph() const { return graph_; }
  /// Makes every layer begin each batch with the final states of the previous batch, for training
  /// in time windows. Throws `OptionError` for a network that cannot be trained so.
  void carry_states() { graph_ = detail::windowed(graph_); }
  /// The terms of the sum, one for each output.
  const std::vector<Term>& terms() const { return terms_; }
  const Loss<Scalar>& loss(std::size_t output = 0) const { return terms_[output].loss; }

  /// Runs a batch of one input and stores its values on the tape. Returns the input of the first
  /// loss.
  View<const Scalar> forward(View<const Scalar> weights, View<const Scalar> x, const Pass& pass,
                             Tape<Scalar>& tape) const {
    return graph_.forward(weights, x, graph_.output(), pass, tape);
  }

  /// The predictions of the whole network, from the values of `graph()` for an output; written to
  /// `memory` if they differ.
  View<const Scalar> predictions(View<const Scalar> given, Tensor<Scalar>& memory,
                                 std::size_t output = 0) const {
    const ActivationFunction activation = terms_[output].activation;
    if (activation == ActivationFunction::linear) return given;
    memory.assign(given);
    activate<Scalar>(activation, memory.matrix());
    return memory;
  }

 private:
  void lift_activation(const Graph<Scalar>& network, std::size_t output) {
    Term& term = terms_[output];
    const auto activation = network.output_activation(output).value_or(ActivationFunction::linear);
    if (activation == ActivationFunction::linear ||
        activation != term.loss.canonical_activation() || detail::is_read_again(network, output)) {
      return;
    }
    term.activation = activation;
    graph_ = graph_.without_output_activation(output);
    term.loss = term.loss.from_logits();
  }

  Graph<Scalar> graph_;
  std::vector<Term> terms_;
};

}  // namespace heed
