#include <heed/layers/rescaling.hpp>

#include "support/layer_testing.hpp"

namespace heed::rescaling_test {

using namespace heed::testing;

TEST_CASE("Rescaling multiplies and adds") {
  LayerRun run(Rescaling{.scale = 0.5, .offset = -1}, {{5, 3}}, 2);
  run.forward();
  CHECK((run.y.array() == run.x[0].array() * 0.5 - 1).all());
}

TEST_CASE("Rescaling's gradients agree with differences, and each step is computed by itself") {
  check_layer(Rescaling{.scale = 0.5, .offset = -1}, {{3, 2}});
  check_layer(Rescaling{.scale = -2.0}, {{1}});
  check_step_wise(Rescaling{.scale = 3.0}, {{5, 4}});
}

TEST_CASE("Rescaling survives the way through its configuration, and refuses what is no number") {
  check_config(Rescaling{.scale = 2.0, .offset = 1}, {{"scale", 2.0}, {"offset", 1.0}});
  CHECK(refusal<OptionError>(Rescaling{.scale = std::numeric_limits<double>::quiet_NaN()}, {3}) ==
        "Rescaling \"layer\": expected a finite scale, got nan");
  CHECK(refusal<OptionError>(
            Rescaling{.scale = 1.0, .offset = std::numeric_limits<double>::quiet_NaN()}, {3}) ==
        "Rescaling \"layer\": expected a finite offset, got nan");
}

}  // namespace heed::rescaling_test
