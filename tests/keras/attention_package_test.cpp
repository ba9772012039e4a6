#include "keras/files.hpp"

namespace heed::keras_attention_package_test {

using namespace testing;

namespace {

Model<float> block_model(const std::string& lstm, const std::string& dense) {
  Model<float> model;
  model.input({5, 2});
  model.add(lstm, LSTM{.units = 4, .return_sequences = true});
  model.add("attention", LuongAttention{.units = 6});
  model.add(dense, Dense{.units = 1});
  return model;
}

template <class S>
void check_predictions(const Model<S>& model, const std::string& file) {
  const Bytes bytes = read_file(golden_path(file));
  CHECK(distance(model.predict(dataset<S>(bytes, "golden/x")), dataset<S>(bytes, "golden/y")) <=
        1e-6);
}

}  // namespace

TEST_CASE("The layer of the package attention is a LuongAttention") {
  const auto model = keras::load_model<float>(golden_path("attention_package"));
  check_predictions(model, "attention_package");
  const auto& node = model.graph()[model.graph().find("attention")];
  REQUIRE(node.layer.get<LuongAttention>() != nullptr);
  CHECK(node.layer.get<LuongAttention>()->units == 6);
  check_predictions(keras::load_model<double>(golden_path("attention_package")),
                    "attention_package");
}

TEST_CASE("The package's debug mode gives the layers of the reference, with another name") {
  const auto model = keras::load_model<float>(golden_path("attention_debug"));
  check_predictions(model, "attention_debug");
  CHECK(model.graph().find("luong_w") < model.graph().nodes().size());
}

TEST_CASE("The layers of a block are made the block again when that is asked for") {
  for (const char* name : {"attention_debug", "keras3_regression", "keras2_regression"}) {
    CAPTURE(name);
    const auto model = keras::load_model<float>(golden_path(name), {.blocks = true});
    check_predictions(model, name);
    REQUIRE(model.graph().nodes().size() == 4);
    CHECK(model.graph()[2].name == "attention_vector");
    CHECK(model.graph()[2].layer.get<LuongAttention>() != nullptr);
  }
  for (const char* name : {"keras3_index2", "keras2_index2"}) {
    CAPTURE(name);
    const auto model = keras::load_model<float>(golden_path(name), {.blocks = true});
    check_predictions(model, name);
    CHECK(model.graph()[2].name == "attention_mul");
    CHECK(model.graph()[2].layer.get<StepAttention>() != nullptr);
    const Bytes bytes = read_file(golden_path(name));
    CHECK(distance(model.activations("attention_mul/weights", dataset(bytes, "golden/x")),
                   dataset(bytes, "golden/attention")) <= 1e-6);
  }
  auto path = golden_path("keras3_regression");
  const auto native = keras::load_model<float>(path.replace_extension(".keras"), {.blocks = true});
  check_predictions(native, "keras3_regression");
  CHECK(native.graph().nodes().size() == 4);
}

TEST_CASE("Layers of a block that somebody else reads stay what they are") {
  Model<float> model;
  const Node x = model.input("x", {3, 2});
  const Node luong = model.add("luong", LuongAttention{.units = 2}, x);
  const Node step = model.add("step", StepAttention{.use_bias = false}, x);
  model.add("joined", Concatenate{}, {luong, model.add("flat", Flatten{}, step)});
  model.build({.seed = 2});
  const Bytes bytes = keras::save_model(model);
  const auto again = keras::load_model<float>(bytes, {.blocks = true});
  CHECK(again.graph().nodes().size() == model.graph().nodes().size());
  const auto samples = random_tensor<float>({4, 3, 2}, 1);
  CHECK(distance(again.predict(samples), model.predict(samples)) <= 1e-6);

  Draft read(model);
  read.config["config"]["output_layers"] = {{"attention_weight", 0, 0}};
  const auto open = keras::load_model<float>(read.bytes(), {.blocks = true});
  CHECK(open.graph().find("attention_weight") < open.graph().nodes().size());
  CHECK(open.graph()[open.graph().find("attention_mul")].layer.get<StepAttention>() != nullptr);
}

TEST_CASE("A LuongAttention takes its weights from the package's layer, in both modes") {
  for (const char* name : {"attention_package", "attention_debug"}) {
    CAPTURE(name);
    Model<float> model = block_model("lstm", "dense");
    keras::load_weights(model, golden_path(name));
    check_predictions(model, name);
  }
  Model<float> other = block_model("lstm", "dense");
  keras::load_weights(other, golden_path("attention_package"),
                      {.layers = {{"attention", "attention"}}});
  check_predictions(other, "attention_package");
}

TEST_CASE("A layer of the package that heed does not have is an error that names it") {
  Draft draft(small_model());
  Json& layer = draft.layer("flat");
  layer["class_name"] = "Attention";
  const auto refused = [&](const Json& config) {
    layer["config"] = config;
    layer["config"]["name"] = "flat";
    const Bytes bytes = draft.bytes();
    return message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.h5"); });
  };
  CHECK(refused({{"units", 2}, {"score", "bahdanau"}}) ==
        "m.h5: Attention \"flat\": its score is not Luong's, the only one that heed supports");
  CHECK(refused({{"use_scale", false}}).find("heed has no layer of this class") !=
        std::string::npos);
  CHECK(refused({{"units", 2}}).find("has weights for other layers") != std::string::npos);
}

}  // namespace heed::keras_attention_package_test
