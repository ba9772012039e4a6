#include <heed/layers/dense.hpp>
#include <heed/layers/flatten.hpp>

#include "support/layer_testing.hpp"

namespace heed::flatten_test {

using namespace heed::testing;

TEST_CASE("Flatten gives each sample one axis, in row-major order, without a copy") {
  Model<double> model;
  model.input({3, 2, 2});
  model.add(Flatten{});
  model.build();
  const auto x = random_tensor({2, 3, 2, 2}, 1);
  const auto y = model.predict(x);
  CHECK(y.shape() == Shape{2, 12});
  CHECK(distance<double>(y, x.view().reshaped({2, 12})) == 0);

  Tape<double> tape;
  CHECK(model.forward(x, tape).data() == x.data());
}

TEST_CASE("Flatten of axes of any length has any length") {
  Model<double> model;
  model.input({3, any});
  model.add(Flatten{});
  CHECK(message<ShapeError>([&] { model.add("dense", Dense{.units = 2}); }).find("known length") !=
        std::string::npos);
  CHECK(model.output_shape() == Shape{any});
  model.build();
  CHECK(model.predict(random_tensor({2, 3, 5}, 1)).shape() == Shape{2, 15});
}

TEST_CASE("Gradients flow through Flatten") {
  for (const Shape& shape : {Shape{1}, Shape{5}, Shape{1, 1}, Shape{3, 2}, Shape{2, 3, 2}}) {
    for (const Index N : {1, 3}) {
      Model<double> model;
      model.input(shape);
      model.add(Dense{.units = 3, .activation = ActivationFunction::tanh});
      model.add(Flatten{});
      model.add(Dense{.units = 2});
      model.build({.seed = 1});
      const auto check = gradient_check(model, random_tensor(shape.batch(N), 1),
                                        random_tensor({N, 2}, 2), MeanSquaredError{});
      CAPTURE(shape, to_text(check));
      CHECK(check.worst < gradient_tolerance);
    }
  }
}

TEST_CASE("Flatten survives the way through its configuration") {
  check_config(Flatten{}, {});
  CHECK(Flatten{}.output_shape(Shape{4, 3}) == Shape{12});
}

TEST_CASE("Flatten of two inputs is refused in a sentence") {
  Model<double> model;
  const Node x = model.input({3});
  CHECK(message<ShapeError>([&] {
          model.add("flat", Flatten{}, {x, x});
        }) == "Flatten \"flat\": expected one input, got 2");
}

}  // namespace heed::flatten_test
