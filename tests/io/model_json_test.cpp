#include <heed/io/model_json.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::model_json_test {

using heed::testing::message;
using nlohmann::json;

namespace {

Model<float> branchy() {
  Model<float> model("größe");
  const Node x = model.input("x", {4, 3});
  const Node a = model.add("a", Dense{.units = 2, .activation = Activation::tanh}, x);
  const Node b = model.add("b", Dense{.units = 2}, x);
  const Node sum = model.add("sum", Add{}, {b, a, b});
  model.add("unused", Flatten{}, a);
  model.set_output(sum);
  return model;
}

/// The model above as JSON of the kind that comes from a file.
json branchy_json() { return parse_json(model_to_json(branchy()).dump(), "file"); }

/// What is said of that JSON after a change.
template <class Change>
std::string refusal(const Change& change) {
  json changed = branchy_json();
  change(changed);
  return message<FileError>([&] { model_from_json<float>(changed, {}, "file"); });
}

std::string layer_refusal(const json& layer) {
  return refusal([&](json& model) { model["layers"][2] = layer; });
}

/// What is said of layers in a row behind an input.
std::string chain_refusal(const std::vector<Index>& input,
                          const std::vector<std::pair<std::string, json>>& layers) {
  json model = branchy_json();
  model["layers"] = json::array();
  std::string last;
  const auto add = [&](const std::string& type, const json& config, const json& inputs) {
    last = join("l", model["layers"].size());
    model["layers"].push_back(
        {{"type", type}, {"name", last}, {"config", config}, {"inputs", inputs}});
  };
  add("InputLayer", {{"shape", input}}, json::array());
  for (const auto& [type, config] : layers) add(type, config, json::array({last}));
  model["output"] = last;
  return message<FileError>([&] { model_from_json<float>(model, {}, "file"); });
}

}  // namespace

TEST_CASE("A model is written as JSON, layer by layer") {
  Model<float> model("small");
  model.input({3});
  model.add("out", Dropout{.rate = 0.25});
  CHECK(model_to_json(model).dump() ==
        "{\"format\":\"heed\",\"format_version\":1,\"name\":\"small\",\"scalar\":\"float32\","
        "\"layers\":[{\"type\":\"InputLayer\",\"name\":\"input_layer\",\"config\":{\"shape\":[3]},"
        "\"inputs\":[]},{\"type\":\"Dropout\",\"name\":\"out\",\"config\":{\"rate\":0.25},"
        "\"inputs\":[\"input_layer\"]}],\"output\":\"out\"}");
}

TEST_CASE("A model is made again from JSON, with its branches, its output and its name") {
  const Model<float> model = branchy();
  const Model<float> again = model_from_json<float>(branchy_json());
  CHECK(again.name() == "größe");
  CHECK(!again.is_built());
  CHECK(again.graph().output() == 3);
  REQUIRE(again.graph().nodes().size() == model.graph().nodes().size());
  for (std::size_t i = 0; i < model.graph().nodes().size(); ++i) {
    CAPTURE(i);
    const auto& a = model.graph()[i];
    const auto& b = again.graph()[i];
    CHECK(a.name == b.name);
    CHECK(a.layer.key() == b.layer.key());
    CHECK(a.layer.config() == b.layer.config());
    CHECK(a.inputs == b.inputs);
    CHECK(a.shape() == b.shape());
  }
  CHECK(again.summary() == model.summary());
  CHECK(model_to_json(again) == model_to_json(model));
}

TEST_CASE("A model without layers, and one that JSON cannot say, are not written") {
  CHECK(message<ModelError>([] { model_to_json(Model<float>("empty")); }) ==
        "model \"empty\" has no layers to save");
  Model<float> model;
  model.input({3});
  model.add("\xff", Flatten{});
  CHECK(message<FileError>([&] { model_to_json(model); }) ==
        "Flatten \"\xff\" contains text that is not UTF-8");
}

TEST_CASE("JSON that is not a model is refused") {
  const auto said = [](const json& value) {
    return message<FileError>([&] { model_from_json<float>(value, {}, "file"); });
  };
  CHECK(said(3) == "file: the model is not a JSON object");
  CHECK(said(json::object()) == "file: the model has no string \"format\"");
  CHECK(refusal([](json& m) { m["format"] = "keras"; }) ==
        "file: the model is not of the format \"heed\"");
  for (const json& version : {json(0), json(2), json(1.5), json("1"), json()}) {
    CHECK(refusal([&](json& m) { m["format_version"] = version; }) ==
          "file: the model does not have format_version 1, the only one that this version of heed "
          "reads");
  }
  CHECK(refusal([](json& m) { m.erase("format_version"); }) ==
        "file: the model does not have format_version 1, the only one that this version of heed "
        "reads");
  CHECK(refusal([](json& m) { m.erase("output"); }) == "file: the model has no \"output\"");
  CHECK(refusal([](json& m) { m["output"] = nullptr; }) ==
        "file: the model has the output null, expected the name of a layer, or its name and the "
        "number of an output");
  for (const std::string key : {"format", "name", "layers"}) {
    const std::string type = key == "layers" ? "array" : "string";
    const std::string expected = "file: the model has no " + type + " \"" + key + "\"";
    CHECK(refusal([&](json& m) { m.erase(key); }) == expected);
    CHECK(refusal([&](json& m) { m[key] = nullptr; }) == expected);
  }
  CHECK(refusal([](json& m) { m["layers"] = json::array(); }) ==
        "file: the model has the output \"sum\", which is not the name of an earlier layer");
  CHECK(refusal([](json& m) { m["output"] = "nobody"; }) ==
        "file: the model has the output \"nobody\", which is not the name of an earlier layer");
  CHECK(refusal([](json& m) { m["later"] = "unknown keys are passed over"; }) ==
        "(nothing thrown)");
}

