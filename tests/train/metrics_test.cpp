#include <heed/tensor/tensor.hpp>
#include <heed/train/metrics.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::metrics_test {

namespace {

const Tensor<double, 2> y{{0, 1}, {1, 0}, {1, 1}};
const Tensor<double, 2> p{{0.2, 0.5}, {0.9, 0.4}, {0.51, 0.3}};

}  // namespace

// Keras 3.15.1: keras.metrics.X().update_state(y, p); result()

TEST_CASE("binary accuracy counts predictions above the threshold, as Keras does") {
  CHECK(Metric<double>(BinaryAccuracy{})(y, p) == 4.0 / 6);
  CHECK(Metric<double>(BinaryAccuracy{.threshold = 0.3})(y, p) == 4.0 / 6);
  CHECK(Metric<double>(BinaryAccuracy{.threshold = 0.45})(y, p) == 5.0 / 6);
  CHECK(Metric<double>(BinaryAccuracy{}).name() == "binary_accuracy");
}

TEST_CASE("categorical accuracy compares the places of the largest, the first of equals") {
  const Tensor<double, 2> classes{{0, 1, 0}, {1, 0, 0}, {0, 0, 1}, {1, 0, 0}};
  const Tensor<double, 2> given{{.2, .5, .3}, {.4, .4, .2}, {.3, .4, .3}, {.8, .15, .05}};
  const Metric<double> metric = CategoricalAccuracy{};
  CHECK(metric(classes, given) == 0.75);
  CHECK(metric.name() == "categorical_accuracy");
}

TEST_CASE("every loss is a metric") {
  const Metric<double> mae = MeanAbsoluteError{};
  const Metric<double> mse = MeanSquaredError{};
  CHECK(mae.name() == "mean_absolute_error");
  CHECK(mse.name() == "mean_squared_error");
  CHECK(mae(y, p) == Loss<double>(MeanAbsoluteError{})(y, p));
  CHECK(mse(y, p) == Loss<double>(MeanSquaredError{})(y, p));
}

TEST_CASE("metrics take targets without a last axis of 1, and refuse other shapes") {
  const Metric<double> metric = BinaryAccuracy{};
  const Tensor<double, 2> column{{0.1}, {0.6}};
  const Tensor<double, 1> flat{0, 1};
  CHECK(metric(flat, column) == 1);
  CHECK(testing::message<ShapeError>([&] { metric(flat, p); }) ==
        "binary_accuracy: expected targets of the predictions' shape (3, 2), got (2)");
}

TEST_CASE("a metric is made from a name that Keras has for it, and is called so") {
  const std::vector<Metric<double>> metrics = {"accuracy", "mae"};
  CHECK(metrics[0].name() == "accuracy");
  CHECK(metrics[1].name() == "mae");
  CHECK(metrics[1](y, p) == Metric<double>(MeanAbsoluteError{})(y, p));
  CHECK(Metric<double>("BinaryAccuracy")(y, p) == 4.0 / 6);
  CHECK(testing::message<OptionError>([] { Metric<double>("f1"); }) ==
        "there is no metric \"f1\" among \"accuracy\", \"binary_accuracy\", "
        "\"categorical_accuracy\", \"sparse_categorical_accuracy\", "
        "\"sparse_top_k_categorical_accuracy\", \"sparse_categorical_crossentropy\", "
        "\"binary_crossentropy\", \"categorical_crossentropy\", "
        "\"mean_squared_error\", \"mean_absolute_error\"");
}

TEST_CASE("accuracy is binary for one number, and categorical for several, as in Keras") {
  const Metric<double> accuracy = "accuracy";
  const Tensor<double, 2> column{{0.1}, {0.6}, {0.7}};
  const Tensor<double, 1> flat{0, 1, 0};
  CHECK(accuracy(flat, column) == Metric<double>(BinaryAccuracy{})(flat, column));
  CHECK(accuracy(y, p) == Metric<double>(CategoricalAccuracy{})(y, p));
}

}  // namespace heed::metrics_test
