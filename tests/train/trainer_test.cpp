#include <heed/layers/dropout.hpp>
#include <heed/train/fit.hpp>
#include <heed/train/trainer.hpp>
#include <limits>

#include "dense_network.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::trainer_test {

using testing::dense_network;

namespace {

using enum ActivationFunction;

const Tensor<double, 2> x = testing::sines(8);
const Tensor<double, 2> y = testing::signs(x);

/// The loss of p itself, until it is told to be infinite.
struct Breaking {
  const bool* broken;
  static constexpr std::string_view name = "breaking";
  double evaluate(View<const double>, View<const double> p, View<double> dp) const {
    if (dp) dp.array().setConstant(1);
    return *broken ? std::numeric_limits<double>::infinity() : p.array().sum();
  }
};

}  // namespace

TEST_CASE("a step moves the weights against the gradient of the loss it returns") {
  auto model = dense_network(1, sigmoid);
  const Arena<double> before(model.weights());
  Trainer<double> trainer(model, {.loss = BinaryCrossentropy{}, .optimizer = SGD{}});
  const double loss = trainer.step(x, y);
  Arena<double> expected = before;
  expected.array() -= 0.01 * trainer.gradients().array();
  CHECK(testing::distance(model.weights(), expected) < 1e-16);
  CHECK(trainer.gradients().array().abs().minCoeff() > 0);

  const auto untouched = dense_network(1, sigmoid);
  const Loss<double> cross_entropy = BinaryCrossentropy{};
  CHECK(testing::near(loss, cross_entropy(y, untouched.predict(x)), 1e-14));
  CHECK(cross_entropy(y, model.predict(x)) < loss);
}

TEST_CASE("a step allocates nothing from the second batch of a size on") {
  auto model = dense_network(3, softmax);
  const auto classes = testing::largest(x);
  Trainer<double> trainer(
      model, {.loss = CategoricalCrossentropy{}, .optimizer = Adam{.global_clipnorm = 0.5}});
  trainer.step(x, classes);
  const testing::Allocations allocations;
  trainer.step(x, classes);
  trainer.step(x.samples(0, 3), classes.samples(0, 3));
  trainer.step(x, classes);
  const std::size_t count = allocations.count();
  CHECK(count == 0);
}

TEST_CASE("gradients that a trainer shows are the clipped ones") {
  auto model = dense_network(1, linear);
  Trainer<double> trainer(model,
                          {.loss = MeanSquaredError{}, .optimizer = SGD{.global_clipnorm = 0.25}});
  trainer.step(x, y);
  CHECK(testing::near(trainer.gradients().array().matrix().norm(), 0.25, 1e-14));
}

TEST_CASE("the learning rate in force is part of the state") {
  auto model = dense_network(1, sigmoid);
  Trainer<double> trainer(model, {.loss = BinaryCrossentropy{}, .optimizer = SGD{}});
  const Arena<double> before(model.weights());
  trainer.state().learning_rate = 0;
  trainer.step(x, y);
  CHECK(model.weights() == before);
  trainer.state().learning_rate = 1;
  trainer.step(x, y);
  CHECK(testing::distance(model.weights(), before) > 0.01);
  CHECK(trainer.state().steps == 2);
}

TEST_CASE("whoever may only look at a trainer sees how many steps it has made") {
  auto model = dense_network(1, sigmoid);
  Trainer<double> trainer(model, {.loss = BinaryCrossentropy{}, .optimizer = SGD{}});
  const Trainer<double>& seen = trainer;
  CHECK(seen.state().steps == 0);
  trainer.step(x, y);
  CHECK(seen.state().steps == 1);
}

TEST_CASE("a loss that is not finite takes the weights back to where it last was") {
  auto model = dense_network(1, linear);
  bool broken = true;
  Trainer<double> trainer(model, {.loss = Breaking{&broken}, .optimizer = SGD{}});
  const Arena<double> start(model.weights());
  CHECK_FALSE(std::isfinite(trainer.step(x, y)));
  CHECK(model.weights() == start);

  broken = false;
  trainer.step(x, y);
  const Arena<double> good(model.weights());
  trainer.step(x, y);
  CHECK(model.weights() != good);
  broken = true;
  CHECK_FALSE(std::isfinite(trainer.step(x, y)));
  CHECK(model.weights() == good);
  CHECK(trainer.state().steps == 2);
}

TEST_CASE("a first step that diverges from where another trainer was leaves the weights") {
  auto model = dense_network(1, linear);
  bool broken = false;
  const TrainerOptions<double> options{.loss = Breaking{&broken}, .optimizer = Adam{}};
  Trainer<double> first(model, options);
  first.step(x, y);
  const Arena<double> good(model.weights());
  Trainer<double> second(model, options);
  second.state() = first.state();
  broken = true;
  CHECK_FALSE(std::isfinite(second.step(x, y)));
  CHECK(model.weights() == good);
}

