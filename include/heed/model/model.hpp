#pragma once

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

  /// The shape of one sample, without the batch axis. Throws `ModelError` when there is an input.
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
    return add(name, std::move(layer), Node{graph_.nodes().size() - 1});
  }
  template <Layer L>
  Node add(std::string_view name, L layer, Node input) {
    return add(name, std::move(layer), {input});
  }
  template <Layer L>
  Node add(std::string_view name, L layer, std::initializer_list<Node> inputs) {
    return add(name, AnyLayer<Scalar>(std::move(layer)), std::span(inputs.begin(), inputs.size()));
  }
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
  void set_output(Node node) {
    check<ModelError>(node.index < graph_.nodes().size(), "model \"", name_,
                      "\": expected an output from this model");
    graph_.set_output(node.index);
  }

  const std::string& name() const { return name_; }
  const Graph<Scalar>& graph() const { return graph_; }

  /// Of one sample. Both throw `ModelError` for a model without an input.
  const Shape& input_shape() const { return node(0).shape; }
  const Shape& output_shape() const { return node(graph_.output()).shape; }

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

  /// The output (N, …) for each sample of x: (N, …). Throws `ShapeError` when x is not of the input's
  /// shape, `OptionError` for an option outside its range.
  Tensor<Scalar> predict(View<const Scalar> x, const PredictOptions& options = {}) const {
    return run(graph_.output(), {}, x, options);
  }

  /// What a node gives for each sample, or an inner value that a block publishes: `lstm`,
  /// `attention/weights`. Throws `ModelError` for a name that the model does not have.
  Tensor<Scalar> activations(std::string_view name, View<const Scalar> x,
                             const PredictOptions& options = {}) const;

  /// One batch on a tape of the caller's: no allocation from the second batch of a size on. The
  /// result stands on the tape. Throws `DataError` for a batch of no samples.
  View<const Scalar> forward(View<const Scalar> x, Tape<Scalar>& tape,
                             const Pass& pass = {}) const {
    check_batch(x);
    return graph_.forward(weights_, x, graph_.output(), pass, tape);
  }

  /// Trains; see `FitOptions`. Both are defined in heed/train/fit.hpp.
  History fit(View<const Scalar> x, View<const Scalar> y, const FitOptions<Scalar>& options);
  /// The loss and metrics on data.
  Logs evaluate(View<const Scalar> x, View<const Scalar> y,
                const EvaluateOptions<Scalar>& options) const;

  /// Throws unless x holds samples that this model takes and the model is built; for a batch, at least
  /// one.
  void check_input(View<const Scalar> x) const;
  void check_batch(View<const Scalar> x) const;

 private:
  const typename Graph<Scalar>::Entry& node(std::size_t index) const {
    check<ModelError>(!graph_.nodes().empty(), "model \"", name_, "\" has no input");
    return graph_[index];
  }
  auto members() { return std::tie(name_, graph_, weights_, trained_, built_); }
  void swap(Model& other) noexcept {
    auto theirs = other.members();
    members().swap(theirs);
  }
  const Slot& find_weight(std::string_view name) const;
  Tensor<Scalar> run(std::size_t node, std::string_view inner, View<const Scalar> x,
                     const PredictOptions& options) const;
  View<const Scalar> find_published(std::size_t node, std::string_view inner,
                                    const Tape<Scalar>& tape) const;

  std::string name_;
  Graph<Scalar> graph_;
  Arena<Scalar> weights_;
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
  check<ModelError>(inputs.empty() == graph_.nodes().empty(),
                    "a model has one input, and it comes first");
  std::vector<std::size_t> indices;
  for (const Node node : inputs) indices.push_back(node.index);
  return {graph_.add(std::string(name), std::move(layer), std::move(indices))};
}

template <class Scalar>
void Model<Scalar>::build(const BuildOptions& options) {
  check<ModelError>(graph_.nodes().size() > 1,
                    "a model is built from an input and at least one layer");
  weights_.resize({count_params()});
  std::uint64_t stream = 0;
  for (const Slot& slot : graph_.layout().slots()) {
    Random random(options.seed, stream++);
    const auto size = static_cast<std::size_t>(slot.shape.size());
    initialize(slot.initializer,
               weights_.values().subspan(static_cast<std::size_t>(slot.offset), size), slot.shape,
               random);
  }
  trained_ = {};
  built_ = true;
}