TEST_CASE("A layer that is not described rightly is refused by its place or its name") {
  CHECK(layer_refusal(nullptr) == "file: layer 3 is not an object");
  CHECK(layer_refusal(json::object()) == "file: layer 3 has no string \"type\"");
  CHECK(layer_refusal({{"type", "Dense"}}) == "file: layer 3 has no string \"name\"");
  CHECK(layer_refusal({{"type", "Dense"}, {"name", "b"}}) ==
        "file: Dense \"b\" has no array \"inputs\"");
  const auto with = [](const json& change) {
    json layer = branchy_json()["layers"][2];
    layer.update(change);
    return layer_refusal(layer);
  };
  CHECK(with({{"name", ""}}) == "file: Dense \"\" has an empty name");
  CHECK(with({{"name", "a"}}) == "file: the name \"a\" is taken by Dense \"a\"");
  CHECK(with({{"name", "a/b"}}) == "file: expected a layer name without \"/\", got \"a/b\"");
  CHECK(
      with({{"inputs", {1}}}) ==
      "file: Dense \"b\" takes its input from 1, expected the name of a layer, or its name and the "
      "number of an output");
  CHECK(with({{"config", nullptr}}) == "file: Dense \"b\" has no object \"config\"");
  CHECK(with({{"config", {{"units", "2"}}}}) ==
        "file: Dense \"b\": \"units\" has a value of the wrong type");
  CHECK(with({{"config", {{"units", nullptr}}}})
            .starts_with("file: Dense \"b\": expected \"units\" to be "));
  CHECK(with({{"config", {{"units", 0}}}}) ==
        "file: Dense \"b\": expected units of at least 1, got 0");
  CHECK(with({{"type", "Sense"}})
            .starts_with("file: Sense \"b\": the layer type \"Sense\" is unknown; "));
  CHECK(with({{"type", "Permute"}, {"config", {{"dims", {2}}}}}) ==
        "file: Permute \"b\": expected dims that contain each of 1 to 1 once, got (2)");
}

TEST_CASE("An input has to be a layer further in front, so that no model runs in circles") {
  const auto said = [](const json& inputs) {
    return refusal([&](json& m) { m["layers"][2]["inputs"] = inputs; });
  };
  const std::string front = ", which is not the name of an earlier layer";
  CHECK(said({"b"}) == "file: Dense \"b\" takes its input from \"b\"" + front);
  CHECK(said({"sum"}) == "file: Dense \"b\" takes its input from \"sum\"" + front);
  CHECK(said({"nobody"}) == "file: Dense \"b\" takes its input from \"nobody\"" + front);
  CHECK(said(json::array()) ==
        "file: Dense \"b\" has 0 inputs: an InputLayer has none, and every other layer has some");
  CHECK(said({"x", "a"}) == "file: Dense \"b\": expected one input, got 2");
}

TEST_CASE("A model has an input layer, which comes before what reads it") {
  const json input = branchy_json()["layers"][0];
  CHECK(refusal([&](json& m) {
          m["layers"].erase(0);
        }).starts_with("file: Dense \"a\" takes its input from \"x\""));
  CHECK(refusal([&](json& m) {
          m["layers"][2] = input;
          m["layers"][2]["name"] = "b";
        }) == "file: Add \"sum\": expected inputs of the same shape, got (4, 3) and (4, 2)");
  CHECK(refusal([&](json& m) { m["layers"][2]["type"] = "InputLayer"; }) ==
        "file: InputLayer \"b\" has 1 inputs: an InputLayer has none, and every other layer has "
        "some");
}

TEST_CASE("Layers that do not fit each other are refused by name") {
  CHECK(refusal([](json& m) {
          m["layers"][2]["config"]["units"] = 3;
        }).starts_with("file: Add \"sum\": expected inputs of the same shape, got "));
}

