#include <heed/io/pytorch.hpp>

#include <cstring>

#include <heed/attention/luong_attention.hpp>
#include <heed/io/model_file.hpp>
#include <heed/layers/activation.hpp>
#include <heed/layers/add.hpp>
#include <heed/layers/flatten.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"
#include "support/temporary_folder.hpp"

namespace heed::pytorch_test {

using heed::testing::distance;
using heed::testing::message;
using heed::testing::random_tensor;
using heed::testing::TemporaryFolder;

namespace {

using Bytes = std::vector<std::byte>;
using Tensors = std::vector<std::pair<std::string, Shape>>;

/// What PyTorch itself saved; tests/golden/generate_pytorch.py says what stands in it.
std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(HEED_TEST_DATA) / "pytorch" / (name + ".safetensors");
}

template <class S>
double off(const Model<S>& model, const std::string& name) {
  const Safetensors file = read_safetensors(golden(name));
  return distance(model.predict(read_tensor<S>(file, "x")), read_tensor<S>(file, "y"));
}

/// The network of most golden files.
template <class S>
Model<S> network(const Shape& input = {6, 3}, bool use_bias = true) {
  Model<S> model("net");
  model.input(input);
  model.add("lstm", LSTM{.units = 5, .use_bias = use_bias});
  model.add("output", Dense{.units = 2, .activation = Activation::tanh, .use_bias = use_bias});
  return model;
}

const pytorch::Modules modules{{"lstm", "rnn"}, {"output", "head"}};

const Tensors tensors{
    {"head.bias", {2}},       {"head.weight", {2, 5}},       {"rnn.bias_hh_l0", {20}},
    {"rnn.bias_ih_l0", {20}}, {"rnn.weight_hh_l0", {20, 5}}, {"rnn.weight_ih_l0", {20, 3}}};

/// A file of such tensors, with random values.
Bytes file_of(const Tensors& names) {
  std::vector<Tensor<float>> memory;
  for (const auto& [name, shape] : names) memory.push_back(random_tensor<float>(shape, 1));
  std::vector<NamedView<float>> views;
  for (std::size_t i = 0; i < names.size(); ++i) views.emplace_back(names[i].first, memory[i]);
  return format_safetensors<float>(views);
}

Tensors with(Tensors names, const std::string& name, const Shape& shape) {
  names.emplace_back(name, shape);
  return names;
}

Tensors without(Tensors names, const std::string& name) {
  std::erase_if(names, [&](const auto& tensor) { return tensor.first == name; });
  return names;
}

template <class E>
std::string refusal(const Bytes& bytes, const pytorch::Modules& mapping = modules,
                    Model<float> model = network<float>()) {
  const auto said =
      message<E>([&] { pytorch::load_weights(model, bytes, mapping, "net.safetensors"); });
  CHECK(!model.is_built());
  return said;
}

/// A user's layer.
struct Scale {
  static constexpr std::string_view type = "Scale";
  static constexpr auto fields() { return std::tuple{}; }
  template <class S>
  using Cache = NoCache;
  Shape output_shape(const Shape& x) const { return x; }
  std::vector<Weight> weights(const Shape& x) const {
    return {{"mix", {x.back(), x.back()}, Initializer::glorot_normal}, {"shift", {x.back()}}};
  }
  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto& w = args.w;
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    y.matrix() = x.matrix() * w[0].matrix();
    y.matrix().rowwise() += w[1].row();
  }
  template <class S>
  void backward(const Backward<S>&, Cache<S>&) const {}
};

}  // namespace

TEST_CASE("A network of PyTorch predicts the same in heed, from every kind of number") {
  for (const char* name : {"float32", "float16", "bfloat16"}) {
    CAPTURE(name);
    auto in_double = network<double>();
    pytorch::load_weights(in_double, golden(name), modules);
    CHECK(off(in_double, name) <= 1e-14);
    auto in_float = network<float>();
    pytorch::load_weights(in_float, golden(name), modules);
    CHECK(off(in_float, name) <= 1e-6);
  }
  auto model = network<double>({1, 3});
  pytorch::load_weights(model, golden("float64"), modules);
  CHECK(off(model, "float64") <= 1e-14);
}

