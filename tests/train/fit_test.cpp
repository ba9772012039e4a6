#include <algorithm>
#include <chrono>
#include <heed/train/fit.hpp>
#include <limits>
#include <sstream>

#include "dense_network.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::fit_test {

using testing::dense_network;

namespace {

using enum ActivationFunction;

const Tensor<double, 2> x = testing::sines(11);
const Tensor<double, 2> y = testing::signs(x);
const Tensor<double, 2> classes = testing::largest(x);

/// The largest relative difference of a column from what Keras recorded.
double difference(const std::vector<double>& values, const std::vector<double>& keras) {
  if (values.size() != keras.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t i = 0; i < keras.size(); ++i) {
    const double scale = std::max(1.0, std::abs(keras[i]));
    worst = std::max(worst, std::abs(values[i] - keras[i]) / scale);
  }
  return worst;
}

double weight_sum(const Model<double>& model) { return model.weights().array().abs().sum(); }

FitOptions<double> quiet(FitOptions<double> options) {
  options.verbose = Verbose::silent;
  return options;
}

}  // namespace

// Keras 3.15.1 on TensorFlow in float64: model.compile(loss, optimizer, metrics) and
// model.fit(x, y, shuffle=False, epochs, batch_size=4, validation_split=0.2) of the networks and data
// of dense_network.hpp. 8 samples train in two batches of 4, the last 3 validate; without a split
// the last batch has 3 samples. The tolerance is for ε, which Keras rounds to float32.

TEST_CASE("training a sigmoid with binary cross-entropy goes as in Keras") {
  auto model = dense_network(1, sigmoid);
  const auto history =
      model.fit(x, y,
                {.loss = BinaryCrossentropy{},
                 .optimizer = Adam{.learning_rate = 0.125, .beta_1 = 0.875, .beta_2 = 0.96875},
                 .metrics = {BinaryAccuracy{}, MeanAbsoluteError{}},
                 .epochs = 3,
                 .batch_size = 4,
                 .validation_split = 0.2,
                 .shuffle = false,
                 .verbose = Verbose::silent});
  CHECK(difference(history["loss"],
                   {0.6916606372226181, 0.39191907345023386, 0.18574869838268893}) < 1e-13);
  CHECK(difference(history["binary_accuracy"], {0.75, 0.875, 1}) == 0);
  CHECK(difference(history["mean_absolute_error"],
                   {0.4651375085136951, 0.3134955555376555, 0.16449517124025823}) < 1e-13);
  CHECK(difference(history["val_loss"],
                   {0.2573478476244447, 0.1380400167974608, 0.06168943158352259}) < 1e-13);
  CHECK(difference(history["val_binary_accuracy"], {1, 1, 1}) == 0);
  CHECK(difference(history["val_mean_absolute_error"],
                   {0.22686076190353924, 0.12888597765368687, 0.059820330944541776}) < 1e-13);
  CHECK(testing::near(weight_sum(model), 15.898450758876606, 1e-13));

  const auto logs = model.evaluate(x, y,
                                   {.loss = BinaryCrossentropy{},
                                    .metrics = {BinaryAccuracy{}, MeanAbsoluteError{}},
                                    .batch_size = 4});
  CHECK(testing::near(logs["loss"], 0.07332782686314697, 1e-13));
  CHECK(testing::near(logs["mean_absolute_error"], 0.07042837907016891, 1e-13));
  CHECK(logs["binary_accuracy"] == 1);
}

TEST_CASE("a saturated sigmoid on the wrong side learns, as in Keras, because of the logits") {
  auto model = dense_network(1, sigmoid, 40);
  Tensor<double, 2> wrong(y.shape());
  wrong.array() = 1 - y.array();
  const auto history = model.fit(x, wrong,
                                 {.loss = BinaryCrossentropy{},
                                  .optimizer = SGD{.learning_rate = 0.125},
                                  .metrics = {BinaryAccuracy{}},
                                  .epochs = 2,
                                  .batch_size = 4,
                                  .validation_split = 0.2,
                                  .shuffle = false,
                                  .verbose = Verbose::silent});
  CHECK(difference(history["loss"], {14.433438198708934, 13.861549524871348}) < 1e-13);
  CHECK(difference(history["val_loss"], {62.883797045968215, 62.75093810213753}) < 1e-13);
  CHECK(difference(history["binary_accuracy"], {0.375, 0.375}) == 0);
  CHECK(testing::near(weight_sum(model), 536.5868293852533, 1e-13));
  const auto logs = model.evaluate(x, wrong, {.loss = BinaryCrossentropy{}});
  CHECK(testing::near(logs["loss"], 25.993155243558974, 1e-13));
}

