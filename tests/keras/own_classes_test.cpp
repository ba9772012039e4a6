#include "keras/files.hpp"

namespace heed::keras_own_classes_test {

using namespace testing;

namespace {

// The classes of generate_keras.py in C++: two have the names of Keras's own and compute something else.

/// A layer of weights or none that is only run forward.
struct ForwardOnly {
  static constexpr auto fields() { return std::tuple{}; }
  template <class S>
  using Cache = NoCache;
  template <class S>
  void backward(const Backward<S>&, Cache<S>&) const {}
};

/// By columns.
struct OwnFlatten : ForwardOnly {
  static constexpr std::string_view type = "mine>Flatten";
  static constexpr bool has_weights = false;
  Shape output_shape(const Shape& x) const { return {x.size()}; }
  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    for (Index n = 0; n < x.dim(0); ++n) {
      MatrixMap<S>(y.data() + n * y.dim(1), x.dim(2), x.dim(1)) = x.slice(n).transpose();
    }
  }
};

/// Over the steps. It has the field of the class that it is derived from in Python.
struct OwnSoftmax {
  Index axis = -1;
  static constexpr std::string_view type = "mine>Softmax";
  static constexpr bool has_weights = false;
  static constexpr auto fields() { return std::tuple{field("axis", &OwnSoftmax::axis)}; }
  template <class S>
  using Cache = NoCache;
  template <class S>
  void backward(const Backward<S>&, Cache<S>&) const {}
  Shape output_shape(const Shape& x) const { return x; }
  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    for (Index n = 0; n < x.dim(0); ++n) {
      const auto e = x.slice(n).array().exp().eval();
      MatrixMap<S>(y.data() + n * e.size(), x.dim(1), x.dim(2)) =
          e.rowwise() / e.colwise().sum().eval();
    }
  }
};

struct Scale2D : ForwardOnly {
  static constexpr std::string_view type = "Scale2D";
  Shape output_shape(const Shape& x) const { return x; }
  std::vector<Weight> weights(const Shape& x) const { return {{"g", {x.back()}}}; }
  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto& w = args.w;
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    y.matrix() = x.matrix().array().rowwise() * w[0].matrix().row(0).array();
  }
};

struct PackagedScale : Scale2D {
  static constexpr std::string_view type = "mine>Scale2D";
};

Registry<float> own_registry() {
  Registry<float> registry;
  registry.add<OwnFlatten, OwnSoftmax, Scale2D>();
  return registry;
}

std::filesystem::path native(const std::string& name) {
  return golden_path(name).replace_extension(".keras");
}

void check_predictions(const Model<float>& model, const std::string& name) {
  const Bytes bytes = read_file(golden_path(name));
  CHECK(distance(model.predict(dataset(bytes, "golden/x")), dataset(bytes, "golden/y")) <= 1e-6);
}

std::string refusal(const std::filesystem::path& path, const Registry<float>& registry = {}) {
  const auto said =
      message<FileError>([&] { keras::load_model<float>(path, {.registry = registry}); });
  return said.substr(std::min(said.size(), path.string().size()));
}

/// What is said of the small model's native file after a change of its Flatten.
std::string flatten_refusal(const Json& module, const Json& registered) {
  const Bytes bytes = keras::save_model(small_model(), {}, keras::Format::native);
  const detail::ZipFile zip(bytes, "zip");
  Json config = Json::parse(detail::hdf5_text(zip.file("config.json")));
  for (Json& layer : config["config"]["layers"]) {
    if (layer["name"] != "flat") continue;
    layer["module"] = module;
    layer["registered_name"] = registered;
  }
  const std::string text = config.dump();
  const auto metadata = zip.file("metadata.json"), weights = zip.file("model.weights.h5");
  const Bytes changed = detail::write_zip({{"metadata.json", metadata},
                                           {"config.json", std::as_bytes(std::span(text))},
                                           {"model.weights.h5", weights}},
                                          "changed");
  return message<FileError>([&] { keras::load_model<float>(changed, {}, "m.keras"); });
}

}  // namespace

TEST_CASE("A class of one's own that is called as Keras's is not read as Keras's") {
  Registry<float> scale;
  scale.add<Scale2D>();
  const std::string unknown =
      "heed has no layer of this class; register your own with {.registry = …}, or replace it with "
      "{.layers = …}";
  const std::string softmax =
      "it is not Keras's Softmax, but another class with that name; " + unknown;
  const std::string flatten =
      "it is not Keras's Flatten, but another class with that name; " + unknown;
  CHECK(refusal(native("keras3_own_plain"), scale) == ": Softmax \"softmax\": " + softmax);
  CHECK(refusal(native("keras3_own_registered"), scale) ==
        ": mine>Softmax \"softmax\": " + softmax);
  CHECK(refusal(golden_path("keras3_own_registered"), scale) ==
        ": mine>Softmax \"softmax\": " + softmax);
  // In HDF5 a class that is not registered has its name alone, and this one no field of Keras's.
  CHECK(refusal(golden_path("keras3_own_plain"), scale) == ": Flatten \"flatten\": " + flatten);
}