TEST_CASE("What Python wrote with heed's names is read, from every kind of number") {
  for (const std::string kind : {"float64", "float32", "float16", "bfloat16"}) {
    CAPTURE(kind);
    const Safetensors torch = read_safetensors(golden(kind));
    auto model = network<double>();
    load_weights(model, golden("named_" + kind));
    CHECK(model.weight("lstm/bias")(7) == read_tensor<double>(torch, "rnn.bias_ih_l0")(7));
    CHECK(model.weight("lstm/kernel")(2, 7) ==
          read_tensor<double>(torch, "rnn.weight_ih_l0")(7, 2));
    auto again = network<float>();
    load_weights(again, read_file(golden("named_" + kind)));
    CHECK(again.weights() == [&] {
      Arena<float> rounded(model.weights().shape());
      rounded.array() = model.weights().array().cast<float>();
      return rounded;
    }());
    Model<double> filled = network<double>();
    pytorch::load_weights(filled, golden(kind), modules);
    for (const std::string name : {"lstm/recurrent_kernel", "output/kernel", "output/bias"}) {
      CHECK((model.weight(name).array() == filled.weight(name).array()).all());
    }
  }
}

TEST_CASE("A network of PyTorch without biases is one without biases in heed") {
  auto model = network<double>({6, 3}, false);
  pytorch::load_weights(model, read_file(golden("without_bias")), modules);
  CHECK(off(model, "without_bias") <= 1e-14);
}

TEST_CASE("Attention takes its weights from modules for Linear") {
  Model<double> model;
  model.input({4, 2});
  model.add("lstm", LSTM{.units = 3, .return_sequences = true});
  model.add("gate", StepAttention{});
  model.add("attention", LuongAttention{.units = 2});
  pytorch::load_weights(model, golden("attention"),
                        {{"lstm", "encoder.rnn"},
                         {"gate", "gate"},
                         {"attention/score_kernel", "score"},
                         {"attention/vector_kernel", "vector"}});
  CHECK(off(model, "attention") <= 1e-14);
}

TEST_CASE("Modules without names of their own are found by number, or by no name at all") {
  Model<double> model;
  model.input({3});
  model.add("hidden", Dense{.units = 4, .activation = Activation::relu});
  model.add("output", Dense{.units = 1});
  pytorch::load_weights(model, golden("sequential"), {{"hidden", "0"}, {"output", "2"}});
  CHECK(off(model, "sequential") <= 1e-14);

  Model<double> alone;
  alone.input({3});
  alone.add("dense", Dense{.units = 2});
  const Bytes bytes = read_file(golden("alone"));
  CHECK(message<FileError>([&] {
          pytorch::load_weights(alone, bytes, {{"dense", ""}}, "alone");
        }) == "alone has the tensor \"x\", which Dense \"dense\" does not have");
  const Safetensors file = parse_safetensors(bytes);
  const auto weight = read_tensor<double>(file, "weight");
  const auto bias = read_tensor<double>(file, "bias");
  const std::vector<NamedView<double>> views{{"weight", weight}, {"bias", bias}};
  pytorch::load_weights(alone, format_safetensors<double>(views), {{"dense", ""}});
  CHECK(off(alone, "alone") <= 1e-14);
}

TEST_CASE("A weight of any other layer is that of a Linear") {
  Model<double> model;
  model.input({2});
  model.add("scale", Scale{});
  const Tensor<double> weight(Shape{2, 2}, std::vector<double>{1, 2, 3, 4});
  const Tensor<double> bias(Shape{2}, std::vector<double>{5, 6});
  const std::vector<NamedView<double>> views{{"a.weight", weight}, {"a.bias", bias}};
  pytorch::load_weights(model, format_safetensors<double>(views),
                        {{"scale/mix", "a"}, {"scale/shift", "a"}});
  CHECK(model.weights() == Arena<double>{1, 3, 2, 4, 5, 6});
}

