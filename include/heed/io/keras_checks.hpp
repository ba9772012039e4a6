#pragma once

#include <heed/io/keras_forms.hpp>
#include <heed/io/keras_masks.hpp>
#include <heed/model/model_class.hpp>

namespace heed::detail {

/// What Keras hands on from a node, as far as all of its versions agree. Where masks that differ are joined they do
/// not, and that is another mask than any.
template <class Scalar>
KerasMask keras_mask_of(const Graph<Scalar>& graph, std::size_t i, const KerasMasks<Scalar>& keras) {
  const auto& node = graph[i];
  const bool drops = node.layer.template get<Slice>() != nullptr ||
                     !is_keras_class_of_heed(node.layer.type());
  if (drops) return {};
  bool differ = false;
  for (const Node input : node.inputs) {
    differ |= keras.of(graph, input) != keras.of(graph, node.inputs[0]);
  }
  const bool joins = node.inputs.size() > 1 && node.layer.type() != Dot::type &&
                     node.layer.states(graph.shape(node.inputs[0])).empty();
  const bool along_steps = !node.step_wise && keras.of(graph, node.inputs[0]);
  if (joins && (differ || along_steps)) return {{KerasMask::Test{{i, 0}, 0, false}}};
  return keras.of(graph, {i, 0});
}

/// Throws `ModelError` for a model that would compute something else in Keras.
template <class Scalar>
void check_for_keras(const Model<Scalar>& model, Index batch_size) {
  const Graph<Scalar>& graph = model.graph();
  KerasMasks<Scalar> heed, keras;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    heed.add(graph);
    keras.add(graph);
    const auto& node = graph[i];
    if (node.is_input()) continue;
    const Node x = node.inputs[0];
    const KerasMask mask = heed.of(graph, x), there = keras.of(graph, x);
    const bool recurrent = !node.layer.states(graph.shape(x)).empty();
    const bool uses = uses_mask(node.layer, graph.shape(x));
    check<ModelError>(recurrent || !uses || !mask, graph.title(i),
                      " leaves out steps that do not count, as no layer of Keras does that it is "
                      "written as");
    check<ModelError>(!recurrent || mask == there, graph.title(i),
                      " would leave out other steps in Keras, which does not hand the same mask "
                      "on to it");
    check<ModelError>(!recurrent || !mask || node.inputs.size() == 1, graph.title(i),
                      " leaves out steps that do not count, as it does not in Keras 3, which "
                      "forgets the mask of a layer that is given states");
    check<ModelError>(!hands_mask_inside(node.layer) || !there, graph.title(i),
                      " has steps that do not count, of which Keras tells the layer in it");
    check<ModelError>(!node.layer.is_stateful() || batch_size > 0, graph.title(i),
                      " is stateful, so that Keras needs to know how many samples a batch has: "
                      "save_model(model, …, {.batch_size = …})");
    keras.set(i, keras_mask_of(graph, i, keras));
  }
}

}  // namespace heed::detail
