#pragma once

#include <heed/io/keras_layers.hpp>
#include <heed/io/keras_mask_values.hpp>
#include <heed/io/keras_order.hpp>

namespace heed::detail {

/// Adds the layers of a file to a model, one after the other.
template <class Scalar>
class KerasBuilder {
 public:
  KerasBuilder(const KerasFlat& file, const std::string& where,
               const keras::LoadOptions<Scalar>& options, const KerasVersion& version)
      : file_(file), where_(where), options_(options), version_(version), model_(file.name()) {
    for (const KerasLayer& layer : file.layers()) names_.insert(layer.name);
  }

  Model<Scalar> build() && {
    add_inputs();
    owners_.resize(file_.layers().size());
    KerasOrder order(file_);
    order.visit([&](std::size_t layer, const KerasTensor& name, const KerasCall& call) {
      add(layer, name, call);
    });
    for (const auto& [name, cropped] : cropped_) {
      if (!cropped.used) node(name, cropped.layer->place);
    }
    std::vector<Node> outputs;
    for (const KerasTensor& output : file_.outputs()) outputs.push_back(model_output(output));
    at_place(where_, [&] { model_.set_outputs(std::move(outputs)); });
    return std::move(model_);
  }

 private:
  /// A Cropping1D or Cropping2D. It becomes that layer of heed's, or a Slice, unless the layer that
  /// reads it makes it a LastStep.
  struct Cropped {
    const KerasLayer* layer;
    AnyLayer<Scalar> made;
    Shape shape;  ///< of its output
    Node input;
    bool used = false;
  };

  void add(std::size_t i, const KerasTensor& name, const KerasCall& call) {
    const KerasLayer& layer = file_.layers()[i];
    const auto given = options_.layers.find(layer.name);
    if (given != options_.layers.end()) {
      layer.expect(!call.inputs.empty(), " is called without an input");
      return add(i, name, call, given->second, inputs(call, layer));
    }
    const bool on_masks = !call.inputs.empty() && masks_.contains(call.inputs[0]);
    if (is_keras_mask_class(layer) || (layer.of_keras && on_masks)) {
      return add_mask(layer, name, call);
    }
    const bool crops = layer.class_name == "Cropping1D" || layer.class_name == "Cropping2D";
    if (layer.of_keras && crops) return add_cropping(layer, name, call);
    const bool carries =
        is_keras_cell(layer.class_name) || layer.class_name == Bidirectional<LSTM>::type;
    if (keras_operator(layer, call) == KerasOperator::none) {
      call.expect_inputs_alone(layer, carries);
    }
    const auto cropped = cropped_.find(call.inputs.at(0));
    if (call.inputs.size() == 1 && cropped != cropped_.end()) {
      // `Cropping1D((T - 1, 0))` followed by a Flatten or a Reshape is a LastStep.
      auto& crop = cropped->second;
      const Shape& x = shape(crop.input);
      const auto made = make(layer, call, std::array{crop.shape});
      const auto* ends = crop.made.template get<Cropping1D>();
      if (made.only_reshapes() && ends != nullptr && ends->cropping[0] == x[0] - 1 &&
          made.output_shape(std::array{crop.shape}) == Shape{x[1]}) {
        crop.used = true;
        return add(i, name, call, AnyLayer<Scalar>(LastStep{}), {crop.input});
      }
    }
    std::vector<Node> from = inputs(call, layer);
    std::vector<Shape> shapes;
    for (const Node input : from) shapes.push_back(shape(input));
    add(i, name, call, make(layer, call, shapes), std::move(from));
  }

  /// A layer that accepts inputs of these shapes, as all later questions require.
  AnyLayer<Scalar> make(const KerasLayer& layer, const KerasCall& call,
                        std::span<const Shape> x) const {
    return at_place(layer.place, [&] {
      auto made = layer_from_keras(layer, call, x, options_, version_);
      made.output_shapes(x);
      return made;
    });
  }

  /// Adds a call of a layer. Further calls of a layer share the weights of the first call.
  void add(std::size_t i, const KerasTensor& name, const KerasCall& call, AnyLayer<Scalar> made,
           std::vector<Node> from) {
    const KerasLayer& layer = file_.layers()[i];
    const KerasMask mask = fit_mask(layer, call, made, from);
    auto& owner = owners_[i];
    const bool shares = owner && model_.graph()[owner->index].slot_count > 0;
    if (shares) {
      const auto& first = model_.graph()[owner->index].layer;
      layer.expect(first.key() == made.key() && first.config() == made.config(),
                   " is shared by inputs for which it would be two layers");
    }
    const std::string own = owner ? free_name(layer.name) : layer.name;
    const Node node = append(own, std::move(made), from, shares ? owner : std::nullopt);
    if (!owner) {
      owner = node;
      if (!layer.trains || is_frozen(layer)) model_.set_trainable(own, false);
    }
    keras_.set(node.index, mask);
    nodes_[{name.layer, name.call, 0}] = node;
  }

