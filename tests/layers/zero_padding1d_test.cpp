#include <heed/layers/zero_padding1d.hpp>

#include "support/layer_testing.hpp"

namespace heed::zero_padding1d_test {

using namespace heed::testing;

TEST_CASE("ZeroPadding1D puts zeros around each sequence") {
  LayerRun run(ZeroPadding1D{.padding = {2, 1}}, {{3, 2}}, 2);
  run.y.array().setConstant(9);
  run.forward();
  CHECK(run.y.shape() == Shape{2, 6, 2});
  for (Index n = 0; n < 2; ++n) {
    CHECK(run.y.slice(n).topRows(2).isZero(0));
    CHECK(run.y.slice(n).middleRows(2, 3) == run.x[0].slice(n));
    CHECK(run.y.slice(n).bottomRows(1).isZero(0));
  }
}

TEST_CASE("ZeroPadding1D's gradients agree with differences") {
  check_layer(ZeroPadding1D{}, {{4, 3}});
  check_layer(ZeroPadding1D{.padding = {0, 3}}, {{1, 1}});
  check_layer(ZeroPadding1D{.padding = {2, 0}}, {{4, 3}});
  check_layer(ZeroPadding1D{.padding = {0, 0}}, {{4, 3}});
}

TEST_CASE("ZeroPadding1D takes sequences of any length, and drops their mask") {
  CHECK(ZeroPadding1D{}.output_shape({any, 3}) == Shape{any, 3});
  CHECK_FALSE(AnyLayer<double>(ZeroPadding1D{.padding = {0, 0}}).keeps_steps());
}

TEST_CASE("ZeroPadding1D survives the way through its configuration") {
  check_config(ZeroPadding1D{.padding = {2, 1}}, {{"padding", std::vector<Index>{2, 1}}});
  CHECK(ZeroPadding1D{} == ZeroPadding1D{.padding = {1, 1}});
}

TEST_CASE("ZeroPadding1D of other than two numbers of steps is refused in a sentence") {
  const auto refused = [](const std::vector<Index>& padding, const Shape& x = {4, 3}) {
    return refusal<Error>(ZeroPadding1D{.padding = padding}, x);
  };
  CHECK(refused({1}) ==
        "ZeroPadding1D \"layer\": expected padding of two numbers of steps, got (1)");
  CHECK(refused({1, 2, 3}) ==
        "ZeroPadding1D \"layer\": expected padding of two numbers of steps, got (1, 2, 3)");
  CHECK(refused({0, -1}) ==
        "ZeroPadding1D \"layer\": expected padding of two numbers of steps, got (0, -1)");
  CHECK(refused({0, std::numeric_limits<Index>::max()})
            .find("expected padding of two numbers of steps") != std::string::npos);
  CHECK(refused({1, 1}, {4}) ==
        "ZeroPadding1D \"layer\": expected an input of (steps, features), got (4)");
}

}  // namespace heed::zero_padding1d_test
