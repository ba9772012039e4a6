#include <heed/layers/cropping1d.hpp>

#include "support/layer_testing.hpp"

namespace heed::cropping1d_test {

using namespace heed::testing;

TEST_CASE("Cropping1D leaves out steps at both ends") {
  LayerRun run(Cropping1D{.cropping = {2, 1}}, {{5, 3}}, 2);
  run.forward();
  CHECK(run.y.shape() == Shape{2, 2, 3});
  for (Index n = 0; n < 2; ++n) CHECK(run.y.slice(n) == run.x[0].slice(n).middleRows(2, 2));
}

TEST_CASE("Cropping1D's gradients agree with differences, and those of what is left out are zero") {
  check_layer(Cropping1D{}, {{4, 3}});
  check_layer(Cropping1D{.cropping = {0, 3}}, {{4, 1}});
  check_layer(Cropping1D{.cropping = {0, 0}}, {{1, 1}});
  LayerRun run(Cropping1D{}, {{3, 2}}, 2);
  run.dx[0].array().setConstant(9);
  run.forward();
  run.backward();
  CHECK(run.dx[0].step(0).isZero(0));
  CHECK(run.dx[0].step(1) == run.dy.matrix());
  CHECK(run.dx[0].step(2).isZero(0));
}

TEST_CASE("Cropping1D takes sequences of any length, and drops their mask") {
  CHECK(Cropping1D{}.output_shape({any, 3}) == Shape{any, 3});
  CHECK_FALSE(AnyLayer<double>(Cropping1D{.cropping = {0, 0}}).keeps_steps());
}

TEST_CASE("Cropping1D survives the way through its configuration") {
  check_config(Cropping1D{.cropping = {2, 1}}, {{"cropping", std::vector<Index>{2, 1}}});
  CHECK(Cropping1D{} == Cropping1D{.cropping = {1, 1}});
}

TEST_CASE("Cropping1D of all steps, or by other than two numbers, is refused in a sentence") {
  const auto refused = [](const std::vector<Index>& cropping, const Shape& x = {4, 3}) {
    return refusal<Error>(Cropping1D{.cropping = cropping}, x);
  };
  CHECK(refused({3, 1}) ==
        "Cropping1D \"layer\": expected more than the 4 steps that are cropped, got (4, 3)");
  CHECK(refused({1}) == "Cropping1D \"layer\": expected cropping of two numbers of steps, got (1)");
  CHECK(refused({-1, 0}) ==
        "Cropping1D \"layer\": expected cropping of two numbers of steps, got (-1, 0)");
  CHECK(refused({1, 1}, {4}) ==
        "Cropping1D \"layer\": expected an input of (steps, features), got (4)");
}

}  // namespace heed::cropping1d_test
