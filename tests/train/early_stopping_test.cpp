#include <heed/layers/dense.hpp>
#include <heed/train/early_stopping.hpp>
#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::early_stopping_test {

namespace {

struct Outcome {
  Index epochs;         ///< that ran
  double final_weight;  ///< in epoch e each weight is e
};

/// Runs the callback through epochs in which the monitored value is as given.
Outcome train(const EarlyStopping& stopping, const std::vector<double>& values,
              const std::string& name = "val_loss") {
  Model<double> model;
  model.input({2});
  model.add(Dense{.units = 1});
  model.build();
  TrainingState<double> state{.model = model, .epochs = std::ssize(values)};
  const Callback<double> callback = stopping;
  callback.on_train_begin(state);
  for (const double value : values) {
    ++state.epoch;
    model.weights().array().setConstant(static_cast<double>(state.epoch));
    state.logs.set(name, value);
    callback.on_epoch_end(state);
    if (state.stop) break;
  }
  callback.on_train_end(state);
  return {state.epoch, model.weights()(0)};
}

}  // namespace

TEST_CASE("training stops after `patience` epochs without an improvement") {
  CHECK(train({}, {5, 4, 4, 3}).epochs == 3);
  CHECK(train({.patience = 1}, {5, 4, 4, 3}).epochs == 3);
  CHECK(train({.patience = 2}, {5, 4, 4, 3, 3, 3, 3}).epochs == 6);
  CHECK(train({.patience = 2}, {5, 4, 3, 2}).epochs == 4);
}

TEST_CASE("a change of no more than min_delta is no improvement") {
  CHECK(train({.min_delta = 0.5}, {5, 4, 3.5, 3}).epochs == 3);
  CHECK(train({.min_delta = 0.25}, {5, 4, 3.5, 3}).epochs == 4);
}

TEST_CASE("the best weights come back when asked for, and only then") {
  CHECK(train({.patience = 2}, {5, 2, 3, 3, 1}).final_weight == 4);
  const auto outcome = train({.patience = 2, .restore_best_weights = true}, {5, 2, 3, 3, 1});
  CHECK(outcome.epochs == 4);
  CHECK(outcome.final_weight == 2);
  CHECK(train({.patience = 9, .restore_best_weights = true}, {5, 2, 3}).final_weight == 2);
}

TEST_CASE("accuracies are to grow and everything else to shrink, unless a mode is given") {
  const auto epochs = [](const EarlyStopping& stopping) {
    return train(stopping, {1, 2, 3}, stopping.monitor).epochs;
  };
  CHECK(epochs({.monitor = "val_binary_accuracy"}) == 3);
  CHECK(epochs({.monitor = "loss"}) == 2);
  CHECK(epochs({.monitor = "score", .mode = EarlyStopping::Mode::max}) == 3);
  CHECK(epochs({.monitor = "accuracy", .mode = EarlyStopping::Mode::min}) == 2);
}

TEST_CASE("anything improves on NaN, and NaN on nothing") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(train({}, {nan, 4, 3}).epochs == 3);
  CHECK(train({}, {4, nan, 3}).epochs == 2);
}

TEST_CASE("a callback that is used twice begins anew") {
  Model<double> model;
  model.input({2});
  model.add(Dense{.units = 1});
  model.build();
  const Callback<double> callback = EarlyStopping{};
  for (int training = 0; training < 2; ++training) {
    TrainingState<double> state{.model = model, .logs = {{"val_loss", 1.0 + training}}};
    callback.on_train_begin(state);
    callback.on_epoch_end(state);
    CHECK_FALSE(state.stop);
  }
}

TEST_CASE("a value that is not there is an error that says what is") {
  CHECK(testing::message<OptionError>([] { train({}, {1}, "loss"); }) ==
        "there is no \"val_loss\" among \"loss\"");
}

TEST_CASE("a difference or a patience below zero is refused") {
  const auto refused = [](const EarlyStopping& stopping) {
    return testing::message<OptionError>([&] { const Callback<float> callback = stopping; });
  };
  const std::string range = "EarlyStopping: expected min_delta and patience of at least 0, got ";
  CHECK(refused({.min_delta = -0.1}) == range + "-0.1 and 0");
  CHECK(refused({.patience = -1}) == range + "0 and -1");
}

}  // namespace heed::early_stopping_test
