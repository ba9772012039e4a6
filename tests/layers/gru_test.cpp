#include <heed/layers/gru.hpp>

#include "support/layer_testing.hpp"

namespace heed::gru_test {

using namespace heed::testing;

namespace {

/// φ of one gate's row, by `activate`, which has its own test.
std::vector<double> apply(ActivationFunction function, std::vector<double> z) {
  activate<double>(function, MatrixMap<double>(z.data(), 1, static_cast<Index>(z.size())));
  return z;
}

/// The equations one number at a time, without a batch, a gate buffer or an order of memory.
Tensor<double> by_definition(const GRU& gru, LayerRun& run) {
  const Index N = run.x[0].dim(0), T = run.x[0].dim(1), D = run.x[0].dim(2), U = gru.units;
  const Parameters<double> w(run.weights.data(), run.layout.all_slots());
  Tensor<double> all(Shape{N, T, U});
  const auto at = [](std::vector<double>& v, Index i) -> double& {
    return v[static_cast<std::size_t>(i)];
  };
  for (Index n = 0; n < N; ++n) {
    std::vector<double> h(static_cast<std::size_t>(U));
    for (Index t = 0; t < T; ++t) {
      const Index time = gru.go_backwards ? T - 1 - t : t;
      // x W + b and h' U + c of one of the blocks 0, 1, 2: z, r, g
      const auto from_x = [&](Index block, Index u) {
        const Index column = block * U + u;
        double sum = 0;
        if (gru.use_bias) sum = w[GRU::bias].data()[column];
        for (Index d = 0; d < D; ++d) sum += run.x[0](n, time, d) * w[GRU::kernel](d, column);
        return sum;
      };
      const auto from_state = [&](std::vector<double> state, Index block, Index u) {
        const Index column = block * U + u;
        double sum = 0;
        if (gru.use_bias && gru.reset_after) sum = w[GRU::bias].data()[3 * U + column];
        for (Index v = 0; v < U; ++v) sum += at(state, v) * w[GRU::recurrent_kernel](v, column);
        return sum;
      };
      std::vector<double> z, r, g;
      for (Index u = 0; u < U; ++u) z.push_back(from_x(0, u) + from_state(h, 0, u));
      for (Index u = 0; u < U; ++u) r.push_back(from_x(1, u) + from_state(h, 1, u));
      z = apply(gru.recurrent_activation, z);
      r = apply(gru.recurrent_activation, r);
      std::vector<double> reset = h;
      for (Index u = 0; u < U; ++u) at(reset, u) *= at(r, u);
      for (Index u = 0; u < U; ++u) {
        g.push_back(from_x(2, u) +
                    (gru.reset_after ? at(r, u) * from_state(h, 2, u) : from_state(reset, 2, u)));
      }
      g = apply(gru.activation, g);
      for (Index u = 0; u < U; ++u) {
        at(h, u) = at(z, u) * at(h, u) + (1 - at(z, u)) * at(g, u);
        all(n, t, u) = at(h, u);
      }
    }
  }
  if (gru.return_sequences) return all;
  Tensor<double> last(Shape{N, U});
  last.matrix() = all.step(T - 1);
  return last;
}

void check_forward(const GRU& gru, const Shape& x, Index N) {
  LayerRun run(gru, {x}, N);
  run.forward();
  CHECK(distance(run.y, by_definition(gru, run)) < 1e-13);
}

/// The options that change what is computed, beside the activation functions.
std::vector<GRU> all_options(Index units) {
  std::vector<GRU> options;
  for (const bool use_bias : {true, false}) {
    for (const bool reset_after : {true, false}) {
      for (const bool return_sequences : {false, true}) {
        for (const bool go_backwards : {false, true}) {
          options.push_back({.units = units,
                             .use_bias = use_bias,
                             .reset_after = reset_after,
                             .return_sequences = return_sequences,
                             .go_backwards = go_backwards});
        }
      }
    }
  }
  return options;
}

}  // namespace

TEST_CASE("GRU computes its equations with every option") {
  for (const GRU& gru : all_options(3)) {
    CAPTURE(gru.use_bias, gru.reset_after, gru.return_sequences, gru.go_backwards);
    check_forward(gru, {5, 2}, 3);
    check_forward(gru, {1, 1}, 1);
  }
  for (const bool reset_after : {true, false}) {
    check_forward(GRU{.units = 1, .reset_after = reset_after, .return_sequences = true}, {7, 1}, 1);
    check_forward(GRU{.units = 17, .reset_after = reset_after, .return_sequences = true}, {4, 9},
                  5);
  }
}

TEST_CASE("GRU computes its equations with every activation function") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    if (is_of_row(function) || needs_z(function)) continue;
    for (const bool reset_after : {true, false}) {
      CAPTURE(name, reset_after);
      const Index T = function == ActivationFunction::exponential ? 1 : 3;  // it explodes
      check_forward(GRU{.units = 3,
                        .activation = function,
                        .reset_after = reset_after,
                        .return_sequences = true},
                    {T, 2}, 2);
      check_forward(GRU{.units = 3,
                        .recurrent_activation = function,
                        .reset_after = reset_after,
                        .return_sequences = true},
                    {T, 2}, 2);
    }
  }
}

