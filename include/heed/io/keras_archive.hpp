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

/// The groups of the layers' weights, to be asked in the model's order: `layers/dense`,
/// `layers/dense_1`.
class KerasArchiveGroups {
 public:
  /// The group of the next layer of a class. `class_name` may have a package in front: `mine>Gain`.
  std::string next(std::string_view class_name) {
    const std::string base = snake_case(class_name);
    const int number = used_[base]++;
    return number == 0 ? "layers/" + base : join("layers/", base, "_", number);
  }

 private:
  std::map<std::string, int> used_;
};

/// The datasets of a layer's weights. Throws if the group has others.
template <class Scalar>
void append_keras_weights(const Hdf5Object& root, const KerasLayer& layer, const std::string& group,
                          const Graph<Scalar>& graph, std::size_t node,
                          std::vector<Hdf5Object>& weights) {
  const auto own = root.open(group + "/vars");
  const auto name = own ? own->texts("name") : std::nullopt;
  layer.expect(!name || name->size() != 1 || name->front() == layer.name,
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

/// Throws `FileError` for a group with weights that do not belong to a layer of the model.
inline void check_keras_groups(const Hdf5Object& root, const std::set<std::string>& known) {
  const auto layers = root.open("layers");
  if (!layers) return;
  for (const std::string_view name : layers->names()) {
    if (known.contains(join("layers/", name))) continue;
    const auto group = layers->open(name);
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
  KerasArchiveGroups numbers;
  std::map<std::string_view, std::pair<KerasLayer, std::string>> groups;
  std::set<std::string> known;
  for (const KerasEntry* entry : entries.in_order()) {
    const auto& class_name = entry->json["class_name"].template get_ref<const std::string&>();
    const auto group = numbers.next(class_name);
    const auto place = join(root.file().where(), ": ", class_name, " ", in_quotes(entry->name()));
    KerasLayer layer;
    layer.class_name = class_name;
    layer.name = entry->name();
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
    if (name && name->size() == 1 && !groups.contains(name->front())) layer.name = name->front();
    append_keras_weights(root, layer, group, expanded.graph(), i, weights);
  }
  check_keras_groups(root, known);
  return keras_arena<Scalar>(expanded.graph().layout(), weights, allow_not_finite);
}

/// The version of Keras that wrote an archive, if the archive names it.
inline KerasVersion keras_archive_version(const ZipFile& archive, const std::string& where) {
  const auto metadata = parse_json(hdf5_text(archive.file(keras_archive_metadata)),
                                   join(where, ": ", keras_archive_metadata));
  const auto version = metadata.find("keras_version");  // the end if it is not an object
  const bool says_it = version != metadata.end() && version->is_string();
  return says_it ? KerasVersion(version->get_ref<const std::string&>()) : KerasVersion();
}

template <class Scalar>
Model<Scalar> keras_load_archive(std::span<const std::byte> bytes, const std::string& where,
                                 const keras::LoadOptions<Scalar>& options) {
  const ZipFile archive(bytes, where);
  const auto json = parse_keras_json(hdf5_text(archive.file(keras_archive_config)),
                                     join(where, ": ", keras_archive_config));
  const KerasModel description = keras_model(json, where);
  const auto version = keras_archive_version(archive, where);
  check<FileError>(!version.at_least(1) || version.at_least(3), where,
                   " was saved by Keras 2, whose archives have another form; expected Keras "
                   "3, or a file in HDF5");
  auto model = KerasBuilder<Scalar>(description, where, options, KerasVersion("3.0.0")).build();
  check<FileError>(model.graph().nodes().size() > 1, where,
                   ": the model has no layer besides its input");

  Hdf5File file(archive.file(keras_archive_weights), join(where, ": ", keras_archive_weights));
  const Hdf5Object root(file);
  std::map<std::string_view, std::pair<const KerasLayer*, std::string>> groups;
  KerasArchiveGroups numbers;
  for (const KerasLayer& layer : description.layers) {
    groups[layer.name] = {&layer, numbers.next(layer.class_name)};
  }
  std::vector<Hdf5Object> weights;
  for (std::size_t i = 0; i < model.graph().nodes().size(); ++i) {
    const auto& node = model.graph()[i];
    if (node.slot_count == 0 || owner_of_weights(model.graph(), i) != i) continue;
    const auto& [layer, group] = groups.at(node.name);
    append_keras_weights(root, *layer, group, model.graph(), i, weights);
  }
  const auto values =
      keras_arena<Scalar>(model.graph().layout(), weights, options.allow_not_finite);
  model.set_weights(values.values());
  return model;
}

}  // namespace heed::detail