template <class Scalar>
void Model<Scalar>::set_weights(std::span<const Scalar> values) {
  check<ModelError>(graph_.nodes().size() > 1,
                    "a model is built from an input and at least one layer");
  check<ShapeError>(std::ssize(values) == count_params(), "model \"", name_, "\" has ",
                    count_params(), " weights, got ", values.size());
  weights_.resize({count_params()});
  std::copy(values.begin(), values.end(), weights_.data());
  built_ = true;
}

template <class Scalar>
void Model<Scalar>::check_input(View<const Scalar> x) const {
  check_built("used");
  check<ShapeError>(x.rank() > 0 && x.shape().sample() == input_shape(), "model \"", name_,
                    "\": expected x of (samples) and ", input_shape(), ", got ", x.shape());
}

template <class Scalar>
void Model<Scalar>::check_batch(View<const Scalar> x) const {
  check_input(x);
  check<DataError>(x.dim(0) > 0, "model \"", name_, "\": expected at least one sample, got ",
                   x.shape());
}

template <class Scalar>
const Slot& Model<Scalar>::find_weight(std::string_view name) const {
  check_built("asked for weights");
  const Slot* slot = graph_.layout().find(name);
  if (slot == nullptr) {
    throw ModelError(join("model \"", name_, "\" has no weight \"", name, "\" among ",
                          detail::quoted(graph_.layout().slots(), &Slot::name)));
  }
  return *slot;
}

template <class Scalar>
Tensor<Scalar> Model<Scalar>::activations(std::string_view name, View<const Scalar> x,
                                          const PredictOptions& options) const {
  const std::size_t slash = std::min(name.find('/'), name.size());
  const std::size_t node = graph_.find(name.substr(0, slash));
  if (node == graph_.nodes().size()) {
    throw ModelError(join("model \"", name_, "\" has no layer \"", name.substr(0, slash),
                          "\" among ",
                          detail::quoted(graph_.nodes(), &Graph<Scalar>::Entry::name)));
  }
  return run(node, name.substr(std::min(slash + 1, name.size())), x, options);
}

template <class Scalar>
Tensor<Scalar> Model<Scalar>::run(std::size_t node, std::string_view inner, View<const Scalar> x,
                                  const PredictOptions& options) const {
  check_input(x);
  check<OptionError>(options.batch_size > 0, "expected a batch_size of at least 1, got ",
                     options.batch_size);
  const auto forward = [&](View<const Scalar> batch, Tape<Scalar>& tape) {
    const auto value = graph_.forward(weights_, batch, node, {}, tape);
    return inner.empty() ? value : find_published(node, inner, tape);
  };
  const Index samples = x.dim(0);
  const Index batch_size = std::min(options.batch_size, samples);
  Team team(std::min(options.threads, std::max<Index>(samples, 1)));
  Shape shape = graph_[node].shape.batch(samples);
  if (!inner.empty()) {
    // The graph does not know the shapes of inner values; a sample that is run shows them.
    const Tensor<Scalar> one(x.shape().with(0, 1));
    Tape<Scalar> tape;
    shape = forward(one, tape).shape().with(0, samples);
  }
  Tensor<Scalar> result(shape);
  if (samples == 0) return result;  // layers need memory to work on
  team.run(team.threads(), [&](Index shard) {
    const detail::Part part(samples, team.threads(), shard);
    const Index end = part.first + part.count;
    Tape<Scalar> tape;
    for (Index first = part.first; first < end; first += batch_size) {
      const Index count = std::min(batch_size, end - first);
      const auto value = forward(x.samples(first, count), tape);
      std::copy_n(value.data(), value.size(), result.samples(first, count).data());
    }
  });
  return result;
}

template <class Scalar>
View<const Scalar> Model<Scalar>::find_published(std::size_t node, std::string_view inner,
                                                 const Tape<Scalar>& tape) const {
  const auto values = graph_[node].layer.published(tape.entries[node].cache);
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const auto& known) { return known.name == inner; });
  if (found == values.end()) {
    throw ModelError(join(graph_.title(node), " publishes no \"", inner, "\" among ",
                          detail::quoted(values, &Published<Scalar>::name)));
  }
  return found->value;
}

}  // namespace heed
