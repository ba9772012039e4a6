#pragma once

#include <heed/model/model.hpp>

namespace heed {

/// How a `Stream` is made.
struct StreamOptions {
  /// How many steps attention looks back on: the oldest leaves when another comes. 0: as many as the
  /// model's input has.
  Index capacity = 0;
};

/// What a stream remembers of the steps so far: a value, to be kept and copied.
template <class Scalar>
struct StreamState {
  Tensor<Scalar, 1> values;
  Index steps = 0;  ///< how many there were

  bool operator==(const StreamState&) const = default;
};

/// A trained model that is fed one time step at a time:
///
///     Stream<float> stream{model};
///     while (…) y = stream.step(x_t);    // x_t: (features), y: what the model gives, without a batch axis
///
/// `step` gives what `predict` gives for the sequence so far, which may be of any length: the last step
/// of an output that has steps, the whole of one that has none. Attention looks back on no more steps
/// than the capacity. It allocates nothing, takes no lock, and throws only on an input of another
/// shape, and on a step that does not count for a Masking or an Embedding: such steps are left out.
///
/// A layer with steps in its input can be streamed when each step of its output follows from that step
/// alone (Dense, Activation, Dropout, Multiply, Add, Concatenate of features), or from it and a state
/// (LSTM, LastStep, LuongAttention). What comes behind the steps can be any layer.
///
/// The model must outlive the stream, stay where it is, and keep its weights: after training it
/// further, make another stream. Streams of one model may run in different threads.
template <class Scalar>
class Stream {
 public:
  /// Starts before the first step. Throws `ModelError` with the layer's name for a model that cannot
  /// be streamed or is not built, `OptionError` for a negative capacity.
  explicit Stream(const Model<Scalar>& model, const StreamOptions& options = {});
  explicit Stream(const Model<Scalar>&& model, const StreamOptions& options = {}) = delete;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) noexcept = default;

  /// The next time step, x: the input's shape without steps. The result stands in the stream, until the
  /// next call. Throws `ShapeError` for another shape.
  View<const Scalar> step(View<const Scalar> x) {
    check<ShapeError>(x.shape() == step_shape_, "model \"", model_->name(),
                      "\": expected a step of ", step_shape_, ", got ", x.shape());
    run(x.data(), 1);
    return step_output_;
  }

  /// The same for numbers that stand one after the other: an array, a vector, a span.
  View<const Scalar> step(std::span<const Scalar> x) {
    check<ShapeError>(std::ssize(x) == step_shape_.size(), "model \"", model_->name(),
                      "\": expected a step of ", step_shape_.size(), " numbers, got ", x.size());
    run(x.data(), 1);
    return step_output_;
  }

  /// Several time steps at once, x: (steps, …), which is faster; the result has the output of each:
  /// (steps, …). One sample as a batch, (1, steps, …), is taken, too. Allocates only for a block longer
  /// than any before.
  View<const Scalar> process(View<const Scalar> x) {
    if (x.rank() == step_shape_.rank() + 2 && x.dim(0) == 1) x = x.reshaped(x.shape().sample());
    check<ShapeError>(x.rank() > 0 && x.shape().sample() == step_shape_, "model \"", model_->name(),
                      "\": expected a block of (steps) and ", step_shape_, ", got ", x.shape());
    if (x.dim(0) == 0) return View<const Scalar>(nullptr, output_step_.batch(0));
    run(x.data(), x.dim(0));
    return output_;
  }

  /// How many steps there were since the start or `reset`.
  Index steps() const { return steps_; }

  /// What the stream remembers; `restore` goes on from there, in this stream or another of the model
  /// with the same capacity, and throws `ShapeError` for a state of another size.
  StreamState<Scalar> state() const { return {state_, steps_}; }
  void restore(const StreamState<Scalar>& state) {
    check<ShapeError>(state.values.size() == state_.size() && state.steps >= 0, "model \"",
                      model_->name(), "\": expected a state of ", state_.size(), " numbers, got ",
                      state.values.size(), " after ", state.steps, " steps");
    std::copy_n(state.values.data(), state_.size(), state_.data());
    steps_ = state.steps;
  }

  /// Back to before the first step.
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
    bool has_steps = false;  ///< whether the value is (1, steps, …), or (steps, …) as a batch
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
  bool is_made_ = false;  ///< the first steps of zeros have been run
  Index prepared_ = 0;    ///< how long a block the views are made for
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
  // Of any length: what looks back on steps has to be told on how many.
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
  // One step of zeros, so that all memory is there before the first.
  const Tensor<Scalar> zeros(step_shape_);
  run(zeros.data(), 1);
  reset();
  counts_.resize(1);
  is_made_ = true;
}

/// Decides how a node is run. Throws `ModelError` when it cannot be, with the reason.
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
    check<ModelError>(with_steps == shapes.size(), "it joins what has steps with what has none");
    if (here.layer.is_step_wise(shapes)) {
      entry.has_steps = true;
    } else {
      check<ModelError>(here.layer.can_stream(), "it needs all steps at once");
      check<ModelError>(shapes.size() == 1, "it begins with states of other layers");
      entry.kind = Kind::stream;
      entry.has_steps = here.shape().rank() == shapes[0].rank();
      check<ModelError>(
          capacity != any ||
              here.layer.stream_state(shapes[0], 1) == here.layer.stream_state(shapes[0], 2),
          "its input is of any length: say by {.capacity = …} on how many steps it looks back");
      state = here.layer.stream_state(shapes[0], capacity == any ? 1 : capacity);
    }
  }
  check<ModelError>(here.layer.outputs() == 1, "it has ", here.layer.outputs(), " outputs");
  entry.x.resize(here.inputs.size());
  entry.cache = here.layer.make_cache();
  if (entry.kind == Kind::stream) {
    here.layer.start_stream(entry.w, entry.cache);
  }
  entries_.push_back(std::move(entry));
  states.push_back(std::move(state));
}

/// Makes all memory and views for a block of so many steps.
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

/// A step that does not count would have to leave all states as they are, and has no output of its own.
template <class Scalar>
void Stream<Scalar>::check_steps(const Entry& entry, Index steps) {
  counts_.assign(static_cast<std::size_t>(steps), 1);
  entry.layer->mark({.w = entry.w, .x = entry.x, .y = {&entry.y, 1}}, counts_);
  const auto first = std::find(counts_.begin(), counts_.end(), 0);
  if (first == counts_.end()) return;
  throw DataError(join(model_->graph().title(entry.node), ": step ",
                       steps_ + (first - counts_.begin()),
                       " does not count; leave such steps out of a stream"));
}

}  // namespace heed
