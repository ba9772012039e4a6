#pragma once

#include <heed/model/any_layer.hpp>
#include <heed/model/arena.hpp>

namespace heed {

/// Everything that one batch makes on its way through a model: each node's output, cache and
/// gradient, and the gradients of the weights. One tape serves one thread; a model takes any number
/// of tapes. Buffers keep their capacity, so that a second batch of a size allocates nothing.
///
/// `Graph::forward` writes the outputs and caches, `Graph::backward` the gradients.
template <class Scalar>
struct Tape {
  /// What belongs to one node of the graph.
  struct Entry {
    View<const Scalar> value;  ///< output: own memory, the data's (input) or the input's (reshapes)
    View<Scalar> gradient;     ///< of the loss by the output
    bool has_gradient = false;  ///< whether a later node has written `gradient` in this backward
    bool active = false;        ///< whether the last forward ran this node
    bool wanted = false;        ///< whether anything in front of this node needs its gradient
    Index consumers = 0;        ///< how many active nodes read the output

    Tensor<Scalar> value_memory;
    Tensor<Scalar> gradient_memory;
    AnyCache cache;
    const void* cache_key = nullptr;      ///< the type of layer that made the cache
    std::vector<View<const Scalar>> x;    ///< the inputs' values
    std::vector<View<Scalar>> dx;         ///< where backward writes the inputs' gradients
    std::vector<Tensor<Scalar>> scratch;  ///< for gradients that are added to others
  };

  std::vector<Entry> entries;
  Arena<Scalar> gradients;
};

}  // namespace heed
