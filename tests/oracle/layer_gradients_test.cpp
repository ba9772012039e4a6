#include <heed/model/all_layers.hpp>

#include "oracle.hpp"
#include "support/networks.hpp"

namespace heed::layer_gradients_test {

using namespace heed::testing;

namespace {

/// Holes, steps that are missing at the beginning and at the end, all steps, none: (5, 4).
const std::vector<std::uint8_t> holes{0, 1, 0, 1,  //
                                      0, 0, 1, 1,  //
                                      1, 1, 0, 0,  //
                                      1, 1, 1, 1,  //
                                      0, 0, 0, 0};

/// x and, when wanted, the initial states.
template <class L>
std::vector<Shape> inputs(const L& layer, const Shape& x, bool with_states) {
  std::vector<Shape> shapes{x};
  if (with_states) {
    for (const Shape& state : detail::states_of(layer, x)) shapes.push_back(state);
  }
  return shapes;
}

/// A recurrent layer with the options that all of them have: directions, sequences, masks, states.
template <class L>
void check_every_option(L layer) {
  for (const bool return_sequences : {true, false}) {
    for (const bool go_backwards : {true, false}) {
      layer.return_sequences = return_sequences;
      layer.go_backwards = go_backwards;
      for (const bool states : {true, false}) {
        layer.return_state = states;
        layer.zero_output_for_mask = false;
        CAPTURE(return_sequences, go_backwards, states);
        check_exact_gradients(layer, inputs(layer, {4, 3}, states));
        check_exact_gradients(layer, inputs(layer, {1, 1}, states));
        for (const bool zero : {true, false}) {
          CAPTURE(zero);
          layer.zero_output_for_mask = zero;
          check_exact_gradients(layer, inputs(layer, {4, 2}, states), {5}, false, holes);
          check_exact_gradients(layer, inputs(layer, {1, 1}, states), {1}, false, {0});
        }
      }
    }
  }
  layer.return_sequences = true;
  layer.return_state = true;
  layer.dropout = 0.3;
  layer.recurrent_dropout = 0.4;
  check_exact_gradients(layer, inputs(layer, {4, 3}, true), {3}, true);
  check_exact_gradients(layer, inputs(layer, {4, 3}, true), {5}, true, holes);
}

}  // namespace

TEST_CASE("Dense's gradients are exact with every activation function", "[oracle]") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    for (const bool use_bias : {true, false}) {
      check_exact_gradients(Dense{.units = 7, .activation = function, .use_bias = use_bias}, {{5}});
    }
    check_exact_gradients(Dense{.units = 3, .activation = function}, {{2, 3}}, {2});
    check_exact_gradients(Dense{.units = 1, .activation = function}, {{1}});
  }
}

TEST_CASE("Dense's gradients are exact for every rank and width", "[oracle]") {
  check_exact_gradients(Dense{.units = 17, .activation = Activation::tanh}, {{9}}, {1, 5});
  check_exact_gradients(Dense{.units = 8, .activation = Activation::sigmoid}, {{16}}, {4});
  check_exact_gradients(Dense{.units = 1}, {{33}});
  check_exact_gradients(Dense{.units = 33}, {{1}});
  check_exact_gradients(Dense{.units = 5, .activation = Activation::softmax}, {{2, 3, 2}});
}

TEST_CASE("Activation's gradients are exact", "[oracle]") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    for (const Shape& shape : {Shape{1}, Shape{13}, Shape{3, 5}, Shape{2, 1, 4}}) {
      check_exact_gradients(Activation{.activation = function}, {shape});
    }
  }
}

TEST_CASE("LSTM's gradients are exact with every option", "[oracle]") {
  for (const bool use_bias : {true, false}) {
    CAPTURE(use_bias);
    check_every_option(LSTM{.units = 4, .use_bias = use_bias});
  }
}

TEST_CASE("GRU's gradients are exact with every option", "[oracle]") {
  for (const bool use_bias : {true, false}) {
    for (const bool reset_after : {true, false}) {
      CAPTURE(use_bias, reset_after);
      check_every_option(GRU{.units = 4, .use_bias = use_bias, .reset_after = reset_after});
    }
  }
}

