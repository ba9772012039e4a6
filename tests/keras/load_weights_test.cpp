#include "keras/files.hpp"
#include "support/networks.hpp"
#include "support/temporary_folder.hpp"

namespace heed::keras_load_weights_test {

using namespace testing;

namespace {

/// The networks of the golden files in heed's form, with the file's names for what the reference
/// leaves unnamed.
Model<float> index2_block(const std::string& file) {
  const bool keras_2 = file == "keras2_index2";
  Model<float> model;
  model.input({5, 2});
  model.add("lstm", LSTM{.units = 3, .return_sequences = true});
  model.add("attention", StepAttention{});
  model.add(Flatten{});
  model.add(keras_2 ? "dense_1" : "dense_1", Dense{.units = 1, .activation = Activation::sigmoid});
  return model;
}

Model<float> regression_block() {
  Model<float> model;
  model.input({6, 1});
  model.add("lstm_1", LSTM{.units = 4, .return_sequences = true});
  model.add("attention", LuongAttention{.units = 3});
  model.add("dense_2", Dense{.units = 1});
  return model;
}

/// Two blocks of each kind.
Model<float> two_of_each() {
  Model<float> model("four");
  const Node x = model.input("x", {3, 2});
  const Node a = model.add("a", StepAttention{}, x);
  const Node b = model.add("b", StepAttention{.use_bias = false}, a);
  const Node c = model.add("c", LuongAttention{.units = 2}, b);
  const Node d = model.add("d", LuongAttention{.units = 2}, x);
  model.add("sum", Add{}, {c, d});
  return model;
}

std::string refusal(Model<float>& model, const Bytes& bytes,
                    const keras::WeightOptions& options = {}) {
  const Arena<float> before(model.weights());
  const bool was_built = model.is_built();
  const auto said = message<Error>([&] { keras::load_weights(model, bytes, options, "m.h5"); });
  CHECK(model.is_built() == was_built);
  CHECK(model.weights() == before);
  return said;
}

}  // namespace

TEST_CASE("A StepAttention takes the weights of the Dense in front of attention_vec") {
  for (const char* name : {"keras3_index2", "keras2_index2"}) {
    CAPTURE(name);
    Model<float> model = index2_block(name);
    keras::load_weights(model, golden_path(name));
    const Bytes bytes = read_file(golden_path(name));
    const auto x = dataset(bytes, "golden/x");
    CHECK(distance(model.predict(x), dataset(bytes, "golden/y")) <= 1e-6);
    CHECK(distance(model.activations("attention/weights", x), dataset(bytes, "golden/attention")) <=
          1e-6);
  }
}

TEST_CASE("A LuongAttention takes the weights of attention_score_vec and attention_vector") {
  for (const char* name : {"keras3_regression", "keras2_regression"}) {
    CAPTURE(name);
    Model<float> model = regression_block();
    keras::load_weights(model, golden_path(name));
    const Bytes bytes = read_file(golden_path(name));
    const auto x = dataset(bytes, "golden/x");
    CHECK(distance(model.predict(x), dataset(bytes, "golden/y")) <= 1e-6);
    CHECK(distance(model.activations("attention/weights", x), dataset(bytes, "golden/attention")) <=
          1e-6);
  }
}

TEST_CASE("Weights that Keras 3 saved alone go into a model of the same layers") {
  for (const std::string name : {"keras3_sequential", "keras3_names"}) {
    CAPTURE(name);
    const auto whole = keras::load_model<float>(golden_path(name));
    for (const char* extension : {".weights.h5", ".keras"}) {
      CAPTURE(extension);
      auto model = whole;
      model.weights().set_zero();
      keras::load_weights(model, golden_path(name).replace_extension(extension));
      CHECK(model.weights() == whole.weights());
    }
  }
  // Names may be others, and the model need not be built.
  const auto whole = keras::load_model<float>(golden_path("keras3_sequential"));
  Model<float> model("own names");
  model.input("x", {4, 3});
  model.add("first", LSTM{.units = 2, .return_sequences = true, .go_backwards = true});
  model.add("second", LSTM{.units = 3,
                           .activation = Activation::relu,
                           .recurrent_activation = Activation::softsign,
                           .use_bias = false});
  model.add("third", Dense{.units = 2, .activation = Activation::softmax});
  const auto path = golden_path("keras3_sequential").replace_extension(".weights.h5");
  keras::load_weights(model, path);
  CHECK(model.weights() == whole.weights());

  Model<float> block;
  block.input({4, 2});
  block.add("steps", StepAttention{});
  block.add("last", LuongAttention{.units = 3});
  block.build({.seed = 2});
  auto again = block;
  again.weights().set_zero();
  keras::load_weights(again, keras::save_model(block, {}, keras::Format::native));
  CHECK(again.weights() == block.weights());
}

TEST_CASE("Weights that Keras 3 saved alone are those of the model's layers, each and no more") {
  const auto refusal = [](Model<float> model, const keras::WeightOptions& options = {}) {
    const auto bytes = read_file(golden_path("keras3_sequential").replace_extension(".weights.h5"));
    return message<FileError>([&] { keras::load_weights(model, bytes, options, "m.weights.h5"); });
  };
  auto model = keras::load_model<float>(golden_path("keras3_sequential"));
  CHECK(refusal(model) == "(nothing thrown)");
  CHECK(refusal(model, {.layers = {{"dense_3", "x"}}}) ==
        "m.weights.h5 numbers its layers instead of naming them, so {.layers = …} cannot be used");
  Model<float> fewer;
  fewer.input({4, 3});
  fewer.add("one", LSTM{.units = 2, .return_sequences = true});
  CHECK(refusal(fewer) ==
        "m.weights.h5: \"/layers/dense\" has weights for which the model has no layer");
  Model<float> more;
  more.input({4, 3});
  more.add(LSTM{.units = 2, .return_sequences = true});
  more.add(LSTM{.units = 3, .use_bias = false});
  more.add(Dense{.units = 2});
  more.add("more", Dense{.units = 2});
  CHECK(refusal(more) ==
        "m.weights.h5: Dense \"more\" has no weights: the file has no group "
        "\"layers/dense_1/vars\"");
  const auto bytes = read_file(golden_path("keras3_sequential").replace_extension(".weights.h5"));
  CHECK(
      message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.weights.h5"); }) ==
      "m.weights.h5 contains no model: it has no attribute model_config; keras::load_weights loads "
      "weights into a model of your own, and keras::load_model(\"model.json\", "
      "\"weights.h5\") reads the model from a file beside it");
}

TEST_CASE("Weights come back to the model they were saved from, blocks and all") {
  Model<float> model = two_of_each();
  model.build({.seed = 3});
  const Bytes bytes = keras::save_model(model);
  Model<float> other = two_of_each();
  keras::load_weights(other, bytes);
  CHECK(other.weights() == model.weights());
  Model<float> small = small_model();
  small.weights().set_zero();
  const TemporaryFolder folder;
  keras::save_model(small_model(), folder / "m.h5");
  keras::load_weights(small, folder / "m.h5");
  CHECK(small.weights() == small_model().weights());
}

TEST_CASE("Layers of other names are named in the options") {
  Model<float> model;
  model.input({6, 1});
  model.add("rnn", LSTM{.units = 4, .return_sequences = true});
  model.add("block", LuongAttention{.units = 3});
  model.add("head", Dense{.units = 1});
  const Bytes bytes = read_file(golden_path("keras3_regression"));
  CHECK(
      refusal(model, bytes) ==
      "m.h5 has weights for other layers than the model: it lacks \"head\", \"rnn\", and the model "
      "lacks \"dense_2\", \"lstm_1\"");
  keras::load_weights(
      model, bytes,
      {.layers = {
           {"rnn", "lstm_1"}, {"block/score_kernel", "attention_score_vec"}, {"head", "dense_2"}}});
  CHECK(model.weights() == [] {
    Model<float> same = regression_block();
    keras::load_weights(same, golden_path("keras3_regression"));
    return Arena<float>(same.weights());
  }());
  CHECK(refusal(model, bytes, {.layers = {{"nothing", "lstm_1"}}}) ==
        "{.layers = …}: model \"model\" has no layer or weight \"nothing\"");
  CHECK(refusal(model, bytes, {.layers = {{"rnn/nothing", "lstm_1"}}}) ==
        "{.layers = …}: model \"model\" has no layer or weight \"rnn/nothing\"");
  CHECK(refusal(model, bytes,
                {.layers = {{"rnn", "lstm_1"}, {"head", "dense_2"}, {"block", "dense_2"}}})
            .find("the model lacks \"attention_score_vec\", \"attention_vector\"") !=
        std::string::npos);
}

TEST_CASE("The Dense of a StepAttention can be named where the file does not say it") {
  Model<float> model = index2_block("keras3_index2");
  model.build();
  Draft draft(model);
  draft.remove("model_config");
  const Bytes bytes = draft.bytes();
  Model<float> other = index2_block("keras3_index2");
  CHECK(refusal(other, bytes) ==
        "m.h5 has no model_config in which to find the Dense before \"attention_vec\"; name it: "
        "load_weights(model, …, {.layers = {…}})");
  keras::load_weights(other, bytes, {.layers = {{"attention", "attention_vec_dense"}}});
  CHECK(other.weights() == model.weights());
}

TEST_CASE("A file without the layers of a StepAttention is an error") {
  Model<float> model = index2_block("keras3_index2");
  CHECK(refusal(model, keras::save_model(small_model())) ==
        "m.h5 has no layer \"attention_vec\", which would follow the Dense of a StepAttention; "
        "name that Dense: load_weights(model, …, {.layers = {…}})");
}

TEST_CASE("Weights alone, as Keras 2 saves them, fill a model") {
  Draft draft(small_model());
  const detail::Hdf5Group weights = draft.weights();
  const Bytes bytes = detail::Hdf5Writer::write(weights);
  Model<float> model = small_model();
  model.weights().set_zero();
  keras::load_weights(model, bytes);
  CHECK(model.weights() == small_model().weights());
  CHECK(message<FileError>([&] { keras::load_model<float>(bytes); }).find("contains no model") !=
        std::string::npos);
}

TEST_CASE("Nothing changes in a model that the weights do not fit") {
  Model<float> model = small_model();
  Draft draft(small_model());
  draft.weights().groups["dense"].groups["dense"].datasets["bias"].shape = {1, 1};
  CHECK(refusal(model, draft.bytes()).find("has the shape (1, 1)") != std::string::npos);
  Model<float> fresh("fresh");
  fresh.input({3, 2});
  fresh.add("lstm", LSTM{.units = 2});
  CHECK(refusal(fresh, keras::save_model(small_model())) ==
        "m.h5 has weights for other layers than the model: the model lacks \"dense\"");
}

TEST_CASE("A list of names that Keras spread over several attributes is put together") {
  Draft draft(small_model());
  auto& attributes = draft.weights().attributes;
  const auto names = attributes.back().texts;
  attributes.pop_back();
  attributes.push_back({"layer_names0", {names.begin(), names.begin() + 3}, true});
  attributes.push_back({"layer_names1", {names.begin() + 3, names.end()}, true});
  Model<float> model = small_model();
  model.weights().set_zero();
  keras::load_weights(model, draft.bytes());
  CHECK(model.weights() == small_model().weights());
}

}  // namespace heed::keras_load_weights_test
