#pragma once

#include <map>

#include <heed/model/all_layers.hpp>
#include <heed/model/any_layer.hpp>

namespace heed {

namespace detail {

/// The type of a layer with that of the layer in it: `Bidirectional<LSTM>`.
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

/// Which layer a type's name in a file stands for. Knows all of heed's layers; a model with others
/// is loaded with a registry that they were added to:
///
///     Registry<float> registry;
///     registry.add<GatedLinearUnit>();
///     auto model = load_model<float>("glu.safetensors", {.registry = registry});
template <class Scalar>
class Registry {
 public:
  Registry();

  /// Makes layers known, and the TimeDistributed of each that can be one's. Throws `ModelError` when
  /// another layer has the same type name.
  template <Layer... L>
  void add() {
    (add_one<L>(), ...);
  }

  /// The names of the types that are known.
  std::vector<std::string> types() const {
    std::vector<std::string> names;
    for (const auto& [name, factory] : factories_) names.push_back(name);
    return names;
  }

  /// A layer of that type with that configuration. Throws `ModelError` for an unknown type, and
  /// `OptionError` for a configuration that is not the type's.
  AnyLayer<Scalar> make(std::string_view type, const Config& config) const {
    const std::string name = detail::full_type(type, config);
    const auto found = factories_.find(name);
    check<ModelError>(found != factories_.end(), "the layer type \"", name,
                      "\" is unknown; a layer of your own is made known by registry.add<", name,
                      ">(), and the registry passed on as load_model(…, {.registry = registry})");
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
