#pragma once

#include <heed/io/keras_layers.hpp>

namespace heed::detail {

/// Adds the layers of a file to a model, one after the other.
template <class Scalar>
class KerasBuilder {
 public:
  KerasBuilder(const KerasModel& file, const std::string& where,
               const keras::LoadOptions<Scalar>& options, const KerasVersion& version)
      : file_(file), where_(where), options_(options), version_(version), model_(file.name) {}

  Model<Scalar> build() && {
    for (const KerasLayer& layer : file_.layers) add(layer);
    for (const auto& [name, cropped] : cropped_) {
      if (!cropped.used) node(name, cropped.layer->place);
    }
    if (!file_.sequential) {
      check<FileError>(nodes_.contains(file_.output) || cropped_.contains(file_.output), where_,
                       ": the model has the output ", in_quotes(file_.output),
                       ", which is not the name of a layer");
      model_.set_output(node(file_.output, where_));
    }
    return std::move(model_);
  }

 private:
  /// A Cropping1D or Cropping2D. It becomes a Slice when a layer takes it that does not make a last step of it.
  struct Cropped {
    const KerasLayer* layer;
    Slice part;
    Node input;
    bool used = false;
  };

  void add(const KerasLayer& layer) {
    const bool is_input = layer.of_keras && layer.class_name == "InputLayer";
    if (is_input) return add_input(layer);
    if (file_.sequential && nodes_.empty()) add_missing_input(layer);
    KerasCall call;
    if (file_.sequential) {
      call.inputs = {last_};
    } else {
      call = keras_call(layer);
    }
    const auto given = options_.layers.find(layer.name);
    if (given != options_.layers.end()) {
      layer.expect(!call.inputs.empty(), " is called without an input");
      return add(layer.name, given->second, inputs(call, layer));
    }
    const bool crops = layer.class_name == "Cropping1D" || layer.class_name == "Cropping2D";
    if (layer.of_keras && crops) return add_cropping(layer, call);
    if (keras_operator(layer, call) == KerasOperator::none) call.expect_inputs_alone(layer);

    const auto cropped = cropped_.find(call.inputs.at(0));
    if (call.inputs.size() == 1 && cropped != cropped_.end()) {
      // `Cropping1D((T - 1, 0))` and a Flatten or a Reshape are the last step.
      auto& [name, crop] = *cropped;
      const Shape& x = shape(crop.input);
      const Shape part = crop.part.output_shape(x);
      const auto made = make(layer, call, std::array{part});
      if (made.only_reshapes() && x.rank() == 2 && crop.part.begin[0] == x[0] - 1 &&
          output_shape(layer, made, part) == Shape{x[1]}) {
        crop.used = true;
        return add(layer.name, AnyLayer<Scalar>(LastStep{}), {crop.input});
      }
    }
    const std::vector<Node> from = inputs(call, layer);
    std::vector<Shape> shapes;
    for (const Node input : from) shapes.push_back(shape(input));
    add(layer.name, make(layer, call, shapes), from);
  }

  AnyLayer<Scalar> make(const KerasLayer& layer, const KerasCall& call,
                        std::span<const Shape> x) const {
    return at_place(layer.place,
                    [&] { return layer_from_keras(layer, call, x, options_, version_); });
  }

  void add_cropping(const KerasLayer& layer, const KerasCall& call) {
    call.expect_inputs_alone(layer);
    layer.expect(call.inputs.size() == 1, " has ", call.inputs.size(), " inputs, expected one");
    const Node input = node(call.inputs[0], layer.place);
    const Slice part = at_place(layer.place, [&] {
      const Slice slice = slice_from_cropping(layer, version_, shape(input));
      slice.output_shape(shape(input));
      return slice;
    });
    layer.expect(!nodes_.contains(layer.name) &&
                     cropped_.emplace(layer.name, Cropped{&layer, part, input}).second,
                 " has the name of another layer");
    last_ = layer.name;
  }

  void add_input(const KerasLayer& layer) {
    const auto& config = *layer.config;
    const char* key = config.contains("batch_shape") ? "batch_shape" : "batch_input_shape";
    const auto batch = config.contains(key) ? config[key] : nlohmann::json();
    at_place(layer.place, [&] { KerasConfig(config, version_).expect_only(key, batch); });
    add_input(layer.name, batch, layer.place);
  }

  void add_missing_input(const KerasLayer& first) {
    check<FileError>(file_.input_shape != nullptr, where_,
                     ": the model has no input layer and does not say what shape it takes");
    add_input(first.name + "_input", *file_.input_shape, where_ + ": the model");
  }

  void add_input(const std::string& name, const nlohmann::json& batch, const std::string& place) {
    check<FileError>(nodes_.empty(), place, " is a further input; heed's models have one");
    add(name, AnyLayer<Scalar>(Input{keras_input_shape(batch, options_.input_shape, place)}), {});
  }

  void add(const std::string& name, AnyLayer<Scalar> layer, const std::vector<Node>& inputs) {
    check<FileError>(!name.empty(), where_, ": a layer has an empty name");
    // What the graph itself complains of names the layer.
    nodes_[name] = at_place(where_, [&] { return model_.add(name, std::move(layer), inputs); });
    last_ = name;
  }

  std::vector<Node> inputs(const KerasCall& call, const KerasLayer& layer) {
    std::vector<Node> nodes;
    for (const std::string& name : call.inputs) nodes.push_back(node(name, layer.place));
    return nodes;
  }

  Node node(const std::string& name, const std::string& place) {
    const auto cropped = cropped_.find(name);
    if (cropped != cropped_.end() && !nodes_.contains(name)) {
      cropped->second.used = true;
      add(name, AnyLayer<Scalar>(cropped->second.part), {cropped->second.input});
    }
    const auto known = nodes_.find(name);
    check<FileError>(known != nodes_.end(), place, " takes its input from ", in_quotes(name),
                     ", which is not the name of a layer in front of it");
    return known->second;
  }

  const Shape& shape(Node node) const { return model_.graph().shape(node); }

  static Shape output_shape(const KerasLayer& layer, const AnyLayer<Scalar>& made,
                            const Shape& input) {
    return at_place(layer.place, [&] { return made.output_shape(std::array{input}); });
  }

  const KerasModel& file_;
  const std::string& where_;
  const keras::LoadOptions<Scalar>& options_;
  KerasVersion version_;
  Model<Scalar> model_;
  std::map<std::string, Node, std::less<>> nodes_;
  std::map<std::string, Cropped, std::less<>> cropped_;
  std::string last_;
};

}  // namespace heed::detail