TEST_CASE("What is saved for PyTorch has its names and shapes, and comes back") {
  auto model = network<float>();
  model.build({.seed = 3});
  const auto weights_of_model = random_tensor<float>({model.count_params()}, 3);
  model.set_weights(weights_of_model.values());
  const TemporaryFolder folder;
  pytorch::save_weights(model, folder / "net.safetensors", modules);
  const Safetensors file = read_safetensors(folder / "net.safetensors");
  CHECK(file.metadata.at("format") == "pt");
  REQUIRE(file.tensors.size() == tensors.size());
  for (const auto& [name, shape] : tensors) CHECK(file.tensors.at(name).shape == shape);
  CHECK(read_tensor<float>(file, "rnn.weight_ih_l0")(7, 2) == model.weight("lstm/kernel")(2, 7));
  CHECK(read_tensor<float>(file, "rnn.bias_hh_l0") == Tensor<float>(Shape{20}));

  auto again = network<float>();
  pytorch::load_weights(again, folder / "net.safetensors", modules);
  CHECK(again.weights() == model.weights());
  CHECK(message<ModelError>([] { pytorch::save_weights(network<float>(), modules); }) ==
        "model \"net\" is saved before build()");
  CHECK(message<FileError>([&] {
          Model<float> twins;
          twins.input({2});
          twins.add("a", Dense{.units = 2});
          twins.add("b", Dense{.units = 2});
          twins.build();
          pytorch::save_weights(twins, {{"a", "shared"}, {"b", "shared"}});
        }) == "the tensor name \"shared.weight\" is taken");
}

/// Two LSTMs, with or without a Dropout between them, which are one nn.LSTM.
template <class S>
Model<S> stacked_network(bool dropout) {
  Model<S> model("stacked");
  model.input({6, 3});
  model.add("lower", LSTM{.units = 5, .return_sequences = true});
  if (dropout) model.add(Dropout{.rate = 0.1});
  model.add("upper", LSTM{.units = 5});
  model.add("output", Dense{.units = 2, .activation = Activation::tanh});
  return model;
}

TEST_CASE("An LSTM of several layers is as many LSTMs, one behind the other") {
  const pytorch::Modules mapping{{"lower", "rnn"}, {"upper", "rnn"}, {"output", "head"}};
  for (const bool dropout : {false, true}) {
    // The file has a tensor of seven axes as well, which nobody asks for.
    auto model = stacked_network<double>(dropout);
    pytorch::load_weights(model, golden("stacked"), mapping);
    CHECK(off(model, "stacked") <= 1e-14);
    auto again = stacked_network<double>(dropout);
    const auto bytes = pytorch::save_weights(model, mapping);
    CHECK(parse_safetensors(bytes).tensors.contains("rnn.weight_hh_l1"));
    pytorch::load_weights(again, bytes, mapping);
    CHECK(again.weights() == model.weights());
  }
  // Two LSTMs beside each other that are mapped to one module have the same weights.
  Model<float> beside("beside");
  const Node x = beside.input({6, 3});
  const Node a = beside.add("a", LSTM{.units = 5}, x), b = beside.add("b", LSTM{.units = 5}, x);
  beside.add("sum", Add{}, {a, b});
  const Tensors one(tensors.begin() + 2, tensors.end());
  pytorch::load_weights(beside, file_of(one), {{"a", "rnn"}, {"b", "rnn"}});
  CHECK((beside.weight("a/kernel").array() == beside.weight("b/kernel").array()).all());
}

TEST_CASE("An LSTMCell is an LSTM") {
  auto model = network<double>();
  pytorch::load_weights(model, golden("cell"), modules);
  CHECK(off(model, "cell") <= 1e-14);
}

TEST_CASE("A tensor of more axes than heed's have is no matter until it is asked for") {
  const Safetensors file = read_safetensors(golden("stacked"));
  const auto& deep = file.tensors.at("deep.table");
  CHECK(deep.shape.empty());
  CHECK(deep.more_axes == std::vector<Index>{1, 2, 1, 1, 1, 1, 2});
  CHECK(message<FileError>([&] { read_tensor<float>(file, "deep.table", "f"); }) ==
        "f: tensor \"deep.table\" has 7 axes; heed supports at most 6");
  Model<float> model("deep");
  model.input({2});
  model.add("dense", Dense{.units = 2, .use_bias = false});
  CHECK(message<FileError>([&] {
          pytorch::load_weights(model, golden("stacked"), {{"dense/kernel", "deep"}});
        }).find("has the tensor \"deep.table\"") != std::string::npos);
}

