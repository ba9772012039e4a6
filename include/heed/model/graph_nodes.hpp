#pragma once

#include <atomic>
#include <map>

#include <heed/layers/input.hpp>
#include <heed/model/snake_case.hpp>
#include <heed/model/tape.hpp>

namespace heed {

/// One output of a node of a model; `add` takes and returns it. Most nodes have one output.
struct Node {
  std::size_t index = 0;
  std::size_t output = 0;

  bool operator==(const Node&) const = default;
};

/// The data of one batch: a view for each input of the model, (N, …), in the order in which the
/// inputs were added, and a mask for each. Without masks, all steps of all inputs count.
template <class Scalar>
struct Inputs {
  std::span<const View<const Scalar>> x = {};
  std::span<const Mask> masks = {};
};

/// The layers of a model and the connections between them. Only the graph knows which layer reads
/// which. It contains no weights and no values; `forward` and `backward` take them as arguments.
///
/// Nodes are in the order in which they were added. Each node comes after its inputs, so they can
/// run in this order.
template <class Scalar>
class Graph {
 public:
  /// A node: its name, its layer and what it reads.
  struct Entry {
    std::string name;
    AnyLayer<Scalar> layer;
    std::vector<Node> inputs;
    std::vector<Shape> shapes;   ///< of each output for one sample; may have axes of any length
    std::size_t first_slot = 0;  ///< its weights are slots [first_slot, first_slot + slots)
    std::size_t slot_count = 0;
    bool trains = true;      ///< whether its weights have gradients
    bool step_wise = false;  ///< whether output steps depend only on the same input steps
    bool carries = false;    ///< whether a batch begins with the final states of the previous one
    bool has_statistics = false;  ///< whether some of its weights are statistics

    /// Whether its values in training depend on all samples of a batch.
    bool joins_samples() const { return has_statistics && trains; }

    bool is_input() const { return inputs.empty(); }
    /// The shape of the first output; most nodes have no other.
    const Shape& shape() const { return shapes[0]; }
  };

  /// Adds a layer that reads the outputs `inputs`. An empty name is replaced by one made from the
  /// type: `lstm`, `lstm_1`. Throws `ModelError` for a name that is taken or not allowed. Errors of
  /// the layer are thrown with its type and name in front.
  std::size_t add(std::string name, AnyLayer<Scalar> layer, const std::vector<Node>& inputs) {
    return add(std::move(name), std::move(layer), inputs, nodes_.size());
  }

  /// Adds the layer of node `owner` again, with other inputs and the same weights.
  std::size_t share(std::string name, std::size_t owner, const std::vector<Node>& inputs) {
    return add(std::move(name), nodes_[owner].layer, inputs, owner);
  }

  /// The outputs of the model: the last node added, unless others were set.
  std::span<const Node> outputs() const { return outputs_; }
  std::size_t output() const { return outputs_.empty() ? 0 : outputs_[0].index; }
  void set_outputs(std::vector<Node> nodes) {
    outputs_ = std::move(nodes);
    outputs_are_set_ = true;
  }
  void set_output(std::size_t node) { set_outputs({{node, 0}}); }

  /// The input nodes, in the order in which they were added.
  std::span<const std::size_t> inputs() const { return inputs_; }

  /// Sets whether the weights of a node, and of all nodes that share them, have gradients. No time
  /// is spent on gradients of frozen weights. A node without weights has nothing to freeze.
  void set_trains(std::size_t node, bool trains) {
    const std::size_t first = nodes_[node].first_slot, count = nodes_[node].slot_count;
    if (count == 0) return;
    layout_.set_trains(first, count, trains);
    for (Entry& entry : nodes_) {
      if (entry.slot_count > 0 && entry.first_slot == first) entry.trains = trains;
    }
  }

  const std::vector<Entry>& nodes() const { return nodes_; }
  const Entry& operator[](std::size_t node) const { return nodes_[node]; }
  const Shape& shape(Node node) const { return nodes_[node.index].shapes[node.output]; }
  const Layout& layout() const { return layout_; }

  /// The index of the node with this name, or the number of nodes if there is none.
  std::size_t find(std::string_view name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? nodes_.size() : found->second;
  }

  /// `LSTM "encoder"`: the name of a node in errors and summaries.
  std::string title(std::size_t node) const {
    return join(nodes_[node].layer.type(), " \"", nodes_[node].name, "\"");
  }

  /// The activation function that ends the network, if it is known, and the network without it.
  /// Losses that know the function are computed from its input, the logits.
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

  /// Whether there is a layer for which a batch cannot be divided in training.
  bool joins_samples() const {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [](const Entry& node) { return node.joins_samples(); });
  }

