#include <heed/io/pytorch.hpp>

#include <heed/layers/activation.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::pytorch_recurrent_test {

using heed::testing::distance;
using heed::testing::message;
using heed::testing::random_tensor;

namespace {

using Bytes = std::vector<std::byte>;

/// What PyTorch itself saved; tests/golden/generate_pytorch.py says what stands in it.
Bytes golden(const std::string& name) {
  return read_file(std::filesystem::path(HEED_TEST_DATA) / "pytorch" /
                   ("recurrent_" + name + ".safetensors"));
}

const pytorch::Modules modules{{"lower", "rnn"}, {"upper", "rnn"}, {"output", "head"}};

/// Layers one behind the other, and a Dense.
template <class S, class... L>
Model<S> network(const L&... layers) {
  Model<S> model("net");
  model.input({5, 3});
  std::size_t count = 0;
  (model.add(count++ == 0 ? "lower" : "upper", layers), ...);
  model.add("output", Dense{.units = 2, .activation = Activation::tanh});
  return model;
}

/// The part of the mapping that a model has layers for.
template <class S>
pytorch::Modules mapping(const Model<S>& model) {
  auto result = modules;
  if (model.graph().find("upper") == model.graph().nodes().size()) result.erase("upper");
  return result;
}

/// How far a model with PyTorch's weights is from PyTorch, and with weights that went to PyTorch's form
/// and back from itself.
template <class S, class... L>
double off(const std::string& name, const L&... layers) {
  const Bytes bytes = golden(name);
  const Safetensors file = parse_safetensors(bytes);
  auto model = network<S>(layers...);
  pytorch::load_weights(model, bytes, mapping(model));
  auto again = network<S>(layers...);
  const Bytes saved = pytorch::save_weights(model, mapping(model));
  pytorch::load_weights(again, saved, mapping(again));
  CHECK(again.weights() == model.weights());

  // What is saved has the tensors that PyTorch has, and adds up to them.
  const Safetensors back = parse_safetensors(saved);
  for (const auto& [tensor, value] : back.tensors) {
    CAPTURE(tensor);
    REQUIRE(file.tensors.contains(tensor));
    const auto theirs = read_tensor<S>(file, tensor), ours = read_tensor<S>(back, tensor);
    const bool is_bias = tensor.find("bias_") != std::string::npos;
    if (!is_bias) CHECK(ours == theirs);
  }
  CHECK(back.tensors.size() + 2 == file.tensors.size());
  return distance(model.predict(read_tensor<S>(file, "x")), read_tensor<S>(file, "y"));
}

template <class L>
L every(L layer) {
  layer.return_sequences = true;
  return layer;
}

/// A layer of two directions.
template <class L>
Bidirectional<L> both(MergeMode mode = MergeMode::concat) {
  return {.layer = L{.units = 4, .return_sequences = true}, .merge_mode = mode};
}

template <class... L>
std::string refusal(const Bytes& bytes, const L&... layers) {
  auto model = network<float>(layers...);
  const auto said = message<Error>(
      [&] { pytorch::load_weights(model, bytes, mapping(model), "net.safetensors"); });
  CHECK(!model.is_built());
  return said;
}

/// A golden file without some of its tensors.
Bytes without(const std::string& name, const std::string& part) {
  const Bytes bytes = golden(name);
  const Safetensors file = parse_safetensors(bytes);
  std::vector<Tensor<float>> memory;
  std::vector<std::string> names;
  for (const auto& [tensor, value] : file.tensors) {
    if (tensor.find(part) != std::string::npos) continue;
    memory.push_back(read_tensor<float>(file, tensor));
    names.push_back(tensor);
  }
  std::vector<NamedView<float>> views;
  for (std::size_t i = 0; i < names.size(); ++i) views.emplace_back(names[i], memory[i]);
  return format_safetensors<float>(views);
}

}  // namespace

TEST_CASE("A GRU and an RNN of PyTorch predict the same in heed, and go back") {
  CHECK(off<double>("gru", every(GRU{.units = 4})) <= 1e-14);
  CHECK(off<float>("gru", every(GRU{.units = 4})) <= 1e-6);
  CHECK(off<double>("rnn", every(SimpleRNN{.units = 4})) <= 1e-14);
  CHECK(off<float>("rnn", every(SimpleRNN{.units = 4})) <= 1e-6);
  const auto relu = [](ActivationFunction activation) {
    return SimpleRNN{
        .units = 4, .activation = activation, .use_bias = false, .return_sequences = true};
  };
  CHECK(off<double>("relu", relu(ActivationFunction::relu)) <= 1e-14);
  CHECK(off<double>("relu", relu(ActivationFunction::tanh)) > 1e-3);
}

