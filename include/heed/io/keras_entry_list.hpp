#pragma once

#include <map>
#include <set>

#include <heed/io/keras_entry.hpp>

namespace heed::detail {

/// The form of a file.
struct KerasForm {
  Index batch_size = 0;  ///< 0 for any
  bool native = false;   ///< the format `.keras`, in which a call can name its mask
};

/// The layers of a file, added one after the other.
class KerasEntryList {
 public:
  KerasEntryList(std::string model, std::string dtype, Index batch_size)
      : model_(std::move(model)), dtype_(std::move(dtype)), batch_size_(batch_size) {}

  std::vector<KerasEntry>& entries() { return entries_; }
  const std::vector<KerasEntry>& entries() const { return entries_; }
  const std::string& dtype() const { return dtype_; }

  /// Whether a call has a form that Keras 2 does not know.
  bool is_of_keras_3() const { return is_of_keras_3_; }

  /// Reserves a name for a certain layer.
  void reserve(const std::string& name) { reserved_.insert(name); }

  KerasRef add(std::string_view class_name, const std::string& name, const OrderedJson& fields,
               std::vector<KerasRef> inputs, const Shape& y, std::vector<KerasRef> masks = {}) {
    check<ModelError>(names_.insert(name).second, "model \"", model_,
                      "\": the Keras file would have two layers named \"", name,
                      "\", one of them part of another layer; rename the layer");
    OrderedJson config{{"name", name}, {"dtype", dtype_}};
    config.update(fields);
    OrderedJson json{{"class_name", class_name},
                     {"name", name},
                     {"config", std::move(config)},
                     {"inbound_nodes", OrderedJson::array()}};
    const auto title = join(class_name, " ", in_quotes(name));
    print_json(json, title);  // throws unless UTF-8
    entries_.push_back({std::move(json), {}, {}});
    return add_call(entries_.size() - 1, std::move(inputs), y, std::move(masks));
  }

  KerasRef add_call(std::size_t i, std::vector<KerasRef> inputs, const Shape& y,
                    std::vector<KerasRef> masks = {}) {
    KerasEntry& entry = entries_[i];
    const auto class_name = entry.json["class_name"].template get<std::string>();
    const bool states =
        inputs.size() > 1 && (is_keras_cell(class_name) || class_name == Bidirectional<LSTM>::type);
    const auto name = [&](const KerasRef& ref) { return entries_[ref.entry].name(); };
    const auto tensor = [&](const KerasRef& ref, const std::string& dtype) {
      return keras_3_tensor(ref, name(ref), dtype, batch_size_);
    };
    const bool says_mask = !masks.empty() && !entries_[masks[0].entry].hidden;
    if (states || says_mask) {
      auto named = OrderedJson::object();
      for (std::size_t k = 1; k < inputs.size(); ++k) {
        named["initial_state"].push_back(tensor(inputs[k], dtype_));
      }
      if (says_mask) named["mask"] = tensor(masks[0], "bool");
      auto arguments = OrderedJson::array({tensor(inputs[0], dtype_)});
      entry.json["inbound_nodes"].push_back(keras_3_node(std::move(arguments), std::move(named)));
      is_of_keras_3_ = true;
    } else if (!inputs.empty()) {
      entry.json["inbound_nodes"].push_back(keras_2_node(inputs, name));
    }
    entry.calls.push_back({std::move(inputs), std::move(masks)});
    return {i, entry.calls.size() - 1, 0, y};
  }

  KerasRef add_reshape(const std::string& name, const Shape& shape, KerasRef input) {
    auto target = OrderedJson::array();
    for (Index axis = 0; axis < shape.rank(); ++axis) target.push_back(shape[axis]);
    return add("Reshape", name, {{"target_shape", std::move(target)}}, {input}, shape);
  }

  /// An operation with which Keras 3 computes a mask. It is added only once.
  KerasRef add_operation(const char* class_name, std::vector<KerasRef> inputs, const Shape& y,
                         std::optional<double> number, bool says) {
    std::string key = class_name;
    auto arguments = OrderedJson::array();
    const std::string dtype = number ? dtype_ : "bool";
    for (const KerasRef& input : inputs) {
      key += join(" ", input.entry, " ", input.call, " ", input.output);
      arguments.push_back(keras_3_tensor(input, entries_[input.entry].name(), dtype, batch_size_));
    }
    if (number) {
      arguments.push_back(*number);
      key += " " + arguments.back().dump();
    }
    const auto [known, is_new] = operations_.emplace(key, entries_.size());
    if (is_new) {
      const std::string name = free_name(snake_case(class_name));
      names_.insert(name);
      OrderedJson config{{"name", name}};
      if (!number && inputs.size() == 1) config.update({{"axis", -1}, {"keepdims", false}});
      entries_.push_back({{{"class_name", class_name},
                           {"module", "keras.src.ops.numpy"},
                           {"registered_name", class_name},
                           {"name", name},
                           {"config", config},
                           {"inbound_nodes", {keras_3_node(arguments)}}},
                          {{inputs, {}}},
                          {},
                          true});
    }
    if (says) entries_[known->second].hidden = false;
    return {known->second, 0, 0, y};
  }

  std::string free_name(const std::string& name) const {
    const auto is_taken = [&](const std::string& other) {
      return names_.contains(other) || reserved_.contains(other);
    };
    std::string result = name;
    for (int number = 1; is_taken(result); ++number) result = join(name, "_", number);
    return result;
  }

 private:
  std::string model_, dtype_;
  Index batch_size_;
  std::vector<KerasEntry> entries_;
  std::set<std::string> names_, reserved_;
  std::map<std::string, std::size_t> operations_;  ///< the operations, to find equal ones
  bool is_of_keras_3_ = false;
};

}  // namespace heed::detail
