#include <heed/layers/simple_rnn.hpp>

#include "support/layer_testing.hpp"

namespace heed::simple_rnn_test {

using namespace heed::testing;

namespace {

/// The equation one number at a time, without a batch or an order of memory.
Tensor<double> by_definition(const SimpleRNN& rnn, LayerRun& run) {
  const Index N = run.x[0].dim(0), T = run.x[0].dim(1), D = run.x[0].dim(2), U = rnn.units;
  const Parameters<double> w(run.weights.data(), run.layout.all_slots());
  Tensor<double> all(Shape{N, T, U});
  for (Index n = 0; n < N; ++n) {
    std::vector<double> h(static_cast<std::size_t>(U));
    for (Index t = 0; t < T; ++t) {
      const Index time = rnn.go_backwards ? T - 1 - t : t;
      std::vector<double> z;
      for (Index u = 0; u < U; ++u) {
        double sum = rnn.use_bias ? w[SimpleRNN::bias](u) : 0;
        for (Index d = 0; d < D; ++d) sum += run.x[0](n, time, d) * w[SimpleRNN::kernel](d, u);
        for (Index v = 0; v < U; ++v) {
          sum += h[static_cast<std::size_t>(v)] * w[SimpleRNN::recurrent_kernel](v, u);
        }
        z.push_back(sum);
      }
      activate<double>(rnn.activation, MatrixMap<double>(z.data(), 1, U));
      h = z;
      for (Index u = 0; u < U; ++u) all(n, t, u) = h[static_cast<std::size_t>(u)];
    }
  }
  if (rnn.return_sequences) return all;
  Tensor<double> last(Shape{N, U});
  last.matrix() = all.step(T - 1);
  return last;
}

void check_forward(const SimpleRNN& rnn, const Shape& x, Index N) {
  LayerRun run(rnn, {x}, N);
  run.forward();
  CHECK(distance(run.y, by_definition(rnn, run)) < 1e-13);
}

/// The options that change what is computed, beside the activation function.
std::vector<SimpleRNN> all_options(Index units) {
  std::vector<SimpleRNN> options;
  for (const bool use_bias : {true, false}) {
    for (const bool return_sequences : {false, true}) {
      for (const bool go_backwards : {false, true}) {
        options.push_back({.units = units,
                           .use_bias = use_bias,
                           .return_sequences = return_sequences,
                           .go_backwards = go_backwards});
      }
    }
  }
  return options;
}

}  // namespace

TEST_CASE("SimpleRNN computes its equation with every option") {
  for (const SimpleRNN& rnn : all_options(3)) {
    CAPTURE(rnn.use_bias, rnn.return_sequences, rnn.go_backwards);
    check_forward(rnn, {5, 2}, 3);
    check_forward(rnn, {1, 1}, 1);
  }
  check_forward(SimpleRNN{.units = 1, .return_sequences = true}, {7, 1}, 1);
  check_forward(SimpleRNN{.units = 17, .return_sequences = true}, {4, 9}, 5);
}

TEST_CASE("SimpleRNN computes its equation with every activation function") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    if (is_of_row(function) || needs_z(function)) continue;
    const Index T = function == ActivationFunction::exponential ? 1 : 4;  // it explodes
    check_forward(SimpleRNN{.units = 3, .activation = function, .return_sequences = true}, {T, 2},
                  2);
  }
}

TEST_CASE("SimpleRNN's gradients agree with differences with every option") {
  for (const SimpleRNN& rnn : all_options(3)) {
    CAPTURE(rnn.use_bias, rnn.return_sequences, rnn.go_backwards);
    check_layer(rnn, {{4, 2}});
  }
}

TEST_CASE("SimpleRNN's gradients agree with differences at all kinds of sizes") {
  check_layer(SimpleRNN{.units = 1}, {{1, 1}});
  check_layer(SimpleRNN{.units = 3, .return_sequences = true}, {{1, 4}});
  check_layer(SimpleRNN{.units = 1, .return_sequences = true}, {{6, 1}}, {1, 2});
  check_layer(SimpleRNN{.units = 4, .return_sequences = true}, {{7, 5}}, {3});
  check_layer(SimpleRNN{.units = 9}, {{2, 7}}, {1, 2});
  check_layer(SimpleRNN{.units = 2}, {{50, 1}}, {1});
}

TEST_CASE("SimpleRNN's gradients agree with differences with every activation function") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    if (is_of_row(function) || needs_z(function)) continue;
    const Index T = function == ActivationFunction::exponential ? 1 : 3;
    check_layer(SimpleRNN{.units = 2, .activation = function, .return_sequences = true}, {{T, 2}},
                {2});
  }
}

