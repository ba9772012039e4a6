#pragma once

#include <heed/model/columns.hpp>
#include <heed/model/graph.hpp>
#include <heed/model/options.hpp>
#include <heed/model/summary.hpp>
#include <heed/model/team.hpp>

namespace heed {

/// A network with its weights: add layers, `build`, then `fit`, `predict`, look inside, save.
///
/// `add(layer)` continues from the node added last, `add(layer, node)` from another, `add(layer, {a,
/// b})` joins. The last node is the output. A built model can be copied, and its `const` functions can
/// be called from several threads at once.
template <class Scalar>
class Model {
 public:
  explicit Model(std::string name = "model") : name_(std::move(name)) {}

  Model(const Model&) = default;
  Model& operator=(const Model&) = default;
  /// What was moved from is a model without layers.
  Model(Model&& other) noexcept : Model() { swap(other); }
  Model& operator=(Model&& other) noexcept {
    Model(std::move(other)).swap(*this);
    return *this;
  }

  /// The shape of one sample, without the batch axis; of any length with `Shape{any, 12}`. A model may have
  /// several inputs; layers continue from the last node.
  Node input(const Shape& shape) { return input("", shape); }
  Node input(std::string_view name, const Shape& shape);

  /// Adds a `Layer` after the last node, one, or several. Throws `ShapeError` when it does not fit what
  /// is before it, `OptionError` for a field outside its range, `ModelError` for a name that is taken.
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
  /// The layer of a node once more, on other inputs and with the same weights: `share(encoder, right)`.
  Node share(Node node, std::initializer_list<Node> inputs) { return share("", node, inputs); }
  Node share(std::string_view name, Node node, std::initializer_list<Node> inputs) {
    return share(name, node, std::span(inputs.begin(), inputs.size()));
  }
  Node share(std::string_view name, Node node, std::span<const Node> inputs);
  /// The same for a layer whose type is known only at run time.
  Node add(std::string_view name, AnyLayer<Scalar> layer, std::span<const Node> inputs);

  /// Makes the weights. The same seed gives the same weights, everywhere.
  void build(const BuildOptions& options = {});
  bool is_built() const { return built_; }
  /// Throws `ModelError` unless the model is built; `done` says what is done to it: "saved".
  void check_built(std::string_view done) const {
    check<ModelError>(
        built_, "model \"", name_, "\" is ", done, " before build()",
        graph_.nodes().empty() ? "; it has no layers, as one that was moved from" : "");
  }

  const Trained& trained() const { return trained_; }
  void set_trained(const Trained& trained) { trained_ = trained; }
  /// Gives the model weights made elsewhere, all of them, in the order of `graph().layout()`; it is
  /// built then. Throws `ShapeError` when their number is not `count_params()`.
  void set_weights(std::span<const Scalar> values);

  /// Another output than the node added last, also when more are added. Throws `ModelError` for a node
  /// that the model does not have.
  void set_output(Node node) { set_outputs({node}); }
  /// Several outputs, in this order, each of them once.
  void set_outputs(std::vector<Node> nodes);

  /// Whether training changes the weights of a layer, which it does unless it is frozen by `false`. Throws
  /// `ModelError` for a name that the model does not have.
  void set_trainable(std::string_view layer, bool trainable) {
    graph_.set_trains(find_layer(layer), trainable);
  }

  const std::string& name() const { return name_; }
  const Graph<Scalar>& graph() const { return graph_; }

  /// Of one sample. Both throw `ModelError` for a model without an input.
  const Shape& input_shape() const { return graph_.shape(input_node(0)); }
  const Shape& output_shape() const { return input_node(0), graph_.shape(graph_.outputs()[0]); }

  /// How many numbers are trained.
  Index count_params() const { return graph_.layout().size(); }

  /// Keras's table: layers, output shapes, parameter counts, connections, totals.
  std::string summary() const { return heed::summary(name_, graph_); }

