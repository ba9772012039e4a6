#include <heed/layers/lstm.hpp>

#include "support/layer_testing.hpp"

namespace heed::lstm_test {

using namespace heed::testing;

namespace {

/// φ of one gate's row, by `activate`, which has its own test.
std::vector<double> apply(ActivationFunction function, std::vector<double> z) {
  activate<double>(function, MatrixMap<double>(z.data(), 1, static_cast<Index>(z.size())));
  return z;
}

/// The equations one number at a time, without a batch, a gate buffer or an order of memory.
Tensor<double> by_definition(const LSTM& lstm, LayerRun& run) {
  const Index N = run.x[0].dim(0), T = run.x[0].dim(1), D = run.x[0].dim(2), U = lstm.units;
  const Parameters<double> w(run.weights.data(), run.layout.all_slots());
  Tensor<double> all(Shape{N, T, U});
  for (Index n = 0; n < N; ++n) {
    std::vector<double> h(static_cast<std::size_t>(U)), c(h);
    for (Index t = 0; t < T; ++t) {
      std::array<std::vector<double>, 4> gates;  // i, f, g, o
      for (Index gate = 0; gate < 4; ++gate) {
        std::vector<double> z;
        for (Index u = 0; u < U; ++u) {
          const Index column = gate * U + u;
          double sum = lstm.use_bias ? w[LSTM::bias](column) : 0;
          for (Index d = 0; d < D; ++d) {
            sum += run.x[0](n, lstm.go_backwards ? T - 1 - t : t, d) * w[LSTM::kernel](d, column);
          }
          for (Index v = 0; v < U; ++v) {
            sum += h[static_cast<std::size_t>(v)] * w[LSTM::recurrent_kernel](v, column);
          }
          z.push_back(sum);
        }
        gates[static_cast<std::size_t>(gate)] =
            apply(gate == 2 ? lstm.activation : lstm.recurrent_activation, z);
      }
      const auto& [i, f, g, o] = gates;
      for (std::size_t u = 0; u < h.size(); ++u) c[u] = f[u] * c[u] + i[u] * g[u];
      const auto phi_c = apply(lstm.activation, c);
      for (std::size_t u = 0; u < h.size(); ++u) {
        h[u] = o[u] * phi_c[u];
        all(n, t, static_cast<Index>(u)) = h[u];
      }
    }
  }
  if (lstm.return_sequences) return all;
  Tensor<double> last(Shape{N, U});
  last.matrix() = all.step(T - 1);
  return last;
}

void check_forward(const LSTM& lstm, const Shape& x, Index N) {
  LayerRun run(lstm, {x}, N);
  run.forward();
  CHECK(distance(run.y, by_definition(lstm, run)) < 1e-13);
}

/// The options that change what is computed, beside the activation functions.
std::vector<LSTM> all_options(Index units) {
  std::vector<LSTM> options;
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

TEST_CASE("LSTM computes its equations with every option") {
  for (const LSTM& lstm : all_options(3)) {
    CAPTURE(lstm.use_bias, lstm.return_sequences, lstm.go_backwards);
    check_forward(lstm, {5, 2}, 3);
    check_forward(lstm, {1, 1}, 1);
  }
  check_forward(LSTM{.units = 1, .return_sequences = true}, {7, 1}, 1);
  check_forward(LSTM{.units = 17, .return_sequences = true}, {4, 9}, 5);
}

TEST_CASE("LSTM computes its equations with every activation function") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    if (is_of_row(function) || needs_z(function)) continue;
    const Index T = function == ActivationFunction::exponential ? 1 : 4;  // it explodes
    check_forward(LSTM{.units = 3, .activation = function, .return_sequences = true}, {T, 2}, 2);
    check_forward(LSTM{.units = 3, .recurrent_activation = function, .return_sequences = true},
                  {4, 2}, 2);
  }
}

TEST_CASE("LSTM's gradients agree with differences with every option") {
  for (const LSTM& lstm : all_options(3)) {
    CAPTURE(lstm.use_bias, lstm.return_sequences, lstm.go_backwards);
    check_layer(lstm, {{4, 2}});
  }
}

TEST_CASE("LSTM's gradients agree with differences at all kinds of sizes") {
  check_layer(LSTM{.units = 1}, {{1, 1}});
  check_layer(LSTM{.units = 3, .return_sequences = true}, {{1, 4}});
  check_layer(LSTM{.units = 1, .return_sequences = true}, {{6, 1}}, {1, 2});
  check_layer(LSTM{.units = 5}, {{3, 1}}, {1, 4});
  check_layer(LSTM{.units = 4, .return_sequences = true}, {{7, 5}}, {3});
  check_layer(LSTM{.units = 9}, {{2, 7}}, {1, 2});
}

TEST_CASE("LSTM's gradients agree with differences with every activation function") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    if (is_of_row(function) || needs_z(function)) continue;
    const Index T = function == ActivationFunction::exponential ? 1 : 3;
    check_layer(LSTM{.units = 2, .activation = function, .return_sequences = true}, {{T, 2}}, {2});
    check_layer(LSTM{.units = 2, .recurrent_activation = function}, {{3, 2}}, {2});
  }
}

