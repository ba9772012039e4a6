#pragma once

#include <heed/model/any_layer.hpp>
#include <heed/model/arena.hpp>

namespace heed {

/// The values of one batch in a model: the outputs, caches and gradients of each node, and the
/// gradients of the weights. A tape is used by one thread at a time; a model can be run on any
/// number of tapes. Buffers keep their capacity, so the second batch of a size allocates nothing.
///
/// `Graph::forward` writes the outputs and caches, `Graph::backward` the gradients. A tape can be
/// moved but not copied, because a copy would share the caches.
template <class Scalar>
struct Tape {
  /// One output of a node.
  struct Output {
    Shape shape;                ///< of one sample in this batch: all lengths are known
    View<const Scalar> value;   ///< in `value_memory`, in the data or in the value it reshapes
    View<Scalar> gradient;      ///< of the loss with respect to the value
    Steps steps;                ///< the mask; false: no step is masked
    bool has_gradient = false;  ///< whether a later node has written `gradient` in this backward
    Index consumers = 0;  ///< the number of active nodes and model outputs that read the value

    Tensor<Scalar> value_memory;
    Tensor<Scalar> gradient_memory;
    std::vector<std::uint8_t> counts;  ///< the memory of a mask made by the node, (N, T)
    StepTable table;                   ///< the mask as loops over steps need it
  };

  /// The values of one node of the graph.
  struct Entry {
    std::vector<Output> outputs;
    bool active = false;  ///< whether the last forward ran this node
    bool wanted = false;  ///< whether this node or an earlier one needs gradients
    AnyCache cache;
    const void* cache_key = nullptr;    ///< the type of layer that made the cache
    std::vector<Tensor<Scalar>> state;  ///< carried from batch to batch by a stateful layer

    // The arguments of the layer, which are written again for each batch.
    std::vector<View<const Scalar>> x;        ///< inputs
    std::vector<View<const Scalar>> dy;       ///< gradients of the outputs
    std::vector<View<const Scalar>> carried;  ///< final states of the previous batch
    std::vector<View<Scalar>> y;              ///< outputs
    std::vector<View<Scalar>> dx;             ///< gradients of the inputs
    std::vector<View<Scalar>> next_carried;   ///< states for the next batch
    std::vector<View<const Scalar>> made;     ///< y as constant views
    std::vector<Steps> steps;
    std::vector<Tensor<Scalar>> scratch;  ///< gradients before they are added to others
  };

  Tape() = default;
  /// Moves all buffers.
  Tape(Tape&&) noexcept = default;
  Tape& operator=(Tape&&) noexcept = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  ~Tape() = default;

  /// Sets the states of stateful layers to zeros.
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
