#pragma once

#include <heed/io/keras_forms.hpp>
#include <heed/io/keras_masks.hpp>
#include <heed/model/model_class.hpp>

namespace heed::detail {

/// What Keras hands on from a node, as far as all of its versions agree. Where sequences with masks are joined they do
/// not (Keras 3.1 forgets the masks, 3.15 takes what counts in any of them, 2 what counts in all), and that is another
/// mask than any.
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

/// Throws `ModelError` for a model that Keras has no place for.
template <class Scalar>
void check_for_keras(const Model<Scalar>& model, Index batch_size) {
  const Graph<Scalar>& graph = model.graph();
  KerasMasks<Scalar> masks;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    masks.add(graph);
    const auto& node = graph[i];
    if (node.is_input()) continue;
    const Node x = node.inputs[0];
    const bool recurrent = !node.layer.states(graph.shape(x)).empty();
    check<ModelError>(recurrent || !uses_mask(node.layer, graph.shape(x)) || !masks.of(graph, x),
                      graph.title(i),
                      " leaves out steps that do not count, as no layer of Keras does that it is "
                      "written as");
    check<ModelError>(!node.layer.is_stateful() || batch_size > 0, graph.title(i),
                      " is stateful, so that Keras needs to know how many samples a batch has: "
                      "save_model(model, …, {.batch_size = …})");
  }
}

}  // namespace heed::detail
