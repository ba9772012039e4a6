// Makes the corpus, small files that are read without an error:
//
//     g++ -std=c++20 -I include -I tests -isystem /usr/include/eigen3 tests/fuzz/make_corpus.cpp -o make_corpus
//     ./make_corpus tests/fuzz/corpus

#include <heed/io.hpp>
#include <heed/keras.hpp>

#include <iostream>

#include "fuzz/training.hpp"
#include "support/networks.hpp"

using namespace heed;
using testing::small_network;

namespace {

Model<float> attention_model() {
  Model<float> model("m");
  model.input("x", {3, 2});
  model.add("lstm", LSTM{.units = 2, .return_sequences = true});
  model.add("attention", StepAttention{});
  model.add("flat", Flatten{});
  model.add("dense", Dense{.units = 1, .activation = Activation::sigmoid});
  model.build();
  return model;
}

Model<float> branches_model() {
  Model<float> model("b");
  const Node x = model.input("x", {3, 2});
  const Node a = model.add("a", Dense{.units = 2, .activation = Activation::relu}, x);
  const Node sum = model.add("sum", Add{}, {x, a});
  const Node product = model.add("product", Multiply{}, {sum, a});
  const Node both = model.add("both", Concatenate{.axis = 1}, {product, sum});
  model.add("turned", Permute{.dims = {2, 1}}, both);
  model.add("shaped", Reshape{.target_shape = {4, -1}});
  model.add("luong", LuongAttention{.units = 2});
  model.add("again", RepeatVector{.n = 2});
  model.add("dropped", Dropout{.rate = 0.25});
  model.add("last", LastStep{});
  model.add("end", Activation{.activation = Activation::softmax});
  model.build();
  return model;
}

/// Ids and sequences with masks, in both directions, with states, a layer that is shared and one that is frozen.
Model<float> sequences_model() {
  Model<float> model("s");
  const Node ids = model.input("ids", {any}), x = model.input("x", {any, 2});
  const Node words =
      model.add("words", Embedding{.input_dim = 3, .output_dim = 2, .mask_zero = true}, ids);
  const Node masked = model.add("masked", Masking{}, x);
  const Node dense = model.add("dense", TimeDistributed<Dense>{{.units = 2}}, words);
  const Node again = model.share("again", dense, {masked});
  const Node both =
      model.add("both", Bidirectional<GRU>{{.units = 1, .return_sequences = true}}, again);
  const Node h = model.add("h", SimpleRNN{.units = 2, .return_state = true}, dense);
  model.add("given", LSTM{.units = 2}, {x, h, Node{h.index, 1}});
  const Node given{model.graph().nodes().size() - 1, 0};
  model.set_trainable("dense", false);
  model.set_outputs({both, given});
  model.build();
  return model;
}

Model<float> dense_model() {
  Model<float> model;
  model.input("x", {1});
  model.add("d", Dense{.units = 1, .use_bias = false});
  model.build();
  return model;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  write_file(path, std::as_bytes(std::span(text)));
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 1;
  const std::filesystem::path corpus = arguments[1];
  for (const auto* folder : {"config", "safetensors", "keras"}) {
    std::filesystem::create_directories(corpus / folder);
  }
  const std::vector<std::pair<std::string, Model<float>>> models{
      {"lstm", small_network()},        {"attention", attention_model()},
      {"branches", branches_model()},   {"dense", dense_model()},
      {"sequences", sequences_model()}, {"every_layer", testing::every_layer_network<float>()}};
  for (const auto& [name, model] : models) {
    write_text(corpus / "config" / (name + ".json"), model_to_json(model).dump());
    save_model(model, corpus / "safetensors" / (name + ".safetensors"));
    if (name == "every_layer") continue;  // large in Keras's files
    keras::save_model(model, corpus / "keras" / (name + ".h5"));
    keras::save_model(model, corpus / "keras" / (name + ".keras"));
  }
  const Tensor<float> x(Shape{1, 3, 2});
  save_model(small_network(), corpus / "safetensors" / "sample.safetensors", {.sample = x});
  save_weights(small_network(), corpus / "safetensors" / "weights.safetensors");
  auto model = small_network();
  const auto path = corpus / "safetensors" / "checkpoint.safetensors";
  fuzzing::train(model, {.callbacks = {Checkpoint{.path = path, .every_steps = 1}}});
  const auto state_dict =
      pytorch::save_weights(small_network(), {{"lstm", "rnn"}, {"out", "head"}});
  write_file(corpus / "safetensors" / "state_dict.safetensors", state_dict);
}
