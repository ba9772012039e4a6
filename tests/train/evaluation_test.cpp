#include <heed/train/evaluation.hpp>

#include "dense_network.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::evaluation_test {

using testing::near;

namespace {

/// The metrics of a network of one output.
std::vector<detail::OutputMetrics<double>> only(std::vector<Metric<double>> metrics) {
  return {{std::move(metrics), {}}};
}

const Tensor<double, 2> x = testing::sines(11);
const Tensor<double, 2> y = testing::signs(x);
const Model<double> model = testing::dense_network(1, ActivationFunction::sigmoid);

}  // namespace

TEST_CASE("a small last batch counts by its samples") {
  const Loss<double> loss = BinaryCrossentropy{};
  const Objective<double> objective(model.graph(), loss);
  detail::RunningMeans<double> means(objective, only({BinaryAccuracy{}, MeanAbsoluteError{}}),
                                     "val_");
  Shards<double> shards;
  detail::BatchLoss<double> batch_loss;
  Logs logs{{"loss", 7}};
  const auto predictions = model.predict(x);
  for (const Index batch_size : {1, 4, 11, 100}) {
    CAPTURE(batch_size);
    detail::Batches<double> batches({{x}, {y}, {}}, batch_size, {});
    detail::evaluate<double>(objective, model.weights(), batches, 0, shards, batch_loss, means,
                             logs);
    CHECK(logs.size() == 4);
    CHECK(logs["loss"] == 7);
    CHECK(near(logs["val_loss"], loss(y, predictions), 1e-14));
    CHECK(logs["val_binary_accuracy"] == Metric<double>(BinaryAccuracy{})(y, predictions));
    CHECK(near(logs["val_mean_absolute_error"], Metric<double>(MeanAbsoluteError{})(y, predictions),
               1e-14));
  }
}

TEST_CASE("metrics of the same name are told apart by a number") {
  const Objective<double> objective(model.graph(), BinaryCrossentropy{});
  detail::RunningMeans<double> means(
      objective,
      only({BinaryAccuracy{}, BinaryAccuracy{.threshold = 0}, BinaryAccuracy{.threshold = 1}}), "");
  detail::Batches<double> batches({{x}, {y}, {}}, 4, {});
  Shards<double> shards;
  detail::BatchLoss<double> batch_loss;
  Logs logs;
  detail::evaluate<double>(objective, model.weights(), batches, 0, shards, batch_loss, means, logs);
  CHECK(logs.size() == 4);
  CHECK(near(logs["binary_accuracy_1"] + logs["binary_accuracy_2"], 1, 1e-15));
}

TEST_CASE("a weighted metric whose name is taken is called so, and numbers follow") {
  const Objective<double> objective(model.graph(), BinaryCrossentropy{});
  const detail::RunningMeans<double> means(
      objective, {{{BinaryAccuracy{}, "mae", "mae"}, {"mse", "mae", BinaryAccuracy{}, "mae"}}},
      "val_");
  CHECK(means.names() == std::vector<std::string>{"val_loss", "val_binary_accuracy", "val_mae",
                                                  "val_mae_1", "val_mse", "val_weighted_mae",
                                                  "val_weighted_binary_accuracy",
                                                  "val_weighted_mae_1"});
}

TEST_CASE("evaluating a second time allocates nothing") {
  const Objective<double> objective(model.graph(), BinaryCrossentropy{});
  detail::RunningMeans<double> means(objective, only({BinaryAccuracy{}}), "");
  detail::Batches<double> batches({{x}, {y}, {}}, 4, {});
  Shards<double> shards;
  detail::BatchLoss<double> batch_loss;
  Logs logs;
  detail::evaluate<double>(objective, model.weights(), batches, 0, shards, batch_loss, means, logs);
  const testing::Allocations allocations;
  detail::evaluate<double>(objective, model.weights(), batches, 0, shards, batch_loss, means, logs);
  const std::size_t count = allocations.count();
  CHECK(count == 0);
}

}  // namespace heed::evaluation_test
