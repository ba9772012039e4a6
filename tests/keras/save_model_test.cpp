#include "keras/files.hpp"
#include "support/full_disk.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

namespace heed::keras_save_model_test {

using namespace testing;

namespace {

template <class S>
Model<S> reload(const Model<S>& model) {
  return keras::load_model<S>(keras::save_model(model));
}

std::vector<std::string> names(const Model<float>& model) {
  std::vector<std::string> names;
  for (const auto& node : model.graph().nodes()) names.push_back(node.name);
  return names;
}

/// All layers that heed has, but for its blocks, in a network that parts and joins.
template <class S>
Model<S> every_layer() {
  Model<S> model("every_layer");
  const Node x = model.input("x", {4, 3});
  const Node lstm = model.add("lstm",
                              LSTM{.units = 2,
                                   .activation = Activation::softsign,
                                   .recurrent_activation = Activation::hard_sigmoid,
                                   .unit_forget_bias = false,
                                   .return_sequences = true,
                                   .go_backwards = true,
                                   .kernel_initializer = Initializer::he_uniform,
                                   .recurrent_initializer = Initializer::lecun_normal},
                              x);
  const Node last = model.add("last", LastStep{}, lstm);
  const Node turned = model.add("turned", Permute{.dims = {2, 1}}, lstm);
  const Node dense = model.add(
      "dense",
      Dense{
          .units = 3, .activation = Activation::leaky_relu, .bias_initializer = Initializer::ones},
      turned);
  const Node soft = model.add("soft", Activation{.activation = Activation::softmax}, dense);
  const Node product = model.add("product", Multiply{}, {dense, soft});
  const Node sum = model.add("sum", Add{}, {dense, product, soft});
  const Node tall = model.add("tall", Concatenate{.axis = 1}, {sum, dense});
  const Node dot = model.add("dot", Dot{.axes = {2, -1}}, {tall, sum});
  const Node dropped = model.add("dropped", Dropout{.rate = 0.5}, dot);
  const Node flat = model.add("flat", Flatten{}, dropped);
  const Node scaled = model.add("scaled", Rescaling{.scale = 0.5, .offset = 1}, last);
  const Node leaky = model.add("leaky", LeakyReLU{.negative_slope = 0.25}, scaled);
  const Node steep = model.add("steep", PReLU{.alpha_initializer = Initializer::ones}, leaky);
  const Node limited = model.add("limited", ReLU{.max_value = 6}, steep);
  const Node unlimited = model.add("unlimited", ReLU{.threshold = 0.5}, limited);
  const Node smooth = model.add("smooth", ELU{.alpha = 0.5}, unlimited);
  const Node mean = model.add("mean", Average{}, {smooth, steep});
  const Node least = model.add("least", Minimum{}, {mean, leaky});
  const Node most = model.add("most", Maximum{}, {least, scaled});
  const Node less = model.add("less", Subtract{}, {most, least});
  const Node noisy = model.add("noisy", GaussianNoise{.stddev = 0.5}, less);
  const Node loud = model.add("loud", GaussianDropout{.rate = 0.5}, noisy);
  const Node alpha = model.add("alpha", AlphaDropout{.rate = 0.5}, loud);
  const Node same = model.add("same", Identity{}, alpha);
  const Node calm = model.add("calm", ActivityRegularization{.l1 = 0.5}, same);
  const Node layer = model.add("layer", LayerNormalization{.axis = {1}, .center = false}, calm);
  const Node group = model.add("group", GroupNormalization{.groups = 2}, layer);
  const Node unit = model.add("unit", UnitNormalization{}, group);
  const Node repeated = model.add("repeated", RepeatVector{.n = 2}, unit);
  const Node spatial = model.add("spatial", SpatialDropout1D{.rate = 0.5}, repeated);
  const Node over_steps = model.add("over_steps", Softmax{.axis = 1}, spatial);
  const Node shaped = model.add("shaped", Reshape{.target_shape = {-1}}, over_steps);
  const Node joined = model.add("joined", Concatenate{}, {flat, shaped});
  model.add("output", Dense{.units = 2, .use_bias = false}, joined);
  model.build({.seed = 3});
  return model;
}

}  // namespace

TEST_CASE("A model comes back from a Keras file with its layers and its weights' bits") {
  const auto check_same = []<class S>(const Model<S>& model) {
    const Model<S> again = reload(model);
    CHECK(again.name() == model.name());
    CHECK(again.graph().nodes().size() == model.graph().nodes().size());
    for (const auto& node : model.graph().nodes()) {
      CAPTURE(node.name);
      const auto& same = again.graph()[again.graph().find(node.name)];
      CHECK(same.layer.config() == node.layer.config());
      CHECK(same.layer.type() == node.layer.type());
      CHECK(same.shape() == node.shape());
    }
    for (const Slot& slot : model.graph().layout().all_slots()) {
      CHECK(Tensor<S>(again.weight(slot.name)) == Tensor<S>(model.weight(slot.name)));
    }
    const auto x = random_tensor<S>({5, 4, 3}, 1);
    CHECK(again.predict(x) == model.predict(x));
  };
  check_same(every_layer<float>());
  check_same(every_layer<double>());
}

TEST_CASE("A LeakyReLU is written with the name of its field that all versions of Keras read") {
  Draft draft(every_layer<float>());
  CHECK(draft.layer("leaky")["config"]["alpha"] == 0.25);
  CHECK_FALSE(draft.layer("leaky")["config"].contains("negative_slope"));
  CHECK(draft.layer("over_steps")["config"]["axis"] == Json{1});  // which early versions read
  CHECK(draft.layer("limited")["config"]["max_value"] == 6.0);
  CHECK(draft.layer("unlimited")["config"]["max_value"] == nullptr);
}

TEST_CASE("Several axes go to a .keras alone, because Keras 3 forgets them in an .h5") {
  Model<float> model;
  model.input("x", {3, 2});
  model.add("layer", LayerNormalization{.axis = {1, 2}});
  model.build();
  CHECK(message<ModelError>([&] { keras::save_model(model); }) ==
        "LayerNormalization \"layer\" has several axes, which not every Keras 3 reads from an .h5; "
        "in "
        "a file of the format .keras it can be written");
  Model<float> group;
  group.input("x", {4, 3});
  group.add("group", GroupNormalization{.groups = 2, .axis = 1});
  group.build();
  CHECK(message<ModelError>([&] { keras::save_model(group); })
            .starts_with("GroupNormalization \"group\" has an axis that is not the last, which not "
                         "every Keras 3 reads from an .h5"));
  CHECK_NOTHROW(keras::save_model(group, {}, keras::Format::native));
  const auto again = keras::load_model<float>(keras::save_model(model, {}, keras::Format::native));
  CHECK(again.graph()[1].layer.config() == model.graph()[1].layer.config());
}

TEST_CASE("What Keras saved comes back from heed with the layers in Keras's order") {
  for (const char* name :
       {"keras3_index2", "keras3_branches", "keras2_index2", "keras2_branches"}) {
    CAPTURE(name);
    const auto model = keras::load_model<float>(golden_path(name));
    const Bytes bytes = keras::save_model(model);
    auto order = texts(read_file(golden_path(name)), "model_weights", "layer_names");
    auto saved = texts(bytes, "model_weights", "layer_names");
    for (std::string& layer : order) {  // the one name that heed does not keep
      if (layer.starts_with("cropping")) layer = "flatten_1_crop";
    }
    CHECK(saved == order);
    CHECK(reload(model).weights() == model.weights());
  }
}

TEST_CASE("The order of layers is Keras's, whatever order they were added in") {
  // Keras sorts by the longest way to the output, then as a walk back from the output comes to them.
  Model<float> model;
  const Node x = model.input("x", {2});
  const Node short_way = model.add("short", Dense{.units = 2}, x);
  const Node early = model.add("early", Dense{.units = 2}, x);
  const Node late = model.add("late", Dense{.units = 2}, early);
  const Node other = model.add("other", Dense{.units = 2}, x);
  const Node behind = model.add("behind", Dense{.units = 2}, other);
  model.add("sum", Add{}, {behind, late, short_way});
  model.build();
  CHECK(texts(keras::save_model(model), "model_weights", "layer_names") ==
        std::vector<std::string>{"x", "other", "early", "behind", "late", "short", "sum"});
  const auto native = keras::load_model<float>(keras::save_model(model, {}, keras::Format::native));
  for (const Slot& slot : model.graph().layout().all_slots()) {
    CHECK(Tensor<float>(native.weight(slot.name)) == Tensor<float>(model.weight(slot.name)));
  }
}

TEST_CASE("A block is written as the layers of the reference") {
  for (const bool luong : {false, true}) {
    const auto block =
        luong ? regression_network<float>(Form::block) : index2_network<float>(Form::block);
    const auto functional = luong ? regression_network<float>(Form::functional)
                                  : index2_network<float>(Form::functional);
    REQUIRE(block.weights() == functional.weights());
    const auto loaded = reload(block);
    const std::vector<std::string> expected =
        luong ? std::vector<std::string>{"input_layer",       "lstm",
                                         "last_hidden_state", "attention_score_vec",
                                         "attention_score",   "attention_weight",
                                         "context_vector",    "attention_output",
                                         "attention_vector",  "output"}
              : std::vector<std::string>{"input_layer",
                                         "lstm",
                                         "attention_vec_permute",
                                         "attention_vec_dense",
                                         "attention_vec",
                                         "attention_mul",
                                         "flatten",
                                         "output"};
    CHECK(names(loaded) == expected);
    auto x = random_tensor<float>(block.input_shape().batch(6), 2);
    CHECK(distance(loaded.predict(x), block.predict(x)) <= 1e-6);
    CHECK(distance(loaded.activations(luong ? "attention_weight" : "attention_vec", x),
                   block.activations("attention/weights", x)) <= 1e-6);
    CHECK(distance(loaded.predict(x), functional.predict(x)) <= 1e-6);
  }
}

TEST_CASE("Several blocks of a kind have their own names in front") {
  Model<float> model;
  const Node x = model.input("x", {3, 2});
  const Node a = model.add("a", StepAttention{}, x);
  const Node b = model.add("b", LuongAttention{.units = 2}, a);
  const Node c = model.add("c", LuongAttention{.units = 2}, a);
  const Node d = model.add("attention_vec", Dense{.units = 2}, x);
  const Node e = model.add("e", Flatten{}, d);
  model.add("out", Concatenate{}, {c, b, e});
  model.build({.seed = 9});
  const auto loaded = reload(model);
  CHECK(loaded.graph().find("a_attention_vec") < loaded.graph().nodes().size());
  CHECK(loaded.graph().find("b_attention_weight") < loaded.graph().nodes().size());
  CHECK(loaded.graph().find("c_attention_vector") < loaded.graph().nodes().size());
  const auto sample = random_tensor<float>({4, 3, 2}, 3);
  CHECK(distance(loaded.predict(sample), model.predict(sample)) <= 1e-6);
  CHECK(distance(loaded.activations("c_attention_weight", sample),
                 model.activations("c/weights", sample)) <= 1e-6);
}

TEST_CASE("A block can be the output") {
  Model<float> model;
  model.input({3, 2});
  model.add("attention", LuongAttention{.units = 4});
  model.build();
  CHECK(reload(model).output_shape() == Shape{4});
}

TEST_CASE("A file says where it comes from and what it holds as Keras does") {
  const Bytes bytes = keras::save_model(small_model());
  CHECK(texts(bytes, "", "keras_version") == std::vector<std::string>{"3.0.0"});
  CHECK(texts(bytes, "", "backend") == std::vector<std::string>{"tensorflow"});
  CHECK(texts(bytes, "model_weights", "keras_version") == std::vector<std::string>{"3.0.0"});
  CHECK(texts(bytes, "model_weights/lstm", "weight_names") ==
        std::vector<std::string>{"lstm/lstm_cell/kernel", "lstm/lstm_cell/recurrent_kernel",
                                 "lstm/lstm_cell/bias"});
  CHECK(texts(bytes, "model_weights/flat", "weight_names").empty());
  CHECK(texts(bytes, "model_weights/top_level_model_weights", "weight_names").empty());
  const Json config = Json::parse(texts(bytes, "", "model_config")[0]);
  CHECK(config["class_name"] == "Functional");
  CHECK(config["config"]["input_layers"] == Json::parse(R"([["x", 0, 0]])"));
  CHECK(config["config"]["output_layers"] == Json::parse(R"([["dense", 0, 0]])"));
  CHECK(config["config"]["layers"][0] ==
        Json::parse(R"({"class_name": "InputLayer", "name": "x", "inbound_nodes": [], "config":
                        {"name": "x", "dtype": "float32", "batch_input_shape": [null, 3, 2]}})"));
  CHECK(config["config"]["layers"][2] ==
        Json::parse(R"({"class_name": "Cropping1D", "name": "last_crop",
                        "inbound_nodes": [[["lstm", 0, 0, {}]]],
                        "config": {"name": "last_crop", "dtype": "float32", "cropping": [2, 0]}})"));
  detail::Hdf5File file(bytes, "file");
  CHECK_FALSE(detail::Hdf5Object(file).has_attribute("training_config"));
}

TEST_CASE("What Keras is to train with is written in Keras's words") {
  const auto config = [](const keras::CompileOptions& options) {
    return Json::parse(texts(keras::save_model(small_model(), options), "", "training_config")[0]);
  };
  CHECK(config({.loss = BinaryCrossentropy{}, .metrics = {BinaryAccuracy{}, MeanSquaredError{}}}) ==
        Json::parse(R"({"loss": "binary_crossentropy", "loss_weights": null,
                        "metrics": ["binary_accuracy", "mean_squared_error"],
                        "weighted_metrics": null,
                        "optimizer_config": {"class_name": "Adam", "config":
                          {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07,
                           "learning_rate": 0.001}}})"));
  CHECK(config({.loss = BinaryCrossentropy{.from_logits = true},
                .optimizer = SGD{.momentum = 0.9, .nesterov = true, .clipnorm = 2},
                .metrics = {BinaryAccuracy{.threshold = 0.25}}}) ==
        Json::parse(R"({"loss": {"class_name": "BinaryCrossentropy", "config":
                          {"name": "binary_crossentropy", "from_logits": true,
                           "label_smoothing": 0.0}},
                        "loss_weights": null, "weighted_metrics": null,
                        "metrics": [{"class_name": "BinaryAccuracy", "config":
                          {"name": "binary_accuracy", "threshold": 0.25}}],
                        "optimizer_config": {"class_name": "SGD", "config":
                          {"clipnorm": 2.0, "learning_rate": 0.01, "momentum": 0.9,
                           "nesterov": true}}})"));
  const Json other = config(
      {.loss = CategoricalCrossentropy{.label_smoothing = 0.1},
       .optimizer = RMSprop{.rho = 0.8, .centered = true, .clipvalue = 0.5, .global_clipnorm = 0},
       .metrics = {CategoricalAccuracy{}, std::string_view("auc")}});
  CHECK(other["loss"]["class_name"] == "CategoricalCrossentropy");
  CHECK(other["loss"]["config"]["label_smoothing"] == 0.1);
  CHECK(other["metrics"] == Json{"categorical_accuracy", "auc"});
  CHECK(other["optimizer_config"] ==
        Json::parse(R"({"class_name": "RMSprop", "config": {"centered": true, "clipvalue": 0.5,
                        "epsilon": 1e-07, "learning_rate": 0.001, "momentum": 0.0, "rho": 0.8}})"));
  CHECK(config({.loss = MeanAbsoluteError{}})["loss"] == "mean_absolute_error");
}

