#pragma once

#include <heed/io/hdf5_writer.hpp>
#include <heed/io/keras_blocks.hpp>
#include <heed/io/keras_entry.hpp>
#include <heed/io/keras_generations.hpp>

namespace heed::detail {

/// The layers of a model without blocks. They are described as Keras 2 did, which Keras 3 reads, too, but for calls
/// with states, which Keras 3 reads in its own form alone.
template <class Scalar>
class KerasEntries {
 public:
  /// `batch_size`: how many samples a batch has; 0 for any number.
  explicit KerasEntries(const Model<Scalar>& model, Index batch_size = 0)
      : model_(model), graph_(model.graph()), batch_size_(batch_size) {
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      std::vector<KerasRef> inputs;
      for (const Node input : graph_[i].inputs) inputs.push_back(ref(input));
      calls_.push_back(add_node(i, std::move(inputs)));
      if (graph_[i].is_input()) inputs_.push_back(calls_.back());
    }
    for (const Node output : graph_.outputs()) outputs_.push_back(ref(output));
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
    for (const std::size_t i : keras_order(entries_, outputs_)) {
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
                 {{input_shape_key(), keras_batch_shape(node.shape(), batch_size_)}}, {},
                 node.shape());
    }
    const std::size_t owner = owner_of_weights(graph_, i);
    if (owner != i) return add_call(calls_[owner].entry, std::move(inputs), node.shape());
    check_known(i);
    auto config = at_place(graph_.title(i), [&] {
      return keras_fields(node.layer.config(), scalar_name(), node.trains);
    });
    const auto call =
        add(registered_type(node.layer.type()), node.name, config, std::move(inputs), node.shape());
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

  /// Keras 2 does not know `batch_shape`: it refuses a file with a function that it would take for its own, and one
  /// with calls that it has another form for.
  const char* input_shape_key() const {
    const bool differs =
        std::any_of(graph_.nodes().begin(), graph_.nodes().end(), [](const auto& node) {
          return keras_difference(node.layer.config()) != nullptr || takes_states(node);
        });
    return differs ? "batch_shape" : "batch_input_shape";
  }

  static bool takes_states(const typename Graph<Scalar>::Entry& node) {
    const auto type = node.layer.type();
    return node.inputs.size() > 1 && (is_keras_cell(type) || type == Bidirectional<LSTM>::type);
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
               std::vector<KerasRef> inputs, const Shape& y) {
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
    return add_call(entries_.size() - 1, std::move(inputs), y);
  }

  KerasRef add_call(std::size_t i, std::vector<KerasRef> inputs, const Shape& y) {
    KerasEntry& entry = entries_[i];
    const auto class_name = entry.json["class_name"].template get<std::string>();
    const bool states = inputs.size() > 1 && (is_keras_cell(class_name) ||
                                              class_name == Bidirectional<LSTM>::type);
    const auto name = [&](const KerasRef& ref) { return entries_[ref.entry].name(); };
    if (!inputs.empty()) {
      entry.json["inbound_nodes"].push_back(states ? keras_3_node(inputs, scalar_name(), batch_size_, name)
                                                   : keras_2_node(inputs, name));
    }
    entry.calls.push_back(std::move(inputs));
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
  Index batch_size_;
  std::vector<KerasEntry> entries_;
  std::vector<KerasRef> calls_;  ///< of each node
  std::vector<KerasRef> inputs_, outputs_;
  std::set<std::string> names_;
  std::vector<std::vector<std::byte>> numbers_;
};

}  // namespace heed::detail
