#include <heed/layers/dense.hpp>
#include <heed/layers/reshape.hpp>

#include "support/layer_testing.hpp"

namespace heed::reshape_test {

using namespace heed::testing;

TEST_CASE("Reshape gives each sample another shape without a copy") {
  Model<double> model;
  model.input({3, 4});
  model.add(Reshape{.target_shape = {2, 1, 6}});
  model.build();
  const auto x = random_tensor({5, 3, 4}, 1);
  Tape<double> tape;
  const auto y = model.forward(x, tape);
  CHECK(y.shape() == Shape{5, 2, 1, 6});
  CHECK(y.data() == x.data());
}

TEST_CASE("One axis of Reshape may be what the others leave") {
  CHECK(Reshape{.target_shape = {-1}}.output_shape(Shape{3, 4}) == Shape{12});
  CHECK(Reshape{.target_shape = {2, -1}}.output_shape(Shape{3, 4}) == Shape{2, 6});
  CHECK(Reshape{.target_shape = {-1, 12, 1}}.output_shape(Shape{3, 4}) == Shape{1, 12, 1});
  CHECK(Reshape{.target_shape = {4, 3}}.output_shape(Shape{3, 4}) == Shape{4, 3});
}

TEST_CASE("Gradients flow through Reshape") {
  for (const Index N : {1, 3}) {
    Model<double> model;
    model.input({4});
    model.add(Dense{.units = 6, .activation = ActivationFunction::tanh});
    model.add(Reshape{.target_shape = {3, -1}});
    model.add(Dense{.units = 2});
    model.add(Reshape{.target_shape = {2, 3, 1}});
    model.build({.seed = 1});
    const auto check = gradient_check(model, random_tensor({N, 4}, 1),
                                      random_tensor({N, 2, 3, 1}, 2), MeanSquaredError{});
    CAPTURE(to_text(check));
    CHECK(check.worst < gradient_tolerance);
  }
}

TEST_CASE("Reshape survives the way through its configuration") {
  check_config(Reshape{.target_shape = {-1, 3}}, {{"target_shape", std::vector<Index>{-1, 3}}});
}

TEST_CASE("Reshape with a -1 takes an input of any length") {
  Model<float> model;
  model.input({any, 4});
  const Node wide = model.add("wide", Reshape{.target_shape = {-1, 2}});
  model.build();
  CHECK(model.graph().shape(wide) == Shape{any, 2});
  const auto y = model.predict(Tensor<float>(Shape{2, 3, 4}));
  CHECK(y.shape() == Shape{2, 6, 2});
  CHECK(
      refusal<ShapeError>(Reshape{.target_shape = {12}}, {any, 4}) ==
      "Reshape \"layer\": expected a target shape with a -1 for an input of any length, got (12)");
}

TEST_CASE("Reshape that does not fit is refused in a sentence") {
  CHECK(
      refusal<ShapeError>(Reshape{.target_shape = {5, 2}}, {3, 4}) ==
      "Reshape \"layer\": expected an input with as many elements as the target shape (5, 2), got "
      "(3, 4)");
  CHECK(
      refusal<ShapeError>(Reshape{.target_shape = {5, -1}}, {3, 4}) ==
      "Reshape \"layer\": expected an input with as many elements as the target shape (5, -1), got "
      "(3, 4)");
  CHECK(
      refusal<ShapeError>(Reshape{.target_shape = {0, -1}}, {3, 4}) ==
      "Reshape \"layer\": expected an input with as many elements as the target shape (0, -1), got "
      "(3, 4)");
  CHECK(refusal<OptionError>(Reshape{.target_shape = {-1, -1}}, {3, 4}) ==
        "Reshape \"layer\": expected a target shape with at most one -1, got (-1, -1)");
  CHECK(refusal<OptionError>(Reshape{.target_shape = {-2, 6}}, {3, 4}) ==
        "Reshape \"layer\": expected a target shape of lengths or -1, got (-2, 6)");
  CHECK(refusal<OptionError>(Reshape{.target_shape = {1, 1, 1, 1, 3, 4}}, {3, 4}) ==
        "Reshape \"layer\": expected at most 5 axes, got 6");
}

}  // namespace heed::reshape_test
