#include <heed/attention/step_attention.hpp>
#include <heed/check/gradient_check.hpp>
#include <heed/layers/activation.hpp>
#include <heed/layers/add.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/dropout.hpp>
#include <heed/layers/embedding.hpp>
#include <heed/layers/flatten.hpp>
#include <heed/layers/gru.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/train/losses.hpp>

#include <sstream>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::gradient_check_test {

using heed::testing::message;
using heed::testing::near;
using heed::testing::random_tensor;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A layer with one weight, `y = x + w`, whose backward is told how to be wrong.
struct Shift {
  double factor = 1;  ///< on dw
  Index wrong = -1;   ///< the one element of dw to spoil; all when negative
  double dx_factor = 1;

  static constexpr std::string_view type = "Shift";
  static constexpr auto fields() { return std::tuple{}; }

  inline static int forwards = 0;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const { return x; }
  std::vector<Weight> weights(const Shape& x) const {
    return {{"w", {x.back()}, Initializer::lecun_normal}};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto& w = args.w;
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    ++forwards;
    y.matrix() = x.matrix().rowwise() + w[0].row();
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<const S> dy = args.dy[0];
    const auto& dw = args.dw;
    const View<S> dx = args.dx[0];
    Row<S> sum = dy.matrix().colwise().sum();
    for (Index i = 0; i < sum.size(); ++i) {
      if (wrong < 0 || wrong == i) sum(i) *= factor;
    }
    dw[0].row() += sum;
    if (dx) dx.array() = dx_factor * dy.array();
  }
};

/// A softmax whose backward has lost its second term: `dz = y ∘ dy` for `y ∘ (dy − Σ dy ∘ y)`.
struct HalfSoftmax {
  static constexpr std::string_view type = "HalfSoftmax";
  static constexpr auto fields() { return std::tuple{}; }
  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const { return x; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    y.array() = x.array();
    softmax_rows<S>(y.matrix());
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<const S> y = args.y[0];
    const View<const S> dy = args.dy[0];
    const View<S> dx = args.dx[0];
    if (dx) dx.array() = y.array() * dy.array();
  }
};

GradientCheck check_shift(const Shift& shift, const GradientCheckOptions& options = {}) {
  Model<double> model;
  model.input({4});
  model.add("shift", shift);
  model.build({.seed = 3});
  return gradient_check(model, random_tensor({3, 4}, 1), random_tensor({3, 4}, 2),
                        MeanSquaredError{}, options);
}

Model<double> attention_model() {
  Model<double> model;
  model.input({4, 2});
  model.add(LSTM{.units = 3, .return_sequences = true});
  model.add(StepAttention{});
  model.add(Flatten{});
  model.add(Dense{.units = 2, .activation = Activation::sigmoid});
  model.build({.seed = 5});
  return model;
}

/// Targets in [0, 1].
Tensor<double> random_classes(const Shape& shape, std::uint64_t seed) {
  Tensor<double> y = random_tensor(shape, seed);
  y.array() = (y.array() > 0).select(Eigen::ArrayXd::Ones(y.size()), 0.0);
  return y;
}

}  // namespace

TEST_CASE("A network that is right passes with every loss") {
  const auto model = attention_model();
  const auto x = random_tensor({3, 4, 2}, 1);
  const auto y = random_tensor({3, 2}, 2);
  const auto classes = random_classes({3, 2}, 3);
  CHECK(gradient_check(model, x, y, MeanSquaredError{}).worst < 1e-8);
  CHECK(gradient_check(model, x, y, MeanAbsoluteError{}).worst < 1e-8);
  CHECK(gradient_check(model, x, classes, BinaryCrossentropy{}).worst < 1e-8);
  CHECK(gradient_check(model, x, classes, CategoricalCrossentropy{}).worst < 1e-8);
}

TEST_CASE("A right backward passes, and the worst element is still named") {
  const auto check = check_shift({});
  CHECK(check.worst < 1e-9);
  CHECK((check.parameter == "shift/w" || check.parameter == "x"));
}

