#include <heed/check/gradient_check.hpp>
#include <heed/math/softmax.hpp>

#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::softmax_test {

using heed::testing::distance;
using heed::testing::random_tensor;

namespace {

template <class Scalar>
Tensor<Scalar, 2> softmax_of(Tensor<Scalar, 2> z) {
  softmax_rows<Scalar>(z.matrix());
  return z;
}

}  // namespace

TEST_CASE("Softmax of known numbers") {
  const double e = std::exp(1.0);
  const auto y = softmax_of<double>({{0, 1}, {3, 3}, {0, std::log(3.0)}});
  CHECK(distance(y, Tensor<double, 2>{{1 / (1 + e), e / (1 + e)}, {0.5, 0.5}, {0.25, 0.75}}) <
        1e-15);
  CHECK(softmax_of<double>({{5}, {-7}}) == Tensor<double, 2>{{1}, {1}});
}

TEST_CASE("Softmax gives positive rows that sum to 1") {
  Tensor<double, 2> z(random_tensor({7, 13}, 1, 5));
  const auto y = softmax_of(z);
  CHECK((y.array() > 0).all());
  for (Index n = 0; n < 7; ++n) CHECK(std::abs(y.matrix().row(n).sum() - 1) < 1e-15);
}

TEST_CASE("The bits of a row do not depend on where in memory it stands") {
  const auto check_bits = [](auto zero) {
    using S = decltype(zero);
    for (const Index width : {3, 10, 17, 100}) {
      const Tensor<S, 2> z(random_tensor<S>({20, width}, 1));
      const auto expected = softmax_of(z);
      for (Index offset = 0; offset < 16; ++offset) {
        CAPTURE(width, offset);
        Tensor<S, 1> memory(Shape{offset + z.size()});
        const View<S> moved(memory.data() + offset, z.shape());
        moved.array() = z.array();
        softmax_rows<S>(moved.matrix());
        CHECK(Tensor<S, 2>(View<const S>(moved)) == expected);
      }
    }
  };
  check_bits(0.0F);
  check_bits(0.0);
}

TEST_CASE("Softmax does not change when a row is shifted") {
  Tensor<double, 2> z(random_tensor({4, 5}, 2));
  const auto y = softmax_of(z);
  z.array() += 1024;
  CHECK(distance(softmax_of(z), y) < 1e-12);
}

TEST_CASE("Softmax of logits of ±1e4 is right to the smallest number, in float and in double") {
  const auto exact = [](auto zero) {
    using S = decltype(zero);
    using T = Tensor<S, 2>;
    // Eigen's vectorised exp stops at the smallest normal number instead of 0.
    const auto smallest = 2 * static_cast<double>(std::numeric_limits<S>::min());
    CHECK(distance(softmax_of<S>({{1e4, -1e4, 0}}), T{{1, 0, 0}}) <= smallest);
    CHECK(distance(softmax_of<S>({{-1e4, 0, 1e4}}), T{{0, 0, 1}}) <= smallest);
    CHECK(softmax_of<S>({{-1e4, -1e4}}) == T{{0.5, 0.5}});
    CHECK(distance(softmax_of<S>({{1e4, 1e4, -1e4, 1e4, 1e4}}), T{{0.25, 0.25, 0, 0.25, 0.25}}) <=
          smallest);
    CHECK(distance(softmax_of<S>({{0, std::numeric_limits<S>::lowest()}}), T{{1, 0}}) <= smallest);
  };
  exact(0.f);
  exact(0.0);
}

TEST_CASE("The backward of softmax agrees with differences, row by row") {
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 2}, Shape{3, 4}, Shape{5, 17}}) {
    Tensor<double> z = random_tensor(shape, 3);
    const Tensor<double> dy = random_tensor(shape, 4);
    Tensor<double> y = z;
    softmax_rows<double>(y.matrix());
    Tensor<double> dz = dy;
    softmax_rows_backward<double>(y.matrix(), dz.matrix());
    const auto loss = [&] {
      Tensor<double> p = z;
      softmax_rows<double>(p.matrix());
      return (p.array() * dy.array()).sum();
    };
    const auto offsets = detail::choose(z.size(), 0, Random());
    const auto check = detail::check_tensor("z", z, dz, offsets, loss);
    CAPTURE(to_text(check));
    CHECK(check.worst < 1e-8);
  }
}

TEST_CASE("The backward of a saturated softmax is zero") {
  const auto y = softmax_of<double>({{1e4, -1e4, 0}});
  Tensor<double, 2> dz{{3, -2, 1e3}};
  softmax_rows_backward<double>(y.matrix(), dz.matrix());
  CHECK(distance(dz, Tensor<double, 2>{{0, 0, 0}}) < 1e-300);
}

}  // namespace heed::softmax_test
