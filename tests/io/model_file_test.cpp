#include <heed/io/model_file.hpp>

#include <cstring>
#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"
#include "support/temporary_folder.hpp"

namespace heed::model_file_test {

using heed::testing::message;
using heed::testing::random_tensor;
using heed::testing::small_network;
using heed::testing::TemporaryFolder;

namespace {

using Bytes = std::vector<std::byte>;

/// A user's layer with a weight: y = factor · x ∘ w.
struct Scale {
  double factor = 1;

  static constexpr std::string_view type = "Scale";
  static constexpr auto fields() { return std::tuple{field("factor", &Scale::factor)}; }

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const { return x; }
  std::vector<Weight> weights(const Shape& x) const {
    return {{"scale", {x.back()}, Initializer::glorot_normal}};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto& w = args.w;
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    y.matrix() = static_cast<S>(factor) * (x.matrix() * w[0].row().asDiagonal());
  }
  template <class S>
  void backward(const Backward<S>&, Cache<S>&) const {}
};

/// The bits of a tensor: NaN equals itself, and 0 is not -0.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  const auto size = static_cast<std::size_t>(a.size()) * sizeof(*a.data());
  return a.shape() == b.shape() && (size == 0 || std::memcmp(a.data(), b.data(), size) == 0);
}

/// Saves a model, loads it, and compares all that can be asked of the two.
template <class Scalar>
void check_round_trip(Model<Scalar> model, const LoadOptions<Scalar>& options = {}) {
  INFO(model.name());
  model.build({.seed = 7});
  // Biases start at zero, where a wrong order would not be seen.
  const auto weights_of_model = random_tensor<Scalar>({model.count_params()}, 3, 0.3);
  model.set_weights(weights_of_model.values());
  const Bytes bytes = save_model(model);
  const Model<Scalar> again = load_model<Scalar>(bytes, options);
  CHECK(again.is_built());
  CHECK(again.name() == model.name());
  CHECK(again.summary() == model.summary());
  CHECK(model_to_json(again) == model_to_json(model));
  CHECK(same_bits(again.weights(), model.weights()));
  const auto x = random_tensor<Scalar>(model.input_shape().batch(5), 4);
  CHECK(same_bits(again.predict(x), model.predict(x)));
  CHECK(save_model(again) == bytes);

  // Weights alone, by name, into a network that is there.
  Model<Scalar> other = model;
  other.weights().set_zero();
  load_weights(other, save_weights(model));
  CHECK(same_bits(other.weights(), model.weights()));
}

template <class Scalar, Layer L>
void check_layer(const Shape& input, const L& layer) {
  Model<Scalar> model{std::string(L::type)};
  model.input("x", input);
  model.add("layer", layer);
  check_round_trip(std::move(model));
}

template <class Scalar, Layer L>
void check_joining_layer(const Shape& input, const L& layer) {
  Model<Scalar> model{std::string(L::type)};
  const Node x = model.input("x", input);
  const Node a = model.add("a", Activation{.activation = Activation::tanh}, x);
  model.add("layer", layer, {a, x});
  check_round_trip(std::move(model));
}

template <class Scalar>
void check_every_layer() {
  check_layer<Scalar>({4}, Activation{.activation = Activation::softsign});
  check_layer<Scalar>({3, 4}, Dense{.units = 5,
                                    .activation = Activation::softmax,
                                    .use_bias = false,
                                    .kernel_initializer = Initializer::he_normal,
                                    .bias_initializer = Initializer::ones});
  check_layer<Scalar>({3, 4}, Dropout{.rate = 0.1});
  check_layer<Scalar>({3, 4}, Flatten{});
  check_layer<Scalar>({3, 4}, LastStep{});
  check_layer<Scalar>({3, 4}, LSTM{.units = 5,
                                   .activation = Activation::softsign,
                                   .recurrent_activation = Activation::hard_sigmoid,
                                   .unit_forget_bias = false,
                                   .return_sequences = true,
                                   .go_backwards = true,
                                   .kernel_initializer = Initializer::lecun_uniform,
                                   .recurrent_initializer = Initializer::glorot_normal});
  check_layer<Scalar>({3, 4}, LSTM{.units = 5, .use_bias = false});
  check_layer<Scalar>({3, 4},
                      LuongAttention{.units = 2, .kernel_initializer = Initializer::he_uniform});
  check_layer<Scalar>({2, 3, 4}, Permute{.dims = {3, 1, 2}});
  check_layer<Scalar>({4}, RepeatVector{.n = 3});
  check_layer<Scalar>({3, 4}, Reshape{.target_shape = {2, -1}});
  check_layer<Scalar>({3, 4}, StepAttention{.kernel_initializer = Initializer::he_uniform});
  check_layer<Scalar>({3, 4}, StepAttention{.use_bias = false});
  check_joining_layer<Scalar>({3, 4}, Add{});
  check_joining_layer<Scalar>({3, 4}, Concatenate{.axis = 1});
  check_joining_layer<Scalar>({3, 4}, Dot{.axes = {1, -2}});
  check_joining_layer<Scalar>({3, 4}, Multiply{});
}

template <class Scalar>
Model<Scalar> block_network() {
  Model<Scalar> model("block");
  model.input({10, 2});
  model.add(LSTM{.units = 32, .return_sequences = true});
  model.add("attention", StepAttention{});
  model.add(Flatten{});
  model.add(Dense{.units = 1, .activation = Activation::sigmoid});
  return model;
}

template <class Scalar>
Model<Scalar> functional_network() {
  Model<Scalar> model("functional");
  auto inputs = model.input({10, 2});
  auto lstm = model.add("lstm", LSTM{.units = 32, .return_sequences = true}, inputs);
  auto a = model.add(Permute{.dims = {2, 1}}, lstm);
  a = model.add(Dense{.units = 10, .activation = Activation::softmax}, a);
  a = model.add("attention_vec", Permute{.dims = {2, 1}}, a);
  auto gated = model.add("attention_mul", Multiply{}, {lstm, a});
  auto flat = model.add(Flatten{}, gated);
  model.add("output", Dense{.units = 1, .activation = Activation::sigmoid}, flat);
  return model;
}

/// Luong's attention in primitive layers, with an output in the middle and a layer behind it.
template <class Scalar>
Model<Scalar> branchy_network() {
  Model<Scalar> model("branchy");
  auto x = model.input("x", {6, 3});
  auto h = model.add("h", LSTM{.units = 4, .return_sequences = true}, x);
  auto backwards = model.add("back", LSTM{.units = 4, .go_backwards = true}, x);
  auto score_first = model.add("score_first", Dense{.units = 4, .use_bias = false}, h);
  auto last = model.add("last", LastStep{}, h);
  auto score = model.add("score", Dot{.axes = {1, 2}}, {last, score_first});
  auto weight = model.add("weight", Activation{.activation = Activation::softmax}, score);
  auto context = model.add("context", Dot{.axes = {1, 1}}, {h, weight});
  auto joined = model.add("joined", Concatenate{}, {context, last, backwards});
  auto out = model.add("out", Dense{.units = 2, .activation = Activation::tanh}, joined);
  model.add("unused", Dense{.units = 3}, context);
  model.set_output(out);
  return model;
}

std::string load_refusal(std::span<const std::byte> bytes) {
  return message<FileError>([&] { load_model<float>(bytes, {}, "file"); });
}

/// A file of the small network in which some text stands in place of another.
Bytes edited(std::string_view from, std::string_view to) {
  const Model<float> model = small_network();
  std::string json = model_to_json(model).dump();
  const auto at = json.find(from);
  REQUIRE(at != std::string::npos);
  json.replace(at, from.size(), to);
  return format_safetensors<float>(detail::named_weights(model), {{"heed", json}});
}

/// A file of these tensors, without a model.
Bytes weights_file(const std::vector<std::pair<std::string, Shape>>& tensors) {
  std::vector<Tensor<float>> memory;
  for (const auto& [name, shape] : tensors) memory.emplace_back(shape);
  std::vector<NamedView<float>> views;
  for (std::size_t i = 0; i < tensors.size(); ++i) views.emplace_back(tensors[i].first, memory[i]);
  return format_safetensors<float>(views);
}

const std::vector<std::pair<std::string, Shape>> small_tensors{{"lstm/kernel", {2, 8}},
                                                               {"lstm/recurrent_kernel", {2, 8}},
                                                               {"lstm/bias", {8}},
                                                               {"out/kernel", {2, 1}},
                                                               {"out/bias", {1}}};

}  // namespace