TEST_CASE("training a softmax with categorical cross-entropy goes as in Keras") {
  auto model = dense_network(3, softmax);
  const auto history = model.fit(x, classes,
                                 {.loss = CategoricalCrossentropy{},
                                  .optimizer = SGD{.learning_rate = 0.5},
                                  .metrics = {CategoricalAccuracy{}},
                                  .epochs = 3,
                                  .batch_size = 4,
                                  .validation_split = 0.2,
                                  .shuffle = false,
                                  .verbose = Verbose::silent});
  CHECK(difference(history["loss"], {1.284802629518412, 1.0631670861941152, 0.9027287797825501}) <
        1e-13);
  CHECK(difference(history["val_loss"],
                   {0.8560841562844889, 0.9192009055669109, 0.9930166829096869}) < 1e-13);
  CHECK(difference(history["categorical_accuracy"], {0.25, 0.375, 0.5}) == 0);
  CHECK(difference(history["val_categorical_accuracy"], {1, 1. / 3, 1. / 3}) < 1e-15);
  CHECK(testing::near(weight_sum(model), 19.91132319092271, 1e-13));
}

TEST_CASE("a saturated softmax on wrong classes learns as in Keras, with a smaller last batch") {
  auto model = dense_network(3, softmax, 40);
  Tensor<double, 2> wrong(classes.shape());
  wrong.matrix() = classes.matrix().rowwise().reverse();
  const auto history = model.fit(x, wrong,
                                 {.loss = CategoricalCrossentropy{},
                                  .optimizer = SGD{.learning_rate = 0.125},
                                  .epochs = 2,
                                  .batch_size = 4,
                                  .shuffle = false,
                                  .verbose = Verbose::silent});
  CHECK(difference(history["loss"], {37.37910369429456, 36.36539829764819}) < 1e-13);
  CHECK(testing::near(weight_sum(model), 788.2870456970668, 1e-13));
}

TEST_CASE("squared error with targets (N) and clipped gradients goes as in Keras") {
  auto model = dense_network(1, linear);
  Tensor<double, 1> sums(Shape{11});
  for (Index n = 0; n < 11; ++n) sums(n) = x.slice(n).sum();
  const auto history = model.fit(x, sums,
                                 {.loss = MeanSquaredError{},
                                  .optimizer = SGD{.learning_rate = 0.125, .global_clipnorm = 0.25},
                                  .metrics = {MeanAbsoluteError{}},
                                  .epochs = 2,
                                  .batch_size = 4,
                                  .shuffle = false,
                                  .verbose = Verbose::silent});
  CHECK(difference(history["loss"], {3.268677531897154, 2.9937680948656835}) < 1e-13);
  CHECK(difference(history["mean_absolute_error"], {1.5516357322310548, 1.482456463576129}) <
        1e-13);
  CHECK(testing::near(weight_sum(model), 13.489790805848994, 1e-13));
}

TEST_CASE("a loss said to take logits behind a sigmoid trains as in Keras") {
  auto model = dense_network(1, sigmoid);
  const auto history = model.fit(x, y,
                                 {.loss = BinaryCrossentropy{.from_logits = true},
                                  .optimizer = SGD{.learning_rate = 0.5},
                                  .metrics = {BinaryAccuracy{}},
                                  .epochs = 2,
                                  .batch_size = 4,
                                  .shuffle = false,
                                  .verbose = Verbose::silent});
  CHECK(difference(history["loss"], {0.5802657333531777, 0.34280995948398574}) < 1e-13);
  CHECK(difference(history["binary_accuracy"], {9. / 11, 10. / 11}) < 1e-15);
}

