#pragma once

#include <heed/io/registry.hpp>
#include <heed/model/graph.hpp>

// How Keras's files represent the layers that Keras and heed both have. The reader and the writer
// use the same lists.

namespace heed::detail {

/// The layers that have the same name, fields and weights in Keras.
using KerasLayers =
    std::tuple<Activation, ActivityRegularization, Add, AlphaDropout, Average, AveragePooling1D,
               BatchNormalization, Bidirectional<GRU>, Bidirectional<LSTM>,
               Bidirectional<SimpleRNN>, Concatenate, Conv1D, Cropping1D, Dense, Dot, Dropout, ELU,
               Embedding, Flatten, GaussianDropout, GaussianNoise, GlobalAveragePooling1D,
               GlobalMaxPooling1D, GroupNormalization, GRU, Identity, LayerNormalization, LeakyReLU,
               LSTM, Masking, Maximum, MaxPooling1D, Minimum, Multiply, Permute, PReLU, ReLU,
               RepeatVector, Rescaling, Reshape, SimpleRNN, Softmax, SpatialDropout1D, Subtract,
               UnitNormalization, UpSampling1D, ZeroPadding1D>;

/// A field with several names: Keras called it `old`, and calls it as heed does now.
struct KerasField {
  std::string_view type, old, now;
  bool writes_old = false;  ///< whether a file has the old name, which Keras 3 reads, too
};
inline constexpr auto keras_fields_renamed =
    std::to_array<KerasField>({{"GaussianDropout", "p", "rate"},
                               {"GaussianNoise", "sigma", "stddev"},
                               {"LeakyReLU", "alpha", "negative_slope", true},
                               {"ReLU", "theta", "threshold"}});

/// heed's name of a field.
inline std::string keras_field_now(std::string_view type, std::string_view name) {
  for (const KerasField& field : keras_fields_renamed) {
    if (field.type == type && field.old == name) return std::string(field.now);
  }
  return std::string(name);
}

/// The name of a field in files that Keras 2 and Keras 3 read.
inline std::string keras_field_in_files(std::string_view type, std::string_view name) {
  for (const KerasField& field : keras_fields_renamed) {
    if (field.writes_old && field.type == type && field.now == name) return std::string(field.old);
  }
  return std::string(name);
}

/// heed's layer of a class that Keras 3 no longer has.
inline std::string keras_class_now(const std::string& name) {
  return name == "ThresholdedReLU" ? std::string(ReLU::type) : name;
}

/// Calls `use` with a null pointer to each of these types. Returns whether it returned true for one
/// of them.
template <class Use>
bool any_keras_layer(const Use& use) {
  const auto each = [&]<class... L>(const std::tuple<L...>*) {
    return (use(static_cast<const L*>(nullptr)) || ...);
  };
  return each(static_cast<const KerasLayers*>(nullptr));
}

/// Whether a class belongs to Keras or heed, and is not a custom class.
inline bool is_keras_class_of_heed(std::string_view type) {
  const auto each = [&]<class... L>(const std::tuple<L...>*) {
    return type == TimeDistributed<Dense>::type || ((L::type == type) || ...);
  };
  return each(static_cast<const AllLayers*>(nullptr));
}

/// The registered name of a layer's class in Keras. A custom class has a package, by default that
/// of `@register_keras_serializable()`.
inline std::string registered_type(std::string_view type) {
  const bool has_package = type.find('>') != std::string_view::npos;
  return join(is_keras_class_of_heed(type) || has_package ? "" : "Custom>", type);
}

inline bool is_keras_cell(std::string_view type) {
  return any_keras_layer([&]<class L>(const L*) { return CellLayer<L> && L::type == type; });
}

/// A part of a layer that has weights. Most layers have one part; a Bidirectional has two.
struct KerasPart {
  std::string names;  ///< the prefix of its weights' names in heed: `forward_`
  std::string path;  ///< where they are in the layer's group of an `.h5`: `forward_lstm/lstm_cell/`
  std::string group;  ///< … of a `.keras`: `forward_layer/cell/`
};

inline std::vector<KerasPart> keras_parts(std::string_view type, const Config& config) {
  if (is_keras_cell(type)) return {{"", snake_case(type) + "_cell/", "cell/"}};
  const auto inner = std::find_if(config.begin(), config.end(), [](const auto& field) {
    return std::holds_alternative<LayerConfig>(field.second);
  });
  if (inner == config.end()) return {{}};
  const auto& layer = std::get<LayerConfig>(inner->second);
  const auto held = keras_parts(layer.type, layer.config);
  const std::string name = snake_case(layer.type) + "/";
  std::vector<KerasPart> parts;
  const auto add = [&](const std::string& names, const std::string& group) {
    for (const KerasPart& part : held) {
      parts.push_back({names + part.names, join(names, name, part.path), group + part.group});
    }
  };
  if (type == Bidirectional<LSTM>::type) {
    add("forward_", "forward_layer/");
    add("backward_", "backward_layer/");
  } else {
    add("", "layer/");
  }
  return parts;
}

/// The place of a weight in its layer's group, in a `.keras`: `forward_layer/cell/vars/0`, and in
/// an `.h5`.
struct KerasWeightPlace {
  std::string path, group;
};

/// The places of a layer's weights with these names, in their order.
inline std::vector<KerasWeightPlace> keras_weight_places(const std::vector<KerasPart>& parts,
                                                         std::span<const std::string> names) {
  std::vector<KerasWeightPlace> places;
  std::vector<std::size_t> counts(parts.size(), 0);
  for (const std::string& name : names) {
    const auto part = std::find_if(parts.begin(), parts.end(), [&](const KerasPart& one) {
      return name.starts_with(one.names);
    });
    const auto i = static_cast<std::size_t>(part - parts.begin());
    places.push_back(
        {part->path + name.substr(part->names.size()), join(part->group, "vars/", counts[i]++)});
  }
  return places;
}

/// All groups of a `.keras` that can contain weights of a layer that heed knows.
inline std::vector<std::string> keras_weight_groups() {
  std::vector<std::string> groups{"vars/"};
  for (const char* outer : {"", "layer/"}) {
    for (const char* inner : {"cell/", "forward_layer/cell/", "backward_layer/cell/", ""}) {
      groups.push_back(join(outer, inner, "vars/"));
    }
  }
  return groups;
}

/// The names of a node's weights as in its layer: `kernel`.
template <class Scalar>
std::vector<std::string> keras_own_names(const Graph<Scalar>& graph, std::size_t node) {
  std::vector<std::string> names;
  const auto& entry = graph[node];
  for (const Slot& slot : graph.layout().all_slots().subspan(entry.first_slot, entry.slot_count)) {
    names.push_back(slot.name.substr(slot.name.find('/') + 1));
  }
  return names;
}

}  // namespace heed::detail
