#include <heed/layers/activation.hpp>
#include <heed/layers/concatenate.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/dropout.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/train/fit.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

// Models of several inputs and outputs. Whether they train as Keras trains them is tested in tests/golden.

namespace heed::fit_outputs_test {

using namespace heed::testing;

namespace {

enum class Outputs { both, price, sold };

/// From `left` (4) and `right` (3) to `price`, a number, and `sold`, a probability.
Model<double> network(Outputs outputs = Outputs::both, double dropout = 0) {
  Model<double> model("two");
  const Node left = model.input("left", {4}), right = model.input("right", {3});
  const Node both = model.add("both", Concatenate{}, {left, right});
  const Node hidden = model.add("hidden", Dense{.units = 5, .activation = Activation::tanh}, both);
  const Node kept = model.add("dropout", Dropout{.rate = dropout}, hidden);
  const Node price = model.add("price", Dense{.units = 1}, kept);
  const Node sold = model.add("sold", Dense{.units = 1, .activation = Activation::sigmoid}, kept);
  if (outputs == Outputs::both) model.set_outputs({price, sold});
  if (outputs == Outputs::price) model.set_output(price);
  if (outputs == Outputs::sold) model.set_output(sold);
  model.build({.seed = 1});
  return model;
}

const auto left = random_tensor({11, 4}, 1), right = random_tensor({11, 3}, 2);
const auto price = random_tensor({11, 1}, 3);
const Tensor<double> sold = [] {
  Tensor<double> y(Shape{11, 1});
  for (Index n = 0; n < 11; ++n) y(n, 0) = left(n, 0) > 0 ? 1 : 0;
  return y;
}();
const Tensor<double, 1> weight{1., 0., 2., 0.5, 1., 1., 3., 1., 0.25, 1., 2.};
const Tensor<double, 1> other{0., 1., 1., 4., 1., 0.5, 1., 1., 1., 2., 1.};

/// Everything that fit takes by output, by order or by name.
FitOptions<double> by_order() {
  return {.loss = {"mse", "bce"},
          .loss_weights = {0.5, 2.},
          .metrics = {{"price", {"mae"}}, {"sold", {"accuracy"}}},
          .weighted_metrics = {{"price", {"mae", "mse"}}},
          .epochs = 3,
          .batch_size = 4,
          .validation_split = 0.3,
          .sample_weight = {weight, other},
          .verbose = Verbose::silent};
}

FitOptions<double> by_name() {
  auto options = by_order();
  options.loss = {{"sold", "bce"}, {"price", "mse"}};
  options.loss_weights = {{"sold", 2}, {"price", 0.5}};
  options.metrics = {{"sold", {"accuracy"}}, {"price", {"mae"}}};
  options.sample_weight = {{"sold", other}, {"price", weight}};
  return options;
}

std::string refused(const Columns<double>& x, const Columns<double>& y,
                    const FitOptions<double>& options) {
  auto model = network();
  const Arena<double> before(model.weights());
  const auto text = message<Error>([&] { model.fit(x, y, options); });
  CHECK(model.weights() == before);
  CHECK(model.trained() == Trained{});
  return text;
}

std::string refused(const FitOptions<double>& options) {
  return refused({left, right}, {price, sold}, options);
}

}  // namespace

TEST_CASE("Lists by names, in any order, train as lists by order do") {
  auto first = network(), second = network();
  const auto history = first.fit({left, right}, {price, sold}, by_order());
  CHECK(second.fit({{"right", right}, {"left", left}}, {{"sold", sold}, {"price", price}},
                   by_name()) == history);
  CHECK(first.weights() == second.weights());
  CHECK(first.weights() != network().weights());
  const EvaluateOptions<double> how{.loss = {"mse", "bce"}, .loss_weights = {0.5, 2.}};
  const EvaluateOptions<double> named{.loss = {{"sold", "bce"}, {"price", "mse"}},
                                      .loss_weights = {{"sold", 2}, {"price", 0.5}}};
  CHECK(first.evaluate({left, right}, {price, sold}, how) ==
        first.evaluate({{"right", right}, {"left", left}}, {{"sold", sold}, {"price", price}},
                       named));
  CHECK(first.predict_all({left, right}) == first.predict_all({{"right", right}, {"left", left}}));
  CHECK(first.activations("hidden", {left, right}) ==
        first.activations("hidden", {{"right", right}, {"left", left}}));
}

TEST_CASE("Each output has a loss and metrics of its own in the logs") {
  auto model = network();
  std::vector<std::string> names;
  const auto history = model.fit({left, right}, {price, sold}, by_order());
  for (const auto& [name, values] : history) names.push_back(name);
  CHECK(names == std::vector<std::string>{"loss", "price_loss", "sold_loss", "price_mae",
                                          "price_weighted_mae", "price_mse", "sold_accuracy",
                                          "val_loss", "val_price_loss", "val_sold_loss",
                                          "val_price_mae", "val_price_weighted_mae",
                                          "val_price_mse", "val_sold_accuracy"});
  for (std::size_t epoch = 0; epoch < history.epochs(); ++epoch) {
    CHECK(near(history["loss"][epoch],
               0.5 * history["price_loss"][epoch] + 2 * history["sold_loss"][epoch], 1e-14));
  }
}

TEST_CASE("The gradient of several losses is the weighted sum of those of models of one output") {
  const auto gradients = [&](Outputs outputs, const TrainerOptions<double>& options) {
    auto model = network(outputs);
    Trainer<double> trainer(model, options);
    const View<const double> x[] = {left, right}, y[] = {price, sold}, w[] = {weight, other};
    const std::size_t first = outputs == Outputs::sold ? 1 : 0;
    const std::size_t count = outputs == Outputs::both ? 2 : 1;
    trainer.step({.inputs = {.x = x},
                  .y = std::span(y).subspan(first, count),
                  .sample_weight = std::span(w).subspan(first, count)});
    return Tensor<double>(trainer.gradients());
  };
  const auto of_price = gradients(Outputs::price, {.loss = "mse"});
  const auto of_sold = gradients(Outputs::sold, {.loss = "bce"});
  for (const Index threads : {1, 3}) {
    CAPTURE(threads);
    const auto both = gradients(
        Outputs::both, {.loss = {"mse", "bce"}, .loss_weights = {0.5, 2.}, .threads = threads});
    Tensor<double> sum(both.shape());
    sum.array() = 0.5 * of_price.array() + 2 * of_sold.array();
    CHECK(distance(both, sum) < 1e-15);
  }
}

TEST_CASE(
    "Threads train several outputs with weights to the weights of one thread but for rounding") {
  const auto train = [&](Index threads) {
    auto model = network(Outputs::both, 0.3);
    auto options = by_order();
    options.threads = threads;
    const auto history = model.fit({left, right}, {price, sold}, options);
    return std::pair(Tensor<double>(model.weights()), history);
  };
  const auto alone = train(1), shared = train(3);
  CHECK(distance(alone.first, shared.first) < 1e-12);
  CHECK(train(3) == shared);
  const auto model = network();
  const auto logs = [&](Index threads) {
    return model.evaluate({left, right}, {price, sold},
                          {.loss = {"mse", "bce"},
                           .metrics = {{"price", {"mae"}}},
                           .weighted_metrics = {{"sold", {"accuracy"}}},
                           .sample_weight = {weight, other},
                           .batch_size = 4,
                           .threads = threads});
  };
  CHECK(logs(1) == logs(3));
}

TEST_CASE("From the second batch on fit of several inputs, outputs and weights allocates nothing") {
  auto options = by_order();
  options.batch_size = 2;
  for (const Index threads : {1, 2}) {
    CAPTURE(threads);
    std::optional<Allocations> since_first;
    std::vector<std::size_t> counts;
    counts.reserve(12);
    options.threads = threads;
    options.callbacks = {{.on_batch_end = [&](TrainingState<double>& state) {
      if (state.step == 1) since_first.emplace(Allocations::Of::all_threads);
      counts.push_back(since_first->count());
    }}};
    auto model = network(Outputs::both, 0.3);
    model.fit({left, right}, {price, sold}, options);
    CHECK(counts == std::vector<std::size_t>(12, 0));
  }
}

TEST_CASE("Frozen layers keep their weights, and a model of nothing else is not trained") {
  auto model = network();
  model.set_trainable("hidden", false);
  const Tensor<double> kernel(model.weight("hidden/kernel")), bias(model.weight("hidden/bias"));
  const Tensor<double> trained(model.weight("price/kernel"));
  model.fit({left, right}, {price, sold}, by_order());
  CHECK(model.weight("hidden/kernel") == kernel);
  CHECK(model.weight("hidden/bias") == bias);
  CHECK(model.weight("price/kernel") != trained);
  for (const auto* layer : {"price", "sold"}) model.set_trainable(layer, false);
  const auto text = [&] {
    return message<OptionError>([&] { model.fit({left, right}, {price, sold}, by_order()); });
  };
  CHECK(text() ==
        "model \"two\": nothing is left to train, all layers with weights are frozen; "
        "set_trainable(layer, true) thaws one");
  CHECK(message<OptionError>([&] { Trainer<double>(model, {.loss = {"mse", "bce"}}); }) == text());
  model.set_trainable("sold", true);
  CHECK(text() == "(nothing thrown)");
}

TEST_CASE("Losses, weights and metrics that are not those of the outputs are refused") {
  const std::string outputs = "the outputs \"price\", \"sold\"";
  auto options = by_order();
  options.loss = "mse";
  CHECK(refused(options) == "expected a loss for each of " + outputs + ", got 1");
  options.loss = {"mse", "bce", "mse"};
  CHECK(refused(options) == "expected a loss for each of " + outputs + ", got 3");
  options.loss = {{"price", "mse"}, {"sld", "bce"}};
  CHECK(refused(options) == "there is no \"sld\" among " + outputs);
  options.loss = {{"price", "mse"}, {"price", "bce"}};
  CHECK(refused(options) == "expected a loss for \"price\", got two");
  options.loss = {};
  CHECK(refused(options) == "model \"two\": expected a loss");
  options.loss = {"mse", Loss<double>()};
  CHECK(refused(options) == "model \"two\": expected a loss");

  options = by_order();
  options.loss_weights = 2.;
  CHECK(refused(options) == "expected a loss weight for each of " + outputs + ", got 1");
  for (const double wrong :
       {-0.5, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    options.loss_weights = {{"price", 1}, {"sold", wrong}};
    CHECK(refused(options) ==
          join("expected a loss weight of at least 0 for \"sold\", got ", wrong));
  }

  options = by_order();
  options.metrics = {"mae"};
  CHECK(refused(options) ==
        "expected metrics by the names of the outputs, such as {{\"price\", {\"mae\"}}}: the "
        "model has " +
            outputs);
  options.metrics = {{"prce", {"mae"}}};
  CHECK(refused(options) == "metrics: there is no \"prce\" among " + outputs);
  options.metrics = {};
  options.weighted_metrics = {{"prce", {"mae"}}};
  CHECK(refused(options) == "metrics: there is no \"prce\" among " + outputs);

  auto one = network(Outputs::price);
  CHECK(message<OptionError>([&] {
          one.fit({left, right}, price, {.loss = {"mse", "mae"}, .verbose = Verbose::silent});
        }) == "expected a loss for each of the outputs \"price\", got 2");
}

TEST_CASE("Data and weights that are not those of inputs and outputs are refused") {
  const std::string outputs = "the outputs \"price\", \"sold\"";
  const auto options = by_order();
  CHECK(refused(left, {price, sold}, options) ==
        "model \"two\": expected data for each of the inputs \"left\", \"right\", got 1");
  CHECK(refused({{"left", left}, {"rihgt", right}}, {price, sold}, options) ==
        "model \"two\": there is no \"rihgt\" among the inputs \"left\", \"right\"");
  CHECK(refused({left, left}, {price, sold}, options) ==
        "model \"two\": expected right of (samples) and (3), got (11, 4)");
  CHECK(refused({left, random_tensor({10, 3}, 1)}, {price, sold}, options) ==
        "model \"two\": expected inputs of as many samples, got (11, 4) and (10, 3)");
  CHECK(refused({left, right}, price, options) ==
        "expected targets for each of " + outputs + ", got 1");
  CHECK(refused({left, right}, {{"price", price}, {"sld", sold}}, options) ==
        "there is no \"sld\" among " + outputs);
  CHECK(refused({left, right}, {price, random_tensor({10, 1}, 1)}, options) ==
        "model \"two\": expected as many samples in x as in y, got x of (11, 4) and y of (10, 1)");
  CHECK(refused({left, right}, {price, random_tensor({11, 2}, 1)}, options) ==
        "binary_crossentropy: expected y of \"sold\" of (11, 1), which is what Dense \"sold\" "
        "gives, got (11, 2)");
  auto broken = right;
  broken(2, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(refused({left, broken}, {price, sold}, options) == "x of \"right\" has nan at (2, 1)");

  const auto weights = [&](const Columns<double>& given) {
    auto changed = options;
    changed.sample_weight = given;
    return refused(changed);
  };
  CHECK(weights(weight) == "expected a sample_weight for each of " + outputs + ", got 1");
  CHECK(weights({weight, random_tensor({10}, 1)}) ==
        "expected sample_weight of \"sold\" of (11) for y of (11, 1), got (10)");
  CHECK(weights({weight, random_tensor({11, 3}, 1)}) ==
        "expected sample_weight of \"sold\" of (11) for y of (11, 1), got (11, 3)");
  const Tensor<double> zeros(Shape{11});
  CHECK(weights({zeros, other}) ==
        "sample_weight of \"price\": expected a weight above 0, all are 0");
  Tensor<double> negative(Shape{11});
  negative(4) = -2;
  CHECK(weights({weight, negative}) ==
        "expected a sample_weight of \"sold\" of at least 0, got -2");
  const std::vector<std::uint8_t> counts(11, 1);
  CHECK(weights({weight, {other, Mask(counts.data(), {11, 1})}}) ==
        "expected sample_weight of \"sold\" without a mask; give x or y one");

  auto changed = options;
  changed.validation_data = {{left, right}, {price, left}};
  CHECK(refused(changed) ==
        "binary_crossentropy: expected validation y of \"sold\" of (11, 1), which is what Dense "
        "\"sold\" gives, got (11, 4)");
  changed = options;
  changed.sample_weight = {};
  changed.class_weight = {1, 2};
  CHECK(refused(changed) ==
        "class_weight: expected a model with one output, use sample_weight for several; got 2");
  auto one = network(Outputs::sold);
  CHECK(message<OptionError>([&] {
          one.fit({left, right}, sold,
                  {.loss = "bce", .sample_weight = weight, .class_weight = {1, 2}});
        }) == "expected a sample_weight or a class_weight, got both");
}

TEST_CASE("Weights of classes train as the same weights of samples") {
  Tensor<double, 1> by_sample(Shape{11});
  for (Index n = 0; n < 11; ++n) by_sample(n) = sold(n, 0) == 1 ? 3 : 0.5;
  FitOptions<double> options{.loss = "bce",
                             .weighted_metrics = {"mae"},
                             .epochs = 2,
                             .batch_size = 4,
                             .validation_data = {{left, right}, sold},
                             .sample_weight = by_sample,
                             .verbose = Verbose::silent};
  auto first = network(Outputs::sold), second = network(Outputs::sold);
  const auto history = first.fit({left, right}, sold, options);
  options.sample_weight = {};
  options.class_weight = {0.5, 3};
  CHECK(second.fit({left, right}, sold, options) == history);
  CHECK(first.weights() == second.weights());
}

TEST_CASE("Weights of validation data weigh its losses, and those of training do not") {
  auto model = network();
  auto options = by_order();
  options.epochs = 1;
  options.validation_split = 0;
  options.validation_data = {{left, right}, {price, sold}, {other, weight}};
  const auto history = model.fit({left, right}, {price, sold}, options);
  const auto logs = model.evaluate({left, right}, {price, sold},
                                   {.loss = options.loss,
                                    .loss_weights = options.loss_weights,
                                    .weighted_metrics = options.weighted_metrics,
                                    .sample_weight = {other, weight},
                                    .batch_size = 4});
  CHECK(history["val_loss"][0] == logs["loss"]);
  CHECK(history["val_sold_loss"][0] == logs["sold_loss"]);
  CHECK(history["val_price_mse"][0] == logs["price_mse"]);
}

TEST_CASE("A model that is not built, or was moved from, is not trained and not evaluated") {
  Model<double> unbuilt("new");
  const Node x = unbuilt.input("x", {2});
  unbuilt.set_outputs(
      {unbuilt.add("a", Dense{.units = 1}, x), unbuilt.add("b", Dense{.units = 1}, x)});
  const auto data = random_tensor({4, 2}, 1), y = random_tensor({4, 1}, 2);
  CHECK(message<ModelError>([&] {
          unbuilt.fit(data, {y, y}, {.loss = {"mse", "mse"}});
        }) == "model \"new\" is used before build()");
  CHECK(message<ModelError>([&] {
          unbuilt.evaluate(data, {y, y}, {.loss = {"mse", "mse"}});
        }) == "model \"new\" is used before build()");
  CHECK(message<ModelError>([&] { unbuilt.predict_all(data); }) ==
        "model \"new\" is used before build()");
  auto model = network();
  const auto taken = std::move(model);
  CHECK(message<ModelError>([&] {
          model.fit({left, right}, {price, sold}, by_order());
        }).find("it has no layers, so it may have been moved from") != std::string::npos);
  CHECK(taken.predict_all({left, right}).size() == 2);
}

TEST_CASE("A trainer has the outputs of its last step, and refuses to give others") {
  auto model = network();
  Trainer<double> trainer(model, {.loss = {"mse", "bce"}});
  CHECK(message<ModelError>([&] { trainer.output(); }) ==
        "model \"two\": expected an output below 0, got 0; there is none before the first step");
  CHECK(message<ModelError>([&] { trainer.mask(1); }) ==
        "model \"two\": expected an output below 0, got 1; there is none before the first step");
  const auto predictions = model.predict_all({left, right});
  const View<const double> x[] = {left, right}, y[] = {price, sold};
  trainer.step({.inputs = {.x = x}, .y = y});
  CHECK(trainer.output(0) == predictions[0]);
  CHECK(distance(trainer.output(1), predictions[1]) < 1e-16);
  CHECK(trainer.objective_output(1) != trainer.output(1));  // logits
  CHECK(!trainer.mask(1));
  CHECK(message<ModelError>([&] { trainer.output(2); }) ==
        "model \"two\": expected an output below 2, got 2");
  const Mask masks[] = {{}};
  const View<const double> weights[] = {weight};
  CHECK(message<ShapeError>([&] { trainer.step({.inputs = {.x = x}, .y = y, .masks = masks}); }) ==
        "model \"two\": expected a mask for each of 2 outputs, got 1");
  CHECK(message<ShapeError>([&] {
          trainer.step({.inputs = {.x = x}, .y = y, .sample_weight = weights});
        }) == "model \"two\": expected a sample_weight for each of 2 outputs, got 1");
  CHECK(message<ShapeError>([&] {
          trainer.step({.inputs = {.x = x}, .y = {y, 1}});
        }) == "model \"two\": expected targets for 2 outputs, got 1");
  CHECK(message<ShapeError>([&] { trainer.step(left, price); }) ==
        "model \"two\": expected 2 inputs, got 1");
}

}  // namespace heed::fit_outputs_test
