#include <heed/tensor/view.hpp>

#include <heed/tensor/tensor.hpp>
#include <numeric>
#include <vector>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::view_test {

using heed::testing::message;

namespace {

/// 0, 1, 2, … in memory.
struct Counted {
  std::vector<double> memory;
  View<double> view;

  explicit Counted(const Shape& shape) : memory(static_cast<std::size_t>(shape.size())) {
    std::iota(memory.begin(), memory.end(), 0.0);
    view = {memory.data(), shape};
  }
};

}  // namespace

TEST_CASE("A view folds the leading axes to the rows of a matrix") {
  const Counted counted({4, 3, 2});
  const auto matrix = counted.view.matrix();
  CHECK(matrix.rows() == 12);
  CHECK(matrix.cols() == 2);
  CHECK(matrix(7, 1) == counted.view(2, 1, 1));
  CHECK(Counted({5}).view.matrix().rows() == 1);
  CHECK(Counted({5}).view.matrix().cols() == 5);
}

TEST_CASE("A view is also one row, or one array, of all its elements") {
  const Counted counted({2, 3});
  CHECK(counted.view.row().cols() == 6);
  CHECK(counted.view.row()(4) == 4);
  CHECK(counted.view.array().size() == 6);
  CHECK(counted.view.array().sum() == 15);
}

TEST_CASE("A slice is one sample as a matrix") {
  const Counted counted({4, 3, 2});
  const auto slice = counted.view.slice(2);
  CHECK(slice.rows() == 3);
  CHECK(slice.cols() == 2);
  CHECK(slice(1, 1) == counted.view(2, 1, 1));

  CHECK(Counted({4, 2}).view.slice(1).rows() == 1);
  CHECK(Counted({4, 2}).view.slice(1)(0, 1) == 3);
  CHECK(Counted({4}).view.slice(3)(0, 0) == 3);

  const auto folded = Counted({2, 3, 4, 5}).view.slice(1);
  CHECK(folded.rows() == 12);
  CHECK(folded.cols() == 5);
}

TEST_CASE("A step is one time step of all samples") {
  const Counted counted({4, 3, 2});
  const auto step = counted.view.step(1);
  CHECK(step.rows() == 4);
  CHECK(step.cols() == 2);
  for (Index n = 0; n < 4; ++n) {
    for (Index d = 0; d < 2; ++d) CHECK(step(n, d) == counted.view(n, 1, d));
  }
}

TEST_CASE("A view as a step is its matrix, as one time step of a batch") {
  Counted counted({4, 3, 2});
  const StridedMap<double> step = counted.view.as_step();
  CHECK(step.rows() == 12);
  CHECK(step.cols() == 2);
  CHECK(step.outerStride() == 2);
  CHECK(step == counted.view.matrix());
  CHECK(Counted({5}).view.as_step().rows() == 1);
  const auto only = Counted({4, 1, 3});
  CHECK(only.view.step(0) == only.view.as_step());
  counted.view.as_step()(11, 1) = -1;
  CHECK(counted.memory.back() == -1);
}

TEST_CASE("What is written through a view stands in the memory") {
  Counted counted({2, 3, 2});
  counted.view(1, 2, 0) = -1;
  CHECK(counted.memory[10] == -1);
  counted.view.step(1).setConstant(7);
  CHECK(counted.memory == std::vector<double>{0, 1, 7, 7, 4, 5, 6, 7, 7, 7, -1, 11});
  counted.view.slice(0).setZero();
  CHECK(counted.memory == std::vector<double>{0, 0, 0, 0, 0, 0, 6, 7, 7, 7, -1, 11});
}

TEST_CASE("Some samples of a view are a view") {
  const Counted counted({4, 3, 2});
  const View<double> middle = counted.view.samples(1, 2);
  CHECK(middle.shape() == Shape{2, 3, 2});
  CHECK(middle(0, 0, 0) == 6);
  CHECK(middle.data() == counted.view.data() + 6);
  CHECK(counted.view.samples(4, 0).size() == 0);
  CHECK(counted.view.samples(0, 4).shape() == counted.view.shape());
}

TEST_CASE("A sample of a view is a view without the batch axis") {
  const Counted counted({4, 3, 2});
  const View<double> sample = counted.view.sample(2);
  CHECK(sample.shape() == Shape{3, 2});
  CHECK(sample.data() == counted.view.data() + 12);
  CHECK(Counted({4, 2}).view.sample(1).shape() == Shape{2});
  CHECK(Counted({2, 3, 4, 5}).view.sample(1).shape() == Shape{3, 4, 5});
  CHECK(Counted({4}).view.sample(3).shape() == Shape{});
}

