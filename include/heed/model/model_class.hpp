#pragma once

#include <heed/model/columns.hpp>
#include <heed/model/graph.hpp>
#include <heed/model/options.hpp>
#include <heed/model/summary.hpp>
#include <heed/model/team.hpp>

namespace heed {

/// A network with its weights: add layers, call `build`, then train it, use it or save it.
///
/// `add(layer)` continues from the node added last, `add(layer, node)` from another node, and
/// `add(layer, {a, b})` joins nodes. The last node is the output. A built model can be copied, and
/// its `const` functions can be called from several threads at once.
template <class Scalar>
class Model {
 public:
  explicit Model(std::string name = "model") : name_(std::move(name)) {}

  Model(const Model&) = default;
  Model& operator=(const Model&) = default;
  /// The model that was moved from has no layers.
  Model(Model&& other) noexcept : Model() { swap(other); }
  Model& operator=(Model&& other) noexcept {
    Model(std::move(other)).swap(*this);
    return *this;
  }

  /// Adds an input for samples of `shape`, without the batch axis; `Shape{any, 12}` accepts any
  /// length. A model can have several inputs; layers continue from the node added last.
  Node input(const Shape& shape) { return input("", shape); }
  Node input(std::string_view name, const Shape& shape);

  /// Adds a `Layer` after the last node, after one node, or after several. Throws `ShapeError` if
  /// the layer does not accept the shapes of its inputs, `OptionError` for a field outside its
  /// range, and `ModelError` for a name that is taken.
  template <Layer L>
  Node add(L layer) {
    return add("", std::move(layer));
  }
  template <Layer L>
  Node add(L layer, Node input) {
    return add("", std::move(layer), input);
  }
  template <Layer L>
  Node add(L layer, std::initializer_list<Node> inputs) {
    return add("", std::move(layer), inputs);
  }
  template <Layer L>
  Node add(std::string_view name, L layer) {
    check<ModelError>(!graph_.nodes().empty(), "a model begins with input(shape)");
    return add(name, std::move(layer), Node{graph_.nodes().size() - 1, 0});
  }
  template <Layer L>
  Node add(std::string_view name, L layer, Node input) {
    return add(name, std::move(layer), {input});
  }
  template <Layer L>
  Node add(std::string_view name, L layer, std::initializer_list<Node> inputs) {
    return add(name, AnyLayer<Scalar>(std::move(layer)), std::span(inputs.begin(), inputs.size()));
  }
  template <Layer L>
  Node add(std::string_view name, L layer, std::span<const Node> inputs) {
    return add(name, AnyLayer<Scalar>(std::move(layer)), inputs);
  }
  /// Adds a node's layer again with other inputs and the same weights: `share(encoder, {right})`.
  Node share(Node node, std::initializer_list<Node> inputs) { return share("", node, inputs); }
  Node share(std::string_view name, Node node, std::initializer_list<Node> inputs) {
    return share(name, node, std::span(inputs.begin(), inputs.size()));
  }
  Node share(std::string_view name, Node node, std::span<const Node> inputs);
  /// The same as `add(name, layer, inputs)`, for a layer whose type is known only at run time.
  Node add(std::string_view name, AnyLayer<Scalar> layer, std::span<const Node> inputs);

  /// Initialises the weights. The same seed gives the same weights on every machine.
  void build(const BuildOptions& options = {});
  bool is_built() const { return built_; }
  /// Throws `ModelError` unless the model is built. `done` is the verb in the message: "saved".
  void check_built(std::string_view done) const {
    check<ModelError>(
        built_, "model \"", name_, "\" is ", done, " before build()",
        graph_.nodes().empty() ? "; it has no layers, so it may have been moved from" : "");
  }

  const Trained& trained() const { return trained_; }
  void set_trained(const Trained& trained) { trained_ = trained; }
  /// Copies all weights from `values`, in the order of `graph().layout()`. The model is then built.
  /// Throws `ShapeError` unless there are `count_params()` values.
  void set_weights(std::span<const Scalar> values);

  /// Makes a node the output instead of the node added last, even if more nodes are added later.
  /// Throws `ModelError` for a node that the model does not have.
  void set_output(Node node) { set_outputs({node}); }
  /// Makes several nodes the outputs, in this order. A node may occur only once.
  void set_outputs(std::vector<Node> nodes);

  /// Sets whether training changes the weights of a layer; `false` freezes the layer. All layers
  /// are trainable at first. Throws `ModelError` for a name that the model does not have.
  void set_trainable(std::string_view layer, bool trainable) {
    graph_.set_trains(find_layer(layer), trainable);
  }

