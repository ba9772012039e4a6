#include <heed/layers/input.hpp>

#include "support/layer_testing.hpp"

namespace heed::input_test {

using namespace heed::testing;

namespace {

template <class E>
std::string refusal_of(std::vector<Index> shape) {
  Model<double> model;
  return message<E>([&] { model.add("x", AnyLayer<double>(Input{.shape = shape}), {}); });
}

}  // namespace

TEST_CASE("An input has the shape it was given") {
  Model<double> model;
  model.input("data", {10, 2});
  CHECK(model.graph()[0].name == "data");
  CHECK(model.graph()[0].shape() == Shape{10, 2});
  CHECK(model.graph()[0].layer.type() == "InputLayer");
  CHECK(model.count_params() == 0);
  check_config(Input{.shape = {10, 2}}, {{"shape", std::vector<Index>{10, 2}}});
}

TEST_CASE("An input that cannot be is refused in a sentence") {
  CHECK(refusal_of<OptionError>({}) == "InputLayer \"x\": expected a shape of 1 to 5 axes, got ()");
  CHECK(refusal_of<OptionError>({1, 2, 3, 4, 5, 6}) ==
        "InputLayer \"x\": expected a shape of 1 to 5 axes, got (1, 2, 3, 4, 5, 6)");
  CHECK(refusal_of<OptionError>({3, 0}) == "InputLayer \"x\": expected axes of at least 1, got 0");
  CHECK(refusal_of<OptionError>({-2}) == "InputLayer \"x\": expected axes of at least 1, got -2");
  CHECK(refusal<ShapeError>(Input{.shape = {2}}, {3}) ==
        "InputLayer \"layer\": expected no layer before it, got 1");
}

}  // namespace heed::input_test
