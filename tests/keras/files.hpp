#pragma once

#include <heed/heed.hpp>
#include <heed/keras.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::testing {

using Bytes = std::vector<std::byte>;
using Json = nlohmann::json;

/// A file that Keras itself wrote; tests/golden/generate_keras.py says what stands in it.
inline std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(HEED_TEST_DATA) / "keras" / (name + ".h5");
}

template <class S = float>
Tensor<S> dataset(const Bytes& bytes, const std::string& path) {
  detail::Hdf5File file(bytes, "file");
  const auto object = detail::Hdf5Object(file).open(path);
  REQUIRE(object.has_value());
  const auto dataset = detail::hdf5_dataset(*object);
  Tensor<S> values(dataset.shape);
  REQUIRE(decode(dataset.dtype, dataset.bytes, values.values()));
  return values;
}

inline std::vector<std::string> texts(const Bytes& bytes, const std::string& path,
                                      const std::string& attribute) {
  detail::Hdf5File file(bytes, "file");
  const detail::Hdf5Object root(file);
  const auto object = path.empty() ? root : root.open(path);
  REQUIRE(object.has_value());
  const auto texts = object->texts(attribute);
  REQUIRE(texts.has_value());
  return {texts->begin(), texts->end()};
}

/// A file as heed writes it of a model, to be changed before it is read.
template <class S = float>
struct Draft {
  explicit Draft(const Model<S>& model, const keras::CompileOptions& options = {})
      : expanded(detail::without_blocks(model)),
        entries(expanded),
        root(detail::keras_file(model.name(), entries, options)) {
    config = Json::parse(text("model_config"));
  }
  Draft(const Draft&) = delete;

  std::string& text(const std::string& name) {
    const auto attribute = find(name);
    REQUIRE(attribute != root.attributes.end());
    return attribute->texts.at(0);
  }
  void remove(const std::string& name) {
    const auto attribute = find(name);
    REQUIRE(attribute != root.attributes.end());
    root.attributes.erase(attribute);
  }
  detail::Hdf5Group& weights() { return root.groups.at("model_weights"); }

  Json& layers() { return config["config"]["layers"]; }
  Json& layer(const std::string& name) {
    for (Json& layer : layers()) {
      if (layer["name"] == name) return layer;
    }
    FAIL("no layer " << name);
    return config;
  }

  Bytes bytes() {
    if (find("model_config") != root.attributes.end()) text("model_config") = config.dump();
    return detail::Hdf5Writer::write(root);
  }

  Model<S> expanded;
  detail::KerasEntries<S> entries;
  detail::Hdf5Group root;
  Json config;

 private:
  std::vector<detail::Hdf5Group::Attribute>::iterator find(const std::string& name) {
    return std::find_if(root.attributes.begin(), root.attributes.end(),
                        [&](const auto& attribute) { return attribute.name == name; });
  }
};

/// A model with a layer of most kinds, small.
template <class S = float>
Model<S> small_model() {
  Model<S> model("small");
  const Node x = model.input("x", {3, 2});
  const Node lstm = model.add("lstm", LSTM{.units = 2, .return_sequences = true}, x);
  const Node last = model.add("last", LastStep{}, lstm);
  const Node flat = model.add("flat", Flatten{}, lstm);
  const Node joined = model.add("joined", Concatenate{}, {flat, last});
  model.add("drop", Dropout{.rate = 0.5}, joined);
  model.add("dense", Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = 5});
  return model;
}

}  // namespace heed::testing
