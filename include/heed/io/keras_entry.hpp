#pragma once

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

/// What a call takes.
struct KerasEntryCall {
  std::vector<KerasRef> inputs;
  std::vector<KerasRef> masks;  ///< what Keras 3 adds, or the file says: the mask, as a tensor
};

/// A layer as a file of Keras has it, or what a mask is made by, which Keras 3 does without being told.
struct KerasEntry {
  OrderedJson json;
  std::vector<KerasEntryCall> calls;
  std::vector<KerasWeight> weights;
  bool hidden = false;  ///< no part of the file

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

/// What Keras 3 wants to know of each object in its native format. A class with a package is not Keras's.
inline void add_keras_module(OrderedJson& object, const char* module) {
  if (!object.is_object()) return;
  const auto name = object["class_name"].get<std::string>();
  const std::size_t package = name.find('>');
  const bool own = package != std::string::npos;
  if (own) object["class_name"] = name.substr(package + 1);
  object["module"] = own ? OrderedJson() : OrderedJson(module);
  object["registered_name"] = own ? OrderedJson(name) : OrderedJson();
}

/// A layer's fields. Keras has no `none` among its ways to merge, but None, and Keras 2 lacks `zero_output_for_mask`
/// in most of its versions. A layer in a layer has a name of its own, and Keras 3 wants to know its module in either format.
inline OrderedJson keras_fields(const Config& config, const std::string& dtype, bool trains) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, value] : config) {
    if (const auto* inner = std::get_if<LayerConfig>(&value)) {
      OrderedJson fields{{"name", snake_case(inner->type)}, {"dtype", dtype}};
      if (!trains) fields["trainable"] = false;
      fields.update(keras_fields(inner->config, dtype, trains));
      json[name] = {{"class_name", registered_type(inner->type)}, {"config", std::move(fields)}};
      add_keras_module(json[name], "keras.layers");
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

/// A tensor as Keras 3 writes it.
inline OrderedJson keras_3_tensor(const KerasRef& ref, const std::string& name,
                                  const std::string& dtype, Index batch_size) {
  return {{"class_name", "__keras_tensor__"},
          {"config",
           {{"shape", keras_batch_shape(ref.shape, batch_size)},
            {"dtype", dtype},
            {"keras_history", {name, ref.call, ref.output}}}}};
}

/// A call as Keras 3 writes it: `{"args": …, "kwargs": …}`.
inline OrderedJson keras_3_node(OrderedJson arguments, OrderedJson named = OrderedJson::object()) {
  return {{"args", std::move(arguments)}, {"kwargs", std::move(named)}};
}

}  // namespace heed::detail
