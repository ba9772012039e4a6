#pragma once

#include <heed/io/registry.hpp>
#include <heed/math/random.hpp>
#include <heed/model/model.hpp>

namespace heed::testing {

/// One layer of a network that is still a plan: of any scalar type, and free to be changed.
struct PlannedLayer {
  std::string type;
  Config config;
  std::vector<std::size_t> inputs;  ///< nodes: 0 is the input, layer i is node i + 1
};

struct Architecture {
  Shape input;
  std::vector<PlannedLayer> layers;
  bool has_kinks = false;  ///< some activation function has no derivative everywhere
};

/// The network of a plan, not yet built. Throws what `add` throws where layers do not fit.
template <class S>
Model<S> make(const Architecture& architecture) {
  const Registry<S> registry;
  Model<S> model;
  model.input(architecture.input);
  for (const PlannedLayer& layer : architecture.layers) {
    std::vector<Node> inputs;
    for (const std::size_t input : layer.inputs) inputs.push_back({input});
    model.add("", registry.make(layer.type, layer.config), inputs);
  }
  return model;
}

/// The plan without one layer: what took it as an input takes what it took.
inline Architecture without(const Architecture& whole, std::size_t removed) {
  Architecture rest = whole;
  const auto position = rest.layers.begin() + static_cast<std::ptrdiff_t>(removed);
  const std::size_t instead = position->inputs[0];
  rest.layers.erase(position);
  for (PlannedLayer& layer : rest.layers) {
    for (std::size_t& input : layer.inputs) {
      if (input == removed + 1) input = instead;
      if (input > removed + 1) --input;
    }
  }
  return rest;
}

/// The same failure with as few layers as leaving one out at a time leads to. `fails` says whether a
/// plan fails; one whose layers do not fit does not.
template <class Fails>
Architecture shrink(Architecture failing, const Fails& fails) {
  bool smaller = true;
  while (smaller) {
    smaller = false;
    for (std::size_t i = failing.layers.size(); i-- > 0 && failing.layers.size() > 1;) {
      const Architecture candidate = without(failing, i);
      try {
        make<double>(candidate);
      } catch (const Error&) {
        continue;
      }
      if (!fails(candidate)) continue;
      failing = candidate;
      smaller = true;
    }
  }
  return failing;
}

/// Draws networks of one to eight layers, of every kind, with branches that fan out and join. What it
/// draws is valid by what the layers' documentation says: a network that heed refuses is a failure.
class ArchitectureGenerator {
 public:
  explicit ArchitectureGenerator(std::uint64_t seed) : random_(seed, 0xa5c1) {}

  Architecture draw() {
    plan_ = {};
    const Index kind = upto(9);
    if (kind == 0) plan_.input = {1 + upto(5)};
    if (kind == 1) plan_.input = {1 + upto(2), 1 + upto(2), 1 + upto(2)};
    if (kind >= 2) plan_.input = {1 + upto(4), 1 + upto(3)};
    plan_.has_kinks = upto(3) == 0;
    model_ = Model<double>();
    model_.input(plan_.input);
    used_ = {false};
    const Index layers = 1 + upto(7);
    while (std::ssize(plan_.layers) < layers) add_layer();
    return plan_;
  }

 private:
  static constexpr Index most = 48;  ///< numbers in a sample of a node

  Index upto(Index n) { return random_.below(n + 1); }
  bool chance(double p) { return random_.bernoulli(p); }

  const Shape& shape(std::size_t node) const { return model_.graph()[node].shape(); }

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
    return fitting.empty() ? nodes
                           : fitting[static_cast<std::size_t>(upto(std::ssize(fitting) - 1))];
  }

  ActivationFunction function() {
    using enum ActivationFunction;
    static constexpr std::array smooth{linear, sigmoid, tanh, softplus};
    static constexpr std::array all{linear, sigmoid, tanh,     softplus,     relu,
                                    elu,    selu,    softsign, hard_sigmoid, leaky_relu};
    return plan_.has_kinks ? all[static_cast<std::size_t>(upto(all.size() - 1))]
                           : smooth[static_cast<std::size_t>(upto(smooth.size() - 1))];
  }
  ActivationFunction function_of_rows() {
    return chance(0.2) ? ActivationFunction::softmax : function();
  }

  template <Layer L>
  void put(const L& layer, std::vector<std::size_t> inputs) {
    std::vector<Node> nodes;
    for (const std::size_t input : inputs) {
      nodes.push_back({input});
      used_[input] = true;
    }
    plan_.layers.push_back({std::string(L::type), get_config(layer), std::move(inputs)});
    model_.add("", AnyLayer<double>(layer), nodes);
    used_.push_back(false);
  }

