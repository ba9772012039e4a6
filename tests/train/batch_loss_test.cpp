#include <heed/layers/dense.hpp>
#include <heed/model/model.hpp>
#include <heed/train/batch_loss.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::batch_loss_test {

using namespace heed::testing;

namespace {

/// Steps and one number of each sample, (4, 3, 2) and (4, 1), from (4, 3, 2) and (4, 5).
Model<double> network() {
  Model<double> model("two");
  const Node steps = model.input("steps", {3, 2}), left = model.input("left", {5});
  const Node y = model.add("y", Dense{.units = 2}, steps);
  const Node z = model.add("z", Dense{.units = 1}, left);
  model.set_outputs({y, z});
  model.build({.seed = 1});
  return model;
}

const auto x = random_tensor({4, 3, 2}, 1), left = random_tensor({4, 5}, 2);
const auto y = random_tensor({4, 3, 2}, 3), z = random_tensor({4, 1}, 4);
const View<const double> inputs[] = {x, left}, targets[] = {y, z};
const std::vector<std::uint8_t> counts{1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1};
const std::vector<std::uint8_t> others{1, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
const Mask mask(counts.data(), {4, 3}), other(others.data(), {4, 3});

/// What is left of a batch: the total, the losses by output, and which steps counted.
struct Result {
  double total;
  std::vector<double> losses;
  std::vector<std::uint8_t> counts;
};

Result run(const NamedList<double>& loss_weights, const Batch<double>& batch, Index threads = 1) {
  const auto model = network();
  const Objective<double> objective(model.graph(), {"mse", "mae"}, loss_weights);
  Shards<double> shards(std::make_shared<Team>(threads));
  shards.forward(objective.graph(), model.weights(), batch.inputs, {});
  detail::BatchLoss<double> loss;
  loss.take(objective, shards, batch);
  Result result{loss.value_and_gradients(objective, shards), {}, {}};
  CHECK(loss.value(objective) == result.total);
  CHECK(loss.samples() == 4);
  for (std::size_t k = 0; k < 2; ++k) {
    const auto& output = loss.outputs()[k];
    result.losses.push_back(output.loss);
    if (output.mask)
      result.counts.assign(output.mask.data(), output.mask.data() + output.mask.size());
  }
  return result;
}

}  // namespace

TEST_CASE("The loss of a batch is the sum of weights times the losses of its outputs") {
  const Result plain = run({}, {.inputs = {.x = inputs}, .y = targets});
  const auto predictions = network().predict_all({x, left});
  CHECK(plain.losses[0] == Loss<double>("mse")(y, predictions[0]));
  CHECK(plain.losses[1] == Loss<double>("mae")(z, predictions[1]));
  CHECK(plain.total == plain.losses[0] + plain.losses[1]);
  const Result weighted = run({0.25, 3.}, {.inputs = {.x = inputs}, .y = targets});
  CHECK(weighted.losses == plain.losses);  // which are not weighted themselves
  CHECK(weighted.total == 0.25 * plain.losses[0] + 3 * plain.losses[1]);
  CHECK(run({{"z", 3}, {"y", 0.25}}, {.inputs = {.x = inputs}, .y = targets}).total ==
        weighted.total);
  CHECK(run({0., 1.}, {.inputs = {.x = inputs}, .y = targets}).total == plain.losses[1]);
}

TEST_CASE("The gradient of each output is weighted as its loss is, for any number of threads") {
  const auto model = network();
  for (const Index threads : {1, 3}) {
    CAPTURE(threads);
    const auto gradients = [&](const NamedList<double>& weights) {
      const Objective<double> objective(model.graph(), {"mse", "mae"}, weights);
      Shards<double> shards(std::make_shared<Team>(threads));
      shards.forward(objective.graph(), model.weights(), {.x = inputs}, {});
      detail::BatchLoss<double> loss;
      loss.take(objective, shards, {.inputs = {.x = inputs}, .y = targets});
      loss.value_and_gradients(objective, shards);
      shards.backward(objective.graph(), model.weights());
      return Tensor<double>(shards.gradients());
    };
    const auto first = gradients({1., 0.}), second = gradients({0., 1.}),
               both = gradients({0.5, 4.});
    Tensor<double> sum(first.shape());
    sum.array() = 0.5 * first.array() + 4 * second.array();
    CHECK((first.array() != 0).any());
    CHECK((second.array() != 0).any());
    CHECK(distance(both, sum) < 1e-15);
  }
}

TEST_CASE("A step counts when it does both in the output and in its targets") {
  const Mask masks[] = {mask, {}}, target_masks[] = {other, {}};
  const auto counted = [&](std::span<const Mask> given, std::span<const Mask> of_targets,
                           Index threads = 1) {
    return run({}, {.inputs = {.x = inputs, .masks = given}, .y = targets, .masks = of_targets},
               threads)
        .counts;
  };
  CHECK(counted({}, {}).empty());
  CHECK(counted(masks, {}) == counts);
  CHECK(counted({}, target_masks) == others);
  const std::vector<std::uint8_t> both{1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0};
  CHECK(counted(masks, target_masks) == both);
  CHECK(counted(masks, target_masks, 3) == both);
}

TEST_CASE("Masks and targets of another shape are refused") {
  const auto refused = [&](const Mask& first, const Mask& second,
                           View<const double> first_targets) {
    const Mask masks[] = {first, second};
    const View<const double> given[] = {first_targets, z};
    return message<ShapeError>(
        [&] { run({}, {.inputs = {.x = inputs}, .y = given, .masks = masks}); });
  };
  CHECK(refused(Mask(counts.data(), {4, 2}), {}, y) ==
        "mean_squared_error: expected a mask of (samples, steps) for predictions of (4, 3, 2), got "
        "(4, 2)");
  CHECK(refused(Mask(counts.data(), {3, 3}), {}, y) ==
        "mean_squared_error: expected a mask of (samples, steps) for predictions of (4, 3, 2), got "
        "(3, 3)");
  CHECK(refused({}, Mask(counts.data(), {4, 1}), y) ==
        "mean_absolute_error: expected a mask of (samples, steps) for predictions of (4, 1), got "
        "(4, 1)");
  CHECK(refused({}, {}, x.view().samples(0, 3)) ==
        "mean_squared_error: expected targets of the predictions' shape (4, 3, 2), got (3, 3, 2)");
  CHECK(refused(mask, {}, y) == "(nothing thrown)");
}

TEST_CASE("The loss of a second batch allocates nothing, with masks and weights") {
  const auto model = network();
  const Objective<double> objective(model.graph(), {"mse", "mae"}, {0.5, 2.});
  Shards<double> shards;
  const auto by_step = random_tensor({4, 3}, 5), by_sample = random_tensor({4}, 6);
  const View<const double> weights[] = {by_step, by_sample};
  const Mask masks[] = {mask, {}}, target_masks[] = {other, {}};
  const Batch<double> batch{.inputs = {.x = inputs, .masks = masks},
                            .y = targets,
                            .sample_weight = weights,
                            .masks = target_masks};
  detail::BatchLoss<double> loss;
  const auto step = [&] {
    shards.forward(objective.graph(), model.weights(), batch.inputs, {});
    loss.take(objective, shards, batch);
    return loss.value_and_gradients(objective, shards);
  };
  const double first = step();
  const Allocations allocations;
  const double second = step();
  const auto count = allocations.count();
  CHECK(count == 0);
  CHECK(first == second);
}

}  // namespace heed::batch_loss_test
