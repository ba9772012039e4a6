#pragma once

#include <heed/io/keras_builder.hpp>
#include <heed/io/keras_entries.hpp>
#include <heed/io/keras_weights.hpp>
#include <heed/io/zip.hpp>

// The native format of Keras 3, `.keras`: an archive with the configuration as JSON and the weights
// as HDF5. The weights are not stored under the names of layers: the layers of each class are
// numbered in the model's order.

namespace heed::detail {

inline constexpr std::string_view keras_archive_config = "config.json",
                                  keras_archive_weights = "model.weights.h5",
                                  keras_archive_metadata = "metadata.json";

/// The group with the layers of a model that a file numbers: `layers`, which tf.keras before 2.14
/// calls otherwise. None if the file does not number layers.
inline std::optional<std::string> keras_numbered_group(const Hdf5Object& root) {
  for (const char* name :
       {"layers", "_layer_checkpoint_dependencies", "layer_checkpoint_dependencies"}) {
    if (root.open(name)) return name;
  }
  return {};
}

/// The groups of the layers' weights, to be asked in the model's order: `layers/dense`,
/// `layers/dense_1`.
class KerasArchiveGroups {
 public:
  /// `path` is that of the model, `layers` the name of the group with its layers.
  explicit KerasArchiveGroups(std::string path = "", const std::string& layers = "layers")
      : path_(std::move(path)), twice_(layers != "layers") {
    path_ += layers + "/";
  }

  /// The group of the next layer of a class. `class_name` may have a package in front: `mine>Gain`.
  /// tf.keras before 2.14 counts layers with weights twice.
  std::string next(std::string_view class_name, bool has_weights = true) {
    const std::string base = snake_case(class_name);
    int& used = used_[base];
    const int number = used;
    used += twice_ && has_weights ? 2 : 1;
    return number == 0 ? path_ + base : join(path_, base, "_", number);
  }

 private:
  std::string path_;
  bool twice_;
  std::map<std::string, int> used_;
};

/// The groups of all layers of a file, by their indices.
class KerasFlatGroups {
 public:
  /// `weights` says which of the layers have weights.
  KerasFlatGroups(const KerasFlat& file, const std::vector<bool>& weights, std::string layers)
      : file_(file), weights_(weights), layers_(std::move(layers)), groups_(weights.size()) {
    number(0, "");
  }

  const std::string& operator[](std::size_t layer) const { return groups_[layer]; }

 private:
  void number(std::size_t scope, const std::string& path) {
    KerasArchiveGroups numbers(path, layers_);
    file_.visit(scope, [&](const KerasLayer& layer, std::size_t i, std::size_t inner) {
      if (!layer.model) {
        groups_[i] = numbers.next(layer.class_name, weights_[i]);
      } else {
        number(inner, numbers.next(layer.class_name, has_weights(inner)) + "/");
      }
    });
  }

  bool has_weights(std::size_t scope) const {
    bool any = false;
    file_.visit(scope, [&](const KerasLayer& layer, std::size_t i, std::size_t inner) {
      any = any || (layer.model ? has_weights(inner) : weights_[i]);
    });
    return any;
  }