  /// Makes a layer use the same mask as in Keras: that of its input, or none. Returns the mask that
  /// Keras passes on from the layer.
  KerasMask fit_mask(const KerasLayer& layer, const KerasCall& call, const AnyLayer<Scalar>& made,
                     std::vector<Node>& from) {
    const auto& graph = model_.graph();
    const bool takes = takes_keras_mask(made, shape(from[0]));
    const bool inside = hands_mask_inside(made) || layer.class_name == "Softmax";
    const KerasMask implied = keras_.of(graph, from[0]), has = heed_.of(graph, from[0]);
    const KerasMask wanted = call.says_mask ? said_mask(layer, call) : implied;
    layer.expect(!call.says_mask || !call.crosses || !implied,
                 " has an input with a mask from inside another model, of which the file does not "
                 "say whether it counts");
    layer.expect(!inside || !wanted, " leaves out steps by a mask, which heed's layer does not");
    layer.expect(takes || inside || !call.mask || layer.class_name == "TimeDistributed",
                 " is called with \"mask\", which heed's layers are not");
    const bool unmasked = uses_mask(made, shape(from[0])) && has && !(takes && wanted);
    layer.expect(!takes || !wanted || wanted == has,
                 " leaves out steps by a mask that no layer of heed hands on to it");
    const bool drops = !layer.of_keras || keras_operator(layer, call) != KerasOperator::none;
    KerasMask after = drops ? KerasMask{} : keras_mask_after(call, made, from);
    if (unmasked) from[0] = without_mask(from[0]);
    return after;
  }

  /// The same mask as in heed, except where Keras 2 joins layers with different masks.
  KerasMask keras_mask_after(const KerasCall& call, const AnyLayer<Scalar>& made,
                             const std::vector<Node>& from) const {
    const auto& graph = model_.graph();
    std::vector<KerasMask> masks;
    std::vector<Shape> shapes;
    for (const Node node : from) {
      masks.push_back(keras_.of(graph, node));
      shapes.push_back(shape(node));
    }
    const bool joins = made.states(shapes[0]).empty() && masks.size() > 1;
    const bool differ = std::any_of(masks.begin(), masks.end(),
                                    [&](const KerasMask& mask) { return mask != masks[0]; });
    const Node next{graph.nodes().size(), 0};
    if (joins && !call.says_mask && made.type() != Dot::type &&
        (differ || (masks[0] && !made.is_step_wise(shapes)))) {
      return {{{{next, 0, false}}}};
    }
    return mask_after(made, next, from, masks, shapes);
  }

  KerasMask said_mask(const KerasLayer& layer, const KerasCall& call) const {
    if (!call.mask) return {};
    const auto found = masks_.find(*call.mask);
    using Kind = KerasMaskValue::Kind;
    layer.expect(found != masks_.end() &&
                     (found->second.kind == Kind::mask || found->second.kind == Kind::all),
                 " leaves out steps by a mask that heed has no layer for");
    return found->second.mask;
  }

  /// The same values without a mask: a Reshape to the same shape.
  Node without_mask(Node node) {
    const auto known = unmasked_.find({node.index, node.output});
    if (known != unmasked_.end()) return known->second;
    const Shape& x = shape(node);
    const Reshape same{.target_shape = std::vector<Index>(x.begin(), x.end())};
    const std::string name = free_name(model_.graph()[node.index].name + "_unmasked");
    return unmasked_[{node.index, node.output}] =
               append(name, AnyLayer<Scalar>(same), {node}, std::nullopt);
  }

  void add_mask(const KerasLayer& layer, const KerasTensor& name, const KerasCall& call) {
    std::vector<KerasMaskValue> inputs;
    for (const KerasTensor& input : call.inputs) {
      const auto known = masks_.find(input);
      if (known != masks_.end()) inputs.push_back(known->second);
    }
    std::optional<Node> value;
    if (inputs.empty() && call.inputs.size() == 1) value = node(call.inputs[0], layer.place);
    masks_[{name.layer, name.call, 0}] = keras_mask_value(layer, call, inputs, value);
  }

