#pragma once

#include <heed/model/graph.hpp>
#include <heed/model/team.hpp>

namespace heed {

/// A batch on its way through a graph, cut into shards of neighbouring samples: as many as a team has
/// threads, or as there are samples, each on a tape of its own. Layers are told which sample a shard
/// begins with, so that what they draw does not depend on the cut. One shard is a tape and no more.
///
///     y = shards.forward(graph, weights, x, pass);       // each shard runs, the outputs are joined
///     loss(targets, y, shards.output_gradient(graph));   // of the whole batch
///     shards.backward(graph, weights);                   // each shard runs, the gradients are added
///
/// A sample's output has the same bits in every cut. Gradients of weights are summed over the samples
/// of a shard first and then over the shards in their order: the last bits depend on how many there
/// are, and on nothing else. From the second batch of a size on nothing is allocated.
template <class Scalar>
class Shards {
 public:
  explicit Shards(std::shared_ptr<Team> team = std::make_shared<Team>()) : team_(std::move(team)) {}

  /// Shards of other batches may be run by the same threads, one batch at a time.
  const std::shared_ptr<Team>& team() const { return team_; }

  /// Runs a batch x: (N, …), which must outlive `backward`. Returns the graph's output (N, …), which
  /// stays until the next call.
  View<const Scalar> forward(const Graph<Scalar>& graph, View<const Scalar> weights,
                             View<const Scalar> x, const Pass& pass);

  /// Where the gradient of the loss by the output goes before `backward`: (N, …).
  View<Scalar> output_gradient(const Graph<Scalar>& graph);

  /// Runs back over what `forward` left, and writes `gradients()`.
  void backward(const Graph<Scalar>& graph, View<const Scalar> weights);

  /// Of the whole batch, in the layout of the weights.
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
  // Of all shards together, when there are several.
  Tensor<Scalar> output_;
  Tensor<Scalar> output_gradient_;
};

template <class Scalar>
View<const Scalar> Shards<Scalar>::forward(const Graph<Scalar>& graph, View<const Scalar> weights,
                                           View<const Scalar> x, const Pass& pass) {
  samples_ = x.dim(0);
  shards_ = std::clamp<Index>(samples_, 1, team_->threads());
  if (shards_ == 1) return graph.forward(weights, x, graph.output(), pass, tape(0));
  if (std::ssize(tapes_) < shards_) tapes_.resize(static_cast<std::size_t>(shards_));
  output_.resize(graph[graph.output()].shape.batch(samples_));
  team_->run(shards_, [&](Index shard) {
    const auto [first, count] = part(shard);
    Pass local = pass;
    local.first_sample += first;
    const auto y =
        graph.forward(weights, x.samples(first, count), graph.output(), local, tape(shard));
    std::copy_n(y.data(), y.size(), output_.samples(first, count).data());
  });
  return output_;
}

template <class Scalar>
View<Scalar> Shards<Scalar>::output_gradient(const Graph<Scalar>& graph) {
  if (shards_ == 1) return graph.output_gradient(tape(0));
  output_gradient_.resize(output_.shape());
  return output_gradient_;
}

template <class Scalar>
void Shards<Scalar>::backward(const Graph<Scalar>& graph, View<const Scalar> weights) {
  if (shards_ == 1) return graph.backward(weights, tape(0));
  team_->run(shards_, [&](Index shard) {
    const auto [first, count] = part(shard);
    const auto gradient = output_gradient_.samples(first, count);
    std::copy_n(gradient.data(), gradient.size(), graph.output_gradient(tape(shard)).data());
    graph.backward(weights, tape(shard));
  });
  add_gradients();
}

template <class Scalar>
void Shards<Scalar>::add_gradients() {
  // So many numbers take longer to add than a thread takes to begin.
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

}  // namespace heed
