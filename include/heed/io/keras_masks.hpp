#pragma once

#include <set>

#include <heed/model/all_layers.hpp>
#include <heed/model/graph.hpp>

// Which steps count at each place of a graph, without data. Keras and heed agree in most of it, and where they do not
// a file is refused: it would load, and give other numbers.

namespace heed::detail {

/// The steps that one of some tests finds; without a test all steps. A test is that of a Masking or an Embedding: that
/// a value is not a certain number.
struct KerasMask {
  struct Test {
    Node value;
    double other = 0;
    bool known = true;  ///< false: the mask of this node, whatever it is

    auto operator<=>(const Test& that) const {
      const auto key = [](const Test& t) {
        return std::tuple(t.value.index, t.value.output, t.other, t.known);
      };
      return key(*this) <=> key(that);
    }
    bool operator==(const Test& that) const { return (*this <=> that) == 0; }
  };
  std::set<Test> tests = {};

  /// Of more a file could have so many that their lists took memory beyond measure.
  static constexpr std::size_t most = 64;

  explicit operator bool() const { return !tests.empty(); }
  bool operator==(const KerasMask&) const = default;
};

/// What counts in any of several sequences; all steps when they do in one of them.
inline KerasMask joined_masks(std::span<const KerasMask> masks) {
  KerasMask result;
  for (const KerasMask& mask : masks) {
    if (!mask) return {};
    result.tests.insert(mask.tests.begin(), mask.tests.end());
  }
  return result;
}

/// The mask of what node `node` gives, from those of its inputs: the rule of `mark_steps`.
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

/// Whether an output of a node has the node's mask: states have none.
template <class Scalar>
bool has_mask(const Graph<Scalar>& graph, Node node) {
  return node.output < graph[node.index].layer.outputs();
}

/// Whether what a layer gives depends on which steps of its first input count.
template <class Scalar>
bool uses_mask(const AnyLayer<Scalar>& layer, const Shape& x) {
  return !layer.states(x).empty() || layer.template get<LastStep>() != nullptr ||
         layer.template get<LuongAttention>() != nullptr ||
         layer.template get<StepAttention>() != nullptr;
}

/// Whether a layer is a recurrent one within a TimeDistributed, for each step of which Keras hands the mask on.
template <class Scalar>
bool hands_mask_inside(const AnyLayer<Scalar>& layer) {
  if (layer.type() != "TimeDistributed") return false;
  for (const auto& [name, value] : layer.config()) {
    const auto* inner = std::get_if<LayerConfig>(&value);
    if (inner != nullptr && (inner->type == LSTM::type || inner->type == GRU::type ||
                             inner->type == SimpleRNN::type || inner->type == "Bidirectional")) {
      return true;
    }
  }
  return false;
}

/// The mask of every node of a graph.
template <class Scalar>
class KerasMasks {
 public:
  /// Of the next node.
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
