#pragma once

#include <numeric>
#include <set>

#include <heed/io/hdf5_writer.hpp>
#include <heed/io/json.hpp>
#include <heed/io/keras_forms.hpp>

namespace heed::detail {

using OrderedJson = nlohmann::ordered_json;

/// An output of a call of a layer of a file.
struct KerasRef {
  std::size_t entry = 0, call = 0, output = 0;
  Shape shape = {};  ///< of a sample
};

struct KerasWeight {
  std::string path;   ///< in its layer's group of an `.h5`: `lstm/lstm_cell/kernel`
  std::string group;  ///< … of a `.keras`: `cell/vars/0`
  Hdf5Dataset dataset;
};

/// A layer as a file of Keras has it.
struct KerasEntry {
  OrderedJson json;
  std::vector<std::vector<KerasRef>> calls;  ///< the inputs of each call
  std::vector<KerasWeight> weights;

  const std::string& name() const { return json["name"].get_ref<const std::string&>(); }
};

/// A shape with the batch axis; null for any length, and for any number of samples.
inline OrderedJson keras_batch_shape(const Shape& shape, Index batch_size) {
  auto json = OrderedJson::array();
  json.push_back(batch_size > 0 ? OrderedJson(batch_size) : OrderedJson());
  for (const Index length : shape) {
    json.push_back(length == any ? OrderedJson() : OrderedJson(length));
  }
  return json;
}

/// A layer's fields. Keras has no `none` among its ways to merge, but None, and Keras 2 lacks `zero_output_for_mask`
/// in most of its versions. A layer in a layer has a name of its own.
inline OrderedJson keras_fields(const Config& config, const std::string& dtype, bool trains) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, value] : config) {
    if (const auto* inner = std::get_if<LayerConfig>(&value)) {
      OrderedJson fields{{"name", snake_case(inner->type)}, {"dtype", dtype}};
      if (!trains) fields["trainable"] = false;
      fields.update(keras_fields(inner->config, dtype, trains));
      json[name] = {{"class_name", registered_type(inner->type)}, {"config", std::move(fields)}};
    } else if (name == "merge_mode" && value == ConfigValue(std::string("none"))) {
      json[name] = nullptr;
    } else if (name != "zero_output_for_mask" || value == ConfigValue(true)) {
      json.update(config_to_json({{name, value}}));
    }
  }
  return json;
}

/// A call as Keras 2 writes it: `[["lstm", 0, 0, {}], …]`.
template <class NameOf>
OrderedJson keras_2_node(const std::vector<KerasRef>& inputs, const NameOf& name) {
  auto call = OrderedJson::array();
  for (const KerasRef& ref : inputs) {
    call.push_back({name(ref), ref.call, ref.output, OrderedJson::object()});
  }
  return call;
}

/// A call of a layer with states as Keras 3 writes it.
template <class NameOf>
OrderedJson keras_3_node(const std::vector<KerasRef>& inputs, const std::string& dtype,
                         Index batch_size, const NameOf& name) {
  const auto tensor = [&](const KerasRef& ref) {
    const OrderedJson history = {name(ref), ref.call, ref.output};
    return OrderedJson{{"class_name", "__keras_tensor__"},
                       {"config",
                        {{"shape", keras_batch_shape(ref.shape, batch_size)},
                         {"dtype", dtype},
                         {"keras_history", history}}}};
  };
  auto states = OrderedJson::array();
  for (std::size_t i = 1; i < inputs.size(); ++i) states.push_back(tensor(inputs[i]));
  return {{"args", OrderedJson::array({tensor(inputs[0])})},
          {"kwargs", {{"initial_state", std::move(states)}}}};
}

/// The order in which Keras has the layers of a model: by the longest way to an output, which of a layer with
/// several calls is that of the one farthest from it, and among equals in the order in which a walk back from the
/// outputs comes to them. Inputs that lead nowhere are last; another layer that does is given as its number and
/// that of all layers.
inline std::vector<std::size_t> keras_order(std::span<const KerasEntry> entries,
                                            std::span<const KerasRef> outputs) {
  constexpr std::size_t never = static_cast<std::size_t>(-1);
  std::vector<std::size_t> turn(entries.size(), never);
  std::vector<std::size_t> first_call(entries.size() + 1, 0);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    first_call[i + 1] = first_call[i] + entries[i].calls.size();
  }
  // The walk, without recursion. A call is finished after all that it takes.
  struct Place {
    std::size_t entry, call, next = 0;
  };
  std::vector<Place> path, finished;
  std::vector<bool> seen(first_call.back(), false);
  std::size_t turns = 0;
  const auto enter = [&](const KerasRef& ref) {
    if (seen[first_call[ref.entry] + ref.call]) return;
    seen[first_call[ref.entry] + ref.call] = true;
    if (turn[ref.entry] == never) turn[ref.entry] = turns++;
    path.push_back({ref.entry, ref.call});
  };
  for (const KerasRef& output : outputs) {
    enter(output);
    while (!path.empty()) {
      Place& here = path.back();
      const auto& inputs = entries[here.entry].calls[here.call];
      if (here.next == inputs.size()) {
        finished.push_back(here);
        path.pop_back();
      } else {
        enter(inputs[here.next++]);
      }
    }
  }
  std::vector<std::size_t> depth(first_call.back(), 0), layer_depth(entries.size(), 0);
  for (std::size_t i = finished.size(); i-- > 0;) {
    const Place& here = finished[i];
    auto& deepest = layer_depth[here.entry];
    deepest = (std::max)(deepest, depth[first_call[here.entry] + here.call]);
    for (const KerasRef& input : entries[here.entry].calls[here.call]) {
      auto& before = depth[first_call[input.entry] + input.call];
      before = (std::max)(before, deepest + 1);
    }
  }
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    // What leads nowhere has -1 for its turn.
    return std::tuple(layer_depth[b], turn[a] + 1, a) < std::tuple(layer_depth[a], turn[b] + 1, b);
  });
  for (std::size_t& i : order) {
    const bool is_input = entries[i].calls[0].empty();
    if (turn[i] == never && !is_input) i += entries.size();
  }
  return order;
}

}  // namespace heed::detail
