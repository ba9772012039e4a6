#pragma once

#include <map>

#include <heed/model/all_layers.hpp>
#include <heed/model/any_layer.hpp>

namespace heed {

namespace detail {

/// The type of a layer together with that of its inner layer: `Bidirectional<LSTM>`.
inline std::string full_type(std::string_view type, const Config& config) {
  for (const auto& [name, value] : config) {
    if (const auto* inner = std::get_if<LayerConfig>(&value)) {
      return join(type, "<", full_type(inner->type, inner->config), ">");
    }
  }
  return std::string(type);
}

template <Layer L>
std::string full_type() {
  if constexpr (requires(const L& layer) { layer.layer.fields(); }) {
    return join(L::type, "<", full_type<decltype(L::layer)>(), ">");
  } else {
    return std::string(L::type);
  }
}

}  // namespace detail

/// The layers that files can contain, by the names of their types. It contains all layers of heed.
/// To load a model with other layers, add them to a registry:
///
///     Registry<float> registry;
///     registry.add<GatedLinearUnit>();
///     auto model = load_model<float>("glu.safetensors", {.registry = registry});
template <class Scalar>
class Registry {
 public:
  Registry();

  /// Adds layers, and the `TimeDistributed` form of each one that can be wrapped. Throws
  /// `ModelError` if another layer has the same type name.
  template <Layer... L>
  void add() {
    (add_one<L>(), ...);
  }

  /// The names of all types.
  std::vector<std::string> types() const {
    std::vector<std::string> names;
    for (const auto& [name, factory] : factories_) names.push_back(name);
    return names;
  }

  /// A layer of this type with this configuration. Throws `ModelError` for an unknown type, and
  /// `OptionError` for a configuration that the type does not accept.
  AnyLayer<Scalar> make(std::string_view type, const Config& config) const {
    const std::string name = detail::full_type(type, config);
    const auto found = factories_.find(name);
    check<ModelError>(found != factories_.end(), "the layer type \"", name,
                      "\" is unknown; register a layer of your own with registry.add<", name,
                      ">(), and pass the registry: load_model(…, {.registry = registry})");
    return found->second(config);
  }

 private:
  template <Layer L>
  void add_one() {
    add(detail::full_type<L>(), make_from<L>);
    if constexpr (detail::InTimeDistributed<L>) {
      add(detail::full_type<TimeDistributed<L>>(), make_from<TimeDistributed<L>>);
    }
  }

  template <class... L>
  void add_all(const std::tuple<L...>*) {
    add<L...>();
  }

  using Factory = AnyLayer<Scalar> (*)(const Config&);

  template <Layer L>
  static AnyLayer<Scalar> make_from(const Config& config) {
    return AnyLayer<Scalar>(from_config<L>(config));
  }

  void add(const std::string& type, Factory factory) {
    const auto [entry, is_new] = factories_.emplace(type, factory);
    check<ModelError>(is_new || entry->second == factory, "the layer type \"", type,
                      "\" is registered for another layer");
  }

  std::map<std::string, Factory, std::less<>> factories_;
};

// Not in the class, where each file would compile it, and with it every layer, to inline it.
template <class Scalar>
Registry<Scalar>::Registry() {
  add_all(static_cast<const AllLayers*>(nullptr));
}

}  // namespace heed
