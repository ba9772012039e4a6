#pragma once

#include <heed/model/any_layer.hpp>
#include <heed/model/arena.hpp>

namespace heed {

/// Everything that one batch makes on its way through a model: each node's outputs, cache and
/// gradients, and the gradients of the weights. One tape serves one thread; a model takes any number
/// of tapes. Buffers keep their capacity, so that a second batch of a size allocates nothing.
///
/// `Graph::forward` writes the outputs and caches, `Graph::backward` the gradients. A tape can be moved and
/// not copied: layers know their caches by address.
template <class Scalar>
struct Tape {
  /// One output of a node.
  struct Output {
    Shape shape;                ///< of one sample in this batch: all lengths are known
    View<const Scalar> value;   ///< own memory, the data's (input) or the input's (reshapes)
    View<Scalar> gradient;      ///< of the loss by the value
    Steps steps;                ///< which steps of it count; false: all
    bool has_gradient = false;  ///< whether a later node has written `gradient` in this backward
    Index consumers = 0;        ///< how many active nodes, and outputs of the model, read the value

    Tensor<Scalar> value_memory;
    Tensor<Scalar> gradient_memory;
    std::vector<std::uint8_t> counts;  ///< a mask of its own, (N, T)
    StepTable table;                   ///< the same for loops
  };

  /// What belongs to one node of the graph.
  struct Entry {
    std::vector<Output> outputs;
    bool active = false;  ///< whether the last forward ran this node
    bool wanted = false;  ///< whether anything in front of this node needs its gradient
    AnyCache cache;
    const void* cache_key = nullptr;    ///< the type of layer that made the cache
    std::vector<Tensor<Scalar>> state;  ///< of a stateful layer, from batch to batch

    // What the layer is given, made anew for each batch in the same memory.
    std::vector<View<const Scalar>> x;        ///< inputs
    std::vector<View<const Scalar>> dy;       ///< gradients by the outputs
    std::vector<View<const Scalar>> carried;  ///< states of the batch before
    std::vector<View<Scalar>> y;              ///< outputs
    std::vector<View<Scalar>> dx;             ///< gradients by the inputs
    std::vector<View<Scalar>> next_carried;   ///< states for the next batch
    std::vector<View<const Scalar>> made;     ///< y, to be read
    std::vector<Steps> steps;
    std::vector<Tensor<Scalar>> scratch;  ///< for gradients that are added to others
  };

  Tape() = default;
  /// Moves all buffers.
  Tape(Tape&&) noexcept = default;
  Tape& operator=(Tape&&) noexcept = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  ~Tape() = default;

  /// Stateful layers begin with zeros again.
  void reset_states() {
    for (Entry& entry : entries) {
      for (auto& state : entry.state) state.set_zero();
    }
  }

  std::vector<Entry> entries;
  std::uint64_t shaped_for = 0;  ///< the id of the graph whose shapes the outputs have
  Arena<Scalar> gradients;
};

}  // namespace heed
