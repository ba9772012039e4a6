#include "keras/files.hpp"

namespace heed::keras_generations_test {

using namespace testing;

namespace {

Model<float> recurrent_model(ActivationFunction function) {
  Model<float> model;
  model.input("x", {3, 2});
  model.add("lstm", LSTM{.units = 2, .recurrent_activation = function});
  model.add("dense", Dense{.units = 1});
  model.build({.seed = 5});
  return model;
}

/// What `load_weights` says of a golden file whose layers have these names.
std::string weights_refusal(const std::string& file, ActivationFunction function) {
  Model<float> model = recurrent_model(function);
  const Bytes bytes = read_file(golden_path(file));
  const auto names = texts(bytes, "model_weights", "layer_names");
  keras::WeightOptions options;
  for (const std::string& name : names) {
    if (name.starts_with("lstm")) options.layers["lstm"] = name;
    if (name.starts_with("dense")) options.layers["dense"] = name;
  }
  return message<FileError>([&] { keras::load_weights(model, bytes, options, "m.h5"); });
}

Json native_config(const Bytes& bytes) {
  const detail::ZipFile zip(bytes, "zip");
  return Json::parse(detail::hdf5_text(zip.file("config.json")));
}

}  // namespace

TEST_CASE("The hard sigmoid of Keras 3 is another than that of Keras 2") {
  for (const char* file : {"keras3_hard_sigmoid", "keras2_hard_sigmoid"}) {
    CAPTURE(file);
    const Bytes bytes = read_file(golden_path(file));
    const auto model = keras::load_model<float>(golden_path(file));
    CHECK(distance(model.predict(dataset(bytes, "golden/x")), dataset(bytes, "golden/y")) <= 1e-6);
    const auto* lstm = model.graph()[1].layer.get<LSTM>();
    REQUIRE(lstm != nullptr);
    CHECK(lstm->recurrent_activation == (std::string(file).starts_with("keras3")
                                             ? ActivationFunction::hard_sigmoid
                                             : ActivationFunction::hard_sigmoid_keras_2));
  }
}

TEST_CASE("The hard sigmoid of Keras 2 is not written, as Keras 3 does not have it") {
  const auto model = recurrent_model(ActivationFunction::hard_sigmoid_keras_2);
  for (const auto format : {keras::Format::hdf5, keras::Format::native}) {
    CHECK(message<FileError>([&] { keras::save_model(model, {}, format); }) ==
          "LSTM \"lstm\": \"recurrent_activation\" is hard_sigmoid_keras_2, which Keras 3 does not "
          "have: what it calls hard_sigmoid is Activation::hard_sigmoid");
  }
  Model<float> inner;
  inner.input("x", {3, 2});
  inner.add("both", Bidirectional<LSTM>{.layer = *model.graph()[1].layer.get<LSTM>()});
  inner.build();
  CHECK(message<FileError>([&] {
          keras::save_model(inner, {}, keras::Format::hdf5);
        }).starts_with("Bidirectional \"both\": \"recurrent_activation\" is hard_sigmoid_keras_2"));
}

TEST_CASE("Functions that Keras has under two names are read under both") {
  const auto read = [](const char* name) {
    Model<float> model;
    model.input("x", {2});
    model.add("dense", Dense{.units = 1, .activation = Activation::tanh});
    model.build();
    Draft draft(model);
    draft.layer("dense")["config"]["activation"] = name;
    const auto loaded = keras::load_model<float>(draft.bytes());
    return std::string(name_of(loaded.graph()[1].layer.get<Dense>()->activation));
  };
  CHECK(read("swish") == "silu");
  CHECK(read("hard_swish") == "hard_silu");
  CHECK(read("log_softmax_v2") == "log_softmax");
  CHECK(read("gelu") == "gelu");
  CHECK(read("hard_sigmoid") == "hard_sigmoid");
}

TEST_CASE("Weights that Keras 2 trained are not taken for a function that it has otherwise") {
  const auto hard = ActivationFunction::hard_sigmoid;
  CHECK(weights_refusal("keras3_hard_sigmoid", hard) == "(nothing thrown)");
  CHECK(weights_refusal("keras2_hard_sigmoid", hard) ==
        "m.h5 does not say that Keras 3 wrote it: LSTM \"lstm\": \"recurrent_activation\" is "
        "\"hard_sigmoid\", and what Keras calls hard_sigmoid before version 3 is "
        "Activation::hard_sigmoid_keras_2");
  const auto old = ActivationFunction::hard_sigmoid_keras_2;
  CHECK(weights_refusal("keras2_hard_sigmoid", old) == "(nothing thrown)");
  CHECK(weights_refusal("keras3_hard_sigmoid", old) ==
        "m.h5 was written by Keras 3: LSTM \"lstm\": \"recurrent_activation\" is "
        "\"hard_sigmoid_keras_2\", and what Keras calls hard_sigmoid since version 3 is "
        "Activation::hard_sigmoid");
  CHECK(weights_refusal("keras2_hard_sigmoid", ActivationFunction::sigmoid) == "(nothing thrown)");
  Draft draft(recurrent_model(hard));
  draft.remove("keras_version");
  Model<float> model = recurrent_model(hard);
  CHECK(message<FileError>([&] {
          keras::load_weights(model, draft.bytes());
        }).find("does not say that Keras 3 wrote it") != std::string::npos);
}

TEST_CASE("Weights without names are held to what is known of the Keras that wrote them") {
  const auto model = recurrent_model(ActivationFunction::hard_sigmoid);
  const Bytes native = keras::save_model(model, {}, keras::Format::native);
  const detail::ZipFile zip(native, "zip");
  const auto inner = zip.file("model.weights.h5");
  const auto refused = [&](std::span<const std::byte> bytes, ActivationFunction function) {
    Model<float> other = recurrent_model(function);
    return message<FileError>([&] { keras::load_weights(other, bytes, {}, "m"); });
  };
  const auto with_version = [&](const std::string& version) {
    const std::string metadata = "{\"keras_version\": \"" + version + "\"}";
    return detail::write_zip({{"metadata.json", std::as_bytes(std::span(metadata))},
                              {"config.json", zip.file("config.json")},
                              {"model.weights.h5", inner}},
                             "changed");
  };
  const auto hard = ActivationFunction::hard_sigmoid;
  CHECK(refused(native, hard) == "(nothing thrown)");
  CHECK(refused(with_version("2.21.0"), hard)
            .find("does not say that Keras 3 wrote it: LSTM \"lstm\": \"recurrent_activation\"") !=
        std::string::npos);
  CHECK(refused(with_version("2.21.0"), ActivationFunction::sigmoid) == "(nothing thrown)");
  CHECK(refused(inner, hard).find("m does not say that Keras 3 wrote it: LSTM \"lstm\"") == 0);
  CHECK(refused(inner, ActivationFunction::sigmoid) == "(nothing thrown)");

  // Keras since 3.6 names its groups.
  detail::Hdf5Group root;
  root.groups["vars"].attributes = {{"name", {"model"}}};
  const char* paths[] = {"layers/lstm/cell/vars/0", "layers/lstm/cell/vars/1",
                         "layers/lstm/cell/vars/2", "layers/dense/vars/0", "layers/dense/vars/1"};
  for (std::size_t i = 0; i < 5; ++i) {
    const Slot& slot = model.graph().layout().all_slots()[i];
    const auto numbers = model.weights().values().subspan(
        static_cast<std::size_t>(slot.offset), static_cast<std::size_t>(slot.shape.size()));
    detail::add_dataset(root, paths[i], {dtype_of<float>(), slot.shape, std::as_bytes(numbers)});
  }
  CHECK(refused(detail::Hdf5Writer::write(root), hard) == "(nothing thrown)");
}

TEST_CASE("A file with a function that Keras 2 has otherwise is one that Keras 2 refuses") {
  for (const auto function : {ActivationFunction::hard_sigmoid, ActivationFunction::sigmoid}) {
    const auto model = recurrent_model(function);
    const bool differs = function == ActivationFunction::hard_sigmoid;
    const std::string key = differs ? "batch_shape" : "batch_input_shape";
    Draft draft(model);
    CHECK(draft.layer("x")["config"][key] == Json{nullptr, 3, 2});
    const Bytes native = keras::save_model(model, {}, keras::Format::native);
    CHECK(native_config(native)["config"]["layers"][0]["config"]["batch_shape"] ==
          Json{nullptr, 3, 2});  // Keras 3.0 knows no other there
    CHECK(keras::load_model<float>(draft.bytes()).weights() == model.weights());
    CHECK(keras::load_model<float>(native).weights() == model.weights());
  }
  Model<float> dense;
  dense.input("x", {2});
  dense.add(Activation{ActivationFunction::hard_sigmoid});
  dense.build();
  CHECK(Draft(dense).layer("x")["config"].contains("batch_shape"));
}

TEST_CASE("The native format has a group for the model's own weights, for which Keras 3.1 looks") {
  const Bytes bytes = keras::save_model(small_model(), {}, keras::Format::native);
  const detail::ZipFile zip(bytes, "zip");
  detail::Hdf5File file(zip.file("model.weights.h5"), "weights");
  CHECK(detail::Hdf5Object(file).open("vars").has_value());
}

TEST_CASE("Layers are called as Keras calls them, digits and capitals and all") {
  std::ifstream file(golden_path("").parent_path() / "names.txt");
  std::string type, expected;
  int count = 0;
  while (file >> type >> expected) {
    CAPTURE(type);
    CHECK(detail::snake_case(type) == expected);
    CHECK(detail::KerasArchiveGroups().next("mine>" + type) == "layers/" + expected);
    ++count;
  }
  CHECK(count > 300);
}

TEST_CASE("The version of Keras is what a file says, and old when it says nothing") {
  const auto at_least = [](std::string_view text, int major, int minor = 0) {
    return detail::KerasVersion(text).at_least(major, minor);
  };
  CHECK(at_least("3.0.0", 3));
  CHECK(at_least("10.1.0", 3, 15));
  CHECK(at_least("2.3.1", 2, 3));
  CHECK_FALSE(at_least("2.15.0", 3));
  CHECK_FALSE(at_least("2.2.4-tf", 2, 3));
  for (const char* text : {"", "x", "-", "."}) CHECK_FALSE(at_least(text, 3));
}

}  // namespace heed::keras_generations_test
