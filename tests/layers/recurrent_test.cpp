#include <heed/layers/gru.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/layers/recurrent.hpp>
#include <heed/layers/simple_rnn.hpp>

#include "support/layer_testing.hpp"

// What holds for every recurrent layer: masks, states, directions, dropout.

namespace heed::recurrent_test {

using namespace heed::testing;

namespace {

/// Holes, a sample without a step, steps that are missing at the beginning and at the end.
const std::vector<std::uint8_t> holes{1, 1, 1, 1, 1,  //
                                      0, 1, 0, 1, 0,  //
                                      0, 0, 0, 0, 0,  //
                                      1, 1, 0, 0, 0};
constexpr Index N = 4, T = 5, D = 3, U = 4;

template <class L>
L make(bool sequences, bool backwards = false) {
  return {
      .units = U, .return_sequences = sequences, .return_state = true, .go_backwards = backwards};
}

/// x and the initial states.
template <class L>
std::vector<Shape> inputs() {
  std::vector<Shape> shapes{{T, D}};
  for (const Shape& state : detail::states_of(L{.units = U}, shapes[0])) shapes.push_back(state);
  return shapes;
}

/// The layer's outputs for sample `n` of a run, of its steps that count and of nothing else.
template <class L>
std::vector<Tensor<double>> alone(const L& layer, const LayerRun& run, Index n) {
  const Steps steps = run.steps[0];
  std::vector<Shape> shapes = inputs<L>();
  shapes[0] = {steps->length(n), D};
  LayerRun one(layer, shapes, 1);
  one.weights = run.weights;
  for (Index k = 0; k < steps->length(n); ++k) {
    one.x[0].slice(0).row(k) = run.x[0].slice(n).row(steps->step(n, k));
  }
  for (std::size_t i = 1; i < one.x.size(); ++i) {
    one.x[i].matrix().row(0) = run.x[i].matrix().row(n);
  }
  one.forward();
  return one.ys;
}

}  // namespace

TEMPLATE_TEST_CASE(
    "With a mask each sample gets the bits that it gets without the steps that do not count",
    "[recurrent]", LSTM, GRU, SimpleRNN) {
  for (const bool backwards : {false, true}) {
    for (const bool sequences : {false, true}) {
      CAPTURE(backwards, sequences);
      const auto layer = make<TestType>(sequences, backwards);
      LayerRun run(layer, inputs<TestType>(), N);
      run.set_mask(holes);
      run.forward();
      for (Index n = 0; n < N; ++n) {
        const Index length = run.steps[0]->length(n);
        if (length == 0) continue;
        const auto expected = alone(layer, run, n);
        for (Index i = 0, k = 0; sequences && i < T; ++i) {
          if (!run.steps[0].counts(n, backwards ? T - 1 - i : i)) continue;
          CHECK(run.ys[0].slice(n).row(i) == expected[0].slice(0).row(k++));
        }
        if (!sequences) CHECK(run.ys[0].matrix().row(n) == expected[0].matrix().row(0));
        for (std::size_t i = 1; i < run.ys.size(); ++i) {
          CHECK(run.ys[i].matrix().row(n) == expected[i].matrix().row(0));
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("A step that does not count gives the output of the last that did, or zeros",
                   "[recurrent]", LSTM, GRU, SimpleRNN) {
  auto layer = make<TestType>(true);
  LayerRun run(layer, inputs<TestType>(), N);
  run.set_mask(holes);
  run.forward();
  const auto y = run.ys[0].view();
  CHECK((y.slice(1).row(0).array() == 0).all());
  CHECK(y.slice(1).row(2) == y.slice(1).row(1));
  CHECK(y.slice(1).row(4) == y.slice(1).row(3));
  CHECK((y.slice(2).array() == 0).all());
  CHECK(y.slice(3).row(4) == y.slice(3).row(1));
  // Without a step the states stay.
  for (std::size_t i = 1; i < run.ys.size(); ++i) {
    CHECK(run.ys[i].matrix().row(2) == run.x[i].matrix().row(2));
  }

  layer.zero_output_for_mask = true;
  LayerRun zeros(layer, inputs<TestType>(), N);
  zeros.set_mask(holes);
  zeros.forward();
  CHECK((zeros.ys[0].slice(1).row(2).array() == 0).all());
  CHECK(zeros.ys[0].slice(1).row(3) == y.slice(1).row(3));

  layer.return_sequences = false;
  LayerRun last(layer, inputs<TestType>(), N);
  last.set_mask(holes);
  last.forward();
  CHECK(last.ys[0].matrix().row(0) == y.slice(0).row(4));
  CHECK((last.ys[0].matrix().row(1).array() == 0).all());  // its last step does not count
}

TEMPLATE_TEST_CASE("Gradients by weights, inputs and states are right with and without a mask",
                   "[recurrent]", LSTM, GRU, SimpleRNN) {
  for (const bool backwards : {false, true}) {
    for (const bool sequences : {false, true}) {
      for (const bool zero : {false, true}) {
        CAPTURE(backwards, sequences, zero);
        auto layer = make<TestType>(sequences, backwards);
        layer.zero_output_for_mask = zero;
        check_layer(layer, inputs<TestType>(), {N});
        LayerRun run(layer, inputs<TestType>(), N, 3);
        run.set_mask(holes);
        CHECK(check_gradients(run).worst < gradient_tolerance);
        LayerRun again(layer, inputs<TestType>(), N, 4);
        again.set_mask(holes);
        check_backward(again);
        // The states alone, as of an encoder.
        LayerRun states(layer, inputs<TestType>(), N, 5);
        states.set_mask(holes);
        states.dys[0].set_zero();
        states.forward();
        states.backward();
        const auto expected = states.dx;
        states.dy_views[0] = {};
        states.backward();
        CHECK(states.dx == expected);
      }
    }
  }
}

TEMPLATE_TEST_CASE("Many samples of many lengths have right gradients", "[recurrent]", LSTM, GRU,
                   SimpleRNN) {
  constexpr Index samples = 70;  // more rows than a block of steps has
  std::vector<std::uint8_t> counts(samples * 20);
  Random random(5);
  for (auto& count : counts) count = random.uniform() < 0.5 ? 1 : 0;
  const TestType layer{.units = 2, .return_sequences = true};
  LayerRun run(layer, {{20, 1}}, samples, 3);
  run.set_mask(counts);
  CHECK(check_gradients(run).worst < gradient_tolerance);
}

TEMPLATE_TEST_CASE("A sequence in two parts with its states carried is the whole", "[recurrent]",
                   LSTM, GRU, SimpleRNN) {
  const auto layer = make<TestType>(true);
  auto shapes = inputs<TestType>();
  shapes[0] = {6, D};
  LayerRun whole(layer, shapes, 2);
  whole.forward();
  shapes[0] = {3, D};
  LayerRun first(layer, shapes, 2), second(layer, shapes, 2);
  first.weights = second.weights = whole.weights;
  for (Index t = 0; t < 3; ++t) {
    first.x[0].step(t) = whole.x[0].step(t);
    second.x[0].step(t) = whole.x[0].step(t + 3);
  }
  for (std::size_t i = 1; i < shapes.size(); ++i) first.x[i] = whole.x[i];
  first.forward();
  for (std::size_t i = 1; i < shapes.size(); ++i) second.x[i] = first.ys[i];
  second.forward();
  for (Index t = 0; t < 3; ++t) {
    CHECK(first.ys[0].step(t) == whole.ys[0].step(t));
    CHECK(second.ys[0].step(t) == whole.ys[0].step(t + 3));
  }
  for (std::size_t i = 1; i < shapes.size(); ++i) CHECK(second.ys[i] == whole.ys[i]);
}

TEMPLATE_TEST_CASE("Dropout in cells draws a mask a sample, in training only", "[recurrent]", LSTM,
                   GRU, SimpleRNN) {
  TestType layer = make<TestType>(true);
  LayerRun without(layer, inputs<TestType>(), N);
  without.pass.training = true;
  without.forward();
  layer.dropout = 0.4;
  layer.recurrent_dropout = 0.3;
  LayerRun inference(layer, inputs<TestType>(), N);
  inference.forward();
  CHECK(inference.ys == without.ys);
  for (const bool masked : {false, true}) {
    LayerRun run(layer, inputs<TestType>(), N);
    run.pass.training = true;
    if (masked) run.set_mask(holes);
    run.forward();
    CHECK(run.ys[0] != without.ys[0]);
    CHECK(check_gradients(run).worst < gradient_tolerance);
    run.gradients.set_zero();
    check_backward(run);
  }
  layer.recurrent_dropout = 0;
  layer.dropout = 0.5;
  // One mask for all steps: a feature that is dropped has no gradient at any step.
  LayerRun run(layer, inputs<TestType>(), N);
  run.pass.training = true;
  run.forward();
  run.backward();
  Index dropped = 0;
  for (Index n = 0; n < N; ++n) {
    for (Index d = 0; d < D; ++d) {
      const auto column = run.dx[0].slice(n).col(d).array();
      CHECK(((column == 0).all() || (column != 0).all()));
      dropped += (column == 0).all() ? 1 : 0;
    }
  }
  CHECK(dropped > 0);
  CHECK(dropped < N * D);
}

TEMPLATE_TEST_CASE("States of another shape or number are refused", "[recurrent]", LSTM, GRU,
                   SimpleRNN) {
  Model<double> model;
  const Node x = model.input({T, D});
  const Node wrong = model.input("wrong", {U + 1});
  const Node right = model.input("right", {U});
  const TestType layer{.units = U};
  const bool two = detail::states_of(layer, {T, D}).size() == 2;
  const auto refusal = [&](std::initializer_list<Node> nodes) {
    return message<ShapeError>([&] { model.add("cell", layer, nodes); });
  };
  const std::string place = join(TestType::type, " \"cell\": ");
  if (two) {
    CHECK(refusal({x, right, wrong}) ==
          place + "expected an initial state of (4) as input 3, got (5)");
    CHECK(refusal({x, right}) ==
          place + "expected one input and then 2 initial states, got 1 inputs after the first");
  } else {
    CHECK(refusal({x, wrong}) == place + "expected an initial state of (4) as input 2, got (5)");
    CHECK(refusal({x, right, right}) ==
          place + "expected one input and then 1 initial state, got 2 inputs after the first");
  }
}

TEMPLATE_TEST_CASE("Dropout outside of [0, 1) is refused", "[recurrent]", LSTM, GRU, SimpleRNN) {
  CHECK(refusal<OptionError>(TestType{.units = 2, .dropout = 1}, {T, D}) ==
        join(TestType::type,
             " \"layer\": expected dropout and recurrent_dropout in [0, 1), got 1 and 0"));
}

}  // namespace heed::recurrent_test