TEST_CASE("Every layer is saved and loaded with all it was configured with, in float") {
  check_every_layer<float>();
}

TEST_CASE("Every layer is saved and loaded with all it was configured with, in double") {
  check_every_layer<double>();
}

TEST_CASE("A network is loaded from its file alone and predicts the same bits") {
  check_round_trip(block_network<float>());
  check_round_trip(block_network<double>());
  check_round_trip(functional_network<float>());
  check_round_trip(functional_network<double>());
  check_round_trip(branchy_network<float>());
  check_round_trip(branchy_network<double>());
}

TEST_CASE("A model of a user's layer is loaded through a registry") {
  Model<float> model;
  model.input({3});
  model.add("scale", Scale{.factor = 2.5});
  Registry<float> registry;
  registry.add<Scale>();
  check_round_trip(model, {.registry = registry});

  model.build();
  const Bytes bytes = save_model(model);
  CHECK(load_refusal(bytes) ==
        "file: Scale \"scale\": the layer type \"Scale\" is unknown; register a layer of your own "
        "with registry.add<Scale>(), and pass the registry: load_model(…, {.registry = registry})");
}

TEST_CASE("A model goes through a file on disk") {
  const TemporaryFolder folder;
  const std::string path = (folder / "index2.safetensors").string();
  Model<float> model = functional_network<float>();
  model.build({.seed = 42});
  save_model(model, path);
  const auto again = load_model<float>(path);
  const auto x = random_tensor<float>({300, 10, 2}, 1);
  CHECK(same_bits(again.predict(x), model.predict(x)));
  CHECK(read_file(path) == save_model(model));

  save_weights(model, folder / "weights");
  Model<float> unbuilt = functional_network<float>();
  load_weights(unbuilt, folder / "weights");
  CHECK(same_bits(unbuilt.weights(), model.weights()));
  CHECK(folder.names() == std::vector<std::string>{"index2.safetensors", "weights"});
}

