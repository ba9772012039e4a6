#include <heed/train/early_stopping.hpp>
#include <heed/train/fit.hpp>
#include <thread>

#include "dense_network.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/trainings.hpp"

namespace heed::fit_loop_test {

using testing::Training;

namespace {

using enum ActivationFunction;

const Tensor<double, 2> x = testing::sines(10);
const Tensor<double, 2> y = testing::signs(x);

/// Shuffled, with dropout, and by an optimizer without a memory.
FitOptions<double> options(Index epochs) {
  return {.loss = BinaryCrossentropy{},
          .optimizer = SGD{.learning_rate = 0.1},
          .epochs = epochs,
          .batch_size = 16,
          .verbose = Verbose::silent};
}

/// What `fit` throws when a callback changes something at the end of each batch.
template <class E>
std::string refused(const std::function<void(TrainingState<double>&)>& change) {
  auto model = testing::dense_network(1, sigmoid);
  FitOptions<double> how{.loss = BinaryCrossentropy{}, .epochs = 2, .batch_size = 4};
  how.verbose = Verbose::silent;
  how.callbacks.resize(1);
  how.callbacks[0].on_batch_end = change;
  return testing::message<E>([&] { model.fit(x, y, how); });
}

}  // namespace

TEST_CASE("fit in a loop of epochs comes to the bits of one fit") {
  const Training<double> training;
  auto whole = training.model(), loop = training.model();
  whole.fit(training.x, training.y, options(5));
  for (const Index epochs : {1, 1, 2, 1}) loop.fit(training.x, training.y, options(epochs));
  CHECK(loop.weights() == whole.weights());
  CHECK(loop.trained() == Trained{.epochs = 5, .updates = 5 * 4});
  CHECK(whole.trained() == loop.trained());
  auto built = loop;
  built.build();
  CHECK(built.trained() == Trained{});
}

TEST_CASE("a further fit of a model goes on from a snapshot to the same bits") {
  const Training<double> training;
  auto whole = training.model();
  whole.fit(training.x, training.y, options(2));
  std::vector<TrainingSnapshot<double>> taken;
  auto further = options(2);
  further.callbacks = {{.on_batch_end = [&](auto& s) { taken.push_back(s.snapshot().value()); },
                        .on_epoch_end = [&](auto& s) { taken.push_back(s.snapshot().value()); }}};
  const auto history = whole.fit(training.x, training.y, further);
  further.callbacks.clear();
  REQUIRE(taken.size() == 2 * (4 + 1));
  for (const std::size_t i : {std::size_t{2}, std::size_t{4}, std::size_t{7}, taken.size() - 1}) {
    CAPTURE(i);
    auto model = training.model(99);
    further.resume_from = taken[i];
    CHECK(model.fit(training.x, training.y, further) == history);
    CHECK(model.weights() == whole.weights());
    CHECK(model.trained() == whole.trained());
  }
}

TEST_CASE("copies of options have callbacks of their own") {
  const auto stopping = [](Index units) {
    auto model = testing::dense_network(units, sigmoid);
    return model;
  };
  FitOptions<double> how = options(6);
  how.validation_split = 0.2;
  how.callbacks = {
      EarlyStopping{.monitor = "val_loss", .patience = 2, .restore_best_weights = true}};
  const auto train = [&](FitOptions<double> own, Index units) {
    auto model = stopping(units);
    Tensor<double, 2> targets(Shape{10, units});
    for (Index n = 0; n < 10; ++n) targets.slice(n).setConstant(y(n, 0));
    model.fit(x, targets, own);
    return Arena<double>(model.weights());
  };
  const auto one = train(how, 1), three = train(how, 3);
  Arena<double> first, second;
  // Each trains another model with a copy of the same options, step by step beside the other.
  std::thread other([&] {
    for (int i = 0; i < 20; ++i) first = train(how, 1);
  });
  for (int i = 0; i < 20; ++i) second = train(how, 3);
  other.join();
  CHECK(first == one);
  CHECK(second == three);

  // One training inside of another, with the same options.
  Model<double> inner = stopping(3);
  Tensor<double, 2> targets(Shape{10, 3});
  for (Index n = 0; n < 10; ++n) targets.slice(n).setConstant(y(n, 0));
  auto nested = how;
  nested.callbacks.push_back({.on_epoch_end = [&](auto& state) {
    if (state.epoch == 1) inner.fit(x, targets, how);
  }});
  CHECK(train(nested, 1) == one);
  CHECK(inner.weights() == three);
}

TEST_CASE("a callback that changes where training is, is refused") {
  const std::string text =
      "a callback changed the position of training in epoch 1 of 2, step 1 of 3; a callback may "
      "only set learning_rate and stop, add to logs, and change the model's weights";
  CHECK(refused<OptionError>([](auto& state) { state.step = -5; }) == text);
  CHECK(refused<OptionError>([](auto& state) { state.steps = 1000; }) == text);
  CHECK(refused<OptionError>([](auto& state) { state.epoch = -7; }) == text);
  CHECK(refused<OptionError>([](auto& state) { state.epochs = 1; }) == text);
  CHECK(refused<OptionError>([](auto& state) { state.fit = nullptr; }) == text);
  CHECK(refused<OptionError>([](auto& state) {
          state.learning_rate /= 2;
          state.stop = true;
          state.logs.set("extra", 1);
          state.model.weights().set_zero();
        }) == "(nothing thrown)");
}

TEST_CASE("a callback that gives the model other layers, or takes them, is refused") {
  CHECK(refused<ModelError>([](auto& state) { state.model = Model<double>(); }) ==
        "model \"model\" is trained before build(); it has no layers, so it may have been moved "
        "from");
  CHECK(refused<ModelError>([](auto& state) {
          state.model = testing::dense_network(3, sigmoid);
        }) == "model \"model\": expected the 21 weights that training began with, got 31");
}

TEST_CASE("early stopping on validation data that are not there is found before training") {
  auto model = testing::dense_network(1, sigmoid);
  const Arena<double> before(model.weights());
  auto how = options(3);
  how.metrics = {BinaryAccuracy{}};
  const auto said = [&](const std::string& monitor) {
    how.callbacks = {EarlyStopping{.monitor = monitor}};
    return testing::message<OptionError>([&] { model.fit(x, y, how); });
  };
  for (const std::string monitor : {"val_loss", "val_binary_accuracy"}) {
    CHECK(said(monitor) == "EarlyStopping: expected validation data for the monitor \"" + monitor +
                               "\"; give validation_split or validation_data, or monitor one of "
                               "\"loss\", \"binary_accuracy\"");
  }
  CHECK(model.weights() == before);
  CHECK(said("val_mine") == "there is no \"val_mine\" among \"loss\", \"binary_accuracy\"");
  how.validation_split = 0.2;
  CHECK(said("val_loss") == "(nothing thrown)");
}

}  // namespace heed::fit_loop_test
