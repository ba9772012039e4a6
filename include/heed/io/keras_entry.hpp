#pragma once

#include <heed/io/hdf5_writer.hpp>
#include <heed/io/json.hpp>
#include <heed/io/keras_forms.hpp>
#include <heed/io/keras_generations.hpp>

namespace heed::detail {

using OrderedJson = nlohmann::ordered_json;

/// An output of a call of a layer of a file.
struct KerasRef {
  std::size_t entry = 0, call = 0, output = 0;
  Shape shape = {};  ///< for one sample
};

struct KerasWeight {
  std::string path;   ///< in its layer's group of an `.h5`: `lstm/lstm_cell/kernel`
  std::string group;  ///< … of a `.keras`: `cell/vars/0`
  Hdf5Dataset dataset;
};

/// The tensors of a call.
struct KerasEntryCall {
  std::vector<KerasRef> inputs;
  std::vector<KerasRef> masks;  ///< the mask as a tensor, implied by Keras 3 or written to the file
};

/// A layer in a Keras file, or an operation that computes a mask, which Keras 3 adds by itself.
struct KerasEntry {
  OrderedJson json;
  std::vector<KerasEntryCall> calls;
  std::vector<KerasWeight> weights;
  bool hidden = false;  ///< not written to the file

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

/// Adds the module, which Keras 3 requires for each object in its native format. A class with a
/// package does not belong to Keras.
inline void add_keras_module(OrderedJson& object, const char* module) {
  if (!object.is_object()) return;
  const auto name = object["class_name"].get<std::string>();
  const std::size_t package = name.find('>');
  const bool own = package != std::string::npos;
  if (own) object["class_name"] = name.substr(package + 1);
  object["module"] = own ? OrderedJson() : OrderedJson(module);
  object["registered_name"] = own ? OrderedJson(name) : OrderedJson();
}

/// A layer's fields in Keras. The merge mode `none`, strides of 0 and a ReLU without a limit are None
/// there. Most versions of Keras 2 do not have `zero_output_for_mask`. An inner layer has a name, and
/// Keras 3 requires its module in both formats.
inline OrderedJson keras_fields(std::string_view type, const Config& config,
                                const std::string& dtype, bool trains) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, value] : config) {
    check_keras_has(name, value);
    if (const auto* inner = std::get_if<LayerConfig>(&value)) {
      OrderedJson fields{{"name", snake_case(inner->type)}, {"dtype", dtype}};
      if (!trains) fields["trainable"] = false;
      fields.update(keras_fields(inner->type, inner->config, dtype, trains));
      json[name] = {{"class_name", registered_type(inner->type)}, {"config", std::move(fields)}};
      add_keras_module(json[name], "keras.layers");
    } else if ((name == "merge_mode" && value == ConfigValue(std::string("none"))) ||
               (name == "strides" && value == ConfigValue(Index{0}))) {
      json[name] = nullptr;
    } else if (type == Softmax::type && name == "axis") {
      // The first versions of Keras 3 read no other form from an `.h5`.
      json[name] = std::vector{std::get<Index>(value)};
    } else if (value == ConfigValue(ReLU::unlimited)) {
      json[name] = nullptr;
    } else if (name != "zero_output_for_mask" || value == ConfigValue(true)) {
      json.update(config_to_json({{keras_field_in_files(type, name), value}}));
    }
  }
  return json;
}

/// A call in the form of Keras 2: `[["lstm", 0, 0, {}], …]`.
template <class NameOf>
OrderedJson keras_2_node(const std::vector<KerasRef>& inputs, const NameOf& name) {
  auto call = OrderedJson::array();
  for (const KerasRef& ref : inputs) {
    call.push_back({name(ref), ref.call, ref.output, OrderedJson::object()});
  }
  return call;
}

/// A tensor in the form of Keras 3.
inline OrderedJson keras_3_tensor(const KerasRef& ref, const std::string& name,
                                  const std::string& dtype, Index batch_size) {
  return {{"class_name", "__keras_tensor__"},
          {"config",
           {{"shape", keras_batch_shape(ref.shape, batch_size)},
            {"dtype", dtype},
            {"keras_history", {name, ref.call, ref.output}}}}};
}

/// A call in the form of Keras 3: `{"args": …, "kwargs": …}`.
inline OrderedJson keras_3_node(OrderedJson arguments, OrderedJson named = OrderedJson::object()) {
  return {{"args", std::move(arguments)}, {"kwargs", std::move(named)}};
}

}  // namespace heed::detail
