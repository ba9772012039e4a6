#include <heed/train/loss.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::loss_test {

namespace {

/// A loss of a user's own, for one scalar type: the mean of p, whatever the target.
struct MeanOutput {
  static constexpr std::string_view name = "mean_output";
  double evaluate(View<const double>, View<const double> p, View<double> dp) const {
    if (dp) dp.array().setConstant(1.0 / static_cast<double>(p.size()));
    return p.array().mean();
  }
};

const Tensor<double, 2> y{{0}, {1}, {1}};
const Tensor<double, 2> p{{0.25}, {0.5}, {0.75}};

}  // namespace

TEST_CASE("a loss is made from the struct that says it, and gives what it gives") {
  const Loss<double> loss = MeanSquaredError{};
  Tensor<double, 2> gradient(p.shape());
  CHECK(loss.name() == "mean_squared_error");
  CHECK(loss(y, p, gradient) == MeanSquaredError{}.evaluate(y.view(), p.view(), View<double>{}));
  CHECK(gradient == Tensor<double, 2>{{0.25 / 1.5}, {-0.5 / 1.5}, {-0.25 / 1.5}});
  CHECK(bool(loss));
  CHECK_FALSE(bool(Loss<double>{}));
}

TEST_CASE("a user's own loss needs a name and a function") {
  const Loss<double> loss = MeanOutput{};
  CHECK(loss.name() == "mean_output");
  CHECK(loss(y, p) == 0.5);
  CHECK(loss.canonical_activation() == ActivationFunction::linear);
}

TEST_CASE("targets may leave out a last axis of 1, or have one too many") {
  const Loss<double> loss = BinaryCrossentropy{};
  const Tensor<double, 1> flat{0, 1, 1};
  const Tensor<double, 3> deep{{{0}}, {{1}}, {{1}}};
  CHECK(loss(flat, p) == loss(y, p));
  CHECK(loss(deep, p) == loss(y, p));
}

TEST_CASE("targets of another shape are refused with both shapes") {
  const Loss<double> loss = CategoricalCrossentropy{};
  const auto refused = [&](const Tensor<double>& targets, const Tensor<double>& predictions) {
    return testing::message<ShapeError>([&] { loss(targets, predictions); });
  };
  const std::string start = "categorical_crossentropy: expected targets of the predictions' shape ";
  CHECK(refused(Tensor<double>(Shape{3}), Tensor<double>(Shape{3, 2})) ==
        start + "(3, 2), got (3)");
  CHECK(refused(Tensor<double>(Shape{2, 1}), Tensor<double>(Shape{3, 1})) ==
        start + "(3, 1), got (2, 1)");
  CHECK(refused(Tensor<double>(Shape{3, 2}), Tensor<double>(Shape{3, 2, 2})) ==
        start + "(3, 2, 2), got (3, 2)");
  CHECK(refused(Tensor<double>(), Tensor<double>(Shape{3, 1})) == start + "(3, 1), got ()");
}

TEST_CASE("cross-entropies know the activation that they can be computed in front of") {
  const Loss<double> binary = BinaryCrossentropy{.label_smoothing = 0.25};
  const Loss<double> categorical = CategoricalCrossentropy{.from_logits = true};
  CHECK(binary.canonical_activation() == ActivationFunction::sigmoid);
  CHECK(categorical.canonical_activation() == ActivationFunction::softmax);
  CHECK(Loss<double>(MeanSquaredError{}).canonical_activation() == ActivationFunction::linear);

  Tensor<double, 2> logits(p.shape());
  logits.array() = (p.array() / (1 - p.array())).log();
  CHECK(testing::near(binary.from_logits()(y, logits), binary(y, p), 1e-14));
  CHECK(categorical.from_logits()(y, p) == categorical(y, p));
}

TEST_CASE("label smoothing outside [0, 1] is refused") {
  const auto refused = [](double smoothing) {
    return testing::message<OptionError>(
        [&] { Loss<float>(BinaryCrossentropy{.label_smoothing = smoothing}); });
  };
  CHECK(refused(1.5) == "binary_crossentropy: expected label_smoothing in [0, 1], got 1.5");
  CHECK(refused(-0.1) == "binary_crossentropy: expected label_smoothing in [0, 1], got -0.1");
  CHECK_THROWS_AS(Loss<float>(CategoricalCrossentropy{.label_smoothing = 2}), OptionError);
}

TEST_CASE("a loss is made from a name that Keras has for it") {
  const auto named = [](const char* name) { return Loss<double>(name).name(); };
  CHECK(named("mse") == "mean_squared_error");
  CHECK(named("MeanAbsoluteError") == "mean_absolute_error");
  CHECK(named("bce") == "binary_crossentropy");
  const Loss<double> loss = std::string("categorical_crossentropy");
  CHECK(loss.canonical_activation() == ActivationFunction::softmax);
  CHECK(Loss<double>("mse")(y, p) == Loss<double>(MeanSquaredError{})(y, p));
  const std::string known =
      " among \"binary_crossentropy\", \"categorical_crossentropy\", "
      "\"sparse_categorical_crossentropy\", \"mean_squared_error\", \"mean_absolute_error\"";
  CHECK(testing::message<OptionError>([&] { named("mes"); }) == "there is no loss \"mes\"" + known);
  CHECK(named("SparseCategoricalCrossentropy") == "sparse_categorical_crossentropy");
}

TEST_CASE("a loss lists its fields once") {
  const Config config{{"from_logits", true}, {"label_smoothing", 0.25}};
  CHECK(Loss<double>(BinaryCrossentropy{.from_logits = true, .label_smoothing = 0.25}).config() ==
        config);
  CHECK(Loss<double>(CategoricalCrossentropy{}).config().size() == 2);
  CHECK(Loss<double>(MeanSquaredError{}).config().empty());
}

}  // namespace heed::loss_test