TEST_CASE("SimpleRNN's gradients are exact with every option", "[oracle]") {
  for (const bool use_bias : {true, false}) {
    CAPTURE(use_bias);
    check_every_option(SimpleRNN{.units = 4, .use_bias = use_bias});
  }
}

TEST_CASE("LSTM's gradients are exact with every activation function", "[oracle]") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    if (is_of_row(function) || needs_z(function)) continue;
    const Index T = function == ActivationFunction::exponential ? 1 : 3;  // it explodes
    check_exact_gradients(LSTM{.units = 3, .activation = function, .return_sequences = true},
                          {{T, 2}}, {2});
    check_exact_gradients(
        LSTM{.units = 3, .recurrent_activation = function, .return_sequences = true}, {{3, 2}},
        {2});
  }
  check_exact_gradients(LSTM{.units = 2,
                             .activation = Activation::softsign,
                             .recurrent_activation = Activation::hard_sigmoid},
                        {{3, 2}});
}

TEST_CASE("GRU's gradients are exact with every activation function", "[oracle]") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    if (is_of_row(function) || needs_z(function)) continue;
    for (const bool reset_after : {true, false}) {
      CAPTURE(name, reset_after);
      const Index T = function == ActivationFunction::exponential ? 1 : 3;  // it explodes
      check_exact_gradients(GRU{.units = 3,
                                .activation = function,
                                .reset_after = reset_after,
                                .return_sequences = true},
                            {{T, 2}}, {2});
      check_exact_gradients(GRU{.units = 3,
                                .recurrent_activation = function,
                                .reset_after = reset_after,
                                .return_sequences = true},
                            {{T, 2}}, {2});
    }
  }
}

TEST_CASE("SimpleRNN's gradients are exact with every activation function", "[oracle]") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    if (is_of_row(function) || needs_z(function)) continue;
    const Index T = function == ActivationFunction::exponential ? 1 : 3;  // it explodes
    check_exact_gradients(SimpleRNN{.units = 3, .activation = function, .return_sequences = true},
                          {{T, 2}}, {2});
  }
}

TEMPLATE_TEST_CASE("Gradients of recurrent layers are exact at all kinds of sizes", "[oracle]", GRU,
                   SimpleRNN) {
  check_exact_gradients(TestType{.units = 1}, {{1, 1}}, {1});
  check_exact_gradients(TestType{.units = 1, .return_sequences = true}, {{6, 1}}, {1, 4});
  check_exact_gradients(TestType{.units = 9, .return_sequences = true}, {{1, 4}}, {1, 2});
  check_exact_gradients(TestType{.units = 4, .return_sequences = true}, {{3, 7}}, {5});
  check_exact_gradients(TestType{.units = 17}, {{2, 1}}, {2});
  check_exact_gradients(TestType{.units = 2}, {{50, 1}}, {1});
}

TEST_CASE("LSTM's gradients are exact at all kinds of sizes", "[oracle]") {
  check_exact_gradients(LSTM{.units = 1}, {{1, 1}}, {1});
  check_exact_gradients(LSTM{.units = 1, .return_sequences = true}, {{6, 1}}, {1, 4});
  check_exact_gradients(LSTM{.units = 9, .return_sequences = true}, {{1, 4}}, {1, 2});
  check_exact_gradients(LSTM{.units = 4, .return_sequences = true}, {{3, 7}}, {5});
  check_exact_gradients(LSTM{.units = 17}, {{2, 1}}, {2});
  check_exact_gradients(LSTM{.units = 2}, {{50, 1}}, {1});
}

TEMPLATE_TEST_CASE("Bidirectional's gradients are exact with every merge mode", "[oracle]", LSTM,
                   GRU, SimpleRNN) {
  for (const auto& [name, mode] : Names<MergeMode>::table) {
    for (const bool sequences : {true, false}) {
      CAPTURE(name, sequences);
      const Bidirectional<TestType> layer{
          .layer = {.units = 2, .return_sequences = sequences, .return_state = true},
          .merge_mode = mode};
      check_exact_gradients(layer, {{3, 2}}, {1, 2});
      check_exact_gradients(layer, {{3, 2}}, {2}, false, {1, 0, 1, 0, 0, 0});
    }
  }
}