  /// All weights, as `graph().layout()` says: a view, or a copy of those of a temporary. To keep them:
  /// `Arena<Scalar> kept(model.weights())`; to bring them back: `model.set_weights(kept.values())`.
  View<Scalar> weights() & { return weights_; }
  View<const Scalar> weights() const& { return weights_; }
  Arena<Scalar> weights() const&& { return weights_; }

  /// One weight by name, `lstm/kernel`. Throws `ModelError` when there is none.
  View<Scalar> weight(std::string_view name) & {
    return detail::slot_view(weights_.data(), find_weight(name));
  }
  View<const Scalar> weight(std::string_view name) const& {
    return detail::slot_view(weights_.data(), find_weight(name));
  }
  void weight(std::string_view) const&& = delete;  // give the model a name first

  /// The output (N, …) for each sample: of x, of `Sequences`, or of a list for several inputs. Where steps come
  /// out of `Sequences`, zeros stand behind the end of each. Throws `ShapeError` when the samples are not of the
  /// input's shape, `OptionError` for an option outside its range, `ModelError` for a model of several outputs.
  Tensor<Scalar> predict(const Columns<Scalar>& inputs, const PredictOptions& options = {}) const {
    check<ModelError>(graph_.outputs().size() <= 1, "model \"", name_, "\" has ",
                      graph_.outputs().size(), " outputs: predict_all gives them");
    return std::move(run(graph_.outputs(), {}, inputs, options)[0]);
  }

  /// The same of each output, in their order.
  std::vector<Tensor<Scalar>> predict_all(const Columns<Scalar>& inputs,
                                          const PredictOptions& options = {}) const {
    return run(graph_.outputs(), {}, inputs, options);
  }

  /// What a node gives for each sample, or an inner value that a block publishes: `lstm`,
  /// `attention/weights`. Throws `ModelError` for a name that the model does not have.
  Tensor<Scalar> activations(std::string_view name, const Columns<Scalar>& inputs,
                             const PredictOptions& options = {}) const;

  /// One batch on a tape of the caller's: no allocation from the second batch of a size on. The
  /// result stands on the tape. Throws `DataError` for a batch of no samples.
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

  /// Trains; see `FitOptions`. Both are defined in heed/train/fit.hpp.
  History fit(const Columns<Scalar>& x, const Columns<Scalar>& y,
              const FitOptions<Scalar>& options);
  /// The losses and metrics on data.
  Logs evaluate(const Columns<Scalar>& x, const Columns<Scalar>& y,
                const EvaluateOptions<Scalar>& options) const;

  /// Throws unless x holds samples that this model takes and the model is built.
  void check_input(View<const Scalar> x) const { check_input(Inputs<Scalar>{.x = {&x, 1}}); }
  void check_input(const Inputs<Scalar>& inputs) const;

  /// The same, and `DataError` unless there is at least one sample.
  void check_batch(View<const Scalar> x) const { check_batch(Inputs<Scalar>{.x = {&x, 1}}); }
  void check_batch(const Inputs<Scalar>& inputs) const;

  /// A column for each input in the order of the inputs, `Sequences` as long as the model needs them. Throws
  /// unless this model takes them.
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
  check<ModelError>(!built_, "a model that is built takes no further layers");
  check<ModelError>(!inputs.empty() || layer.template get<Input>() != nullptr,
                    "a model begins with input(shape)");
  return {graph_.add(std::string(name), std::move(layer), {inputs.begin(), inputs.end()}), 0};
}

template <class Scalar>
Node Model<Scalar>::share(std::string_view name, Node node, std::span<const Node> inputs) {
  check<ModelError>(!built_, "a model that is built takes no further layers");
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
    check<ModelError>(std::count(nodes.begin(), nodes.end(), node) == 1, "model \"", name_,
                      "\": expected different outputs, got ", graph_.title(node.index),
                      " more than once");
  }
  graph_.set_outputs(std::move(nodes));
}

template <class Scalar>
void Model<Scalar>::build(const BuildOptions& options) {
  check<ModelError>(graph_.nodes().size() > graph_.inputs().size(),
                    "a model is built from an input and at least one layer");
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
                    "a model is built from an input and at least one layer");
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