  /// Whether any layer begins each batch with the final states of the previous batch.
  bool carries_states() const {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [](const Entry& node) { return node.carries; });
  }
  /// The same network, in which every layer that has states does so.
  Graph with_carried_states() const {
    Graph carrying = *this;
    for (Entry& node : carrying.nodes_) {
      if (!node.is_input()) node.carries = !node.layer.states(shape(node.inputs[0])).empty();
    }
    return carrying;
  }

  /// The states with which a layer that carries them begins the next batch, (N, …) each. They are
  /// zeros before the first batch and after a batch of another size.
  std::vector<Tensor<Scalar>>& carried_states(std::size_t node, Index samples,
                                              Tape<Scalar>& tape) const;

  /// The shapes of the outputs for inputs of these shapes, all for one sample; `any` for a length
  /// that the inputs leave open. Throws `ShapeError` for lengths that a layer does not accept.
  std::vector<Shape> output_shapes(std::span<const Shape> inputs) const;

  /// Runs the wanted nodes, and all nodes that they depend on, on a batch. The values are stored on
  /// the tape. Some of them are views of the inputs, which must outlive their use.
  void forward(View<const Scalar> weights, const Inputs<Scalar>& inputs,
               std::span<const Node> wanted, const Pass& pass, Tape<Scalar>& tape) const;

  /// The same for a graph with one input and one wanted node; returns the first output of that
  /// node, (N, …).
  View<const Scalar> forward(View<const Scalar> weights, View<const Scalar> x, std::size_t node,
                             const Pass& pass, Tape<Scalar>& tape) const {
    const Node wanted{node, 0};
    forward(weights, {.x = {&x, 1}}, {&wanted, 1}, pass, tape);
    return value(wanted, tape);
  }

  /// The value that the last forward pass computed for a node, and its mask.
  View<const Scalar> value(Node node, const Tape<Scalar>& tape) const {
    return tape.entries[node.index].outputs[node.output].value;
  }
  Steps steps(Node node, const Tape<Scalar>& tape) const {
    return tape.entries[node.index].outputs[node.output].steps;
  }

  /// Memory for the gradient of the loss with respect to an output, (N, …), to be written before
  /// `backward`. An output for which this is not called has no gradient.
  View<Scalar> output_gradient(Tape<Scalar>& tape, std::size_t output = 0) const {
    return make_gradient(outputs_[output], tape);
  }

  /// Runs the backward pass from the outputs, with the values that `forward` left on the tape. Sets
  /// `tape.gradients` to zero and then adds to it. Writes the gradients of the inputs if
  /// `input_gradient` is set.
  void backward(View<const Scalar> weights, Tape<Scalar>& tape, bool input_gradient = false) const;

  /// The weights of a node, or their gradients, in an arena with this graph's layout.
  template <class S>
  Parameters<S> parameters(S* arena, std::size_t node) const {
    return {arena, layout_.all_slots().subspan(nodes_[node].first_slot, nodes_[node].slot_count)};
  }

 private:
  using Output = typename Tape<Scalar>::Output;

  std::size_t add(std::string name, AnyLayer<Scalar> layer, const std::vector<Node>& inputs,
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
  std::map<std::string, Index> used_;  ///< the last number in a name made from a type
  Layout layout_;
  std::uint64_t id_ = 0;  ///< graphs with the same id have the same nodes
  bool outputs_are_set_ = false;
  bool shapes_are_known_ = true;
};

template <class Scalar>
std::string Graph<Scalar>::free_name(std::string_view type) {
  const std::string base = detail::snake_case(type);
  Index& used = used_[base];
  std::string name = used == 0 ? base : join(base, "_", used);
  while (find(name) < nodes_.size()) name = join(base, "_", ++used);
  return name;
}

template <class Scalar>
std::size_t Graph<Scalar>::add(std::string name, AnyLayer<Scalar> layer,
                               const std::vector<Node>& inputs, std::size_t owner) {
  if (name.empty()) name = free_name(layer.type());
  check<ModelError>(find(name) == nodes_.size(), "the name \"", name, "\" is taken by ",
                    find(name) < nodes_.size() ? title(find(name)) : "");
  check<ModelError>(name.find('/') == std::string::npos,
                    "expected a layer name without \"/\", got \"", name, "\"");
  std::vector<Shape> shapes;
  for (const Node input : inputs) {
    check<ModelError>(input.index < nodes_.size(), layer.type(), " \"", name,
                      "\": expected inputs from this model");
    check<ModelError>(input.output < nodes_[input.index].shapes.size(), layer.type(), " \"", name,
                      "\": expected one of the ", nodes_[input.index].shapes.size(), " outputs of ",
                      title(input.index), ", got output ", input.output);
    shapes.push_back(shape(input));
  }
  const auto place = [&](const auto& error) {
    return join(layer.type(), " \"", name, "\": ", error.what());
  };
  Entry entry{.name = name, .layer = layer, .inputs = inputs, .shapes = {}};
  try {
    entry.shapes = layer.output_shapes(shapes);
    for (const Shape& shape : entry.shapes) {
      // Far below the range of Index, so that layers can compute with lengths: 4 * units, 2 * U.
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
    entry.has_statistics = std::any_of(weights.begin(), weights.end(),
                                       [](const Weight& weight) { return bool(weight.momentum); });
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
