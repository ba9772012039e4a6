#pragma once

#include <map>

#include <heed/layers/input.hpp>
#include <heed/model/tape.hpp>

namespace heed {

/// A node of a model, as `add` returns it and takes it.
struct Node {
  std::size_t index = 0;
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
    std::vector<std::size_t> inputs;
    Shape shape;                 ///< of one sample
    std::size_t first_slot = 0;  ///< its weights are slots [first_slot, first_slot + slots)
    std::size_t slots = 0;

    bool is_input() const { return inputs.empty(); }
  };

  /// Adds a layer behind others. An empty name is made from the type: `lstm`, `lstm_1`. Throws
  /// `ModelError` for a name that is taken or cannot be one, and the layer's own errors with its
  /// type and name in front.
  std::size_t add(std::string name, AnyLayer<Scalar> layer, std::vector<std::size_t> inputs);

  /// Where values leave the model; the last node added unless said otherwise.
  std::size_t output() const { return output_; }
  void set_output(std::size_t node) {
    output_ = node;
    output_is_set_ = true;
  }

  const std::vector<Entry>& nodes() const { return nodes_; }
  const Entry& operator[](std::size_t node) const { return nodes_[node]; }
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
  std::optional<ActivationFunction> output_activation() const {
    return nodes_[output_].layer.output_activation();
  }
  Graph without_output_activation() const {
    Graph lifted = *this;
    lifted.nodes_[output_].layer = nodes_[output_].layer.without_output_activation();
    return lifted;
  }

  /// Runs the layers that `node` depends on, and itself, on a batch: x is (N, …). The value of each
  /// stays on the tape, where views of x stand for it in part: x must outlive their use.
  View<const Scalar> forward(View<const Scalar> weights, View<const Scalar> x, std::size_t node,
                             const Pass& pass, Tape<Scalar>& tape) const;

  /// Where the gradient of the loss by the output goes before `backward`: (N, …).
  View<Scalar> output_gradient(Tape<Scalar>& tape) const { return make_gradient(output_, tape); }

  /// Runs back from the output over what `forward` left on the tape. Adds to `tape.gradients`, which
  /// it makes zero first, and writes the gradient of the inputs when asked to.
  void backward(View<const Scalar> weights, Tape<Scalar>& tape, bool input_gradient = false) const;

  /// The weights of a node in an arena of this graph's layout, or their gradients.
  template <class S>
  Parameters<S> parameters(S* arena, std::size_t node) const {
    return {arena, layout_.slots().subspan(nodes_[node].first_slot, nodes_[node].slots)};
  }

 private:
  std::string free_name(std::string_view type);
  bool shares_gradient(std::size_t node, const Tape<Scalar>& tape) const;
  View<Scalar> make_gradient(std::size_t node, Tape<Scalar>& tape) const;
  void activate_nodes(std::size_t output, Tape<Scalar>& tape) const;
  void backward_node(std::size_t node, const View<const Scalar>& weights, Tape<Scalar>& tape) const;

  std::vector<Entry> nodes_;
  std::map<std::string, std::size_t, std::less<>> names_;  ///< the nodes by their names
  std::map<std::string, Index>
      used_;  ///< how many names were made from a type; all before are taken
  Layout layout_;
  std::size_t output_ = 0;
  bool output_is_set_ = false;
};