TEST_CASE("Weights of PyTorch that are not finite are refused unless they are allowed") {
  Bytes bytes = file_of(tensors);
  const auto at = parse_safetensors(bytes).tensors.at("rnn.weight_hh_l0").bytes.data();
  detail::to_little_endian(std::uint32_t{0x7f800000}, bytes.data() + (at - bytes.data()) + 8);
  CHECK(refusal<FileError>(bytes) ==
        "net.safetensors: the weight \"lstm/recurrent_kernel\" has 1 of 100 numbers that are NaN "
        "or infinite as float; {.allow_not_finite = true} loads them");
  auto model = network<float>();
  pytorch::load_weights(model, bytes, modules, "f", {.allow_not_finite = true});
  CHECK(std::isinf(model.weight("lstm/recurrent_kernel")(2, 0)));
}

TEST_CASE("Two biases in half precision are added without rounding") {
  std::vector<Tensor<float>> memory;
  for (const auto& [name, shape] : tensors) memory.emplace_back(shape);
  std::string header = "{";
  std::size_t end = 0;
  for (const auto& [name, shape] : tensors) {
    const auto begin = end;
    end += 2 * static_cast<std::size_t>(shape.size());
    header += join(end > 2 * 2 ? "," : "", "\"", name, "\":{\"dtype\":\"F16\",\"shape\":[",
                   shape[0], shape.rank() == 2 ? join(",", shape[1]) : "", "],\"data_offsets\":[",
                   begin, ",", end, "]}");
  }
  header += "}";
  Bytes bytes(8 + header.size() + end);
  detail::to_little_endian(std::uint64_t{header.size()}, bytes.data());
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  // rnn.bias_hh_l0 begins with 1, and rnn.bias_ih_l0 with 2^-14: 1 + 2^-14 is no number of F16.
  const std::size_t first = 8 + header.size() + 2 * 12;
  detail::to_little_endian(std::uint16_t{0x3c00}, bytes.data() + first);
  detail::to_little_endian(std::uint16_t{0x0400}, bytes.data() + first + 40);
  auto model = network<float>();
  pytorch::load_weights(model, bytes, modules);
  CHECK(model.weight("lstm/bias")(0) == 1 + 0x1p-14f);
}

TEST_CASE("Weights of PyTorch that are loaded leave views of the model's weights in place") {
  auto model = network<float>();
  model.build();
  const float* memory = model.weights().data();
  pytorch::load_weights(model, golden("float32"), modules);
  CHECK(model.weights().data() == memory);
}

TEST_CASE("A mapping that does not fit the model is refused") {
  const Bytes bytes = file_of(tensors);
  CHECK(refusal<OptionError>(bytes, {{"lstm", "rnn"}}) ==
        "Dense \"output\" has the weights \"output/kernel\", \"output/bias\", and "
        "\"output/kernel\" is not mapped to a module of PyTorch: add {\"output\", \"…\"}");
  CHECK(refusal<OptionError>(bytes, {{"lstm", "rnn"}, {"output/kernel", "head"}}) ==
        "Dense \"output\" has the weights \"output/kernel\", \"output/bias\", and "
        "\"output/bias\" is not mapped to a module of PyTorch: add {\"output\", \"…\"}");
  const std::string nothing = "model \"net\" has no layer or weight ";
  CHECK(refusal<OptionError>(bytes, {{"lstm", "rnn"}, {"head", "head"}}) ==
        nothing + "\"head\", which is mapped to PyTorch's \"head\"");
  CHECK(refusal<OptionError>(bytes, {{"lstm/bia", "rnn"}}) ==
        nothing + "\"lstm/bia\", which is mapped to PyTorch's \"rnn\"");
  auto model = network<float>();
  model.add("flat", Flatten{});
  auto more = modules;
  more["flat"] = "flatten";
  CHECK(refusal<OptionError>(bytes, more, model) ==
        "Flatten \"flat\" has no weights, but is mapped to PyTorch's \"flatten\"");
  Model<float> luong("luong");
  luong.input({6, 3});
  luong.add("attention", LuongAttention{});
  CHECK(refusal<OptionError>(bytes, {{"attention", "score"}}, luong) ==
        "LuongAttention \"attention\" is mapped to PyTorch's \"score\", but PyTorch has no such "
        "module: map each of its weights \"attention/score_kernel\", \"attention/vector_kernel\" "
        "to an nn.Linear of its own");
  Model<float> other("net");
  other.input({6, 3});
  other.add("lstm", LSTM{.units = 5, .recurrent_activation = Activation::hard_sigmoid});
  CHECK(refusal<OptionError>(bytes, {{"lstm", "rnn"}}, other) ==
        "LSTM \"lstm\" has the activation functions tanh and hard_sigmoid, and PyTorch's have tanh "
        "and sigmoid");
}

