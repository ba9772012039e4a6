#include <heed/layers/activation.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/reshape.hpp>

#include "support/layer_testing.hpp"

namespace heed::activation_test {

using namespace heed::testing;

TEST_CASE("Activation applies its function to every element, or softmax to every row") {
  LayerRun run(Activation{.activation = Activation::tanh}, {{3, 2}}, 2);
  run.forward();
  CHECK(run.y.shape() == Shape{2, 3, 2});
  for (Index i = 0; i < run.y.size(); ++i) {
    CHECK(near(run.y.data()[i], std::tanh(run.x[0].data()[i]), 1e-14));
  }

  LayerRun rows(Activation{.activation = Activation::softmax}, {{3, 4}}, 2);
  rows.forward();
  for (Index n = 0; n < 6; ++n) CHECK(near(rows.y.matrix().row(n).sum(), 1, 1e-15));
}

TEST_CASE("Activation's gradients agree with differences for every function") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    for (const Shape& shape : {Shape{1}, Shape{5}, Shape{3, 2}, Shape{2, 1, 3}}) {
      check_layer(Activation{.activation = function}, {shape});
    }
  }
}

TEST_CASE("Activation computes each step by itself, when there are steps") {
  check_step_wise(Activation{.activation = Activation::tanh}, {{5, 4}});
  check_step_wise(Activation{.activation = Activation::softmax}, {{5, 2, 3}});
  CHECK_FALSE(Activation::is_step_wise({4}));  // a softmax would join the steps
}

TEST_CASE("The names of the functions are also those of Activation, in templates too") {
  // g++ 12 stops here with an internal error when the names come by `using enum`.
  const auto make = [](auto units) {
    return Dense{.units = units, .activation = Activation::relu};
  };
  CHECK(make(Index{3}).activation == ActivationFunction::relu);
  STATIC_REQUIRE(Activation::sigmoid == ActivationFunction::sigmoid);
  STATIC_REQUIRE(Activation::leaky_relu == ActivationFunction::leaky_relu);
}

TEST_CASE("Activation survives the way through its configuration") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    check_config(Activation{.activation = function}, {{"activation", std::string(name)}});
  }
  CHECK(message<OptionError>([] {
          from_config<Activation>({{"activation", "sparsemax"}});
        }) == "\"activation\" cannot be \"sparsemax\"");
}

TEST_CASE("Activation of a sample without axes is refused in a sentence") {
  Model<double> model;
  model.input({1});
  model.add(Reshape{.target_shape = std::vector<Index>()});
  CHECK(message<ShapeError>([&] {
          model.add("relu", Activation{.activation = Activation::relu});
        }) == "Activation \"relu\": expected an input with a last axis, got ()");
}

}  // namespace heed::activation_test