TEST_CASE("SimpleRNN remembers h of one sample") {
  CHECK(AnyLayer<double>(SimpleRNN{.units = 3}).stream_state({10, 2}, 99) ==
        std::vector<Shape>{{3}});
  CHECK(message<ModelError>([] {
          const SimpleRNN backwards{.units = 3, .go_backwards = true};
          AnyLayer<double>(backwards).stream_state({10, 2}, 99);
        }) == "with go_backwards it begins with the last step");
  const AnyLayer<double> layer(SimpleRNN{.units = 3});
  CHECK(layer.can_stream());
  CHECK_FALSE(layer.is_step_wise(std::vector<Shape>{{10, 2}}));
}

TEST_CASE("SimpleRNN names its weights and starts them as Keras does") {
  const auto weights = SimpleRNN{.units = 32}.weights({10, 2});
  REQUIRE(weights.size() == 3);
  CHECK(weights[0].name == "kernel");
  CHECK(weights[0].shape == Shape{2, 32});
  CHECK(weights[0].initializer == Initializer::glorot_uniform);
  CHECK(weights[1].name == "recurrent_kernel");
  CHECK(weights[1].shape == Shape{32, 32});
  CHECK(weights[1].initializer == Initializer::orthogonal);
  CHECK(weights[2].name == "bias");
  CHECK(weights[2].shape == Shape{32});
  CHECK(weights[2].initializer == Initializer::zeros);

  CHECK(SimpleRNN{.units = 2, .use_bias = false}.weights({3, 4}).size() == 2);
  const SimpleRNN other{.units = 2,
                        .kernel_initializer = Initializer::he_uniform,
                        .recurrent_initializer = Initializer::glorot_normal,
                        .bias_initializer = Initializer::ones};
  CHECK(other.weights({3, 4})[0].initializer == Initializer::he_uniform);
  CHECK(other.weights({3, 4})[1].initializer == Initializer::glorot_normal);
  CHECK(other.weights({3, 4})[2].initializer == Initializer::ones);
}

TEST_CASE("SimpleRNN survives the way through its configuration") {
  check_config(SimpleRNN{.units = 3}, {{"units", Index{3}},
                                       {"activation", "tanh"},
                                       {"use_bias", true},
                                       {"return_sequences", false},
                                       {"return_state", false},
                                       {"go_backwards", false},
                                       {"stateful", false},
                                       {"zero_output_for_mask", false},
                                       {"dropout", 0.0},
                                       {"recurrent_dropout", 0.0},
                                       {"kernel_initializer", "glorot_uniform"},
                                       {"recurrent_initializer", "orthogonal"},
                                       {"bias_initializer", "zeros"}});
  check_config(SimpleRNN{.units = 4,
                         .activation = ActivationFunction::relu,
                         .use_bias = false,
                         .return_sequences = true,
                         .return_state = true,
                         .go_backwards = true,
                         .stateful = true,
                         .zero_output_for_mask = true,
                         .dropout = 0.25,
                         .recurrent_dropout = 0.5,
                         .kernel_initializer = Initializer::he_normal,
                         .recurrent_initializer = Initializer::zeros,
                         .bias_initializer = Initializer::ones},
               {{"units", Index{4}},
                {"activation", "relu"},
                {"use_bias", false},
                {"return_sequences", true},
                {"return_state", true},
                {"go_backwards", true},
                {"stateful", true},
                {"zero_output_for_mask", true},
                {"dropout", 0.25},
                {"recurrent_dropout", 0.5},
                {"kernel_initializer", "he_normal"},
                {"recurrent_initializer", "zeros"},
                {"bias_initializer", "ones"}});
}

TEST_CASE("SimpleRNN that does not fit is refused in a sentence") {
  CHECK(refusal<ShapeError>(SimpleRNN{.units = 3}, {4}) ==
        "SimpleRNN \"layer\": expected an input of (steps, features), got (4)");
  CHECK(refusal<ShapeError>(SimpleRNN{.units = 3}, {4, 5, 6}) ==
        "SimpleRNN \"layer\": expected an input of (steps, features), got (4, 5, 6)");
  CHECK(
      refusal<OptionError>(SimpleRNN{.units = 3, .activation = ActivationFunction::softmax},
                           {4, 5}) ==
      "SimpleRNN \"layer\": expected activation functions that act on single numbers, got softmax");
  CHECK(refusal<OptionError>(SimpleRNN{.units = 0}, {4, 5}) ==
        "SimpleRNN \"layer\": expected units of at least 1, got 0");
}

}  // namespace heed::simple_rnn_test
