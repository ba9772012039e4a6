#include <heed/layers/identity.hpp>

#include "support/layer_testing.hpp"

namespace heed::identity_test {

using namespace heed::testing;

TEST_CASE("Identity gives what it is given, and its gradient") {
  LayerRun run(Identity{}, {{5, 3}}, 2);
  run.forward();
  run.backward();
  CHECK(run.y == run.x[0]);
  CHECK(run.dx[0] == run.dy);
  check_layer(Identity{}, {{3, 2}});
  check_layer(Identity{}, {{1}});
  check_step_wise(Identity{}, {{5, 4}});
  check_config(Identity{}, {});
}

}  // namespace heed::identity_test