TEST_CASE("TimeDistributed's and Masking's gradients are exact", "[oracle]") {
  check_exact_gradients(
      TimeDistributed<Dense>{.layer = {.units = 3, .activation = Activation::softmax}}, {{3, 2}});
  check_exact_gradients(TimeDistributed<LSTM>{.layer = {.units = 2}}, {{2, 3, 2}});
  check_exact_gradients(TimeDistributed<LuongAttention>{.layer = {.units = 2}}, {{2, 3, 2}});
  check_exact_gradients(TimeDistributed<Dropout>{.layer = {.rate = 0.4}}, {{3, 4}}, {2}, true);
  check_exact_gradients(Masking{}, {{3, 2}});
}

TEST_CASE("BatchNormalization's gradients are exact, in training and not", "[oracle]") {
  for (const bool training : {false, true}) {
    for (const bool scale : {false, true}) {
      const BatchNormalization layer{.center = !scale, .scale = scale};
      check_exact_gradients(layer, {{3}}, {2, 5}, training);
      check_exact_gradients(layer, {{2, 2, 3}}, {2}, training);
    }
    check_exact_gradients(BatchNormalization{}, {{4, 3}}, {1, 3}, training);
    check_exact_gradients(BatchNormalization{}, {{4, 3}}, {5}, training, holes);
    check_exact_gradients(TimeDistributed<BatchNormalization>{}, {{2, 3}}, {2}, training);
  }
}

TEST_CASE("Embedding's gradients are exact", "[oracle]") {
  const Embedding layer{.input_dim = 4, .output_dim = 3};
  LayerRun run(layer, {{5}}, 2);
  for (Index i = 0; i < 10; ++i) run.x[0].data()[i] = static_cast<double>(i * i % 4);
  run.forward();
  run.backward();
  DualRun dual(layer, run);
  check_exact("embeddings", View<Dual>(dual.weights), View<const double>(run.gradients),
              [&] { return dual.slope(); });
}

TEST_CASE("Gradients of layers that move values are exact", "[oracle]") {
  check_exact_gradients(Permute{.dims = {1}}, {{5}});
  check_exact_gradients(Permute{.dims = {2, 1}}, {{3, 5}});
  check_exact_gradients(Permute{.dims = {3, 1, 2}}, {{2, 3, 5}});
  check_exact_gradients(Permute{.dims = {2, 4, 1, 3}}, {{2, 3, 1, 4}});
  check_exact_gradients(RepeatVector{.n = 1}, {{5}});
  check_exact_gradients(RepeatVector{.n = 4}, {{3}});
  check_exact_gradients(RepeatVector{.n = 3}, {{1}});
  check_exact_gradients(LastStep{}, {{1, 5}});
  check_exact_gradients(LastStep{}, {{4, 3}});
  check_exact_gradients(LastStep{}, {{4, 1}});
  check_exact_gradients(Dropout{.rate = 0.4}, {{3, 5}}, {1, 3}, true);
  check_exact_gradients(Dropout{.rate = 0.4}, {{3, 5}}, {2}, false);
}

TEST_CASE("Conv1D's gradients are exact with every padding, stride, dilation and group",
          "[oracle]") {
  for (const auto& [name, padding] : Names<WindowPadding>::table) {
    for (const Index groups : {1, 2}) {
      for (const Index step : {1, 2, 3}) {
        CAPTURE(name, groups, step);
        Conv1D layer{.filters = 4,
                     .kernel_size = 3,
                     .strides = step,
                     .padding = padding,
                     .groups = groups,
                     .activation = Activation::tanh};
        check_exact_gradients(layer, {{7, 4}}, {1, 3});
        check_exact_gradients(layer, {{8, 2}}, {9});
        layer.strides = 1;
        layer.dilation_rate = step;
        layer.use_bias = false;
        check_exact_gradients(layer, {{7, 4}}, {1, 3});
        check_exact_gradients(layer, {{8, 2}}, {9});
      }
    }
    check_exact_gradients(Conv1D{.filters = 1, .kernel_size = 1, .padding = padding}, {{1, 1}});
    check_exact_gradients(Conv1D{.filters = 17, .kernel_size = 2, .padding = padding}, {{6, 9}},
                          {2});
  }
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    check_exact_gradients(Conv1D{.filters = 3, .kernel_size = 2, .activation = function}, {{4, 2}},
                          {2});
  }
}