  const KerasFlat& file_;
  const std::vector<bool>& weights_;
  std::string layers_;
  std::vector<std::string> groups_;
};

/// The datasets of a layer's weights. Throws if the group has others.
template <class Scalar>
void append_keras_weights(const Hdf5Object& root, const KerasLayer& layer, const std::string& group,
                          const Graph<Scalar>& graph, std::size_t node,
                          std::vector<Hdf5Object>& weights) {
  const auto own = root.open(group + "/vars");
  const auto name = own ? own->texts("name") : std::nullopt;
  layer.expect(!name || name->size() != 1 || name->front() == layer.saved_name,
               " should have its weights in ", in_quotes(group), ", where another layer has them");
  const auto& made = graph[node].layer;
  const auto parts =
      layer.of_keras ? keras_parts(made.type(), made.config()) : std::vector<KerasPart>{{}};
  const auto names = keras_own_names(graph, node);
  for (const KerasPart& part : parts) {
    const auto path = join(group, "/", part.group, "vars");
    const auto vars = root.open(path);
    const auto count = static_cast<std::size_t>(std::count_if(
        names.begin(), names.end(), [&](const auto& one) { return one.starts_with(part.names); }));
    layer.expect(vars.has_value(), " has no weights: the file has no group ", in_quotes(path));
    for (std::size_t i = 0; i < count; ++i) {
      auto weight = vars->open(join(i));
      layer.expect(weight.has_value(), " has ", i, " weights in ", in_quotes(path), ", expected ",
                   count);
      weights.push_back(*std::move(weight));
    }
    layer.expect(!vars->open(join(count)).has_value(), " has more than ", count, " weights in ",
                 in_quotes(path));
  }
}

/// Throws `FileError` if a file has the weights of a model inside the model.
inline void check_no_model_inside(const Hdf5Object& layers) {
  for (const std::string_view name : layers.names()) {
    const auto group = layers.open(name);
    check<FileError>(!keras_numbered_group(*group), group->place(),
                     " has the weights of a model inside the model, and does not say where it "
                     "stands among the layers; load_model reads them from a .keras, or with the "
                     "model's JSON: load_model(\"model.json\", \"model.weights.h5\")");
  }
}

/// Throws `FileError` for a group with weights that do not belong to a layer of the model.
inline void check_keras_groups(const Hdf5Object& layers, const std::string& path,
                               const std::set<std::string>& known) {
  for (const std::string_view name : layers.names()) {
    if (known.contains(join(path, "/", name))) continue;
    const auto group = layers.open(name);
    for (const std::string& weights : keras_weight_groups()) {
      check<FileError>(!group->open(weights + "0"), group->place(),
                       " has weights for which the model has no layer");
    }
  }
}

/// The weights of a model, in the order of its layout, from a file that numbers layers. Keras 3
/// writes such files in its archives and, by `model.save_weights`, as `.weights.h5`. As in Keras,
/// the names in the file may differ from the model's, but a name must not belong to another layer
/// of the model.
template <class Scalar>
Arena<Scalar> keras_numbered_weights(const Model<Scalar>& model, const Hdf5Object& root,
                                     bool allow_not_finite) {
  Model<Scalar> built = model;
  if (!built.is_built()) {
    const Arena<Scalar> zeros(Shape{model.count_params()});
    built.set_weights(zeros.values());
  }
  const Model<Scalar> expanded = without_blocks(built);
  const KerasEntries<Scalar> entries(expanded);
  const std::string layers = keras_numbered_group(root).value_or("layers");
  const auto all = root.open(layers);
  if (all) check_no_model_inside(*all);
  KerasArchiveGroups numbers("", layers);
  std::map<std::string_view, std::pair<KerasLayer, std::string>> groups;
  std::set<std::string> known;
  for (const KerasEntry* entry : entries.in_order()) {
    const auto& class_name = entry->json["class_name"].template get_ref<const std::string&>();
    const auto index = expanded.graph().find(entry->name());
    const bool has_weights =
        index < expanded.graph().nodes().size() && expanded.graph()[index].slot_count > 0;
    const auto group = numbers.next(class_name, has_weights);
    const auto place = join(root.file().where(), ": ", class_name, " ", in_quotes(entry->name()));
    KerasLayer layer;
    layer.class_name = class_name;
    layer.saved_name = layer.name = entry->name();
    layer.place = place;
    groups[entry->name()] = {std::move(layer), group};
    known.insert(group);
  }
  std::vector<Hdf5Object> weights;
  for (std::size_t i = 0; i < expanded.graph().nodes().size(); ++i) {
    const auto& node = expanded.graph()[i];
    if (node.slot_count == 0 || owner_of_weights(expanded.graph(), i) != i) continue;
    auto& [layer, group] = groups.at(node.name);
    const auto own = root.open(group + "/vars");
    const auto name = own ? own->texts("name") : std::nullopt;
    if (name && name->size() == 1 && !groups.contains(name->front())) {
      layer.saved_name = name->front();
    }
    append_keras_weights(root, layer, group, expanded.graph(), i, weights);
  }
  if (all) check_keras_groups(*all, layers, known);
  return keras_arena<Scalar>(expanded.graph().layout(), weights, allow_not_finite);
}

/// The weights of a file's model, from a file that numbers layers.
template <class Scalar>
Arena<Scalar> keras_numbered_weights(const Model<Scalar>& model, const KerasFlat& file,
                                     const Hdf5Object& root, bool allow_not_finite) {
  const Graph<Scalar>& graph = model.graph();
  std::vector<bool> has_weights;
  std::map<std::string_view, std::size_t> numbers;
  for (const KerasLayer& layer : file.layers()) {
    numbers[layer.name] = has_weights.size();
    const auto node = graph.find(layer.name);
    has_weights.push_back(node < graph.nodes().size() && graph[node].slot_count > 0);
  }
  const KerasFlatGroups groups(file, has_weights, keras_numbered_group(root).value_or("layers"));
  std::vector<Hdf5Object> weights;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    if (graph[i].slot_count == 0 || owner_of_weights(graph, i) != i) continue;
    const std::size_t layer = numbers.at(graph[i].name);
    append_keras_weights(root, file.layers()[layer], groups[layer], graph, i, weights);
  }
  return keras_arena<Scalar>(graph.layout(), weights, allow_not_finite);
}

/// The version of Keras that wrote an archive, if the archive names it.
inline KerasVersion keras_archive_version(const ZipFile& archive, const std::string& where) {
  const auto metadata = parse_json(hdf5_text(archive.file(keras_archive_metadata)),
                                   join(where, ": ", keras_archive_metadata));
  const auto version = metadata.find("keras_version");  // the end if it is not an object
  const bool says_it = version != metadata.end() && version->is_string();
  return says_it ? KerasVersion(version->get_ref<const std::string&>()) : KerasVersion();
}

}  // namespace heed::detail