TEST_CASE("What a view gives as an Eigen map is a view again") {
  const Counted counted({4, 3, 2});
  const auto read = [](View<const double> x) { return x; };
  CHECK(read(counted.view.slice(2)).shape() == Shape{3, 2});
  CHECK(read(counted.view.slice(2)).data() == counted.view.data() + 12);
  CHECK(read(View<const double>(counted.view).slice(1))(1, 1) == 9);
  CHECK(read(counted.view.matrix()).shape() == Shape{12, 2});
  CHECK(read(counted.view.row()).shape() == Shape{24});
  CHECK(read(counted.view.array()).shape() == Shape{24});
  const View<double> written = counted.view.slice(3);
  written(0, 0) = -1;
  CHECK(counted.memory[18] == -1);
  // What is only to be read, skips numbers or goes by columns is none.
  STATIC_REQUIRE(!std::is_convertible_v<MatrixMap<const double>, View<double>>);
  STATIC_REQUIRE(!std::is_convertible_v<StridedMap<double>, View<const double>>);
  STATIC_REQUIRE(!std::is_convertible_v<Eigen::Map<Eigen::MatrixXd>, View<const double>>);
  STATIC_REQUIRE(!std::is_convertible_v<MatrixMap<float>, View<const double>>);
  STATIC_REQUIRE(std::is_convertible_v<Eigen::Map<Eigen::VectorXd>, View<const double>>);
}

TEST_CASE("A view is the same elements under another shape") {
  const Counted counted({4, 3, 2});
  const View<double> flat = counted.view.reshaped({4, 6});
  CHECK(flat.data() == counted.view.data());
  CHECK(flat(2, 3) == counted.view(2, 1, 1));
}

TEST_CASE("A view without memory is false") {
  CHECK_FALSE(View<double>());
  CHECK_FALSE(View<const double>(View<double>()));
  CHECK(Counted({1}).view);
}

TEST_CASE("Every view can be read, and only a mutable one written") {
  STATIC_REQUIRE(std::is_convertible_v<View<float>, View<const float>>);
  STATIC_REQUIRE(!std::is_convertible_v<View<const float>, View<float>>);
  STATIC_REQUIRE(!std::is_convertible_v<View<float>, View<const double>>);
  STATIC_REQUIRE(std::is_same_v<decltype(View<const float>()(0)), const float&>);
  const Counted counted({2});
  const View<const double> reader = counted.view;
  CHECK(reader.data() == counted.view.data());
  CHECK(reader.shape() == counted.view.shape());
}

TEST_CASE("at refuses what is outside, and says so") {
  const Counted counted({4, 3, 2});
  CHECK(counted.view.at(3, 2, 1) == 23);
  CHECK(message<ShapeError>([&] { counted.view.at(1, 3, 0); }) ==
        "element (1, 3, 0) is outside a tensor of (4, 3, 2)");
  CHECK(message<ShapeError>([&] { counted.view.at(-1, 0, 0); }) ==
        "element (-1, 0, 0) is outside a tensor of (4, 3, 2)");
  CHECK(message<ShapeError>([&] { counted.view.at(1, 2); }) ==
        "element (1, 2) is outside a tensor of (4, 3, 2)");
  CHECK(message<ShapeError>([&] { counted.view.at(0, 0, 0, 0); }) ==
        "element (0, 0, 0, 0) is outside a tensor of (4, 3, 2)");
}

TEST_CASE("Views never allocate") {
  const Counted counted({4, 3, 2});
  const testing::Allocations allocations;
  View<const double> view = counted.view.samples(1, 2).reshaped({2, 6});
  counted.view.step(0) = counted.view.step(1);
  counted.view.slice(0) += counted.view.slice(3);
  const std::size_t count = allocations.count();
  CHECK(view.size() == 12);
  CHECK(count == 0);
}

TEST_CASE("Views are equal when their shapes and their elements are, and so is a tensor") {
  const Counted one({2, 3}), same({2, 3}), flat({6});
  CHECK(one.view == same.view);
  CHECK(View<const double>(one.view) == same.view);
  CHECK(one.view == View<const double>(same.view));
  CHECK(one.view != flat.view);
  Tensor<double> tensor(same.view);
  CHECK(tensor == one.view);
  CHECK(one.view == std::as_const(tensor));
  tensor(1, 2) = -1;
  CHECK(one.view != tensor);
  CHECK(std::as_const(tensor) != View<const double>(one.view));
  one.view.set_zero();
  CHECK(one.view.values().size() == 6);
  CHECK(View<double>().values().empty());
  CHECK(one.view.array().isZero());
}

}  // namespace heed::view_test
