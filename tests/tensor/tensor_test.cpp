#include <heed/tensor/tensor.hpp>

#include <array>
#include <type_traits>
#include <utility>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::tensor_test {

using heed::testing::message;

TEST_CASE("A tensor made from a shape is zero") {
  const Tensor<float, 3> x(Shape{4, 3, 2});
  CHECK(x.shape() == Shape{4, 3, 2});
  CHECK(x.rank() == 3);
  CHECK(x.dim(1) == 3);
  CHECK(x.size() == 24);
  CHECK(x.array().abs().sum() == 0);
}

TEST_CASE("A tensor made from nothing is empty") {
  const Tensor<double> x;
  CHECK(x.empty());
  CHECK(x.size() == 0);
  CHECK_FALSE(x.view());
}

TEST_CASE("A tensor copies values in row-major order") {
  const std::vector<double> values{1, 2, 3, 4, 5, 6};
  const Tensor<double, 2> from_vector({2, 3}, values);
  CHECK(from_vector(0, 2) == 3);
  CHECK(from_vector(1, 0) == 4);

  const std::array array{1., 2., 3., 4., 5., 6.};
  CHECK(Tensor<double, 2>({2, 3}, array) == from_vector);
  CHECK(Tensor<double, 2>({2, 3}, std::span(values)) == from_vector);
  CHECK(Tensor<double>({2, 3}, values) == Tensor<double>(from_vector));
}

TEST_CASE("A tensor refuses values that are not as many as its shape says") {
  const std::vector<float> values(5);
  CHECK(message<ShapeError>([&] {
          Tensor<float, 2>({2, 3}, values);
        }) == "a tensor of (2, 3) has 6 elements, got 5 values");
}

TEST_CASE("A tensor is written in nested braces") {
  const Tensor<float, 1> one{1, 2, 3};
  CHECK(one.shape() == Shape{3});
  CHECK(one(2) == 3);

  const Tensor<float, 2> two{{1, 2}, {3, 4}, {5, 6}};
  CHECK(two.shape() == Shape{3, 2});
  CHECK(two(2, 0) == 5);

  const Tensor<double, 3> three{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}};
  CHECK(three.shape() == Shape{2, 2, 2});
  CHECK(three(1, 0, 1) == 6);

  const Tensor<double, 4> four{{{{1}, {2}}}, {{{3}, {4}}}};
  CHECK(four.shape() == Shape{2, 1, 2, 1});
  CHECK(four(1, 0, 1, 0) == 4);
}

TEST_CASE(
    "Braces in parentheses are a shape of several axes, and with other braces around them values") {
  const Index steps = 10;
  CHECK(Tensor<float, 2>({64, 1}).shape() == Shape{64, 1});
  CHECK(Tensor<float, 3>({2, steps, 3}).shape() == Shape{2, 10, 3});
  CHECK(Tensor<float>({64}).shape() == Shape{64});
  CHECK(Tensor<float>({steps, 2}).shape() == Shape{10, 2});
  CHECK(Tensor<float, 2>{{64, 1}} == Tensor<float, 2>({{64, 1}}));
  CHECK(Tensor<float, 2>{{64, 1}}.shape() == Shape{1, 2});
  // Of one axis braces are values; whole numbers in parentheses do not compile.
  CHECK(Tensor<float, 1>{64}.shape() == Shape{1});
  CHECK(Tensor<float, 1>({0.5, 2}).shape() == Shape{2});
  CHECK(Tensor<float, 1>(Shape{64}).shape() == Shape{64});
  Tensor<float, 1> assigned;
  assigned = {4, 5, 6};
  CHECK(assigned.shape() == Shape{3});
}

TEST_CASE("Nested braces of different lengths are refused") {
  CHECK(message<ShapeError>([] {
          Tensor<float, 2>{{1, 2}, {3}};
        }) == "nested lists of (2, 2) need 2 entries along axis 1, got 1");
  CHECK(message<ShapeError>([] {
          Tensor<float, 2>{{1}, {2, 3}};
        }) == "nested lists of (2, 1) need 1 entries along axis 1, got 2");
  CHECK(message<ShapeError>([] {
          Tensor<float, 3>{{{1}, {2}}, {{3}}};
        }) == "nested lists of (2, 2, 1) need 2 entries along axis 1, got 1");
}

