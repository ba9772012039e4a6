#pragma once

#include <heed/io/keras_forms.hpp>
#include <heed/io/keras_masks.hpp>
#include <heed/model/model_class.hpp>

namespace heed::detail {

/// The mask that all versions of Keras pass on from a node. Where sequences with masks are joined,
/// versions differ: Keras 3.1 drops the masks, in 3.15 a step counts if it counts in any of them,
/// and in 2 if it counts in all. Such a mask is represented as unequal to any other mask.
template <class Scalar>
KerasMask keras_mask_of(const Graph<Scalar>& graph, std::size_t i,
                        const KerasMasks<Scalar>& keras) {
  const auto& node = graph[i];
  const bool drops =
      node.layer.template get<Slice>() != nullptr || !is_keras_class_of_heed(node.layer.type());
  if (drops) return {};
  const bool some = std::any_of(node.inputs.begin(), node.inputs.end(),
                                [&](const Node input) { return bool(keras.of(graph, input)); });
  const bool joins = node.inputs.size() > 1 && node.layer.type() != Dot::type &&
                     node.layer.states(graph.shape(node.inputs[0])).empty();
  if (joins && some) return {{KerasMask::Test{{i, 0}, 0, false}}};
  return keras.of(graph, {i, 0});
}

/// Throws `ModelError` for a model that Keras cannot represent.
template <class Scalar>
void check_for_keras(const Model<Scalar>& model, Index batch_size) {
  const Graph<Scalar>& graph = model.graph();
  KerasMasks<Scalar> masks;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    masks.add(graph);
    const auto& node = graph[i];
    if (node.is_input()) continue;
    const Node x = node.inputs[0];
    const Shape& shape = graph.shape(x);
    check<ModelError>(
        takes_keras_mask(node.layer, shape) || !uses_mask(node.layer, shape) || !masks.of(graph, x),
        graph.title(i), " skips masked steps, but the Keras layer that it is written as does not");
    check<ModelError>(!node.layer.is_stateful() || batch_size > 0, graph.title(i),
                      " is stateful, so Keras needs the number of samples in a batch: "
                      "save_model(model, …, {.batch_size = …})");
  }
}

}  // namespace heed::detail
