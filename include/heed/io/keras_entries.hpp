#pragma once

#include <set>

#include <heed/io/hdf5_writer.hpp>
#include <heed/io/keras_blocks.hpp>
#include <heed/io/keras_generations.hpp>

namespace heed::detail {

using OrderedJson = nlohmann::ordered_json;

/// A layer as a file of Keras has it.
struct KerasEntry {
  OrderedJson json;
  std::vector<std::size_t> inputs;
  std::vector<std::pair<std::string, Hdf5Dataset>> weights;  ///< by their paths

  const std::string& name() const { return json["name"].get_ref<const std::string&>(); }
};

/// The layers of a model without blocks. They are described as Keras 2 did, which Keras 3 reads, too.
template <class Scalar>
class KerasEntries {
 public:
  explicit KerasEntries(const Model<Scalar>& model) : model_(model), graph_(model.graph()) {
    std::vector<std::size_t> entry_of;
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      std::vector<std::size_t> inputs;
      for (const Node input : graph_[i].inputs) inputs.push_back(entry_of[input.index]);
      add_node(i, std::move(inputs));
      entry_of.push_back(entries_.size() - 1);
      if (i == graph_.output()) output_ = entry_of.back();
    }
  }

  const KerasEntry& output() const { return entries_[output_]; }
  const KerasEntry& input() const { return entries_[0]; }

