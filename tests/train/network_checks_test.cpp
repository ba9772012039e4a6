#include <heed/layers/flatten.hpp>
#include <heed/layers/repeat_vector.hpp>
#include <heed/train/network_checks.hpp>

#include "dense_network.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::network_checks_test {

using testing::dense_network;
using enum ActivationFunction;

TEST_CASE("a loss that cannot be meant for what a network gives is refused with what to write") {
  const auto refused = [](Index units, ActivationFunction activation, const Loss<double>& loss) {
    const auto model = dense_network(units, activation);
    return testing::message<OptionError>([&] { detail::check_network(model.graph(), loss); });
  };
  const std::string nothing = "(nothing thrown)";
  const BinaryCrossentropy binary, binary_logits{.from_logits = true};
  const CategoricalCrossentropy classes, class_logits{.from_logits = true};

  CHECK(
      refused(1, linear, binary) ==
      "binary_crossentropy: expected probabilities, and Dense \"output\" ends in linear; write "
      ".activation = Activation::sigmoid there, or .loss = BinaryCrossentropy{.from_logits = true} "
      "if logits are meant");
  CHECK(refused(3, linear, classes) ==
        "categorical_crossentropy: expected probabilities, and Dense \"output\" ends in linear; "
        "write .activation = Activation::softmax there, or .loss = "
        "CategoricalCrossentropy{.from_logits = true} if logits are meant");
  for (const auto function : {tanh, relu, elu, selu, softplus, softsign, exponential, leaky_relu,
                              relu6, sparse_plus, squareplus, silu}) {
    CAPTURE(name_of(function));
    CHECK(refused(2, function, binary).find("Activation::sigmoid there") != std::string::npos);
    const bool positive = function == relu || function == softplus || function == exponential ||
                          function == relu6 || function == sparse_plus || function == squareplus;
    CHECK((refused(2, function, classes) == nothing) == positive);
    CHECK(refused(2, function, binary_logits) == nothing);
    CHECK(refused(2, function, class_logits) == nothing);
    CHECK(refused(1, function, MeanSquaredError{}) == nothing);
  }
  for (const Loss<double>& loss : {Loss<double>(binary), Loss<double>(classes)}) {
    for (const auto function :
         {sigmoid, softmax, hard_sigmoid, hard_sigmoid_keras_2, sparse_sigmoid}) {
      CHECK(refused(2, function, loss) == nothing);
    }
  }
  for (const auto function : {linear, sigmoid, softmax}) {
    const auto text = refused(1, function, classes);
    CHECK(text.starts_with(function == softmax
                               ? "Dense \"output\" ends in a softmax over one unit, which is 1 for "
                                 "every input"
                               : "categorical_crossentropy: expected two classes or more along the "
                                 "last axis, and Dense \"output\" gives (1); for one of two"));
    CHECK((refused(1, function, class_logits) != nothing));
  }
  CHECK(
      refused(1, softmax, MeanSquaredError{}) ==
      "Dense \"output\" ends in a softmax over one unit, which is 1 for every input; expected two "
      "units or more, or Activation::sigmoid for one");
  CHECK(refused(2, softmax, binary_logits) ==
        "binary_crossentropy: expected logits, and Dense \"output\" ends in softmax, which gives "
        "probabilities; leave out .from_logits, or the function");
  CHECK(refused(2, sigmoid, class_logits).starts_with("categorical_crossentropy: expected logits"));
  CHECK(refused(2, sigmoid, binary_logits) == nothing);
  CHECK(refused(2, linear, MeanAbsoluteError{}) == nothing);
}

TEST_CASE("what ends a network is seen through layers that only reshape, and else left open") {
  Model<double> model;
  model.input({3, 2});
  model.add("output", Dense{.units = 2});
  model.add(Flatten{});
  const auto refused = [&] {
    return testing::message<OptionError>(
        [&] { detail::check_network<double>(model.graph(), BinaryCrossentropy{}); });
  };
  CHECK(refused().starts_with("binary_crossentropy: expected probabilities, and Dense \"output\""));
  model.add(RepeatVector{.n = 2});
  CHECK(refused() == "(nothing thrown)");
}

TEST_CASE("a metric that is right whatever a network gives is refused") {
  const auto refused = [](Index units, const Metric<double>& metric) {
    const auto model = dense_network(units, sigmoid);
    return testing::message<OptionError>(
        [&] { detail::metrics_by_output<double>(model.graph(), {metric}); });
  };
  CHECK(refused(1, CategoricalAccuracy{}) ==
        "categorical_accuracy: expected two classes or more along the last axis, and Dense "
        "\"output\" gives (1); for one of two classes write BinaryAccuracy{}");
  CHECK(refused(2, CategoricalAccuracy{}) == "(nothing thrown)");
  CHECK(refused(1, BinaryAccuracy{}) == "(nothing thrown)");
}

}  // namespace heed::network_checks_test
