#pragma once

#include <heed/io/hdf5_writer.hpp>
#include <heed/io/keras_blocks.hpp>
#include <heed/io/keras_checks.hpp>
#include <heed/io/keras_entry_order.hpp>
#include <heed/io/keras_generations.hpp>

namespace heed::detail {

/// How a file is written.
struct KerasForm {
  Index batch_size = 0;  ///< 0 for any
  bool native = false;   ///< the format `.keras`, in which a call can say its mask
};

/// The layers of a model without blocks. They are described as Keras 2 did, which Keras 3 reads, too, but for calls
/// with states or a mask, which Keras 3 reads in its own form alone.
template <class Scalar>
class KerasEntries {
 public:
  explicit KerasEntries(const Model<Scalar>& model, const KerasForm& form = {})
      : model_(model), graph_(model.graph()), form_(form) {
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      heed_.add(graph_);
      keras_.add(graph_);
      std::vector<KerasRef> inputs;
      for (const Node input : graph_[i].inputs) inputs.push_back(ref(input));
      calls_.push_back(add_node(i, std::move(inputs)));
      if (graph_[i].is_input()) inputs_.push_back(calls_.back());
    }
    for (const Node output : graph_.outputs()) outputs_.push_back(ref(output));
    if (is_for_keras_3_alone()) refuse_in_keras_2();
  }

  std::span<const KerasRef> inputs() const { return inputs_; }
  std::span<const KerasRef> outputs() const { return outputs_; }
  const KerasEntry& operator[](std::size_t entry) const { return entries_[entry]; }
  /// Whether a layer is frozen.
  bool has_frozen() const {
    return std::any_of(graph_.nodes().begin(), graph_.nodes().end(),
                       [](const auto& node) { return !node.trains; });
  }

  /// The layers in the order that Keras gives them when it makes the model, which is the order in which it expects
  /// their weights. Throws `ModelError` for a layer that does not lead to an output, which Keras would lose.
  std::vector<const KerasEntry*> in_order() const {
    std::vector<const KerasEntry*> sorted;
    for (const std::size_t i : keras_order(entries_, outputs_, true)) {
      const KerasEntry& entry = entries_[i % entries_.size()];
      check<ModelError>(i < entries_.size(), "model \"", model_.name(), "\": the layer \"",
                        entry.name(),
                        "\" does not lead to the output, so that Keras has no place for it");
      sorted.push_back(&entry);
    }
    return sorted;
  }

 private:
  KerasRef ref(Node node) const {
    KerasRef result = calls_[node.index];
    result.output = node.output;
    result.shape = graph_.shape(node);
    return result;
  }

  /// Returns the first output of the call that a node is.
  KerasRef add_node(std::size_t i, std::vector<KerasRef> inputs) {
    const auto& node = graph_[i];
    if (node.layer.template get<LastStep>() != nullptr) {
      // Lambda would be Python code; these two do the same without.
      const Shape& x = graph_.shape(node.inputs[0]);
      check<ModelError>(x[0] != any, graph_.title(i),
                        " of a sequence of any length has no counterpart "
                        "in a file of Keras");
      const auto crop = add("Cropping1D", node.name + "_crop", {{"cropping", {x[0] - 1, 0}}},
                            std::move(inputs), Shape{1, x[1]});
      return add("Reshape", node.name, {{"target_shape", {x[1]}}}, {crop}, node.shape());
    }
    if (const auto* slice = node.layer.template get<Slice>()) {
      return add_slice(*slice, node.name, graph_.shape(node.inputs[0]), node.shape(), inputs[0]);
    }
    if (node.is_input()) {
      return add("InputLayer", node.name,
                 {{"batch_input_shape", keras_batch_shape(node.shape(), form_.batch_size)}}, {},
                 node.shape());
    }
    const auto masks = fit_mask(i, inputs);
    const std::size_t owner = owner_of_weights(graph_, i);
    if (owner != i) return add_call(calls_[owner].entry, std::move(inputs), node.shape(), masks);
    check_known(i);
    auto config = at_place(graph_.title(i), [&] {
      return keras_fields(node.layer.config(), scalar_name(), node.trains);
    });
    const auto call =
        add(registered_type(node.layer.type()), node.name, config, std::move(inputs), node.shape(),
            masks);
    if (!node.trains) entries_[call.entry].json["config"]["trainable"] = false;
    add_weights(i);
    return call;
  }

