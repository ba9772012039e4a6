#include <heed/model/model.hpp>
#include <heed/train/fit.hpp>

#include <thread>
#include <utility>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

namespace heed::model_test {

using namespace heed::testing;

namespace {

/// (4) to (2), built.
Model<double> small(std::uint64_t seed = 0) {
  Model<double> model("net");
  model.input("x", {4});
  model.add("hidden", Dense{.units = 3, .activation = Activation::tanh});
  model.add("out", Dense{.units = 2});
  model.build({.seed = seed});
  return model;
}

}  // namespace

TEST_CASE("A sequential model is the functional one") {
  Model<double> sequential, functional;
  sequential.input({5, 2});
  sequential.add(LSTM{.units = 3});
  sequential.add("out", Dense{.units = 2});
  const Node x = functional.input({5, 2});
  const Node lstm = functional.add(LSTM{.units = 3}, x);
  functional.add("out", Dense{.units = 2}, lstm);
  sequential.build({.seed = 1});
  functional.build({.seed = 1});
  CHECK(sequential.weights() == functional.weights());
  CHECK(sequential.summary() == functional.summary());
  const auto data = random_tensor({3, 5, 2}, 1);
  CHECK(sequential.predict(data) == functional.predict(data));
}

TEST_CASE("A model knows its shapes and how many weights it has") {
  const auto model = small();
  CHECK(model.name() == "net");
  CHECK(model.is_built());
  CHECK(model.input_shape() == Shape{4});
  CHECK(model.output_shape() == Shape{2});
  CHECK(model.count_params() == 4 * 3 + 3 + 3 * 2 + 2);
  CHECK(model.weights().size() == model.count_params());
  CHECK(index2_network<float>(Form::block).count_params() == 4911);
  CHECK(regression_network<float>(Form::block).count_params() == 25121);
}

TEST_CASE("The same seed gives the same weights, and another gives others") {
  CHECK(small(7).weights() == small(7).weights());
  const auto one = small(7);
  const auto other = small(8);
  CHECK_FALSE(distance<double>(one.weight("hidden/kernel"), other.weight("hidden/kernel")) == 0);
  CHECK_FALSE(distance<double>(one.weight("out/kernel"), other.weight("out/kernel")) == 0);
  CHECK((one.weight("hidden/bias").array() == 0).all());
}

TEST_CASE("The block form and the functional form start from the same weights") {
  for (const std::uint64_t seed : {1u, 42u}) {
    CHECK(index2_network<float>(Form::block, seed).weights() ==
          index2_network<float>(Form::functional, seed).weights());
    CHECK(regression_network<float>(Form::block, seed).weights() ==
          regression_network<float>(Form::functional, seed).weights());
  }
}

TEST_CASE(
    "A model of floats starts from the rounded weights of doubles and gives nearly the same") {
  const auto single = index2_network<float>(Form::block, 3);
  const auto exact = index2_network<double>(Form::block, 3);
  CHECK((single.weights().array() == exact.weights().array().cast<float>()).all());
  const auto x = random_tensor({20, 10, 2}, 1, 10);
  Tensor<float> rounded(x.shape());
  rounded.array() = x.array().cast<float>();
  const auto p = exact.predict(x);
  const auto q = single.predict(rounded);
  CHECK((q.array().cast<double>() - p.array()).abs().maxCoeff() < 2e-6);
}

TEST_CASE("Building again starts anew") {
  auto model = small(1);
  const Arena<double> weights(model.weights());
  model.weights().set_zero();
  model.build({.seed = 1});
  CHECK(model.weights() == weights);
  model.build({.seed = 2});
  CHECK_FALSE(model.weights() == weights);
}

TEST_CASE("Weights are a view of the model's, and a copy when the model goes") {
  auto model = small(1);
  STATIC_REQUIRE(std::is_same_v<decltype(model.weights()), View<double>>);
  STATIC_REQUIRE(std::is_same_v<decltype(std::as_const(model).weights()), View<const double>>);
  STATIC_REQUIRE(std::is_same_v<decltype(small(1).weights()), Arena<double>>);
  CHECK(model.weights().data() == model.weight("hidden/kernel").data());
  CHECK(Model<double>().weights().size() == 0);
  const auto kept = small(1).weights();
  model.weights().set_zero();
  CHECK(model.weights().values()[0] == 0);
  model.set_weights(kept.values());
  CHECK(model.weights() == kept);
  CHECK(small(1).weights() == model.weights());
}

TEST_CASE("Weights made elsewhere build a model") {
  auto model = small(1);
  Model<double> other("other");
  other.input({4});
  other.add("hidden", Dense{.units = 3, .activation = Activation::tanh});
  other.add("out", Dense{.units = 2});
  const View<const double> weights = std::as_const(model).weights();
  other.set_weights(weights.values());
  CHECK(other.is_built());
  const auto x = random_tensor({3, 4}, 1);
  CHECK(other.predict(x) == model.predict(x));
  CHECK(message<ShapeError>([&] { other.set_weights(weights.values().first(22)); }) ==
        "model \"other\" has 23 weights, got 22");
  Model<double> empty;
  CHECK_THROWS_AS(empty.set_weights({}), ModelError);
}

TEST_CASE("A weight is found by name, to be read and to be written") {
  auto model = small();
  CHECK(model.weight("hidden/kernel").shape() == Shape{4, 3});
  model.weight("out/bias").array() << 5, 6;
  model.weight("out/kernel").array().setZero();
  const auto y = model.predict(random_tensor({1, 4}, 1));
  CHECK(y(0, 0) == 5);
  CHECK(y(0, 1) == 6);
  CHECK(std::as_const(model).weight("out/bias")(1) == 6);
  CHECK(message<ModelError>([&] { model.weight("out/gamma"); }) ==
        "model \"net\" has no weight \"out/gamma\" among \"hidden/kernel\", \"hidden/bias\", "
        "\"out/kernel\", \"out/bias\"");
  CHECK(message<ModelError>([&] { std::as_const(model).weight("out"); }) ==
        "model \"net\" has no weight \"out\" among \"hidden/kernel\", \"hidden/bias\", "
        "\"out/kernel\", \"out/bias\"");
}

TEST_CASE("A model that is not built is of no use yet, and says so") {
  Model<double> model("net");
  model.input({4});
  model.add(Dense{.units = 2});
  const auto x = random_tensor({3, 4}, 1);
  CHECK_FALSE(model.is_built());
  CHECK(message<ModelError>([&] { model.predict(x); }) == "model \"net\" is used before build()");
  CHECK(message<ModelError>([&] { model.activations("dense", x); }) ==
        "model \"net\" is used before build()");
  Tape<double> tape;
  CHECK(message<ModelError>([&] { model.forward(x, tape); }) ==
        "model \"net\" is used before build()");
  CHECK(message<ModelError>([&] { model.weight("dense/kernel"); }) ==
        "model \"net\" is asked for weights before build()");
}

TEST_CASE("A model is put together in order, and says so") {
  Model<double> model;
  CHECK(message<ModelError>([&] { model.add(Dense{.units = 2}); }) ==
        "a model begins with input(shape)");
  CHECK(message<ModelError>([&] { model.build(); }) ==
        "build() needs an input and at least one layer");
  model.input({4});
  CHECK(message<ModelError>([&] { model.build(); }) ==
        "build() needs an input and at least one layer");
  CHECK(message<ModelError>([&] { model.add("x", Dense{.units = 2}, {}); }) ==
        "a model begins with input(shape)");
  model.add(Dense{.units = 2});
  model.build();
  CHECK(message<ModelError>([&] { model.add(Dense{.units = 2}); }) ==
        "no layers can be added after build()");
}

TEST_CASE("A layer that does not fit is named with both shapes") {
  Model<double> model;
  model.input({10, 2});
  model.add("flat", Flatten{});
  CHECK(message<ShapeError>([&] { model.add("encoder", LSTM{.units = 3}); }) ==
        "LSTM \"encoder\": expected an input of (steps, features), got (20)");
}

TEST_CASE("x of another shape is refused with both shapes") {
  const auto model = small();
  CHECK(message<ShapeError>([&] {
          model.predict(random_tensor({3, 5}, 1));
        }) == "model \"net\": expected x of (samples) and (4), got (3, 5)");
  CHECK(message<ShapeError>([&] { model.predict(random_tensor({4}, 1)); }) ==
        "model \"net\": expected x of (samples) and (4), got (4)");
  CHECK(message<ShapeError>([&] {
          model.predict(random_tensor({3, 4, 1}, 1));
        }) == "model \"net\": expected x of (samples) and (4), got (3, 4, 1)");
  CHECK(message<ShapeError>([&] {
          model.activations("out", random_tensor({3, 5}, 1));
        }) == "model \"net\": expected x of (samples) and (4), got (3, 5)");
  CHECK(message<ShapeError>([&] { model.predict(Tensor<double>()); }) ==
        "model \"net\": expected x of (samples) and (4), got ()");
}

TEST_CASE("A batch size of less than 1 is refused") {
  const auto model = small();
  const auto x = random_tensor({3, 4}, 1);
  CHECK(message<OptionError>([&] { model.predict(x, {.batch_size = 0}); }) ==
        "expected a batch_size of at least 1, got 0");
  CHECK(message<OptionError>([&] { model.activations("out", x, {.batch_size = -2}); }) ==
        "expected a batch_size of at least 1, got -2");
}

TEST_CASE("Predictions do not depend on the batch size, nor on the number of threads") {
  const auto x = random_tensor({37, 10, 2}, 1, 10);
  for (const Form form : {Form::block, Form::functional}) {
    const auto model = index2_network<double>(form);
    const auto expected = model.predict(x, {.batch_size = 37});
    CHECK(expected.shape() == Shape{37, 1});
    for (const Index size : {1, 2, 3, 8, 36, 38, 1000}) {
      for (const Index threads : {1, 3}) {
        CAPTURE(size, threads);
        CHECK(model.predict(x, {.batch_size = size, .threads = threads}) == expected);
      }
    }
  }
}

TEST_CASE("Predictions of no samples are none") {
  const auto x = Tensor<double>(Shape{0, 10, 2});
  for (const Form form : {Form::block, Form::functional}) {
    CHECK(index2_network<double>(form).predict(x).shape() == Shape{0, 1});
  }
  CHECK(regression_network<double>(Form::functional)
            .predict(Tensor<double>(Shape{0, 10, 1}))
            .shape() == Shape{0, 1});
  const auto model = index2_network<double>(Form::block);
  CHECK(model.activations("attention/weights", x).shape() == Shape{0, 10, 32});
}

TEST_CASE("Four threads predict with one const model and get the bits of one thread") {
  const auto model = index2_network<float>(Form::block);
  const auto x = random_tensor<float>({50, 10, 2}, 1, 10);
  const auto expected = model.predict(x);
  const auto weights = model.activations("attention/weights", x);
  std::vector<Tensor<float>> predictions(4), shown(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        predictions[i] = model.predict(x);
        shown[i] = model.activations("attention/weights", x);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(predictions[i] == expected);
    CHECK(shown[i] == weights);
  }
}

TEST_CASE("What each node gives can be looked at by name") {
  const auto model = index2_network<double>(Form::functional);
  const auto x = random_tensor({40, 10, 2}, 1, 10);
  CHECK(model.activations("input_layer", x) == x);
  CHECK(model.activations("lstm", x).shape() == Shape{40, 10, 32});
  CHECK(model.activations("permute", x).shape() == Shape{40, 32, 10});
  CHECK(model.activations("output", x) == model.predict(x));
  const auto a = model.activations("attention_vec", x);
  CHECK(a.shape() == Shape{40, 10, 32});
  for (Index n = 0; n < 40; ++n) {
    CHECK((a.slice(n).colwise().sum().array() - 1).abs().maxCoeff() < 1e-14);
  }
  const auto one_by_one = model.activations("attention_vec", x, {.batch_size = 1});
  CHECK(distance(one_by_one, a) < 1e-14);
}

TEST_CASE("What a block publishes can be looked at by name") {
  const auto model = regression_network<double>(Form::block);
  const auto x = random_tensor({40, 10, 1}, 1);
  const auto weights = model.activations("attention/weights", x);
  CHECK(weights.shape() == Shape{40, 10});
  CHECK((weights.matrix().rowwise().sum().array() - 1).abs().maxCoeff() < 1e-14);
  CHECK(model.activations("attention/context", x).shape() == Shape{40, 64});
  CHECK(model.activations("attention", x).shape() == Shape{40, 32});
}

TEST_CASE("A name that a model does not have is refused with those that it has") {
  const auto model = regression_network<double>(Form::block);
  const auto x = random_tensor({2, 10, 1}, 1);
  const auto refused = [&](std::string_view name) {
    return message<ModelError>([&] { model.activations(name, x); });
  };
  const std::string among = " among \"input_layer\", \"lstm\", \"attention\", ";
  CHECK(refused("attention_vec")
            .starts_with("model \"model\" has no layer \"attention_vec\"" + among));
  CHECK(refused("none/weights").starts_with("model \"model\" has no layer \"none\"" + among));
  CHECK(refused("").starts_with("model \"model\" has no layer \"\"" + among));
  CHECK(refused("attention/scores") ==
        "LuongAttention \"attention\" publishes no \"scores\" among \"weights\", \"context\"");
  CHECK(refused("lstm/kernel") == "LSTM \"lstm\" publishes no \"kernel\" among none");
}

TEST_CASE("The output can be another node than the last") {
  Model<double> model;
  model.input({4});
  const Node inner = model.add("inner", Dense{.units = 3});
  model.add("outer", Dense{.units = 2});
  model.set_output(inner);
  model.build({.seed = 1});
  CHECK(model.output_shape() == Shape{3});
  const auto x = random_tensor({5, 4}, 1);
  CHECK(model.predict(x) == model.activations("inner", x));
  CHECK(model.activations("outer", x).shape() == Shape{5, 2});
  CHECK(message<ModelError>([&] { model.set_output(Node{3}); }) ==
        "model \"model\": expected an output from this model");
  Model<double> further;
  further.set_output(further.input({4}));
  further.add(Dense{.units = 2});
  further.build();
  CHECK(further.output_shape() == Shape{4});
}

TEST_CASE("A node may be an output twice, but not in training") {
  Model<double> model("twice");
  const Node x = model.input({2});
  const Node a = model.add("a", Dense{.units = 1}, x), b = model.add("b", Dense{.units = 1}, a);
  model.set_outputs({a, b, a});
  model.build({.seed = 1});
  const auto given = testing::random_tensor({3, 2}, 1), y = testing::random_tensor({3, 1}, 2);
  const auto outputs = model.predict_all(given);
  CHECK(outputs[0] == outputs[2]);
  CHECK(outputs[0] != outputs[1]);
  CHECK(testing::message<ModelError>([&] {
          model.fit(given, {y, y, y}, {.loss = {"mse", "mse", "mse"}});
        }) == "training needs different outputs, got Dense \"a\" more than once");
  CHECK(testing::message<ModelError>([&] { model.set_outputs({}); }) ==
        "model \"twice\": expected at least one output");
  model.set_outputs({b, a});
  model.build({.seed = 1});
  CHECK(model.predict_all(testing::random_tensor({3, 2}, 1)).size() == 2);
}

TEST_CASE("A model without an input has no shapes") {
  const Model<double> model;
  CHECK(message<ModelError>([&] { model.input_shape(); }) == "model \"model\" has no input");
  CHECK(message<ModelError>([&] { model.output_shape(); }) == "model \"model\" has no input");
}

TEST_CASE("A batch may be as large as a number can be") {
  const auto model = small(1);
  const auto x = random_tensor({5, 4}, 1);
  constexpr Index most = std::numeric_limits<Index>::max();
  CHECK(model.predict(x, {.batch_size = most, .threads = 2}) == model.predict(x));
}

TEST_CASE("A copy of a model has its own weights") {
  auto model = small(1);
  const auto x = random_tensor({3, 4}, 1);
  const auto before = model.predict(x);
  Model<double> copy = model;
  CHECK(copy.predict(x) == before);
  copy.weights().array() *= 2;
  CHECK(model.predict(x) == before);
  CHECK_FALSE(copy.predict(x) == before);
  model = copy;
  CHECK(model.predict(x) == copy.predict(x));
  model.weights().set_zero();
  CHECK_FALSE(model.predict(x) == copy.predict(x));
}

TEST_CASE("A copy of a model that is not built can be finished in two ways") {
  Model<double> trunk;
  trunk.input({4});
  trunk.add("hidden", Dense{.units = 3});
  Model<double> one = trunk, other = trunk;
  one.add("out", Dense{.units = 1});
  other.add("out", Dense{.units = 5});
  CHECK(one.output_shape() == Shape{1});
  CHECK(other.output_shape() == Shape{5});
  CHECK(trunk.graph().nodes().size() == 2);
}

TEST_CASE("A model outlives the one it was copied or moved from") {
  const auto x = random_tensor({3, 4}, 1);
  auto source = std::make_unique<Model<double>>(small(1));
  const auto expected = source->predict(x);
  const Model<double> copy = *source;
  const double* memory = source->weights().data();
  const Model<double> moved = std::move(*source);
  source.reset();
  CHECK(copy.predict(x) == expected);
  CHECK(moved.predict(x) == expected);
  CHECK(moved.weights().data() == memory);
}

TEST_CASE("A model that was moved from is one without layers, which every entry says") {
  auto source = small(1);
  const auto x = random_tensor({3, 4}, 1);
  const Model<double> moved = std::move(source);
  const std::string end = " before build(); it has no layers, so it may have been moved from";
  CHECK_FALSE(source.is_built());
  CHECK(source.count_params() == 0);
  CHECK(source.weights().size() == 0);
  const auto said = [&](auto use) { return message<ModelError>([&] { use(source); }); };
  CHECK(said([&](auto& m) { m.predict(x); }) == "model \"model\" is used" + end);
  CHECK(said([&](auto& m) { m.weight("out/kernel"); }) ==
        "model \"model\" is asked for weights" + end);
  CHECK(
      said([&](auto& m) { m.activations("out", x); }).ends_with("has no layer \"out\" among none"));
  CHECK(said([](auto& m) { m.input_shape(); }) == "model \"model\" has no input");
  CHECK(
      said([](auto& m) { m.set_output(Node{}); }).ends_with("expected an output from this model"));
  CHECK(said([](auto& m) { m.build(); }).starts_with("build() needs an input"));
  source = moved;
  CHECK(source.predict(x) == moved.predict(x));
  auto& same = source;
  source = std::move(same);
  CHECK(source.predict(x) == moved.predict(x));
  auto other = std::move(source);
  source.input({4});
  source.add(Dense{.units = 2});
  source.build();
  CHECK(source.count_params() == 10);
  CHECK(source.weight("dense/bias").data() == source.weights().data() + 8);
}

TEST_CASE("A forward on a tape gives what predict gives") {
  const auto model = index2_network<double>(Form::functional);
  const auto x = random_tensor({5, 10, 2}, 1);
  Tape<double> tape;
  const View<const double> y = model.forward(x, tape);
  CHECK(distance<double>(y, model.predict(x)) == 0);
}

TEST_CASE("A forward of no samples is refused, and the tape stays as it was") {
  const auto model = index2_network<double>(Form::block);
  Tape<double> tape;
  const Tensor<double> y(model.forward(random_tensor({5, 10, 2}, 1), tape));
  CHECK(message<DataError>([&] {
          model.forward(Tensor<double>(Shape{0, 10, 2}), tape);
        }) == "model \"model\": expected at least one sample, got (0, 10, 2)");
  CHECK(Tensor<double>(tape.entries[model.graph().output()].outputs[0].value) == y);
}

}  // namespace heed::model_test
