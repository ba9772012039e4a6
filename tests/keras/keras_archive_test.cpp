#include "keras/files.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

namespace heed::keras_archive_test {

using namespace testing;

namespace {

template <class S>
Bytes archive(const Model<S>& model, const keras::CompileOptions& options = {}) {
  return keras::save_model(model, options, keras::Format::native);
}

/// The files of an archive, to be changed and put together again.
struct Parts {
  explicit Parts(const Bytes& bytes) {
    const detail::ZipFile zip(bytes, "whole");
    config = Json::parse(detail::hdf5_text(zip.file("config.json")));
    const auto content = zip.file("model.weights.h5");
    weights.assign(content.begin(), content.end());
  }
  Bytes bytes() const {
    const std::string text = config.dump();
    return detail::write_zip({{"metadata.json", std::as_bytes(std::span(metadata))},
                              {"config.json", std::as_bytes(std::span(text))},
                              {"model.weights.h5", weights}},
                             "parts");
  }
  std::string metadata = R"({"keras_version": "3.0.0"})";
  Json config;
  Bytes weights;
};

std::string refusal(const Bytes& bytes) {
  return message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.keras"); });
}

/// Two Denses of one shape, so that a wrong order would not be seen by it.
Model<float> two_denses() {
  Model<float> model("two");
  model.input("x", {2});
  model.add("first", Dense{.units = 2});
  model.add("second", Dense{.units = 2});
  model.build({.seed = 4});
  return model;
}

/// The weights of `two_denses`, to be changed.
detail::Hdf5Group two_groups(const Model<float>& model) {
  detail::Hdf5Group root;
  const char* groups[] = {"layers/dense/vars/", "layers/dense_1/vars/"};
  for (std::size_t i = 0; i < 4; ++i) {
    const Slot& slot = model.graph().layout().all_slots()[i];
    const auto numbers = model.weights().values().subspan(
        static_cast<std::size_t>(slot.offset), static_cast<std::size_t>(slot.shape.size()));
    detail::add_dataset(root, join(groups[i / 2], i % 2),
                        {dtype_of<float>(), slot.shape, std::as_bytes(numbers)});
  }
  return root;
}

std::string weights_refusal(const std::function<void(detail::Hdf5Group&)>& change) {
  const Model<float> model = two_denses();
  Parts parts(archive(model));
  auto root = two_groups(model);
  change(root);
  parts.weights = detail::Hdf5Writer::write(root);
  return refusal(parts.bytes());
}

}  // namespace

TEST_CASE("What Keras saved in its native format predicts what it predicted there") {
  for (const char* name :
       {"keras3_index2", "keras3_regression", "keras3_sequential", "keras3_branches"}) {
    CAPTURE(name);
    auto path = golden_path(name);
    const auto legacy = keras::load_model<float>(path);
    const auto native = keras::load_model<float>(path.replace_extension(".keras"));
    CHECK(native.weights() == legacy.weights());
    CHECK(native.summary() == legacy.summary());
  }
}

TEST_CASE("A model comes back from the native format") {
  const Model<float> model = small_model();
  const auto again = keras::load_model<float>(archive(model));
  CHECK(again.weights() == model.weights());
  CHECK(again.name() == model.name());
  const auto x = random_tensor<float>({4, 3, 2}, 1);
  CHECK(again.predict(x) == model.predict(x));
  const Model<double> precise = small_model<double>();
  CHECK(keras::load_model<double>(archive(precise)).weights() == precise.weights());
}

TEST_CASE("Blocks are layers in the native format too") {
  Model<float> model;
  model.input({4, 2});
  model.add("steps", StepAttention{});
  model.add("last", LuongAttention{.units = 3});
  model.build({.seed = 2});
  const auto again = keras::load_model<float>(archive(model));
  const auto x = random_tensor<float>({4, 4, 2}, 1);
  CHECK(distance(again.activations("attention_weight", x), model.activations("last/weights", x)) <=
        1e-6);
  CHECK(distance(again.predict(x), model.predict(x)) <= 1e-6);
}

TEST_CASE("A path that ends in .keras asks for the native format") {
  const TemporaryFolder folder;
  keras::save_model(small_model(), folder / "m.keras", {.loss = MeanSquaredError{}});
  keras::save_model(small_model(), folder / "m.h5");
  CHECK(detail::hdf5_text(read_file(folder / "m.keras")).starts_with("PK"));
  CHECK(detail::hdf5_text(read_file(folder / "m.h5")).starts_with("\x89HDF"));
  CHECK(keras::load_model<float>(folder / "m.keras").weights() == small_model().weights());
}

TEST_CASE("The native format says what Keras 3 wants to know") {
  const auto bytes = archive(small_model(), {.loss = BinaryCrossentropy{.from_logits = true},
                                             .optimizer = SGD{.learning_rate = 0.5},
                                             .metrics = {BinaryAccuracy{.threshold = 0.25}}});
  const Json config = Parts(bytes).config;
  CHECK(config["module"] == "keras.src.models.functional");
  CHECK(config["registered_name"] == "Functional");
  for (const Json& layer : config["config"]["layers"]) {
    CHECK(layer["module"] == "keras.layers");
    CHECK(layer.at("registered_name").is_null());
  }
  const Json& training = config["compile_config"];
  CHECK_FALSE(training.contains("optimizer_config"));
  CHECK(training["optimizer"]["module"] == "keras.optimizers");
  CHECK(training["optimizer"]["config"]["learning_rate"] == 0.5);
  CHECK(training["loss"]["module"] == "keras.losses");
  CHECK(training["metrics"][0]["module"] == "keras.metrics");
  CHECK_FALSE(Parts(archive(small_model())).config.contains("compile_config"));
  const detail::ZipFile zip(bytes, "zip");
  CHECK(Json::parse(detail::hdf5_text(zip.file("metadata.json")))["keras_version"] == "3.0.0");
}

TEST_CASE("Layers of one class are told apart by their number") {
  const Model<float> model = two_denses();
  const auto again = keras::load_model<float>(archive(model));
  CHECK(again.weights() == model.weights());
  detail::KerasArchiveGroups groups;
  CHECK(groups.next("Dense") == "layers/dense");
  CHECK(groups.next("TimeDistributed") == "layers/time_distributed");
  CHECK(groups.next("Dense") == "layers/dense_1");
  CHECK(groups.next("mine>Dense") == "layers/dense_2");
}

TEST_CASE("Weights that do not fit the model of their archive are errors") {
  using Group = detail::Hdf5Group;
  const std::string second = "m.keras: Dense \"second\" ";
  CHECK(weights_refusal([](Group&) {}) == "(nothing thrown)");
  CHECK(weights_refusal([](Group& root) { root.groups["layers"].groups.erase("dense_1"); }) ==
        second + "has no weights: the file has no group \"layers/dense_1/vars\"");
  CHECK(weights_refusal([](Group& root) {
          root.groups["layers"].groups["dense_1"].groups["vars"].datasets.erase("1");
        }) == second + "has 1 weights in \"layers/dense_1/vars\", expected 2");
  CHECK(weights_refusal([](Group& root) {
          auto& datasets = root.groups["layers"].groups["dense_1"].groups["vars"].datasets;
          datasets["2"] = datasets["1"];
        }) == second + "has more than 2 weights in \"layers/dense_1/vars\"");
  CHECK(weights_refusal([](Group& root) {
          root.groups["layers"].groups["dense_1"].groups["vars"].attributes = {{"name", {"first"}}};
        }) ==
        second + "should have its weights in \"layers/dense_1\", where another layer has them");
  CHECK(weights_refusal([](Group& root) {
          root.groups["layers"].groups["dense_1"].groups["vars"].datasets["0"].shape = {4};
        }) ==
        "m.keras: model.weights.h5: \"/layers/dense_1/vars/0\" has the shape (4), but the model's "
        "\"second/kernel\" has (2, 2)");
}

TEST_CASE("An archive that holds no model is an error") {
  CHECK(refusal(detail::write_zip({}, "empty")) == "m.keras is not an HDF5 file");
  CHECK(refusal(detail::write_zip({{"metadata.json", {}}}, "one")) ==
        "m.keras has no file \"config.json\"");
  Parts parts(archive(small_model()));
  parts.weights.resize(100);
  CHECK(refusal(parts.bytes()).find("m.keras: model.weights.h5 is cut off") == 0);
  parts = Parts(archive(small_model()));
  parts.metadata = R"({"keras_version": "2.15.0"})";
  CHECK(refusal(parts.bytes()) == "(nothing thrown)");
  parts.metadata = "[]";
  CHECK(refusal(parts.bytes()) == "(nothing thrown)");
  parts.config["config"]["layers"].back()["class_name"] = "ConvLSTM1D";
  CHECK(refusal(parts.bytes()).find("m.keras: ConvLSTM1D \"dense\": heed has no layer") == 0);
}

TEST_CASE("A native file that is cut off, or with any bit of its structure changed, is an error") {
  Model<float> model;
  model.input("x", {1});
  model.add("d", Dense{.units = 1});
  model.build();
  Bytes bytes = archive(model);
  REQUIRE(refusal(bytes) == "(nothing thrown)");
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes part(bytes.begin(), bytes.begin() + static_cast<Index>(size));
    accepted += refusal(part) == "(nothing thrown)" ? 1 : 0;
  }
  CHECK(accepted == 0);
  // A checksum sees whatever changes in the two files that are read.
  const detail::ZipFile zip(bytes, "m.keras");
  for (const char* name : {"config.json", "model.weights.h5"}) {
    const auto content = zip.file(name);
    const auto begin = static_cast<std::size_t>(content.data() - bytes.data());
    for (std::size_t i = begin; i < begin + content.size(); ++i) {
      const auto mask = static_cast<std::byte>(1 << (i % 8));
      bytes[i] ^= mask;
      accepted += refusal(bytes) == "(nothing thrown)" ? 1 : 0;
      bytes[i] ^= mask;
    }
  }
  CHECK(accepted == 0);
}

}  // namespace heed::keras_archive_test
