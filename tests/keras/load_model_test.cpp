#include "keras/files.hpp"

namespace heed::keras_load_model_test {

using namespace testing;

namespace {

/// Predictions and attention weights are those of Keras, within a tolerance relative to the largest.
template <class S>
void check_golden(const std::string& name, double tolerance) {
  CAPTURE(name);
  const Bytes bytes = read_file(golden_path(name));
  const auto model = keras::load_model<S>(golden_path(name));
  const auto x = dataset<S>(bytes, "golden/x");
  const auto y = dataset<S>(bytes, "golden/y");
  CHECK(distance(model.predict(x), y) <=
        tolerance * std::max(1.0, static_cast<double>(y.array().abs().maxCoeff())));
  detail::Hdf5File file(bytes, "file");
  const auto golden = detail::Hdf5Object(file).open("golden").value();
  if (const auto attention = golden.texts("attention")) {
    CHECK(distance(model.activations(attention->at(0), x), dataset<S>(bytes, "golden/attention")) <=
          tolerance);
  }
}

std::string summary(const Model<float>& model) {
  std::string text;
  for (const auto& node : model.graph().nodes()) {
    text += join(text.empty() ? "" : " ", node.name, ":", node.layer.type());
  }
  return text;
}

/// What is said of the small model's file after a change of its configuration.
template <class Change>
std::string refusal(const Change& change, const keras::LoadOptions<float>& options = {}) {
  Draft draft(small_model());
  change(draft);
  const Bytes bytes = draft.bytes();
  return message<FileError>([&] { keras::load_model<float>(bytes, options, "m.h5"); });
}

/// The same after a change of one field of one layer.
std::string field_refusal(const std::string& layer, const std::string& field, const Json& value) {
  return refusal([&](Draft<>& draft) { draft.layer(layer)["config"][field] = value; });
}

std::string member_refusal(const std::string& layer, const std::string& member, const Json& value) {
  return refusal([&](Draft<>& draft) { draft.layer(layer)[member] = value; });
}

/// A call as Keras 3 writes it.
Json tensor(const std::string& layer, int node = 0, int output = 0) {
  return {{"class_name", "__keras_tensor__"},
          {"config", {{"keras_history", {layer, node, output}}}}};
}

/// A model of layers in a row without weights, as a bare list.
std::string row_refusal(const std::vector<Index>& shape, const Json& layers,
                        const keras::LoadOptions<float>& options = {}) {
  Model<float> model("row");
  model.input("x", Shape(std::span<const Index>(shape)));
  model.add(Flatten{});
  model.build();
  Draft draft(model);
  draft.config["class_name"] = "Sequential";
  Json input = draft.layers()[0];
  draft.layers() = Json::array({input});
  for (const Json& layer : layers) draft.layers().push_back(layer);
  const Bytes bytes = draft.bytes();
  return message<FileError>([&] { keras::load_model<float>(bytes, options, "m.h5"); });
}

Json in_row(const std::string& class_name, Json config) {
  config["name"] = "here";
  return Json::array({{{"class_name", class_name}, {"config", config}}});
}

}  // namespace

TEST_CASE("What Keras 3 and Keras 2 saved predicts what it predicted there") {
  for (const char* name :
       {"keras3_index2", "keras3_regression", "keras3_sequential", "keras3_branches",
        "keras2_index2", "keras2_regression", "keras2_sequential", "keras2_branches"}) {
    check_golden<float>(name, 1e-6);
    check_golden<double>(name, 1e-6);
  }
  check_golden<double>("keras3_double", 1e-13);
  check_golden<float>("keras3_double", 1e-6);
  check_golden<float>("keras3_half", 2e-3);  // Keras computes in float16
  check_golden<float>("keras3_bfloat16", 2e-2);
}

TEST_CASE("Names that are not ASCII, many or few, are names like others") {
  check_golden<float>("keras3_names", 1e-6);
  check_golden<double>("keras3_names", 1e-6);
  const auto legacy = keras::load_model<float>(golden_path("keras3_names"));
  CHECK(legacy.graph().find("层 11 größe") == 12);
  const auto native = golden_path("keras3_names").replace_extension(".keras");
  CHECK(keras::load_model<float>(native).weights() == legacy.weights());
}

TEST_CASE("A file in the forms that other programs choose is the same file") {
  // Tracked order, a block in front, the highest byte first, texts made up with spaces.
  const auto plain = keras::load_model<float>(golden_path("keras3_sequential"));
  const auto other = keras::load_model<float>(golden_path("keras3_forms"));
  CHECK(other.weights() == plain.weights());
  CHECK(other.summary() == plain.summary());
}

TEST_CASE("The network of a file has the file's layers and names") {
  CHECK(summary(keras::load_model<float>(golden_path("keras3_regression"))) ==
        "input_layer_1:InputLayer lstm_1:LSTM last_hidden_state:LastStep attention_score_vec:Dense "
        "attention_score:Dot attention_weight:Activation context_vector:Dot "
        "attention_output:Concatenate attention_vector:Dense dense_2:Dense");
  CHECK(summary(keras::load_model<float>(golden_path("keras2_sequential"))) ==
        "lstm_2_input:InputLayer lstm_2:LSTM dropout:Dropout lstm_3:LSTM dense_3:Dense");
  const auto model = keras::load_model<float>(golden_path("keras3_sequential"));
  CHECK(model.name() == "sequential");
  CHECK(model.graph()[1].layer.config() ==
        get_config(LSTM{.units = 2, .return_sequences = true, .go_backwards = true}));
  CHECK(model.graph()[2].layer.config() == get_config(Dropout{.rate = 0.25}));
  CHECK(model.graph()[3].layer.config() ==
        get_config(LSTM{.units = 3,
                        .activation = Activation::relu,
                        .recurrent_activation = Activation::softsign,
                        .use_bias = false,
                        .kernel_initializer = Initializer::he_normal}));
}

TEST_CASE("A Keras model is loaded from memory") {
  const Bytes bytes = read_file(golden_path("keras3_index2"));
  const auto one = keras::load_model<float>(golden_path("keras3_index2"));
  const auto other = keras::load_model<float>(std::span<const std::byte>(bytes));
  CHECK(one.weights() == other.weights());
  CHECK(one.summary() == other.summary());
}

TEST_CASE("A Lambda is what the options say") {
  Draft draft(small_model());
  Json& layers = draft.layers();
  layers.erase(std::find_if(layers.begin(), layers.end(),
                            [](const Json& layer) { return layer["name"] == "last_crop"; }));
  Json& last = draft.layer("last");
  last["class_name"] = "Lambda";
  last["config"] = {{"name", "last"}, {"function", {"4wEAAA", nullptr, nullptr}}};
  last["inbound_nodes"] = {{{"lstm", 0, 0, Json::object()}}};
  const Bytes bytes = draft.bytes();
  CHECK(message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.h5"); }) ==
        "m.h5: Lambda \"last\": it contains Python code; name a layer that does the same: "
        "load_model(…, {.layers = {{\"last\", AnyLayer<float>(LastStep{})}}})");
  const auto model =
      keras::load_model<float>(bytes, {.layers = {{"last", AnyLayer<float>(LastStep{})}}}, "m.h5");
  const auto x = random_tensor<float>({4, 3, 2}, 1);
  CHECK(model.predict(x) == small_model().predict(x));
}

TEST_CASE("An axis that a file leaves open is given in the options") {
  Draft draft(small_model());
  draft.layer("x")["config"]["batch_input_shape"] = {nullptr, nullptr, 2};
  const Bytes bytes = draft.bytes();
  const auto load = [&](const Shape& shape) {
    return keras::load_model<float>(bytes, {.input_shape = shape}, "m.h5");
  };
  const auto refused = [&](const Shape& shape) { return message<FileError>([&] { load(shape); }); };
  CHECK(load({3, 2}).input_shape() == Shape{3, 2});
  CHECK(refused({}) ==
        "m.h5: Reshape \"last\": expected a target shape with a -1 for an input of any length, got "
        "(2)");
  CHECK(refused({3}) == "m.h5: InputLayer \"x\" has 2 axes, but the given input_shape is (3)");
  CHECK(
      refused({3, 4}) ==
      "m.h5: InputLayer \"x\" has the length 2 along axis 1, but the given input_shape is (3, 4)");
}

TEST_CASE("Fields that change nothing are left out, and others are errors that name them") {
  for (const auto& [field, value] : std::vector<std::pair<std::string, Json>>{
           {"trainable", false},
           {"unroll", true},
           {"implementation", 2},
           {"seed", 7},
           {"kernel_regularizer", {{"class_name", "L2"}}},
           {"bias_constraint", "non_neg"},
           {"bias_initializer", "ones"},
           {"dtype", {{"class_name", "DTypePolicy"}}},
           {"dropout", 0.25},
           {"recurrent_dropout", 0.1},
           {"stateful", true},
           {"return_state", true},
           {"time_major", false},
           {"activation", nullptr},
           {"kernel_initializer",
            {{"class_name", "VarianceScaling"}, {"config", {{"scale", 2}}}}}}) {
    CAPTURE(field);
    CHECK(field_refusal("lstm", field, value) == "(nothing thrown)");
  }
  CHECK(field_refusal("lstm", "time_major", true) ==
        "m.h5: LSTM \"lstm\": \"time_major\" is true, which heed's layer does not support");
  CHECK(field_refusal("lstm", "stateful", {1, 2}) ==
        "m.h5: LSTM \"lstm\": \"stateful\" has a value of the wrong type");
  CHECK(field_refusal("flat", "data_format", "channels_first") ==
        "m.h5: Flatten \"flat\": \"data_format\" is \"channels_first\", which heed's layer does "
        "not support");
  CHECK(field_refusal("drop", "noise_shape", {nullptr, 1}) == "(nothing thrown)");
  CHECK(field_refusal("dense", "activation", "sparsemax") ==
        "m.h5: Dense \"dense\": \"activation\" cannot be \"sparsemax\"");
  CHECK(field_refusal("dense", "activation", {{"class_name", "Mine"}}).find("activation") !=
        std::string::npos);
  CHECK(field_refusal("dense", "units", "one") ==
        "m.h5: Dense \"dense\": \"units\" has a value of the wrong type");
  CHECK(field_refusal("dense", "units", -1) ==
        "m.h5: Dense \"dense\": expected units of at least 1, got -1");
  CHECK(refusal([](Draft<>& draft) { draft.layer("dense")["config"].erase("units"); }) ==
        "m.h5: Dense \"dense\": Dense needs \"units\"");
}

TEST_CASE("The hard sigmoid of Keras 2 is not taken for that of Keras 3") {
  const auto function = [](const std::string& version) {
    Draft draft(small_model());
    draft.layer("lstm")["config"]["recurrent_activation"] = "hard_sigmoid";
    if (version.empty()) {
      draft.remove("keras_version");
    } else {
      draft.text("keras_version") = version;
    }
    const auto model = keras::load_model<float>(draft.bytes());
    const auto& graph = model.graph();
    return graph[graph.find("lstm")].layer.get<LSTM>()->recurrent_activation;
  };
  CHECK(function("3.15.1") == ActivationFunction::hard_sigmoid);
  for (const char* version : {"2.2.4-tf", "1.2.2", ""}) {
    CHECK(function(version) == ActivationFunction::hard_sigmoid_keras_2);
  }
}

TEST_CASE("Fields that Keras called otherwise are read under their old names") {
  const auto read = [](const std::string& type, const Json& config, const std::string& version) {
    Model<float> model;
    model.input("x", {4});
    model.add("here", Activation{.activation = Activation::tanh});
    model.build();
    Draft draft(model);
    draft.text("keras_version") = version;
    Json& layer = draft.layer("here");
    layer["class_name"] = type;
    layer["config"] = config;
    layer["config"]["name"] = "here";
    layer["config"]["trainable"] = true;
    const auto loaded = keras::load_model<float>(draft.bytes());
    const auto& made = loaded.graph()[1].layer;
    return std::pair(std::string(made.type()), made.config());
  };
  const auto leaky = std::pair(std::string("LeakyReLU"), Config{{"negative_slope", 0.1}});
  CHECK(read("LeakyReLU", {{"alpha", 0.1}}, "2.12.0") == leaky);
  CHECK(read("LeakyReLU", {{"negative_slope", 0.1}}, "3.15.1") == leaky);
  CHECK(read("ThresholdedReLU", {{"theta", 0.5}}, "2.12.0") ==
        std::pair(std::string("ReLU"), get_config(ReLU{.threshold = 0.5})));
  CHECK(read("GaussianNoise", {{"sigma", 0.5}}, "1.2.2").second == Config{{"stddev", 0.5}});
  CHECK(read("GaussianDropout", {{"p", 0.5}}, "1.2.2").second == Config{{"rate", 0.5}});
  CHECK(read("ReLU", {{"max_value", nullptr}, {"negative_slope", 0.0}, {"threshold", 0.0}},
             "2.12.0") == std::pair(std::string("ReLU"), get_config(ReLU{})));
  CHECK(read("LayerNormalization",
             {{"axis", {1}}, {"rms_scaling", false}, {"scale", false}, {"center", false}}, "3.15.1")
            .second ==
        get_config(LayerNormalization{.axis = {1}, .center = false, .scale = false}));
  CHECK(read("LayerNormalization", {{"axis", -1}, {"scale", false}, {"center", false}}, "2.12.0")
            .second == get_config(LayerNormalization{.center = false, .scale = false}));
  CHECK(read("Dropout", {{"rate", 0.5}, {"noise_shape", {nullptr, 1}}}, "3.15.1").first ==
        "Dropout");
}

TEST_CASE("A Softmax along the last axis is an Activation, and along another a Softmax") {
  const auto read = [](const Json& axis) {
    Model<float> model;
    model.input("x", {4, 3});
    model.add("here", Activation{.activation = Activation::tanh});
    model.build();
    Draft draft(model);
    draft.layer("here")["class_name"] = "Softmax";
    draft.layer("here")["config"] = {{"name", "here"}, {"axis", axis}};
    const auto loaded = keras::load_model<float>(draft.bytes());
    return std::string(loaded.graph()[1].layer.type());
  };
  CHECK(read(-1) == "Activation");
  CHECK(read(2) == "Activation");
  CHECK(read(1) == "Softmax");
  CHECK(row_refusal({4, 3}, in_row("Softmax", {{"axis", {1, 2}}})) ==
        "m.h5: Softmax \"here\": \"axis\" has a value of the wrong type");
  CHECK(row_refusal({4, 3}, in_row("Softmax", {{"axis", 3}})) ==
        "m.h5: Softmax \"here\": expected an axis of 3 axes without that of the samples, got 3");
  CHECK(row_refusal({4}, in_row("Softmax", {{"axis", -1}, {"robust_masking", true}})) ==
        "m.h5: Softmax \"here\": \"robust_masking\" is true, which heed's layer does not support");
  CHECK(row_refusal({4}, in_row("LayerNormalization", {{"axis", -1}, {"rms_scaling", true}})) ==
        "m.h5: LayerNormalization \"here\": \"rms_scaling\" is true, which heed's layer does not "
        "support");
  CHECK(row_refusal({4}, in_row("Rescaling", {{"scale", {1, 2}}, {"offset", 0}}))
            .find("\"scale\" has a value of the wrong type") != std::string::npos);
}

TEST_CASE("A TimeDistributed is read with the layer in it") {
  const auto around = [](const Json& inner) {
    return [=](Draft<>& draft) {
      Json& layer = draft.layer("dense");
      layer["class_name"] = "TimeDistributed";
      layer["config"] = {{"name", "dense"}, {"trainable", true}, {"layer", inner}};
    };
  };
  const Json dense{{"name", "own"}, {"units", 1}, {"activation", "sigmoid"}};
  // Of a sequence: the small model's ends in samples of one axis.
  Model<float> each("each");
  each.input("x", {3, 2});
  each.add("dense", Dense{.units = 1, .activation = Activation::sigmoid});
  each.build({.seed = 2});
  Draft draft(each);
  around({{"class_name", "Dense"}, {"config", dense}})(draft);
  const auto model = keras::load_model<float>(draft.bytes());
  CHECK(model.graph()[1].layer.type() == "TimeDistributed");
  const auto x = random_tensor<float>({4, 3, 2}, 1);
  CHECK(model.predict(x) == each.predict(x));
  const auto refusal = [&](const auto& change) {
    Draft changed(each);
    change(changed);
    const Bytes bytes = changed.bytes();
    return message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.h5"); });
  };
  const std::string place = "m.h5: TimeDistributed \"dense\": ";
  CHECK(refusal(around({{"class_name", "Add"}, {"config", {{"name", "own"}}}})) ==
        place + "heed has no TimeDistributed<Add>");
  CHECK(keras_load_model_test::refusal(around({{"class_name", "Dense"}, {"config", dense}})) ==
        place + "expected an input of (steps, …), got (8)");
  CHECK(refusal(around({{"class_name", "Dense"}})) ==
        place + "in it: layer 1 (Dense) has no object \"config\"");
  CHECK(refusal(around(7)) == place + "in it: layer 1 is not an object");
  CHECK(refusal([&](Draft<>& changed) {
          around({})(changed);
          changed.layer("dense")["config"].erase("layer");
        }) == place + "it has no \"layer\"");
  CHECK(refusal([&](Draft<>& changed) {
          around({{"class_name", "Dense"}, {"config", dense}})(changed);
          changed.layer("dense")["config"]["stateful"] = true;
        }) == place + "\"stateful\" is true, which heed's layer does not support");
}

TEST_CASE("An input that is sparse or ragged is refused") {
  CHECK(field_refusal("x", "ragged", true) ==
        "m.h5: InputLayer \"x\": \"ragged\" is true, which heed's layer does not support");
  CHECK(field_refusal("x", "sparse", true) ==
        "m.h5: InputLayer \"x\": \"sparse\" is true, which heed's layer does not support");
  CHECK(field_refusal("x", "optional", false) == "(nothing thrown)");
}

TEST_CASE(
    "A Cropping1D with a Flatten or a Reshape is the last step, and any other is what it is") {
  const auto row = [](const Json& cropping, const std::string& next, Json config) {
    config["name"] = "next";
    return Json::array(
        {{{"class_name", "Cropping1D"}, {"config", {{"name", "crop"}, {"cropping", cropping}}}},
         {{"class_name", next}, {"config", config}}});
  };
  /// The layers that are made of a sequential model of these.
  const auto layers = [](const Shape& shape, const Json& list) {
    Model<float> model("row");
    model.input("x", shape);
    model.add(Flatten{});
    model.build();
    Draft draft(model);
    draft.config["class_name"] = "Sequential";
    draft.layers().erase(1);
    for (const Json& layer : list) draft.layers().push_back(layer);
    return summary(keras::load_model<float>(draft.bytes()));
  };
  const std::string last = "x:InputLayer next:LastStep", input = "x:InputLayer crop:Cropping1D";
  CHECK(layers({4, 3}, row({3, 0}, "Flatten", {})) == last);
  CHECK(layers({4, 3}, row({3, 0}, "Reshape", {{"target_shape", {3}}})) == last);
  CHECK(layers({1, 3}, row({0, 0}, "Reshape", {{"target_shape", {-1}}})) == last);
  CHECK(layers({4, 3}, row({2, 0}, "Flatten", {})) == input + " next:Flatten");
  CHECK(layers({4, 3}, row({2, 1}, "Flatten", {})) == input + " next:Flatten");
  CHECK(layers({4, 3}, row({3, 0}, "Reshape", {{"target_shape", {3, 1}}})) ==
        input + " next:Reshape");
  Json alone = row({3, 0}, "Flatten", {});
  alone.erase(1);
  CHECK(layers({4, 3}, alone) == input);
  CHECK(layers({4, 3}, row(1, "Flatten", {})) == input + " next:Flatten");
  CHECK(row_refusal({4}, row({3, 0}, "Flatten", {})) ==
        "m.h5: Cropping1D \"crop\": expected an input of (steps, features), got (4)");
  CHECK(row_refusal({4, 3}, row({3, 1}, "Flatten", {})) ==
        "m.h5: Cropping1D \"crop\": expected more than the 4 steps that are cropped, got (4, 3)");
  CHECK(row_refusal({4, 3}, row({3, -1}, "Flatten", {})) ==
        "m.h5: Cropping1D \"crop\": expected cropping of two numbers of steps, got (3, -1)");
  CHECK(row_refusal({4, 3}, row({3, 0, 0}, "Flatten", {})) ==
        "m.h5: Cropping1D \"crop\": expected cropping of two numbers of steps, got (3, 0, 0)");
  CHECK(row_refusal({4, 3}, row("all", "Flatten", {})) ==
        "m.h5: Cropping1D \"crop\": \"cropping\" has a value of the wrong type");
}

TEST_CASE("A Cropping2D is a Slice, and one of other than two pairs an error") {
  const auto said = [](const Json& config, const Shape& x = {5, 4, 2}) {
    return row_refusal({x.begin(), x.end()}, in_row("Cropping2D", config));
  };
  CHECK(said({{"cropping", {{1, 2}, {0, 3}}}}) == "(nothing thrown)");
  CHECK(said({{"cropping", {{1, 2}, {0, 4}}}}) ==
        "m.h5: Cropping2D \"here\": expected a part of axis 2, got 0 to 0 of (5, 4, 2)");
  CHECK(said({{"cropping", {{1, 2}, {0, 3}}}}, {5, 4}) ==
        "m.h5: Cropping2D \"here\": expected an input of 3 axes, got (5, 4)");
  CHECK(said({{"cropping", {{1, 2}, {0, -3}}}}) ==
        "m.h5: Cropping2D \"here\": \"cropping\" has a negative number");
  CHECK(said({{"cropping", {1, 2}}}) ==
        "m.h5: Cropping2D \"here\": \"cropping\" does not contain pairs");
  CHECK(said(Json::object()) == "m.h5: Cropping2D \"here\": it has no \"cropping\"");
}

TEST_CASE("What Keras writes for its only axis, as a list of one number, is that number") {
  const Conv1D conv{.filters = 3, .kernel_size = 2, .strides = 2};
  Model<float> model("row");
  model.input("x", {any, 2});
  model.add("conv", conv);
  model.add("pool", MaxPooling1D{.pool_size = 2});
  model.add("padded", ZeroPadding1D{.padding = {2, 2}});
  model.build({.seed = 3});
  const auto load = [&](const auto& change) {
    Draft draft(model);
    change(draft.layer("conv")["config"], draft.layer("pool")["config"],
           draft.layer("padded")["config"]);
    return keras::load_model<float>(draft.bytes(), {}, "m.h5");
  };
  const auto same = load([](Json& c, Json& pool, Json& padded) {
    for (const char* name : {"kernel_size", "strides", "dilation_rate"}) {
      c[name] = Json::array({c[name]});
    }
    c["data_format"] = "channels_last";
    c["activity_regularizer"] = nullptr;
    CHECK(pool["strides"].is_null());  // as in Keras, the size of the pool
    pool["pool_size"] = {2};
    pool["strides"] = {2};
    pool["data_format"] = "channels_last";
    padded["padding"] = 2;
  });
  CHECK(*same.graph()[1].layer.get<Conv1D>() == conv);
  CHECK(*same.graph()[2].layer.get<MaxPooling1D>() == MaxPooling1D{.pool_size = 2, .strides = 2});
  CHECK(*same.graph()[3].layer.get<ZeroPadding1D>() == ZeroPadding1D{.padding = {2, 2}});
  const auto old = load([](Json& c, Json& pool, Json&) {
    for (const char* name : {"groups", "dilation_rate"}) c.erase(name);  // before Keras 2.3
    pool.erase("strides");
  });
  CHECK(*old.graph()[1].layer.get<Conv1D>() == conv);
  const auto x = random_tensor<float>({2, 9, 2}, 1);
  CHECK(same.predict(x) == model.predict(x));
  CHECK(old.predict(x) == model.predict(x));

  const auto said = [&](const char* field, const Json& value) {
    return message<FileError>([&] { load([&](Json& c, Json&, Json&) { c[field] = value; }); });
  };
  CHECK(said("data_format", "channels_first") ==
        "m.h5: Conv1D \"conv\": \"data_format\" is \"channels_first\", which heed's layer does not "
        "support");
  CHECK(said("kernel_size", {2, 2}) ==
        "m.h5: Conv1D \"conv\": \"kernel_size\" has a value of the wrong type");
  CHECK(said("kernel_size", Json::array()) ==
        "m.h5: Conv1D \"conv\": \"kernel_size\" has a value of the wrong type");
  CHECK(said("kernel_size", {1.5}) ==
        "m.h5: Conv1D \"conv\": \"kernel_size\" has a value of the wrong type");
  CHECK(said("strides", {0}) == "m.h5: Conv1D \"conv\": expected strides of at least 1, got 0");
  CHECK(said("padding", "full") == "m.h5: Conv1D \"conv\": \"padding\" cannot be \"full\"");
  CHECK(said("lora_rank", 4) ==
        "m.h5: Conv1D \"conv\": \"lora_rank\" is 4, which heed's layer does not support");
  CHECK(said("kernel_size", {3}) ==
        "m.h5: \"/model_weights/conv/conv/kernel\" has the shape (2, 2, 3), but the model's "
        "\"conv/kernel\" has (3, 2, 3)");
}

namespace {

/// `y = g x`
struct Gain {
  Required<double> rate;
  bool twice = false;

