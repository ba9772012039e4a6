#pragma once

#include <heed/io/file.hpp>
#include <heed/io/hdf5_writer.hpp>
#include <heed/io/keras_blocks.hpp>
#include <heed/io/keras_training.hpp>

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
      for (const std::size_t input : graph_[i].inputs) inputs.push_back(entry_of[input]);
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
        distance[input] = std::max(distance[input], distance[i] + 1);
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
      const Shape& x = graph_[node.inputs[0]].shape;
      add("Cropping1D", node.name + "_crop", {{"cropping", {x[0] - 1, 0}}}, std::move(inputs));
      add("Reshape", node.name, {{"target_shape", {x[1]}}}, {entries_.size() - 1});
      return;
    }
    if (const auto* input = node.layer.template get<Input>()) {
      auto shape = OrderedJson::array({nullptr});
      for (const Index length : input->shape.value) shape.push_back(length);
      add("InputLayer", node.name, {{"batch_input_shape", shape}}, {});
      return;
    }
    const auto config =
        at_place(graph_.title(i), [&] { return config_to_json(node.layer.config()); });
    add(node.layer.type(), node.name, config, std::move(inputs));
    const bool has_cell = node.layer.template get<LSTM>() != nullptr;
    for (const Slot& slot : graph_.layout().slots().subspan(node.first_slot, node.slots)) {
      const std::string own = slot.name.substr(node.name.size() + 1);
      const View<const Scalar> values(model_.weights().data() + slot.offset, slot.shape);
      entries_.back().weights.emplace_back(
          join(node.name, has_cell ? "/lstm_cell/" : "/", own),
          Hdf5Dataset{dtype_of<Scalar>(), slot.shape, as_little_endian(values)});
    }
  }

  void add(std::string_view class_name, const std::string& name, const OrderedJson& fields,
           std::vector<std::size_t> inputs) {
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
    print_json(json, join(class_name, " \"", printable(name), "\""));  // throws unless UTF-8
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
  std::vector<std::vector<std::byte>> numbers_;
  std::size_t output_ = 0;
};

/// An attribute with a list of names, in several where one could not hold them all: the reader of
/// Keras puts `names0`, `names1`, … together.
inline void add_keras_names(Hdf5Group& group, const std::string& name,
                            const std::vector<std::string>& names) {
  constexpr std::size_t most = 4000;  // an attribute has 64 KiB, and a name takes 16 bytes of them
  if (names.size() <= most) {
    group.attributes.push_back({name, names, true});
    return;
  }
  for (std::size_t i = 0; i * most < names.size(); ++i) {
    const auto begin = names.begin() + static_cast<Index>(i * most);
    const auto count = std::min(most, names.size() - i * most);
    group.attributes.push_back({join(name, i), {begin, begin + static_cast<Index>(count)}, true});
  }
}

inline OrderedJson keras_training_config(const keras::CompileOptions& options) {
  auto metrics = OrderedJson::array();
  for (const auto& metric : options.metrics) metrics.push_back(metric.json());
  return {{"loss", options.loss->json()},
          {"metrics", std::move(metrics)},
          {"weighted_metrics", nullptr},
          {"loss_weights", nullptr},
          {"optimizer_config", options.optimizer.json()}};
}

template <class Scalar>
Hdf5Group keras_file(const std::string& name, const KerasEntries<Scalar>& entries,
                     const keras::CompileOptions& options) {
  Hdf5Group root;
  Hdf5Group& weights = root.groups["model_weights"];
  auto layers = OrderedJson::array();
  std::vector<std::string> names;
  for (const KerasEntry* entry : entries.in_order()) {
    layers.push_back(entry->json);
    names.push_back(entry->name());
    Hdf5Group& group = weights.groups[entry->name()];
    std::vector<std::string> paths;
    for (const auto& [path, dataset] : entry->weights) {
      paths.push_back(path);
      Hdf5Group* parent = &group;
      std::size_t begin = 0;
      for (std::size_t end = path.find('/'); end != std::string::npos;
           end = path.find('/', begin)) {
        parent = &parent->groups[path.substr(begin, end - begin)];
        begin = end + 1;
      }
      parent->datasets[path.substr(begin)] = dataset;
    }
    add_keras_names(group, "weight_names", paths);
  }
  const auto end = [](const KerasEntry& entry) {
    return OrderedJson::array({OrderedJson::array({entry.name(), 0, 0})});
  };
  const OrderedJson model{{"class_name", "Functional"},
                          {"config",
                           {{"name", name},
                            {"trainable", true},
                            {"layers", std::move(layers)},
                            {"input_layers", end(entries.input())},
                            {"output_layers", end(entries.output())}}}};
  const std::string where = join("model \"", name, "\"");
  const std::vector<Hdf5Group::Attribute> origin{{"backend", {"tensorflow"}},
                                                 {"keras_version", {"3.0.0"}}};
  root.attributes = origin;
  root.attributes.push_back({"model_config", {print_json(model, where)}});
  if (options.loss) {
    root.attributes.push_back(
        {"training_config", {print_json(keras_training_config(options), where)}});
  }
  weights.attributes = origin;
  add_keras_names(weights, "layer_names", names);
  add_keras_names(weights.groups["top_level_model_weights"], "weight_names", {});
  return root;
}

}  // namespace heed::detail

namespace heed::keras {

/// A model as the bytes of a file that `keras.models.load_model` opens, without custom objects: that of
/// Keras 3, and that of tf.keras. It predicts the same there, in the precision of `Scalar`.
///
/// A block is written as the layers it stands for, with the reference's names: the attention weights
/// are the output of `attention_weight` (LuongAttention) or `attention_vec` (StepAttention); with
/// several blocks of a kind, each has its own name in front: `encoder_attention_weight`. A LastStep is
/// a Cropping1D and a Reshape. A layer of your own is written by its type and fields.
///
/// Throws `ModelError` when the model is not built, or a layer does not lead to its output;
/// `FileError` for what JSON cannot say.
template <class Scalar>
std::vector<std::byte> save_model(const Model<Scalar>& model, const CompileOptions& options = {}) {
  check<ModelError>(model.is_built(), "model \"", model.name(), "\" is saved before build()");
  const Model<Scalar> expanded = detail::without_blocks(model);
  const detail::KerasEntries<Scalar> entries(expanded);
  return detail::Hdf5Writer::write(detail::keras_file(model.name(), entries, options));
}

/// Writes a model to a file; an old one is replaced as a whole or, when that fails, stays as it was:
/// see `write_file`. Throws as above, and `FileError` with the path and the reason.
template <class Scalar>
void save_model(const Model<Scalar>& model, const std::filesystem::path& path,
                const CompileOptions& options = {}) {
  write_file(path, save_model(model, options));
}

}  // namespace heed::keras
