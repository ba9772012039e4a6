#pragma once

#include <set>

#include <heed/model/all_layers.hpp>
#include <heed/model/graph.hpp>

// Determines, without data, which steps are masked at each node of a graph. Keras and heed differ
// in a few cases. Files with such cases are refused, because they would load but give other
// numbers.

namespace heed::detail {

/// The steps that pass at least one of several tests; without tests, no step is masked. A test is
/// that of a Masking or an Embedding: a value differs from a certain number.
struct KerasMask {
  struct Test {
    Node value;
    double other = 0;
    bool known = true;  ///< false: an unknown mask of this node

    auto operator<=>(const Test& that) const {
      const auto key = [](const Test& t) {
        return std::tuple(t.value.index, t.value.output, t.other, t.known);
      };
      return key(*this) <=> key(that);
    }
    bool operator==(const Test& that) const { return (*this <=> that) == 0; }
  };
  std::set<Test> tests = {};

  /// A limit, because a file could otherwise contain so many tests that their lists need unlimited
  /// memory.
  static constexpr std::size_t most = 64;

  explicit operator bool() const { return !tests.empty(); }
  bool operator==(const KerasMask&) const = default;
};

/// The steps that count in any of several sequences. No step is masked if one sequence has no mask.
inline KerasMask joined_masks(std::span<const KerasMask> masks) {
  KerasMask result;
  for (const KerasMask& mask : masks) {
    if (!mask) return {};
    result.tests.insert(mask.tests.begin(), mask.tests.end());
  }
  return result;
}

/// The mask of node `node` from those of its inputs, by the rules of `mark_steps`.
template <class Scalar>
KerasMask mask_after(const AnyLayer<Scalar>& layer, Node node, std::span<const Node> from,
                     std::span<const KerasMask> masks, std::span<const Shape> shapes) {
  using Test = KerasMask::Test;
  if (from.empty() || layer.only_reshapes()) return {};
  if (const auto* masking = layer.template get<Masking>()) {
    return {{Test{from[0], masking->mask_value}}};
  }
  if (const auto* embedding = layer.template get<Embedding>()) {
    if (!embedding->mask_zero) return masks[0];
    if (!masks[0]) return {{Test{from[0]}}};
  }
  if (layer.can_mark()) return {{Test{node, 0, false}}};
  if (layer.keeps_steps()) return masks[0];
  const KerasMask joined = layer.is_step_wise(shapes) ? joined_masks(masks) : KerasMask{};
  if (joined.tests.size() > KerasMask::most) return {{Test{node, 0, false}}};
  return joined;
}

/// Whether an output of a node has the node's mask. States have none.
template <class Scalar>
bool has_mask(const Graph<Scalar>& graph, Node node) {
  return node.output < graph[node.index].layer.outputs();
}

/// Whether Keras calls a layer with the mask of its first input.
template <class Scalar>
bool takes_keras_mask(const AnyLayer<Scalar>& layer, const Shape& x) {
  return !layer.states(x).empty() || layer.template get<GlobalAveragePooling1D>() != nullptr;
}

/// Whether the output of a layer depends on the mask of its first input.
template <class Scalar>
bool uses_mask(const AnyLayer<Scalar>& layer, const Shape& x) {
  return takes_keras_mask(layer, x) || layer.template get<LastStep>() != nullptr ||
         layer.template get<LuongAttention>() != nullptr ||
         layer.template get<StepAttention>() != nullptr;
}

/// Whether a layer is a TimeDistributed layer that uses a mask, to which Keras passes the mask for
/// each step.
template <class Scalar>
bool hands_mask_inside(const AnyLayer<Scalar>& layer) {
  if (layer.type() != "TimeDistributed") return false;
  for (const auto& [name, value] : layer.config()) {
    const auto* inner = std::get_if<LayerConfig>(&value);
    if (inner != nullptr &&
        (inner->type == LSTM::type || inner->type == GRU::type || inner->type == SimpleRNN::type ||
         inner->type == "Bidirectional" || inner->type == GlobalAveragePooling1D::type)) {
      return true;
    }
  }
  return false;
}

/// The masks of all nodes of a graph.
template <class Scalar>
class KerasMasks {
 public:
  /// Adds the mask of the next node.
  void add(const Graph<Scalar>& graph) {
    const std::size_t node = masks_.size();
    const auto& entry = graph[node];
    std::vector<KerasMask> inputs;
    std::vector<Shape> shapes;
    for (const Node input : entry.inputs) {
      inputs.push_back(of(graph, input));
      shapes.push_back(graph.shape(input));
    }
    masks_.push_back(mask_after<Scalar>(entry.layer, {node, 0}, entry.inputs, inputs, shapes));
  }

  KerasMask of(const Graph<Scalar>& graph, Node node) const {
    return has_mask(graph, node) ? masks_[node.index] : KerasMask{};
  }

  void set(std::size_t node, KerasMask mask) { masks_[node] = std::move(mask); }

 private:
  std::vector<KerasMask> masks_;
};

}  // namespace heed::detail
