#pragma once

#include <heed/io/keras_graph.hpp>

namespace heed::keras {

/// How `load_model` reads a file; every field may be left out.
template <class Scalar>
struct LoadOptions {
  /// Knows heed's layers; add your own. They are found by their class name in Keras, are made from the
  /// fields that Keras saved, but for `seed` and those that end in `_initializer`, `_regularizer` or
  /// `_constraint`, and have weights of the names that they have there.
  Registry<Scalar> registry = {};

  /// What stands for a layer of Keras, by that layer's name, whatever its class: for a Lambda, whose
  /// file holds Python code. `{.layers = {{"last", AnyLayer<float>(LastStep{})}}}`
  std::map<std::string, AnyLayer<Scalar>, std::less<>> layers = {};

  /// The shape of a sample, for a model whose input leaves axes open (None).
  Shape input_shape = {};

  /// Takes weights that are NaN or infinite, as those of a training that diverged are.
  bool allow_not_finite = false;
};

}  // namespace heed::keras

namespace heed::detail {

/// What the reference calls its Lambda that takes the last step, `lambda x: x[:, -1, :]`.
inline constexpr std::string_view keras_last_step = "last_hidden_state";

/// The configuration of one of heed's own layers, of the type that Keras calls by the same name.
template <Layer... L>
std::optional<Config> keras_known_config(const KerasLayer& layer, const KerasConfig& config) {
  std::optional<Config> known;
  ((layer.class_name == L::type ? void(known = config.read<L>()) : void()), ...);
  return known;
}

/// What a TimeDistributed does to each step by itself, where heed's layer does it to all at once. Throws
/// `OptionError` for any other layer in it.
inline KerasLayer keras_step_layer(const KerasLayer& layer) {
  const auto inner = layer.config->find("layer");
  check<OptionError>(inner != layer.config->end(), "it says no layer for its steps");
  KerasConfig(*layer.config, false).expect_only("layer", *inner);
  KerasLayer step = keras_layer(*inner, 1, "in it");
  check<OptionError>(step.class_name == Dense::type || step.class_name == Activation::type,
                     "heed has it around a Dense or an Activation only, not a ",
                     printable(step.class_name, 80));
  step.name = layer.name;
  return step;
}

/// The layer of heed that does what a layer of Keras does. Throws `OptionError` for one that heed does
/// not have, and for a field that heed's layer does not have.
template <class Scalar>
AnyLayer<Scalar> layer_from_keras(const KerasLayer& layer,
                                  const keras::LoadOptions<Scalar>& options, bool keras_2) {
  const auto given = options.layers.find(layer.name);
  if (given != options.layers.end()) return given->second;

  const KerasConfig config(*layer.config, keras_2);
  const std::string& type = layer.class_name;
  const auto activation = [](ActivationFunction function) {
    return AnyLayer<Scalar>(Activation{function});
  };
  if (type == "Lambda") {
    check<OptionError>(layer.name == keras_last_step,
                       "it holds Python code; say which layer does the same: load_model(…, "
                       "{.layers = {{",
                       in_quotes(layer.name), ", AnyLayer<float>(LastStep{})}}})");
    return AnyLayer<Scalar>(LastStep{});
  }
  if (type == "TimeDistributed") {
    return layer_from_keras(keras_step_layer(layer), options, keras_2);
  }
  if (type == "ReLU") {
    config.expect_only();
    return activation(ActivationFunction::relu);
  }
  if (type == "ELU") {
    config.expect_only("alpha", 1.0);
    return activation(ActivationFunction::elu);
  }
  if (type == "Softmax") {
    config.expect_only("axis", -1);
    return activation(ActivationFunction::softmax);
  }
  const auto known =
      keras_known_config<Activation, Add, Concatenate, Dense, Dot, Dropout, Flatten, LSTM, Multiply,
                         Permute, RepeatVector, Reshape>(layer, config);
  if (known) return options.registry.make(type, *known);

  check<OptionError>(type != "Sequential" && type != "Functional" && type != "Model",
                     "it is a model inside the model, for which heed has no place");
  const std::string_view name =
      std::string_view(type).substr(type.find('>') + 1);  // "package>Name"
  const auto types = options.registry.types();
  check<OptionError>(std::find(types.begin(), types.end(), name) != types.end(),
                     "heed has no layer of this class; one of your own is made known by "
                     "{.registry = …}, or put in this one's place by {.layers = …}");
  return options.registry.make(name, config.read_all());
}

/// Adds the layers of a file to a model, one after the other.
template <class Scalar>
class KerasBuilder {
 public:
  KerasBuilder(const KerasModel& file, const std::string& where,
               const keras::LoadOptions<Scalar>& options, bool keras_2)
      : file_(file), where_(where), options_(options), keras_2_(keras_2), model_(file.name) {}

