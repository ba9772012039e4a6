#include "keras/files.hpp"

// Recurrent layers of all kinds, masks, states, several inputs and outputs, shared and frozen layers.

namespace heed::keras_sequences_test {

using namespace testing;

namespace {

using Paths = std::filesystem::path;

template <class S>
std::vector<Tensor<S>> golden(const Bytes& bytes, const std::string& name) {
  detail::Hdf5File file(bytes, "file");
  const auto group = detail::Hdf5Object(file).open("golden").value();
  std::vector<Tensor<S>> values;
  if (group.open(name)) values.push_back(dataset<S>(bytes, "golden/" + name));
  while (group.open(join(name, values.size()))) {
    values.push_back(dataset<S>(bytes, join("golden/", name, values.size())));
  }
  REQUIRE(!values.empty());
  return values;
}

template <class S>
std::vector<Tensor<S>> outputs(const Model<S>& model, const std::vector<Tensor<S>>& x) {
  return model.predict_all(Columns<S>(x));
}

template <class S>
void check_same(const Model<S>& model, const std::string& name, double tolerance) {
  const Bytes bytes = read_file(golden_path(name));
  const auto expected = golden<S>(bytes, "y");
  const auto y = outputs(model, golden<S>(bytes, "x"));
  REQUIRE(y.size() == expected.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    CAPTURE(i);
    CHECK(distance(y[i], expected[i]) <= tolerance);
  }
}

/// Outputs are Keras's, of the file and of what heed saves of it in either format.
template <class S>
void check_golden(const std::string& name, const std::string& extension, double tolerance) {
  CAPTURE(name, extension);
  const auto path = Paths(golden_path(name)).replace_extension(extension);
  const auto model = keras::load_model<S>(path);
  check_same(model, name, tolerance);
  const bool stateful = name.ends_with("stateful");
  for (const auto format : {keras::Format::native, keras::Format::hdf5}) {
    if (name == "keras3_sequences" && format == keras::Format::hdf5) continue;  // joins masks
    const auto bytes = keras::save_model(model, {.batch_size = stateful ? 3 : 0}, format);
    const auto again = keras::load_model<S>(bytes);
    check_same(again, name, tolerance);
    CHECK(again.graph().nodes().size() == model.graph().nodes().size());
    CHECK(again.count_params() == model.count_params());
  }
}

Model<float> encoder_decoder() {
  Model<float> model("pair");
  const Node x = model.input("x", {3, 2}), z = model.input("z", {any, 2});
  const Node h = model.add("h", LSTM{.units = 2, .return_state = true}, x);
  const Node y = model.add("y", LSTM{.units = 2, .return_sequences = true},
                           {z, Node{h.index, 1}, Node{h.index, 2}});
  const Node dense = model.add("dense", Dense{.units = 2}, y);
  const Node again = model.share("again", dense, {h});
  model.set_outputs({again, dense, {h.index, 2}});
  model.build({.seed = 3});
  return model;
}

/// What is said of that model's file after a change of its configuration.
template <class Change>
std::string refusal(const Change& change, const Model<float>& model = encoder_decoder(),
                    const keras::LoadOptions<float>& options = {}) {
  Draft draft(model);
  change(draft);
  const Bytes bytes = draft.bytes();
  return message<FileError>([&] { keras::load_model<float>(bytes, options, "m.h5"); });
}

/// A model of a layer after an input, of a shape, and of what may be after it.
template <Layer... L>
Model<float> row(const Shape& shape, const L&... layers) {
  Model<float> model("row");
  model.input("x", shape);
  (model.add(layers), ...);
  model.build({.seed = 1});
  return model;
}

template <class S>
std::string save_refusal(const Model<S>& model, keras::Format format = keras::Format::native) {
  return message<ModelError>([&] { keras::save_model(model, {}, format); });
}

}  // namespace

TEST_CASE("Sequences with masks, ids and all kinds of recurrent layers give what Keras gives") {
  for (const char* name : {"keras3_sequences", "keras2_sequences", "keras212_sequences"}) {
    check_golden<double>(name, ".h5", 1e-12);
    check_golden<float>(name, ".h5", 1e-6);
  }
  for (const char* name : {"keras3_sequences", "keras31_sequences"}) {
    check_golden<double>(name, ".keras", 1e-12);
    check_golden<float>(name, ".keras", 1e-6);
  }
}

TEST_CASE("The layers along the time axis give what Keras gives, of every generation") {
  for (const char* name : {"keras3_convolution", "keras2_convolution", "keras212_convolution"}) {
    check_golden<double>(name, ".h5", 1e-12);
    check_golden<float>(name, ".h5", 1e-6);
  }
  for (const char* name : {"keras3_convolution", "keras31_convolution"}) {
    check_golden<double>(name, ".keras", 1e-12);
    check_golden<float>(name, ".keras", 1e-6);
  }
}

TEST_CASE("States that are handed on, shared and frozen layers give what Keras gives") {
  for (const char* name : {"keras3_states", "keras2_states", "keras212_states"}) {
    if (std::string_view(name) == "keras3_states") check_golden<double>(name, ".h5", 1e-12);
    const auto model = keras::load_model<double>(golden_path(name));
    check_same(model, name, 1e-12);
    CHECK(!model.graph()[model.graph().find("shared")].trains);
    CHECK(model.graph()[model.graph().find("decoder")].trains);
    CHECK(model.graph().inputs().size() == 3);
    CHECK(model.graph()[model.graph().inputs()[0]].name == "right");
  }
  for (const char* name : {"keras3_states", "keras31_states"}) {
    check_golden<double>(name, ".keras", 1e-12);
    check_golden<float>(name, ".keras", 1e-6);
  }
}

TEST_CASE("A layer that carries its state is read, and written for batches of one size") {
  for (const char* name : {"keras3_stateful", "keras2_stateful"}) {
    check_golden<double>(name, ".h5", 1e-12);
  }
  const auto model = keras::load_model<float>(golden_path("keras3_stateful"));
  CHECK(save_refusal(model).starts_with(
      "GRU \"gru\" is stateful, so Keras needs the number of samples in a batch: save_model(model, "
      "…, {.batch_size = …})"));
}

TEST_CASE("Weights alone are read by their number, of shared layers once") {
  const auto path = Paths(golden_path("keras3_states")).replace_extension(".weights.h5");
  auto model = keras::load_model<double>(golden_path("keras3_states"));
  const Arena<double> kept(model.weights());
  model.weights().array().setZero();
  keras::load_weights(model, path);
  CHECK(Arena<double>(model.weights()) == kept);
  model.weights().array().setZero();
  keras::load_weights(model, golden_path("keras3_states"));
  CHECK(Arena<double>(model.weights()) == kept);
}

TEST_CASE("Every layer that Keras has comes back with its fields, alone and in a wrapper") {
  const auto check = [](const Model<float>& model, const keras::Format format) {
    const auto bytes = keras::save_model(model, {.batch_size = 2}, format);
    const auto again = keras::load_model<float>(bytes);
    REQUIRE(again.graph().nodes().size() == model.graph().nodes().size());
    for (std::size_t i = 0; i < model.graph().nodes().size(); ++i) {
      CHECK(again.graph()[i].layer.config() == model.graph()[i].layer.config());
      CHECK(again.graph()[i].layer.key() == model.graph()[i].layer.key());
      CHECK(again.graph()[i].shape() == model.graph()[i].shape());
    }
    CHECK(again.weights() == model.weights());
  };
  const LSTM lstm{.units = 2,
                  .activation = Activation::relu,
                  .unit_forget_bias = true,
                  .return_sequences = true,
                  .go_backwards = true,
                  .zero_output_for_mask = true,
                  .dropout = 0.25,
                  .recurrent_dropout = 0.5,
                  .bias_initializer = Initializer::ones};
  const GRU before{.units = 2, .reset_after = false, .return_sequences = true};
  const GRU after{.units = 2, .use_bias = false, .return_sequences = true, .return_state = true};
  const SimpleRNN rnn{
      .units = 2, .activation = Activation::sigmoid, .return_sequences = true, .stateful = true};
  for (const auto format : {keras::Format::hdf5, keras::Format::native}) {
    check(row({any, 3}, Masking{.mask_value = -1}, lstm, before, rnn, after), format);
    check(row({4}, Embedding{.input_dim = 3, .output_dim = 2, .mask_zero = true},
              TimeDistributed<Dense>{{.units = 2}}, GRU{.units = 1}),
          format);
    using enum MergeMode;
    for (const MergeMode mode : {concat, sum, mul, ave, none}) {
      check(row({4, 3}, Bidirectional<LSTM>{{.units = 2, .return_state = true}, mode}), format);
      check(row({4, 3}, Bidirectional<GRU>{{.units = 2, .reset_after = false}, mode}), format);
      check(row({4, 3}, Bidirectional<SimpleRNN>{{.units = 2, .return_sequences = true}, mode}),
            format);
    }
    check(row({2, 4, 3}, TimeDistributed<Bidirectional<GRU>>{{{.units = 2}, sum}},
              TimeDistributed<Dropout>{{.rate = 0.5}}),
          format);
    check(row({2, 4, 3}, TimeDistributed<LSTM>{{.units = 2}},
              TimeDistributed<Activation>{{.activation = Activation::tanh}}),
          format);
    const Conv1D conv{.filters = 4,
                      .kernel_size = 2,
                      .padding = WindowPadding::causal,
                      .dilation_rate = 2,
                      .groups = 2,
                      .activation = Activation::relu,
                      .bias_initializer = Initializer::ones};
    check(
        row({any, 2}, conv, Conv1D{.filters = 3, .kernel_size = 3, .strides = 2, .use_bias = false},
            MaxPooling1D{}, MaxPooling1D{.strides = 1, .padding = WindowPadding::same},
            AveragePooling1D{.pool_size = 3}, AveragePooling1D{.pool_size = 1, .strides = 2},
            ZeroPadding1D{.padding = {0, 3}}, Cropping1D{.cropping = {1, 0}},
            UpSampling1D{.size = 3}, GlobalMaxPooling1D{}),
        format);
    check(
        row({5, 2}, GlobalAveragePooling1D{.keepdims = true}, GlobalMaxPooling1D{.keepdims = true}),
        format);
    check(row({any, 2}, Masking{}, GlobalAveragePooling1D{}), format);
    check(row({3, 6, 2}, TimeDistributed<Conv1D>{conv}, TimeDistributed<MaxPooling1D>{},
              TimeDistributed<GlobalAveragePooling1D>{}),
          format);
  }
}

TEST_CASE("A model without weights comes back ready to use") {
  const Model<float> model = row({4, 2}, MaxPooling1D{}, Flatten{});
  const auto x = random_tensor<float>({3, 4, 2}, 1);
  for (const auto format : {keras::Format::hdf5, keras::Format::native}) {
    CHECK(keras::load_model<float>(keras::save_model(model, {}, format)).predict(x) ==
          model.predict(x));
  }
}

TEST_CASE("Several inputs and outputs, states, shared and frozen layers come back") {
  auto model = encoder_decoder();
  model.set_trainable("dense", false);
  for (const auto format : {keras::Format::hdf5, keras::Format::native}) {
    const auto again = keras::load_model<float>(keras::save_model(model, {}, format));
    const std::vector<Tensor<float>> x{random_tensor<float>({4, 3, 2}, 1),
                                       random_tensor<float>({4, 5, 2}, 2)};
    CHECK(outputs(again, x) == outputs(model, x));
    const auto& graph = again.graph();
    CHECK(graph[graph.find("dense")].slot_count == 2);
    CHECK(!graph[graph.find("dense")].trains);
    CHECK(graph[graph.find("y")].trains);
    const auto shared = static_cast<std::size_t>(graph.outputs()[0].index);
    CHECK(graph[shared].first_slot == graph[graph.find("dense")].first_slot);
    CHECK(again.count_params() == model.count_params());
  }
}

TEST_CASE("A file that is for Keras 3 alone is one that Keras 2 refuses") {
  const auto key = [](const Model<float>& model) {
    Draft draft(model);
    return draft.layers()[0]["config"].contains("batch_shape");
  };
  CHECK(key(encoder_decoder()));
  CHECK_FALSE(key(row({3, 2}, LSTM{.units = 2})));
  CHECK_FALSE(key(row({3, 2}, Masking{}, LSTM{.units = 2})));
}

TEST_CASE("What Keras is to train several outputs with is said for each") {
  const auto config = [](const keras::CompileOptions& options) {
    const auto bytes = keras::save_model(encoder_decoder(), options);
    return Json::parse(texts(bytes, "", "training_config")[0]);
  };
  CHECK(config({.loss = MeanSquaredError{}})["metrics"].is_null());
  const Json each = {"mean_absolute_error"};
  CHECK(config({.loss = MeanSquaredError{}, .metrics = {MeanAbsoluteError{}}})["metrics"] ==
        Json{each, each, each});
}

TEST_CASE("Axes that a file leaves open are of any length") {
  const auto model = keras::load_model<float>(keras::save_model(row({any, 2}, GRU{.units = 3})));
  CHECK(model.input_shape() == Shape{any, 2});
  CHECK(model.predict(random_tensor<float>({2, 5, 2}, 1)).shape() == Shape{2, 3});
  CHECK(refusal([](Draft<>& draft) {
          draft.layer("x")["config"]["batch_shape"] = {nullptr, 3, nullptr};
        }) ==
        "m.h5: LSTM \"h\": expected an input of known length, for its kernel is (any, 8), got (3, "
        "any)");
  CHECK(refusal([](Draft<>&) {}, encoder_decoder(), {.input_shape = {3, 2}}) ==
        "m.h5: the model has 2 inputs, but the given input_shape is for one");
}

TEST_CASE("Where Keras 3 forgets a mask, or hands none on, heed's model has none") {
  // Of a layer that is given states.
  const auto model = keras::load_model<double>(golden_path("keras3_states"));
  CHECK(model.graph().find("words_unmasked") < model.graph().nodes().size());
  const auto other = keras::load_model<double>(golden_path("keras2_states"));
  CHECK(other.graph().find("words_unmasked") == other.graph().nodes().size());
  // After an operator.
  Model<float> product("m");
  const Node x = product.input("x", {3, 2});
  const Node masked = product.add("masked", Masking{}, x);
  const Node twice = product.add("twice", Multiply{}, {masked, masked});
  product.add("end", LastStep{},
              product.add("h", LSTM{.units = 2, .return_sequences = true}, twice));
  product.build();
  CHECK(save_refusal(product) ==
        "LastStep \"end\" skips masked steps, but the Keras layer that it is written as does not");
}

TEST_CASE("A mask that Keras would not use is written into a .keras and by no .h5") {
  Model<float> model("m");
  const Node ids = model.input("ids", {3}), x = model.input("x", {3, 2});
  const Node words =
      model.add("words", Embedding{.input_dim = 4, .output_dim = 2, .mask_zero = true}, ids);
  const Node masked = model.add("masked", Masking{.mask_value = 0.5}, x);
  const Node sum = model.add("sum", Add{}, {words, masked});
  const Node last = model.add("last", GRU{.units = 2}, sum);
  model.add("given", LSTM{.units = 2}, {words, last, last});
  model.build({.seed = 4});
  CHECK(save_refusal(model, keras::Format::hdf5) ==
        "GRU \"last\" skips steps by a mask that some versions of Keras do not pass on to it; the "
        "format .keras can represent it");
  const auto bytes = keras::save_model(model, {}, keras::Format::native);
  const detail::ZipFile zip(bytes, "zip");
  const Json config = Json::parse(detail::hdf5_text(zip.file("config.json")));
  std::vector<std::string> classes;
  for (const Json& layer : config["config"]["layers"]) {
    if (layer["module"] == "keras.src.ops.numpy") classes.push_back(layer["class_name"]);
  }
  std::sort(classes.begin(), classes.end());
  CHECK(classes == std::vector<std::string>{"Any", "LogicalOr", "NotEqual", "NotEqual"});
  const auto again = keras::load_model<float>(bytes);
  Tensor<float> some_ids(Shape{4, 3}), values = random_tensor<float>({4, 3, 2}, 1);
  Index i = 0;
  for (float& id : some_ids.values()) id = static_cast<float>(i++ * 7 % 4);
  for (const Index row : {1, 4, 5, 8}) values.matrix().row(row).setConstant(0.5f);
  const std::vector<Tensor<float>> data{some_ids, values};
  CHECK(outputs(again, data) == outputs(model, data));
}

TEST_CASE("A mean leaves out the same steps in Keras as in heed, or is not written") {
  // A Slice hands its mask on in heed alone.
  Model<float> model("m");
  model.input("x", {any, 2});
  model.add("masked", Masking{});
  model.add("dense", Dense{.units = 3});
  model.add("mean", GlobalAveragePooling1D{});
  model.build({.seed = 4});
  auto data = random_tensor<float>({4, 3, 2}, 1);
  for (const Index row : {1, 4, 5, 8}) data.matrix().row(row).setZero();
  for (const auto format : {keras::Format::hdf5, keras::Format::native}) {
    CHECK(keras::load_model<float>(keras::save_model(model, {}, format)).predict(data) ==
          model.predict(data));
  }
  Model<float> part("m");
  part.input("x", {3, 2});
  part.add("masked", Masking{});
  part.add("part", Slice{.begin = {0, 1}});
  part.add("mean", GlobalAveragePooling1D{});
  part.build();
  CHECK(save_refusal(part, keras::Format::hdf5) ==
        "GlobalAveragePooling1D \"mean\" skips steps by a mask that some versions of Keras do not "
        "pass on to it; the format .keras can represent it");
  const auto bytes = keras::save_model(part, {}, keras::Format::native);
  CHECK(message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.keras"); }) ==
        "m.keras: GlobalAveragePooling1D \"mean\" leaves out steps by a mask that no layer of heed "
        "hands on to it");

  Model<float> whole("m");  // all steps count, as in x
  const Node x = whole.input("x", {3, 2});
  const Node masked = whole.add("masked", Masking{}, x);
  whole.add("mean", GlobalAveragePooling1D{}, whole.add("both", Concatenate{}, {masked, x}));
  whole.build();
  const auto again = keras::load_model<float>(keras::save_model(whole));
  CHECK(again.graph().find("mean_unmasked") < again.graph().nodes().size());
  CHECK(again.predict(data) == whole.predict(data));
}

TEST_CASE("A mask that Keras would use and heed does not is dropped on the way") {
  Model<float> model("m");
  const Node x = model.input("x", {3, 2});
  const Node masked = model.add("masked", Masking{}, x);
  const Node both = model.add("both", Concatenate{}, {masked, x});  // all count, as in x
  model.add("last", GRU{.units = 2}, both);
  model.build({.seed = 4});
  const auto again = keras::load_model<float>(keras::save_model(model));
  CHECK(again.graph().find("last_unmasked") < again.graph().nodes().size());
  auto data = random_tensor<float>({4, 3, 2}, 1);
  data.matrix().row(2).setZero();
  CHECK(again.predict(data) == model.predict(data));
}

TEST_CASE("A layer that does not take its inputs is refused before it is asked about masks") {
  Model<float> model("m");
  const Node masked = model.add("masked", Masking{}, model.input("x", {3, 2}));
  model.add("both", Concatenate{}, {masked, model.add("dense", Dense{.units = 2}, masked)});
  model.build();
  CHECK(refusal([](auto& draft) { draft.layer("both")["config"]["axis"] = 9; }, model) ==
        "m.h5: Concatenate \"both\": expected an axis of 3 axes other than the batch axis, got 9");
}

TEST_CASE("A block is not made of layers that see steps that do not count") {
  const auto blocks = [](const Model<float>& model) {
    const auto again = keras::load_model<float>(keras::save_model(model), {.blocks = true});
    return again.graph().nodes().size();
  };
  const auto attention = [&](bool masked) {
    Model<float> model("m");
    Node x = model.input("x", {3, 2});
    if (masked) x = model.add("masked", Masking{}, x);
    const Node turned = model.add("a", Permute{.dims = {2, 1}}, x);
    const Node dense = model.add("b", Dense{.units = 3, .activation = Activation::softmax}, turned);
    model.add("d", Multiply{}, {x, model.add("c", Permute{.dims = {2, 1}}, dense)});
    model.build();
    return model;
  };
  CHECK(blocks(attention(false)) == 2);
  CHECK(blocks(attention(true)) == 6);
}

TEST_CASE("Shared and frozen layers stay so when blocks are made") {
  Model<float> model("m");
  const Node x = model.input("x", {3, 2});
  const Node first = model.add("first", LSTM{.units = 2, .return_sequences = true}, x);
  model.share("second", first, {first});
  model.add("attention", StepAttention{});
  model.set_trainable("first", false);
  model.set_trainable("attention", false);
  model.build({.seed = 1});
  const auto again = keras::load_model<float>(keras::save_model(model), {.blocks = true});
  REQUIRE(again.graph().nodes().size() == 4);
  CHECK(again.graph()[2].first_slot == again.graph()[1].first_slot);
  CHECK(!again.graph()[1].trains);
  CHECK(!again.graph()[3].trains);
  CHECK(again.graph()[3].layer.type() == "StepAttention");
  const auto data = random_tensor<float>({2, 3, 2}, 1);
  CHECK(distance(again.predict(data), model.predict(data)) <= 1e-6);
}

TEST_CASE("A block whose weights are shared has no place in a file of Keras") {
  Model<float> model("m");
  const Node x = model.input("x", {3, 2});
  const Node one = model.add("one", StepAttention{}, x);
  model.share("two", one, {one});
  model.build();
  CHECK(save_refusal(model) ==
        "StepAttention \"two\" shares its weights with StepAttention \"one\", but in a Keras file "
        "it is several layers, which cannot be shared together");
}

TEST_CASE("What a wrapper of Keras holds that heed's cannot is an error") {
  const auto model = row({4, 3}, Bidirectional<LSTM>{{.units = 2}});
  const std::string place = "m.h5: Bidirectional \"bidirectional\": ";
  const auto said = [&](const std::function<void(Json&)>& change) {
    return refusal(
        [&](Draft<>& draft) {
          Json& config = draft.layer("bidirectional")["config"];
          Json backward = config["layer"];
          backward["config"]["name"] = "backward_lstm";
          backward["config"]["go_backwards"] = true;
          config["backward_layer"] = backward;
          change(config);
        },
        model);
  };
  CHECK(said([](Json&) {}) == "(nothing thrown)");
  CHECK(said([](Json& c) { c["backward_layer"]["config"]["kernel_initializer"] = "ones"; }) ==
        "(nothing thrown)");
  CHECK(said([](Json& c) { c["backward_layer"]["config"]["activation"] = "relu"; }) ==
        place +
            "its backward_layer has another \"activation\" than its layer, but heed's "
            "Bidirectional needs two equal layers");
  CHECK(said([](Json& c) {
          c["backward_layer"]["class_name"] = "SimpleRNN";
          for (const char* field : {"recurrent_activation", "unit_forget_bias"}) {
            c["backward_layer"]["config"].erase(field);
          }
        }) == place +
                  "its backward_layer is a SimpleRNN and its layer a LSTM, but heed's "
                  "Bidirectional needs two equal layers");
  CHECK(said([](Json& c) { c["backward_layer"]["config"]["go_backwards"] = false; }) ==
        place + "its backward_layer has the direction of its layer");
  CHECK(said([](Json& c) {
          c["layer"]["config"]["go_backwards"] = true;
          c["backward_layer"]["config"]["go_backwards"] = false;
        }).find("expected a layer without go_backwards") != std::string::npos);
  CHECK(said([](Json& c) {
          c["layer"] = {{"class_name", "Dense"}, {"config", {{"name", "d"}, {"units", 1}}}};
        }) == place + "heed has no Bidirectional<Dense>");
  CHECK(said([](Json& c) { c["merge_mode"] = "max"; }) ==
        place + "\"merge_mode\" cannot be \"max\"");
  CHECK(said([](Json& c) { c["layer"]["config"]["time_major"] = true; }) ==
        place + "\"time_major\" is true, which heed's layer does not support");
  CHECK(said([](Json& c) { c["layer"]["config"]["unroll"] = true; }) == "(nothing thrown)");
  CHECK(said([](Json& c) { c.erase("layer"); }) == place + "it has no \"layer\"");
}

TEST_CASE("A GRU of a time before reset_after is one without") {
  const auto load = [](const std::string& version) {
    const bool after = version != "2.1.6";
    Draft draft(row({4, 3}, GRU{.units = 2, .reset_after = after}));
    draft.layer("gru")["config"].erase("reset_after");
    draft.text("keras_version") = version;
    return keras::load_model<float>(draft.bytes())
        .graph()[1]
        .layer.template get<GRU>()
        ->reset_after;
  };
  CHECK_FALSE(load("2.1.6"));
  CHECK(load("2.2.4"));
  CHECK(load("3.15.1"));
}

TEST_CASE("Weights of a shape, a direction or a part that does not fit are errors") {
  const auto model = row({4, 3}, Bidirectional<LSTM>{{.units = 2}});
  const std::string place = "m.h5: \"/model_weights/bidirectional\" ";
  const auto said = [&](const std::function<void(detail::Hdf5Group&)>& change) {
    return refusal([&](Draft<>& draft) { change(draft.weights().groups["bidirectional"]); }, model);
  };
  auto cell = [](detail::Hdf5Group& group, const char* direction) -> detail::Hdf5Group& {
    return group.groups["bidirectional"].groups[direction].groups["lstm_cell"];
  };
  CHECK(said([](auto&) {}) == "(nothing thrown)");
  CHECK(said([&](auto& group) {
          cell(group, "backward_lstm").datasets["kernel"].shape = {8, 3};
        }) ==
        "m.h5: \"/model_weights/bidirectional/bidirectional/backward_lstm/lstm_cell/kernel\" "
        "has the shape (8, 3), but the model's \"bidirectional/backward_kernel\" has (3, 8)");
  CHECK(said([](auto& group) { group.attributes[0].texts.resize(3); }) ==
        place + "has no weight \"backward_kernel\" among its weight_names");
  CHECK(said([](auto& group) { group.groups["bidirectional"].groups.erase("backward_lstm"); }) ==
        place +
            "has no dataset \"bidirectional/backward_lstm/lstm_cell/kernel\", which is one of "
            "its weight_names");
  CHECK(said([](auto& group) {
          for (auto& name : group.attributes[0].texts) {
            const auto at = name.find("backward_lstm");
            if (at != std::string::npos) name.replace(at, 13, "forward_lstm");
          }
        }).find("which is a weight of another layer as well") != std::string::npos);
  const auto native = [&](const Model<float>& other) {
    const auto bytes = keras::save_model(other, {}, keras::Format::native);
    const detail::ZipFile zip(bytes, "zip");
    auto known = model;
    return message<FileError>(
        [&] { keras::load_weights(known, zip.file("model.weights.h5"), {}, "w.h5"); });
  };
  CHECK(native(model) == "(nothing thrown)");
  CHECK(native(row({4, 3}, LSTM{.units = 2})) ==
        "w.h5: Bidirectional \"bidirectional\" has no weights: the file has no group "
        "\"layers/bidirectional/forward_layer/cell/vars\"");
  CHECK(native(row({4, 3}, Bidirectional<LSTM>{{.units = 3}}))
            .find("has the shape (3, 12), but the model's") != std::string::npos);
  auto plain = row({4, 3}, Dense{.units = 2});
  const auto bytes = keras::save_model(
      row({4, 3}, Dense{.units = 2}, Bidirectional<GRU>{{.units = 2}}), {}, keras::Format::native);
  const detail::ZipFile zip(bytes, "zip");
  CHECK(message<FileError>([&] {
          keras::load_weights(plain, zip.file("model.weights.h5"), {}, "w.h5");
        }) == "w.h5: \"/layers/bidirectional\" has weights for which the model has no layer");
}

TEST_CASE("Graphs that cannot be are errors") {
  const auto call = [](const char* layer, int number = 0, int output = 0) {
    return Json{{layer, number, output, Json::object()}};
  };
  const auto nodes = [&](const char* layer, const Json& value) {
    return refusal([&](Draft<>& draft) { draft.layer(layer)["inbound_nodes"] = value; });
  };
  CHECK(nodes("dense", {call("dense", 1), call("dense", 0)}) ==
        "m.h5: Dense \"dense\" takes its input from \"dense\", which takes its own from it: the "
        "layers are in a circle");
  CHECK(nodes("dense", {call("h"), call("dense", 2)}) ==
        "m.h5: Dense \"dense\" reads call 2 of \"dense\", which has 2 calls, counted "
        "from 0");
  CHECK(nodes("dense", {call("h"), call("y", 0, 1)}) ==
        "m.h5: Dense \"dense_2\": expected one of the 1 outputs of LSTM \"y\", got output "
        "1");
  CHECK(nodes("dense", {call("h"), call("x", 1)}) ==
        "m.h5: Dense \"dense\" reads call 1 of \"x\", which has 1 call, counted from 0");
  CHECK(nodes("dense", {call("h"), call("z"), call("y")}) == "(nothing thrown)");
  const auto config = [&](const char* key, const Json& value) {
    return refusal([&](Draft<>& draft) { draft.config["config"][key] = value; });
  };
  CHECK(config("output_layers", {{"h", 0, 3}}) ==
        "m.h5: the model uses output 3 of \"h\", which has 3");
  CHECK(config("output_layers", {{"dense", 2, 0}}) ==
        "m.h5: the model reads call 2 of \"dense\", which has 2 calls, counted from 0");
  CHECK(config("output_layers", {{"none", 0, 0}}) ==
        "m.h5: the model has the output \"none\", which is not the name of a layer");
  CHECK(config("output_layers", Json::array()) == "m.h5: the model has an empty \"output_layers\"");
  CHECK(config("output_layers", 3) == "m.h5: the model has no list \"output_layers\"");
  CHECK(config("output_layers", {{"a", {"h", 0, 0}}, {"b", {"dense", 0, 0}}}) ==
        "(nothing thrown)");
  CHECK(config("input_layers", {{"x", 0, 0}}) ==
        "m.h5: InputLayer \"z\" is not among the model's \"input_layers\"");
  CHECK(config("input_layers", {{"x", 0, 0}, {"x", 0, 0}}) ==
        "m.h5: the model has the input \"x\" twice");
  CHECK(config("input_layers", {{"x", 0, 0}, {"h", 0, 0}}) ==
        "m.h5: the model has the input \"h\", which is not the name of an input layer");
  CHECK(refusal([](Draft<>& draft) {
          draft.layer("y")["inbound_nodes"][0]["kwargs"]["mask"] =
              draft.layer("y")["inbound_nodes"][0]["args"][0];
        }) == "m.h5: LSTM \"y\" leaves out steps by a mask that heed has no layer for");
}

TEST_CASE("The order of inputs is that of the model, whatever that of the layers is") {
  Draft draft(encoder_decoder());
  draft.config["config"]["input_layers"] = {{"z", 0, 0}, {"x", 0, 0}};
  std::reverse(draft.layers().begin(), draft.layers().end());
  const auto model = keras::load_model<float>(draft.bytes());
  CHECK(model.graph()[model.graph().inputs()[0]].name == "z");
  const auto x = random_tensor<float>({4, 3, 2}, 1), z = random_tensor<float>({4, 5, 2}, 2);
  CHECK(outputs(model, {z, x}) == outputs(encoder_decoder(), {x, z}));
}

TEST_CASE("Masks that are joined again and again take little memory") {
  Model<float> model("joined");
  Node sum = model.input("x", {2, 1});
  const Node x = sum;
  for (int i = 0; i < 300; ++i) {
    const Node masked = model.add(Masking{.mask_value = static_cast<double>(i)}, x);
    sum = i == 0 ? masked : model.add(Add{}, {sum, masked});
  }
  model.build();
  detail::KerasMasks<float> masks;
  for (std::size_t i = 0; i < model.graph().nodes().size(); ++i) masks.add(model.graph());
  CHECK(masks.of(model.graph(), sum).tests.size() <= detail::KerasMask::most);
}

TEST_CASE("A long row of calls of one layer is read without recursion and in little time") {
  Model<float> model("row");
  model.input("x", {2});
  model.add("d", Dense{.units = 2});
  model.build();
  Draft draft(model);
  Json& nodes = draft.layer("d")["inbound_nodes"];
  constexpr int count = 20'000;
  for (int i = 1; i < count; ++i) nodes.push_back({{"d", i - 1, 0, Json::object()}});
  std::reverse(nodes.begin() + 1, nodes.end());
  for (int i = 1; i < count; ++i)
    nodes[static_cast<std::size_t>(i)][0][1] = i == count - 1 ? 0 : i + 1;
  draft.config["config"]["output_layers"] = {{"d", 1, 0}};
  const auto again = keras::load_model<float>(draft.bytes());
  CHECK(again.graph().nodes().size() == count + 1);
  CHECK(again.count_params() == 6);
}

}  // namespace heed::keras_sequences_test
