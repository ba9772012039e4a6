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

  /// The shape of a sample, for a model of one input that leaves axes open (None), to have it of this
  /// length. Without it they are of any length.
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
  constexpr auto others =
      std::to_array<std::string_view>({"Cropping1D", "Cropping2D", "ELU", "InputLayer", "Lambda",
                                       "ReLU", "Softmax", "TimeDistributed"});
  return std::find(others.begin(), others.end(), name) != others.end() ||
         any_keras_layer([&]<class L>(const L*) { return L::type == name; });
}

/// The configuration of one of heed's own layers that hold no other, of the type that Keras calls by the same name.
inline std::optional<Config> keras_known_config(const KerasLayer& layer,
                                                const KerasVersion& version) {
  std::optional<Config> known;
  any_keras_layer([&]<class L>(const L*) {
    if constexpr (!requires(const L& held) { held.layer; }) {
      if (L::type == layer.class_name) known = KerasConfig(*layer.config, version).read<L>();
    }
    return known.has_value();
  });
  // Before it could be chosen there was the one way, without.
  const bool chosen = layer.config->contains("reset_after") || version.at_least(2, 2);
  if (known && layer.class_name == GRU::type && !chosen) known->emplace_back("reset_after", false);
  return known;
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

template <class Scalar>
AnyLayer<Scalar> layer_from_keras(const KerasLayer& layer, const KerasCall& call,
                                  std::span<const Shape> x,
                                  const keras::LoadOptions<Scalar>& options,
                                  const KerasVersion& version);

/// A layer that another one holds in a field, as a field of heed's. `x`: what it is given there.
template <class Scalar>
LayerConfig held_layer_from_keras(const KerasLayer& layer, const char* field, const Shape& x,
                                  const keras::LoadOptions<Scalar>& options,
                                  const KerasVersion& version) {
  const auto found = layer.config->find(field);
  check<OptionError>(found != layer.config->end(), "it has no ", in_quotes(field));
  const KerasLayer inner = keras_layer(*found, 1, "in it");
  KerasCall call;
  call.inputs = {{}};
  const auto made = layer_from_keras(inner, call, std::array{x}, options, version);
  return {std::string(made.type()), made.config()};
}

/// Throws `OptionError` unless the backward layer of a Bidirectional is the same as the forward one, but for where it
/// begins and how its weights began.
inline void check_keras_backward(const LayerConfig& forward, const LayerConfig& backward) {
  check<OptionError>(forward.type == backward.type, "its backward_layer is a ", backward.type,
                     " and its layer a ", forward.type,
                     ", and heed's Bidirectional has two of a kind");
  for (const auto& [name, value] : forward.config) {
    const auto other =
        std::find_if(backward.config.begin(), backward.config.end(),
                     [&known = name](const auto& field) { return field.first == known; });
    if (name == "go_backwards") {
      check<OptionError>(other->second != value,
                         "its backward_layer has the direction of its layer");
    } else if (!name.ends_with("_initializer")) {
      check<OptionError>(other->second == value, "its backward_layer has another ", in_quotes(name),
                         " than its layer, and heed's Bidirectional has two of a kind");
    }
  }
}

/// A Bidirectional or a TimeDistributed.
template <class Scalar>
AnyLayer<Scalar> wrapper_from_keras(const KerasLayer& layer, const Shape& x,
                                    const keras::LoadOptions<Scalar>& options,
                                    const KerasVersion& version) {
  const bool both = layer.class_name == Bidirectional<LSTM>::type;
  check<OptionError>(both || x.rank() > 1, "expected an input of (steps, …), got ", x);
  const auto inner = held_layer_from_keras(layer, "layer", both ? x : x.sample(), options, version);
  const KerasConfig fields(*layer.config, version);
  Config config = both ? fields.read<Bidirectional<LSTM>>({"layer", "backward_layer"})
                       : fields.read<TimeDistributed<Dense>>({"layer"});
  config.insert(config.begin(), {"layer", inner});
  const auto name = full_type(layer.class_name, config);
  const auto types = options.registry.types();
  check<OptionError>(std::find(types.begin(), types.end(), name) != types.end(), "heed has no ",
                     printable(name, 80));
  const auto backward = layer.config->find("backward_layer");
  if (both && backward != layer.config->end() && !backward->is_null()) {
    check_keras_backward(inner,
                         held_layer_from_keras(layer, "backward_layer", x, options, version));
  }
  return options.registry.make(layer.class_name, config);
}

/// A layer that is one of heed's functions.
inline std::optional<Activation> function_from_keras(const KerasLayer& layer,
                                                     const KerasConfig& config, const Shape& x) {
  if (layer.class_name == "ReLU") {
    config.expect_only();
    return Activation{ActivationFunction::relu};
  }
  if (layer.class_name == "ELU") {
    config.expect_only("alpha", 1.0);
    return Activation{ActivationFunction::elu};
  }
  if (layer.class_name == "Softmax") return softmax_from_keras(layer, config, x);
  return {};
}

/// The layer of heed that does what a layer of Keras does to inputs of these shapes. Throws `OptionError` for one that
/// heed does not have, and for a field that heed's layer does not have.
template <class Scalar>
AnyLayer<Scalar> layer_from_keras(const KerasLayer& layer, const KerasCall& call,
                                  std::span<const Shape> x,
                                  const keras::LoadOptions<Scalar>& options,
                                  const KerasVersion& version) {
  const std::string& type = layer.class_name;
  const KerasConfig config(*layer.config, version);
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
  if (type == "TimeDistributed" || type == Bidirectional<LSTM>::type) {
    return wrapper_from_keras(layer, x[0], options, version);
  }
  if (const auto function = function_from_keras(layer, config, x[0])) {
    return AnyLayer<Scalar>(*function);
  }
  if (const auto fields = keras_known_config(layer, version)) {
    return options.registry.make(type, *fields);
  }
  check<OptionError>(type != "Sequential" && type != "Functional" && type != "Model",
                     "it is a model inside the model, for which heed has no place");
  return own_layer_from_keras(layer, config, options.registry, false);
}

}  // namespace heed::detail