TEST_CASE("Several layers of two directions are as many Bidirectional, one behind the other") {
  CHECK(off<double>("lstm_both", both<LSTM>(), both<LSTM>()) <= 1e-14);
  CHECK(off<float>("lstm_both", both<LSTM>(), both<LSTM>()) <= 1e-6);
  CHECK(off<double>("gru_both", both<GRU>(), both<GRU>()) <= 1e-14);
  CHECK(off<float>("gru_both", both<GRU>(), both<GRU>()) <= 1e-6);
  CHECK(off<double>("rnn_both", both<SimpleRNN>(), both<SimpleRNN>()) <= 1e-14);
  CHECK(off<double>("gru_last", Bidirectional<GRU>{.layer = {.units = 4}}) <= 1e-14);
}

TEST_CASE("The two biases of a GRU stay apart") {
  auto model = network<double>(every(GRU{.units = 4}));
  const Bytes bytes = golden("gru");
  pytorch::load_weights(model, bytes, mapping(model));
  const Bytes saved = pytorch::save_weights(model, mapping(model));
  const Safetensors file = parse_safetensors(bytes), back = parse_safetensors(saved);
  for (const std::string name : {"rnn.bias_ih_l0", "rnn.bias_hh_l0"}) {
    CHECK(read_tensor<double>(back, name) == read_tensor<double>(file, name));
  }
  // PyTorch's gates are r, z, n, and heed's z, r, g.
  const auto of_input = read_tensor<double>(file, "rnn.bias_ih_l0");
  const auto of_state = read_tensor<double>(file, "rnn.bias_hh_l0");
  const auto own = model.weight("lower/bias");
  CHECK(own(0, 0) == of_input(4));
  CHECK(own(0, 4) == of_input(0));
  CHECK(own(1, 4) == of_state(0));
  CHECK(own(1, 11) == of_state(11));
}

TEST_CASE("Cells are read, and written where they are asked for") {
  const auto goes = [](const std::string& name, const auto& layer) {
    auto model = network<double>(layer);
    const Bytes bytes = golden(name);
    const Safetensors file = parse_safetensors(bytes);
    pytorch::load_weights(model, bytes, mapping(model));
    CHECK(distance(model.predict(read_tensor<double>(file, "x")), read_tensor<double>(file, "y")) <=
          1e-14);
    const Bytes saved = pytorch::save_weights(model, mapping(model), {.cells = {"rnn"}});
    for (const auto& [tensor, value] : parse_safetensors(saved).tensors) {
      CAPTURE(tensor);
      CHECK(file.tensors.contains(tensor));
    }
    auto again = network<double>(layer);
    pytorch::load_weights(again, saved, mapping(again));
    CHECK(again.weights() == model.weights());
  };
  goes("gru_cell", GRU{.units = 4});
  goes("rnn_cell", SimpleRNN{.units = 4});

  auto model = network<float>(both<GRU>());
  model.build();
  const auto said = [&](const std::string& cell) {
    return message<OptionError>(
        [&] { pytorch::save_weights(model, mapping(model), {.cells = {cell}}); });
  };
  CHECK(said("rnn") ==
        "PyTorch's \"rnn\" is to be written as a cell, which has one layer and one direction, but "
        "it has \"rnn.weight_ih_l0_reverse\" of Bidirectional \"lower\"");
  CHECK(said("head") ==
        "PyTorch's \"head\" is to be written as a cell, but no LSTM, GRU or SimpleRNN is mapped to "
        "it");
}

TEST_CASE("An Embedding has the table of PyTorch's as it is") {
  const auto make = [] {
    Model<double> model;
    model.input({6});
    model.add("words", Embedding{.input_dim = 3, .output_dim = 3});
    model.add("gru", GRU{.units = 4, .return_sequences = true});
    return model;
  };
  const Bytes bytes = golden("words");
  const Safetensors file = parse_safetensors(bytes);
  for (const std::string name : {"words", "words/embeddings"}) {
    auto model = make();
    const pytorch::Modules own{{name, "words"}, {"gru", "rnn"}};
    pytorch::load_weights(model, bytes, own);
    CHECK(distance(model.predict(read_tensor<double>(file, "x")), read_tensor<double>(file, "y")) <=
          1e-14);
    const Bytes saved = pytorch::save_weights(model, own);
    const Safetensors back = parse_safetensors(saved);
    CHECK(read_tensor<double>(back, "words.weight") == read_tensor<double>(file, "words.weight"));
  }
  Model<double> narrow;
  narrow.input({6});
  narrow.add("words", Embedding{.input_dim = 3, .output_dim = 2});
  CHECK(message<FileError>([&] {
          pytorch::load_weights(narrow, bytes, {{"words", "words"}}, "f");
        }) ==
        "f: tensor \"words.weight\" has the shape (3, 3), expected (3, 2): Embedding \"words\" has "
        "\"words/embeddings\" of (3, 2)");
}

