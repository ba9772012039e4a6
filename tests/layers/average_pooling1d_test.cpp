#include <heed/layers/average_pooling1d.hpp>

#include "support/layer_testing.hpp"

namespace heed::average_pooling1d_test {

using namespace heed::testing;

namespace {

constexpr auto same = WindowPadding::same;

/// What becomes of a sequence of one feature.
std::vector<double> pooled(const AveragePooling1D& layer, const std::vector<double>& x) {
  LayerRun run(layer, {{std::ssize(x), 1}}, 1);
  std::copy(x.begin(), x.end(), run.x[0].data());
  run.forward();
  return {run.y.values().begin(), run.y.values().end()};
}

}  // namespace

TEST_CASE("AveragePooling1D takes the mean of each window, in which padding does not count") {
  using Row = std::vector<double>;
  const Row x{1, 3, 5, 9, 4};
  CHECK(pooled({.pool_size = 2}, x) == Row{2, 7});
  CHECK(pooled({.pool_size = 2, .padding = same}, x) == Row{2, 7, 4});
  CHECK(pooled({.pool_size = 3, .strides = 1}, x) == Row{3, 17.0 / 3, 6});
  CHECK(pooled({.pool_size = 3, .strides = 1, .padding = same}, x) == Row{2, 3, 17.0 / 3, 6, 6.5});
  CHECK(pooled({.pool_size = 1, .strides = 3}, x) == Row{1, 9});
}

TEST_CASE("AveragePooling1D's gradients agree with differences") {
  for (const WindowPadding padding : {WindowPadding::valid, same}) {
    for (const Index strides : {0, 1, 2, 4}) {
      check_layer(AveragePooling1D{.pool_size = 3, .strides = strides, .padding = padding},
                  {{7, 3}});
      check_layer(AveragePooling1D{.pool_size = 1, .strides = strides, .padding = padding},
                  {{1, 1}});
    }
  }
  check_layer(AveragePooling1D{.pool_size = 9, .padding = same}, {{4, 17}});
}

TEST_CASE("AveragePooling1D takes sequences of any length, and drops their mask") {
  CHECK(AveragePooling1D{.pool_size = 2}.output_shape({any, 3}) == Shape{any, 3});
  CHECK(AveragePooling1D{.pool_size = 2, .strides = 1}.output_shape({5, 3}) == Shape{4, 3});
  const AnyLayer<double> layer(AveragePooling1D{.pool_size = 2, .strides = 1});
  CHECK_FALSE(layer.is_step_wise(std::vector<Shape>{{5, 3}}));
  CHECK_FALSE(layer.keeps_steps());
}

TEST_CASE("AveragePooling1D survives the way through its configuration") {
  check_config(AveragePooling1D{.pool_size = 3, .strides = 2, .padding = same},
               {{"pool_size", Index{3}}, {"strides", Index{2}}, {"padding", std::string("same")}});
}

TEST_CASE("AveragePooling1D refuses in a sentence what it cannot do") {
  const auto refused = [](const AveragePooling1D& layer, const Shape& x = {4, 2}) {
    return refusal<Error>(layer, x);
  };
  CHECK(refused({.pool_size = -2}) ==
        "AveragePooling1D \"layer\": expected pool_size of at least 1, got -2");
  CHECK(refused({.pool_size = 2, .strides = -1}) ==
        "AveragePooling1D \"layer\": expected strides of at least 1, got -1");
  CHECK(refused({.pool_size = 2, .padding = WindowPadding::causal}) ==
        "AveragePooling1D \"layer\": expected padding valid or same, got causal");
  CHECK(refused({.pool_size = 5}) ==
        "AveragePooling1D \"layer\": expected at least 5 steps, as many as its window has with "
        "padding valid, got (4, 2)");
  CHECK(refused({.pool_size = 2}, {4}) ==
        "AveragePooling1D \"layer\": expected an input of (steps, features), got (4)");
}

}  // namespace heed::average_pooling1d_test
