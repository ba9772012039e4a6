#include <heed/train/class_weight.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::class_weight_test {

using testing::message;

namespace {

const std::vector<double> weights{0.5, 2, 3};

/// What each sample or step weighs.
Tensor<double> weighed(const Column<double>& y, const std::vector<double>& by = weights) {
  const detail::ClassWeights<double> made(by, y);
  return Tensor<double>(made.column(any).values());
}

template <class E>
std::string refused(const Column<double>& y, const std::vector<double>& by = weights) {
  return message<E>([&] { detail::ClassWeights<double>(by, y); });
}

}  // namespace

TEST_CASE("A class is the place of the largest target of a row, or a target of one number") {
  const Tensor<double, 2> rows{{0, 0, 1}, {1, 0, 0}, {0, 1, 0}, {0.2, 0.5, 0.3}};
  CHECK(weighed(rows) == Tensor<double>(Tensor<double, 1>{3, 0.5, 2, 2}));
  const Tensor<double, 2> numbers{{2}, {0}, {1}, {1}};
  CHECK(weighed(numbers) == weighed(rows));
}

TEST_CASE("Steps are weighed one by one") {
  const Tensor<double, 3> rows{{{0, 0, 1}, {1, 0, 0}}, {{0, 1, 0}, {1, 0, 0}}};
  CHECK(weighed(rows) == Tensor<double>(Tensor<double, 2>{{3, 0.5}, {2, 0.5}}));
  const Tensor<double, 3> numbers{{{2}, {0}}, {{1}, {0}}};
  CHECK(weighed(numbers) == weighed(rows));
}

TEST_CASE("Steps of Sequences are weighed one by one, with the lengths of the targets") {
  Sequences<double> rows(Shape{3});
  rows.push_back(Tensor<double, 2>{{0, 0, 1}, {1, 0, 0}, {0, 1, 0}});
  rows.push_back(Tensor<double>(Shape{0, 3}));
  rows.push_back(Tensor<double, 2>{{1, 0, 0}});
  const Sequences<double> numbers{{2, 0, 1}, {}, {0}};
  Sequences<double> columns(Shape{1});
  columns.push_back(Tensor<double, 2>{{2}, {0}, {1}});
  columns.push_back(Tensor<double>(Shape{0, 1}));
  columns.push_back(Tensor<double, 2>{{0}});
  for (const Sequences<double>* y :
       std::vector<const Sequences<double>*>{&rows, &numbers, &columns}) {
    const detail::ClassWeights<double> made(weights, *y);
    const Column<double> column = made.column(5);
    REQUIRE(column.sequences() != nullptr);
    CHECK(*column.sequences() == Sequences<double>{{3, 0.5, 2}, {}, {0.5}});
    CHECK(column.padding() == 5);
    CHECK(made.column(any).padding() == any);
  }
}

TEST_CASE("Weights that no training comes to are refused") {
  const Tensor<double, 2> y{{0}, {1}};
  CHECK(refused<OptionError>(y, {1, -2}) == "class_weight: expected numbers of at least 0, got -2");
  CHECK(refused<OptionError>(y, {1, std::numeric_limits<double>::infinity()}) ==
        "class_weight: expected numbers of at least 0, got inf");
  CHECK(refused<OptionError>(y, {1, std::numeric_limits<double>::quiet_NaN()}) ==
        "class_weight: expected numbers of at least 0, got nan");
  CHECK(refused<OptionError>(y, {1, 0}) == "(nothing thrown)");
}

TEST_CASE("Classes without a weight and weights without a class are refused") {
  CHECK(refused<DataError>(Tensor<double, 2>{{0}, {1}}) ==
        "class_weight has a weight for class 2, which does not occur in y");
  CHECK(refused<DataError>(Tensor<double, 2>{{0}, {3}, {1}, {2}}) ==
        "class_weight has 3 weights, but none for class 3 of y");
  CHECK(refused<DataError>(Tensor<double, 2>{{0}, {0.5}}) ==
        "class_weight: expected classes in y, got 0.5");
  CHECK(refused<DataError>(Tensor<double, 2>{{0}, {-1}}) ==
        "class_weight: expected classes in y, got -1");
  CHECK(refused<DataError>(Tensor<double, 2>{{0, 0, 0, 1}}) ==
        "class_weight has 3 weights, but none for class 3 of y");
  CHECK(refused<DataError>(Tensor<double>(Shape{1, 2, 2, 1})) ==
        "class_weight: expected targets of (samples) or (samples, steps) and classes, got "
        "(1, 2, 2, 1)");
  const Sequences<double> y{{0, 1}, {4}};
  CHECK(refused<DataError>(y) == "class_weight has 3 weights, but none for class 4 of y");
}

}  // namespace heed::class_weight_test
