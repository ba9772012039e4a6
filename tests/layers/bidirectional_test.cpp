#include <heed/layers/bidirectional.hpp>
#include <heed/layers/gru.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/layers/simple_rnn.hpp>

#include "support/layer_testing.hpp"

namespace heed::bidirectional_test {

using namespace heed::testing;

namespace {

constexpr Index N = 4, T = 5, D = 3, U = 2;

/// Holes, a sample without a step, steps that are missing at the beginning and at the end.
const std::vector<std::uint8_t> holes{1, 1, 1, 1, 1,  //
                                      0, 1, 0, 1, 0,  //
                                      0, 0, 0, 0, 0,  //
                                      1, 1, 0, 0, 0};

template <class L>
Bidirectional<L> make(bool sequences, MergeMode mode, bool state = true) {
  return {.layer = {.units = U, .return_sequences = sequences, .return_state = state},
          .merge_mode = mode};
}

/// x and the initial states.
template <class L>
std::vector<Shape> inputs(const L& layer) {
  std::vector<Shape> shapes{{T, D}};
  for (const Shape& state : layer.states(shapes[0])) shapes.push_back(state);
  return shapes;
}

/// One direction of a run as a layer of its own, with that half of its weights and states.
template <class L>
std::vector<Tensor<double>> direction(const Bidirectional<L>& layer, const LayerRun& run,
                                      bool back) {
  L one = layer.layer;
  one.go_backwards = back;
  one.zero_output_for_mask = one.return_sequences;
  auto shapes = inputs(layer);
  const std::size_t states = (shapes.size() - 1) / 2;
  shapes.resize(1 + states);
  LayerRun alone(one, shapes, N);
  const Index half = run.weights.size() / 2;
  alone.weights.array() = run.weights.array().segment(back ? half : 0, half);
  alone.x[0] = run.x[0];
  for (std::size_t i = 0; i < states; ++i) alone.x[1 + i] = run.x[1 + i + (back ? states : 0)];
  if (!run.steps.empty()) alone.set_mask(holes);
  alone.pass = run.pass;
  alone.forward();
  if (back && one.return_sequences) {
    const Tensor<double> turned = alone.ys[0];
    for (Index t = 0; t < T; ++t) alone.ys[0].step(t) = turned.step(T - 1 - t);
  }
  return alone.ys;
}

}  // namespace

TEMPLATE_TEST_CASE("Bidirectional joins a layer and one that reads backwards", "[recurrent]", LSTM,
                   GRU, SimpleRNN) {
  for (const auto& [name, mode] : Names<MergeMode>::table) {
    for (const bool sequences : {false, true}) {
      for (const bool masked : {false, true}) {
        CAPTURE(name, sequences, masked);
        const auto layer = make<TestType>(sequences, mode);
        LayerRun run(layer, inputs(layer), N);
        if (masked) run.set_mask(holes);
        run.forward();
        const auto ahead = direction(layer, run, false), back = direction(layer, run, true);
        const auto y = run.ys[0].matrix();
        const auto a = ahead[0].matrix(), b = back[0].matrix();
        using enum MergeMode;
        switch (mode) {
          case concat:
            CHECK(y.leftCols(U) == a);
            CHECK(y.rightCols(U) == b);
            break;
          case sum: CHECK(y == a + b); break;
          case mul: CHECK(y == a.cwiseProduct(b)); break;
          case ave: CHECK(y == (a + b) / 2); break;
          case none:
            CHECK(y == a);
            CHECK(run.ys[1].matrix() == b);
            break;
        }
        const std::size_t first = layer.outputs(), states = ahead.size() - 1;
        REQUIRE(run.ys.size() == first + 2 * states);
        for (std::size_t i = 0; i < states; ++i) {
          CHECK(run.ys[first + i] == ahead[1 + i]);
          CHECK(run.ys[first + states + i] == back[1 + i]);
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("Bidirectional's gradients agree with differences", "[recurrent]", LSTM, GRU,
                   SimpleRNN) {
  for (const auto& [name, mode] : Names<MergeMode>::table) {
    for (const bool sequences : {false, true}) {
      CAPTURE(name, sequences);
      const auto layer = make<TestType>(sequences, mode);
      check_layer(layer, inputs(layer), {1, 2});
      LayerRun run(layer, inputs(layer), N, 3);
      run.set_mask(holes);
      CHECK(check_gradients(run).worst < gradient_tolerance);
      LayerRun again(layer, inputs(layer), N, 4);
      again.set_mask(holes);
      check_backward(again);
    }
  }
  check_layer(make<TestType>(true, MergeMode::concat, false), {{1, 1}});
  check_layer(make<TestType>(false, MergeMode::mul, false), {{1, D}});
}

TEST_CASE("Outputs of a Bidirectional that nobody uses have no gradient") {
  const auto layer = make<LSTM>(true, MergeMode::none);
  for (const std::size_t unused : {0u, 1u}) {
    LayerRun zero(layer, inputs(layer), N), none(layer, inputs(layer), N);
    zero.dys[unused].set_zero();
    none.dy_views[unused] = {};
    for (LayerRun* run : {&zero, &none}) {
      run->forward();
      run->backward();
    }
    CHECK(zero.gradients == none.gradients);
    CHECK(zero.dx == none.dx);
  }
  // The states alone, as of an encoder.
  LayerRun zero(layer, inputs(layer), N), none(layer, inputs(layer), N);
  for (const std::size_t i : {0u, 1u}) {
    zero.dys[i].set_zero();
    none.dy_views[i] = {};
  }
  for (LayerRun* run : {&zero, &none}) {
    run->forward();
    run->backward();
  }
  CHECK(zero.gradients == none.gradients);
  CHECK(zero.dx == none.dx);
}

TEST_CASE("Dropout draws other masks for the two directions of a Bidirectional") {
  Bidirectional<SimpleRNN> layer{
      .layer = {.units = 1, .activation = ActivationFunction::linear, .use_bias = false},
      .merge_mode = MergeMode::none};
  layer.layer.dropout = 0.5;
  LayerRun run(layer, {{1, 40}}, 2);
  run.pass.training = true;
  // Both directions have the same weights: with the same masks both would give the same.
  const Index half = run.weights.size() / 2;
  run.weights.array().tail(half) = run.weights.array().head(half);
  run.forward();
  CHECK(run.ys[0] != run.ys[1]);
  CHECK(check_gradients(run).worst < gradient_tolerance);
  run.pass.training = false;
  run.forward();
  CHECK(run.ys[0] == run.ys[1]);
}

TEST_CASE("The steps of a Bidirectional's sequences count as those of its input") {
  for (const MergeMode mode : {MergeMode::sum, MergeMode::none}) {
    Model<double> model;
    const Node x = model.input({T, D});
    const Node both = model.add(
        "both",
        Bidirectional<GRU>{.layer = {.units = U, .return_sequences = true}, .merge_mode = mode},
        {x});
    const Node second{both.index, mode == MergeMode::none ? 1u : 0u};
    model.add("end", GRU{.units = 2}, {second});
    model.build({.seed = 1});
    const Tensor<double> values = random_tensor({N, T, D}, 2);
    const Mask mask(holes.data(), {N, T});
    const View<const double> given = values;
    Tape<double> tape;
    model.forward(Inputs<double>{.x = {&given, 1}, .masks = {&mask, 1}}, tape);
    for (const Node node : {both, second}) {
      const Steps steps = model.graph().steps(node, tape);
      REQUIRE(steps);
      CHECK(std::equal(holes.begin(), holes.end(), steps->mask().data()));
    }
  }
}

TEST_CASE("A Bidirectional that is stateful goes on from batch to batch") {
  Model<double> model;
  model.input({2, D});
  model.add("both", Bidirectional<LSTM>{.layer = {.units = U, .stateful = true}});
  model.build({.seed = 1});
  const Tensor<double> x = random_tensor({N, 2, D}, 2);
  Tape<double> tape;
  const Tensor<double> first(model.forward(x, tape));
  const Tensor<double> second(model.forward(x, tape));
  CHECK(first != second);
  tape.reset_states();
  CHECK(Tensor<double>(model.forward(x, tape)) == first);
}

TEST_CASE("Bidirectional names its weights after their direction") {
  Model<double> model;
  model.input({T, D});
  model.add("both", Bidirectional<LSTM>{.layer = {.units = U}});
  std::vector<std::string> names;
  for (const Slot& slot : model.graph().layout().all_slots()) names.push_back(slot.name);
  CHECK(names == std::vector<std::string>{"both/forward_kernel", "both/forward_recurrent_kernel",
                                          "both/forward_bias", "both/backward_kernel",
                                          "both/backward_recurrent_kernel", "both/backward_bias"});
}

TEST_CASE("Bidirectional survives the way through its configuration") {
  const Bidirectional<GRU> layer{.layer = {.units = 3}, .merge_mode = MergeMode::ave};
  check_config(layer,
               {{"layer", LayerConfig{"GRU", get_config(layer.layer)}}, {"merge_mode", "ave"}});
  CHECK(message<OptionError>([] { from_config<Bidirectional<GRU>>({}); }) ==
        "Bidirectional needs \"layer\"");
  CHECK(message<OptionError>([] {
          from_config<Bidirectional<GRU>>({{"layer", LayerConfig{"LSTM", {}}}});
        }) == "expected \"layer\" to be of the type GRU, got \"LSTM\"");
  CHECK(message<OptionError>([] {
          from_config<Bidirectional<GRU>>({{"layer", true}});
        }) == "expected \"layer\" to be a layer");
}

TEST_CASE("A Bidirectional that cannot be is refused in a sentence") {
  const std::string place = "Bidirectional \"layer\": ";
  CHECK(
      refusal<OptionError>(Bidirectional<LSTM>{.layer = {.units = 2, .go_backwards = true}},
                           {T, D}) ==
      place +
          "expected a layer without go_backwards; Bidirectional adds the one that goes backwards");
  CHECK(refusal<OptionError>(Bidirectional<LSTM>{.layer = {.units = 0}}, {T, D}) ==
        place + "expected units of at least 1, got 0");
  constexpr Index most = (std::numeric_limits<Index>::max)();
  CHECK(refusal<OptionError>(Bidirectional<LSTM>{.layer = {.units = most}}, {T, D}) ==
        place + "expected units whose double can be counted, got " + std::to_string(most));
  CHECK(refusal<ShapeError>(Bidirectional<LSTM>{.layer = {.units = 2}}, {D}) ==
        place + "expected an input of (steps, features), got (3)");
}

}  // namespace heed::bidirectional_test
