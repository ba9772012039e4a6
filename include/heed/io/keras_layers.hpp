#pragma once

#include <heed/io/keras_operators.hpp>

namespace heed::keras {

/// How `load_model` reads a file; every field may be left out.
template <class Scalar>
struct LoadOptions {
  /// Knows heed's layers; add your own. They are found by the name that their class is registered
  /// under in Keras, `mine>Gain`, or by the part after the package: a type `Gain` is found for any
  /// package. They are made from the fields that Keras saved, but for those of its class `Layer`,
  /// `seed`, and those that end in `_initializer`, `_regularizer` or `_constraint`, and have weights of
  /// the names that they have there. A class of yours that is called as one of Keras's needs a type
  /// with a package: `mine>Flatten`.
  Registry<Scalar> registry = {};

  /// What stands for a layer of Keras, by that layer's name, whatever its class: for a Lambda, whose
  /// file holds Python code, or for an operator that heed has no layer for. `{.layers = {{"last", AnyLayer<float>(LastStep{})}}}`
  std::map<std::string, AnyLayer<Scalar>, std::less<>> layers = {};

  /// The shape of a sample, for a model whose input leaves axes open (None).
  Shape input_shape = {};

  /// Takes weights that are NaN or infinite, as those of a training that diverged are.
  bool allow_not_finite = false;

  /// Makes heed's blocks again of the layers that they are in a file: a LuongAttention of the seven of
  /// the reference, a StepAttention of its four, where nothing else reads what is inside. A block is
  /// called as the last of them: `attention_vector`, `attention_mul`.
  bool blocks = false;
};

}  // namespace heed::keras

namespace heed::detail {

/// What the reference calls its Lambda that takes the last step, `lambda x: x[:, -1, :]`.
inline constexpr std::string_view keras_last_step = "last_hidden_state";

/// The classes of Keras that heed reads.
inline bool is_keras_class(std::string_view name) {
  constexpr auto names = std::to_array<std::string_view>(
      {"Activation", "Add",          "Concatenate", "Cropping1D", "Cropping2D",
       "Dense",      "Dot",          "Dropout",     "ELU",        "Flatten",
       "InputLayer", "LSTM",         "Lambda",      "Multiply",   "Permute",
       "ReLU",       "RepeatVector", "Reshape",     "Softmax",    "TimeDistributed"});
  return std::find(names.begin(), names.end(), name) != names.end();
}

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
  KerasConfig(*layer.config, {}).expect_only("layer", *inner);
  KerasLayer step = keras_layer(*inner, 1, "in it");
  check<OptionError>(
      step.of_keras && (step.class_name == Dense::type || step.class_name == Activation::type),
      "heed has it around a Dense or an Activation only, not a ", printable(step.registered, 80));
  step.name = layer.name;
  return step;
}

/// A softmax over the last of the axes, which `axis` counts with the batch axis.
inline Activation softmax_from_keras(const KerasLayer& layer, const KerasConfig& config,
                                     const Shape& x) {
  const auto said = layer.config->find("axis");
  const auto axis = said == layer.config->end() ? nlohmann::json(-1) : *said;
  config.expect_only("axis", axis);
  check<OptionError>(keras_value(axis) == -1 || keras_value(axis) == x.rank(), "\"axis\" is ",
                     printable(axis.dump(), 80), " of ", x.rank() + 1,
                     " axes, and heed has this layer along the last one only");
  return {ActivationFunction::softmax};
}

/// The type in a registry of a class that is not Keras's: `mine>Gain` by that name, or by the one behind the package
/// when that is no layer of heed's. Empty when there is none.
template <class Scalar>
std::string own_type(const KerasLayer& layer, const Registry<Scalar>& registry) {
  const auto types = registry.types(), heeds = Registry<Scalar>().types();
  const auto has = [](const auto& list, const std::string& type) {
    return std::find(list.begin(), list.end(), type) != list.end();
  };
  const std::string bare = layer.registered.substr(layer.registered.find('>') + 1);
  if (has(types, layer.registered) && !has(heeds, layer.registered)) return layer.registered;
  if (has(types, bare) && !has(heeds, bare)) return bare;
  const auto packaged = std::find_if(types.begin(), types.end(), [&](const std::string& type) {
    return type.find('>') != std::string::npos && type.substr(type.find('>') + 1) == bare;
  });
  return bare == layer.registered && packaged != types.end() ? *packaged : std::string();
}