  static constexpr std::string_view type = "Gain";
  static constexpr auto fields() {
    return std::tuple{field("rate", &Gain::rate), field("twice", &Gain::twice)};
  }
  template <class S>
  using Cache = NoCache;
  Shape output_shape(const Shape& x) const { return x; }
  std::vector<Weight> weights(const Shape&) const { return {{"gain", {1}, Initializer::ones}}; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto& w = args.w;
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    y.array() = w[0].data()[0] * x.array();
  }
  template <class S>
  void backward(const Backward<S>&, Cache<S>&) const {}
};

}  // namespace

TEST_CASE("A layer of one's own is loaded through the registry") {
  Model<float> model;
  model.input({3});
  model.add("gain", Gain{.rate = 0.5, .twice = true});
  model.build();
  model.weight("gain/gain").data()[0] = 3;
  Draft draft(model);
  draft.layer("gain")["class_name"] = "mine>Gain";
  const Bytes bytes = draft.bytes();
  CHECK(message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.h5"); }) ==
        "m.h5: mine>Gain \"gain\": heed has no layer of this class; register your own with "
        "{.registry = …}, or replace it with {.layers = …}");
  Registry<float> registry;
  registry.add<Gain>();
  const auto loaded = keras::load_model<float>(bytes, {.registry = registry});
  CHECK(loaded.graph()[1].layer.config() == get_config(Gain{.rate = 0.5, .twice = true}));
  CHECK(loaded.weight("gain/gain").data()[0] == 3);
}

TEST_CASE("What heed cannot build is an error that names the layer") {
  const std::string unknown =
      "heed has no layer of this class; register your own with {.registry = …}, or replace it with "
      "{.layers = …}";
  CHECK(member_refusal("dense", "class_name", "ConvLSTM1D") ==
        "m.h5: ConvLSTM1D \"dense\": " + unknown);
  CHECK(member_refusal("dense", "class_name", "Functional") ==
        "m.h5: Functional \"dense\": the model has no array \"layers\"");
  CHECK(member_refusal("joined", "inbound_nodes", {{{"lstm", 0, 0, Json::object()}}}) ==
        "m.h5: Concatenate \"joined\": expected at least two inputs, got 1");
  CHECK(member_refusal("flat", "name", "lstm") ==
        "m.h5: Flatten \"lstm\" has the name of another layer");
  const auto renamed = [](const std::string& name) {
    return refusal([&](Draft<>& draft) {
      draft.layer("dense")["name"] = name;
      draft.config["config"]["output_layers"] = {name, 0, 0};
    });
  };
  CHECK(renamed("a/b") == "m.h5: expected a layer name without \"/\", got \"a/b\"");
  CHECK(renamed("") == "m.h5: a layer has an empty name");
}

TEST_CASE("A graph that heed does not have is an error that says where") {
  const Json call = {"lstm", 0, 0, Json::object()};
  CHECK(member_refusal("flat", "inbound_nodes", Json{{call}, {call}}) == "(nothing thrown)");
  CHECK(member_refusal("flat", "inbound_nodes", {{{"lstm", 1, 0, Json::object()}}}) ==
        "m.h5: Flatten \"flat\" reads call 1 of \"lstm\", which has 1 call, counted "
        "from 0");
  CHECK(member_refusal("flat", "inbound_nodes", {{{"lstm", 0, 1, Json::object()}}}) ==
        "m.h5: Flatten \"flat\": expected one of the 1 outputs of LSTM \"lstm\", got output "
        "1");
  CHECK(member_refusal("flat", "inbound_nodes", {{{"lstm", 0, 0, {{"mask", call}}}}}) ==
        "m.h5: Flatten \"flat\" is called with \"mask\", which heed's layers are not");
  CHECK(member_refusal("flat", "inbound_nodes", {{{"nobody", 0, 0, Json::object()}}}) ==
        "m.h5: Flatten \"flat\" takes its input from \"nobody\", which is not the name of a layer");
  CHECK(member_refusal("flat", "inbound_nodes", {{{"dense", 0, 0, Json::object()}}}) ==
        "m.h5: Concatenate \"joined\" takes its input from \"flat\", which takes its own from it: "
        "the layers are in a circle");
  CHECK(member_refusal("flat", "inbound_nodes", {{{"flat", 0, 0, Json::object()}}}) ==
        "m.h5: Flatten \"flat\" takes its input from \"flat\", which takes its own from it: the "
        "layers are in a circle");
  CHECK(member_refusal("flat", "inbound_nodes", Json::array()) ==
        "m.h5: Flatten \"flat\" has no input");
  CHECK(member_refusal("flat", "inbound_nodes", 1) ==
        "m.h5: Flatten \"flat\" has no \"inbound_nodes\"");
  CHECK(member_refusal("flat", "inbound_nodes", {1}) ==
        "m.h5: Flatten \"flat\" has \"inbound_nodes\" of an unknown form");
  CHECK(member_refusal("flat", "inbound_nodes", {{{"lstm"}}}) ==
        "m.h5: Flatten \"flat\" does not name a layer where one is expected");
  CHECK(refusal([](Draft<>& draft) {
          draft.config["config"]["output_layers"] = {{"dense", 0, 0}, {"lstm", 0, 0}};
        }) == "(nothing thrown)");
  CHECK(refusal([](Draft<>& draft) {
          draft.config["config"]["output_layers"] = {"none", 0, 0};
        }) == "m.h5: the model has the output \"none\", which is not the name of a layer");
  CHECK(refusal([](Draft<>& draft) {
          Json further = draft.layer("x");
          further["name"] = further["config"]["name"] = "z";
          draft.layers().push_back(further);
        }) == "m.h5: InputLayer \"z\" is not among the model's \"input_layers\"");
}

TEST_CASE("Calls in the form of Keras 3 are read") {
  const auto with = [](const Json& args, const Json& kwargs = Json::object()) {
    return member_refusal("flat", "inbound_nodes", {{{"args", args}, {"kwargs", kwargs}}});
  };
  const auto one = [](const Json& argument) { return Json::array({argument}); };
  CHECK(with(one(tensor("lstm"))) == "(nothing thrown)");
  CHECK(with(one(one(tensor("lstm")))) == "(nothing thrown)");
  CHECK(with({tensor("lstm"), nullptr}, {{"training", false}, {"mask", nullptr}}) ==
        "(nothing thrown)");
  CHECK(with(one(tensor("lstm")), {{"training", true}}) ==
        "m.h5: Flatten \"flat\" is called with \"training\", which heed's layers are not");
  CHECK(with(Json::array()) == "m.h5: Flatten \"flat\" is called without an input");
  CHECK(with({tensor("lstm"), tensor("x")}) ==
        "m.h5: Flatten \"flat\" is called with more than its inputs");
  CHECK(with(one(tensor("lstm")), {{"initial_state", tensor("x")}}) ==
        "m.h5: Flatten \"flat\" is called with \"initial_state\", which this layer of heed is not");
  CHECK(with(one(tensor("lstm", 1))) ==
        "m.h5: Flatten \"flat\" reads call 1 of \"lstm\", which has 1 call, counted "
        "from 0");
  CHECK(with(one(tensor("lstm", 0, 2))) ==
        "m.h5: Flatten \"flat\": expected one of the 1 outputs of LSTM \"lstm\", got output "
        "2");
  CHECK(with(one(3)) == "m.h5: Flatten \"flat\" is called without an input");
  CHECK(with(one(one(3))) == "m.h5: Flatten \"flat\" has \"inbound_nodes\" of an unknown form");
}

TEST_CASE("A file that describes no model that heed reads is an error") {
  CHECK(refusal([](Draft<>& draft) { draft.remove("model_config"); }) ==
        "m.h5 contains no model: it has no attribute model_config; keras::load_weights loads "
        "weights into a model of your own, and keras::load_model(\"model.json\", "
        "\"weights.h5\") reads the model from a file beside it");
  const auto text_refusal = [](const std::string& text) {
    Draft draft(small_model());
    draft.text("model_config") = text;
    const Bytes bytes = detail::Hdf5Writer::write(draft.root);
    return message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.h5"); });
  };
  CHECK(text_refusal("") == "m.h5: model_config is not JSON at byte 1");
  CHECK(text_refusal("[]") == "m.h5: the model is not a JSON object");
  CHECK(text_refusal("{}") == "m.h5: the model has no string \"class_name\"");
  CHECK(text_refusal("{\"class_name\": \"Mine\"}") ==
        "m.h5: the model is of the class \"Mine\"; heed reads only Sequential and Functional");
  CHECK(text_refusal("{\"class_name\": \"Sequential\", \"config\": []}") ==
        "m.h5: the model has no layers");
  CHECK(text_refusal(std::string(100'000, '[')).find("is nested deeper than") != std::string::npos);
  CHECK(refusal([](Draft<>& draft) { draft.layers() = {1}; }) == "m.h5: layer 1 is not an object");
  CHECK(refusal([](Draft<>& draft) {
          draft.config["class_name"] = "Sequential";
          draft.layers().erase(0);
        }) == "m.h5: the model does not say the shape of its input; give it, {.input_shape = …}");
  CHECK(refusal([](Draft<>& draft) {
          draft.layers().erase(draft.layers().begin() + 1, draft.layers().end());
          draft.config["config"]["output_layers"] = {"x", 0, 0};
        }) == "m.h5: the model has no layer besides its input");
  CHECK(message<FileError>([] { keras::load_model<float>("/nowhere/m.h5"); }) ==
        "/nowhere/m.h5 cannot be read: No such file or directory");
}

TEST_CASE("Weights that do not fit the model of their file are errors") {
  const std::string place = "m.h5: \"/model_weights/dense";
  CHECK(refusal([](Draft<>& draft) { draft.root.groups.erase("model_weights"); }) ==
        "m.h5 contains no weights in the form that Keras's model.save(\"….h5\") writes");
  CHECK(refusal([](Draft<>& draft) { draft.weights().attributes.clear(); }) ==
        "m.h5: \"/model_weights\" has no attribute \"layer_names\"");
  CHECK(refusal([](Draft<>& draft) { draft.weights().groups.erase("dense"); }) ==
        "m.h5: \"/model_weights\" has no group \"dense\", which is one of its layer_names");
  CHECK(refusal([](Draft<>& draft) { draft.weights().groups["dense"].attributes.clear(); }) ==
        place + "\" has no attribute \"weight_names\"");
  CHECK(refusal([](Draft<>& draft) { draft.weights().groups["dense"].groups.clear(); }) ==
        place + "\" has no dataset \"dense/kernel\", which is one of its weight_names");
  CHECK(refusal([](Draft<>& draft) {
          draft.weights().groups["dense"].attributes[0].texts = {"dense/kernel"};
        }) == place + "\" has no weight \"bias\" among its weight_names");
  CHECK(refusal([](Draft<>& draft) {
          draft.weights().groups["dense"].attributes[0].texts.push_back("other/bias:0");
        }) == place + "\" has two weights \"bias\"");
  CHECK(refusal([](Draft<>& draft) {
          draft.weights().groups["dense"].attributes[0].texts.push_back("dense/gamma");
        }) == place + "\" has the weight \"dense/gamma\", which the model's layer does not have");
  CHECK(refusal([](Draft<>& draft) {
          draft.weights().groups["dense"].groups["dense"].datasets["bias"].shape = {1, 1};
        }) == place + "/dense/bias\" has the shape (1, 1), but the model's \"dense/bias\" has (1)");
  CHECK(refusal([](Draft<>& draft) {
          draft.weights().attributes.back().texts.push_back("dense");
        }) == "m.h5: \"/model_weights\" has \"dense\" twice among its layer_names");
  CHECK(refusal([](Draft<>& draft) {
          auto& names = draft.weights().attributes.back().texts;
          names.erase(std::find(names.begin(), names.end(), "dense"));
        }) == "m.h5 has weights for other layers than the model: it lacks \"dense\"");
  CHECK(refusal([](Draft<>& draft) {
          auto& groups = draft.weights().groups;
          groups["other"] = groups["dense"];
          draft.weights().attributes.back().texts.push_back("other");
        }) == "m.h5 has weights for other layers than the model: the model lacks \"other\"");
  CHECK(refusal([](Draft<>& draft) {
          auto& group = draft.weights().groups["dense"].groups["dense"];
          group.groups["bias"];
          group.datasets.erase("bias");
        }) == place + "/dense/bias\" is not a dataset");
}

}  // namespace heed::keras_load_model_test
