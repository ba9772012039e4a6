#include <heed/layers/max_pooling1d.hpp>

#include "support/layer_testing.hpp"

namespace heed::max_pooling1d_test {

using namespace heed::testing;

namespace {

constexpr auto same = WindowPadding::same;

Tensor<double, 3> sequence(const std::vector<double>& values) {
  return Tensor<double, 3>(Shape{1, std::ssize(values), 1}, values);
}

/// What becomes of a sequence of one feature, and of gradients of 1, 10, 100, ….
std::pair<std::vector<double>, std::vector<double>> pooled(const MaxPooling1D& layer,
                                                           const std::vector<double>& x) {
  LayerRun run(layer, {{std::ssize(x), 1}}, 1);
  run.x[0].array() = sequence(x).array();
  double d = 1;
  for (double& one : run.dy.values()) one = std::exchange(d, 10 * d);
  run.forward();
  run.backward();
  const auto values = [](const auto& t) {
    return std::vector<double>(t.values().begin(), t.values().end());
  };
  return {values(run.y), values(run.dx[0])};
}

}  // namespace

TEST_CASE("MaxPooling1D takes the largest value of each window") {
  using Pair = std::pair<std::vector<double>, std::vector<double>>;
  const std::vector<double> x{-3, -1, -2, -5, -4};
  CHECK(pooled({}, x) == Pair{{-1, -2}, {0, 1, 10, 0, 0}});
  CHECK(pooled({.padding = same}, x) == Pair{{-1, -2, -4}, {0, 1, 10, 0, 100}});
  CHECK(pooled({.pool_size = 3, .strides = 1}, x) == Pair{{-1, -1, -2}, {0, 11, 100, 0, 0}});
  CHECK(pooled({.pool_size = 3, .strides = 1, .padding = same}, x) ==
        Pair{{-1, -1, -1, -2, -4}, {0, 111, 1000, 0, 10000}});
  CHECK(pooled({.pool_size = 2, .strides = 3}, x) == Pair{{-1, -4}, {0, 1, 0, 0, 10}});
  CHECK(pooled({.pool_size = 1, .strides = 2}, x) == Pair{{-3, -2, -4}, {1, 0, 10, 0, 100}});
}

TEST_CASE("MaxPooling1D gives the gradient to the first of equal values") {
  CHECK(pooled({.pool_size = 3}, {1, 2, 2, 2, 2, 1}).second ==
        std::vector<double>{0, 1, 0, 10, 0, 0});
}

TEST_CASE("MaxPooling1D's gradients agree with differences") {
  for (const WindowPadding padding : {WindowPadding::valid, same}) {
    for (const Index strides : {0, 1, 2, 4}) {
      check_layer(MaxPooling1D{.pool_size = 3, .strides = strides, .padding = padding}, {{7, 3}});
      check_layer(MaxPooling1D{.pool_size = 1, .strides = strides, .padding = padding}, {{1, 1}});
    }
  }
  check_layer(MaxPooling1D{.pool_size = 9, .padding = same}, {{4, 17}});
}

TEST_CASE("MaxPooling1D takes sequences of any length, and drops their mask") {
  CHECK(MaxPooling1D{}.output_shape({any, 3}) == Shape{any, 3});
  CHECK(MaxPooling1D{}.output_shape({5, 3}) == Shape{2, 3});
  CHECK(MaxPooling1D{.padding = same}.output_shape({5, 3}) == Shape{3, 3});
  const AnyLayer<double> layer(MaxPooling1D{.strides = 1});
  CHECK_FALSE(layer.is_step_wise(std::vector<Shape>{{5, 3}}));
  CHECK_FALSE(layer.keeps_steps());
}

TEST_CASE("MaxPooling1D survives the way through its configuration") {
  check_config(MaxPooling1D{.pool_size = 3, .strides = 2, .padding = same},
               {{"pool_size", Index{3}}, {"strides", Index{2}}, {"padding", std::string("same")}});
}

TEST_CASE("MaxPooling1D refuses in a sentence what it cannot do") {
  const auto refused = [](const MaxPooling1D& layer, const Shape& x = {4, 2}) {
    return refusal<Error>(layer, x);
  };
  CHECK(refused({.pool_size = 0}) ==
        "MaxPooling1D \"layer\": expected pool_size of at least 1, got 0");
  CHECK(refused({.strides = -1}) ==
        "MaxPooling1D \"layer\": expected strides of at least 1, got -1");
  CHECK(refused({.padding = WindowPadding::causal}) ==
        "MaxPooling1D \"layer\": expected padding valid or same, got causal");
  CHECK(refused({.pool_size = 5}) ==
        "MaxPooling1D \"layer\": expected at least 5 steps, as many as its window has with "
        "padding valid, got (4, 2)");
  CHECK(refused({}, {4}) ==
        "MaxPooling1D \"layer\": expected an input of (steps, features), got (4)");
}

}  // namespace heed::max_pooling1d_test
