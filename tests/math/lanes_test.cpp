#include <heed/math/lanes.hpp>

#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::lanes_test {

using heed::testing::near;
using heed::testing::random_tensor;

namespace {

/// Runs `function` over every element by lanes and compares with `expected`, number by number, for
/// rows of all lengths: whole packets, no packet, and a rest.
template <class S, class Function, class Expected>
void compare(const Function& function, const Expected& expected, double tolerance = 0) {
  double worst = 0;
  for (Index cols = 1; cols < 20; ++cols) {
    const auto x = random_tensor<S>({3, cols}, static_cast<std::uint64_t>(cols), 3);
    Tensor<S> y(x.shape());
    const auto from = x.matrix();
    auto to = y.matrix();
    for_lanes<S>(3, cols, [&](auto at) { at(to) = function(at(from)); });
    for (Index i = 0; i < x.size(); ++i) {
      const double exact = expected(static_cast<double>(x.data()[i]));
      const double error = std::abs(static_cast<double>(y.data()[i]) - exact);
      worst = std::max(worst, error / std::max(1.0, std::abs(exact)));
    }
  }
  CHECK(worst <= tolerance);
}

template <class S>
void compare_functions() {
  const double epsilon = 4 * static_cast<double>(std::numeric_limits<S>::epsilon());
  const auto same = [](double x) { return x; };
  compare<S>([](auto a) { return a; }, same);
  compare<S>([](auto a) { return -a; }, [](double x) { return -x; });
  compare<S>([](auto a) { return abs(a); }, [](double x) { return std::abs(x); });
  compare<S>([](auto a) { return larger(a, S{1}); }, [](double x) { return std::max(x, 1.0); });
  compare<S>([](auto a) { return smaller(S{1}, a); }, [](double x) { return std::min(x, 1.0); });
  compare<S>([](auto a) { return where_positive(a, S{1}, a); },
             [](double x) { return x > 0 ? 1 : x; });
  compare<S>([](auto a) { return (a + S{1}) * a - a / S{4}; },
             [](double x) { return (x + 1) * x - x / 4; }, 4 * epsilon);
  compare<S>([](auto a) { return square(a); }, [](double x) { return x * x; }, epsilon);
  compare<S>([](auto a) { return sqrt(abs(a)); }, [](double x) { return std::sqrt(std::abs(x)); },
             epsilon);
  compare<S>([](auto a) { return exp(a); }, [](double x) { return std::exp(x); }, epsilon);
  compare<S>([](auto a) { return expm1(a); }, [](double x) { return std::expm1(x); }, epsilon);
  compare<S>([](auto a) { return log1p(abs(a)); }, [](double x) { return std::log1p(std::abs(x)); },
             epsilon);
  compare<S>([](auto a) { return tanh(a); }, [](double x) { return std::tanh(x); }, epsilon);
  compare<S>([](auto a) { return sigmoid(a); }, [](double x) { return 1 / (1 + std::exp(-x)); },
             epsilon);
  compare<S>([](auto a) { return a.each([](S x) { return x + 1; }); },
             [](double x) { return x + 1; }, epsilon);
}

}  // namespace

TEST_CASE("Lanes compute on doubles what one number computes") { compare_functions<double>(); }

TEST_CASE("Lanes compute on floats what one number computes") { compare_functions<float>(); }

TEST_CASE("Lanes visit every element once") {
  for (Index cols = 0; cols < 20; ++cols) {
    Tensor<float> x(Shape{4, cols});
    auto m = x.matrix();
    for_lanes<float>(4, cols, [&](auto at) { at(m) += typename decltype(at)::Value(1.f); });
    CHECK((x.array() == 1).all());
  }
}

TEMPLATE_TEST_CASE("A row is visited from left to right, by packets that become narrower", "",
                   float, double) {
  using S = TestType;
  for (Index cols = 1; cols < 40; ++cols) {
    Index column = 0, narrowest = widest<S>;
    for_lanes<S>(1, cols, [&](auto at) {
      using Value = typename decltype(at)::Value;
      CHECK(at.row == 0);
      CHECK(at.column == column);
      CHECK(Value::width <= narrowest);
      // A wider one would not have fitted.
      if (Value::width < narrowest) CHECK(column + narrowest > cols);
      narrowest = Value::width;
      column += Value::width;
    });
    CHECK(column == cols);
  }
}

TEMPLATE_TEST_CASE("Packets of every width sum, and have a maximum", "", float, double) {
  using S = TestType;
  const auto x = random_tensor<S>({39}, 1);
  const auto row = x.view().row();
  for_lanes<S>(1, 39, [&](auto at) {
    using Value = typename decltype(at)::Value;
    const auto part = x.view().array().segment(at.column, Value::width);
    const Value value = at(row);
    CHECK(std::abs(sum_of(value) - part.sum()) < S(1e-6));
    CHECK(max_of(value) == part.maxCoeff());
    const S squares = sum_of(fma(value, value, Value(S{1})));
    CHECK(near(double(squares), double(part.square().sum()) + double(Value::width), 1e-6));
  });
}

TEST_CASE("Lanes stay within the columns of a block") {
  Tensor<double> x(Shape{3, 12});
  auto block = x.matrix().middleCols(2, 7);
  for_lanes<double>(3, 7, [&](auto at) { at(block) = typename decltype(at)::Value(5.0); });
  CHECK((x.matrix().middleCols(2, 7).array() == 5).all());
  CHECK(x.matrix().leftCols(2).isZero(0));
  CHECK(x.matrix().rightCols(3).isZero(0));
}

TEST_CASE("Lanes reach the same columns of another row") {
  const auto x = random_tensor({5, 11}, 1);
  const auto m = x.matrix();
  Tensor<double> sums(Shape{1, 11});
  auto to = sums.matrix();
  for_lanes<double>(1, 11, [&](auto at) {
    typename decltype(at)::Value sum = 0.0;
    for (Index row = 0; row < 5; ++row) sum += at.in_row(row)(m);
    at(to) = sum;
  });
  CHECK((sums.matrix() - x.matrix().colwise().sum()).cwiseAbs().maxCoeff() < 1e-15);
}

TEST_CASE("The lanes of a packet sum and have a maximum") {
  constexpr Index width = Lanes<float>::width;
  const auto x = random_tensor<float>({width}, 1);
  const auto wide = Lanes<float>::load(x.data());
  CHECK(std::abs(sum_of(wide) - x.array().sum()) < 1e-6);
  CHECK(max_of(wide) == x.array().maxCoeff());
  const Lanes<float, 1> one(2.5f);
  CHECK(sum_of(one) == 2.5f);
  CHECK(max_of(one) == 2.5f);
}

}  // namespace heed::lanes_test
