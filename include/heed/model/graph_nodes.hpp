#pragma once

#include <atomic>
#include <map>

#include <heed/layers/input.hpp>
#include <heed/model/tape.hpp>

namespace heed {

/// An output of a node of a model, as `add` returns it and takes it. Most nodes have one.
struct Node {
  std::size_t index = 0;
  std::size_t output = 0;

  bool operator==(const Node&) const = default;
};

/// What a batch brings: a view for each input of the model, (N, …), in the order in which the inputs were
/// added, and which of its steps count. No masks: all steps of all inputs do.
template <class Scalar>
struct Inputs {
  std::span<const View<const Scalar>> x = {};
  std::span<const Mask> masks = {};
};

/// The layers of a model and how they are joined: the one place that knows about neighbours. It
/// holds no weights and no values; `forward` and `backward` take them as arguments.
///
/// Nodes stand in the order in which they were added, which is an order in which they can run.
template <class Scalar>
class Graph {
 public:
  /// A node: its name, its layer and what it reads.
  struct Entry {
    std::string name;
    AnyLayer<Scalar> layer;
    std::vector<Node> inputs;
    std::vector<Shape> shapes;   ///< of one sample, of each output; may have axes of any length
    std::size_t first_slot = 0;  ///< its weights are slots [first_slot, first_slot + slots)
    std::size_t slot_count = 0;
    bool trains = true;      ///< whether its weights have gradients
    bool step_wise = false;  ///< whether each step of the output is by itself
    bool carries =
        false;  ///< whether the states of a batch are those that the next one begins with

    bool is_input() const { return inputs.empty(); }
    /// Of the first output, which most nodes have alone.
    const Shape& shape() const { return shapes[0]; }
  };

  /// Adds a layer behind others. An empty name is made from the type: `lstm`, `lstm_1`. Throws
  /// `ModelError` for a name that is taken or cannot be one, and the layer's own errors with its
  /// type and name in front.
  std::size_t add(std::string name, AnyLayer<Scalar> layer, std::vector<Node> inputs) {
    return add(std::move(name), std::move(layer), std::move(inputs), nodes_.size());
  }

  /// Adds the layer of node `owner` once more, with other inputs and the same weights.
  std::size_t share(std::string name, std::size_t owner, std::vector<Node> inputs) {
    return add(std::move(name), nodes_[owner].layer, std::move(inputs), owner);
  }

  /// Where values leave the model; the last node added unless said otherwise.
  std::span<const Node> outputs() const { return outputs_; }
  std::size_t output() const { return outputs_.empty() ? 0 : outputs_[0].index; }
  void set_outputs(std::vector<Node> nodes) {
    outputs_ = std::move(nodes);
    outputs_are_set_ = true;
  }
  void set_output(std::size_t node) { set_outputs({{node, 0}}); }

  /// The nodes where data enter, in the order in which they were added.
  std::span<const std::size_t> inputs() const { return inputs_; }

  /// Whether the weights of a node, and of all that share them, have gradients. Those of a frozen layer
  /// cost none.
  void set_trains(std::size_t node, bool trains) {
    for (Entry& entry : nodes_) {
      if (entry.slot_count > 0 && entry.first_slot == nodes_[node].first_slot)
        entry.trains = trains;
    }
  }

  const std::vector<Entry>& nodes() const { return nodes_; }
  const Entry& operator[](std::size_t node) const { return nodes_[node]; }
  const Shape& shape(Node node) const { return nodes_[node.index].shapes[node.output]; }
  const Layout& layout() const { return layout_; }

  /// The node of a name, or the number of nodes when there is none.
  std::size_t find(std::string_view name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? nodes_.size() : found->second;
  }

  /// `LSTM "encoder"`: how errors and summaries call a node.
  std::string title(std::size_t node) const {
    return join(nodes_[node].layer.type(), " \"", nodes_[node].name, "\"");
  }

  /// The activation function that ends the network, if it is known, and the network without it: losses that know
  /// the function work on the logits in front of it.
  std::optional<ActivationFunction> output_activation(std::size_t output = 0) const {
    const Node node = outputs_[output];
    if (node.output > 0) return ActivationFunction::linear;
    return nodes_[node.index].layer.output_activation();
  }
  Graph without_output_activation(std::size_t output = 0) const {
    Graph lifted = *this;
    auto& layer = lifted.nodes_[outputs_[output].index].layer;
    layer = layer.without_output_activation();
    return lifted;
  }