TEST_CASE("A file says what it is: names, shapes, format and model") {
  const Model<float> model = small_network();
  const Bytes bytes = save_model(model);
  const Safetensors file = parse_safetensors(bytes);
  CHECK(file.metadata.at("format") == "heed");
  CHECK(file.metadata.at("heed") == model_to_json(model).dump());
  CHECK(file.tensors.size() == small_tensors.size());
  for (const auto& [name, shape] : small_tensors) {
    CHECK(file.tensors.at(name).shape == shape);
    CHECK(file.tensors.at(name).dtype.name == "F32");
  }
  CHECK(model_to_json(model)["scalar"] == "float32");
  CHECK(model_to_json(block_network<double>())["scalar"] == "float64");
}

TEST_CASE(
    "A file written in the past is loaded, predicts the same, and is written so that it is the "
    "same") {
  // tests/golden/generate_model.cpp wrote it, with a sample that load_model computes.
  const Bytes bytes = read_file(std::filesystem::path(HEED_TEST_DATA) / "model.safetensors");
  const auto model = load_model<float>(bytes);
  CHECK(model.graph().layout().all_slots().size() == 7);
  const Safetensors file = parse_safetensors(bytes);
  const auto x = read_tensor<float>(file, "x");
  // Layers have got fields since, which begin as what they were without.
  const auto again = load_model<float>(save_model(model, {.sample = x}));
  CHECK(model_to_json(again) == model_to_json(model));
  CHECK(again.weights() == model.weights());
  for (const auto& [name, tensor] : file.tensors) {
    if (name == "x" || name == "y") continue;
    const auto written = read_tensor<float>(file, name);
    CHECK(written.view() == again.weight(name));
  }
}

