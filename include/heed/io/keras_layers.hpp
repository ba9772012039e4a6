#pragma once

#include <heed/io/keras_operators.hpp>

namespace heed::keras {

/// Options of `load_model`.
template <class Scalar>
struct LoadOptions {
  /// Contains heed's layers; add your own. They are found by the registered name of their class in
  /// Keras, `mine>Gain`, or by the part after the package: a type `Gain` is found for any package.
  /// They are made from the fields that Keras saved, except for the fields of its class `Layer`,
  /// `seed`, and those that end in `_initializer`, `_regularizer` or `_constraint`. Their weights
  /// must have the same names as in Keras. A custom class with the name of a Keras class needs a
  /// type with a package: `mine>Flatten`.
  Registry<Scalar> registry = {};

  /// Replacements of Keras layers, by the names of the layers: for a Lambda, whose file contains
  /// Python code, or for an operator that heed has no layer for.
  /// `{.layers = {{"last", AnyLayer<float>(LastStep{})}}}`
  std::map<std::string, AnyLayer<Scalar>, std::less<>> layers = {};

  /// The shape of a sample, for a model with one input that leaves axes open (None). By default,
  /// these axes have any length.
  Shape input_shape = {};

  /// Whether NaN or infinite weights are accepted, for example from a training that diverged.
  bool allow_not_finite = false;

  /// Replaces layers by heed's blocks where possible: the seven layers of the reference by a
  /// LuongAttention, its four layers by a StepAttention, unless another layer reads the inner ones.
  /// A block has the name of its last layer: `attention_vector`, `attention_mul`.
  bool blocks = false;
};

}  // namespace heed::keras

namespace heed::detail {

/// The name of the reference's Lambda that takes the last step, `lambda x: x[:, -1, :]`.
inline constexpr std::string_view keras_last_step = "last_hidden_state";

/// The Keras classes that heed reads.
inline bool is_keras_class(std::string_view name) {
  constexpr auto others =
      std::to_array<std::string_view>({"Cropping2D", "InputLayer", "Lambda", "TimeDistributed"});
  return std::find(others.begin(), others.end(), name) != others.end() ||
         any_keras_layer([&]<class L>(const L*) { return L::type == name; });
}

/// The configuration of a layer that has the same name in Keras and no inner layer.
inline std::optional<Config> keras_known_config(const KerasLayer& layer,
                                                const KerasVersion& version) {
  std::optional<Config> known;
  any_keras_layer([&]<class L>(const L*) {
    if constexpr (!requires(const L& held) { held.layer; }) {
      if (L::type == layer.class_name) known = KerasConfig(*layer.config, version).read<L>();
    }
    return known.has_value();
  });
  // Before this field existed, the only form was the one without.
  const bool chosen =
      layer.cudnn_gates > 0 || layer.config->contains("reset_after") || version.at_least(2, 2);
  if (known && layer.class_name == GRU::type && !chosen) known->emplace_back("reset_after", false);
  return known;
}

/// Whether a Softmax runs along the last axis; `axis` also counts the batch axis. It is then the
/// Activation, which losses and blocks know.
inline bool is_softmax_of_rows(const KerasLayer& layer, const Shape& x) {
  if (layer.class_name != Softmax::type) return false;
  const auto said = layer.config->find("axis");
  if (said == layer.config->end()) return true;
  const nlohmann::json axis = keras_form<Index>("axis", keras_value(*said));
  return axis == -1 || axis == x.rank();
}

/// The type in a registry for a custom class: `mine>Gain` under that name, or under the part after
/// the package unless that is a layer of heed. Empty if there is none.
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

/// A layer of a custom class.
template <class Scalar>
AnyLayer<Scalar> own_layer_from_keras(const KerasLayer& layer, const KerasConfig& config,
                                      const Registry<Scalar>& registry, bool is_called_alike) {
  const std::string type = own_type(layer, registry);
  check<OptionError>(
      !type.empty(), is_called_alike ? "it is not Keras's " : "",
      is_called_alike ? layer.class_name + ", but another class with that name; " : "",
      "heed has no layer of this class; register your own with {.registry = …}, or replace it with "
      "{.layers = …}");
  return registry.make(type, config.read_all());
}

template <class Scalar>
AnyLayer<Scalar> layer_from_keras(const KerasLayer& layer, const KerasCall& call,
                                  std::span<const Shape> x,
                                  const keras::LoadOptions<Scalar>& options,
                                  const KerasVersion& version);

/// An inner layer in a field of another layer. `x` is the shape of its input.
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

/// Throws `OptionError` unless the backward layer of a Bidirectional is the same as the forward
/// layer, except for its direction and initializers.
inline void check_keras_backward(const LayerConfig& forward, const LayerConfig& backward) {
  check<OptionError>(forward.type == backward.type, "its backward_layer is a ", backward.type,
                     " and its layer a ", forward.type,
                     ", but heed's Bidirectional needs two equal layers");
  for (const auto& [name, value] : forward.config) {
    const auto other =
        std::find_if(backward.config.begin(), backward.config.end(),
                     [&known = name](const auto& field) { return field.first == known; });
    if (name == "go_backwards") {
      check<OptionError>(other->second != value,
                         "its backward_layer has the direction of its layer");
    } else if (!name.ends_with("_initializer")) {
      check<OptionError>(other->second == value, "its backward_layer has another ", in_quotes(name),
                         " than its layer, but heed's Bidirectional needs two equal layers");
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

/// The layer of heed that computes the same as a Keras layer for inputs of these shapes. Throws
/// `OptionError` for a layer that heed does not have, and for a field that heed's layer does not
/// have.
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
                       "its score is not Luong's, the only one that heed supports");
    const Index units = index_from_json(keras_value(layer.config->at("units")), "units");
    return AnyLayer<Scalar>(LuongAttention{.units = units});
  }
  const bool known = is_keras_class(type);
  if (!layer.of_keras || (known && !layer.has_module && config.is_of_another(layer.registered))) {
    return own_layer_from_keras(layer, config, options.registry, known);
  }
  const KerasOperator which = keras_operator(layer, call);
  if (which != KerasOperator::none) return operator_from_keras<Scalar>(which, call, x);
  if (type == "Lambda") {
    check<OptionError>(layer.name == keras_last_step,
                       "it contains Python code; name a layer that does the same: load_model(…, "
                       "{.layers = {{",
                       in_quotes(layer.name), ", AnyLayer<float>(LastStep{})}}})");
    return AnyLayer<Scalar>(LastStep{});
  }
  if (type == "Cropping2D") return AnyLayer<Scalar>(slice_from_cropping(layer, version, x[0]));
  if (type == "TimeDistributed" || type == Bidirectional<LSTM>::type) {
    return wrapper_from_keras(layer, x[0], options, version);
  }
  if (is_softmax_of_rows(layer, x[0])) {
    config.read<Softmax>();  // refuses other fields
    return AnyLayer<Scalar>(Activation{ActivationFunction::softmax});
  }
  if (const auto fields = keras_known_config(layer, version)) {
    return options.registry.make(type, *fields);
  }
  check<OptionError>(type != "Sequential" && type != "Functional" && type != "Model",
                     "it is a model inside a model, which heed does not support");
  return own_layer_from_keras(layer, config, options.registry, false);
}

}  // namespace heed::detail