TEST_CASE("Gradients of the layers that pool, pad, crop and repeat steps are exact", "[oracle]") {
  for (const WindowPadding padding : {WindowPadding::valid, WindowPadding::same}) {
    for (const Index strides : {0, 1, 2, 4}) {
      CAPTURE(name_of(padding), strides);
      for (const Shape& x : {Shape{7, 3}, Shape{3, 1}}) {
        check_exact_gradients(MaxPooling1D{.pool_size = 3, .strides = strides, .padding = padding},
                              {x}, {1, 2});
        check_exact_gradients(
            AveragePooling1D{.pool_size = 3, .strides = strides, .padding = padding}, {x}, {1, 2});
      }
    }
  }
  const std::vector<std::uint8_t> some(holes.begin(), holes.end() - 4);  // all with a step
  for (const bool keepdims : {false, true}) {
    for (const Shape& x : {Shape{1, 1}, Shape{5, 3}, Shape{4, 17}}) {
      check_exact_gradients(GlobalMaxPooling1D{.keepdims = keepdims}, {x});
      check_exact_gradients(GlobalAveragePooling1D{.keepdims = keepdims}, {x});
    }
    check_exact_gradients(GlobalAveragePooling1D{.keepdims = keepdims}, {{4, 3}}, {4}, false, some);
  }
  check_exact_gradients(ZeroPadding1D{}, {{3, 2}});
  check_exact_gradients(ZeroPadding1D{.padding = {0, 3}}, {{1, 1}});
  check_exact_gradients(Cropping1D{}, {{5, 2}});
  check_exact_gradients(Cropping1D{.cropping = {0, 3}}, {{4, 1}});
  check_exact_gradients(UpSampling1D{}, {{3, 2}});
  check_exact_gradients(UpSampling1D{.size = 4}, {{1, 1}});
}

TEST_CASE("Gradients of layers that join inputs are exact", "[oracle]") {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 1, 3}}) {
    CAPTURE(to_text(shape));
    check_exact_gradients(Multiply{}, {shape, shape});
    check_exact_gradients(Multiply{}, {shape, shape, shape});
    check_exact_gradients(Add{}, {shape, shape});
    check_exact_gradients(Add{}, {shape, shape, shape, shape});
    check_exact_gradients(Average{}, {shape, shape, shape});
    check_exact_gradients(Maximum{}, {shape, shape, shape});
    check_exact_gradients(Minimum{}, {shape, shape, shape});
    check_exact_gradients(Subtract{}, {shape, shape});
  }
  check_exact_gradients(Concatenate{}, {{5}, {1}, {3}});
  check_exact_gradients(Concatenate{.axis = 1}, {{2, 3}, {4, 3}});
  check_exact_gradients(Concatenate{.axis = 2}, {{2, 3}, {2, 1}, {2, 5}});
  check_exact_gradients(Concatenate{.axis = -2}, {{2, 2, 3}, {2, 1, 3}});
}

TEST_CASE("Gradients of rectifiers and of what is scaled are exact", "[oracle]") {
  for (const Shape& shape : {Shape{1}, Shape{13}, Shape{3, 5}, Shape{2, 1, 4}}) {
    check_exact_gradients(LeakyReLU{}, {shape});
    check_exact_gradients(ELU{.alpha = 0.7}, {shape});
    check_exact_gradients(ReLU{.max_value = 0.5, .negative_slope = 0.2, .threshold = 0.1}, {shape});
    check_exact_gradients(PReLU{}, {shape});
    check_exact_gradients(PReLU{.shared_axes = {1}}, {shape});
    check_exact_gradients(Rescaling{.scale = 0.3, .offset = 2}, {shape});
    check_exact_gradients(Identity{}, {shape});
    check_exact_gradients(ActivityRegularization{}, {shape});
  }
}

