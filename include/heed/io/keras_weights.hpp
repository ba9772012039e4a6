#pragma once

#include <set>

#include <heed/io/finite.hpp>
#include <heed/io/hdf5_dataset.hpp>
#include <heed/io/keras_blocks.hpp>
#include <heed/io/keras_cudnn.hpp>

namespace heed::detail {

/// A list of names. Keras divides a long list into `names0`, `names1`, ….
inline std::vector<std::string_view> keras_names(const Hdf5Object& group, const std::string& name) {
  auto names = group.texts(name);
  if (names) return *names;
  check<FileError>(group.has_attribute(name + "0"), group.place(), " has no attribute ",
                   in_quotes(name));
  names.emplace();
  constexpr Index most = 1000;  // each can contain hundreds of names
  for (Index i = 0; const auto part = group.texts(join(name, i)); ++i) {
    check<FileError>(i < most, group.place(), " has more than ", most, " attributes ",
                     in_quotes(name));
    names->insert(names->end(), part->begin(), part->end());
  }
  return *names;
}

/// Whether a path like `attention/luong_w/kernel:0` is that of the weight `luong_w/kernel`, or of
/// `kernel`.
inline bool is_keras_weight(std::string_view path, std::string_view weight) {
  path = path.substr(0, path.rfind(':'));
  return path.ends_with(weight) &&
         (path.size() == weight.size() || path[path.size() - weight.size() - 1] == '/');
}

/// The same for a weight in a part of its layer: `forward_` in
/// `bidirectional/forward_lstm/lstm_cell/kernel`. The last group that can be a part is decisive,
/// whatever the layer's name. Without such a group, the weight can belong to either part.
inline bool is_keras_weight(std::string_view path, const KerasPlace& place) {
  if (!is_keras_weight(path, place.weight)) return false;
  if (place.part.empty()) return true;
  for (std::size_t end = path.rfind('/'); end != std::string_view::npos && end > 0;) {
    const std::size_t slash = path.rfind('/', end - 1);
    const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    const auto group = path.substr(begin, end - begin);
    if (group.starts_with("forward_") || group.starts_with("backward_")) {
      return group.starts_with(place.part);
    }
    end = slash;
  }
  return true;
}

/// All weights of a model, in the order of its layout, from their datasets. Throws `FileError` for
/// a weight of another shape, and for one that is NaN or infinite unless that is allowed.
template <class Scalar>
Arena<Scalar> keras_arena(const Layout& layout, std::span<const Hdf5Object> objects,
                          bool allow_not_finite, const KerasCudnn& cudnn = {}) {
  std::vector<Hdf5Dataset> datasets;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const Slot& slot = layout.all_slots()[i];
    datasets.push_back(hdf5_dataset(objects[i]));
    const Shape expected = cudnn.saved_shape(slot);
    check<FileError>(datasets[i].shape == expected, objects[i].place(), " has the shape ",
                     datasets[i].shape, ", but the model's ", in_quotes(slot.name), " has ",
                     expected);
  }
  Arena<Scalar> weights(Shape{layout.size()});
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const Slot& slot = layout.all_slots()[i];
    const auto values = weights.values().subspan(static_cast<std::size_t>(slot.offset),
                                                 static_cast<std::size_t>(slot.shape.size()));
    if (!cudnn.has(slot)) {
      decode(datasets[i], values);
    } else {
      std::vector<Scalar> saved(static_cast<std::size_t>(datasets[i].shape.size()));
      decode<Scalar>(datasets[i], saved);
      cudnn.convert<Scalar>(slot, saved, values);
    }
  }
  if (!objects.empty()) {
    check_weights_finite<Scalar>(layout, weights.values(), allow_not_finite,
                                 objects[0].file().where());
  }
  return weights;
}

/// A layer of a model inside a model, and how many of its weights train and how many do not.
struct KerasInside {
  std::string name;
  std::size_t trained = 0, others = 0;
};

