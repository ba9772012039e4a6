#include <heed/train/data_checks.hpp>
#include <limits>

#include "dense_network.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::data_checks_test {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

const Model<double> model = testing::dense_network(1, ActivationFunction::sigmoid);

template <class E>
std::string refused(const Tensor<double>& x, const Tensor<double>& y,
                    const Loss<double>& loss = BinaryCrossentropy{}) {
  return testing::message<E>([&] { detail::check_data<double>(model, loss, {x, y}, ""); });
}

Tensor<double> zeros(const Shape& shape) { return Tensor<double>(shape); }

}  // namespace

TEST_CASE("the first number that is not finite is named with its position") {
  const auto message = [](double value, Index offset) {
    Tensor<double> x(Shape{4, 3, 2});
    x.data()[23] = not_a_number;
    x.data()[offset] = value;
    return testing::message<DataError>([&] { detail::check_finite<double>("x", x); });
  };
  CHECK(message(not_a_number, 19) == "x has nan at (3, 0, 1)");
  CHECK(message(infinity, 0) == "x has inf at (0, 0, 0)");
  CHECK(message(-infinity, 11) == "x has -inf at (1, 2, 1)");
  CHECK(message(0, 0) == "x has nan at (3, 2, 1)");
  detail::check_finite<double>("x", zeros({2, 2}));
}

TEST_CASE("data that fit come back with y in the output's shape") {
  const auto x = zeros({4, 3});
  const auto y = zeros({4});
  const auto data = detail::check_data<double>(model, BinaryCrossentropy{}, {x, y}, "");
  CHECK(data.y[0].shape() == Shape{4, 1});
  CHECK(data.y[0].values().data() == y.data());
  CHECK(data.x[0].values().data() == x.data());
}

TEST_CASE("data that do not fit are refused with a sentence") {
  CHECK(refused<ShapeError>(zeros({4, 2}), zeros({4, 1})) ==
        "model \"model\": expected x of (samples) and (3), got (4, 2)");
  CHECK(refused<ShapeError>(zeros({4, 3}), zeros({5, 1})) ==
        "model \"model\": expected as many samples in x as in y, got x of (4, 3) and y of (5, 1)");
  CHECK(refused<ShapeError>(zeros({4, 3}), Tensor<double>()) ==
        "model \"model\": expected as many samples in x as in y, got x of (4, 3) and y of ()");
  CHECK(refused<DataError>(zeros({0, 3}), zeros({0, 1})) == "model \"model\": x has no samples");
  CHECK(refused<ShapeError>(zeros({4, 3}), zeros({4, 2})) ==
        "binary_crossentropy: expected y of (4, 1), which is what Dense \"output\" gives, got "
        "(4, 2)");
  CHECK(refused<OptionError>(zeros({4, 3}), zeros({4, 1}), Loss<double>{}) ==
        "model \"model\": expected a loss");
}

TEST_CASE("class numbers for categorical cross-entropy are told how to become one-hot") {
  const auto classes = testing::dense_network(3, ActivationFunction::softmax);
  const auto refused = [&](const Tensor<double>& y, const Loss<double>& loss) {
    const auto x = zeros({4, 3});
    return testing::message<Error>([&] { detail::check_data<double>(classes, loss, {x, y}, ""); });
  };
  const std::string advice =
      "; SparseCategoricalCrossentropy takes class numbers, and one_hot(y, 3) makes rows of them";
  for (const Shape& shape : {Shape{4}, Shape{4, 1}}) {
    CHECK(refused(zeros(shape), CategoricalCrossentropy{}) ==
          join("categorical_crossentropy: expected y of (4, 3), which is what Dense \"output\" "
               "gives, got ",
               shape, advice));
  }
  CHECK(refused(zeros({4, 2}), CategoricalCrossentropy{}).ends_with("got (4, 2)"));
  CHECK(refused(zeros({4}), MeanSquaredError{}).ends_with("got (4)"));
  auto y = zeros({4, 3});
  for (const double number : {-7.0, 63.0}) {
    y(1, 2) = number;
    CHECK(refused(y, CategoricalCrossentropy{}) ==
          join("categorical_crossentropy: expected targets in [0, 1], y has ", number,
               " at (1, 2); one_hot makes rows of class numbers"));
  }
}

TEST_CASE("class numbers are whole, and of a class that the model has") {
  const auto classes = testing::dense_network(3, ActivationFunction::softmax);
  const auto refused = [&](const Tensor<double>& y) {
    const Loss<double> loss = SparseCategoricalCrossentropy{};
    const auto x = zeros({4, 3});
    return testing::message<Error>([&] { detail::check_data<double>(classes, loss, {x, y}, ""); });
  };
  for (const Shape& shape : {Shape{4}, Shape{4, 1}})
    CHECK(refused(zeros(shape)) == "(nothing thrown)");
  CHECK(refused(zeros({4, 3})) ==
        "sparse_categorical_crossentropy: expected y of (4, 1), a class number for each row that "
        "Dense \"output\" gives, got (4, 3); CategoricalCrossentropy takes rows of shares");
  CHECK(refused(zeros({4, 2})).ends_with("got (4, 2)"));
  auto y = zeros({4});
  for (const double label : {-1.0, 3.0, 0.5}) {
    y(2) = label;
    CHECK(refused(y) == join("sparse_categorical_crossentropy: expected class numbers from 0 to 2, "
                             "y has ",
                             label, " at (2, 0)"));
  }
}

TEST_CASE("numbers that cannot be trained on are refused in x and in y") {
  auto x = zeros({4, 3});
  auto y = zeros({4, 1});
  y(2, 0) = not_a_number;
  CHECK(refused<DataError>(x, y) == "y has nan at (2, 0)");
  x(1, 2) = infinity;
  CHECK(refused<DataError>(x, y) == "x has inf at (1, 2)");
  auto outside = zeros({4, 1});
  outside(3, 0) = 2;
  CHECK(refused<DataError>(zeros({4, 3}), outside) ==
        "binary_crossentropy: expected targets in [0, 1], y has 2 at (3, 0)");
  CHECK(refused<DataError>(zeros({4, 3}), outside, MeanSquaredError{}) == "(nothing thrown)");
}

TEST_CASE("a model that is not built is refused") {
  Model<double> raw;
  raw.input({3});
  raw.add(Dense{.units = 1});
  CHECK_THROWS_AS(
      detail::check_data<double>(raw, MeanSquaredError{}, {zeros({4, 3}), zeros({4, 1})}, ""),
      ModelError);
}

}  // namespace heed::data_checks_test