  void add_cropping(const KerasLayer& layer, const KerasTensor& name, const KerasCall& call) {
    call.expect_inputs_alone(layer, false);
    layer.expect(call.inputs.size() == 1, " has ", call.inputs.size(), " inputs, expected one");
    const Node input = node(call.inputs[0], layer.place);
    const Shape& x = shape(input);
    AnyLayer<Scalar> made = make(layer, call, std::array{x});
    const Shape y = made.output_shape(std::array{x});
    cropped_.emplace(KerasTensor{name.layer, name.call, 0},
                     Cropped{&layer, std::move(made), y, input});
  }

  void add_inputs() {
    const auto inputs = file_.inputs();
    check<FileError>(inputs.size() == 1 || options_.input_shape.empty(), where_, ": the model has ",
                     inputs.size(), " inputs, but the given input_shape is for one");
    for (const KerasInput& input : inputs) {
      if (input.layer != nullptr) {
        at_place(input.place, [&] {
          KerasConfig(*input.layer->config, version_).expect_only(input.key, *input.batch);
        });
      }
      const auto shape = keras_input_shape(*input.batch, options_.input_shape, input.place);
      nodes_[{input.name}] = append(input.name, AnyLayer<Scalar>(Input{shape}), {}, std::nullopt);
    }
  }

  Node append(const std::string& name, AnyLayer<Scalar> layer, const std::vector<Node>& inputs,
              const std::optional<Node>& owner) {
    check<FileError>(!name.empty(), where_, ": a layer has an empty name");
    // Errors of the graph already name the layer.
    const Node node = at_place(where_, [&] {
      return owner ? model_.share(name, *owner, inputs)
                   : model_.add(name, std::move(layer), inputs);
    });
    heed_.add(model_.graph());
    keras_.add(model_.graph());
    return node;
  }

  std::vector<Node> inputs(const KerasCall& call, const KerasLayer& layer) {
    std::vector<Node> nodes;
    for (const auto* list : {&call.inputs, &call.states}) {
      for (const KerasTensor& tensor : *list) nodes.push_back(node(tensor, layer.place));
    }
    return nodes;
  }

  Node node(const KerasTensor& tensor, const std::string& place) {
    const KerasTensor call{tensor.layer, tensor.call, 0};
    const auto cropped = cropped_.find(call);
    if (cropped != cropped_.end() && !nodes_.contains(call)) {
      cropped->second.used = true;
      const std::string name = tensor.call == 0 ? tensor.layer : free_name(tensor.layer);
      nodes_[call] = append(name, cropped->second.made, {cropped->second.input}, std::nullopt);
      keras_.set(nodes_[call].index, {});
    }
    const auto known = nodes_.find(call);
    check<FileError>(known != nodes_.end(), place, " takes its input from ",
                     in_quotes(tensor.layer), ", which heed reads only as a mask");
    return {known->second.index, tensor.output};
  }

  Node model_output(const KerasTensor& output) {
    const Node result = node(output, where_ + ": the model");
    const std::size_t count = model_.graph()[result.index].shapes.size();
    check<FileError>(result.output < count, where_, ": the model uses output ", output.output,
                     " of ", in_quotes(output.layer), ", which has ", count);
    return result;
  }

  /// A name for a node without one in the file: `dense_2` for the second call of a layer.
  std::string free_name(const std::string& name) {
    const auto is_taken = [&](const std::string& other) {
      return model_.graph().find(other) < model_.graph().nodes().size() || names_.contains(other);
    };
    std::string result = name;
    for (Index& number = numbers_.emplace(name, 1).first->second; is_taken(result);) {
      result = join(name, "_", ++number);
    }
    return result;
  }

  /// The shape of an output. For outputs that the layer does not have, the graph throws an error.
  const Shape& shape(Node node) const {
    const auto& shapes = model_.graph()[node.index].shapes;
    return shapes[node.output < shapes.size() ? node.output : 0];
  }

  const KerasFlat& file_;
  const std::string& where_;
  const keras::LoadOptions<Scalar>& options_;
  KerasVersion version_;
  Model<Scalar> model_;
  KerasMasks<Scalar> heed_, keras_;    ///< the masks in heed and in Keras
  std::map<KerasTensor, Node> nodes_;  ///< the nodes of calls
  std::map<KerasTensor, KerasMaskValue> masks_;
  std::map<KerasTensor, Cropped> cropped_;
  std::map<std::pair<std::size_t, std::size_t>, Node> unmasked_;
  std::vector<std::optional<Node>> owners_;  ///< the first node of each layer of the file
  std::set<std::string_view> names_;         ///< of the file's layers
  std::map<std::string, Index> numbers_;     ///< the last numbers given to names
};

}  // namespace heed::detail