TEST_CASE("A layer that computes something else than PyTorch's is refused") {
  const auto said = [](const auto&... layers) { return refusal(golden("gru"), layers...); };
  CHECK(said(GRU{.units = 4, .reset_after = false}) ==
        "GRU \"lower\" has reset_after = false, and PyTorch's GRU computes what heed's does with "
        "reset_after = true");
  CHECK(said(GRU{.units = 4, .recurrent_activation = Activation::hard_sigmoid}) ==
        "GRU \"lower\" has the activation functions tanh and hard_sigmoid, and PyTorch's have tanh "
        "and sigmoid");
  CHECK(said(SimpleRNN{.units = 4, .activation = Activation::sigmoid}) ==
        "SimpleRNN \"lower\" has the activation function sigmoid, and PyTorch's RNN has tanh or "
        "relu");
  CHECK(said(Bidirectional<GRU>{.layer = {.units = 4, .reset_after = false}})
            .starts_with("Bidirectional \"lower\" has reset_after = false"));
  CHECK(said(both<GRU>(MergeMode::sum)) ==
        "Bidirectional \"lower\" has merge_mode sum, and PyTorch's modules have what heed calls "
        "concat");
  const std::string unlike =
      " are mapped to PyTorch's \"rnn\", but the layers of one module must have the same type, "
      "units, activation and use_bias";
  CHECK(said(both<GRU>(), GRU{.units = 4}) == "Bidirectional \"lower\" and GRU \"upper\"" + unlike);
  CHECK(said(every(GRU{.units = 4}), GRU{.units = 5}) ==
        "GRU \"lower\" and GRU \"upper\"" + unlike);
  CHECK(said(every(SimpleRNN{.units = 4}), GRU{.units = 4}) ==
        "SimpleRNN \"lower\" and GRU \"upper\"" + unlike);
}

TEST_CASE("A module of another class, direction or number of layers is refused in a sentence") {
  const std::string file = "net.safetensors";
  CHECK(refusal(golden("gru"), LSTM{.units = 4}) ==
        file +
            ": module \"rnn\" is an nn.GRU (\"rnn.weight_hh_l0\" has the shape (12, 4)), and LSTM "
            "\"lower\" is an nn.LSTM in PyTorch");
  CHECK(refusal(golden("gru"), GRU{.units = 5}) ==
        file +
            ": tensor \"rnn.weight_ih_l0\" has the shape (12, 3), expected (15, 3): GRU \"lower\" "
            "has \"lower/kernel\" of (3, 15), which is transposed in PyTorch");
  CHECK(refusal(golden("gru"), both<GRU>()) ==
        file +
            " has no tensor \"rnn.weight_ih_l0_reverse\", which belongs to "
            "\"lower/backward_kernel\" of Bidirectional \"lower\"; a layer for a module of one "
            "direction is not in a Bidirectional");
  CHECK(refusal(golden("gru"), every(GRU{.units = 4}), GRU{.units = 4}) ==
        file +
            " has no tensor \"rnn.weight_ih_l1\", which belongs to \"upper/kernel\" of GRU "
            "\"upper\"; the module has fewer layers than are mapped to it");
  CHECK(refusal(golden("gru_both"), both<GRU>()) ==
        file +
            ": module \"rnn\" has more layers (it has \"rnn.bias_hh_l1\") than are mapped to it: "
            "map the layer after Bidirectional \"lower\" to \"rnn\" as well");
  CHECK(refusal(golden("gru_last"), GRU{.units = 4}) ==
        file +
            ": module \"rnn\" has two directions (it has \"rnn.bias_hh_l0_reverse\"), and GRU "
            "\"lower\" has one: in a Bidirectional it has two");
  CHECK(refusal(without("gru_both", "bias_"), both<GRU>(), both<GRU>()) ==
        file +
            " has no tensor \"rnn.bias_ih_l0\", which belongs to \"lower/forward_bias\" of "
            "Bidirectional \"lower\"; a layer for a module with bias=False has use_bias = false");
  CHECK(
      refusal(golden("rnn"), SimpleRNN{.units = 4, .use_bias = false, .return_sequences = true}) ==
      file +
          " has the tensor \"rnn.bias_hh_l0\", which SimpleRNN \"lower\" does not have: it has "
          "use_bias = false");
}

}  // namespace heed::pytorch_recurrent_test