/// The class `Attention` of the package `attention`, with Luong's score.
template <class Scalar>
bool is_luong_attention(const KerasLayer& layer, const Registry<Scalar>& registry) {
  return layer.class_name == "Attention" && layer.config->contains("units") &&
         own_type(layer, registry).empty();
}

/// A layer whose class is not Keras's.
template <class Scalar>
AnyLayer<Scalar> own_layer_from_keras(const KerasLayer& layer, const KerasConfig& config,
                                      const Registry<Scalar>& registry, bool is_called_alike) {
  const std::string type = own_type(layer, registry);
  check<OptionError>(
      !type.empty(), is_called_alike ? "it is no " : "",
      is_called_alike ? layer.class_name + " of Keras's, but a class with that name; " : "",
      "heed has no layer of this class; one of your own is made known by "
      "{.registry = …}, or put in this one's place by {.layers = …}");
  return registry.make(type, config.read_all());
}

/// The layer of heed that does what a layer of Keras does to inputs of these shapes. Throws `OptionError` for one that
/// heed does not have, and for a field that heed's layer does not have.
template <class Scalar>
AnyLayer<Scalar> layer_from_keras(const KerasLayer& layer, const KerasCall& call,
                                  std::span<const Shape> x,
                                  const keras::LoadOptions<Scalar>& options,
                                  const KerasVersion& version) {
  const std::string& type = layer.class_name;
  nlohmann::json given = *layer.config;
  if (type == "LSTM") {
    for (const char* field : {"stateful", "return_state"}) {
      const auto said = given.find(field);
      check<OptionError>(said == given.end() || *said == false, in_quotes(field), " is ",
                         said == given.end() ? std::string() : printable(said->dump(), 80),
                         ", which cannot be read from a file of Keras yet");
    }
    given.erase("bias_initializer");  // the weights come from the file
  }
  const KerasConfig config(given, version);
  const auto activation = [](ActivationFunction function) {
    return AnyLayer<Scalar>(Activation{function});
  };
  if (is_luong_attention(layer, options.registry)) {
    const auto score = layer.config->find("score");
    check<OptionError>(score == layer.config->end() || *score == "luong",
                       "its score is not Luong's, which is the one that heed has");
    const Index units = index_from_json(keras_value(layer.config->at("units")), "units");
    return AnyLayer<Scalar>(LuongAttention{.units = units});
  }
  const bool known = is_keras_class(type);
  if (!layer.of_keras || (known && !layer.has_module && config.is_of_another(type))) {
    return own_layer_from_keras(layer, config, options.registry, known);
  }
  const KerasOperator which = keras_operator(layer, call);
  if (which != KerasOperator::none) return operator_from_keras<Scalar>(which, call, x);
  if (type == "Lambda") {
    check<OptionError>(layer.name == keras_last_step,
                       "it holds Python code; say which layer does the same: load_model(…, "
                       "{.layers = {{",
                       in_quotes(layer.name), ", AnyLayer<float>(LastStep{})}}})");
    return AnyLayer<Scalar>(LastStep{});
  }
  if (type == "TimeDistributed") {
    return layer_from_keras(keras_step_layer(layer), call, x, options, version);
  }
  if (type == "ReLU") {
    config.expect_only();
    return activation(ActivationFunction::relu);
  }
  if (type == "ELU") {
    config.expect_only("alpha", 1.0);
    return activation(ActivationFunction::elu);
  }
  if (type == "Softmax") return AnyLayer<Scalar>(softmax_from_keras(layer, config, x[0]));
  const auto fields =
      keras_known_config<Activation, Add, Concatenate, Dense, Dot, Dropout, Flatten, LSTM, Multiply,
                         Permute, RepeatVector, Reshape>(layer, config);
  if (fields) return options.registry.make(type, *fields);

  check<OptionError>(type != "Sequential" && type != "Functional" && type != "Model",
                     "it is a model inside the model, for which heed has no place");
  return own_layer_from_keras(layer, config, options.registry, false);
}

}  // namespace heed::detail