TEST_CASE(
    "A tensor is a copy of an Eigen matrix, whatever its storage order, or of an expression") {
  Eigen::MatrixXd column_major(2, 3);
  column_major << 1, 2, 3, 4, 5, 6;
  const Tensor<double, 2> expected{{1, 2, 3}, {4, 5, 6}};
  CHECK(Tensor<double, 2>(column_major) == expected);
  CHECK(Tensor<double>(column_major) == Tensor<double>(expected));
  CHECK(Tensor<double, 2>(2 * column_major - column_major) == expected);
  CHECK(Tensor<double, 2>(column_major.transpose()) == Tensor<double, 2>{{1, 4}, {2, 5}, {3, 6}});
  CHECK(Tensor<double, 2>(column_major.array() + 1) == Tensor<double, 2>{{2, 3, 4}, {5, 6, 7}});
}

TEST_CASE("A tensor of known rank is one of dynamic rank, and back if the ranks agree") {
  const Tensor<float, 2> matrix{{1, 2}, {3, 4}};
  const Tensor<float> dynamic = matrix;
  CHECK(dynamic.shape() == matrix.shape());
  CHECK(Tensor<float, 2>(dynamic) == matrix);
  STATIC_REQUIRE(std::is_convertible_v<Tensor<float, 2>, Tensor<float>>);
  STATIC_REQUIRE(!std::is_convertible_v<Tensor<float>, Tensor<float, 2>>);
  CHECK(message<ShapeError>([&] { Tensor<float, 3> wrong(dynamic); }) ==
        "a tensor of rank 3 cannot have the shape (2, 2)");
  CHECK(message<ShapeError>([&] { Tensor<float, 3> wrong(Shape{2}); }) ==
        "a tensor of rank 3 cannot have the shape (2)");
}

TEST_CASE("A tensor is a copy of what a view shows") {
  std::vector<float> memory{1, 2, 3, 4};
  const Tensor<float> copy(View<const float>(memory.data(), {2, 2}));
  memory[3] = 0;
  CHECK(copy(1, 1) == 4);
}

TEST_CASE("A tensor converts to the views that functions take") {
  const auto read = [](View<const float> x) { return x(1, 0); };
  const auto write = [](View<float> x) { x(1, 0) = 9; };
  Tensor<float, 2> x{{1, 2}, {3, 4}};
  write(x);
  CHECK(read(x) == 9);
  STATIC_REQUIRE(!std::is_convertible_v<const Tensor<float, 2>, View<float>>);
}

namespace {

Tensor<float, 3> counted() {
  Tensor<float, 3> x(Shape{2, 3, 4});
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
  return x;
}

/// Whether `ask` can be called with a tensor of this type, qualified as it is.
template <class T, class Ask>
constexpr bool can(const Ask&) {
  return std::is_invocable_v<Ask, T>;
}

/// What gives a view can be asked of a tensor with a name, and not of a temporary one.
template <class Ask>
void check_needs_a_name(const Ask& ask) {
  CHECK(can<Tensor<float, 3>&>(ask));
  CHECK(can<const Tensor<float, 3>&>(ask));
  CHECK_FALSE(can<Tensor<float, 3>>(ask));
  CHECK_FALSE(can<const Tensor<float, 3>>(ask));
}

}  // namespace

TEST_CASE("A temporary tensor gives no views") {
#define HEED_ASK(call)                                                            \
  check_needs_a_name([](auto&& x) -> decltype(static_cast<decltype(x)>(x).call) { \
    return static_cast<decltype(x)>(x).call;                                      \
  })
  HEED_ASK(view());
  HEED_ASK(data());
  HEED_ASK(values());
  HEED_ASK(slice(0));
  HEED_ASK(step(0));
  HEED_ASK(sample(0));
  HEED_ASK(samples(0, 1));
#undef HEED_ASK
  STATIC_REQUIRE(!std::is_convertible_v<Tensor<float, 3>, View<float>>);
}