/// The layers with weights in a file: for each its group, and the paths of its weights there.
class KerasWeights {
 public:
  KerasWeights(Hdf5File& file, const Hdf5Object& group) : file_(&file) {
    std::set<std::string_view> seen;
    std::set<std::string> paths;  // "b/c" of "a" has the same path as "c" of "a/b"
    for (const std::string_view name : keras_names(group, "layer_names")) {
      check<FileError>(seen.insert(name).second, group.place(), " has ", in_quotes(name),
                       " twice among its layer_names");
      auto layer = group.open(name);
      check<FileError>(layer.has_value(), group.place(), " has no group ", in_quotes(name),
                       ", which is one of its layer_names");
      auto weights = keras_names(*layer, "weight_names");
      for (const std::string_view path : weights) {
        check<FileError>(paths.insert(join(name, "/", path)).second, layer->place(), " has ",
                         in_quotes(path), ", which is a weight of another layer as well");
      }
      if (weights.empty()) continue;
      order_.emplace_back(name);
      layers_.emplace(name, Stored{std::move(*layer), std::move(weights)});
    }
  }

  /// Makes the weights of a model inside the model those of its layers. Keras writes them in the
  /// layers' order, first those that train, then the others. Throws `FileError` if there are more
  /// or fewer.
  void divide(const std::string& model, std::span<const KerasInside> layers) {
    const auto found = layers_.find(model);
    if (found == layers_.end()) return;
    const Stored whole = std::move(found->second);
    layers_.erase(found);
    auto& names = divided_[model];
    std::size_t count = 0;
    for (const auto& layer : layers) count += layer.trained + layer.others;
    check<FileError>(count == whole.paths.size(), whole.group.place(), " has ", whole.paths.size(),
                     " weights, and the layers of this model have ", count);
    auto next = whole.paths.begin();
    for (const auto part : {&KerasInside::trained, &KerasInside::others}) {
      for (const KerasInside& layer : layers) {
        if (layer.*part == 0) continue;
        const auto end = next + static_cast<std::ptrdiff_t>(layer.*part);
        auto& paths = layers_.try_emplace(layer.name, Stored{whole.group, {}}).first->second.paths;
        paths.insert(paths.end(), next, end);
        next = end;
      }
    }
    for (const KerasInside& layer : layers) {
      if (layer.trained + layer.others > 0) names.push_back(layer.name);
    }
  }

  /// All weights of a model, in the order of its layout. `places` are their places in the file, in
  /// the same order. Throws `FileError` unless the layers and weights of the file and of the model
  /// are the same and have the same shapes.
  template <class Scalar>
  Arena<Scalar> read(const Layout& layout, std::span<const KerasPlaces> candidates,
                     bool allow_not_finite, const KerasCudnn& cudnn = {}) const {
    std::vector<KerasPlace> places;
    for (const KerasPlaces& some : candidates) places.push_back(choose(some));
    if (!fit_by_order(places)) check_names(places);
    std::vector<Hdf5Object> objects;
    for (const KerasPlace& place : places) objects.push_back(find(place));
    return keras_arena<Scalar>(layout, objects, allow_not_finite, cudnn);
  }

 private:
  struct Stored {
    Hdf5Object group;
    std::vector<std::string_view> paths;
  };

  const KerasPlace& choose(const KerasPlaces& places) const {
    const auto is_here = [&](const KerasPlace& place) {
      const auto layer = layers_.find(place.layer);
      return layer != layers_.end() &&
             std::any_of(layer->second.paths.begin(), layer->second.paths.end(),
                         [&](auto path) { return is_keras_weight(path, place); });
    };
    const auto found = std::find_if(places.begin(), places.end(), is_here);
    return found == places.end() ? places.front() : *found;
  }