TEST_CASE("A weight's wrong gradient is found, with its place and both values") {
  const auto check = check_shift({.factor = 0.5, .wrong = 2});
  CHECK(check.parameter == "shift/w");
  CHECK(check.position == std::vector<Index>{2});
  CHECK(near(check.analytic * 2, check.numeric));
  CHECK(near(check.worst, 0.5));
}

TEST_CASE("A wrong gradient of the input is found") {
  const auto check = check_shift({.dx_factor = -1});
  CHECK(check.parameter == "x");
  CHECK(check.position.size() == 2);
  CHECK(near(check.worst, 2));
}

TEST_CASE("A gradient that is forgotten is found") {
  const auto check = check_shift({.factor = 0});
  CHECK(check.analytic == 0);
  CHECK(near(check.worst, 1));
}

TEST_CASE("An error of one part in a hundred thousand is seen as that") {
  CHECK(near(check_shift({.factor = 1 + 1e-5}).worst, 1e-5, 0.01));
  CHECK(near(check_shift({.dx_factor = 1 - 1e-5}).worst, 1e-5, 0.01));
}

TEST_CASE("A dropped term in a backward fails the check") {
  Model<double> model;
  model.input({4});
  model.add("dense", Dense{.units = 3});
  model.add(HalfSoftmax{});
  model.build({.seed = 1});
  const auto x = random_tensor({2, 4}, 1);
  const auto y = random_tensor({2, 3}, 2);
  CHECK(gradient_check(model, x, y, MeanSquaredError{}).worst > 0.1);

  Model<double> right;
  right.input({4});
  right.add("dense", Dense{.units = 3, .activation = Activation::softmax});
  right.build({.seed = 1});
  CHECK(gradient_check(right, x, y, MeanSquaredError{}).worst < 1e-8);
}

TEST_CASE("What is not a number counts as infinitely wrong") {
  const auto check = check_shift({.factor = std::numeric_limits<double>::quiet_NaN(), .wrong = 1});
  CHECK(check.worst == infinity);
  CHECK(check.position == std::vector<Index>{1});
  CHECK(check_shift({.dx_factor = infinity}).worst == infinity);
}

TEST_CASE("The check changes neither the model nor the data") {
  const auto model = attention_model();
  const Arena<double> weights(model.weights());
  const auto x = random_tensor({1, 4, 2}, 1);
  const auto y = random_tensor({1, 2}, 2);
  const auto x_before = x;
  const auto first = gradient_check(model, x, y, MeanSquaredError{});
  CHECK(model.weights() == weights);
  CHECK(x == x_before);
  const auto second = gradient_check(model, x, y, MeanSquaredError{});
  CHECK(first.worst == second.worst);
  CHECK(first.parameter == second.parameter);
}

TEST_CASE("The number of elements can be bounded") {
  Shift::forwards = 0;
  const auto all = check_shift({.factor = 0.5});
  const int forwards_of_all = std::exchange(Shift::forwards, 0);
  const auto some = check_shift({.factor = 0.5}, {.elements_per_tensor = 1});
  // 4 weights and 12 inputs against one of each; some forwards stand before and between.
  CHECK(Shift::forwards * 6 < forwards_of_all);
  CHECK(near(all.worst, 0.5));
  CHECK(near(some.worst, 0.5));
  CHECK(check_shift({}, {.elements_per_tensor = 100}).worst < 1e-9);

  // With one element a seed finds the wrong one or does not.
  std::vector<bool> found;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const GradientCheckOptions one{.elements_per_tensor = 1, .seed = seed};
    found.push_back(check_shift({.factor = 0.5, .wrong = 2}, one).worst > 0.1);
    CHECK(found.back() == (check_shift({.factor = 0.5, .wrong = 2}, one).worst > 0.1));
  }
  const auto hits = std::count(found.begin(), found.end(), true);
  CHECK((hits > 2 && hits < 25));
}

