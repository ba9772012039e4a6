#include <heed/layers/activity_regularization.hpp>
#include <heed/layers/dense.hpp>

#include "support/layer_testing.hpp"

namespace heed::activity_regularization_test {

using namespace heed::testing;

TEST_CASE("ActivityRegularization gives what it is given") {
  LayerRun run(ActivityRegularization{.l1 = 0.5}, {{5, 3}}, 2);
  run.forward();
  CHECK(run.y == run.x[0]);
  check_layer(ActivityRegularization{.l2 = 0.5}, {{3, 2}});
  check_layer(ActivityRegularization{}, {{3}}, {1, 2}, true);
  check_step_wise(ActivityRegularization{}, {{5, 4}});
  check_config(ActivityRegularization{.l1 = 0.5, .l2 = 0.25}, {{"l1", 0.5}, {"l2", 0.25}});
}

TEST_CASE("A training with a penalty of activities is refused in a sentence") {
  LayerRun run(ActivityRegularization{.l1 = 0.5}, {{3}}, 2);
  run.pass.training = true;
  CHECK(
      message<ModelError>([&] { run.forward(); }) ==
      "ActivityRegularization cannot be trained with l1 = 0.5 and l2 = 0, because the loss has no "
      "place for its penalty; set both to 0");
  CHECK(refusal<OptionError>(ActivityRegularization{.l1 = -1}, {3}) ==
        "ActivityRegularization \"layer\": expected l1 of at least 0, got -1");
  CHECK(refusal<OptionError>(ActivityRegularization{.l2 = -1}, {3}) ==
        "ActivityRegularization \"layer\": expected l2 of at least 0, got -1");
}

}  // namespace heed::activity_regularization_test