  /// If no layer has a name that the file has, finds the weights by the order of the layers, as
  /// Keras does. Returns false, and changes nothing, if the layers do not fit.
  bool fit_by_order(std::span<KerasPlace> places) const {
    std::vector<std::string_view> files;
    for (const std::string& name : order_) {
      const auto parts = divided_.find(name);
      if (parts == divided_.end()) {
        files.push_back(name);
      } else {
        files.insert(files.end(), parts->second.begin(), parts->second.end());
      }
    }
    std::map<std::string_view, std::size_t> numbers;
    for (const KerasPlace& place : places) {
      if (layers_.contains(place.layer)) return false;
      numbers.try_emplace(place.layer, numbers.size());
    }
    if (numbers.size() != files.size()) return false;
    std::vector<std::size_t> used(files.size());
    std::vector<std::string> names;
    for (const KerasPlace& place : places) {
      const std::size_t i = numbers.at(place.layer);
      const auto& paths = layers_.find(files[i])->second.paths;
      const auto fits = [&](auto path) { return is_keras_weight(path, place); };
      if (std::none_of(paths.begin(), paths.end(), fits)) return false;
      ++used[i];
      names.emplace_back(files[i]);
    }
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (used[i] != layers_.find(files[i])->second.paths.size()) return false;
    }
    for (std::size_t i = 0; i < places.size(); ++i) places[i].layer = names[i];
    return true;
  }

  void check_names(std::span<const KerasPlace> places) const {
    std::map<std::string_view, std::vector<const KerasPlace*>> expected;
    for (const KerasPlace& place : places) expected[place.layer].push_back(&place);
    std::vector<std::string> missing, unknown;
    for (const auto& [layer, weights] : expected) {
      if (!layers_.contains(layer)) missing.emplace_back(layer);
    }
    for (const auto& [layer, stored] : layers_) {
      if (!expected.contains(layer)) unknown.push_back(layer);
    }
    check<FileError>(missing.empty() && unknown.empty(), file_->where(),
                     " has weights for other layers than the model:",
                     missing.empty() ? "" : " it lacks " + quoted_list(missing),
                     missing.empty() || unknown.empty() ? "" : ", and",
                     unknown.empty() ? "" : " the model lacks " + quoted_list(unknown));
    for (const auto& [layer, stored] : layers_) {
      const auto& known = expected[layer];
      for (const std::string_view path : stored.paths) {
        check<FileError>(std::any_of(known.begin(), known.end(),
                                     [&](auto* weight) { return is_keras_weight(path, *weight); }),
                         stored.group.place(), " has the weight ", in_quotes(path),
                         ", which the model's layer does not have");
      }
    }
  }

  Hdf5Object find(const KerasPlace& place) const {
    const Stored& stored = layers_.find(place.layer)->second;
    const std::string_view* found = nullptr;
    std::size_t count = 0;
    for (const std::string_view& path : stored.paths) {
      if (!is_keras_weight(path, place)) continue;
      // Keras writes the weights of the forward layer first. If a backward layer was given, the
      // names do not say which is which: `bidirectional/lstm_2/lstm_cell/kernel`.
      if (++count == 1 || place.part == "backward_") found = &path;
    }
    check<FileError>(count < 2 || (count == 2 && !place.part.empty()), stored.group.place(),
                     " has two weights ", in_quotes(place.part + place.weight));
    check<FileError>(found != nullptr, stored.group.place(), " has no weight ",
                     in_quotes(place.part + place.weight), " among its weight_names");
    auto object = stored.group.open(*found);
    check<FileError>(object.has_value(), stored.group.place(), " has no dataset ",
                     in_quotes(*found), ", which is one of its weight_names");
    return *std::move(object);
  }

  const Hdf5File* file_;
  std::map<std::string, Stored, std::less<>> layers_;
  std::vector<std::string> order_;  ///< their names in the file's order, models not divided
  std::map<std::string, std::vector<std::string>, std::less<>> divided_;  ///< see `divide`
};

}  // namespace heed::detail