TEST_CASE("Dropout is checked with one mask, in training and outside of it") {
  Model<double> model;
  model.input({20});
  model.add(Dense{.units = 20});
  model.add(Dropout{.rate = 0.5});
  model.add(Dense{.units = 1});
  model.build();
  const auto x = random_tensor({3, 20}, 1);
  const auto y = random_tensor({3, 1}, 2);
  for (const bool training : {false, true}) {
    const GradientCheckOptions options{.seed = 4, .training = training};
    CHECK(gradient_check(model, x, y, MeanSquaredError{}, options).worst < 1e-8);
  }
}

TEST_CASE("At a kink the differences give the mean of both slopes") {
  Model<double> model;
  model.input({1});
  model.add("relu", Activation{.activation = Activation::relu});
  model.build();
  const Tensor<double, 2> x{{0}};
  const Tensor<double, 2> y{{-1}};
  const auto at_zero = gradient_check(model, x, y, MeanSquaredError{});
  CHECK(at_zero.analytic == 0);
  CHECK(near(at_zero.numeric, 1, 1e-5));
  for (const double beside : {1e-5, -1e-5}) {
    const Tensor<double, 2> near{{beside}};
    CHECK(gradient_check(model, near, y, MeanSquaredError{}).worst < 1e-7);
  }
}

TEST_CASE("A part of the network that the output does not need has a gradient of zero") {
  Model<double> model;
  const Node input = model.input({3});
  const Node output = model.add("used", Dense{.units = 2}, input);
  model.add("unused", Dense{.units = 2}, input);
  model.set_output(output);
  model.build();
  const auto check =
      gradient_check(model, random_tensor({2, 3}, 1), random_tensor({2, 2}, 2), MeanSquaredError{});
  CHECK(check.worst < 1e-8);
}

TEST_CASE("An input that no output depends on has a gradient of zero") {
  Model<double> model;
  const Node left = model.input({3}), right = model.input({2});
  model.add(Dense{.units = 1}, right);
  model.set_output(model.add(Dense{.units = 2}, left));
  model.build();
  const auto check = gradient_check(model, {random_tensor({2, 3}, 1), random_tensor({2, 2}, 2)},
                                    random_tensor({2, 2}, 3), MeanSquaredError{});
  CHECK(check.worst < 1e-8);
}

TEST_CASE("Frozen weights, which have no gradient, are not checked") {
  Model<double> model("net");
  model.input({3});
  model.add("first", Dense{.units = 2, .activation = Activation::tanh});
  model.add("second", Dense{.units = 2});
  model.set_trainable("first", false);
  model.build();
  const auto x = random_tensor({4, 3}, 1), y = random_tensor({4, 2}, 2);
  CHECK(gradient_check(model, x, y, MeanSquaredError{}).worst < 1e-8);
  model.set_trainable("second", false);
  CHECK(gradient_check(model, x, y, MeanSquaredError{}).parameter == "x");
  CHECK(message<ModelError>(
            [&] { gradient_check(model, x, y, MeanSquaredError{}, {.inputs = false}); }) ==
        "model \"net\" has no gradient to check: all weights are frozen, and inputs is false");
}

TEST_CASE("A network of ids is checked without its inputs, and shared weights once") {
  Model<double> model;
  const Node left = model.input({3}), right = model.input({3});
  const Node words = model.add(Embedding{.input_dim = 4, .output_dim = 2, .mask_zero = true}, left);
  const Node again = model.share(words, {right});
  const Node first = model.add(GRU{.units = 2}, words);
  model.add(Add{}, {first, model.share(first, {again})});
  model.build({.seed = 1});
  const Tensor<double, 2> a{{1., 2., 0.}, {3., 3., 1.}}, b{{0., 0., 3.}, {2., 1., 1.}};
  const auto y = random_tensor({2, 2}, 3);
  CHECK(message<DataError>([&] {
          gradient_check(model, {a, b}, y, MeanSquaredError{});
        }).find("expected whole ids") != std::string::npos);
  CHECK(gradient_check(model, {a, b}, y, MeanSquaredError{}, {.inputs = false}).worst < 1e-7);
}