TEST_CASE("A model of thousands of layers is written and read") {
  Model<float> model;
  model.input({2});
  for (int i = 0; i < 4100; ++i) model.add(join("d", i), Activation{Activation::linear});
  model.add("output", Dense{.units = 1});
  model.build();
  const Bytes bytes = keras::save_model(model);
  CHECK(texts(bytes, "model_weights", "layer_names0").size() == 4000);
  CHECK(texts(bytes, "model_weights", "layer_names1").size() == 102);
  CHECK(texts(bytes, "", "model_config")[0].size() > 65536);
  CHECK(keras::load_model<float>(bytes).weights() == model.weights());
}

TEST_CASE("What a Keras file cannot say is an error") {
  Model<float> model("m");
  const Node x = model.input("x", {2});
  CHECK(message<ModelError>([&] { keras::save_model(model); }) ==
        "model \"m\" is saved before build()");
  const Node a = model.add("a", Dense{.units = 1}, x);
  model.add("b", Dense{.units = 1}, x);
  model.set_output(a);
  model.build();
  CHECK(message<ModelError>([&] { keras::save_model(model); }) ==
        "model \"m\": the layer \"b\" does not lead to the output, and Keras files cannot contain "
        "such a layer");
  Model<float> twice("m");
  twice.input({3, 2});
  twice.add("last_crop", LSTM{.units = 2, .return_sequences = true});
  twice.add("last", LastStep{});
  twice.build();
  CHECK(message<ModelError>([&] { keras::save_model(twice); }) ==
        "model \"m\": the Keras file would have two layers named \"last_crop\", one of them part "
        "of another layer; rename the layer");
  Model<float> strange;
  strange.input({2});
  strange.add("\xff", Dense{.units = 1});
  strange.build();
  CHECK(message<FileError>([&] { keras::save_model(strange); }) ==
        "Dense \"\xff\" contains text that is not UTF-8");
}