  /// Adds a layer of a kind that is drawn, unless no node fits it.
  void add_layer() {
    const std::size_t none = used_.size();
    const auto of_rank = [&](Index rank) {
      return [this, rank](std::size_t node) { return shape(node).rank() == rank; };
    };
    const auto any = choose([](std::size_t) { return true; });
    const auto steps = choose(of_rank(2)), vector = choose(of_rank(1));
    switch (upto(15)) {
      case 0:
      case 1:
        if (steps < none) add_recurrent(steps);
        break;
      case 2:
      case 3:
        put(Dense{.units = 2 + upto(2),
                  .activation = function_of_rows(),
                  .use_bias = chance(0.8),
                  .bias_initializer = Initializer::glorot_uniform},
            {any});
        break;
      case 4:
        put(Activation{.activation = shape(any).back() > 1 ? function_of_rows() : function()},
            {any});
        break;
      case 5: put(Dropout{.rate = 0.1 * static_cast<double>(upto(6))}, {any}); break;
      case 6: add_permute(any); break;
      case 7: add_reshape(any); break;
      case 8: put(Flatten{}, {any}); break;
      case 9:
        if (vector < none && shape(vector).size() * 3 <= most) {
          put(RepeatVector{.n = 1 + upto(2)}, {vector});
        }
        break;
      case 10:
        if (steps < none) put(StepAttention{.use_bias = chance(0.7)}, {steps});
        break;
      case 11:
        if (steps < none) put(LuongAttention{.units = 1 + upto(3)}, {steps});
        break;
      case 12:
        if (steps < none) put(LastStep{}, {steps});
        break;
      case 13: add_sum_or_product(any); break;
      case 14: add_concatenate(any); break;
      default: add_dot(); break;
    }
  }

  void add_recurrent(std::size_t steps) {
    const auto activation = chance(0.7) ? ActivationFunction::tanh : function();
    const auto recurrent = chance(0.7) ? ActivationFunction::sigmoid : function();
    const bool use_bias = chance(0.8), sequences = chance(0.7), backwards = chance(0.15);
    switch (upto(3)) {
      case 0:
        return put(GRU{.units = 1 + upto(2),
                       .activation = activation,
                       .recurrent_activation = recurrent,
                       .use_bias = use_bias,
                       .reset_after = chance(0.6),
                       .return_sequences = sequences,
                       .go_backwards = backwards},
                   {steps});
      case 1:
        return put(SimpleRNN{.units = 1 + upto(2),
                             .activation = activation,
                             .use_bias = use_bias,
                             .return_sequences = sequences,
                             .go_backwards = backwards},
                   {steps});
      default:
        return put(LSTM{.units = 1 + upto(3),
                        .activation = activation,
                        .recurrent_activation = recurrent,
                        .use_bias = use_bias,
                        .unit_forget_bias = chance(0.7),
                        .return_sequences = sequences,
                        .go_backwards = backwards},
                   {steps});
    }
  }

  void add_permute(std::size_t node) {
    std::vector<Index> dims(static_cast<std::size_t>(shape(node).rank()));
    for (std::size_t i = 0; i < dims.size(); ++i) dims[i] = static_cast<Index>(i) + 1;
    random_.shuffle(std::span(dims));
    put(Permute{.dims = dims}, {node});
  }

  void add_reshape(std::size_t node) {
    std::vector<Index> target;
    Index rest = shape(node).size();
    for (Index more = upto(2); more > 0; --more) {
      std::vector<Index> divisors;
      for (Index divisor = 1; divisor <= rest; ++divisor) {
        if (rest % divisor == 0) divisors.push_back(divisor);
      }
      target.push_back(divisors[static_cast<std::size_t>(upto(std::ssize(divisors) - 1))]);
      rest /= target.back();
    }
    target.push_back(rest);
    random_.shuffle(std::span(target));
    if (chance(0.5)) target[static_cast<std::size_t>(upto(std::ssize(target) - 1))] = -1;
    put(Reshape{.target_shape = target}, {node});
  }

  void add_sum_or_product(std::size_t first) {
    std::vector<std::size_t> inputs{first};
    for (Index more = 1 + upto(1); more > 0; --more) {
      inputs.push_back(choose([&](std::size_t node) { return shape(node) == shape(first); }));
    }
    if (chance(0.5)) {
      put(Add{}, inputs);
    } else {
      put(Multiply{}, inputs);
    }
  }

  void add_concatenate(std::size_t first) {
    const Shape& x = shape(first);
    const Index axis = upto(x.rank() - 1);
    const auto second = choose([&](std::size_t node) {
      return shape(node).rank() == x.rank() && shape(node).with(axis, 0) == x.with(axis, 0);
    });
    if (x.size() + shape(second).size() > most) return;
    // Axes count from the batch axis, or from the last one backwards.
    put(Concatenate{.axis = chance(0.5) ? axis + 1 : axis - x.rank()}, {first, second});
  }

  void add_dot() {
    const auto takes = [&](std::size_t node) { return shape(node).rank() <= 2; };
    const auto first = choose(takes);
    if (first == used_.size()) return;
    const Index a = upto(shape(first).rank() - 1);
    Index b = 0;
    const auto second = choose([&](std::size_t node) {
      if (!takes(node)) return false;
      for (Index axis = 0; axis < shape(node).rank(); ++axis) {
        if (shape(node)[axis] == shape(first)[a]) return true;
      }
      return false;
    });
    const Index K = shape(first)[a];
    while (shape(second)[b] != K) ++b;
    if (shape(first).size() / K * (shape(second).size() / K) > most) return;
    put(Dot{.axes = {a + 1, b + 1}}, {first, second});
  }

  Random random_;
  Architecture plan_;
  Model<double> model_;
  std::vector<bool> used_;
};

}  // namespace heed::testing