TEST_CASE("What cannot be checked is refused in a sentence") {
  Model<double> model("net");
  model.input({4});
  model.add("dense", Dense{.units = 2});
  const auto x = random_tensor({3, 4}, 1);
  const auto y = random_tensor({3, 2}, 2);
  CHECK(message<ModelError>([&] { gradient_check(model, x, y, MeanSquaredError{}); }) ==
        "model \"net\" is used before build()");
  model.build();
  CHECK(message<ShapeError>([&] { gradient_check(model, y, y, MeanSquaredError{}); }) ==
        "model \"net\": expected x of (samples) and (4), got (3, 2)");
  CHECK(
      message<ShapeError>([&] { gradient_check(model, x, x, MeanSquaredError{}); }) ==
      "mean_squared_error: expected y of (3, 2), which is what Dense \"dense\" gives, got (3, 4)");
  CHECK(message<DataError>([&] {
          gradient_check(model, x.samples(0, 0), y.samples(0, 0), MeanSquaredError{});
        }) == "model \"net\": x has no samples");
  CHECK(message<OptionError>([&] { gradient_check(model, x, y, {}); }) ==
        "model \"net\": expected a loss");
  CHECK(message<OptionError>([&] {
          gradient_check(model, x, y, MeanSquaredError{}, {.elements_per_tensor = -1});
        }) == "expected elements_per_tensor of 0 (all) or more, got -1");
}

TEST_CASE("The result prints as one line") {
  const GradientCheck check{.worst = 2.149e-10,
                            .parameter = "lstm/kernel",
                            .position = {0, 12},
                            .analytic = 0.0123456789,
                            .numeric = -2};
  CHECK(to_text(check) == "2.1e-10 at lstm/kernel (0, 12): analytic 0.0123457, numeric -2");
  std::ostringstream out;
  out << check;
  CHECK(out.str() == to_text(check));
}

TEST_CASE("Extrapolated differences are exact to ten digits for functions of any scale") {
  using detail::derivative;
  const double h = 1.0 / 8;
  CHECK(near(derivative([](double t) { return std::sin(1 + t); }, h), std::cos(1), 1e-11));
  CHECK(near(derivative([](double t) { return std::exp(3 + t); }, h), std::exp(3), 1e-11));
  CHECK(near(derivative([](double t) { return std::sin(300 * t); }, h), 300, 1e-10));
  CHECK(near(derivative([](double t) { return std::tanh(t / 1000); }, h), 1e-3, 1e-9));
  CHECK(near(derivative([](double t) { return (2 + t) * (2 + t) * (2 + t); }, h), 12, 1e-11));
  CHECK(derivative([](double) { return 5.0; }, h) == 0);
  CHECK(near(derivative([](double t) { return std::abs(t + 1e-5); }, h), 1, 1e-9));
  CHECK(derivative([](double t) { return std::abs(t); }, h) == 0);
  CHECK_FALSE(derivative([](double) { return infinity; }, h) == 0);
}

TEST_CASE("The elements to check are all, or different ones at random") {
  CHECK(detail::choose(3, 0, Random(1)) == std::vector<Index>{0, 1, 2});
  CHECK(detail::choose(3, 3, Random(1)) == std::vector<Index>{0, 1, 2});
  auto some = detail::choose(1000, 10, Random(1));
  std::sort(some.begin(), some.end());
  CHECK(some.size() == 10);
  CHECK(std::adjacent_find(some.begin(), some.end()) == some.end());
  CHECK(some.back() < 1000);
  CHECK(detail::position_of(17, Shape{2, 3, 4}) == std::vector<Index>{1, 1, 1});
}

}  // namespace heed::gradient_check_test
