#include <heed/plot/attention.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::attention_plot_test {

using namespace heed::testing;
using Values = std::vector<double>;

TEST_CASE("attention becomes a map in percent, of units their mean") {
  const Tensor<float, 2> weights{{0.25f, 0.75f}, {1, 0}};
  const plot::HeatMap map = plot::heat_map(weights);
  CHECK(map.values == Tensor<double, 2>{{25, 75}, {100, 0}});
  CHECK(map.x_label == "step");
  CHECK(map.y_label == "sample");
  CHECK(map.legend == "attention (%)");
  const Tensor<float, 3> units{{{0.25f, 0.75f}, {0.5f, 0}}, {{1, 0.5f}, {0, 0}}};
  CHECK(plot::heat_map(units).values == Tensor<double, 2>{{50, 25}, {75, 0}});
  Tensor<double> dynamic(units.shape());
  CHECK(plot::heat_map(dynamic).values.shape() == Shape{2, 2});
}

TEST_CASE("attention of one sample from step to step is a map of all its weights") {
  // As a softmax over the last axis gives it: the mean over that axis is the same for every step.
  const Tensor<float, 3> weights{{{0.5f, 0.25f, 0.25f}, {0, 0, 1}}};
  const plot::HeatMap map = plot::heat_map(weights);
  CHECK(map.values == Tensor<double, 2>{{50, 25, 25}, {0, 0, 100}});
  CHECK(map.x_label == "step looked at");
  CHECK(map.y_label == "step");
  CHECK(plot::bars(weights).values == Values{25, 12.5, 62.5});
  // Steps in reverse: rows and columns both add up to one.
  CHECK(plot::heat_map(Tensor<float, 3>{{{0, 1}, {1, 0}}}).values ==
        Tensor<double, 2>{{0, 100}, {100, 0}});
  // No softmax at all.
  CHECK(plot::heat_map(Tensor<double, 3>{{{0.5, 0.75}, {0.5, 1}}}).values ==
        Tensor<double, 2>{{50, 75}, {50, 100}});
}

TEST_CASE("attention of units of one sample is their mean") {
  const Tensor<float, 3> units{{{0.25f, 0.75f}, {0.5f, 0.25f}, {0.25f, 0}}};
  CHECK(plot::heat_map(units).values == Tensor<double, 2>{{50, 37.5, 12.5}});
  CHECK(plot::heat_map(units).y_label == "sample");
}

TEST_CASE("attention of several samples from step to step is the mean over the steps that look") {
  const Tensor<float, 3> weights{{{0.5f, 0.25f, 0.25f}, {0, 0, 1}}, {{1, 0, 0}, {0.5f, 0.5f, 0}}};
  CHECK(plot::heat_map(weights).values == Tensor<double, 2>{{25, 12.5, 62.5}, {75, 25, 0}});
  CHECK(plot::heat_map(weights.samples(1, 1)).values ==
        Tensor<double, 2>{{100, 0, 0}, {50, 50, 0}});
}

TEST_CASE("attention becomes bars in percent, the mean over the samples") {
  const Tensor<float, 2> weights{{0.25f, 0.75f}, {1, 0}};
  CHECK(plot::bars(weights).values == Values{62.5, 37.5});
  CHECK(plot::bars(weights).x_label == "step");
  CHECK(plot::bars(weights).legend == "attention (%)");
  const Tensor<float, 3> units{{{0.25f, 0.75f}, {0.5f, 0}}, {{1, 0.5f}, {0, 0}}};
  CHECK(plot::bars(units).values == Values{62.5, 12.5});
  CHECK(plot::bars(weights.view().samples(1, 1)).values == Values{100, 0});
  CHECK(plot::bars(Tensor<float, 2>(Shape{0, 4})).values.empty());
}

TEST_CASE("weights of another rank are no attention") {
  CHECK(message<ShapeError>([] { plot::heat_map(Tensor<float, 1>(Shape{4})); }) ==
        "plot: expected weights (N, steps) or (N, steps, units), got (4)");
  CHECK(message<ShapeError>([] {
          plot::bars(Tensor<float, 3>(Shape{4, 2, 0}));
        }) == "plot: expected at least one unit, got (4, 2, 0)");
}

}  // namespace heed::attention_plot_test
