#pragma once

#include <heed/model/model.hpp>

namespace heed {

/// Options of a `Stream`.
struct StreamOptions {
  /// The number of steps over which attention looks back; each new step then replaces the oldest.
  /// 0: the number of steps of the model's input.
  Index capacity = 0;
};

/// The state of a stream after the steps so far: a value that can be stored and copied.
template <class Scalar>
struct StreamState {
  Tensor<Scalar, 1> values;
  Index steps = 0;  ///< the number of steps so far

  bool operator==(const StreamState&) const = default;
};

/// Runs a trained model one time step at a time:
///
///     Stream<float> stream{model};
///     while (…) y = stream.step(x_t);    // x_t: (features), y: the output, without a batch axis
///
/// `step` returns what `predict` would return for the sequence so far, which can have any length:
/// the last step of an output that has steps, otherwise the whole output. Attention looks back over
/// at most `capacity` steps. `step` allocates nothing and takes no lock. It throws only for an
/// input of the wrong shape and for a step that a Masking or an Embedding masks; leave such steps out.
///
/// A layer whose input has steps can be streamed if each step of its output depends only on the
/// same step of the input (Dense, Activation, Dropout, Multiply, Add, Concatenate of features), or
/// on that step and a state (LSTM, causal Conv1D, LuongAttention). Any layer may follow a layer that
/// removes the time axis.
///
/// The model must outlive the stream and must not be moved. Its weights must not change: after
/// further training, make a new stream. Streams of one model may run in different threads.
template <class Scalar>
class Stream {
 public:
  /// Creates a stream before its first step. Throws `ModelError` with the layer's name if the model
  /// cannot be streamed or is not built, and `OptionError` for a negative capacity.
  explicit Stream(const Model<Scalar>& model, const StreamOptions& options = {});
  explicit Stream(const Model<Scalar>&& model, const StreamOptions& options = {}) = delete;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) noexcept = default;

  /// Runs the next time step, x: the shape of the input without steps. The result refers to memory
  /// of the stream and is valid until the next call. Throws `ShapeError` for another shape.
  View<const Scalar> step(View<const Scalar> x) {
    check<ShapeError>(x.shape() == step_shape_, "model \"", model_->name(),
                      "\": expected a step of ", step_shape_, ", got ", x.shape());
    run(x.data(), 1);
    return step_output_;
  }

  /// The same for contiguous numbers: an array, a vector, a span.
  View<const Scalar> step(std::span<const Scalar> x) {
    check<ShapeError>(std::ssize(x) == step_shape_.size(), "model \"", model_->name(),
                      "\": expected a step of ", step_shape_.size(), " numbers, got ", x.size());
    run(x.data(), 1);
    return step_output_;
  }

  /// Runs several time steps at once, x: (steps, …), which is faster. The result contains the
  /// output of each step: (steps, …). Also accepts one sample as a batch, (1, steps, …). Allocates
  /// only for a block that is longer than all previous ones.
  View<const Scalar> process(View<const Scalar> x) {
    if (x.rank() == step_shape_.rank() + 2 && x.dim(0) == 1) x = x.reshaped(x.shape().sample());
    check<ShapeError>(x.rank() > 0 && x.shape().sample() == step_shape_, "model \"", model_->name(),
                      "\": expected a block of (steps) and ", step_shape_, ", got ", x.shape());
    if (x.dim(0) == 0) return View<const Scalar>(nullptr, output_step_.batch(0));
    run(x.data(), x.dim(0));
    return output_;
  }

  /// The number of steps since the start or `reset`.
  Index steps() const { return steps_; }

  /// The state of the stream. `restore` continues from it, in this stream or in another one of the
  /// same model with the same capacity, and throws `ShapeError` for a state of another size.
  StreamState<Scalar> state() const { return {state_, steps_}; }
  void restore(const StreamState<Scalar>& state) {
    check<ShapeError>(state.values.size() == state_.size() && state.steps >= 0, "model \"",
                      model_->name(), "\": expected a state of ", state_.size(), " numbers, got ",
                      state.values.size(), " after ", state.steps, " steps");
    std::copy_n(state.values.data(), state_.size(), state_.data());
    steps_ = state.steps;
  }

  /// Returns to the state before the first step.
  void reset() {
    state_.set_zero();
    steps_ = 0;
  }

 private:
  enum class Kind { input, reshape, forward, stream };