TEST_CASE("LSTM's gradients agree with differences over a long sequence") {
  check_layer(LSTM{.units = 2}, {{50, 1}}, {1});
}

TEST_CASE("The last step of LSTM's sequence is what it returns without one") {
  LayerRun last(LSTM{.units = 4}, {{5, 3}}, 2);
  LayerRun all(LSTM{.units = 4, .return_sequences = true}, {{5, 3}}, 2);
  last.forward();
  all.forward();
  CHECK(last.y.matrix() == all.y.step(4));
}

TEST_CASE("LSTM backwards is LSTM of the reversed sequence") {
  LayerRun forwards(LSTM{.units = 4, .return_sequences = true}, {{5, 3}}, 2);
  LayerRun backwards(LSTM{.units = 4, .return_sequences = true, .go_backwards = true}, {{5, 3}}, 2);
  for (Index t = 0; t < 5; ++t) backwards.x[0].step(t) = forwards.x[0].step(4 - t);
  for (auto* run : {&forwards, &backwards}) {
    run->forward();
    run->backward();
  }
  CHECK(forwards.y == backwards.y);
  CHECK(forwards.gradients == backwards.gradients);
  for (Index t = 0; t < 5; ++t) CHECK(backwards.dx[0].step(t) == forwards.dx[0].step(4 - t));
}

TEST_CASE("LSTM starts every sample from a state of zero") {
  LayerRun both(LSTM{.units = 3}, {{4, 2}}, 2);
  LayerRun second(LSTM{.units = 3}, {{4, 2}}, 1);
  second.x[0].assign(both.x[0].samples(1, 1));
  for (const int repetition : {1, 2}) {
    CAPTURE(repetition);
    both.forward();
    second.forward();
    CHECK(distance<double>(both.y.samples(1, 1), second.y) < 1e-15);
  }
}

TEST_CASE("LSTM gives a large batch, read in blocks of steps, what it gives its parts") {
  for (const LSTM& lstm : all_options(2)) {
    CAPTURE(lstm.use_bias, lstm.return_sequences, lstm.go_backwards);
    LayerRun all(lstm, {{25, 3}}, 120);
    all.forward();
    all.backward();
    Arena<double> sum(all.gradients.shape());
    for (Index n = 0; n < 120; n += 10) {
      LayerRun part(lstm, {{25, 3}}, 10);
      part.x[0].assign(all.x[0].samples(n, 10));
      part.dy.assign(all.dy.samples(n, 10));
      part.forward();
      part.backward();
      CHECK(distance<double>(part.y, all.y.samples(n, 10)) < 1e-13);
      CHECK(distance<double>(part.dx[0], all.dx[0].samples(n, 10)) < 1e-13);
      sum.array() += part.gradients.array();
    }
    CHECK(distance(all.gradients, sum) < 1e-12 * all.gradients.array().abs().maxCoeff());
  }
}

TEST_CASE("LSTM of inputs of ±1e4 stays finite, forwards and backwards") {
  LayerRun run(LSTM{.units = 3, .return_sequences = true}, {{4, 2}}, 2);
  run.x[0].array() = (run.x[0].array() > 0).select(Eigen::ArrayXd::Constant(16, 1e4), -1e4);
  run.forward();
  run.backward();
  CHECK(run.y.array().isFinite().all());
  CHECK(run.gradients.array().isFinite().all());
  CHECK(run.dx[0].array().isFinite().all());
}

TEST_CASE("LSTM remembers its last input and h, and c, of one sample") {
  CHECK(AnyLayer<double>(LSTM{.units = 3}).stream_state({10, 2}, 99) ==
        std::vector<Shape>{{3}, {3}});
  CHECK(message<ModelError>([] {
          const LSTM backwards{.units = 3, .go_backwards = true};
          AnyLayer<double>(backwards).stream_state({10, 2}, 99);
        }) == "with go_backwards it begins with the last step");
  const AnyLayer<double> layer(LSTM{.units = 3});
  CHECK(layer.can_stream());
  CHECK_FALSE(layer.is_step_wise(std::vector<Shape>{{10, 2}}));
}

