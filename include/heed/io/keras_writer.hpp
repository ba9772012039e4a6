#pragma once

#include <heed/io/file.hpp>
#include <heed/io/keras_archive.hpp>
#include <heed/io/keras_checks.hpp>
#include <heed/io/keras_entries.hpp>
#include <heed/io/keras_names.hpp>
#include <heed/io/keras_training.hpp>

namespace heed::detail {

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
    const auto count = (std::min)(most, names.size() - i * most);
    group.attributes.push_back({join(name, i), {begin, begin + static_cast<Index>(count)}, true});
  }
}

/// The loss is that of each output, and each has all metrics.
inline OrderedJson keras_training_config(const keras::CompileOptions& options,
                                         std::size_t outputs) {
  auto metrics = OrderedJson::array();
  for (const auto& metric : options.metrics) metrics.push_back(metric.json());
  if (metrics.empty()) metrics = nullptr;
  if (!metrics.empty() && outputs > 1) metrics = std::vector<OrderedJson>(outputs, metrics);
  return {{"loss", options.loss->json()},
          {"metrics", std::move(metrics)},
          {"weighted_metrics", nullptr},
          {"loss_weights", nullptr},
          {"optimizer_config", options.optimizer.json()}};
}

/// The model as Keras's `model.to_json()` gives it.
template <class Scalar>
OrderedJson keras_model_json(const std::string& name, const KerasEntries<Scalar>& entries) {
  auto layers = OrderedJson::array();
  for (const KerasEntry* entry : entries.in_order()) layers.push_back(entry->json);
  const auto ends = [&](std::span<const KerasRef> refs) {
    auto list = OrderedJson::array();
    for (const KerasRef& ref : refs) {
      list.push_back({entries[ref.entry].name(), ref.call, ref.output});
    }
    return list;
  };
  // Keras gives all layers what it reads here, also those that say another thing; null is nothing.
  const OrderedJson trainable = entries.has_frozen() ? OrderedJson() : OrderedJson(true);
  return {{"class_name", "Functional"},
          {"config",
           {{"name", name},
            {"trainable", trainable},
            {"layers", std::move(layers)},
            {"input_layers", ends(entries.inputs())},
            {"output_layers", ends(entries.outputs())}}}};
}

/// Puts a dataset at a path, with the groups that lead to it.
inline void add_dataset(Hdf5Group& group, std::string_view path, const Hdf5Dataset& dataset) {
  Hdf5Group* parent = &group;
  for (std::size_t end = path.find('/'); end != std::string_view::npos; end = path.find('/')) {
    parent = &parent->groups[std::string(path.substr(0, end))];
    path.remove_prefix(end + 1);
  }
  parent->datasets[std::string(path)] = dataset;
}

template <class Scalar>
Hdf5Group keras_file(const std::string& name, const KerasEntries<Scalar>& entries,
                     const keras::CompileOptions& options) {
  Hdf5Group root;
  Hdf5Group& weights = root.groups["model_weights"];
  std::vector<std::string> names;
  for (const KerasEntry* entry : entries.in_order()) {
    names.push_back(entry->name());
    Hdf5Group& group = weights.groups[entry->name()];
    std::vector<std::string> paths;
    for (const KerasWeight& weight : entry->weights) {
      paths.push_back(weight.path);
      add_dataset(group, weight.path, weight.dataset);
    }
    add_keras_names(group, "weight_names", paths);
  }
  const std::string where = join("model \"", name, "\"");
  const std::vector<Hdf5Group::Attribute> origin{{"backend", {"tensorflow"}},
                                                 {"keras_version", {"3.0.0"}}};
  root.attributes = origin;
  root.attributes.push_back({"model_config", {print_json(keras_model_json(name, entries), where)}});
  if (options.loss) {
    root.attributes.push_back(
        {"training_config",
         {print_json(keras_training_config(options, entries.outputs().size()), where)}});
  }
  weights.attributes = origin;
  add_keras_names(weights, "layer_names", names);
  add_keras_names(weights.groups["top_level_model_weights"], "weight_names", {});
  return root;
}