  /// Whether a batch begins with the states of the one before it in any layer.
  bool carries_states() const {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [](const Entry& node) { return node.carries; });
  }
  /// The same network, in which it does so in every layer that has states.
  Graph with_carried_states() const {
    Graph carrying = *this;
    for (Entry& node : carrying.nodes_) {
      if (!node.is_input()) node.carries = !node.layer.states(shape(node.inputs[0])).empty();
    }
    return carrying;
  }

  /// The states with which a layer that carries them begins the next batch, (N, …) each: zeros at first, and
  /// after a batch of another size.
  std::vector<Tensor<Scalar>>& carried_states(std::size_t node, Index samples,
                                              Tape<Scalar>& tape) const;

  /// The shapes of the outputs, of one sample, for inputs of these; `any` where they leave a length open. Throws
  /// `ShapeError` for lengths that a layer does not take.
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const;

  /// Runs the layers that some nodes depend on, and these, on a batch. The values stay on the tape, where
  /// views of the inputs stand for them in part: these must outlive their use.
  void forward(View<const Scalar> weights, const Inputs<Scalar>& inputs,
               std::span<const Node> wanted, const Pass& pass, Tape<Scalar>& tape) const;

  /// The same for a graph of one input and one node; returns its first output, (N, …).
  View<const Scalar> forward(View<const Scalar> weights, View<const Scalar> x, std::size_t node,
                             const Pass& pass, Tape<Scalar>& tape) const {
    const Node wanted{node, 0};
    forward(weights, {.x = {&x, 1}}, {&wanted, 1}, pass, tape);
    return value(wanted, tape);
  }

  /// What the last forward left of a node that it ran.
  View<const Scalar> value(Node node, const Tape<Scalar>& tape) const {
    return tape.entries[node.index].outputs[node.output].value;
  }
  Steps steps(Node node, const Tape<Scalar>& tape) const {
    return tape.entries[node.index].outputs[node.output].steps;
  }

  /// Where the gradient of the loss by an output goes before `backward`: (N, …). Outputs for which it is
  /// not asked have none.
  View<Scalar> output_gradient(Tape<Scalar>& tape, std::size_t output = 0) const {
    return make_gradient(outputs_[output], tape);
  }

  /// Runs back from the outputs over what `forward` left on the tape. Adds to `tape.gradients`, which
  /// it makes zero first, and writes the gradient of the inputs when asked to.
  void backward(View<const Scalar> weights, Tape<Scalar>& tape, bool input_gradient = false) const;

  /// The weights of a node in an arena of this graph's layout, or their gradients.
  template <class S>
  Parameters<S> parameters(S* arena, std::size_t node) const {
    return {arena, layout_.all_slots().subspan(nodes_[node].first_slot, nodes_[node].slot_count)};
  }

 private:
  using Output = typename Tape<Scalar>::Output;

  std::size_t add(std::string name, AnyLayer<Scalar> layer, std::vector<Node> inputs,
                  std::size_t owner);
  std::string free_name(std::string_view type);
  Output& output_of(Node node, Tape<Scalar>& tape) const {
    return tape.entries[node.index].outputs[node.output];
  }
  bool shares_gradient(std::size_t node, const Tape<Scalar>& tape) const;
  View<Scalar> make_gradient(Node node, Tape<Scalar>& tape) const;
  void activate(std::span<const Node> wanted, Tape<Scalar>& tape) const;
  void set_shapes(const Inputs<Scalar>& inputs, Tape<Scalar>& tape) const;
  void enter(std::size_t input, const Inputs<Scalar>& inputs, Tape<Scalar>& tape) const;
  void run(std::size_t node, View<const Scalar> weights, const Pass& pass,
           Tape<Scalar>& tape) const;
  void mark_steps(std::size_t node, const Forward<Scalar>& args, Tape<Scalar>& tape) const;
  void run_back(std::size_t node, View<const Scalar> weights, Tape<Scalar>& tape) const;

  std::vector<Entry> nodes_;
  std::vector<std::size_t> inputs_;
  std::vector<Node> outputs_;
  std::map<std::string, std::size_t, std::less<>> names_;  ///< the nodes by their names
  std::map<std::string, Index>
      used_;  ///< how many names were made from a type; all before are taken
  Layout layout_;
  std::uint64_t id_ = 0;  ///< graphs of one id have the same nodes
  bool outputs_are_set_ = false;
  bool shapes_are_known_ = true;
};