  /// The layers in the order that Keras gives them when it makes the model, which is the order in
  /// which it expects their weights: by the longest way to the output, and among equals in the order
  /// in which a walk back from the output comes to them. Throws `ModelError` for a layer that does not
  /// lead to the output, which Keras would lose.
  std::vector<const KerasEntry*> in_order() const {
    std::vector<std::size_t> distance(entries_.size(), 0), turn(entries_.size(), 0);
    for (std::size_t i = entries_.size(); i-- > 0;) {
      for (const std::size_t input : entries_[i].inputs) {
        distance[input] = (std::max)(distance[input], distance[i] + 1);
      }
    }
    std::vector<std::size_t> walk{output_};
    for (std::size_t turns = 0; !walk.empty();) {
      const std::size_t here = walk.back();
      walk.pop_back();
      if (turn[here] > 0) continue;
      turn[here] = ++turns;
      const auto& inputs = entries_[here].inputs;
      walk.insert(walk.end(), inputs.rbegin(), inputs.rend());
    }
    std::vector<std::size_t> order(entries_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(distance[b], turn[a]) < std::pair(distance[a], turn[b]);
    });
    std::vector<const KerasEntry*> sorted;
    for (const std::size_t i : order) {
      check<ModelError>(turn[i] > 0, "model \"", model_.name(), "\": the layer \"",
                        entries_[i].name(),
                        "\" does not lead to the output, so that Keras has no place for it");
      sorted.push_back(&entries_[i]);
    }
    return sorted;
  }

 private:
  void add_node(std::size_t i, std::vector<std::size_t> inputs) {
    const auto& node = graph_[i];
    if (node.layer.template get<LastStep>() != nullptr) {
      // Lambda would be Python code; these two do the same without.
      const Shape& x = graph_.shape(node.inputs[0]);
      check<ModelError>(x[0] != any, graph_.title(i),
                        " of a sequence of any length has no counterpart "
                        "in a file of Keras");
      add("Cropping1D", node.name + "_crop", {{"cropping", {x[0] - 1, 0}}}, std::move(inputs));
      add("Reshape", node.name, {{"target_shape", {x[1]}}}, {entries_.size() - 1});
      return;
    }
    if (const auto* slice = node.layer.template get<Slice>()) {
      return add_slice(*slice, node.name, graph_.shape(node.inputs[0]), node.shape(), inputs[0]);
    }
    if (const auto* input = node.layer.template get<Input>()) {
      auto shape = OrderedJson::array({nullptr});
      for (const Index length : input->shape.value) {
        shape.push_back(length == any ? OrderedJson() : OrderedJson(length));
      }
      add("InputLayer", node.name, {{input_shape_key(), shape}}, {});
      return;
    }
    check_known(i);
    const auto config =
        at_place(graph_.title(i), [&] { return config_to_json(node.layer.config()); });
    add(registered_type(node.layer.type()), node.name, config, std::move(inputs));
    const bool has_cell = node.layer.template get<LSTM>() != nullptr;
    for (const Slot& slot : graph_.layout().all_slots().subspan(node.first_slot, node.slot_count)) {
      const std::string own = slot.name.substr(node.name.size() + 1);
      const View<const Scalar> values(model_.weights().data() + slot.offset, slot.shape);
      entries_.back().weights.emplace_back(
          join(node.name, has_cell ? "/lstm_cell/" : "/", own),
          Hdf5Dataset{dtype_of<Scalar>(), slot.shape, as_little_endian(values)});
    }
  }

  /// Throws `ModelError` for what this writer has no form for: it would be written as something else.
  void check_known(std::size_t i) const {
    const auto& node = graph_[i];
    const auto is = [&]<Layer... L>() {
      return ((node.layer.template get<L>() != nullptr) || ...);
    };
    const bool known =
        is.template operator()<Activation, Add, Concatenate, Dense, Dot, Dropout, Flatten, LSTM,
                               Multiply, Permute, RepeatVector, Reshape>();
    const auto heeds = Registry<Scalar>().types();
    const auto type = full_type(node.layer.type(), node.layer.config());
    check<ModelError>(known || std::find(heeds.begin(), heeds.end(), type) == heeds.end(),
                      graph_.title(i), " cannot be written to a file of Keras yet");
  }

  /// As what the class of a layer is registered in Keras: of somebody's own with a package, which is that of
  /// `@register_keras_serializable()` where the type has none.
  static std::string registered_type(std::string_view type) {
    const auto heeds = Registry<Scalar>().types();
    const bool own = std::find(heeds.begin(), heeds.end(), type) == heeds.end();
    return join(own && type.find('>') == std::string_view::npos ? "Custom>" : "", type);
  }

  /// Keras 2 does not know `batch_shape`: it refuses a file with a function that it would take for its own.
  const char* input_shape_key() const {
    const bool differs = std::any_of(
        graph_.nodes().begin(), graph_.nodes().end(),
        [](const auto& node) { return keras_difference(node.layer.config()) != nullptr; });
    return differs ? "batch_shape" : "batch_input_shape";
  }

  /// A part of each axis in turn: as the middle one of three it is what a Cropping2D leaves.
  void add_slice(const Slice& slice, const std::string& name, Shape shape, const Shape& y,
                 std::size_t input) {
    for (Index axis = 0; axis < shape.rank(); ++axis) {
      const auto [first, last] = slice.range(axis, shape[axis]);
      if (first == 0 && last == shape[axis]) continue;
      const Shape three{shape.product(0, axis), shape[axis], shape.product(axis + 1, shape.rank())};
      add_reshape(join(name, "_axis_", axis + 1), three, input);
      const OrderedJson cropping{{0, 0}, {first, shape[axis] - last}};
      shape = shape.with(axis, last - first);
      add("Cropping2D", join(name, "_crop_", axis + 1),
          {{"cropping", cropping}, {"data_format", "channels_last"}}, {entries_.size() - 1});
      input = entries_.size() - 1;
    }
    add_reshape(name, y, input);
  }

  void add_reshape(const std::string& name, const Shape& shape, std::size_t input) {
    auto target = OrderedJson::array();
    for (Index axis = 0; axis < shape.rank(); ++axis) target.push_back(shape[axis]);
    add("Reshape", name, {{"target_shape", std::move(target)}}, {input});
  }

  void add(std::string_view class_name, const std::string& name, const OrderedJson& fields,
           std::vector<std::size_t> inputs) {
    check<ModelError>(names_.insert(name).second, "model \"", model_.name(),
                      "\": Keras's file would have two layers called \"", name,
                      "\", of which one stands for a part of another layer");
    OrderedJson config{{"name", name}, {"dtype", sizeof(Scalar) == 4 ? "float32" : "float64"}};
    config.update(fields);
    auto calls = OrderedJson::array();
    for (const std::size_t input : inputs) {
      calls.push_back({entries_[input].name(), 0, 0, OrderedJson::object()});
    }
    if (!inputs.empty()) calls = OrderedJson::array({calls});
    OrderedJson json{{"class_name", class_name},
                     {"name", name},
                     {"config", std::move(config)},
                     {"inbound_nodes", std::move(calls)}};
    const auto title = join(class_name, " ", in_quotes(name));
    print_json(json, title);  // throws unless UTF-8
    entries_.push_back({std::move(json), std::move(inputs), {}});
  }

  std::span<const std::byte> as_little_endian(View<const Scalar> values) {
    const auto count = static_cast<std::size_t>(values.size());
    auto& bytes = numbers_.emplace_back(count * sizeof(Scalar));
    encode(std::span<const Scalar>(values.data(), count), bytes.data());
    return bytes;
  }

  const Model<Scalar>& model_;
  const Graph<Scalar>& graph_;
  std::vector<KerasEntry> entries_;
  std::set<std::string> names_;
  std::vector<std::vector<std::byte>> numbers_;
  std::size_t output_ = 0;
};

}  // namespace heed::detail