  void add_weights(std::size_t i) {
    const auto& node = graph_[i];
    const auto names = keras_own_names(graph_, i);
    const auto parts = keras_parts(node.layer.type(), node.layer.config());
    const auto places = keras_weight_places(parts, names);
    for (std::size_t k = 0; k < names.size(); ++k) {
      const Slot& slot = graph_.layout().all_slots()[node.first_slot + k];
      const View<const Scalar> values(model_.weights().data() + slot.offset, slot.shape);
      entries_.back().weights.push_back(
          {join(node.name, "/", places[k].path), places[k].group,
           {dtype_of<Scalar>(), slot.shape, as_little_endian(values)}});
    }
  }

  /// Throws `ModelError` for what this writer has no form for: it would be written as something else.
  void check_known(std::size_t i) const {
    const auto& node = graph_[i];
    const auto type = full_type(node.layer.type(), node.layer.config());
    const bool known = any_keras_layer([&]<class L>(const L*) {
      const std::string form = full_type<L>();
      return type == form || type == join("TimeDistributed<", form, ">");
    });
    const auto heeds = Registry<Scalar>().types();
    check<ModelError>(known || std::find(heeds.begin(), heeds.end(), type) == heeds.end(),
                      graph_.title(i), " cannot be written to a file of Keras");
  }

  static const char* scalar_name() { return sizeof(Scalar) == 4 ? "float32" : "float64"; }

  /// Whether Keras 2 would compute something else of the file, or give weights to other layers, which Keras 3 has in
  /// another order where it computes masks.
  bool is_for_keras_3_alone() const {
    const auto weighted = [&](bool with_masks) {
      auto order = keras_order(entries_, outputs_, with_masks);
      std::erase_if(order, [&](std::size_t i) {
        return entries_[i % entries_.size()].weights.empty();
      });
      return order;
    };
    const auto differs = [](const auto& node) {
      return keras_difference(node.layer.config()) != nullptr;
    };
    return says_states_ || std::any_of(graph_.nodes().begin(), graph_.nodes().end(), differs) ||
           weighted(true) != weighted(false);
  }

  /// Keras 2 does not know `batch_shape`.
  void refuse_in_keras_2() {
    for (const KerasRef& input : inputs_) {
      auto& fields = entries_[input.entry].json["config"];
      fields["batch_shape"] = fields["batch_input_shape"];
      fields.erase("batch_input_shape");
    }
  }

  /// Sees to it that a layer leaves out the same steps in Keras as in heed. Returns the mask that Keras gives it, if
  /// any, as a tensor: the file says it when Keras would take another.
  std::vector<KerasRef> fit_mask(std::size_t i, std::vector<KerasRef>& inputs) {
    const auto& node = graph_[i];
    const Node x = node.inputs[0];
    const KerasMask mask = heed_.of(graph_, x), there = keras_.of(graph_, x);
    const bool recurrent = !node.layer.states(graph_.shape(x)).empty();
    const bool wraps = node.layer.type() == TimeDistributed<Dense>::type;
    const bool drops = there && ((recurrent && !mask) || hands_mask_inside(node.layer) ||
                                 (wraps && !is_plain(there)));
    keras_.set(i, drops ? KerasMask{} : keras_mask_of(graph_, i, keras_));
    if (drops) {
      inputs[0] = add_reshape(free_name(node.name + "_unmasked"), graph_.shape(x), inputs[0]);
    } else if (recurrent && mask) {
      const bool says = mask != there || inputs.size() > 1;
      check<ModelError>(!says || (form_.native && is_known(mask)), graph_.title(i),
                        " leaves out steps by a mask that Keras does not hand on to it in all of "
                        "its versions",
                        is_known(mask) ? "; in a file of the format .keras it can be written" : "");
      return {mask_of(mask, says)};
    } else if (wraps && there) {
      return {mask_of(there, false)};
    }
    return {};
  }

  static bool is_known(const KerasMask& mask) {
    return std::all_of(mask.tests.begin(), mask.tests.end(), [](const auto& t) { return t.known; });
  }
  /// That of one Masking or Embedding.
  static bool is_plain(const KerasMask& mask) { return is_known(mask) && mask.tests.size() == 1; }

  /// A mask as the tensor that Keras 3 makes of it, which is in the file when something there says it.
  KerasRef mask_of(const KerasMask& mask, bool says) {
    std::optional<KerasRef> all;
    for (const auto& test : mask.tests) {
      const KerasRef value = ref(test.value);
      KerasRef one = add_operation("NotEqual", {value}, value.shape, test.other, says);
      const Shape steps{value.shape[0]};
      if (value.shape.rank() > 1) one = add_operation("Any", {one}, steps, {}, says);
      all = all ? add_operation("LogicalOr", {*all, one}, steps, {}, says) : one;
    }
    return *all;
  }

