#include <heed/attention/step_attention.hpp>
#include <heed/layers/bidirectional.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/gru.hpp>
#include <heed/layers/last_step.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/train/fit.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::windows_test {

using namespace heed::testing;

namespace {

constexpr Index N = 5, T = 23, D = 3;

/// A step's output for each step of a sequence.
Model<double> network(bool stateful = false, Index units = 4) {
  Model<double> model;
  model.input({any, D});
  model.add("lstm", LSTM{.units = units, .return_sequences = true, .stateful = stateful});
  model.add("gru", GRU{.units = units, .return_sequences = true, .stateful = stateful});
  model.add("dense", Dense{.units = 2});
  model.build({.seed = 3});
  return model;
}

/// Steps [first, first + count) of all samples.
Tensor<double> cut(const Tensor<double>& x, Index first, Index count) {
  Tensor<double> part(Shape{x.dim(0), count, x.dim(2)});
  for (Index n = 0; n < x.dim(0); ++n) {
    part.slice(n) = x.slice(n).middleRows(first, count);
  }
  return part;
}

std::vector<double> weights(const Model<double>& model) {
  const auto values = model.weights().values();
  return {values.begin(), values.end()};
}

const Tensor<double> x = random_tensor({N, T, D}, 1), y = random_tensor({N, T, 2}, 2);

FitOptions<double> options(Index window) {
  return {.loss = MeanSquaredError{},
          .optimizer = Adam{},
          .metrics = {MeanAbsoluteError{}},
          .epochs = 2,
          .batch_size = 2,
          .window = window,
          .shuffle = false,
          .verbose = Verbose::silent};
}

}  // namespace

TEST_CASE("Training in windows is training a stateful network on one window after the other") {
  auto model = network(), by_hand = network(true);
  const auto history = model.fit(x, y, options(10));
  Trainer<double> trainer(by_hand, {.loss = MeanSquaredError{}, .optimizer = Adam{}});
  std::vector<double> losses;
  for (Index epoch = 0; epoch < 2; ++epoch) {
    double sum = 0, weight = 0;
    for (const Index n : {0, 2, 4}) {
      const Tensor<double> batch_x(x.samples(n, (std::min)(N - n, Index{2})));
      const Tensor<double> batch_y(y.samples(n, batch_x.dim(0)));
      trainer.reset_states();
      for (const Index t : {0, 10, 20}) {
        const Index count = (std::min)(Index{10}, T - t);
        const double loss = trainer.step(cut(batch_x, t, count), cut(batch_y, t, count));
        const double share = static_cast<double>(batch_x.dim(0) * count);
        sum += loss * share;
        weight += share;
      }
    }
    losses.push_back(sum / weight);
  }
  CHECK(weights(model) == weights(by_hand));
  CHECK(near(history["loss"][0], losses[0], 1e-14));
  CHECK(near(history["loss"][1], losses[1], 1e-14));
  CHECK(model.trained().updates == 2 * 3 * 3);
}

TEST_CASE("Windows and stateful layers take weights where Keras takes them") {
  // Keras 3.15.1 in float64: LSTM(3, stateful=True, return_sequences=True), Dense(1), SGD(0.5); windows of 5
  // of 15 steps by train_on_batch, with reset_states() before each epoch; fit with shuffle=False.
  const auto make = [](bool stateful) {
    Model<double> model;
    model.input({any, 2});
    model.add(LSTM{.units = 3, .return_sequences = true, .stateful = stateful});
    model.add(Dense{.units = 1});
    model.build();
    for (Index i = 0; i < model.count_params(); ++i) {
      model.weights().data()[i] = 0.3 * std::sin(static_cast<double>(i));
    }
    return model;
  };
  Tensor<double> sines(Shape{2, 15, 2}), cosines(Shape{2, 15, 1});
  for (Index i = 0; i < sines.size(); ++i) sines.data()[i] = std::sin(static_cast<double>(i));
  for (Index i = 0; i < cosines.size(); ++i) cosines.data()[i] = std::cos(static_cast<double>(i));
  const auto check_weights = [](const Model<double>& model, double sum, double by_place) {
    double sums[2] = {0, 0};
    for (Index i = 0; i < model.count_params(); ++i) {
      sums[0] += model.weights().data()[i];
      sums[1] += model.weights().data()[i] * static_cast<double>(i);
    }
    CHECK(std::abs(sums[0] - sum) < 1e-12);
    CHECK(std::abs(sums[1] - by_place) < 1e-11);
  };
  auto given = options(5);
  given.optimizer = SGD{.learning_rate = 0.5};
  auto windows = make(false);
  const auto history = windows.fit(sines, cosines, given);
  CHECK(near(history["loss"][0], (0.5833208409692485 + 0.4420332408412359 + 0.5267602814456279) / 3,
             1e-12));
  CHECK(near(history["loss"][1], (0.6067904831414542 + 0.4418307076282552 + 0.5268614764005052) / 3,
             1e-12));
  check_weights(windows, 0.08930097660633206, -13.642877088749454);

  Tensor<double> batches_x(Shape{6, 5, 2}), batches_y(Shape{6, 5, 1});
  for (Index i = 0; i < 6; ++i) {
    batches_x.slice(i) = sines.slice(i % 2).middleRows(i / 2 * 5, 5);
    batches_y.slice(i) = cosines.slice(i % 2).middleRows(i / 2 * 5, 5);
  }
  given.window = 0;
  auto stateful = make(true);
  const auto carried = stateful.fit(batches_x, batches_y, given);
  CHECK(near(carried["loss"][1], 0.5245947780150783, 1e-12));
  check_weights(stateful, 0.09244280756738021, -13.53988058344049);
}