TEST_CASE("LSTM names its weights and starts them as Keras does") {
  const auto weights = LSTM{.units = 32}.weights({10, 2});
  REQUIRE(weights.size() == 3);
  CHECK(weights[0].name == "kernel");
  CHECK(weights[0].shape == Shape{2, 128});
  CHECK(weights[0].initializer == Initializer::glorot_uniform);
  CHECK(weights[1].name == "recurrent_kernel");
  CHECK(weights[1].shape == Shape{32, 128});
  CHECK(weights[1].initializer == Initializer::orthogonal);
  CHECK(weights[2].name == "bias");
  CHECK(weights[2].shape == Shape{128});
  CHECK(weights[2].initializer == Initializer::zeros);
  CHECK(weights[2].unit_forget);

  CHECK(LSTM{.units = 2, .use_bias = false}.weights({3, 4}).size() == 2);
  const LSTM other{.units = 2,
                   .unit_forget_bias = false,
                   .kernel_initializer = Initializer::he_uniform,
                   .recurrent_initializer = Initializer::glorot_normal};
  CHECK(other.weights({3, 4})[0].initializer == Initializer::he_uniform);
  CHECK(other.weights({3, 4})[1].initializer == Initializer::glorot_normal);
  CHECK(other.weights({3, 4})[2].initializer == Initializer::zeros);
  CHECK_FALSE(other.weights({3, 4})[2].unit_forget);
}

TEST_CASE("LSTM's bias starts with ones in the forget quarter") {
  Model<double> model;
  model.input({3, 1});
  model.add("lstm", LSTM{.units = 2});
  model.build();
  const auto bias = model.weight("lstm/bias");
  CHECK(Tensor<double>(bias) == Tensor<double>(Tensor<double, 1>{0, 0, 1, 1, 0, 0, 0, 0}));
}

TEST_CASE("LSTM's bias starts as bias_initializer says but for the forget quarter, as in Keras") {
  Model<double> model;
  model.input({3, 1});
  model.add("lstm", LSTM{.units = 2, .bias_initializer = Initializer::random_uniform});
  model.build();
  const auto bias = model.weight("lstm/bias").array();
  CHECK((bias.segment(2, 2) == 1).all());
  CHECK((bias.head(2) != 0).all());
  CHECK((bias.tail(4) != 0).all());
  CHECK(bias.abs().maxCoeff() == 1);
}

TEST_CASE("LSTM survives the way through its configuration") {
  check_config(LSTM{.units = 3}, {{"units", Index{3}},
                                  {"activation", "tanh"},
                                  {"recurrent_activation", "sigmoid"},
                                  {"use_bias", true},
                                  {"unit_forget_bias", true},
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
  check_config(LSTM{.units = 4,
                    .activation = ActivationFunction::relu,
                    .recurrent_activation = ActivationFunction::hard_sigmoid,
                    .use_bias = false,
                    .unit_forget_bias = false,
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
                {"recurrent_activation", "hard_sigmoid"},
                {"use_bias", false},
                {"unit_forget_bias", false},
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

TEST_CASE("LSTM that does not fit is refused in a sentence") {
  CHECK(refusal<ShapeError>(LSTM{.units = 3}, {4}) ==
        "LSTM \"layer\": expected an input of (steps, features), got (4)");
  CHECK(refusal<ShapeError>(LSTM{.units = 3}, {4, 5, 6}) ==
        "LSTM \"layer\": expected an input of (steps, features), got (4, 5, 6)");
  CHECK(
      refusal<OptionError>(LSTM{.units = 3, .activation = ActivationFunction::gelu}, {4, 5}) ==
      "LSTM \"layer\": expected activation functions whose derivative follows from the value, got "
      "gelu; Dense and Activation take this one");
  CHECK(refusal<OptionError>(LSTM{.units = 3, .activation = ActivationFunction::softmax}, {4, 5}) ==
        "LSTM \"layer\": expected activation functions that act on single numbers, got softmax");
  CHECK(refusal<OptionError>(LSTM{.units = 0}, {4, 5}) ==
        "LSTM \"layer\": expected units of at least 1, got 0");
}

}  // namespace heed::lstm_test