namespace detail {

/// A class name as Keras names a layer after it: `StepAttention` is `step_attention`, `LSTM` `lstm`.
inline std::string snake_case(std::string_view type) {
  const auto upper = [&](std::size_t i) {
    return i < type.size() && 'A' <= type[i] && type[i] <= 'Z';
  };
  std::string name;
  for (std::size_t i = 0; i < type.size(); ++i) {
    const bool starts_word =
        upper(i) && i > 0 && (!upper(i - 1) || (i + 1 < type.size() && !upper(i + 1)));
    if (starts_word) name += '_';
    name += upper(i) ? static_cast<char>(type[i] - 'A' + 'a') : type[i];
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
std::size_t Graph<Scalar>::add(std::string name, AnyLayer<Scalar> layer,
                               std::vector<std::size_t> inputs) {
  if (name.empty()) name = free_name(layer.type());
  check<ModelError>(find(name) == nodes_.size(), "the name \"", name, "\" is taken by ",
                    find(name) < nodes_.size() ? title(find(name)) : "");
  check<ModelError>(name.find('/') == std::string::npos, "a layer's name has no \"/\", got \"",
                    name, "\"");
  std::vector<Shape> shapes;
  for (const std::size_t input : inputs) {
    check<ModelError>(input < nodes_.size(), layer.type(), " \"", name,
                      "\": expected inputs from this model");
    shapes.push_back(nodes_[input].shape);
  }
  const auto place = [&](const auto& error) {
    return join(layer.type(), " \"", name, "\": ", error.what());
  };
  try {
    const Shape shape = layer.output_shape(shapes);
    // Far below the range of Index, so that layers can reckon with lengths: 4 * units, 2 * U.
    check<ShapeError>(shape.size() <= std::numeric_limits<Index>::max() / 8, "an output of ", shape,
                      " has more elements than can be held");
    const auto weights = layer.weights(shapes);
    const std::size_t first = layout_.append(name, weights);
    names_.emplace(name, nodes_.size());
    nodes_.push_back(
        {std::move(name), std::move(layer), std::move(inputs), shape, first, weights.size()});
  } catch (const ShapeError& error) {
    throw ShapeError(place(error));
  } catch (const OptionError& error) {
    throw OptionError(place(error));
  }
  if (!output_is_set_) output_ = nodes_.size() - 1;
  return nodes_.size() - 1;
}

/// Marks the nodes that `output` depends on, and makes their caches.
template <class Scalar>
void Graph<Scalar>::activate_nodes(std::size_t output, Tape<Scalar>& tape) const {
  tape.entries.resize(nodes_.size());
  for (auto& entry : tape.entries) {
    entry.active = false;
    entry.consumers = 0;
  }
  tape.entries[output].active = true;
  for (std::size_t node = output + 1; node-- > 0;) {
    auto& entry = tape.entries[node];
    if (!entry.active) continue;
    for (const std::size_t input : nodes_[node].inputs) {
      tape.entries[input].active = true;
      ++tape.entries[input].consumers;
    }
    const AnyLayer<Scalar>& layer = nodes_[node].layer;
    if (entry.cache_key != layer.key()) {
      entry.cache = layer.make_cache();
      entry.cache_key = layer.key();
    }
    entry.x.resize(nodes_[node].inputs.size());
    entry.dx.resize(nodes_[node].inputs.size());
    entry.scratch.resize(nodes_[node].inputs.size());
  }
}

template <class Scalar>
View<const Scalar> Graph<Scalar>::forward(View<const Scalar> weights, View<const Scalar> x,
                                          std::size_t node, const Pass& pass,
                                          Tape<Scalar>& tape) const {
  activate_nodes(node, tape);
  const Index samples = x.dim(0);
  for (std::size_t i = 0; i <= node; ++i) {
    auto& entry = tape.entries[i];
    if (!entry.active) continue;
    const Entry& here = nodes_[i];
    for (std::size_t k = 0; k < here.inputs.size(); ++k) {
      entry.x[k] = tape.entries[here.inputs[k]].value;
    }
    const Shape shape = here.shape.batch(samples);
    if (here.is_input()) {
      entry.value = x;
    } else if (here.layer.only_reshapes()) {
      entry.value = entry.x[0].reshaped(shape);
    } else {
      entry.value_memory.resize(shape);
      entry.value = entry.value_memory;
      Pass local = pass;
      local.node = i;
      here.layer.forward(parameters(weights.data(), i), entry.x, entry.value_memory, entry.cache,
                         local);
    }
  }
  return tape.entries[node].value;
}

/// Whether a node that only reshapes may hand its gradient on without a copy: nobody else adds to it.
template <class Scalar>
bool Graph<Scalar>::shares_gradient(std::size_t node, const Tape<Scalar>& tape) const {
  const Entry& here = nodes_[node];
  return here.layer.only_reshapes() && !here.is_input() &&
         tape.entries[here.inputs[0]].consumers == 1;
}

template <class Scalar>
View<Scalar> Graph<Scalar>::make_gradient(std::size_t node, Tape<Scalar>& tape) const {
  auto& entry = tape.entries[node];
  if (shares_gradient(node, tape)) {
    entry.gradient = make_gradient(nodes_[node].inputs[0], tape).reshaped(entry.value.shape());
  } else {
    entry.gradient_memory.resize(entry.value.shape());
    entry.gradient = entry.gradient_memory;
  }
  entry.has_gradient = true;
  return entry.gradient;
}

template <class Scalar>
void Graph<Scalar>::backward(View<const Scalar> weights, Tape<Scalar>& tape,
                             bool input_gradient) const {
  tape.gradients.resize({layout_.size()});
  tape.gradients.set_zero();
  for (std::size_t i = 0; i <= output_; ++i) {
    auto& entry = tape.entries[i];
    entry.has_gradient = i == output_;
    entry.wanted = nodes_[i].slots > 0 || (nodes_[i].is_input() && input_gradient);
    for (const std::size_t input : nodes_[i].inputs) entry.wanted |= tape.entries[input].wanted;
  }
  for (std::size_t i = output_ + 1; i-- > 0;) {
    const auto& entry = tape.entries[i];
    if (entry.active && entry.wanted && !nodes_[i].is_input()) backward_node(i, weights, tape);
  }
}

/// The first node to reach an input's gradient writes it; every further one adds to it.
template <class Scalar>
void Graph<Scalar>::backward_node(std::size_t node, const View<const Scalar>& weights,
                                  Tape<Scalar>& tape) const {
  const Entry& here = nodes_[node];
  auto& entry = tape.entries[node];
  if (shares_gradient(node, tape)) {
    tape.entries[here.inputs[0]].has_gradient = true;
    return;
  }
  for (std::size_t k = 0; k < here.inputs.size(); ++k) {
    auto& input = tape.entries[here.inputs[k]];
    if (!input.wanted) {
      entry.dx[k] = {};
    } else if (!input.has_gradient) {
      entry.dx[k] = make_gradient(here.inputs[k], tape);
    } else {
      entry.scratch[k].resize(input.value.shape());
      entry.dx[k] = entry.scratch[k];
    }
  }
  if (here.layer.only_reshapes()) {
    if (entry.dx[0]) {
      std::copy_n(entry.gradient.data(), entry.gradient.size(), entry.dx[0].data());
    }
  } else {
    here.layer.backward(parameters(weights.data(), node), entry.x, entry.value, entry.gradient,
                        entry.cache, parameters(tape.gradients.data(), node), entry.dx);
  }
  for (std::size_t k = 0; k < here.inputs.size(); ++k) {
    if (entry.dx[k] && entry.dx[k].data() == entry.scratch[k].data()) {
      tape.entries[here.inputs[k]].gradient.array() += entry.dx[k].array();
    }
  }
}

}  // namespace heed