/// The bytes of an archive in the native format.
template <class Scalar>
std::vector<std::byte> keras_archive(const std::string& name, const KerasEntries<Scalar>& entries,
                                     const keras::CompileOptions& options) {
  OrderedJson model = keras_model_json(name, entries);
  model["module"] = "keras.src.models.functional";
  model["registered_name"] = "Functional";
  for (OrderedJson& layer : model["config"]["layers"]) {
    if (!layer.contains("module")) add_keras_module(layer, "keras.layers");
    OrderedJson& fields = layer["config"];  // Keras 3.0 knows but one name of this one here
    if (!fields.contains("batch_input_shape")) continue;
    fields["batch_shape"] = fields["batch_input_shape"];
    fields.erase("batch_input_shape");
  }
  if (options.loss) {
    OrderedJson& training = model["compile_config"] =
        keras_training_config(options, entries.outputs().size());
    training["optimizer"] = training["optimizer_config"];
    training.erase("optimizer_config");
    add_keras_module(training["optimizer"], "keras.optimizers");
    add_keras_module(training["loss"], "keras.losses");
    for (OrderedJson& metric : training["metrics"]) {
      add_keras_module(metric, "keras.metrics");
      if (!metric.is_array()) continue;  // … of one of several outputs
      for (OrderedJson& one : metric) add_keras_module(one, "keras.metrics");
    }
  }
  Hdf5Group root;
  root.groups["vars"];  // the model's own weights, for which Keras up to 3.5 looks
  KerasArchiveGroups groups;
  for (const KerasEntry* entry : entries.in_order()) {
    const auto class_name = entry->json["class_name"].template get<std::string>();
    const auto group = groups.next(class_name) + "/";
    for (const KerasWeight& weight : entry->weights) {
      add_dataset(root, group + weight.group, weight.dataset);
    }
  }
  const std::string where = join("model \"", name, "\"");
  const std::string config = print_json(model, where);
  constexpr std::string_view metadata = R"({"keras_version": "3.0.0", "date_saved": ""})";
  const auto bytes = [](std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  };
  const std::vector<std::byte> weights = Hdf5Writer::write(root);
  return write_zip({{keras_archive_metadata, bytes(metadata)},
                    {keras_archive_config, bytes(config)},
                    {keras_archive_weights, weights}},
                   where);
}

}  // namespace heed::detail

namespace heed::keras {

/// The formats that Keras saves models in: `.h5`, and `.keras` since Keras 3.
enum class Format { hdf5, native };

/// A model as the bytes of a file that `keras.models.load_model` opens, without custom objects: that of
/// Keras 3, from 3.0.0 on, and for HDF5 that of tf.keras. It predicts the same there, in the precision of `Scalar`.
///
/// A block is written as the layers it stands for, with the names of
/// philipperemy/keras-attention-mechanism: the attention weights are the output of `attention_weight`
/// (LuongAttention) or `attention_vec` (StepAttention); with several blocks of a kind, each has its own
/// name in front: `encoder_attention_weight`. A LastStep is a Cropping1D and a Reshape, a Slice a
/// Cropping2D between Reshapes. A layer of your own is written by its type and fields. Its type is what
/// its class is registered as there: `mine>Gain` by `@register_keras_serializable("mine")`, and `Gain`,
/// without a package, by `@register_keras_serializable()`.
///
/// Keras 2 refuses a file with a function of which it has another, hard_sigmoid, and one in which a layer is given
/// states, for which it has another form. Where Keras would take a mask that heed does not, or another one, the native
/// format says which; HDF5 cannot.
///
/// Throws `ModelError` when the model is not built, a layer does not lead to its output, is stateful without a
/// `batch_size`, or leaves out steps as nothing in Keras or in the format does;
/// `FileError` for what JSON cannot say, and for a name that Keras cannot read or run: TensorFlow takes
/// letters without accents, digits, `_`, `.`, `-` and `>`.
template <class Scalar>
std::vector<std::byte> save_model(const Model<Scalar>& model, const CompileOptions& options = {},
                                  Format format = Format::hdf5) {
  model.check_built("saved");
  detail::check_keras_name(model.name(), join("model ", detail::in_quotes(model.name())));
  detail::check_for_keras(model, options.batch_size);
  const Model<Scalar> expanded = detail::without_blocks(model);
  const detail::KerasEntries<Scalar> entries(
      expanded, {.batch_size = options.batch_size, .native = format == Format::native});
  for (const detail::KerasEntry* entry : entries.in_order()) {
    const auto& type = entry->json["class_name"].template get_ref<const std::string&>();
    detail::check_keras_name(entry->name(), join(type, " ", detail::in_quotes(entry->name())));
  }
  if (format == Format::native) return detail::keras_archive(model.name(), entries, options);
  return detail::Hdf5Writer::write(detail::keras_file(model.name(), entries, options));
}

/// Writes a model to a file, in the native format where the path ends in `.keras`; an old one is
/// replaced as a whole or, when that fails, stays as it was: see `write_file`. Throws as above, and
/// `FileError` with the path and the reason.
template <class Scalar>
void save_model(const Model<Scalar>& model, const std::filesystem::path& path,
                const CompileOptions& options = {}) {
  const auto format = path.extension() == ".keras" ? Format::native : Format::hdf5;
  write_file(path, save_model(model, options, format));
}

}  // namespace heed::keras