  const std::string& name() const { return name_; }
  const Graph<Scalar>& graph() const { return graph_; }

  /// The shapes for one sample. Both functions throw `ModelError` for a model without an input.
  const Shape& input_shape() const { return graph_.shape(input_node(0)); }
  const Shape& output_shape() const { return input_node(0), graph_.shape(graph_.outputs()[0]); }

  /// The number of parameters, including those of frozen layers.
  Index count_params() const { return graph_.layout().size(); }

  /// A table like Keras's: layers, output shapes, parameter counts, connections, totals.
  std::string summary() const { return heed::summary(name_, graph_); }

  /// All weights in the order of `graph().layout()`: a view, or a copy if the model is a temporary.
  /// To store them: `Arena<Scalar> kept(model.weights())`; to restore them:
  /// `model.set_weights(kept.values())`.
  View<Scalar> weights() & { return weights_; }
  View<const Scalar> weights() const& { return weights_; }
  Arena<Scalar> weights() const&& { return weights_; }

  /// One weight by its name, `lstm/kernel`. Throws `ModelError` if the model has no such weight.
  View<Scalar> weight(std::string_view name) & {
    return detail::slot_view(weights_.data(), find_weight(name));
  }
  View<const Scalar> weight(std::string_view name) const& {
    return detail::slot_view(weights_.data(), find_weight(name));
  }
  void weight(std::string_view) const&& = delete;  // give the model a name first

  /// The output (N, …) for the samples of a tensor, of `Sequences`, or of a list for several
  /// inputs. If the inputs are `Sequences` and the output has steps, the output is padded with
  /// zeros after the end of each sequence. Throws `ShapeError` for samples that do not have the
  /// input's shape, `OptionError` for an option outside its range, and `ModelError` for a model
  /// with several outputs.
  Tensor<Scalar> predict(const Columns<Scalar>& inputs, const PredictOptions& options = {}) const {
    check<ModelError>(graph_.outputs().size() <= 1, "model \"", name_, "\" has ",
                      graph_.outputs().size(), " outputs; predict_all returns all of them");
    return std::move(run(graph_.outputs(), {}, inputs, options)[0]);
  }

  /// The same for all outputs, in their order.
  std::vector<Tensor<Scalar>> predict_all(const Columns<Scalar>& inputs,
                                          const PredictOptions& options = {}) const {
    return run(graph_.outputs(), {}, inputs, options);
  }

  /// The values of a node, or the inner values that a block publishes, for each sample: `lstm`,
  /// `attention/weights`. Throws `ModelError` for a name that the model does not have.
  Tensor<Scalar> activations(std::string_view name, const Columns<Scalar>& inputs,
                             const PredictOptions& options = {}) const;

  /// Runs one batch on a tape of the caller, without allocating from the second batch of a size on.
  /// The result is a view of the tape. Throws `DataError` for a batch without samples.
  View<const Scalar> forward(View<const Scalar> x, Tape<Scalar>& tape,
                             const Pass& pass = {}) const {
    return forward(Inputs<Scalar>{.x = {&x, 1}}, tape, pass);
  }
  View<const Scalar> forward(const Inputs<Scalar>& inputs, Tape<Scalar>& tape,
                             const Pass& pass = {}) const {
    check_batch(inputs);
    graph_.forward(weights_, inputs, graph_.outputs(), pass, tape);
    return graph_.value(graph_.outputs()[0], tape);
  }

  /// Trains the model; see `FitOptions`. Both functions are defined in heed/train/fit.hpp.
  History fit(const Columns<Scalar>& x, const Columns<Scalar>& y,
              const FitOptions<Scalar>& options);
  /// Computes the losses and metrics on a data set.
  Logs evaluate(const Columns<Scalar>& x, const Columns<Scalar>& y,
                const EvaluateOptions<Scalar>& options) const;

  /// Throws unless the model is built and accepts the samples x.
  void check_input(View<const Scalar> x) const { check_input(Inputs<Scalar>{.x = {&x, 1}}); }
  void check_input(const Inputs<Scalar>& inputs) const;

  /// The same; also throws `DataError` if there are no samples.
  void check_batch(View<const Scalar> x) const { check_batch(Inputs<Scalar>{.x = {&x, 1}}); }
  void check_batch(const Inputs<Scalar>& inputs) const;

  /// One column for each input, in the order of the inputs, with `Sequences` padded to the model's
  /// length if it has one. Throws if the model does not accept them.
  std::vector<Column<Scalar>> ordered_inputs(const Columns<Scalar>& inputs) const;