TEST_CASE("A window as long as the sequences changes nothing") {
  auto windows = network(), whole = network();
  const auto in_windows = windows.fit(x, y, options(T)), at_once = whole.fit(x, y, options(0));
  CHECK(weights(windows) == weights(whole));
  CHECK(near(in_windows["mean_absolute_error"][1], at_once["mean_absolute_error"][1], 1e-14));
}

TEST_CASE("Evaluation in windows gives what whole sequences give") {
  const auto model = network();
  const auto whole = model.evaluate(x, y, {.loss = "mse", .metrics = {"mae"}, .batch_size = 2});
  for (const Index window : {1, 7, 23, 100}) {
    CAPTURE(window);
    const auto logs = model.evaluate(
        x, y, {.loss = "mse", .metrics = {"mae"}, .window = window, .batch_size = 2});
    CHECK(near(logs["loss"], whole["loss"], 1e-13));
    CHECK(near(logs["mae"], whole["mae"], 1e-13));
  }
  auto trained = network();
  auto with_validation = options(10);
  with_validation.validation_data = {x, y};
  const auto history = trained.fit(x, y, with_validation);
  CHECK(near(history["val_loss"][1], trained.evaluate(x, y, {.loss = "mse"})["loss"], 1e-13));
}

TEST_CASE(
    "Sequences of unequal length are cut into windows, and shorter ones wait for the others") {
  Sequences<double> uneven(Shape{D}), targets(Shape{2});
  for (const Index length : {23, 5, 10, 11, 1}) {
    uneven.push_back(random_tensor({length, D}, static_cast<std::uint64_t>(length)));
    targets.push_back(random_tensor({length, 2}, static_cast<std::uint64_t>(100 + length)));
  }
  auto model = network();
  const auto history = model.fit(uneven, targets, options(4));
  CHECK(history["loss"][1] < history["loss"][0]);
  const auto whole = model.evaluate(uneven, targets, {.loss = "mse", .metrics = {"mae"}});
  const auto logs = model.evaluate(
      uneven, targets, {.loss = "mse", .metrics = {"mae"}, .window = 4, .batch_size = 1});
  CHECK(near(logs["mae"], whole["mae"], 1e-13));
}

TEST_CASE("Networks that give something else in windows are refused") {
  const auto refused = [](auto add, const Shape& shape = {any, D}) {
    Model<double> model;
    model.input(shape);
    add(model);
    model.build();
    return message<OptionError>([&] { model.evaluate(x, y, {.loss = "mse", .window = 5}); });
  };
  const auto dense = [](Model<double>& model) { model.add(Dense{.units = 2}); };
  CHECK(refused(dense) == "(nothing thrown)");
  CHECK(refused(dense, {T, D}) ==
        "window: InputLayer \"input_layer\": expected an input of any length, Shape{any, …}, got "
        "(23, 3)");
  CHECK(refused([&](auto& model) {
          model.add("back", LSTM{.units = 2, .return_sequences = true, .go_backwards = true});
        }).starts_with("window: LSTM \"back\": "));
  CHECK(refused([&](auto& model) {
          model.add("both", Bidirectional<LSTM>{.layer = {.units = 1, .return_sequences = true}});
        }).starts_with("window: Bidirectional \"both\": "));
}

TEST_CASE("In windows each step needs an output") {
  Model<double> model;
  model.input({any, D});
  model.add("lstm", LSTM{.units = 2});
  model.build();
  const auto last = random_tensor({N, 2}, 5);
  CHECK(message<Error>([&] { model.evaluate(x, last, {.loss = "mse", .window = 5}); }) ==
        "window: LSTM \"lstm\": expected return_sequences, so that each step has an output");
}