TEST_CASE("A class of one's own is read as the layer that the registry has for it") {
  for (const char* name : {"keras3_own_plain", "keras3_own_registered"}) {
    CAPTURE(name);
    check_predictions(keras::load_model<float>(native(name), {.registry = own_registry()}), name);
  }
  check_predictions(
      keras::load_model<float>(golden_path("keras3_own_registered"), {.registry = own_registry()}),
      "keras3_own_registered");
}

TEST_CASE("A class of another package is not that of one's own") {
  Registry<float> registry = own_registry();
  Draft draft(small_model());
  draft.layer("flat")["class_name"] = "theirs>Flatten";
  const Bytes bytes = draft.bytes();
  CHECK(message<FileError>([&] {
          keras::load_model<float>(bytes, {.registry = registry}, "m.h5");
        }).find("m.h5: theirs>Flatten \"flat\": it is not Keras's Flatten") == 0);
}

TEST_CASE("Keras's own classes come from any module that Keras has had") {
  for (const char* module :
       {"keras.layers", "keras", "keras.src.layers.reshaping.flatten", "keras_core.layers",
        "keras.layers.core.flatten", "tf_keras.src.layers.reshaping.flatten", "tf_keras.layers",
        "tensorflow.python.keras.layers.core", "tensorflow.keras.layers"}) {
    CAPTURE(module);
    CHECK(flatten_refusal(module, nullptr) == "(nothing thrown)");
    CHECK(flatten_refusal(module, "Flatten") == "(nothing thrown)");
    CHECK(flatten_refusal(module, "mine>Flatten").find("it is not Keras's Flatten") !=
          std::string::npos);
  }
  for (const Json& module : {Json(nullptr), Json("__main__"), Json("keras_extra.layers"),
                             Json("kerasy"), Json("my.keras.layers"), Json(7)}) {
    CAPTURE(module.dump());
    CHECK(flatten_refusal(module, "Flatten") ==
          "m.keras: Flatten \"flat\": it is not Keras's Flatten, but another class with that name; "
          "heed has no layer of this class; register your own with {.registry = …}, or replace it "
          "with {.layers = …}");
  }
}

TEST_CASE("A layer that says no fields has those of Keras's Layer, which are left out") {
  Model<float> model;
  model.input("x", {3, 2});
  model.add("scale", Scale2D{});
  model.build();
  Draft draft(model);
  Json& config = draft.layer("scale")["config"];
  config["autocast"] = true;
  config["trainable"] = true;
  config["dynamic"] = false;
  config["activity_regularizer"] = nullptr;
  config["input_shape"] = {3, 2};
  Registry<float> registry;
  registry.add<Scale2D>();
  const Bytes bytes = draft.bytes();
  CHECK(keras::load_model<float>(bytes, {.registry = registry}).weights() == model.weights());
  config["more"] = 1;
  const Bytes other = draft.bytes();
  CHECK(message<FileError>([&] {
          keras::load_model<float>(other, {.registry = registry}, "m.h5");
        }) == "m.h5: Custom>Scale2D \"scale\": Scale2D has no field \"more\"");
}

TEST_CASE("A layer of one's own is written as what it is registered as in Keras") {
  const auto check_written = []<class Scale>(Scale scale, const std::string& registered) {
    Model<float> model;
    model.input("x", {3, 2});
    model.add(scale);
    model.build();
    CHECK(model.graph()[1].name == "scale2d");
    const Bytes legacy = keras::save_model(model);
    const Json h5 = Json::parse(texts(legacy, "", "model_config")[0])["config"]["layers"][1];
    CHECK(h5["class_name"] == registered);
    const Bytes bytes = keras::save_model(model, {}, keras::Format::native);
    const detail::ZipFile zip(bytes, "zip");
    const Json layers = Json::parse(detail::hdf5_text(zip.file("config.json")))["config"]["layers"];
    CHECK(layers[0]["module"] == "keras.layers");
    CHECK(layers[0]["registered_name"].is_null());
    CHECK(layers[1]["class_name"] == "Scale2D");
    CHECK(layers[1]["module"].is_null());
    CHECK(layers[1]["registered_name"] == registered);
    Registry<float> registry;
    registry.add<Scale>();
    for (const Bytes& file : {legacy, bytes}) {
      const auto again = keras::load_model<float>(file, {.registry = registry});
      CHECK(again.weights() == model.weights());
      CHECK(again.graph()[1].layer.template get<Scale>() != nullptr);
    }
  };
  check_written(Scale2D{}, "Custom>Scale2D");
  check_written(PackagedScale{}, "mine>Scale2D");
}

}  // namespace heed::keras_own_classes_test