 private:
  void check_input(std::size_t i, const Shape& x, const Shape& mask, const Shape& first) const;
  Node input_node(std::size_t i) const {
    check<ModelError>(i < graph_.inputs().size(), "model \"", name_, "\" has no input");
    return {graph_.inputs()[i], 0};
  }
  std::size_t find_layer(std::string_view name) const {
    const std::size_t node = graph_.find(name);
    if (node == graph_.nodes().size()) {
      throw ModelError(join("model \"", name_, "\" has no layer \"", name, "\" among ",
                            detail::quoted(graph_.nodes(), &Graph<Scalar>::Entry::name)));
    }
    return node;
  }
  auto members() { return std::tie(name_, graph_, weights_, trained_, built_); }
  void swap(Model& other) noexcept {
    auto theirs = other.members();
    members().swap(theirs);
  }
  const Slot& find_weight(std::string_view name) const;
  std::vector<Tensor<Scalar>> run(std::span<const Node> wanted, std::string_view inner,
                                  const Columns<Scalar>& inputs,
                                  const PredictOptions& options) const;
  View<const Scalar> find_published(std::size_t node, std::string_view inner,
                                    const Tape<Scalar>& tape) const;

  std::string name_;
  Graph<Scalar> graph_;
  Arena<Scalar> weights_ = Arena<Scalar>(Shape{0});
  Trained trained_;
  bool built_ = false;
};

template <class Scalar>
Node Model<Scalar>::input(std::string_view name, const Shape& shape) {
  const std::vector<Index> dims(shape.begin(), shape.end());
  return add(name, AnyLayer<Scalar>(Input{.shape = dims}), {});
}

template <class Scalar>
Node Model<Scalar>::add(std::string_view name, AnyLayer<Scalar> layer,
                        std::span<const Node> inputs) {
  check<ModelError>(!built_, "no layers can be added after build()");
  check<ModelError>(!inputs.empty() || layer.template get<Input>() != nullptr,
                    "a model begins with input(shape)");
  return {graph_.add(std::string(name), std::move(layer), {inputs.begin(), inputs.end()}), 0};
}

template <class Scalar>
Node Model<Scalar>::share(std::string_view name, Node node, std::span<const Node> inputs) {
  check<ModelError>(!built_, "no layers can be added after build()");
  check<ModelError>(node.index < graph_.nodes().size(), "model \"", name_,
                    "\": expected a layer of this model to share");
  return {graph_.share(std::string(name), node.index, {inputs.begin(), inputs.end()}), 0};
}

template <class Scalar>
void Model<Scalar>::set_outputs(std::vector<Node> nodes) {
  check<ModelError>(!nodes.empty(), "model \"", name_, "\": expected at least one output");
  for (const Node node : nodes) {
    check<ModelError>(
        node.index < graph_.nodes().size() && node.output < graph_[node.index].shapes.size(),
        "model \"", name_, "\": expected an output from this model");
  }
  graph_.set_outputs(std::move(nodes));
}

template <class Scalar>
void Model<Scalar>::build(const BuildOptions& options) {
  check<ModelError>(graph_.nodes().size() > graph_.inputs().size(),
                    "build() needs an input and at least one layer");
  weights_.resize({count_params()});
  std::uint64_t stream = 0;
  for (const Slot& slot : graph_.layout().all_slots()) {
    Random random(options.seed, stream++);
    const auto values = weights_.values().subspan(static_cast<std::size_t>(slot.offset),
                                                  static_cast<std::size_t>(slot.shape.size()));
    if (slot.unit_forget) {
      initialize_unit_forget(slot.initializer, values, slot.shape, random);
    } else {
      initialize(slot.initializer, values, slot.shape, random);
    }
  }
  trained_ = {};
  built_ = true;
}

template <class Scalar>
void Model<Scalar>::set_weights(std::span<const Scalar> values) {
  check<ModelError>(graph_.nodes().size() > graph_.inputs().size(),
                    "build() needs an input and at least one layer");
  check<ShapeError>(std::ssize(values) == count_params(), "model \"", name_, "\" has ",
                    count_params(), " weights, got ", values.size());
  weights_.resize({count_params()});
  std::copy(values.begin(), values.end(), weights_.data());
  built_ = true;
}

template <class Scalar>
const Slot& Model<Scalar>::find_weight(std::string_view name) const {
  check_built("asked for weights");
  const Slot* slot = graph_.layout().find(name);
  if (slot == nullptr) {
    throw ModelError(join("model \"", name_, "\" has no weight \"", name, "\" among ",
                          detail::quoted(graph_.layout().all_slots(), &Slot::name)));
  }
  return *slot;
}

}  // namespace heed
