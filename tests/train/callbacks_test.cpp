#include <heed/train/early_stopping.hpp>
#include <heed/train/fit.hpp>

#include "dense_network.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::callbacks_test {

namespace {

const Tensor<double, 2> x = testing::sines(10);
const Tensor<double, 2> y = testing::signs(x);

/// What a training of 10 samples in batches of 4 with these callbacks gives.
History train(const std::vector<Callback<double>>& callbacks, Index epochs = 2,
              Model<double> model = testing::dense_network(1, ActivationFunction::sigmoid)) {
  return model.fit(x, y,
                   {.loss = BinaryCrossentropy{},
                    .optimizer = SGD{.learning_rate = 0.5},
                    .epochs = epochs,
                    .batch_size = 4,
                    .validation_split = 0.2,
                    .callbacks = callbacks,
                    .verbose = Verbose::silent});
}

/// Writes down when it is called.
Callback<double> recorder(std::string& record) {
  const auto write = [&record](const char* event) {
    return [&record, event](TrainingState<double>& state) {
      record += join(event, state.epoch, ".", state.step, " ");
    };
  };
  return {write("train "), write("epoch "), write("batch "), write("end "), write("done ")};
}

}  // namespace

TEST_CASE("callbacks are called in turn, with epochs and steps from 1") {
  std::string record;
  train({recorder(record)});
  CHECK(record ==
        "train 0.0 epoch 1.0 batch 1.1 batch 1.2 end 1.2 epoch 2.0 batch 2.1 batch 2.2 end 2.2 "
        "done 2.2 ");
}

TEST_CASE("several callbacks run in the order in which they were given") {
  std::string order;
  const auto named = [&](const char* name) {
    return Callback<double>{.on_epoch_end = [&order, name](auto&) { order += name; }};
  };
  train({named("a"), named("b")}, 1);
  CHECK(order == "ab");
}

TEST_CASE("the state says what was asked for and how it goes") {
  std::vector<std::string> names;
  train({{.on_batch_end =
              [&](TrainingState<double>& state) {
                CHECK(state.epochs == 2);
                CHECK(state.steps == 2);
                CHECK(state.logs.contains("loss"));
                CHECK_FALSE(state.logs.contains("val_loss"));
                CHECK(state.learning_rate == 0.5);
              },
          .on_epoch_end =
              [](TrainingState<double>& state) { CHECK(state.logs.contains("val_loss")); }}});
}

TEST_CASE("a callback ends training after the epoch in which it asks to") {
  Index batches = 0;
  const auto history = train({{.on_batch_end =
                                   [&](TrainingState<double>& state) {
                                     ++batches;
                                     state.stop = state.epoch == 2;
                                   }}},
                             5);
  CHECK(history.epochs() == 2);
  CHECK(batches == 4);
}

TEST_CASE("what callbacks add to the logs comes into the history") {
  const auto history = train({{.on_epoch_end = [](TrainingState<double>& state) {
    state.logs.set("learning_rate", state.learning_rate);
  }}});
  CHECK(history["learning_rate"] == std::vector<double>{0.5, 0.5});
}

TEST_CASE("a schedule sets the learning rate of each epoch, and training uses it") {
  std::vector<double> rates;
  auto model = testing::dense_network(1, ActivationFunction::sigmoid);
  const Arena<double> before(model.weights());
  Arena<double> after_first;
  model.fit(x, y,
            {.loss = BinaryCrossentropy{},
             .optimizer = SGD{.learning_rate = 0.5},
             .epochs = 3,
             .callbacks = {LearningRateSchedule{
                               [](Index epoch, double rate) { return epoch == 1 ? rate : 0; }},
                           {.on_epoch_end =
                                [&](TrainingState<double>& state) {
                                  rates.push_back(state.learning_rate);
                                  if (state.epoch == 1) after_first.assign(state.model.weights());
                                }}},
             .verbose = Verbose::silent});
  CHECK(rates == std::vector<double>{0.5, 0, 0});
  CHECK(after_first != before);
  CHECK(model.weights() == after_first);
}

TEST_CASE("a learning rate that a callback breaks is refused") {
  CHECK(testing::message<OptionError>([] {
          train(
              {{.on_epoch_begin = [](TrainingState<double>& state) { state.learning_rate = -1; }}});
        }) == "expected a learning_rate that is finite and at least 0, got -1");
}

TEST_CASE("early stopping ends a training and gives the best weights back") {
  auto model = testing::dense_network(1, ActivationFunction::sigmoid);
  Tensor<double, 2> noise(y.shape());
  for (Index n = 0; n < 10; ++n) noise(n, 0) = n < 8 ? y(n, 0) : 1 - y(n, 0);
  std::vector<Arena<double>> weights;
  const auto history =
      model.fit(x, noise,
                {.loss = BinaryCrossentropy{},
                 .optimizer = SGD{.learning_rate = 0.5},
                 .epochs = 50,
                 .batch_size = 4,
                 .validation_split = 0.2,
                 .callbacks = {EarlyStopping{.patience = 3, .restore_best_weights = true},
                               {.on_epoch_end =
                                    [&](TrainingState<double>& state) {
                                      weights.emplace_back(state.model.weights());
                                    }}},
                 .verbose = Verbose::silent});
  const auto& losses = history["val_loss"];
  const auto best = std::min_element(losses.begin(), losses.end()) - losses.begin();
  CHECK(history.epochs() == static_cast<std::size_t>(best) + 4);
  CHECK(history.epochs() < 50);
  CHECK(model.weights() == weights[static_cast<std::size_t>(best)]);
}

TEST_CASE("a schedule needs a function") {
  CHECK(testing::message<OptionError>([] {
          const Callback<float> callback = LearningRateSchedule{};
        }) == "LearningRateSchedule: expected a function");
}

}  // namespace heed::callbacks_test