TEST_CASE("the epoch's loss is the mean over samples of what batches gave while weights moved") {
  auto model = dense_network(1, sigmoid);
  auto copy = model;
  const auto history = model.fit(x, y,
                                 quiet({.loss = BinaryCrossentropy{},
                                        .optimizer = SGD{.learning_rate = 1},
                                        .batch_size = 8,
                                        .shuffle = false}));
  Trainer<double> trainer(copy,
                          {.loss = BinaryCrossentropy{}, .optimizer = SGD{.learning_rate = 1}});
  const double first = trainer.step(x.samples(0, 8), y.samples(0, 8));
  const double last = trainer.step(x.samples(8, 3), y.samples(8, 3));
  CHECK(testing::near(history["loss"][0], (8 * first + 3 * last) / 11, 1e-15));
  CHECK(model.weights() == copy.weights());
}

TEST_CASE("a validation split takes the last n - floor(n (1 - split)) samples") {
  // With weights of 0 a sample has the loss of its target's square, so that one sample with a target
  // of 1 among zeros tells which loss it belongs to.
  Model<double> model;
  model.input({1});
  model.add(Dense{.units = 1});
  model.build();
  model.weights().set_zero();
  const auto first_validated = [&](Index samples, double split) {
    const Tensor<double, 2> zeros(Shape{samples, 1});
    Index first = samples;
    for (Index n = samples; n-- > 0;) {
      Tensor<double, 2> targets(Shape{samples, 1});
      targets(n, 0) = 1;
      const auto history = model.fit(zeros, targets,
                                     quiet({.loss = MeanSquaredError{},
                                            .optimizer = SGD{.learning_rate = 0},
                                            .validation_split = split}));
      const bool validated = history.contains("val_loss") && history["val_loss"][0] > 0;
      CHECK(validated != (history["loss"][0] > 0));
      if (validated) CHECK(first-- == n + 1);
    }
    return first;
  };
  CHECK(first_validated(10, 0) == 10);
  CHECK(first_validated(10, 0.1) == 9);
  CHECK(first_validated(11, 0.1) == 9);
  CHECK(first_validated(11, 0.5) == 5);
  CHECK(first_validated(3, 0.2) == 2);
}

TEST_CASE("validation data that are given take the place of a split") {
  auto model = dense_network(1, sigmoid);
  const auto history = model.fit(x, y,
                                 quiet({.loss = BinaryCrossentropy{},
                                        .optimizer = SGD{},
                                        .metrics = {BinaryAccuracy{}},
                                        .epochs = 2,
                                        .validation_split = 0.5,
                                        .validation_data = {x, y}}));
  const auto logs =
      model.evaluate(x, y, {.loss = BinaryCrossentropy{}, .metrics = {BinaryAccuracy{}}});
  CHECK(history["val_loss"][1] == logs["loss"]);
  CHECK(history["val_binary_accuracy"][1] == logs["binary_accuracy"]);
  auto whole = dense_network(1, sigmoid);
  whole.fit(x, y, quiet({.loss = BinaryCrossentropy{}, .optimizer = SGD{}, .epochs = 2}));
  CHECK(whole.weights() == model.weights());
}

TEST_CASE("the same seed gives the same bits, another seed another order") {
  const auto trained = [](std::uint64_t seed, bool shuffle) {
    auto model = dense_network(1, sigmoid);
    model.fit(x, y,
              quiet({.loss = BinaryCrossentropy{},
                     .epochs = 2,
                     .batch_size = 2,
                     .shuffle = shuffle,
                     .seed = seed}));
    return Arena<double>(model.weights());
  };
  CHECK(trained(1, true) == trained(1, true));
  CHECK(trained(1, true) != trained(2, true));
  CHECK(trained(1, true) != trained(1, false));
  CHECK(trained(1, false) == trained(2, false));
}