  Model<Scalar> build() && {
    for (const KerasLayer& layer : file_.layers) add(layer);
    for (const auto& [name, cropped] : cropped_) cropped.layer->expect(cropped.used, misuse);
    if (!file_.sequential) {
      check<FileError>(nodes_.contains(file_.output), where_, ": the model has the output ",
                       in_quotes(file_.output), ", which is not the name of a layer");
      model_.set_output(nodes_[file_.output]);
    }
    return std::move(model_);
  }

 private:
  /// A layer in front of the one that makes a last step of it.
  struct Cropped {
    const KerasLayer* layer;
    Node input;
    bool used = false;
  };
  static constexpr std::string_view misuse =
      " is read where it leaves the last step alone and a Flatten or a Reshape takes it from there";

  void add(const KerasLayer& layer) {
    if (layer.class_name == "InputLayer") return add_input(layer);
    if (file_.sequential && nodes_.empty()) add_missing_input(layer);
    const bool listed = options_.layers.contains(layer.name);
    if (layer.class_name == "Cropping1D" && !listed) return add_cropping(layer);

    auto made = at_place(layer.place, [&] { return layer_from_keras(layer, options_, keras_2_); });
    const auto names = inputs(layer);
    layer.expect(!names.empty(), " has no input");
    std::vector<Node> inputs;
    for (const std::string& name : names) {
      const auto cropped = cropped_.find(name);
      if (cropped == cropped_.end()) {
        inputs.push_back(node(name, layer.place));
        continue;
      }
      const Index features = shape(cropped->second.input).back();
      layer.expect(
          made.only_reshapes() && output_shape(layer, made, {1, features}) == Shape{features},
          " stands behind a Cropping1D, which", misuse);
      cropped->second.used = true;
      made = AnyLayer<Scalar>(LastStep{});
      inputs.push_back(cropped->second.input);
    }
    add(layer.name, std::move(made), inputs);
  }

  /// `Cropping1D((steps − 1, 0))`
  void add_cropping(const KerasLayer& layer) {
    const auto names = inputs(layer);
    layer.expect(names.size() == 1, " has ", names.size(), " inputs, expected one");
    const Node input = node(names[0], layer.place);
    const Shape steps = shape(input);
    const auto cropping = layer.config->find("cropping");
    layer.expect(steps.rank() == 2 && cropping != layer.config->end() &&
                     *cropping == nlohmann::json{steps[0] - 1, 0},
                 misuse);
    layer.expect(
        !nodes_.contains(layer.name) && cropped_.emplace(layer.name, Cropped{&layer, input}).second,
        " has the name of another layer");
    last_ = layer.name;
  }

  void add_input(const KerasLayer& layer) {
    const auto& config = *layer.config;
    const char* key = config.contains("batch_shape") ? "batch_shape" : "batch_input_shape";
    const auto batch = config.contains(key) ? config[key] : nlohmann::json();
    at_place(layer.place, [&] { KerasConfig(config, keras_2_).expect_only(key, batch); });
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

  std::vector<std::string> inputs(const KerasLayer& layer) const {
    return file_.sequential ? std::vector{last_} : keras_inputs(layer);
  }

  Node node(const std::string& name, const std::string& place) const {
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
  bool keras_2_;
  Model<Scalar> model_;
  std::map<std::string, Node, std::less<>> nodes_;
  std::map<std::string, Cropped, std::less<>> cropped_;
  std::string last_;
};

}  // namespace heed::detail