TEST_CASE("what a clipped gradient cannot hold back is found as without clipping") {
  Tensor<double, 2> infinite = y;
  infinite.array() *= std::numeric_limits<double>::max();
  infinite.array() += 1e300;
  for (const SGD& optimizer :
       {SGD{.learning_rate = 1e200, .clipnorm = 1}, SGD{.learning_rate = 1e200, .clipvalue = 1},
        SGD{.learning_rate = 1e200, .global_clipnorm = 1}}) {
    auto model = dense_network(1, linear);
    const Arena<double> start(model.weights());
    Trainer<double> trainer(model, {.loss = MeanSquaredError{}, .optimizer = optimizer});
    CHECK(std::isfinite(trainer.step(x, y)));
    CHECK(model.weights() != start);
    CHECK_FALSE(std::isfinite(trainer.step(x, y)));
    CHECK(model.weights() == start);
    CHECK_FALSE(std::isfinite(trainer.step(x, infinite)));
    CHECK(model.weights() == start);
  }
}

TEST_CASE("weights that are not finite are taken back, with or without another step") {
  auto model = dense_network(1, linear);
  const Arena<double> start(model.weights());
  Tensor<double, 2> far = y;  // for gradients above 1, which times this rate are infinite
  far.array() += 100;
  Trainer<double> trainer(model,
                          {.loss = MeanSquaredError{},
                           .optimizer = SGD{.learning_rate = std::numeric_limits<double>::max()}});
  CHECK(std::isfinite(trainer.step(x, far)));
  CHECK_FALSE(model.weights().array().allFinite());
  CHECK_FALSE(std::isfinite(trainer.step(x, far)));
  CHECK(model.weights() == start);
  CHECK_FALSE(trainer.repair_weights());

  CHECK(std::isfinite(trainer.step(x, far)));
  CHECK(trainer.repair_weights());
  CHECK(model.weights() == start);
}

TEST_CASE("layers are told that they train, and draw anew in each step") {
  Model<double> model;
  model.input({50});
  model.add(Dropout{.rate = 0.5});
  model.add(Dense{.units = 1});
  model.build();
  const Tensor<double, 2> ones([] {
    Tensor<double, 2> values(Shape{1, 50});
    values.array().setConstant(1);
    return values;
  }());
  const Tensor<double, 2> target{{1}};
  const auto losses = [&](std::uint64_t seed) {
    Model<double> copy = model;
    Trainer<double> trainer(
        copy, {.loss = MeanSquaredError{}, .optimizer = SGD{.learning_rate = 0}, .seed = seed});
    std::vector<double> values;
    for (int step = 0; step < 4; ++step) values.push_back(trainer.step(ones, target));
    return values;
  };
  const auto first = losses(1);
  CHECK(first[0] != first[1]);
  CHECK(first[1] != first[2]);
  CHECK(losses(1) == first);
  CHECK(losses(2) != first);
}

TEST_CASE("a trainer needs a built model, a loss, and data that fit") {
  Model<double> raw;
  raw.input({3});
  raw.add(Dense{.units = 1});
  CHECK(testing::message<ModelError>([&] { Trainer<double>(raw, {.loss = MeanSquaredError{}}); }) ==
        "model \"model\" is trained before build()");
  Model<double> empty;
  CHECK_THROWS_AS(Trainer<double>(empty, {.loss = MeanSquaredError{}}), ModelError);
  auto model = dense_network(1, linear);
  CHECK(testing::message<OptionError>([&] { Trainer<double>(model, {}); }) ==
        "training needs a loss");
  const Arena<double> before(model.weights());
  Trainer<double> trainer(model, {.loss = MeanSquaredError{}});
  CHECK_THROWS_AS(trainer.step(y, y), ShapeError);
  CHECK_THROWS_AS(trainer.step(x, x), ShapeError);
  CHECK_THROWS_AS(trainer.step(x, y.samples(0, 4)), ShapeError);
  CHECK_THROWS_AS(trainer.step(x.samples(0, 0), y.samples(0, 0)), DataError);
  CHECK(model.weights() == before);
}

TEST_CASE("targets that a loss is not defined for are refused, and change nothing") {
  auto model = dense_network(1, ActivationFunction::sigmoid);
  const Arena<double> before(model.weights());
  Trainer<double> trainer(model, {.loss = BinaryCrossentropy{}, .optimizer = SGD{}});
  const auto waves = testing::sines(4);
  CHECK(testing::message<DataError>([&] {
          trainer.step(waves, Tensor<double, 1>{0, 1, 2, 0});
        }) == "binary_crossentropy: expected targets in [0, 1], y has 2 at (2)");
  CHECK(model.weights() == before);
  CHECK(trainer.state().steps == 0);
  trainer.step(waves, Tensor<double, 1>{0, 1, 0.5, 0});
}

TEST_CASE("a loss that cannot be meant for the network is refused before the first step") {
  auto model = dense_network(1, ActivationFunction::linear);
  const auto waves = testing::sines(4);
  const auto signs = testing::signs(waves);
  const auto text = testing::message<OptionError>(
      [&] { Trainer<double>(model, {.loss = BinaryCrossentropy{}}); });
  CHECK(text.find("BinaryCrossentropy{.from_logits = true}") != std::string::npos);
  CHECK(testing::message<OptionError>(
            [&] { model.fit(waves, signs, {.loss = BinaryCrossentropy{}}); }) == text);
  CHECK(testing::message<OptionError>(
            [&] { model.evaluate(waves, signs, {.loss = BinaryCrossentropy{}}); }) == text);
  CHECK_THROWS_AS(
      model.fit(waves, signs, {.loss = MeanSquaredError{}, .metrics = {CategoricalAccuracy{}}}),
      OptionError);
}

}  // namespace heed::trainer_test
