#pragma once

#include <heed/io/registry.hpp>
#include <heed/model/model.hpp>

namespace heed::testing {

/// How the mask of an input comes to the network.
enum class Masked { no, given, by_value };

/// The value of a masked step of an input that a Masking reads.
inline constexpr double masked_value = 0.5;

/// An input of a network that is still a plan.
struct PlannedInput {
  Shape shape;
  Index ids = 0;  ///< its numbers are ids below this one; 0: they are any numbers
  Masked masked = Masked::no;
};

/// One layer of a network that is still a plan: of any scalar type, and free to be changed.
struct PlannedLayer {
  std::string type;
  Config config;
  std::vector<Node> inputs;  ///< the inputs of the network are the first nodes, then the layers
  std::optional<std::size_t> shares = {};  ///< the layer whose weights it reads
  bool trains = true;
};

struct Architecture {
  std::vector<PlannedInput> inputs;
  std::vector<PlannedLayer> layers;
  std::vector<Node> outputs;
  bool has_kinks = false;  ///< some function has no derivative everywhere
};

/// The network of a plan, not yet built. Throws what `add` throws where layers do not fit.
template <class S>
Model<S> make(const Architecture& architecture) {
  const Registry<S> registry;
  Model<S> model;
  for (const PlannedInput& input : architecture.inputs) model.input(input.shape);
  std::vector<Node> nodes;
  for (const PlannedLayer& layer : architecture.layers) {
    nodes.push_back(layer.shares ? model.share("", nodes[*layer.shares], layer.inputs)
                                 : model.add("", registry.make(layer.type, layer.config),
                                             std::span<const Node>(layer.inputs)));
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!architecture.layers[i].trains) {
      model.set_trainable(model.graph()[nodes[i].index].name, false);
    }
  }
  model.set_outputs(architecture.outputs);
  return model;
}

/// The plan without one layer: what took it as an input takes what it took.
inline Architecture without(const Architecture& whole, std::size_t removed) {
  Architecture rest = whole;
  const auto position = rest.layers.begin() + static_cast<std::ptrdiff_t>(removed);
  const std::size_t node = rest.inputs.size() + removed;
  const Node instead = position->inputs[0];
  rest.layers.erase(position);
  const auto move = [&](Node& taken) {
    if (taken.index == node) taken = instead;
    if (taken.index > node) --taken.index;
  };
  for (PlannedLayer& layer : rest.layers) {
    for (Node& input : layer.inputs) move(input);
    if (layer.shares == removed) layer.shares.reset();
    if (layer.shares && *layer.shares > removed) --*layer.shares;
  }
  std::vector<Node> outputs;
  for (Node output : rest.outputs) {
    move(output);
    if (output.index < rest.inputs.size()) continue;
    if (std::find(outputs.begin(), outputs.end(), output) == outputs.end()) {
      outputs.push_back(output);
    }
  }
  if (outputs.empty()) outputs = {{rest.inputs.size() + rest.layers.size() - 1, 0}};
  rest.outputs = outputs;
  return rest;
}

/// The plans with a layer less, the last ones first, and those with less of something else.
inline std::vector<Architecture> smaller_ones(const Architecture& whole) {
  std::vector<Architecture> smaller;
  for (std::size_t i = whole.layers.size(); i-- > 0 && whole.layers.size() > 1;) {
    smaller.push_back(without(whole, i));
  }
  for (std::size_t k = 0; k < whole.outputs.size() && whole.outputs.size() > 1; ++k) {
    smaller.push_back(whole);
    smaller.back().outputs.erase(smaller.back().outputs.begin() + static_cast<std::ptrdiff_t>(k));
  }
  for (std::size_t i = 0; i < whole.inputs.size(); ++i) {
    if (whole.inputs[i].masked == Masked::no) continue;
    smaller.push_back(whole);
    smaller.back().inputs[i].masked = Masked::no;
  }
  for (std::size_t i = 0; i < whole.layers.size(); ++i) {
    if (!whole.layers[i].trains) {
      smaller.push_back(whole);
      smaller.back().layers[i].trains = true;
    }
    if (whole.layers[i].shares) {
      smaller.push_back(whole);
      smaller.back().layers[i].shares.reset();
    }
  }
  return smaller;
}

/// The same failure with as few layers, outputs and masks as leaving one out at a time leads to.
/// `fails` says whether a plan fails; one whose layers do not fit does not.
template <class Fails>
Architecture shrink(Architecture failing, const Fails& fails) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (const Architecture& candidate : smaller_ones(failing)) {
      try {
        make<double>(candidate);
      } catch (const Error&) {
        continue;
      }
      if (!fails(candidate)) continue;
      failing = candidate;
      smaller = true;
      break;
    }
  }
  return failing;
}

/// What the summary of a failing network does not say.
inline std::string to_text(const Architecture& architecture) {
  std::string text;
  for (std::size_t i = 0; i < architecture.inputs.size(); ++i) {
    const PlannedInput& input = architecture.inputs[i];
    text += join("input ", i, ": ", input.shape, input.ids > 0 ? ", ids" : "",
                 input.masked == Masked::no      ? ""
                 : input.masked == Masked::given ? ", with a mask"
                                                 : ", masked by its values",
                 "\n");
  }
  return text;
}

}  // namespace heed::testing