TEST_CASE("Gradients of noise are exact", "[oracle]") {
  for (const bool training : {true, false}) {
    check_exact_gradients(SpatialDropout1D{.rate = 0.4}, {{3, 5}}, {1, 3}, training);
    check_exact_gradients(GaussianDropout{.rate = 0.4}, {{3, 5}}, {1, 3}, training);
    check_exact_gradients(GaussianNoise{.stddev = 0.4}, {{3, 5}}, {1, 3}, training);
    check_exact_gradients(AlphaDropout{.rate = 0.4}, {{3, 5}}, {1, 3}, training);
  }
}

TEST_CASE("Gradients of layers that normalise are exact along every axis", "[oracle]") {
  for (const std::vector<Index>& axis :
       std::vector<std::vector<Index>>{{1}, {2}, {3}, {1, 2}, {2, 3}}) {
    check_exact_gradients(LayerNormalization{.axis = axis}, {{2, 3, 4}});
    check_exact_gradients(UnitNormalization{.axis = axis}, {{2, 3, 4}});
    if (axis.size() > 1) continue;
    check_exact_gradients(Softmax{.axis = axis[0]}, {{2, 3, 4}});
    check_exact_gradients(GroupNormalization{.groups = -1, .axis = axis[0]}, {{2, 3, 4}});
  }
  check_exact_gradients(GroupNormalization{.groups = 2}, {{3, 6}});
  check_exact_gradients(GroupNormalization{.groups = 2, .center = false}, {{6}});
  check_exact_gradients(LayerNormalization{.scale = false}, {{6}});
  check_exact_gradients(Softmax{.axis = 1}, {{4, 3}}, {5}, false, holes);
}

TEST_CASE("Dot's gradients are exact along every pair of axes", "[oracle]") {
  check_exact_gradients(Dot{.axes = {1, 1}}, {{6}, {6}});
  check_exact_gradients(Dot{.axes = {1, 1}}, {{1}, {1}});
  check_exact_gradients(Dot{.axes = {1, 2}}, {{5}, {3, 5}});
  check_exact_gradients(Dot{.axes = {2, 1}}, {{3, 5}, {5}});
  check_exact_gradients(Dot{.axes = {1, 1}}, {{3, 5}, {3}});
  check_exact_gradients(Dot{.axes = {1, 1}}, {{3}, {3, 5}});
  check_exact_gradients(Dot{.axes = {2, 2}}, {{3, 5}, {4, 5}});
  check_exact_gradients(Dot{.axes = {1, 1}}, {{3, 5}, {3, 2}});
  check_exact_gradients(Dot{.axes = {1, 2}}, {{3, 5}, {4, 3}});
  check_exact_gradients(Dot{.axes = {2, 1}}, {{3, 5}, {5, 2}});
  check_exact_gradients(Dot{.axes = {-1, -1}}, {{3, 5}, {1, 5}});
}

TEST_CASE("StepAttention's gradients are exact", "[oracle]") {
  for (const bool use_bias : {true, false}) {
    const StepAttention attention{.use_bias = use_bias};
    check_exact_gradients(attention, {{1, 1}});
    check_exact_gradients(attention, {{1, 5}});
    check_exact_gradients(attention, {{6, 1}});
    check_exact_gradients(attention, {{4, 7}});
    check_exact_gradients(attention, {{3, 17}}, {2});
    check_exact_gradients(attention, {{4, 3}}, {5}, false, holes);
    check_exact_gradients(attention, {{4, 9}}, {5}, false, holes);
  }
}

TEST_CASE("LuongAttention's gradients are exact", "[oracle]") {
  check_exact_gradients(LuongAttention{.units = 1}, {{1, 1}});
  check_exact_gradients(LuongAttention{.units = 3}, {{1, 5}});
  check_exact_gradients(LuongAttention{.units = 3}, {{6, 1}});
  check_exact_gradients(LuongAttention{.units = 5}, {{4, 3}});
  check_exact_gradients(LuongAttention{.units = 9}, {{3, 7}}, {2});
  const std::vector<std::uint8_t> some(holes.begin(), holes.end() - 4);  // all with a step
  check_exact_gradients(LuongAttention{.units = 3}, {{4, 2}}, {4}, false, some);
  check_exact_gradients(LuongAttention{.units = 3}, {{4, 9}}, {4}, false, some);
  check_exact_gradients(LastStep{}, {{4, 3}}, {4}, false, some);
}

}  // namespace heed::layer_gradients_test