TEST_CASE("A module that is not in the file, or not whole, is refused by its name") {
  const std::string file = "net.safetensors";
  CHECK(refusal<FileError>(file_of(tensors), {{"lstm", "lstm"}, {"output", "head"}}) ==
        file +
            " has no module \"lstm\", to which LSTM \"lstm\" is mapped; its modules are "
            "\"head\", \"rnn\"");
  CHECK(refusal<FileError>(file_of({}))
            .starts_with(file + " has no module \"head\", to which Dense \"output\""));
  CHECK(refusal<FileError>(file_of(without(tensors, "rnn.weight_hh_l0"))) ==
        file +
            " has no tensor \"rnn.weight_hh_l0\", which belongs to \"lstm/recurrent_kernel\" of "
            "LSTM \"lstm\"");
  CHECK(refusal<FileError>(file_of(without(tensors, "rnn.bias_hh_l0"))) ==
        file +
            " has no tensor \"rnn.bias_hh_l0\", which belongs to \"lstm/bias\" of LSTM "
            "\"lstm\"; a layer for a module with bias=False has use_bias = false");
  CHECK(refusal<FileError>(Bytes(3)).starts_with("net.safetensors is not a safetensors file"));
}

TEST_CASE("What PyTorch's LSTM has beyond that of the model is refused") {
  const std::string start = "net.safetensors: module \"rnn\" has ";
  CHECK(refusal<FileError>(file_of(with(tensors, "rnn.weight_ih_l1", {20, 5}))) ==
        start +
            "more layers (it has \"rnn.weight_ih_l1\") than are mapped to it: map the layer after "
            "LSTM \"lstm\" to \"rnn\" as well");
  CHECK(refusal<FileError>(file_of(with(tensors, "rnn.weight_ih_l0_reverse", {20, 5}))) ==
        start +
            "two directions (it has \"rnn.weight_ih_l0_reverse\"), and LSTM \"lstm\" has one: in a "
            "Bidirectional it has two");
  CHECK(refusal<FileError>(file_of(with(tensors, "rnn.weight_hr_l0", {2, 5}))) ==
        start +
            "projections (it has \"rnn.weight_hr_l0\"), and LSTM \"lstm\" has none: only modules "
            "with proj_size = 0 are read");
}

TEST_CASE(
    "A tensor of a mapped module that is left over is refused, one of another module is not") {
  CHECK(refusal<FileError>(file_of(with(tensors, "head.scale", {2}))) ==
        "net.safetensors has the tensor \"head.scale\", which Dense \"output\" does not have");
  CHECK(
      refusal<FileError>(file_of(tensors), modules, network<float>({6, 3}, false)) ==
      "net.safetensors has the tensor \"head.bias\", which Dense \"output\" does not have: it has "
      "use_bias = false");
  auto model = network<float>();
  pytorch::load_weights(model, file_of(with(tensors, "embedding.weight", {7, 3})), modules);
  CHECK(model.is_built());
}

TEST_CASE("A tensor of another shape or kind is refused with both shapes, and nothing changes") {
  auto wrong = with(without(tensors, "rnn.weight_ih_l0"), "rnn.weight_ih_l0", {15, 3});
  CHECK(
      refusal<FileError>(file_of(wrong)) ==
      "net.safetensors: tensor \"rnn.weight_ih_l0\" has the shape (15, 3), expected (20, 3): LSTM "
      "\"lstm\" has \"lstm/kernel\" of (3, 20), which is transposed in PyTorch");
  wrong = with(without(tensors, "head.bias"), "head.bias", {3});
  auto model = network<float>();
  model.build({.seed = 2});
  const Arena<float> before(model.weights());
  CHECK(message<FileError>([&] { pytorch::load_weights(model, file_of(wrong), modules, "f"); }) ==
        "f: tensor \"head.bias\" has the shape (3), expected (2): Dense \"output\" has "
        "\"output/bias\" of (2)");
  CHECK(model.weights() == before);
  Bytes bytes = file_of(tensors);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t at = text.find("F32", text.find("head.weight"));
  bytes[at] = std::byte('I');
  CHECK(refusal<FileError>(bytes) ==
        "net.safetensors: tensor \"head.weight\" is of I32; weights can be F64, F32, F16 or BF16");
}

}  // namespace heed::pytorch_test