  struct Entry {
    std::size_t node = 0;
    const AnyLayer<Scalar>* layer = nullptr;
    Parameters<const Scalar> w;
    Kind kind = Kind::forward;
    bool has_steps = false;  ///< the value is (1, steps, …), otherwise (steps, …) as a batch
    Tensor<Scalar> memory;
    View<const Scalar> value;
    std::vector<std::size_t> inputs;  ///< entries
    std::vector<View<const Scalar>> x;
    View<Scalar> y;
    std::vector<View<Scalar>> state;
    AnyCache cache;
  };

  void add(std::size_t node, const std::vector<std::size_t>& entry_of, Index capacity,
           std::vector<std::vector<Shape>>& states);
  void prepare(Index steps);
  void run(const Scalar* x, Index steps);
  void check_steps(const Entry& entry, Index steps);

  const Model<Scalar>* model_;
  std::vector<Entry> entries_;
  Tensor<Scalar, 1> state_;
  Index steps_ = 0;
  std::vector<std::uint8_t> counts_;
  bool is_made_ = false;  ///< the initial step of zeros has been run
  Index prepared_ = 0;    ///< the block length for which the views are made
  Shape step_shape_, output_step_;
  View<const Scalar> output_;       ///< of the block
  View<const Scalar> step_output_;  ///< of a block of one step, without its axis
};

template <class Scalar>
Stream<Scalar>::Stream(const Model<Scalar>& model, const StreamOptions& options) : model_(&model) {
  model.check_built("streamed");
  check<OptionError>(options.capacity >= 0, "expected a capacity of at least 0 steps, got ",
                     options.capacity);
  check<ModelError>(model.input_shape().rank() >= 2, "model \"", model.name(),
                    "\" cannot be streamed: its input ", model.input_shape(), " has no steps");
  const Graph<Scalar>& graph = model.graph();
  std::vector<bool> needed(graph.nodes().size());
  needed[graph.output()] = true;
  for (std::size_t i = graph.output() + 1; i-- > 0;) {
    for (const Node input : graph[i].inputs) {
      if (needed[i]) needed[input.index] = true;
    }
  }
  check<ModelError>(graph.inputs().size() == 1 && graph.outputs().size() == 1, "model \"",
                    model.name(), "\" cannot be streamed: it has ", graph.inputs().size(),
                    " inputs and ", graph.outputs().size(), " outputs");
  const Index capacity = options.capacity > 0 ? options.capacity : model.input_shape()[0];
  std::vector<std::size_t> entry_of(needed.size());
  std::vector<std::vector<Shape>> states;
  for (std::size_t i = 0; i <= graph.output(); ++i) {
    if (!needed[i]) continue;
    entry_of[i] = entries_.size();
    try {
      add(i, entry_of, capacity, states);
    } catch (const ModelError& error) {
      throw ModelError(join(graph.title(i), " cannot be streamed: ", error.what()));
    }
  }

  Index size = 0;
  for (const auto& shapes : states) {
    for (const Shape& shape : shapes) size += shape.size();
  }
  state_ = Tensor<Scalar, 1>(Shape{size});
  Scalar* next = state_.data();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    for (const Shape& shape : states[i]) {
      entries_[i].state.emplace_back(next, shape);
      next += shape.size();
    }
  }
  step_shape_ = model.input_shape().sample();
  const Shape& output = model.output_shape();
  output_step_ = entries_.back().has_steps ? output.sample() : output;
  // Runs one step of zeros, which allocates all memory.
  const Tensor<Scalar> zeros(step_shape_);
  run(zeros.data(), 1);
  reset();
  counts_.resize(1);
  is_made_ = true;
}

