#include <heed/layers/repeat_vector.hpp>

#include "support/layer_testing.hpp"

namespace heed::repeat_vector_test {

using namespace heed::testing;

TEST_CASE("RepeatVector gives every step the same vector") {
  LayerRun run(RepeatVector{.n = 4}, {{3}}, 2);
  run.forward();
  CHECK(run.y.shape() == Shape{2, 4, 3});
  for (Index t = 0; t < 4; ++t) CHECK(run.y.step(t) == run.x[0].matrix());
}

TEST_CASE("RepeatVector's gradients agree with differences") {
  check_layer(RepeatVector{.n = 4}, {{3}});
  check_layer(RepeatVector{.n = 1}, {{1}});
  check_layer(RepeatVector{.n = 1}, {{5}});
  check_layer(RepeatVector{.n = 7}, {{1}});
}

TEST_CASE("RepeatVector survives the way through its configuration") {
  check_config(RepeatVector{.n = 4}, {{"n", Index{4}}});
}

TEST_CASE("RepeatVector that does not fit is refused in a sentence") {
  CHECK(refusal<ShapeError>(RepeatVector{.n = 4}, {3, 2}) ==
        "RepeatVector \"layer\": expected an input of (features), got (3, 2)");
  CHECK(refusal<OptionError>(RepeatVector{.n = 0}, {3}) ==
        "RepeatVector \"layer\": expected n of at least 1, got 0");
}

}  // namespace heed::repeat_vector_test