TEST_CASE("A file of one scalar type is loaded as another") {
  const auto as_double = load_model<double>(save_model(small_network()));
  const Model<float> small = small_network();
  for (Index i = 0; i < small.count_params(); ++i) {
    CHECK(as_double.weights()(i) == static_cast<double>(small.weights()(i)));
  }
  Model<double> model = block_network<double>();
  model.build({.seed = 5});
  const auto as_float = load_model<float>(save_model(model));
  int wrong = 0;
  for (Index i = 0; i < model.count_params(); ++i) {
    wrong += as_float.weights()(i) != static_cast<float>(model.weights()(i));
  }
  CHECK(wrong == 0);
}

TEST_CASE("Weights that are no numbers are saved and loaded bit by bit") {
  Model<float> model = small_network();
  const std::uint32_t bits[] = {0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x80000000, 1};
  for (Index i = 0; i < 6; ++i) model.weights()(i) = std::bit_cast<float>(bits[i]);
  const auto again = load_model<float>(save_model(model), {.allow_not_finite = true});
  CHECK(same_bits(again.weights(), model.weights()));
}

TEST_CASE("A model that is not built, or that JSON cannot say, leaves no file") {
  const TemporaryFolder folder;
  const Model<float> unbuilt = block_network<float>();
  const std::string early = "model \"block\" is saved before build()";
  CHECK(message<ModelError>([&] { save_model(unbuilt, folder / "a"); }) == early);
  CHECK(message<ModelError>([&] { save_weights(unbuilt, folder / "a"); }) == early);

  Model<float> model("odd");
  model.input({3});
  model.add("scale", Scale{.factor = std::numeric_limits<double>::infinity()});
  model.build();
  CHECK(message<FileError>([&] { save_model(model, folder / "a"); }) ==
        "Scale \"scale\": \"factor\" is inf, which JSON cannot represent");
  Model<float> unspeakable("\xff");
  unspeakable.input({3});
  unspeakable.add(Flatten{});
  unspeakable.build();
  CHECK(message<FileError>([&] { save_model(unspeakable, folder / "a"); }) ==
        "model \"\xff\" contains text that is not UTF-8");
  CHECK(folder.names().empty());
}

TEST_CASE("A save that fails leaves the old model whole") {
  const TemporaryFolder folder;
  const Model<float> model = small_network();
  save_model(model, folder / "m");
  Model<float> odd = model;
  std::filesystem::create_symlink(folder / "none/m", folder / "link");
  CHECK(message<FileError>([&] { save_model(odd, folder / "link"); }) ==
        (folder / "link").string() + " cannot be written: No such file or directory");
  CHECK(message<FileError>([&] { save_model(odd, folder.path()); }) ==
        folder.path().string() + " cannot be written: it is a folder");
  CHECK(same_bits(load_model<float>(folder / "m").weights(), model.weights()));
  CHECK(folder.names() == std::vector<std::string>{"link", "m"});
}

TEST_CASE("What is no file of a model is refused by its path") {
  const TemporaryFolder folder;
  const auto said = [&](const std::string& name) {
    const std::string text = message<FileError>([&] { load_model<float>(folder / name); });
    REQUIRE(text.starts_with((folder / name).string()));
    return text.substr((folder / name).string().size());
  };
  CHECK(said("none") == " cannot be read: No such file or directory");
  CHECK(said("") == " cannot be read: it is a folder");
  write_file(folder / "empty", {});
  CHECK(said("empty") == " is empty");
  save_weights(small_network(), folder / "weights");
  CHECK(said("weights") ==
        " contains weights but no model; make the model and use load_weights(model, …)");
}

TEST_CASE("Metadata that is not a model is refused") {
  const auto said = [](const std::string& json) {
    return load_refusal(format_safetensors<float>({}, {{"heed", json}}));
  };
  CHECK(said("") == "file: the model is not JSON at byte 1");
  CHECK(said("[") == "file: the model is not JSON at byte 2");
  CHECK(said("[]") == "file: the model is not a JSON object");
  CHECK(said("{\"a\":1,\"a\":2}") == "file: the model says \"a\" twice");
  CHECK(said(std::string(100000, '[')) == "file: the model is nested deeper than 16 levels");
  CHECK(
      said(
          R"({"format":"heed","format_version":1,"name":"m","scalar":"float32","output":"x","layers":[
             {"type":"InputLayer","name":"x","config":{"shape":[1]},"inputs":[]}]})") ==
      "file: the model has no layer besides its input");
}