/// Decides how a node is run. Throws `ModelError` with the reason if it cannot be streamed.
template <class Scalar>
void Stream<Scalar>::add(std::size_t node, const std::vector<std::size_t>& entry_of, Index capacity,
                         std::vector<std::vector<Shape>>& states) {
  const Graph<Scalar>& graph = model_->graph();
  const auto& here = graph[node];
  Entry entry;
  entry.node = node;
  entry.layer = &here.layer;
  entry.w = graph.parameters(model_->weights().data(), node);
  std::vector<Shape> shapes;
  std::size_t with_steps = 0;
  for (const Node input : here.inputs) {
    check<ModelError>(input.output == 0, "it reads the states of a layer");
    entry.inputs.push_back(entry_of[input.index]);
    shapes.push_back(graph.shape(input));
    with_steps += entries_[entry_of[input.index]].has_steps ? 1u : 0u;
  }
  std::vector<Shape> state;
  if (here.is_input()) {
    entry.kind = Kind::input;
    entry.has_steps = true;
  } else if (with_steps == 0) {
    entry.kind = here.layer.only_reshapes() ? Kind::reshape : Kind::forward;
  } else {
    check<ModelError>(with_steps == shapes.size(), "it combines inputs with and without steps");
    if (here.layer.is_step_wise(shapes)) {
      entry.has_steps = true;
    } else {
      check<ModelError>(here.layer.can_stream(), "it needs all steps at once");
      check<ModelError>(shapes.size() == 1, "its initial states come from other layers");
      entry.kind = Kind::stream;
      entry.has_steps = here.shape().rank() == shapes[0].rank();
      check<ModelError>(
          capacity != any ||
              here.layer.stream_state(shapes[0], 1) == here.layer.stream_state(shapes[0], 2),
          "its input has any length; set by {.capacity = …} how many steps it looks back");
      state = here.layer.stream_state(shapes[0], capacity == any ? 1 : capacity);
    }
  }
  check<ModelError>(here.layer.outputs() == 1, "it has ", here.layer.outputs(), " outputs");
  const Shape step = entry.has_steps ? here.shape().sample() : here.shape();
  check<ModelError>(step.is_known(), "expected a step of known shape, got ", step);
  entry.x.resize(here.inputs.size());
  entry.cache = here.layer.make_cache();
  if (entry.kind == Kind::stream) here.layer.start_stream(entry.w, entry.cache);
  entries_.push_back(std::move(entry));
  states.push_back(std::move(state));
}

/// Allocates all memory and views for a block of `steps` steps.
template <class Scalar>
void Stream<Scalar>::prepare(Index steps) {
  prepared_ = 0;  // until all is made: memory may run out
  for (Entry& entry : entries_) {
    const Shape& sample = model_->graph()[entry.node].shape();
    const Shape shape = entry.has_steps ? sample.with(0, steps).batch(1) : sample.batch(steps);
    for (std::size_t k = 0; k < entry.x.size(); ++k) {
      const auto& x = entries_[entry.inputs[k]].value;
      entry.x[k] = entry.kind == Kind::stream ? x.reshaped(x.shape().sample()) : x;
    }
    if (entry.kind == Kind::reshape) {
      entry.value = entry.x[0].reshaped(shape);
      continue;
    }
    entry.memory.resize(shape);
    entry.value = entry.memory;
    entry.y = entry.memory;
    if (entry.kind == Kind::stream && entry.has_steps) entry.y = entry.y.reshaped(shape.sample());
  }
  const auto& last = entries_.back();
  output_ = last.has_steps ? last.value.reshaped(last.value.shape().sample()) : last.value;
  step_output_ = View<const Scalar>(output_.data(), output_step_);
  prepared_ = steps;
}

template <class Scalar>
void Stream<Scalar>::run(const Scalar* x, Index steps) {
  if (steps != prepared_) prepare(steps);
  for (Entry& entry : entries_) {
    switch (entry.kind) {
      case Kind::input: std::copy_n(x, entry.memory.size(), entry.memory.data()); break;
      case Kind::reshape: break;
      case Kind::forward:
        entry.layer->forward({.w = entry.w, .x = entry.x, .y = {&entry.y, 1}}, entry.cache);
        if (entry.layer->can_mark() && entry.has_steps && is_made_) check_steps(entry, steps);
        break;
      case Kind::stream:
        entry.layer->stream(
            {.w = entry.w, .x = entry.x, .y = {&entry.y, 1}, .next_state = entry.state}, steps_,
            entry.cache);
        break;
    }
  }
  steps_ += steps;
}

/// A masked step would have to leave all states unchanged, and has no output.
template <class Scalar>
void Stream<Scalar>::check_steps(const Entry& entry, Index steps) {
  counts_.assign(static_cast<std::size_t>(steps), 1);
  entry.layer->mark({.w = entry.w, .x = entry.x, .y = {&entry.y, 1}}, counts_);
  const auto first = std::find(counts_.begin(), counts_.end(), 0);
  if (first == counts_.end()) return;
  throw DataError(join(model_->graph().title(entry.node), ": step ",
                       steps_ + (first - counts_.begin()),
                       " is masked; leave masked steps out of a stream"));
}

}  // namespace heed
