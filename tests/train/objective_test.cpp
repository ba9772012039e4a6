#include <heed/train/objective.hpp>

#include "dense_network.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::objective_test {

using testing::dense_network;

namespace {

using enum ActivationFunction;

/// Runs a batch through the objective of a network; what it minimises, and what it predicts.
struct Run {
  double loss;
  Tensor<double> predictions;
  ActivationFunction end;
};

Run run(const Model<double>& model, const Loss<double>& loss, View<const double> x,
        View<const double> y) {
  const Objective<double> objective(model.graph(), loss);
  Tape<double> tape;
  Tensor<double> memory;
  const auto output = objective.forward(model.weights(), x, {}, tape);
  const auto predictions = objective.predictions(output, memory);
  return {objective.loss()(y, output), Tensor<double>(predictions),
          objective.graph().output_activation().value()};
}

}  // namespace

TEST_CASE("a sigmoid in front of binary cross-entropy is left out of what is minimised") {
  const auto model = dense_network(1, sigmoid);
  const auto x = testing::sines(5);
  const auto y = testing::signs(x);
  const auto [loss, predictions, end] = run(model, BinaryCrossentropy{}, x, y);
  CHECK(end == linear);
  CHECK(testing::distance(predictions, model.predict(x)) < 1e-15);
  CHECK(testing::near(loss, Loss<double>(BinaryCrossentropy{})(y, model.predict(x)), 1e-14));
  CHECK(model.graph().output_activation() == sigmoid);
}

TEST_CASE("a softmax in front of categorical cross-entropy is left out of what is minimised") {
  const auto model = dense_network(3, softmax);
  const auto x = testing::sines(5);
  const auto y = testing::largest(x);
  const CategoricalCrossentropy smoothed{.label_smoothing = 0.1};
  const auto [loss, predictions, end] = run(model, smoothed, x, y);
  CHECK(end == linear);
  CHECK(testing::distance(predictions, model.predict(x)) < 1e-15);
  CHECK(testing::near(loss, Loss<double>(smoothed)(y, model.predict(x)), 1e-14));
}

TEST_CASE("a loss said to take logits takes them behind a sigmoid too, as Keras does") {
  const auto model = dense_network(1, sigmoid);
  const auto x = testing::sines(5);
  const auto y = testing::signs(x);
  const auto given = run(model, BinaryCrossentropy{.from_logits = true}, x, y);
  CHECK(given.end == linear);
  CHECK(given.loss == run(model, BinaryCrossentropy{}, x, y).loss);
}

TEST_CASE("every other network and loss stay as they are") {
  const auto x = testing::sines(5);
  const auto y = Tensor<double>(testing::largest(x).matrix().leftCols(2));
  const auto check = [&](ActivationFunction activation, const Loss<double>& loss) {
    const auto model = dense_network(2, activation);
    const auto given = run(model, loss, x, y);
    CHECK(given.end == activation);
    CHECK(given.predictions == model.predict(x));
    CHECK(given.loss == loss(y, model.predict(x)));
  };
  check(sigmoid, MeanSquaredError{});
  check(softmax, BinaryCrossentropy{});
  check(sigmoid, CategoricalCrossentropy{});
  check(linear, BinaryCrossentropy{.from_logits = true});
  check(linear, MeanAbsoluteError{});
}

}  // namespace heed::objective_test
