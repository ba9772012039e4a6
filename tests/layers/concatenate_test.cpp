#include <heed/layers/concatenate.hpp>
#include <heed/layers/flatten.hpp>

#include "support/layer_testing.hpp"

namespace heed::concatenate_test {

using namespace heed::testing;

TEST_CASE("Concatenate joins its inputs along the last axis, in their order") {
  LayerRun run(Concatenate{}, {{2, 3}, {2, 1}, {2, 2}}, 4);
  run.forward();
  CHECK(run.y.shape() == Shape{4, 2, 6});
  for (Index n = 0; n < 4; ++n) {
    CHECK(run.y.slice(n).leftCols(3) == run.x[0].slice(n));
    CHECK(run.y.slice(n).middleCols(3, 1) == run.x[1].slice(n));
    CHECK(run.y.slice(n).rightCols(2) == run.x[2].slice(n));
  }
}

TEST_CASE("Concatenate joins its inputs along another axis, counted from either end") {
  for (const Index axis : {Index{1}, Index{-2}}) {
    LayerRun run(Concatenate{.axis = axis}, {{1, 3}, {4, 3}}, 2);
    run.forward();
    CHECK(run.y.shape() == Shape{2, 5, 3});
    for (Index n = 0; n < 2; ++n) {
      CHECK(run.y.slice(n).topRows(1) == run.x[0].slice(n));
      CHECK(run.y.slice(n).bottomRows(4) == run.x[1].slice(n));
    }
  }
}

TEST_CASE("Concatenate's gradients agree with differences on every axis") {
  check_layer(Concatenate{}, {{3}, {2}});
  check_layer(Concatenate{}, {{1}, {1}, {1}});
  check_layer(Concatenate{.axis = 1}, {{2, 3}, {1, 3}});
  check_layer(Concatenate{.axis = 2}, {{2, 3}, {2, 5}});
  check_layer(Concatenate{.axis = -3}, {{1, 2, 3}, {3, 2, 3}, {1, 2, 3}});
  check_layer(Concatenate{.axis = 2}, {{2, 1, 3}, {2, 4, 3}});
}

TEST_CASE("Concatenate computes each step by itself, unless it joins steps") {
  check_step_wise(Concatenate{}, {{5, 3}, {5, 1}});
  check_step_wise(Concatenate{.axis = 2}, {{4, 3, 2}, {4, 1, 2}, {4, 2, 2}});
  check_step_wise(Concatenate{.axis = -2}, {{4, 3, 2}, {4, 1, 2}});
  const std::vector<Shape> two{{5, 3}, {5, 3}}, vectors{{3}, {3}};
  CHECK_FALSE(Concatenate{.axis = 1}.is_step_wise(two));
  CHECK_FALSE(Concatenate{.axis = -2}.is_step_wise(two));
  CHECK_FALSE(Concatenate{}.is_step_wise(vectors));
}

TEST_CASE("Concatenate survives the way through its configuration") {
  check_config(Concatenate{}, {{"axis", Index{-1}}});
  check_config(Concatenate{.axis = 2}, {{"axis", Index{2}}});
}

TEST_CASE("Concatenate of inputs that do not fit is refused in a sentence") {
  const auto refusal_of = [](const Concatenate& layer, std::vector<Shape> shapes) {
    return [=] { LayerRun(layer, shapes, 1); };
  };
  CHECK(message<ShapeError>(refusal_of({}, {{3}})) == "expected at least two inputs, got 1");
  CHECK(message<ShapeError>(refusal_of({}, {{2, 3}, {3, 3}})) ==
        "expected inputs that differ only in axis -1, got (2, 3) and (3, 3)");
  CHECK(message<ShapeError>(refusal_of({.axis = 1}, {{2, 3}, {2, 4}})) ==
        "expected inputs that differ only in axis 1, got (2, 3) and (2, 4)");
  CHECK(message<ShapeError>(refusal_of({}, {{2, 3}, {3}})) ==
        "expected inputs that differ only in axis -1, got (2, 3) and (3)");
  CHECK(message<OptionError>(refusal_of({.axis = 0}, {{3}, {3}})) ==
        "expected an axis of 2 axes other than the batch axis, got 0");
  CHECK(message<OptionError>(refusal_of({.axis = 2}, {{3}, {3}})) ==
        "expected an axis of 2 axes other than the batch axis, got 2");
  CHECK(message<OptionError>(refusal_of({.axis = -2}, {{3}, {3}})) ==
        "expected an axis of 2 axes other than the batch axis, got -2");

  Model<double> model;
  const Node x = model.input({3, 2});
  const Node flat = model.add(Flatten{}, x);
  CHECK(message<ShapeError>([&] {
          model.add("both", Concatenate{}, {x, flat});
        }) ==
        "Concatenate \"both\": expected inputs that differ only in axis -1, got (3, 2) and (6)");
}

TEST_CASE("Concatenate along an axis of any length has any length") {
  Model<double> model;
  const Node a = model.input("a", {any, 2}), b = model.input("b", {any, 2});
  model.add("both", Concatenate{.axis = 1}, {a, b});
  CHECK(model.output_shape() == Shape{any, 2});
  model.build();
  const auto x = testing::random_tensor({2, 3, 2}, 1), y = testing::random_tensor({2, 4, 2}, 2);
  CHECK(model.predict({x, y}).shape() == Shape{2, 7, 2});
  Model<double> one;
  const Node first = one.input("a", {3, 2}), second = one.input("b", {any, 2});
  one.add("both", Concatenate{.axis = 1}, {first, second});
  CHECK(one.output_shape() == Shape{any, 2});
}

}  // namespace heed::concatenate_test
