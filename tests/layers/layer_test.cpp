#include <heed/layers/activation.hpp>
#include <heed/layers/add.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/flatten.hpp>
#include <heed/layers/layer.hpp>

#include <set>

#include "support/catch.hpp"

namespace heed::layer_test {

TEST_CASE("Parameters are views of an arena, one for each slot") {
  std::vector<double> arena(10);
  const std::vector<Slot> slots{{"a/kernel", {2, 3}, 1}, {"a/bias", {3}, 7}};
  const Parameters<double> w(arena.data(), slots);
  CHECK(w.size() == 2);
  CHECK(w[0].shape() == Shape{2, 3});
  CHECK(w[0].data() == arena.data() + 1);
  CHECK(w[1].data() == arena.data() + 7);
  w[1].array().setOnes();
  CHECK(arena == std::vector<double>{0, 0, 0, 0, 0, 0, 0, 1, 1, 1});

  const Parameters<const double> reader = w;
  CHECK(reader[1](2) == 1);
  CHECK(Parameters<float>().size() == 0);
}

TEST_CASE("Random numbers depend on seed, step, layer and sample, and on nothing else") {
  const Pass pass{.training = true, .seed = 1, .step = 2, .node = 3, .first_sample = 4};
  const auto first = [](const Pass& p, Index n) { return p.random(n).uniform(); };
  const double expected = first(pass, 5);
  CHECK(first(pass, 5) == expected);

  Pass other = pass;
  other.training = false;
  CHECK(first(other, 5) == expected);
  // The fifth sample of a batch that begins at the fourth is the ninth.
  other.first_sample = 9;
  CHECK(first(other, 0) == expected);

  std::set<double> values{expected, first(pass, 6)};
  other = pass;
  other.seed = 2;
  values.insert(first(other, 5));
  other = pass;
  other.step = 3;
  values.insert(first(other, 5));
  other = pass;
  other.node = 4;
  values.insert(first(other, 5));
  CHECK(values.size() == 5);
}

TEST_CASE("Layers are equal when their fields are") {
  CHECK(Dense{.units = 3} == Dense{.units = 3});
  CHECK_FALSE(Dense{.units = 3} == Dense{.units = 4});
  CHECK_FALSE(Dense{.units = 3} == Dense{.units = 3, .use_bias = false});
  CHECK(Flatten{} == Flatten{});
}

TEST_CASE("The concepts tell kinds of layers apart") {
  STATIC_REQUIRE(Layer<Dense>);
  STATIC_REQUIRE(!Layer<Shape>);
  STATIC_REQUIRE(UnaryLayer<Dense>);
  STATIC_REQUIRE(!UnaryLayer<Add>);
  STATIC_REQUIRE(ReshapingLayer<Flatten>);
  STATIC_REQUIRE(!ReshapingLayer<Dense>);
  STATIC_REQUIRE(ActivatedLayer<Dense>);
  STATIC_REQUIRE(ActivatedLayer<Activation>);
  STATIC_REQUIRE(!ActivatedLayer<Add>);
}

}  // namespace heed::layer_test
