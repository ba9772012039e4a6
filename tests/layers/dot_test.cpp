#include <heed/layers/dot.hpp>

#include "support/layer_testing.hpp"

namespace heed::dot_test {

using namespace heed::testing;

namespace {

/// An element of a tensor whose axes are (n, first, second); the second is left out for two.
double element(const Tensor<double>& x, Index n, Index first, Index second) {
  return x.rank() == 2 ? x(n, first) : x(n, first, second);
}

/// The sum that the axes say, element by element.
Tensor<double> by_definition(const LayerRun& run, Index a_axis, Index b_axis) {
  const auto& a = run.x[0];
  const auto& b = run.x[1];
  const Index rows = a.rank() == 2 ? 1 : a.dim(3 - a_axis);
  const Index cols = b.rank() == 2 ? 1 : b.dim(3 - b_axis);
  Tensor<double> y(run.y.shape());
  for (Index n = 0; n < a.dim(0); ++n) {
    for (Index i = 0; i < rows; ++i) {
      for (Index j = 0; j < cols; ++j) {
        double sum = 0;
        for (Index k = 0; k < a.dim(a_axis); ++k) {
          sum += (a_axis == 1 ? element(a, n, k, i) : element(a, n, i, k)) *
                 (b_axis == 1 ? element(b, n, k, j) : element(b, n, j, k));
        }
        y.data()[(n * rows + i) * cols + j] = sum;
      }
    }
  }
  return y;
}

struct Case {
  Index a_axis, b_axis;
  Shape a, b, y;
};

const std::vector<Case> cases{
    {1, 2, {3}, {4, 3}, {4}},  // scores of the reference
    {1, 1, {4, 3}, {4}, {3}},  // context of the reference
    {1, 1, {3}, {3}, {1}},          {2, 2, {2, 3}, {4, 3}, {2, 4}}, {1, 1, {3, 2}, {3, 4}, {2, 4}},
    {2, 1, {2, 3}, {3, 4}, {2, 4}}, {1, 2, {3, 2}, {4, 3}, {2, 4}}, {2, 1, {4, 3}, {3}, {4}},
    {1, 1, {1}, {1}, {1}},          {1, 2, {1}, {1, 1}, {1}},       {2, 2, {1, 5}, {1, 5}, {1, 1}},
};

}  // namespace

TEST_CASE("Dot is the sum over one axis of each input") {
  for (const auto& [a_axis, b_axis, a, b, y] : cases) {
    CAPTURE(a_axis, b_axis, a, b);
    LayerRun run(Dot{.axes = {a_axis, b_axis}}, {a, b}, 3);
    run.forward();
    CHECK(run.y.shape() == y.batch(3));
    CHECK(distance(run.y, by_definition(run, a_axis, b_axis)) < 1e-14);

    // The same axes, counted from the end.
    LayerRun back(Dot{.axes = {a_axis - a.rank() - 1, b_axis - b.rank() - 1}}, {a, b}, 3);
    back.forward();
    CHECK(back.y == run.y);
  }
}

TEST_CASE("Dot's gradients agree with differences for all axes") {
  for (const auto& [a_axis, b_axis, a, b, y] : cases) {
    CAPTURE(a_axis, b_axis, a, b);
    check_layer(Dot{.axes = {a_axis, b_axis}}, {a, b});
  }
  check_layer(Dot{.axes = {-1, -1}}, {{5, 7}, {3, 7}}, {1, 2});
}

TEST_CASE("Dot survives the way through its configuration") {
  check_config(Dot{.axes = {1, -1}}, {{"axes", std::vector<Index>{1, -1}}});
}

TEST_CASE("Dot of inputs that do not fit is refused in a sentence") {
  const auto refusal_of = [](const Dot& layer, std::vector<Shape> shapes) {
    return [=] { LayerRun(layer, shapes, 1); };
  };
  CHECK(message<ShapeError>(refusal_of({.axes = {1, 1}}, {{3}})) == "expected two inputs, got 1");
  CHECK(message<ShapeError>(refusal_of({.axes = {1, 1}}, {{3}, {3}, {3}})) ==
        "expected two inputs, got 3");
  CHECK(message<OptionError>(refusal_of({.axes = {1}}, {{3}, {3}})) ==
        "expected two axes, one for each input, got 1");
  CHECK(message<ShapeError>(refusal_of({.axes = {1, 1}}, {{3}, {3, 2, 2}})) ==
        "expected inputs of one or two axes besides the batch axis, got (3, 2, 2)");
  CHECK(message<OptionError>(refusal_of({.axes = {0, 1}}, {{3}, {3}})) ==
        "expected an axis from 1 to 1 for the input (3), got 0");
  CHECK(message<OptionError>(refusal_of({.axes = {1, 3}}, {{3}, {3, 2}})) ==
        "expected an axis from 1 to 2 for the input (3, 2), got 3");
  CHECK(message<OptionError>(refusal_of({.axes = {-2, 1}}, {{3}, {3, 2}})) ==
        "expected an axis from 1 to 1 for the input (3), got -2");
  CHECK(message<ShapeError>(refusal_of({.axes = {1, 2}}, {{3}, {4, 5}})) ==
        "expected inputs of the same length along axes (1, 2), got (3) and (4, 5)");

  Model<double> model;
  const Node x = model.input({3, 2});
  CHECK(message<ShapeError>([&] {
          model.add("dot", Dot{.axes = {1, 2}}, {x, x});
        }) ==
        "Dot \"dot\": expected inputs of the same length along axes (1, 2), got (3, 2) and (3, "
        "2)");
}

}  // namespace heed::dot_test
