#pragma once

#include <heed/attention/luong_attention.hpp>
#include <heed/attention/step_attention.hpp>
#include <heed/layers/activation.hpp>
#include <heed/layers/add.hpp>
#include <heed/layers/concatenate.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/dot.hpp>
#include <heed/layers/dropout.hpp>
#include <heed/layers/flatten.hpp>
#include <heed/layers/last_step.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/layers/multiply.hpp>
#include <heed/layers/permute.hpp>
#include <heed/layers/repeat_vector.hpp>
#include <heed/layers/reshape.hpp>
#include <heed/model/model.hpp>

namespace heed::testing {

/// What makes small files: of 43 weights.
inline Model<float> small_network() {
  Model<float> model("small");
  model.input("x", {3, 2});
  model.add("lstm", LSTM{.units = 2});
  model.add("out", Dense{.units = 1});
  model.build({.seed = 1});
  return model;
}

/// Step-wise attention as the reference writes it, behind a node of `steps` steps.
template <class S>
Node add_step_attention(Model<S>& model, Node x, Index steps) {
  Node a = model.add(Permute{.dims = {2, 1}}, x);
  a = model.add(Dense{.units = steps, .activation = Activation::softmax}, a);
  a = model.add("attention_vec", Permute{.dims = {2, 1}}, a);
  return model.add("attention_mul", Multiply{}, {x, a});
}

/// Luong's many-to-one attention as the reference writes it, behind a node of `hidden` units.
template <class S>
Node add_luong_attention(Model<S>& model, Node x, Index hidden, Index units) {
  const Node score_first =
      model.add("attention_score_vec", Dense{.units = hidden, .use_bias = false}, x);
  const Node h = model.add("last_hidden_state", LastStep{}, x);
  const Node score = model.add("attention_score", Dot{.axes = {1, 2}}, {h, score_first});
  const Node weight =
      model.add("attention_weight", Activation{.activation = Activation::softmax}, score);
  const Node context = model.add("context_vector", Dot{.axes = {1, 1}}, {x, weight});
  const Node both = model.add("attention_output", Concatenate{}, {context, h});
  return model.add("attention_vector",
                   Dense{.units = units, .activation = Activation::tanh, .use_bias = false}, both);
}

enum class Form { block, functional };

/// The first program of the reference: 4,911 weights.
template <class S>
Model<S> index2_network(Form form, std::uint64_t seed = 42) {
  Model<S> model;
  const Node x = model.input({10, 2});
  const Node lstm = model.add("lstm", LSTM{.units = 32, .return_sequences = true}, x);
  if (form == Form::block) {
    model.add("attention", StepAttention{}, lstm);
  } else {
    add_step_attention(model, lstm, 10);
  }
  model.add(Flatten{});
  model.add("output", Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = seed});
  return model;
}

/// The second program of the reference: 25,121 weights.
template <class S>
Model<S> regression_network(Form form, std::uint64_t seed = 42) {
  Model<S> model;
  const Node x = model.input({10, 1});
  const Node lstm = model.add("lstm", LSTM{.units = 64, .return_sequences = true}, x);
  if (form == Form::block) {
    model.add("attention", LuongAttention{.units = 32}, lstm);
  } else {
    add_luong_attention(model, lstm, 64, 32);
  }
  model.add("output", Dense{.units = 1});
  model.build({.seed = seed});
  return model;
}

/// Every layer of the library in one network, with fan-out: (6, 4) to (2).
template <class S>
Model<S> every_layer_network() {
  Model<S> model;
  const Node x = model.input({6, 4});
  const Node lstm = model.add(LSTM{.units = 3, .return_sequences = true}, x);
  const Node step = model.add("step", StepAttention{}, lstm);
  const Node luong = model.add("luong", LuongAttention{.units = 5}, step);
  const Node layers = add_luong_attention(model, add_step_attention(model, lstm, 6), 3, 5);
  const Node sum = model.add(Add{}, {luong, layers});
  const Node again = model.add(RepeatVector{.n = 6}, sum);
  const Node wide = model.add(Reshape{.target_shape = {-1, 10}}, again);
  model.add(Dropout{.rate = 0.5}, wide);
  model.add(Flatten{});
  model.add(Dense{.units = 2, .activation = Activation::softmax});
  model.build({.seed = 1});
  return model;
}

}  // namespace heed::testing