TEST_CASE("A Keras file takes the place of an old one as a whole") {
  const TemporaryFolder folder;
  keras::save_model(small_model(), folder / "m.h5");
  keras::save_model(small_model(), folder / "m.h5", {.loss = MeanSquaredError{}});
  CHECK(folder.names() == std::vector<std::string>{"m.h5"});
  CHECK(keras::load_model<float>(folder / "m.h5").weights() == small_model().weights());
  const auto path = folder / "none" / "m.h5";
  CHECK(message<FileError>([&] { keras::save_model(small_model(), path); }) ==
        path.string() + " cannot be written: No such file or directory");
}

TEST_CASE("A Keras file that cannot be written leaves the old one whole") {
  const TemporaryFolder folder;
  for (const std::string name : {"m.h5", "m.keras"}) {
    const auto path = folder / name;
    keras::save_model(small_model(), path);
    const auto bytes = read_file(path);
    std::filesystem::permissions(path, std::filesystem::perms(0666));
    const auto save = [&] { keras::save_model(small_model(), path, {.loss = MeanSquaredError{}}); };
    std::string full, locked;
    {
      const FullDisk disk(100);
      full = message<FileError>(save);
    }
    {
      const ReadOnlyFolder protected_folder(folder.path());
      locked = message<FileError>(save);
    }
    CHECK(full == path.string() + " cannot be written: File too large");
    CHECK(locked == path.string() + " cannot be written: Permission denied");
    CHECK(read_file(path) == bytes);
    save();
    CHECK(read_file(path) != bytes);
  }
  CHECK(folder.names() == std::vector<std::string>{"m.h5", "m.keras"});
}

}  // namespace heed::keras_save_model_test