TEST_CASE("a small network learns which side of a plane a point is on") {
  Model<float> model;
  model.input({2});
  model.add(Dense{.units = 8, .activation = ActivationFunction::tanh});
  model.add(Dense{.units = 1, .activation = sigmoid});
  model.build({.seed = 1});
  const auto points = testing::random_tensor<float>({1000, 2}, 5);
  Tensor<float, 1> side(Shape{1000});
  for (Index n = 0; n < 1000; ++n) side(n) = points(n, 0) > 0.5F * points(n, 1) ? 1 : 0;
  const auto history = model.fit(points, side,
                                 {.loss = BinaryCrossentropy{},
                                  .optimizer = Adam{.learning_rate = 0.02},
                                  .metrics = {BinaryAccuracy{}},
                                  .epochs = 10,
                                  .validation_split = 0.2,
                                  .verbose = Verbose::silent});
  CHECK(history.epochs() == 10);
  CHECK(history["val_binary_accuracy"].back() >= 0.97);
  CHECK(history["loss"].back() < history["loss"].front() / 3);
}

TEST_CASE("progress goes to the stream that is given") {
  auto model = dense_network(1, sigmoid);
  std::ostringstream out;
  detail::said_unoptimized.test_and_set();
  model.fit(x, y, {.loss = BinaryCrossentropy{}, .epochs = 2, .output = &out});
  const std::string text = out.str();
  CHECK(text.starts_with("Epoch 1/2 - 1/1 - 0s - "));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("a program that is built without optimisation is told so once, unless it is silent") {
#ifdef __OPTIMIZE__
  constexpr bool is_optimized = true;
#else
  constexpr bool is_optimized = false;
#endif
  auto model = dense_network(1, sigmoid);
  const auto shown = [&](Verbose verbose) {
    std::ostringstream out;
    model.fit(x, y, {.loss = BinaryCrossentropy{}, .verbose = verbose, .output = &out});
    return out.str();
  };
  const std::string said = "This program is built without optimisation, and trains many times";
  detail::said_unoptimized.clear();
  CHECK(shown(Verbose::silent).empty());
  CHECK(shown(Verbose::line).starts_with(said) != is_optimized);
  CHECK(shown(Verbose::line).starts_with("Epoch 1/1"));
  detail::said_unoptimized.test_and_set();
}

TEST_CASE("training stops with a sentence when the loss is not finite, and keeps good weights") {
  auto model = dense_network(1, linear);
  const auto message = testing::message<TrainingError>([&] {
    model.fit(x, y,
              quiet({.loss = MeanSquaredError{},
                     .optimizer = SGD{.learning_rate = 1e60},
                     .epochs = 5,
                     .batch_size = 4,
                     .shuffle = false}));
  });
  CHECK(message ==
        "epoch 2, step 1: the loss is inf with a learning rate of 1e+60; the model keeps the last "
        "weights that gave a finite loss");
  const auto logs = model.evaluate(x, y, {.loss = MeanSquaredError{}});
  CHECK(std::isfinite(logs["loss"]));
}

TEST_CASE("a loss that is not finite at the first step leaves the weights as they were") {
  auto model = dense_network(1, linear);
  const Arena<double> before(model.weights());
  Tensor<double, 2> far = y;
  far.array() += 1e200;
  CHECK(testing::message<TrainingError>([&] {
          model.fit(x, far, quiet({.loss = MeanSquaredError{}}));
        }).ends_with("; the model keeps the weights that it began with"));
  CHECK(model.weights() == before);
}

TEST_CASE("a batch may be as large as a number can be") {
  constexpr Index most = std::numeric_limits<Index>::max();
  auto model = dense_network(1, sigmoid), other = dense_network(1, sigmoid);
  const auto options = quiet({.loss = BinaryCrossentropy{}, .epochs = 2, .shuffle = false});
  auto large = options, whole = options;
  large.batch_size = most;
  whole.batch_size = x.dim(0);
  const auto history = model.fit(x, y, large);
  CHECK(history["loss"].size() == 2);
  CHECK(history == other.fit(x, y, whole));
  CHECK(model.evaluate(x, y, {.loss = BinaryCrossentropy{}, .batch_size = most}) ==
        other.evaluate(x, y, {.loss = BinaryCrossentropy{}, .batch_size = x.dim(0)}));
}

TEST_CASE("weights that the last step of an epoch breaks are found at the epoch's end") {
  auto model = dense_network(1, linear);
  const Arena<double> before(model.weights());
  Tensor<double, 2> far = y;  // for gradients above 1, which times this rate are infinite
  far.array() += 100;
  const auto message = testing::message<TrainingError>([&] {
    model.fit(x, far,
              quiet({.loss = MeanSquaredError{},
                     .optimizer = SGD{.learning_rate = std::numeric_limits<double>::max()},
                     .batch_size = 11}));
  });
  CHECK(message.starts_with("epoch 1, step 1: the weights are not finite with a learning rate"));
  CHECK(model.weights() == before);
}

TEST_CASE("a validation loss that is not finite is found, and good weights are kept") {
  auto model = dense_network(1, linear);
  const Arena<double> before(model.weights());
  const auto options = quiet({.loss = MeanSquaredError{},
                              .optimizer = SGD{.learning_rate = 1e200},
                              .batch_size = 8,
                              .validation_split = 0.2});
  CHECK(
      testing::message<TrainingError>([&] { model.fit(x, y, options); }) ==
      "epoch 1, step 1: the validation loss is inf with a learning rate of 1e+200; the model keeps "
      "the last weights that gave a finite loss");
  CHECK(model.weights() == before);
}

TEST_CASE("options outside their range are refused, and nothing is changed") {
  auto model = dense_network(1, sigmoid);
  const Arena<double> before(model.weights());
  const Loss<double> loss = BinaryCrossentropy{};
  const auto refused = [&](const FitOptions<double>& options) {
    return testing::message<OptionError>([&] { model.fit(x, y, options); });
  };
  CHECK(refused({.loss = loss, .batch_size = 0}) == "expected a batch_size of at least 1, got 0");
  CHECK(refused({.loss = loss, .epochs = 0}) == "expected epochs of at least 1, got 0");
  CHECK(refused({.loss = loss, .validation_split = 1}) ==
        "expected a validation_split in [0, 1), got 1");
  CHECK(refused({.loss = loss, .validation_split = -0.5}) ==
        "expected a validation_split in [0, 1), got -0.5");
  CHECK(refused({.loss = loss, .validation_split = std::numeric_limits<double>::quiet_NaN()}) ==
        "expected a validation_split in [0, 1), got nan");
  CHECK(refused({.loss = loss, .validation_split = 0.99}) ==
        "a validation_split of 0.99 leaves none of 11 samples to train on");
  CHECK(refused({}) == "model \"model\": expected a loss");
  CHECK(testing::message<OptionError>([&] {
          model.fit(x, y, {.loss = loss, .optimizer = Adam{.learning_rate = -1}});
        }) == "expected a learning_rate that is finite and at least 0, got -1");
  CHECK(model.weights() == before);
}

TEST_CASE("data that do not fit are refused by fit and by evaluate, and nothing is changed") {
  auto model = dense_network(1, sigmoid);
  const Arena<double> before(model.weights());
  const Loss<double> loss = BinaryCrossentropy{};
  CHECK_THROWS_AS(model.fit(y, y, {.loss = loss}), ShapeError);
  CHECK_THROWS_AS(model.fit(x, x, {.loss = loss}), ShapeError);
  CHECK_THROWS_AS(model.fit(x, y.samples(0, 5), {.loss = loss}), ShapeError);
  CHECK_THROWS_AS(model.evaluate(x, x, {.loss = loss}), ShapeError);
  CHECK_THROWS_AS(model.evaluate(x, y, {.loss = loss, .batch_size = 0}), OptionError);
  auto bad = x;
  bad(4, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(testing::message<DataError>([&] { model.fit(bad, y, {.loss = loss}); }) ==
        "x has nan at (4, 1)");
  CHECK(testing::message<DataError>([&] {
          model.fit(x, y, {.loss = loss, .validation_data = {bad, y}});
        }) == "validation x has nan at (4, 1)");
  CHECK(testing::message<ShapeError>([&] {
          model.fit(x, y, {.loss = loss, .validation_data = {x, x}});
        }) ==
        "binary_crossentropy: expected validation y of (11, 1), which is what Dense "
        "\"output\" gives, got (11, 3)");
  CHECK(model.weights() == before);
}

}  // namespace heed::fit_test