TEST_CASE("Numbers too large for arithmetic are refused, and nothing is computed with them") {
  const Index most = std::numeric_limits<Index>::max();
  constexpr int bits = std::numeric_limits<Index>::digits;
  const Index large = Index{1} << (bits - 1);
  const auto refused = [](const std::string& text) { return text.starts_with("file: "); };
  CHECK(refused(chain_refusal({1, 1}, {{"LSTM", {{"units", large}}}})));
  CHECK(refused(chain_refusal({1, 1}, {{"LSTM", {{"units", most}}}})));
  CHECK(refused(chain_refusal({1, large}, {{"LuongAttention", {{"units", 1}}}})));
  CHECK(refused(chain_refusal({most, 1}, {{"StepAttention", json::object()}})));
  CHECK(refused(chain_refusal({6}, {{"Reshape", {{"target_shape", {large, large}}}}})));
  CHECK(refused(chain_refusal({6}, {{"Reshape", {{"target_shape", {large, large, -1}}}}})));
  CHECK(refused(chain_refusal({6}, {{"Reshape", {{"target_shape", {2, 0, large, large, 5}}}}})));
  CHECK(refused(chain_refusal({2}, {{"RepeatVector", {{"n", most}}}})));
  CHECK(refused(chain_refusal({1}, {{"Dense", {{"units", large}}},
                                    {"Reshape", {{"target_shape", {1, -1}}}},
                                    {"LuongAttention", {{"units", 1}}}})));
  CHECK(refused(chain_refusal({most, most}, {{"Flatten", json::object()}})));
  for (const Index axis : {most, std::numeric_limits<Index>::min()}) {
    CHECK(refused(refusal([&](json& m) {
      m["layers"][3]["type"] = "Concatenate";
      m["layers"][3]["config"] = {{"axis", axis}};
    })));
    CHECK(refused(refusal([&](json& m) {
      m["layers"][3]["type"] = "Dot";
      m["layers"][3]["config"] = {{"axes", {axis, axis}}};
      m["layers"][3]["inputs"] = {"a", "b"};
    })));
  }
  // Each layer for itself is within bounds; the length of all together is not.
  CHECK(refused(refusal([&](json& m) {
    m["layers"][0]["config"]["shape"] = {1, Index{1} << (bits - 4)};
    m["layers"][3]["type"] = "Concatenate";
    m["layers"][3]["config"] = {{"axis", 2}};
    m["layers"][3]["inputs"] = std::vector<std::string>(20, "x");
  })));
  json wide = branchy_json();
  for (int i = 0; i < 20; ++i) {
    json layer = wide["layers"][2];
    layer["name"] = join("wide", i);
    layer["config"]["units"] = Index{1} << (bits - 6);
    wide["layers"].push_back(layer);
  }
  CHECK(message<FileError>([&] {
          model_from_json<float>(wide, {}, "file");
        }).ends_with("the model has more weights than can be counted"));
}

TEST_CASE("Several inputs and outputs, states, shared and frozen layers and any length survive") {
  Model<double> model("twins");
  const Node left = model.input("left", {any, 3});
  const Node right = model.input("right", {any, 3});
  const Node encoder = model.add("encoder", LSTM{.units = 2, .return_state = true}, left);
  const Node other = model.share("twin", encoder, {right});
  const Node sum = model.add("sum", Add{}, {encoder, other});
  model.add("both", Concatenate{}, {Node{encoder.index, 1}, Node{other.index, 2}});
  model.set_outputs({sum, Node{other.index, 2}});
  model.set_trainable("encoder", false);
  model.build({.seed = 1});
  const auto saved = model_to_json(model);
  auto again = model_from_json<double>(saved);
  CHECK(model_to_json(again) == saved);
  again.set_weights(model.weights().values());
  const auto a = testing::random_tensor({2, 4, 3}, 1), b = testing::random_tensor({2, 5, 3}, 2);
  CHECK(again.predict_all({a, b}) == model.predict_all({a, b}));
  CHECK_FALSE(again.graph()[encoder.index].trains);

  const auto refused = [&](const char* layer, const char* key, const nlohmann::json& value) {
    auto broken = nlohmann::json(saved);
    for (auto& entry : broken["layers"]) {
      if (entry["name"] == layer) entry[key] = value;
    }
    return testing::message<FileError>([&] { model_from_json<double>(broken); });
  };
  CHECK(refused("twin", "shares", "sum").find("shares the weights of") != std::string::npos);
  CHECK(refused("twin", "shares", "left") ==
        "memory: LSTM \"twin\" shares the weights of InputLayer \"left\", which has another "
        "configuration");
  CHECK(refused("both", "inputs", {{"encoder", 3u}, "twin"}) ==
        "memory: Concatenate \"both\": expected one of the 3 outputs of LSTM \"encoder\", "
        "got output 3");
  CHECK(refused("twin", "trainable", 1).find("not true or false") != std::string::npos);
}

}  // namespace heed::model_json_test