TEST_CASE("GRU's gradients agree with differences with every option") {
  for (const GRU& gru : all_options(3)) {
    CAPTURE(gru.use_bias, gru.reset_after, gru.return_sequences, gru.go_backwards);
    check_layer(gru, {{4, 2}});
  }
}

TEST_CASE("With recurrent dropout the reset gate, too, lets through what the mask has left") {
  for (const bool reset_after : {true, false}) {
    GRU gru{.units = 3, .return_sequences = true};
    gru.reset_after = reset_after;
    gru.recurrent_dropout = 0.4;
    LayerRun run(gru, {{5, 2}}, 4);
    run.pass.training = true;
    run.forward();
    CAPTURE(reset_after);
    CHECK(check_gradients(run).worst < gradient_tolerance);
  }
}

TEST_CASE("GRU's gradients agree with differences at all kinds of sizes") {
  for (const bool after : {true, false}) {
    check_layer(GRU{.units = 1, .reset_after = after}, {{1, 1}});
    check_layer(GRU{.units = 3, .reset_after = after, .return_sequences = true}, {{1, 4}});
    check_layer(GRU{.units = 1, .reset_after = after, .return_sequences = true}, {{6, 1}}, {1, 2});
    check_layer(GRU{.units = 4, .reset_after = after, .return_sequences = true}, {{7, 5}}, {3});
    check_layer(GRU{.units = 9, .reset_after = after}, {{2, 7}}, {1, 2});
    check_layer(GRU{.units = 2, .reset_after = after}, {{50, 1}}, {1});
  }
}

TEST_CASE("GRU's gradients agree with differences with every activation function") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    if (is_of_row(function) || needs_z(function)) continue;
    const Index T = function == ActivationFunction::exponential ? 1 : 3;
    check_layer(GRU{.units = 2, .activation = function, .return_sequences = true}, {{T, 2}}, {2});
    check_layer(GRU{.units = 2, .recurrent_activation = function, .reset_after = false}, {{T, 2}},
                {2});
  }
}

TEST_CASE("GRU gives a large batch, read in blocks of steps, what it gives its parts") {
  for (const GRU& gru : all_options(2)) {
    CAPTURE(gru.use_bias, gru.reset_after, gru.return_sequences, gru.go_backwards);
    LayerRun all(gru, {{25, 3}}, 120);
    all.forward();
    all.backward();
    Arena<double> sum(all.gradients.shape());
    for (Index n = 0; n < 120; n += 40) {
      LayerRun part(gru, {{25, 3}}, 40);
      part.x[0].assign(all.x[0].samples(n, 40));
      part.dy.assign(all.dy.samples(n, 40));
      part.forward();
      part.backward();
      CHECK(distance<double>(part.y, all.y.samples(n, 40)) < 1e-13);
      CHECK(distance<double>(part.dx[0], all.dx[0].samples(n, 40)) < 1e-13);
      sum.array() += part.gradients.array();
    }
    CHECK(distance(all.gradients, sum) < 1e-12 * all.gradients.array().abs().maxCoeff());
  }
}