TEST_CASE("A model and tensors that disagree are refused by the tensor's name") {
  CHECK(load_refusal(edited("\"units\":2", "\"units\":3")) ==
        "file: tensor \"lstm/kernel\" has the shape (2, 8), but the model's weight has (2, 12)");
  CHECK(load_refusal(edited("\"use_bias\":true", "\"use_bias\":false")) ==
        "file has the tensor \"lstm/bias\", which is not a weight of the model");
  CHECK(load_refusal(edited("\"name\":\"lstm\"", "\"name\":\"LSTM\"")) ==
        "file: Dense \"out\" takes its input from \"lstm\", which is not the name of an earlier "
        "layer");
  CHECK(load_refusal(edited("\"name\":\"out\"", "\"name\":\"end\"")) ==
        "file: the model has the output \"out\", which is not the name of an earlier layer");
}

TEST_CASE("A file with sizes beyond all memory is refused before memory is taken") {
  for (const std::string units : {"1000000000", "1000000000000", "1152921504606846976",
                                  "4611686018427387904", "9223372036854775807"}) {
    CAPTURE(units);
    const std::string text = load_refusal(edited("\"units\":1", "\"units\":" + units));
    CHECK(text.starts_with("file: "));
    CHECK(load_refusal(edited("\"units\":2", "\"units\":" + units)).starts_with("file: "));
  }
}

TEST_CASE("Weights are loaded when every one fits, and otherwise nothing changes") {
  Model<float> model = small_network();
  const Model<float> before = model;
  const float* memory = model.weights().data();
  const auto said = [&](const Bytes& bytes) {
    const std::string text = message<FileError>([&] { load_weights(model, bytes, "file"); });
    CHECK(same_bits(model.weights(), before.weights()));
    return text;
  };
  auto missing = small_tensors;
  missing.pop_back();
  CHECK(said(weights_file(missing)) ==
        "file has no tensor \"out/bias\", a weight of the model, of shape (1)");
  auto wrong = small_tensors;
  wrong[3].second = {1, 2};
  CHECK(said(weights_file(wrong)) ==
        "file: tensor \"out/kernel\" has the shape (1, 2), but the model's weight has (2, 1)");
  auto more = small_tensors;
  more.emplace_back("more/bias", Shape{3});
  CHECK(said(weights_file(more)) ==
        "file has the tensor \"more/bias\", which is not a weight of the model");
  CHECK(said(weights_file({})).starts_with("file has no tensor \"lstm/kernel\""));
  CHECK(said(Bytes(3)).starts_with("file is not a safetensors file"));

  load_weights(model, weights_file(small_tensors));
  CHECK(model.weights() == Arena<float>(Shape{model.count_params()}));
  CHECK(model.weights().data() == memory);  // views of the weights stay what they are
  load_weights(model, save_model(before));
  CHECK(same_bits(model.weights(), before.weights()));
}

TEST_CASE("Weights that are not floating-point numbers are refused") {
  Model<float> model("m");
  model.input({1});
  model.add("out", Dense{.units = 2, .use_bias = false});
  const auto file = [](const std::string& dtype, int size) {
    const std::string header = join("{\"out/kernel\":{\"dtype\":\"", dtype,
                                    "\",\"shape\":[1,2],\"data_offsets\":[0,", size, "]}}");
    Bytes bytes(8);
    bytes[0] = std::byte(header.size());
    for (const char c : header) bytes.push_back(std::byte(c));
    bytes.resize(bytes.size() + static_cast<std::size_t>(size), std::byte(0x40));
    return bytes;
  };
  for (const auto& [dtype, size] :
       {std::pair("I32", 8), std::pair("I8", 2), std::pair("C64", 16), std::pair("F4", 1)}) {
    const Bytes bytes = file(dtype, size);
    CHECK(message<FileError>([&] { load_weights(model, bytes, "file"); }) ==
          join("file: tensor \"out/kernel\" is of ", dtype,
               "; weights can be F64, F32, F16 or BF16"));
    CHECK(!model.is_built());
  }
  load_weights(model, file("BF16", 4));
  CHECK(model.is_built());
  CHECK(model.weights()(1) == std::bit_cast<float>(0x40400000));
}