namespace detail {

/// A class name as Keras names a layer after it: `StepAttention` is `step_attention`, `LSTM` `lstm`,
/// `Conv1D` `conv1d`. A package in front, `mine>Gain`, is left out.
inline std::string snake_case(std::string_view type) {
  type.remove_prefix(type.find('>') + 1);
  const auto is = [&](std::size_t i, char first, char last) {
    return i < type.size() && first <= type[i] && type[i] <= last;
  };
  std::string name;
  for (std::size_t i = 0; i < type.size(); ++i) {
    const bool upper = is(i, 'A', 'Z');
    if (upper && i > 0 && (is(i - 1, 'a', 'z') || is(i + 1, 'a', 'z'))) name += '_';
    name += upper ? static_cast<char>(type[i] - 'A' + 'a') : type[i];
  }
  return name;
}

}  // namespace detail

template <class Scalar>
std::string Graph<Scalar>::free_name(std::string_view type) {
  const std::string base = detail::snake_case(type);
  Index& used = used_[base];
  std::string name = used == 0 ? base : join(base, "_", used);
  while (find(name) < nodes_.size()) name = join(base, "_", ++used);
  return name;
}

template <class Scalar>
std::size_t Graph<Scalar>::add(std::string name, AnyLayer<Scalar> layer, std::vector<Node> inputs,
                               std::size_t owner) {
  if (name.empty()) name = free_name(layer.type());
  check<ModelError>(find(name) == nodes_.size(), "the name \"", name, "\" is taken by ",
                    find(name) < nodes_.size() ? title(find(name)) : "");
  check<ModelError>(name.find('/') == std::string::npos, "a layer's name has no \"/\", got \"",
                    name, "\"");
  std::vector<Shape> shapes;
  for (const Node input : inputs) {
    check<ModelError>(input.index < nodes_.size(), layer.type(), " \"", name,
                      "\": expected inputs from this model");
    check<ModelError>(input.output < nodes_[input.index].shapes.size(), layer.type(), " \"", name,
                      "\": expected an output that ", title(input.index), " has, which has ",
                      nodes_[input.index].shapes.size(), ", got output ", input.output);
    shapes.push_back(shape(input));
  }
  const auto place = [&](const auto& error) {
    return join(layer.type(), " \"", name, "\": ", error.what());
  };
  Entry entry{.name = name, .layer = layer, .inputs = {}, .shapes = {}};
  entry.inputs = std::move(inputs);
  try {
    entry.shapes = layer.output_shapes(shapes);
    for (const Shape& shape : entry.shapes) {
      // Far below the range of Index, so that layers can reckon with lengths: 4 * units, 2 * U.
      check<ShapeError>(shape.size() <= (std::numeric_limits<Index>::max)() / 8, "an output of ",
                        shape, " has more elements than can be held");
      shapes_are_known_ &= shape.is_known();
    }
    entry.step_wise = !shapes.empty() && layer.is_step_wise(shapes);
    entry.carries = layer.is_stateful();
    const auto weights = layer.weights(shapes);
    for (const Weight& weight : weights) {
      check<ShapeError>(weight.shape.is_known(), "expected an input of known length, for its ",
                        weight.name, " is ", weight.shape, ", got ",
                        shapes.empty() ? Shape{} : shapes[0]);
    }
    entry.slot_count = weights.size();
    if (owner < nodes_.size()) {
      layout_.check_shared(nodes_[owner].first_slot, weights);
      entry.first_slot = nodes_[owner].first_slot;
      entry.trains = nodes_[owner].trains;
    } else {
      entry.first_slot = layout_.append(name, weights);
    }
  } catch (const ShapeError& error) {
    throw ShapeError(place(error));
  } catch (const OptionError& error) {
    throw OptionError(place(error));
  }
  if (entry.is_input()) inputs_.push_back(nodes_.size());
  names_.emplace(name, nodes_.size());
  nodes_.push_back(std::move(entry));
  static std::atomic<std::uint64_t> last_id = 0;
  id_ = ++last_id;
  if (!outputs_are_set_) outputs_ = {{nodes_.size() - 1, 0}};
  return nodes_.size() - 1;
}

}  // namespace heed
