#include "keras/files.hpp"

namespace heed::keras_operators_test {

using namespace testing;

namespace {

/// The small model with its LastStep as `lstm[said]`, in a form of Keras's.
struct Sliced {
  explicit Sliced(const Json& class_name, const Json& nodes) : draft(small_model()) {
    Json& layers = draft.layers();
    layers.erase(std::find_if(layers.begin(), layers.end(),
                              [](const Json& layer) { return layer["name"] == "last_crop"; }));
    Json& layer = draft.layer("last");
    layer["class_name"] = class_name;
    layer["config"] = {{"name", "last"}};
    layer["inbound_nodes"] = nodes;
  }
  Draft<> draft;
};

Json keras_tensor(const std::string& layer) {
  return {{"class_name", "__keras_tensor__"}, {"config", {{"keras_history", {layer, 0, 0}}}}};
}

Json slice(const Json& start = nullptr, const Json& stop = nullptr, const Json& step = nullptr) {
  return {{"class_name", "__slice__"},
          {"config", {{"start", start}, {"stop", stop}, {"step", step}}}};
}

/// The shape that `x[said]` of samples of (3, 2) has, and whether it is the last step; or what is said of it.
std::string taken(const Json& said) {
  std::string result;
  const auto error = message<FileError>([&] {
    detail::at_place("here", [&] {
      const Slice part = detail::slice_from_keras(said, {3, 2});
      const bool last = detail::takes_last_step(part, {3, 2});
      result = join(part.output_shape({3, 2}), last ? " last" : "");
    });
  });
  return result.empty() ? error : result;
}

}  // namespace

TEST_CASE("Slices, products and sums that Keras 3 and Keras 2 saved are read") {
  for (const char* name : {"keras3_operators", "keras2_operators"}) {
    CAPTURE(name);
    const Bytes bytes = read_file(golden_path(name));
    const auto model = keras::load_model<double>(golden_path(name));
    CHECK(distance(model.predict(dataset<double>(bytes, "golden/x")),
                   dataset<double>(bytes, "golden/y")) <= 1e-6);
    const auto count = [&](std::string_view type) {
      const auto& nodes = model.graph().nodes();
      return std::count_if(nodes.begin(), nodes.end(),
                           [&](const auto& node) { return node.layer.type() == type; });
    };
    CHECK(count("LastStep") == 1);
    CHECK(count("Slice") == 5);
    CHECK(count("Multiply") == 1);
    CHECK(count("Add") == 1);
  }
  const auto native =
      keras::load_model<float>(golden_path("keras3_operators").replace_extension(".keras"));
  CHECK(native.weights() == keras::load_model<float>(golden_path("keras3_operators")).weights());
}

TEST_CASE("Operators of two tensors are the layers that do the same") {
  const auto read = [](const std::string& class_name, const Json& config, bool keras_3) {
    Model<float> model;
    const Node x = model.input("x", {3});
    const Node a = model.add("a", Dense{.units = 3}, x);
    const Node b = model.add("b", Dense{.units = 3}, x);
    model.add("y", Add{}, {a, b});
    model.build();
    Draft draft(model);
    Json& layer = draft.layer("y");
    layer["class_name"] = class_name;
    layer["config"] = config;
    layer["config"]["name"] = "y";
    if (keras_3) {
      layer["inbound_nodes"] = {
          {{"args", {keras_tensor("a"), keras_tensor("b")}}, {"kwargs", Json::object()}}};
    } else {
      layer["inbound_nodes"] = Json::array({Json::array({"a", 0, 0, {{"y", {"b", 0, 0}}}})});
    }
    const auto loaded = keras::load_model<float>(draft.bytes());
    return std::string(loaded.graph()[loaded.graph().find("y")].layer.type());
  };
  for (const char* type : {"Add", "Maximum", "Minimum", "Multiply", "Subtract"}) {
    CHECK(read(type, Json::object(), true) == type);
  }
  for (const auto& [function, type] :
       std::vector<std::pair<std::string, std::string>>{{"math.add", "Add"},
                                                        {"__operators__.add", "Add"},
                                                        {"math.maximum", "Maximum"},
                                                        {"math.minimum", "Minimum"},
                                                        {"math.multiply", "Multiply"},
                                                        {"math.subtract", "Subtract"}}) {
    CHECK(read("TFOpLambda", {{"function", function}}, false) == type);
  }
}

TEST_CASE("A Slice goes to Keras's files and comes back as what it computes") {
  const auto model = keras::load_model<float>(golden_path("keras3_operators"));
  const auto x = random_tensor<float>({4, 4, 3}, 1);
  for (const auto format : {keras::Format::hdf5, keras::Format::native}) {
    const auto again = keras::load_model<float>(keras::save_model(model, {}, format));
    CHECK(again.predict(x) == model.predict(x));
  }
  Model<float> deep;
  const Node in = deep.input("x", {2, 3, 4});
  deep.add("part", Slice{.begin = {1, 0, 1}, .end = {0, 2, -1}, .squeeze = {1}}, in);
  deep.build();
  const auto again = keras::load_model<float>(keras::save_model(deep));
  const auto y = random_tensor<float>({2, 2, 3, 4}, 2);
  CHECK(again.predict(y) == deep.predict(y));
}

TEST_CASE("A part that is taken means what it means in Python") {
  const Json all = slice();
  CHECK(taken({all, -1, all}) == "(2) last");
  CHECK(taken({all, 2}) == "(2) last");
  CHECK(taken({all, 1}) == "(2)");
  CHECK(taken({all, slice(1, 3)}) == "(2, 2)");
  CHECK(taken({all, slice(-2, 99)}) == "(2, 2)");
  CHECK(taken({all, slice(0, -1, 1), slice(1, nullptr)}) == "(2, 1)");
  CHECK(taken({{{"class_name", "__ellipsis__"}}, 0}) == "(3)");
  CHECK(taken(Json{{"class_name", "__ellipsis__"}}) == "(3, 2)");
  CHECK(taken({all, {{"class_name", "__ellipsis__"}}, all, all}) == "(3, 2)");
  CHECK(taken({all, all, all, {{"class_name", "__ellipsis__"}}}) == "(3, 2)");
  CHECK(taken({{{"start", nullptr}, {"stop", nullptr}, {"step", nullptr}}, -3}) == "(2)");
  CHECK(taken({all, slice(nullptr, nullptr, 2)}) ==
        "here: it has a stride of 2, but heed's Slice has no stride");
  CHECK(taken({all, slice(nullptr, nullptr, -1)}) ==
        "here: it has a stride of -1, but heed's Slice has no stride");
  CHECK(taken({0, all}) == "here: it has 0 in place of a range, which no layer of heed supports");
  CHECK(taken({slice(1, nullptr)}) == "here: it slices the axis of samples");
  CHECK(taken({all, nullptr}) ==
        "here: it has null in place of a range, which no layer of heed supports");
  CHECK(taken({all, 3}) == "here: it takes position 3 of an axis of 3");
  CHECK(taken({all, -4}) == "here: it takes position -4 of an axis of 3");
  CHECK(taken({all, slice(0, 0)}) == "here: it leaves nothing of axis 1");
  CHECK(taken({all, slice(2, 1)}) == "here: expected a part of axis 1, got 2 to 1 of (3, 2)");
  CHECK(taken({all, all, all, all}) ==
        "here: it slices 4 axes, but its input has 3, including the batch axis");
}

TEST_CASE("An operator with a number is refused, and can be replaced by a layer") {
  const Json tensor = keras_tensor("lstm");
  for (const Json& nodes :
       {Json{{{"args", {tensor, 2.0}}, {"kwargs", Json::object()}}},
        Json{{"lstm", 0, 0, {{"y", 2.0}, {"name", nullptr}}}},
        Json{{"_CONSTANT_VALUE", -1, 2.0, {{"y", {"lstm", 0, 0}}, {"name", nullptr}}}}}) {
    CAPTURE(nodes.dump());
    const bool keras_2 = nodes[0].is_array();
    Sliced file(keras_2 ? "TFOpLambda" : "Multiply", nodes);
    if (keras_2) file.draft.layer("last")["config"]["function"] = "math.multiply";
    const Bytes bytes = file.draft.bytes();
    CHECK(message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.h5"); })
              .find("\"last\": it combines its input with a number, for which heed has no layer; "
                    "replace it with a layer of your own, {.layers = …}") != std::string::npos);
    const auto model = keras::load_model<float>(
        bytes, {.layers = {{"last", AnyLayer<float>(LastStep{})}}}, "m.h5");
    const auto x = random_tensor<float>({4, 3, 2}, 1);
    CHECK(model.predict(x) == small_model().predict(x));
  }
}

TEST_CASE("Numbers as numpy and Python write them are read") {
  const auto load = [](const std::string& type, const std::string& config) {
    Model<float> model("row");
    model.input("x", {4});
    model.add("here", Activation{Activation::relu});
    model.build();
    Draft draft(model);
    draft.layer("here")["class_name"] = type;
    draft.layer("here")["config"] = {{"name", "here"}, {"said", 1}};
    std::string text = draft.config.dump();
    const std::string said = "\"said\":1";
    text.replace(text.find(said), said.size(), config);
    draft.text("model_config") = text;
    const Bytes bytes = detail::Hdf5Writer::write(draft.root);
    return message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.h5"); });
  };
  CHECK(load("ReLU", R"("max_value": null, "negative_slope": {"type": "ndarray", "value": 0.0},
                        "threshold": {"type": "ndarray", "value": 0.0})") == "(nothing thrown)");
  CHECK(load("ELU", R"("alpha": {"type": "ndarray", "value": 0.5})") == "(nothing thrown)");
  CHECK(load("ELU", R"("alpha": {"class_name": "__numpy__", "config": {"value": 1.0}})") ==
        "(nothing thrown)");
  CHECK(load("ELU", R"("alpha": Infinity)") ==
        "m.h5: ELU \"here\": \"alpha\" has a value of the wrong type");
  CHECK(load("ReLU", R"("bias_initializer": {"class_name": "Constant", "config": {"value": NaN}},
                        "a_regularizer": [-Infinity, Infinity, "NaN \" Infinity"])") ==
        "(nothing thrown)");
  CHECK(load("ReLU", R"("bias_initializer": Nan)").find("is not JSON") != std::string::npos);
  CHECK(load("Softmax", R"("axis": 1)") == "(nothing thrown)");
  CHECK(load("Softmax", R"("axis": {"type": "ndarray", "value": 1})") == "(nothing thrown)");
  CHECK(load("Softmax", R"("axis": 0)") ==
        "m.h5: Softmax \"here\": expected an axis of 2 axes without that of the samples, got 0");
}

}  // namespace heed::keras_operators_test