TEST_CASE("A file that is cut off anywhere is refused") {
  const Bytes bytes = save_model(small_network());
  CHECK(load_refusal(bytes) == "(nothing thrown)");
  int accepted = 0;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    // A copy of its own lets a sanitizer see a read beyond the end.
    const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
    accepted += load_refusal(part) == "(nothing thrown)";
  }
  CHECK(accepted == 0);
  Bytes longer = bytes;
  longer.push_back(std::byte(0));
  CHECK(load_refusal(longer) == "file: the last 1 bytes belong to no tensor");
}

TEST_CASE("A file with any one bit of its header flipped is refused or makes a whole model") {
  const Model<float> model = small_network();
  const Bytes bytes = save_model(model);
  const std::size_t header =
      8 + static_cast<std::size_t>(detail::from_little_endian<std::uint64_t>(bytes.data()));
  int refused = 0;
  int accepted = 0;
  int torn = 0;
  for (std::size_t bit = 0; bit < 8 * header; ++bit) {
    Bytes flipped = bytes;
    flipped[bit / 8] ^= std::byte(1 << bit % 8);
    try {  // anything but a FileError ends the test
      const auto loaded = load_model<float>(flipped);
      torn += !same_bits(loaded.weights(), model.weights());
      ++accepted;
    } catch (const FileError&) {
      ++refused;
    }
    Model<float> target = small_network();
    target.weights().array().setConstant(7);
    const Arena<float> untouched(target.weights());
    try {
      load_weights(target, flipped);
      torn += !same_bits(target.weights(), model.weights());
    } catch (const FileError&) {
      torn += !same_bits(target.weights(), untouched);
    }
  }
  CAPTURE(header, refused, accepted);
  CHECK(torn == 0);
  CHECK(accepted > 0);
  CHECK(refused > accepted);
}

TEST_CASE("Weights that are NaN or infinite are refused unless they are allowed") {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(), -HUGE_VALF}) {
    auto model = small_network();
    model.weight("lstm/recurrent_kernel")(0, 1) = value;
    const Bytes bytes = save_model(model);
    const std::string said =
        "file: the weight \"lstm/recurrent_kernel\" has 1 of 16 numbers that are NaN or infinite "
        "as float; {.allow_not_finite = true} loads them";
    CHECK(message<FileError>([&] { load_model<float>(bytes, {}, "file"); }) == said);
    const auto again = load_model<float>(bytes, {.allow_not_finite = true});
    CHECK(same_bits(again.weights(), model.weights()));
    auto other = small_network();
    const auto before = other.weights();
    CHECK(message<FileError>([&] { load_weights(other, bytes, "file"); }) == said);
    CHECK(other.weights() == before);
    load_weights(other, bytes, "file", {.allow_not_finite = true});
    CHECK(same_bits(other.weights(), model.weights()));
  }
  Model<double> large("large");
  large.input({1});
  large.add("d", Dense{.units = 1, .use_bias = false});
  large.build();
  large.weights().array().setConstant(1e300);
  CHECK(message<FileError>([&] { load_model<float>(save_model(large)); }).find("as float") !=
        std::string::npos);
}

TEST_CASE("The scalar that a file says is that of its weights") {
  const auto with = [](const std::string& scalar) {
    const auto model = small_network();
    auto json = model_to_json(model);
    if (scalar.empty()) {
      json.erase("scalar");
    } else {
      json["scalar"] = scalar;
    }
    const auto weights = detail::named_weights(model);
    const Bytes bytes = format_safetensors<float>(weights, {{"heed", json.dump()}});
    return message<FileError>([&] { load_model<float>(bytes, {}, "file"); });
  };
  CHECK(with("float32") == "(nothing thrown)");
  CHECK(with("float64") == "file: the model is of float64, and tensor \"lstm/kernel\" is of F32");
  CHECK(with("float16") ==
        "file: the model is of the \"scalar\" \"float16\", expected \"float32\" or \"float64\"");
  CHECK(with("") == "file: the model has no string \"scalar\"");
}

}  // namespace heed::model_file_test
