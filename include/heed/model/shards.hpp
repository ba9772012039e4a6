#pragma once

#include <heed/model/graph.hpp>
#include <heed/model/team.hpp>

namespace heed {

/// Runs a batch through a graph in shards of consecutive samples: one for each thread of a team,
/// but not more than there are samples, and one for training a
/// graph with statistics. Each shard has its own tape. Layers are given the index of
/// the first sample of the shard, so that their random numbers do not depend on the division into
/// shards. A single shard is just a tape.
///
///     y = shards.forward(graph, weights, x, pass);       // each shard runs, the outputs are joined
///     loss(targets, y, shards.output_gradient(graph));   // of the whole batch
///     shards.backward(graph, weights);                   // each shard runs, the gradients are added
///
/// The output of a sample has the same bits for any number of shards. The gradients of the weights
/// are summed over the samples of each shard first, and then over the shards in their order, so
/// their last bits depend on the number of shards and on nothing else. From the second batch of a
/// size on, nothing is allocated.
template <class Scalar>
class Shards {
 public:
  explicit Shards(std::shared_ptr<Team> team = std::make_shared<Team>()) : team_(std::move(team)) {}

  /// The threads. Other `Shards` can use the same team, one batch at a time.
  const std::shared_ptr<Team>& team() const { return team_; }

  /// Runs the forward pass of a batch. The inputs must outlive `backward`.
  void forward(const Graph<Scalar>& graph, View<const Scalar> weights, const Inputs<Scalar>& inputs,
               const Pass& pass);

  /// The values of an output of the graph, (N, …), and its mask. Both are valid until the next
  /// `forward`.
  View<const Scalar> output(const Graph<Scalar>& graph, std::size_t output = 0) const {
    return shards_ == 1 ? graph.value(graph.outputs()[output], tapes_.front())
                        : outputs_[output].value.view();
  }
  Mask mask(const Graph<Scalar>& graph, std::size_t output = 0) const;

  /// The same as both, for a graph with one input and one output, x: (N, …).
  View<const Scalar> forward(const Graph<Scalar>& graph, View<const Scalar> weights,
                             View<const Scalar> x, const Pass& pass) {
    forward(graph, weights, {.x = {&x, 1}}, pass);
    return output(graph);
  }

  /// Memory for the gradient of the loss with respect to an output, (N, …), to be written before
  /// `backward`.
  View<Scalar> output_gradient(const Graph<Scalar>& graph, std::size_t output = 0);

  /// Runs the backward pass and writes `gradients()`. Also writes the gradients of the inputs to
  /// the tapes if `input_gradients` is set.
  void backward(const Graph<Scalar>& graph, View<const Scalar> weights,
                bool input_gradients = false);

  /// The tape of the first shard, which is the whole batch if there is one thread.
  const Tape<Scalar>& first_tape() const { return tapes_.front(); }

  /// Sets the states of stateful layers to zeros.
  void reset_states() {
    for (Tape<Scalar>& tape : tapes_) tape.reset_states();
  }

  /// The states with which the layers begin the next batch, in the order of the layers, (N, …)
  /// each, one after the other. They are zeros before the first batch.
  Arena<Scalar> states(const Graph<Scalar>& graph, Index samples);
  /// Sets these states, in the form that `states` returns.
  void set_states(const Graph<Scalar>& graph, Index samples, const Arena<Scalar>& states);

  /// The gradients of the whole batch, in the layout of the weights.
  Arena<Scalar>& gradients() { return tape(0).gradients; }
  const Arena<Scalar>& gradients() const { return tapes_.front().gradients; }

 private:
  Tape<Scalar>& tape(Index shard) { return tapes_[static_cast<std::size_t>(shard)]; }
  detail::Part part(Index shard) const { return {samples_, shards_, shard}; }
  void add_gradients();

  std::shared_ptr<Team> team_;
  Index samples_ = 0;
  Index shards_ = 1;
  std::vector<Tape<Scalar>> tapes_ = std::vector<Tape<Scalar>>(1);
  // An output of all shards together, if there are several.
  struct Output {
    Tensor<Scalar> value, gradient;
    std::vector<std::uint8_t> counts;
    bool is_masked = false, has_gradient = false;
  };
  std::vector<Output> outputs_;

  /// The inputs of one shard.
  struct Given {
    std::vector<View<const Scalar>> x;
    std::vector<Mask> masks;
  };
  std::vector<Given> given_;

  Inputs<Scalar> part_of(const Inputs<Scalar>& inputs, Index shard);
  void cut(Index samples, bool whole) {
    samples_ = samples;
    shards_ = whole ? 1 : std::clamp<Index>(samples, 1, team_->threads());
    if (std::ssize(tapes_) < shards_) tapes_.resize(static_cast<std::size_t>(shards_));
  }
  template <class Use>
  void for_each_state(const Graph<Scalar>& graph, Index samples, const Use& use);
  void collect(const Graph<Scalar>& graph, Index shard);
};

template <class Scalar>
void Shards<Scalar>::forward(const Graph<Scalar>& graph, View<const Scalar> weights,
                             const Inputs<Scalar>& inputs, const Pass& pass) {
  cut(inputs.x[0].dim(0), pass.training && graph.joins_samples());
  if (shards_ == 1) return graph.forward(weights, inputs, graph.outputs(), pass, tape(0));
  given_.resize(static_cast<std::size_t>(shards_));
  outputs_.resize(graph.outputs().size());
  for (Output& output : outputs_) output.has_gradient = false;
  team_->run(shards_, [&](Index shard) {
    Pass local = pass;
    local.first_sample += part(shard).first;
    graph.forward(weights, part_of(inputs, shard), graph.outputs(), local, tape(shard));
  });
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const View<const Scalar> value = graph.value(graph.outputs()[k], tape(0));
    outputs_[k].value.resize(value.shape().with(0, samples_));
    outputs_[k].is_masked = false;
    for (Index shard = 0; shard < shards_; ++shard) {
      outputs_[k].is_masked |= bool(graph.steps(graph.outputs()[k], tape(shard)));
    }
    if (outputs_[k].is_masked) {
      outputs_[k].counts.resize(static_cast<std::size_t>(samples_ * value.dim(1)));
    }
  }
  for (Index shard = 0; shard < shards_; ++shard) collect(graph, shard);
}