TEST_CASE("A temporary tensor can be an argument, and be asked for values") {
  const auto first = [](View<const float> x) { return x(0, 0, 1); };
  CHECK(first(counted()) == 1);
  CHECK(counted()(1, 2, 3) == 23);
  CHECK(counted().at(1, 0, 0) == 12);
  for (const Index dim : counted().shape()) CHECK(dim >= 2);
}

TEST_CASE("What is computed with a temporary tensor keeps its elements") {
  const Tensor<float, 3> x = counted();
  CHECK((counted().array() - x.array()).abs().maxCoeff() == 0);
  const auto twice = counted().array() * 2;  // evaluated after the tensor has ended
  const auto matrix = counted().matrix();
  const auto row = counted().row();
  CHECK(twice.sum() == 552);
  CHECK(matrix(5, 2) == 22);
  CHECK(row(7) == 7);
  CHECK(Matrix<float>(counted().matrix()) == x.matrix());
}

TEST_CASE("A tensor offers what its view offers") {
  Tensor<double, 3> x(Shape{4, 3, 2});
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<double>(i);
  const auto& constant = x;
  CHECK(x.matrix().rows() == 12);
  CHECK(constant.slice(2)(1, 1) == 15);
  CHECK(constant.step(1)(3, 0) == 20);
  CHECK(constant.samples(1, 2).shape() == Shape{2, 3, 2});
  CHECK(constant.sample(1).shape() == Shape{3, 2});
  x.sample(0)(0, 0) = 0;
  CHECK(constant.row()(23) == 23);
  CHECK(constant.values()[23] == 23);
  x.step(0).setZero();
  x.slice(3) *= 2;
  x.values()[2] = -1;
  CHECK(x(3, 0, 1) == 0);
  CHECK(x(3, 2, 1) == 46);
  CHECK(constant(0, 1, 0) == -1);
  CHECK(constant.at(1, 1, 1) == 9);
  x.at(1, 1, 1) = 5;
  CHECK(x(1, 1, 1) == 5);
  CHECK(message<ShapeError>([&] { constant.at(4, 0, 0); }) ==
        "element (4, 0, 0) is outside a tensor of (4, 3, 2)");
  x.set_zero();
  CHECK(x == Tensor<double, 3>(Shape{4, 3, 2}));
}

TEST_CASE("Tensors are equal when shapes and elements are") {
  const Tensor<float, 2> x{{1, 2}, {3, 4}};
  CHECK(x == Tensor<float, 2>{{1, 2}, {3, 4}});
  CHECK_FALSE(x == Tensor<float, 2>{{1, 2}, {3, 5}});
  CHECK_FALSE(x == Tensor<float, 2>{{1, 2, 3, 4}});
}

TEST_CASE("A copy of a tensor has its own elements") {
  Tensor<float, 1> x{1, 2};
  Tensor<float, 1> copy = x;
  copy(0) = 5;
  CHECK(x(0) == 1);
  copy = x;
  CHECK(copy == x);
}

TEST_CASE("Moving a tensor moves its memory") {
  Tensor<float, 1> x{1, 2};
  const float* memory = x.data();
  const Tensor<float, 1> moved = std::move(x);
  CHECK(moved.data() == memory);
  CHECK(moved == Tensor<float, 1>{1, 2});
}

TEST_CASE("A tensor shrinks and grows within its capacity without allocating") {
  Tensor<double> x(Shape{4, 5});
  const double* memory = x.data();
  const testing::Allocations allocations;
  x.resize({2, 3});
  x.resize({1});
  x.resize({5, 2, 2});
  x.assign(x.samples(0, 2));
  const std::size_t count = allocations.count();
  CHECK(count == 0);
  CHECK(x.data() == memory);
  CHECK(x.shape() == Shape{2, 2, 2});
}

TEST_CASE("Memory that is new to a tensor is zero") {
  Tensor<double, 1> x{1, 2};
  x.resize({100});
  CHECK(x(0) == 1);
  CHECK(x.array().sum() == 3);
}

TEST_CASE("A tensor's memory is aligned for vector instructions") {
  for (Index size = 1; size < 40; ++size) {
    const Tensor<float, 1> x(Shape{size});
    CHECK(reinterpret_cast<std::uintptr_t>(x.data()) % EIGEN_MAX_ALIGN_BYTES == 0);
  }
}

}  // namespace heed::tensor_test
