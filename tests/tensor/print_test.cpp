#include <heed/tensor/print.hpp>

#include <sstream>

#include "support/catch.hpp"

namespace heed::print_test {

namespace {

template <class T>
std::string printed(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

}  // namespace

TEST_CASE("A shape prints as its text") { CHECK(printed(Shape{4, 3}) == "(4, 3)"); }

TEST_CASE("A tensor prints in nested brackets behind its shape") {
  CHECK(printed(Tensor<float, 1>{1, 2.5, -3}) == "(3) [1 2.5 -3]");
  CHECK(printed(Tensor<float, 2>{{1, 2}, {3, 4}}) ==
        "(2, 2) [[1 2]\n"
        "        [3 4]]");
  CHECK(printed(Tensor<double, 3>{{{1}, {2}}, {{3}, {4}}}) ==
        "(2, 2, 1) [[[1]\n"
        "            [2]]\n"
        "           [[3]\n"
        "            [4]]]");
}

TEST_CASE("Long axes print their first and last three entries") {
  Tensor<float, 1> x(Shape{20});
  for (Index i = 0; i < 20; ++i) x(i) = static_cast<float>(i);
  CHECK(printed(x) == "(20) [0 1 2 ... 17 18 19]");
  CHECK(printed(Tensor<float, 1>{0, 1, 2, 3, 4, 5, 6, 7}) == "(8) [0 1 2 3 4 5 6 7]");
  CHECK(printed(Tensor<float, 1>{0, 1, 2, 3, 4, 5, 6, 7, 8}) == "(9) [0 1 2 ... 6 7 8]");
  CHECK(
      printed(Tensor<float, 2>(Shape{9, 1})) ==
      "(9, 1) [[0]\n        [0]\n        [0]\n        ...\n        [0]\n        [0]\n        [0]]");
}

TEST_CASE("A view prints as the tensor it shows, and an empty one says so") {
  Tensor<float, 2> x{{1, 2}, {3, 4}};
  CHECK(printed(x.view()) == printed(x));
  CHECK(printed(x.samples(1, 1)) == "(1, 2) [[3 4]]");
  CHECK(printed(View<const float>()) == "(no tensor)");
  CHECK(printed(Tensor<float>()) == "(no tensor)");
}

TEST_CASE("Numbers print as the stream is set to") {
  std::ostringstream out;
  out.precision(2);
  out << Tensor<double, 1>{1.0 / 3, 2.0 / 3};
  CHECK(out.str() == "(2) [0.33 0.67]");
}

}  // namespace heed::print_test