TEST_CASE("GRU of inputs of ±1e4 stays finite, forwards and backwards") {
  for (const bool reset_after : {true, false}) {
    LayerRun run(GRU{.units = 3, .reset_after = reset_after, .return_sequences = true}, {{4, 2}},
                 2);
    run.x[0].array() = (run.x[0].array() > 0).select(Eigen::ArrayXd::Constant(16, 1e4), -1e4);
    run.forward();
    run.backward();
    CHECK(run.y.array().isFinite().all());
    CHECK(run.gradients.array().isFinite().all());
    CHECK(run.dx[0].array().isFinite().all());
  }
}

TEST_CASE("GRU remembers h of one sample") {
  CHECK(AnyLayer<double>(GRU{.units = 3}).stream_state({10, 2}, 99) == std::vector<Shape>{{3}});
  CHECK(message<ModelError>([] {
          const GRU backwards{.units = 3, .go_backwards = true};
          AnyLayer<double>(backwards).stream_state({10, 2}, 99);
        }) == "with go_backwards it begins with the last step");
  const AnyLayer<double> layer(GRU{.units = 3});
  CHECK(layer.can_stream());
  CHECK_FALSE(layer.is_step_wise(std::vector<Shape>{{10, 2}}));
}

TEST_CASE("GRU names its weights and starts them as Keras does") {
  const auto weights = GRU{.units = 32}.weights({10, 2});
  REQUIRE(weights.size() == 3);
  CHECK(weights[0].name == "kernel");
  CHECK(weights[0].shape == Shape{2, 96});
  CHECK(weights[0].initializer == Initializer::glorot_uniform);
  CHECK(weights[1].name == "recurrent_kernel");
  CHECK(weights[1].shape == Shape{32, 96});
  CHECK(weights[1].initializer == Initializer::orthogonal);
  CHECK(weights[2].name == "bias");
  CHECK(weights[2].shape == Shape{2, 96});
  CHECK(weights[2].initializer == Initializer::zeros);

  CHECK(GRU{.units = 32, .reset_after = false}.weights({10, 2})[2].shape == Shape{96});
  CHECK(GRU{.units = 2, .use_bias = false}.weights({3, 4}).size() == 2);
  const GRU other{.units = 2,
                  .kernel_initializer = Initializer::he_uniform,
                  .recurrent_initializer = Initializer::glorot_normal,
                  .bias_initializer = Initializer::ones};
  CHECK(other.weights({3, 4})[0].initializer == Initializer::he_uniform);
  CHECK(other.weights({3, 4})[1].initializer == Initializer::glorot_normal);
  CHECK(other.weights({3, 4})[2].initializer == Initializer::ones);
}

TEST_CASE("GRU survives the way through its configuration") {
  check_config(GRU{.units = 3}, {{"units", Index{3}},
                                 {"activation", "tanh"},
                                 {"recurrent_activation", "sigmoid"},
                                 {"use_bias", true},
                                 {"reset_after", true},
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
  check_config(GRU{.units = 4,
                   .activation = ActivationFunction::relu,
                   .recurrent_activation = ActivationFunction::hard_sigmoid,
                   .use_bias = false,
                   .reset_after = false,
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
                {"reset_after", false},
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

TEST_CASE("GRU that does not fit is refused in a sentence") {
  CHECK(refusal<ShapeError>(GRU{.units = 3}, {4}) ==
        "GRU \"layer\": expected an input of (steps, features), got (4)");
  CHECK(refusal<ShapeError>(GRU{.units = 3}, {4, 5, 6}) ==
        "GRU \"layer\": expected an input of (steps, features), got (4, 5, 6)");
  for (const GRU& gru : {GRU{.units = 3, .activation = ActivationFunction::softmax},
                         GRU{.units = 3, .recurrent_activation = ActivationFunction::softmax}}) {
    CHECK(refusal<OptionError>(gru, {4, 5}) ==
          "GRU \"layer\": expected activation functions that act on single numbers, got softmax");
  }
  CHECK(refusal<OptionError>(GRU{.units = 0}, {4, 5}) ==
        "GRU \"layer\": expected units of at least 1, got 0");
}

}  // namespace heed::gru_test