/// The inputs of the samples of a shard.
template <class Scalar>
Inputs<Scalar> Shards<Scalar>::part_of(const Inputs<Scalar>& inputs, Index shard) {
  const auto [first, count] = part(shard);
  Given& given = given_[static_cast<std::size_t>(shard)];
  given.x.clear();
  for (const auto& x : inputs.x) given.x.push_back(x.samples(first, count));
  given.masks.clear();
  for (const auto& mask : inputs.masks) {
    given.masks.push_back(mask ? mask.samples(first, count) : Mask{});
  }
  return {given.x, given.masks};
}

/// Copies the outputs and masks of a shard to those of the whole batch.
template <class Scalar>
void Shards<Scalar>::collect(const Graph<Scalar>& graph, Index shard) {
  const auto [first, count] = part(shard);
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    const Node node = graph.outputs()[k];
    const auto y = graph.value(node, tape(shard));
    std::copy_n(y.data(), y.size(), outputs_[k].value.samples(first, count).data());
    if (!outputs_[k].is_masked) continue;
    const Index T = y.dim(1);
    const auto to = outputs_[k].counts.begin() + first * T;
    if (const Steps steps = graph.steps(node, tape(shard))) {
      std::copy_n(steps->mask().data(), count * T, to);
    } else {
      std::fill_n(to, count * T, std::uint8_t{1});
    }
  }
}

template <class Scalar>
Mask Shards<Scalar>::mask(const Graph<Scalar>& graph, std::size_t output) const {
  if (shards_ == 1) {
    const Steps steps = graph.steps(graph.outputs()[output], tapes_.front());
    return steps ? steps->mask() : Mask{};
  }
  const Output& whole = outputs_[output];
  return whole.is_masked ? Mask{whole.counts.data(), {samples_, whole.value.dim(1)}} : Mask{};
}

template <class Scalar>
View<Scalar> Shards<Scalar>::output_gradient(const Graph<Scalar>& graph, std::size_t output) {
  if (shards_ == 1) return graph.output_gradient(tape(0), output);
  Output& whole = outputs_[output];
  whole.gradient.resize(whole.value.shape());
  whole.has_gradient = true;
  return whole.gradient;
}

template <class Scalar>
void Shards<Scalar>::backward(const Graph<Scalar>& graph, View<const Scalar> weights,
                              bool input_gradients) {
  if (shards_ == 1) return graph.backward(weights, tape(0), input_gradients);
  team_->run(shards_, [&](Index shard) {
    const auto [first, count] = part(shard);
    for (std::size_t k = 0; k < outputs_.size(); ++k) {
      if (!outputs_[k].has_gradient) continue;
      const auto gradient = outputs_[k].gradient.samples(first, count);
      std::copy_n(gradient.data(), gradient.size(), graph.output_gradient(tape(shard), k).data());
    }
    graph.backward(weights, tape(shard), input_gradients);
  });
  add_gradients();
}

template <class Scalar>
void Shards<Scalar>::add_gradients() {
  // Adding fewer numbers takes less time than starting work on another thread.
  constexpr Index worth_a_thread = 1 << 15;
  const Index size = gradients().size();
  const Index parts = std::clamp<Index>(size / worth_a_thread, 1, shards_);
  team_->run(parts, [&](Index i) {
    const auto [first, count] = detail::Part(size, parts, i);
    ArrayMap<Scalar> sum(gradients().data() + first, count);
    for (Index shard = 1; shard < shards_; ++shard) {
      sum += ArrayMap<Scalar>(tape(shard).gradients.data() + first, count);
    }
  });
}

/// Calls `use(state, offset)` for the part of each state that a shard has, with its offset in all
/// states.
template <class Scalar>
template <class Use>
void Shards<Scalar>::for_each_state(const Graph<Scalar>& graph, Index samples, const Use& use) {
  cut(samples, graph.joins_samples());
  Index offset = 0;
  for (std::size_t node = 0; node < graph.nodes().size(); ++node) {
    if (!graph[node].carries) continue;
    Index size = 0;
    for (Index shard = 0; shard < shards_; ++shard) {
      const auto [first, count] = part(shard);
      size = 0;
      for (Tensor<Scalar>& state : graph.carried_states(node, count, tape(shard))) {
        const Index width = state.size() / count;
        use(state, offset + size * samples + first * width);
        size += width;
      }
    }
    offset += size * samples;
  }
}

template <class Scalar>
Arena<Scalar> Shards<Scalar>::states(const Graph<Scalar>& graph, Index samples) {
  Index size = 0;
  for_each_state(graph, samples, [&](const Tensor<Scalar>& state, Index) { size += state.size(); });
  Arena<Scalar> states(Shape{size});
  for_each_state(graph, samples, [&](const Tensor<Scalar>& state, Index offset) {
    std::copy_n(state.data(), state.size(), states.data() + offset);
  });
  return states;
}

template <class Scalar>
void Shards<Scalar>::set_states(const Graph<Scalar>& graph, Index samples,
                                const Arena<Scalar>& states) {
  for_each_state(graph, samples, [&](Tensor<Scalar>& state, Index offset) {
    std::copy_n(states.data() + offset, state.size(), state.data());
  });
}

}  // namespace heed
