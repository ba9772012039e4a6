#include <heed/layers/dense.hpp>
#include <heed/layers/reshape.hpp>

#include "support/layer_testing.hpp"

namespace heed::dense_test {

using namespace heed::testing;

TEST_CASE("Dense is x W + b over the last axis") {
  Model<double> model;
  model.input({2});
  model.add("dense", Dense{.units = 3});
  model.build();
  model.weight("dense/kernel").array() << 1, 2, 3, 4, 5, 6;
  model.weight("dense/bias").array() << 0.5, -1, 10;
  CHECK(model.predict(Tensor<double, 2>{{1, 0}, {0, 1}, {2, -1}}) ==
        Tensor<double>(Tensor<double, 2>{{1.5, 1, 13}, {4.5, 4, 16}, {-1.5, -2, 10}}));
}

TEST_CASE("Dense does the same to every row of an input of any rank") {
  const auto x = random_tensor({2, 3, 4, 5}, 1);
  Model<double> high, flat;
  high.input({3, 4, 5});
  flat.input({5});
  for (auto* model : {&high, &flat}) {
    model->add(Dense{.units = 7, .activation = ActivationFunction::softmax});
    model->build({.seed = 1});
  }
  const auto y = high.predict(x);
  CHECK(y.shape() == Shape{2, 3, 4, 7});
  CHECK(distance<double>(y.view().reshaped({24, 7}), flat.predict(x.view().reshaped({24, 5}))) <
        1e-15);
}

TEST_CASE("Dense's gradients agree with differences for every activation and shape") {
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(name);
    check_layer(Dense{.units = 3, .activation = function}, {{4}});
    check_layer(Dense{.units = 3, .activation = function, .use_bias = false}, {{4}}, {2});
  }
  check_layer(Dense{.units = 1}, {{1}});
  check_layer(Dense{.units = 5}, {{1}});
  check_layer(Dense{.units = 1, .activation = ActivationFunction::sigmoid}, {{7}}, {1, 5});
  check_layer(Dense{.units = 3, .activation = ActivationFunction::tanh}, {{1, 2}});
  check_layer(Dense{.units = 5, .activation = ActivationFunction::softmax}, {{2, 3, 4}});
}

TEST_CASE("Dense computes each step by itself, when there are steps") {
  check_step_wise(Dense{.units = 3, .activation = ActivationFunction::softmax}, {{5, 4}});
  check_step_wise(Dense{.units = 1}, {{3, 9}});
  check_step_wise(Dense{.units = 17, .use_bias = false}, {{8, 2, 5}});
  CHECK_FALSE(Dense::is_step_wise({4}));
  CHECK_FALSE(AnyLayer<double>(Dense{.units = 1}).can_stream());
}

TEST_CASE("Dense names its weights and starts them as Keras does") {
  const auto weights = Dense{.units = 3}.weights({10, 2});
  REQUIRE(weights.size() == 2);
  CHECK(weights[0].name == "kernel");
  CHECK(weights[0].shape == Shape{2, 3});
  CHECK(weights[0].initializer == Initializer::glorot_uniform);
  CHECK(weights[1].name == "bias");
  CHECK(weights[1].shape == Shape{3});
  CHECK(weights[1].initializer == Initializer::zeros);
  CHECK(Dense{.units = 3, .use_bias = false}.weights({2}).size() == 1);

  const Dense other{.units = 3,
                    .kernel_initializer = Initializer::he_normal,
                    .bias_initializer = Initializer::ones};
  CHECK(other.weights({2})[0].initializer == Initializer::he_normal);
  CHECK(other.weights({2})[1].initializer == Initializer::ones);
}

TEST_CASE("Dense survives the way through its configuration") {
  check_config(Dense{.units = 3}, {{"units", Index{3}},
                                   {"activation", "linear"},
                                   {"use_bias", true},
                                   {"kernel_initializer", "glorot_uniform"},
                                   {"bias_initializer", "zeros"}});
  check_config(Dense{.units = 4,
                     .activation = ActivationFunction::selu,
                     .use_bias = false,
                     .kernel_initializer = Initializer::lecun_normal,
                     .bias_initializer = Initializer::ones},
               {{"units", Index{4}},
                {"activation", "selu"},
                {"use_bias", false},
                {"kernel_initializer", "lecun_normal"},
                {"bias_initializer", "ones"}});
}

TEST_CASE("Dense without units is refused in a sentence") {
  CHECK(refusal<OptionError>(Dense{.units = 0}, {2}) ==
        "Dense \"layer\": expected units of at least 1, got 0");
  CHECK(refusal<OptionError>(Dense{.units = -3}, {2}) ==
        "Dense \"layer\": expected units of at least 1, got -3");
}

TEST_CASE("Dense behind a layer without axes is refused in a sentence") {
  Model<double> model;
  model.input({1});
  model.add(Reshape{.target_shape = std::vector<Index>()});
  CHECK(message<ShapeError>([&] { model.add("out", Dense{.units = 2}); }) ==
        "Dense \"out\": expected an input with a last axis, got ()");
}

}  // namespace heed::dense_test
