#include <heed/layers/activation.hpp>
#include <heed/layers/conv1d.hpp>
#include <heed/layers/masking.hpp>

#include "support/layer_testing.hpp"

namespace heed::conv1d_test {

using namespace heed::testing;

namespace {

constexpr auto same = WindowPadding::same;
constexpr auto causal = WindowPadding::causal;

/// Convolutions of every kind, with the number of steps of their input.
std::vector<std::pair<Conv1D, Index>> kinds() {
  std::vector<std::pair<Conv1D, Index>> list;
  for (const auto& [name, padding] : Names<WindowPadding>::table) {
    const Conv1D plain{.filters = 4, .kernel_size = 3, .padding = padding};
    for (const Index T : {3, 4, 7}) {
      list.emplace_back(plain, T);
      Conv1D other = plain;
      other.strides = 2;
      list.emplace_back(other, T);
      other.strides = 5;
      list.emplace_back(other, T);
      other = plain;
      other.dilation_rate = 2;
      if (T > 4 || padding != WindowPadding::valid) list.emplace_back(other, T);
      other.groups = 2;
      if (T > 4 || padding != WindowPadding::valid) list.emplace_back(other, T);
      other.dilation_rate = 1;
      other.use_bias = false;
      list.emplace_back(other, T);
      other = plain;
      other.kernel_size.value = 2;
      list.emplace_back(other, T);
      other.filters.value = 1;
      list.emplace_back(other, T);
      other.kernel_size.value = 1;
      list.emplace_back(other, T);
    }
  }
  list.emplace_back(Conv1D{.filters = 2, .kernel_size = 3, .strides = 3}, 6);  // no overlap
  list.emplace_back(Conv1D{.filters = 2, .kernel_size = 5, .padding = same}, 2);
  list.emplace_back(Conv1D{.filters = 2, .kernel_size = 2, .padding = same, .dilation_rate = 3}, 2);
  list.emplace_back(Conv1D{.filters = 2, .kernel_size = 3, .padding = causal, .dilation_rate = 9},
                    4);
  list.emplace_back(Conv1D{.filters = 4, .kernel_size = 2, .padding = same, .groups = 4}, 3);
  return list;
}

/// How many zeros are in front of x and how many outputs there are, by the definitions of Keras.
std::pair<Index, Index> front_and_outputs(const Conv1D& layer, Index T) {
  const Index span = (layer.kernel_size - 1) * layer.dilation_rate + 1, s = layer.strides;
  if (layer.padding == WindowPadding::valid) return {0, (T - span) / s + 1};
  const Index outputs = (T + s - 1) / s;
  if (layer.padding == causal) return {span - 1, outputs};
  return {std::max<Index>(0, (outputs - 1) * s + span - T) / 2, outputs};
}

/// The sum of the equation, number by number.
Tensor<double> expected(const Conv1D& layer, const LayerRun& run) {
  const auto& x = run.x[0];
  const Index N = x.dim(0), T = x.dim(1), D = x.dim(2), F = layer.filters;
  const auto [front, outputs] = front_and_outputs(layer, T);
  const auto w = run.w();
  Tensor<double> y(Shape{N, outputs, F});
  for (Index n = 0; n < N; ++n) {
    for (Index t = 0; t < outputs; ++t) {
      for (Index f = 0; f < F; ++f) {
        double sum = layer.use_bias ? w[1](f) : 0;
        for (Index j = 0; j < layer.kernel_size; ++j) {
          const Index at = t * layer.strides + j * layer.dilation_rate - front;
          if (at < 0 || at >= T) continue;
          const Index depth = D / layer.groups, g = f / (F / layer.groups);
          for (Index d = 0; d < depth; ++d) sum += x(n, at, g * depth + d) * w[0](j, d, f);
        }
        y(n, t, f) = sum;
      }
    }
  }
  return y;
}

std::string text(const Conv1D& layer, Index T) {
  return join("K ", layer.kernel_size.value, ", strides ", layer.strides, ", dilation ",
              layer.dilation_rate, ", groups ", layer.groups, ", ", name_of(layer.padding), ", T ",
              T);
}

}  // namespace

TEST_CASE("Conv1D is the sum of its equation, whatever the size of the batch") {
  for (const auto& [layer, T] : kinds()) {
    const Index D = layer.groups == 1 ? 3 : 4;
    for (const Index N : {1, 2, 9}) {
      INFO(text(layer, T) << ", N " << N);
      LayerRun run(layer, {{T, D}}, N);
      run.forward();
      CHECK(distance(run.y, expected(layer, run)) <= 1e-13);
    }
  }
}

TEST_CASE("Conv1D gives a sample the same bits alone and in a batch") {
  for (const auto& [layer, T] : kinds()) {
    INFO(text(layer, T));
    const Index D = layer.groups == 1 ? 3 : 4;
    LayerRun all(layer, {{T, D}}, 9), alone(layer, {{T, D}}, 1);
    all.forward();
    all.backward();
    for (Index n = 0; n < 9; ++n) {
      alone.x[0].array() = all.x[0].view().sample(n).array();
      alone.dy.array() = all.dy.view().sample(n).array();
      alone.forward();
      alone.backward();
      CHECK((alone.y.array() == all.y.view().sample(n).array()).all());
      CHECK((alone.dx[0].array() == all.dx[0].view().sample(n).array()).all());
    }
  }
}

TEST_CASE("Conv1D's gradients agree with differences") {
  for (const auto& [layer, T] : kinds()) {
    INFO(text(layer, T));
    check_layer(layer, {{T, layer.groups == 1 ? Index{3} : Index{4}}});
  }
  check_layer(Conv1D{.filters = 3, .kernel_size = 2, .activation = Activation::softmax}, {{4, 2}});
  check_layer(Conv1D{.filters = 1, .kernel_size = 1, .activation = Activation::tanh}, {{1, 1}});
  check_layer(Conv1D{.filters = 2, .kernel_size = 3, .padding = causal}, {{1, 2}});
  check_layer(Conv1D{.filters = 17, .kernel_size = 3, .padding = same}, {{40, 9}}, {1, 2});
}

TEST_CASE("Conv1D has a kernel of (positions, features, filters), and a bias") {
  const auto names = [](const Conv1D& layer, const Shape& x) {
    std::string text;
    for (const Weight& weight : layer.weights(x)) {
      text += join(weight.name, " ", weight.shape, " ", name_of(weight.initializer), "; ");
    }
    return text;
  };
  CHECK(names({.filters = 6, .kernel_size = 3}, {5, 4}) ==
        "kernel (3, 4, 6) glorot_uniform; bias (6) zeros; ");
  CHECK(names({.filters = 6,
               .kernel_size = 1,
               .groups = 2,
               .use_bias = false,
               .kernel_initializer = Initializer::he_normal},
              {5, 4}) == "kernel (1, 2, 6) he_normal; ");
}

TEST_CASE("Conv1D takes sequences of any length") {
  const auto shape = [](WindowPadding padding, Index T) {
    return Conv1D{.filters = 2, .kernel_size = 3, .strides = 2, .padding = padding}.output_shape(
        {T, 3});
  };
  for (const auto& [name, padding] : Names<WindowPadding>::table) {
    CHECK(shape(padding, any) == Shape{any, 2});
  }
  CHECK(shape(WindowPadding::valid, 6) == Shape{2, 2});
  CHECK(shape(WindowPadding::valid, 7) == Shape{3, 2});
  CHECK(shape(same, 7) == Shape{4, 2});
  CHECK(shape(causal, 1) == Shape{1, 2});

  Model<float> model;
  model.input({any, 2});
  model.add("conv", Conv1D{.filters = 3, .kernel_size = 4});
  model.build({.seed = 1});
  CHECK(model.predict(random_tensor<float>({2, 4, 2}, 1)).shape() == Shape{2, 1, 3});
  CHECK(model.predict(random_tensor<float>({2, 9, 2}, 1)).shape() == Shape{2, 6, 3});
  CHECK(message<ShapeError>([&] {
          model.predict(random_tensor<float>({2, 3, 2}, 1));
        })
            .find("Conv1D \"conv\": expected at least 4 steps, as many as its window has with "
                  "padding valid, got (3, 2)") != std::string::npos);
}

TEST_CASE("Conv1D drops the mask of its input and reads masked steps") {
  Model<double> model;
  model.input({4, 2});
  model.add("masking", Masking{});
  const Node node =
      model.add("conv", Conv1D{.filters = 2, .kernel_size = 2, .padding = WindowPadding::same});
  model.build({.seed = 1});
  Tensor<double> x = random_tensor({2, 4, 2}, 1);
  x.view().step(3).setZero();
  Tape<double> tape;
  model.forward(x, tape);
  CHECK(model.graph().steps({1, 0}, tape));
  CHECK_FALSE(model.graph().steps(node, tape));
}

TEST_CASE("Conv1D survives the way through its configuration") {
  check_config(Conv1D{.filters = 6,
                      .kernel_size = 3,
                      .strides = 2,
                      .padding = causal,
                      .groups = 2,
                      .activation = Activation::relu,
                      .use_bias = false,
                      .bias_initializer = Initializer::ones},
               {{"filters", Index{6}},
                {"kernel_size", Index{3}},
                {"strides", Index{2}},
                {"padding", std::string("causal")},
                {"dilation_rate", Index{1}},
                {"groups", Index{2}},
                {"activation", std::string("relu")},
                {"use_bias", false},
                {"kernel_initializer", std::string("glorot_uniform")},
                {"bias_initializer", std::string("ones")}});
}

TEST_CASE("Conv1D refuses in a sentence what it cannot do") {
  const auto refused = [](Conv1D layer, const Shape& x = {6, 4}) {
    return refusal<Error>(layer, x);
  };
  CHECK(refused({.filters = 0, .kernel_size = 1}) ==
        "Conv1D \"layer\": expected filters of at least 1, got 0");
  CHECK(refused({.filters = 1, .kernel_size = 0}) ==
        "Conv1D \"layer\": expected kernel_size of at least 1, got 0");
  CHECK(refused({.filters = 1, .kernel_size = 1, .strides = 0}) ==
        "Conv1D \"layer\": expected strides of at least 1, got 0");
  CHECK(refused({.filters = 1, .kernel_size = 1, .dilation_rate = -1}) ==
        "Conv1D \"layer\": expected dilation_rate of at least 1, got -1");
  CHECK(refused({.filters = 1, .kernel_size = 1, .groups = 0}) ==
        "Conv1D \"layer\": expected groups of at least 1, got 0");
  CHECK(refused({.filters = 3, .kernel_size = 1, .groups = 2}) ==
        "Conv1D \"layer\": expected filters that 2 groups divide, got 3");
  CHECK(refused({.filters = 3, .kernel_size = 1, .groups = 3}) ==
        "Conv1D \"layer\": expected features that 3 groups divide, got (6, 4)");
  CHECK(refused({.filters = 1, .kernel_size = 2, .strides = 2, .dilation_rate = 3}) ==
        "Conv1D \"layer\": expected strides or a dilation_rate of 1, got strides of 2 and a "
        "dilation_rate of 3");
  CHECK(refused({.filters = 1, .kernel_size = 3, .dilation_rate = 3}) ==
        "Conv1D \"layer\": expected at least 7 steps, as many as its window has with padding "
        "valid, got (6, 4)");
  CHECK(refused({.filters = 1, .kernel_size = 3}, {6}) ==
        "Conv1D \"layer\": expected an input of (steps, features), got (6)");
  CHECK(refused({.filters = 1, .kernel_size = 3}, {2, 6, 3}) ==
        "Conv1D \"layer\": expected an input of (steps, features), got (2, 6, 3)");
  CHECK(refused({.filters = 1, .kernel_size = 3}, {6, any}) ==
        "Conv1D \"layer\": expected an input of known length, for its kernel is (3, any, 1), got "
        "(6, any)");
  constexpr Index huge = std::numeric_limits<Index>::max() / 2;
  CHECK(refused({.filters = 1, .kernel_size = 3, .padding = causal, .dilation_rate = huge})
            .find("expected a window of steps that can be counted, got kernel_size of 3 with a "
                  "dilation_rate of ") != std::string::npos);
  CHECK(refused({.filters = 1, .kernel_size = 1, .strides = huge, .padding = causal})
            .find(" and strides of ") != std::string::npos);
  CHECK(refused({.filters = 1, .kernel_size = 1, .padding = causal, .dilation_rate = huge})
            .find("expected a window of steps that can be counted") != std::string::npos);
  CHECK(refused({.filters = 64, .kernel_size = huge / 64, .padding = causal})
            .find("has more elements than can be counted") != std::string::npos);
  CHECK(AnyLayer<double>(Conv1D{.filters = 1, .kernel_size = 1})
            .is_step_wise(std::vector<Shape>{{3, 2}}) == false);
}

}  // namespace heed::conv1d_test