TEST_CASE("A stateful network goes on from batch to batch, and from epoch to epoch") {
  auto model = network(true), by_hand = network(true);
  auto given = options(0);
  given.batch_size = 1;
  model.fit(x, y, given);
  Trainer<double> trainer(by_hand, {.loss = MeanSquaredError{}, .optimizer = Adam{}});
  for (Index step = 0; step < 2 * N; ++step) {
    trainer.step(x.samples(step % N, 1), y.samples(step % N, 1));
  }
  CHECK(weights(model) == weights(by_hand));
  auto forgetful = network();
  forgetful.fit(x, y, given);
  CHECK(weights(model) != weights(forgetful));
  // A callback may have each epoch begin with zeros.
  auto fresh = network(true), reset = network(true);
  given.epochs = 1;
  fresh.fit(x, y, given);
  given.callbacks = {{.on_batch_end = [](TrainingState<double>& state) { state.reset_states(); }}};
  reset.fit(x, y, given);
  CHECK(weights(fresh) != weights(reset));
  given.callbacks = {};
  auto plain = network();
  plain.fit(x, y, given);
  CHECK(weights(reset) == weights(plain));
}

TEST_CASE("Validation of a stateful network begins with zeros and leaves training's states alone") {
  // Keras validates with the states in which training ends, and trains on from those of validation.
  auto given = options(0);
  given.batch_size = 1;
  auto alone = network(true), validated = network(true);
  alone.fit(x, y, given);
  given.validation_data = {x, y};
  const auto history = validated.fit(x, y, given);
  CHECK(weights(validated) == weights(alone));
  const auto again = validated.evaluate(x, y, {.loss = MeanSquaredError{}, .batch_size = 1});
  CHECK(history["val_loss"].back() == again["loss"]);
  // From batch to batch it carries states.
  const auto apart = validated.evaluate(x, y, {.loss = MeanSquaredError{}, .batch_size = N});
  CHECK(history["val_loss"].back() != apart["loss"]);
}

TEST_CASE("What cannot be meant with stateful layers is refused") {
  auto model = network(true);
  CHECK(message<OptionError>([&] { TrainingState<double>{model}.reset_states(); }) ==
        "reset_states() needs a training that fit runs");
  const auto refused = [&](auto change) {
    auto given = options(0);
    given.batch_size = 1;
    change(given);
    return message<OptionError>([&] { model.fit(x, y, given); });
  };
  CHECK(refused([](auto& o) { o.shuffle = true; }) ==
        "a stateful layer continues the previous batch: expected .shuffle = false and "
        ".similar_lengths = false");
  CHECK(refused([](auto& o) { o.batch_size = 2; }) ==
        "a stateful layer continues the previous batch: expected a number of samples that "
        "batch_size divides, got 5 samples and a batch_size of 2");
  CHECK(refused([](auto& o) { o.window = 4; }) ==
        "window: windows carry the states themselves; remove .stateful from the layers");
  CHECK(refused([](auto& o) { o.window = -1; }) ==
        "expected a window of at least 1 step, or 0 for whole sequences, got -1");
}

TEST_CASE("Stateful training and training in windows go on from a snapshot to the same bits") {
  for (const bool stateful : {true, false}) {
    for (const Index threads : {1, 2}) {
      CAPTURE(stateful, threads);
      auto given = options(stateful ? 0 : 6);
      given.batch_size = stateful ? 1 : 2;
      given.threads = threads;
      auto whole = network(stateful);
      std::vector<TrainingSnapshot<double>> snapshots;
      auto recorded = given;
      recorded.callbacks = {{.on_batch_end = [&](TrainingState<double>& state) {
        snapshots.push_back(*state.snapshot());
      }}};
      whole.fit(x, y, recorded);
      for (const auto& snapshot : snapshots) {
        auto model = network(stateful);
        auto resumed = given;
        resumed.resume_from = snapshot;
        model.fit(x, y, resumed);
        REQUIRE(weights(model) == weights(whole));
      }
    }
  }
}

TEST_CASE("From the second batch on windows of a length allocate nothing") {
  auto model = network();
  const auto even_x = cut(x, 0, 20), even_y = cut(y, 0, 20);
  std::size_t count = 1;
  auto given = options(5);
  given.batch_size = 1;
  std::optional<Allocations> allocations;
  given.callbacks = {{.on_batch_end = [&](auto& state) {
    if (state.epoch == 2 && state.step == 1) allocations.emplace();
    if (state.epoch == 2 && state.step == N) count = allocations->count();
  }}};
  model.fit(even_x, even_y, given);
  CHECK(count == 0);
}

TEST_CASE(
    "predict carries the states of a stateful network from batch to batch on any number of "
    "threads") {
  const auto model = network(true), plain = network();
  const auto first = cut(x, 0, 10), second = cut(x, 10, 10);
  const Tensor<double> one(first.samples(0, 1)), two(second.samples(0, 1));
  Tensor<double> both(Shape{2, 10, D}), whole(Shape{1, 20, D});
  std::copy_n(one.data(), one.size(), both.data());
  std::copy_n(two.data(), two.size(), both.data() + one.size());
  std::copy_n(both.data(), both.size(), whole.data());
  const auto expected = plain.predict(whole);
  for (const Index threads : {1, 2}) {
    const auto given = model.predict(both, {.batch_size = 1, .threads = threads});
    CHECK(std::equal(given.data(), given.data() + given.size(), expected.data()));
  }
}

}  // namespace heed::windows_test
