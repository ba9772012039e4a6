#include <heed/layers/slice.hpp>

#include "support/layer_testing.hpp"

namespace heed::slice_test {

using namespace heed::testing;

TEST_CASE("Slice is a part of each axis of every sample") {
  LayerRun run(Slice{.begin = {1, -2}, .end = {3, 0}}, {{4, 3}}, 2);
  run.forward();
  CHECK(run.y.shape() == Shape{2, 2, 2});
  for (Index n = 0; n < 2; ++n) {
    CHECK(run.y.slice(n) == run.x[0].slice(n).block(1, 1, 2, 2));
  }
  LayerRun column(Slice{.begin = {0, 1}, .end = {0, 2}, .squeeze = {2}}, {{4, 3}}, 2);
  column.forward();
  CHECK(column.y.shape() == Shape{2, 4});
  for (Index n = 0; n < 2; ++n) {
    CHECK(column.y.matrix().row(n) == column.x[0].slice(n).col(1).transpose());
  }
}

TEST_CASE("Slice's gradients agree with differences, and those of what is left out are zero") {
  check_layer(Slice{}, {{4, 3}});
  check_layer(Slice{.begin = {1}, .end = {-1}}, {{4, 3}});
  check_layer(Slice{.begin = {0, 2}}, {{4, 3}});
  check_layer(Slice{.begin = {-1}, .squeeze = {1}}, {{4, 3}});
  check_layer(Slice{.begin = {2}, .end = {4}}, {{5}});
  check_layer(Slice{.begin = {1, 0, 1}, .end = {2, 0, -1}, .squeeze = {1}}, {{3, 2, 4}});
  check_layer(Slice{}, {{1, 1}});

  LayerRun run(Slice{.begin = {1}, .end = {2}}, {{3, 2}}, 2);
  run.dx[0].array().setConstant(9);
  run.forward();
  run.backward();
  CHECK(run.dx[0].step(0).isZero(0));
  CHECK(run.dx[0].step(1) == run.dy.matrix());
  CHECK(run.dx[0].step(2).isZero(0));
}

TEST_CASE("Slice of features is taken of each step by itself, and one of steps is not") {
  check_step_wise(Slice{.begin = {0, 1}, .end = {0, -1}}, {{4, 3}});
  const auto step_wise = [](const Slice& slice) {
    return AnyLayer<double>(slice).is_step_wise(std::vector<Shape>{{4, 3}});
  };
  CHECK_FALSE(step_wise(Slice{.begin = {1}}));
  CHECK_FALSE(step_wise(Slice{.end = {2}}));
  CHECK_FALSE(step_wise(Slice{.squeeze = {1}}));
}

TEST_CASE("Slice survives the way through its configuration") {
  check_config(Slice{.begin = {1}, .end = {0, -1}, .squeeze = {2}},
               {{"begin", std::vector<Index>{1}},
                {"end", std::vector<Index>{0, -1}},
                {"squeeze", std::vector<Index>{2}}});
}

TEST_CASE("Slice of what an axis does not have is refused in a sentence") {
  const auto refused = [](const Slice& slice) { return refusal<Error>(slice, {4, 3}); };
  CHECK(refused({.begin = {2}, .end = {5}}) ==
        "Slice \"layer\": expected a part of axis 1, got 2 to 5 of (4, 3)");
  CHECK(refused({.begin = {2}, .end = {2}}) ==
        "Slice \"layer\": expected a part of axis 1, got 2 to 2 of (4, 3)");
  CHECK(refused({.begin = {-5}}) ==
        "Slice \"layer\": expected a part of axis 1, got -1 to 4 of (4, 3)");
  CHECK(refused({.begin = {0, 0, 0}}) ==
        "Slice \"layer\": expected a begin and an end for at most 2 axes, got 3");
  CHECK(refused({.squeeze = {3}}) ==
        "Slice \"layer\": expected axes from 1 to 2 to squeeze, got 3");
  CHECK(refused({.squeeze = {2}}) ==
        "Slice \"layer\": expected one position of axis 2, which is squeezed, got 3");
  CHECK(refusal<Error>(Slice{.end = {1}, .squeeze = {1}}, {4}) ==
        "Slice \"layer\": expected at least one axis that is not squeezed");
}

}  // namespace heed::slice_test
