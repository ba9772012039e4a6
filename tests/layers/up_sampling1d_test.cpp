#include <heed/layers/up_sampling1d.hpp>

#include "support/layer_testing.hpp"

namespace heed::up_sampling1d_test {

using namespace heed::testing;

TEST_CASE("UpSampling1D repeats each step") {
  LayerRun run(UpSampling1D{.size = 3}, {{2, 2}}, 2);
  run.forward();
  CHECK(run.y.shape() == Shape{2, 6, 2});
  for (Index t = 0; t < 6; ++t) CHECK(run.y.step(t) == run.x[0].step(t / 3));
}

TEST_CASE("UpSampling1D's gradients agree with differences") {
  check_layer(UpSampling1D{}, {{4, 3}});
  check_layer(UpSampling1D{.size = 1}, {{1, 1}});
  check_layer(UpSampling1D{.size = 5}, {{2, 1}});
}

TEST_CASE("UpSampling1D takes sequences of any length, and drops their mask") {
  CHECK(UpSampling1D{}.output_shape({any, 3}) == Shape{any, 3});
  CHECK_FALSE(AnyLayer<double>(UpSampling1D{.size = 1}).keeps_steps());
}

TEST_CASE("UpSampling1D survives the way through its configuration") {
  check_config(UpSampling1D{.size = 3}, {{"size", Index{3}}});
}

TEST_CASE("UpSampling1D refuses in a sentence what it cannot do") {
  CHECK(refusal<Error>(UpSampling1D{.size = 0}, {4, 3}) ==
        "UpSampling1D \"layer\": expected size of at least 1, got 0");
  CHECK(refusal<Error>(UpSampling1D{}, {4}) ==
        "UpSampling1D \"layer\": expected an input of (steps, features), got (4)");
  CHECK(refusal<Error>(UpSampling1D{.size = std::numeric_limits<Index>::max() / 2}, {4, 3})
            .find("has more elements than can be counted") != std::string::npos);
}

}  // namespace heed::up_sampling1d_test