  KerasRef add_operation(const char* class_name, std::vector<KerasRef> inputs, const Shape& y,
                         std::optional<double> number, bool says) {
    std::string key = class_name;
    auto arguments = OrderedJson::array();
    const std::string dtype = number ? scalar_name() : "bool";
    for (const KerasRef& input : inputs) {
      key += join(" ", input.entry, " ", input.call, " ", input.output);
      arguments.push_back(
          keras_3_tensor(input, entries_[input.entry].name(), dtype, form_.batch_size));
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
      return names_.contains(other) || graph_.find(other) < graph_.nodes().size();
    };
    std::string result = name;
    for (int number = 1; is_taken(result); ++number) result = join(name, "_", number);
    return result;
  }

  /// A part of each axis in turn: as the middle one of three it is what a Cropping2D leaves.
  KerasRef add_slice(const Slice& slice, const std::string& name, Shape shape, const Shape& y,
                     KerasRef input) {
    for (Index axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == any) continue;  // is whole
      const auto [first, last] = slice.range(axis, shape[axis]);
      if (first == 0 && last == shape[axis]) continue;
      check<ModelError>(shape.is_known(), "Slice ", in_quotes(name),
                        " of a sequence of any length has no counterpart in a file of Keras");
      const Shape three{shape.product(0, axis), shape[axis], shape.product(axis + 1, shape.rank())};
      input = add_reshape(join(name, "_axis_", axis + 1), three, input);
      const OrderedJson cropping{{0, 0}, {first, shape[axis] - last}};
      shape = shape.with(axis, last - first);
      input = add("Cropping2D", join(name, "_crop_", axis + 1),
                  {{"cropping", cropping}, {"data_format", "channels_last"}}, {input},
                  three.with(1, last - first));
    }
    return add_reshape(name, y, input);
  }

  KerasRef add_reshape(const std::string& name, const Shape& shape, KerasRef input) {
    auto target = OrderedJson::array();
    for (Index axis = 0; axis < shape.rank(); ++axis) target.push_back(shape[axis]);
    return add("Reshape", name, {{"target_shape", std::move(target)}}, {input}, shape);
  }

  KerasRef add(std::string_view class_name, const std::string& name, const OrderedJson& fields,
               std::vector<KerasRef> inputs, const Shape& y, std::vector<KerasRef> masks = {}) {
    check<ModelError>(names_.insert(name).second, "model \"", model_.name(),
                      "\": Keras's file would have two layers called \"", name,
                      "\", of which one stands for a part of another layer");
    OrderedJson config{{"name", name}, {"dtype", scalar_name()}};
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
    const bool states = inputs.size() > 1 && (is_keras_cell(class_name) ||
                                              class_name == Bidirectional<LSTM>::type);
    const auto name = [&](const KerasRef& ref) { return entries_[ref.entry].name(); };
    const auto tensor = [&](const KerasRef& ref, const char* dtype) {
      return keras_3_tensor(ref, name(ref), dtype, form_.batch_size);
    };
    const bool says_mask = !masks.empty() && !entries_[masks[0].entry].hidden;
    if (states || says_mask) {
      auto named = OrderedJson::object();
      for (std::size_t k = 1; k < inputs.size(); ++k) {
        named["initial_state"].push_back(tensor(inputs[k], scalar_name()));
      }
      if (says_mask) named["mask"] = tensor(masks[0], "bool");
      auto arguments = OrderedJson::array({tensor(inputs[0], scalar_name())});
      entry.json["inbound_nodes"].push_back(keras_3_node(std::move(arguments), std::move(named)));
      says_states_ = true;
    } else if (!inputs.empty()) {
      entry.json["inbound_nodes"].push_back(keras_2_node(inputs, name));
    }
    entry.calls.push_back({std::move(inputs), std::move(masks)});
    return {i, entry.calls.size() - 1, 0, y};
  }

  std::span<const std::byte> as_little_endian(View<const Scalar> values) {
    const auto count = static_cast<std::size_t>(values.size());
    auto& bytes = numbers_.emplace_back(count * sizeof(Scalar));
    encode(std::span<const Scalar>(values.data(), count), bytes.data());
    return bytes;
  }

  const Model<Scalar>& model_;
  const Graph<Scalar>& graph_;
  KerasForm form_;
  KerasMasks<Scalar> heed_, keras_;  ///< as heed's nodes have them, and as Keras's layers do
  std::vector<KerasEntry> entries_;
  std::vector<KerasRef> calls_;  ///< of each node
  std::vector<KerasRef> inputs_, outputs_;
  std::set<std::string> names_;
  std::map<std::string, std::size_t> operations_;  ///< what makes masks, by what it does
  bool says_states_ = false;                       ///< a call has the form of Keras 3
  std::vector<std::vector<std::byte>> numbers_;
};

}  // namespace heed::detail
