#pragma once

#include <heed/math/random.hpp>

#include "architecture.hpp"

namespace heed::testing {

/// A network that is drawn layer by layer.
class ArchitectureBuilder {
 protected:
  explicit ArchitectureBuilder(std::uint64_t seed) : random_(seed, 0xa5c1) {}

  static constexpr Index most = 48;  ///< numbers in a sample of a node

  Index upto(Index n) { return random_.below(n + 1); }
  bool chance(double p) { return random_.bernoulli(p); }

  const Shape& shape(std::size_t node) const { return model_.graph().shape(nodes_[node]); }

  /// A node for which `fits` holds, or the number of nodes: mostly the last one, often one that nobody
  /// has taken so far.
  template <class Fits>
  std::size_t choose(const Fits& fits) {
    const std::size_t nodes = used_.size();
    if (chance(0.5) && fits(nodes - 1)) return nodes - 1;
    std::vector<std::size_t> fitting, loose;
    for (std::size_t node = 0; node < nodes; ++node) {
      if (!fits(node)) continue;
      fitting.push_back(node);
      if (!used_[node]) loose.push_back(node);
    }
    if (!loose.empty() && chance(0.7)) fitting = loose;
    return fitting.empty() ? nodes : any_of(fitting);
  }

  template <class T>
  T any_of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(upto(std::ssize(list) - 1))];
  }

  ActivationFunction function() {
    using enum ActivationFunction;
    static const std::vector smooth{linear, sigmoid, tanh, softplus};
    static const std::vector all{linear, sigmoid, tanh,     softplus,     relu,
                                 elu,    selu,    softsign, hard_sigmoid, leaky_relu};
    return any_of(plan_.has_kinks ? all : smooth);
  }
  /// A gate that is not bounded lets the states grow beyond all numbers.
  ActivationFunction gate() {
    using enum ActivationFunction;
    static const std::vector smooth{sigmoid, tanh};
    static const std::vector all{sigmoid, tanh, softsign, hard_sigmoid};
    return any_of(plan_.has_kinks ? all : smooth);
  }
  ActivationFunction function_of_rows() {
    return chance(0.2) ? ActivationFunction::softmax : function();
  }

  std::size_t add_input(const PlannedInput& input) {
    plan_.inputs.push_back(input);
    nodes_.push_back(model_.input(input.shape));
    used_.push_back(false);
    return nodes_.size() - 1;
  }

  std::vector<Node> take(const std::vector<std::size_t>& inputs) {
    std::vector<Node> nodes;
    for (const std::size_t input : inputs) {
      nodes.push_back(nodes_[input]);
      used_[input] = true;
    }
    return nodes;
  }

  /// Makes the outputs of a layer known; returns the first of them.
  std::size_t put_node(Node node) {
    const std::size_t first = nodes_.size();
    for (std::size_t k = 0; k < model_.graph()[node.index].shapes.size(); ++k) {
      nodes_.push_back({node.index, k});
      used_.push_back(false);
    }
    return first;
  }

  template <Layer L>
  std::size_t put(const L& layer, const std::vector<std::size_t>& inputs) {
    const auto nodes = take(inputs);
    const Config config = get_config(layer);
    plan_.layers.push_back({std::string(L::type), config, nodes});
    plan_.layers.back().trains = chance(0.92);
    return put_node(model_.add("", registry_.make(L::type, config), std::span<const Node>(nodes)));
  }

  Dense dense() {
    return {.units = 2 + upto(2),
            .activation = function_of_rows(),
            .use_bias = chance(0.8),
            .bias_initializer = Initializer::glorot_uniform};
  }

  /// A recurrent layer of a drawn kind, given to `use`.
  template <class Use>
  std::size_t draw_cell(const Use& use) {
    const auto activation = chance(0.7) ? ActivationFunction::tanh : function();
    const auto recurrent = chance(0.7) ? ActivationFunction::sigmoid : gate();
    const bool use_bias = chance(0.8), sequences = chance(0.7), zero = chance(0.3);
    const double dropout = chance(0.2) ? 0.3 : 0, recurrent_dropout = chance(0.2) ? 0.3 : 0;
    const auto finish = [&](auto cell) {
      cell.activation = activation;
      cell.use_bias = use_bias;
      // Zeros could be a kink, where dropout leaves nothing of x.
      cell.bias_initializer = Initializer::glorot_uniform;
      cell.return_sequences = sequences;
      cell.zero_output_for_mask = zero;
      cell.dropout = dropout;
      cell.recurrent_dropout = recurrent_dropout;
      return use(cell);
    };
    switch (upto(3)) {
      case 0:
        return finish(GRU{
            .units = 1 + upto(2), .recurrent_activation = recurrent, .reset_after = chance(0.6)});
      case 1: return finish(SimpleRNN{.units = 1 + upto(2)});
      default:
        return finish(LSTM{.units = 1 + upto(3),
                           .recurrent_activation = recurrent,
                           .unit_forget_bias = chance(0.7)});
    }
  }

  Random random_;
  const Registry<double> registry_;
  Architecture plan_;
  Model<double> model_;
  std::vector<Node> nodes_;  ///< all outputs of all layers
  std::vector<bool> used_;
};

}  // namespace heed::testing
