#include <heed/train/losses.hpp>
#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::losses_test {

using testing::distance;
using testing::near;
using testing::random_tensor;

namespace {

template <class Scalar>
using Batch = Tensor<Scalar, 2>;

template <class Scalar>
struct Evaluated {
  double loss;
  Batch<Scalar> gradient;
};

template <class L, class Scalar>
Evaluated<Scalar> evaluate(const L& loss, const Batch<Scalar>& y, const Batch<Scalar>& p) {
  Batch<Scalar> gradient(p.shape());
  gradient.array().setConstant(Scalar{7});  // has to be written, not added to
  const double value = loss.evaluate(y.view(), p.view(), gradient.view());
  const double without_gradient = loss.evaluate(y.view(), p.view(), View<Scalar>{});
  CHECK((value == without_gradient || std::isnan(value)));
  return {value, gradient};
}

/// The largest difference between the gradient and a five-point difference of the loss.
template <class L>
double gradient_error(const L& loss, const Batch<double>& y, Batch<double> p) {
  const Batch<double> gradient = evaluate(loss, y, p).gradient;
  double worst = 0;
  for (Index i = 0; i < p.size(); ++i) {
    double& element = p.data()[i];
    const double value = element;
    const double h = 1e-3 * std::min(1.0, std::abs(value));
    const auto at = [&](double step) {
      element = value + step * h;
      return loss.evaluate(std::as_const(y).view(), std::as_const(p).view(), View<double>{});
    };
    const double numeric = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
    element = value;
    worst = std::max(worst, std::abs(numeric - gradient.data()[i]));
  }
  return worst;
}

/// Random numbers in (0.05, 0.95).
Batch<double> random_probabilities(const Shape& shape, std::uint64_t seed) {
  Batch<double> p(random_tensor(shape, seed));
  p.array() = 0.05 + 0.9 * p.array().logistic();
  return p;
}

const Batch<double> y{{0, 1}, {1, 0.3}, {0, 1}};
const Batch<double> p{{0.2, 0.7}, {0.9, 0.4}, {0, 1}};
const Batch<double> z{{-1.5, 2}, {0.3, -0.7}, {4, -1e4}};
const Batch<double> classes{{0, 1, 0}, {0.2, 0.3, 0.5}, {1, 0, 0}};
const Batch<double> class_p{{0.2, 0.7, 0.1}, {0.5, 0.5, 0.5}, {0, 1, 3}};
const Batch<double> class_z{{-1.5, 2, 0.1}, {0.3, -0.7, 0.2}, {-1e4, 1e4, 0}};

}  // namespace

// Values and gradients from Keras 3.15.1 on TensorFlow in float64: keras.losses.X(…)(y, p), and
// tf.GradientTape for its gradient by p.

TEST_CASE("binary cross-entropy of probabilities has Keras's value and gradient") {
  const auto [loss, gradient] = evaluate(BinaryCrossentropy{}, y, p);
  CHECK(near(loss, 0.21960739451820308, 1e-14));
  CHECK(distance(gradient, Batch<double>{{0.20833333333333331, -0.23809523809523808},
                                         {-0.18518518518518517, 0.06944444444444443},
                                         {0, 0}}) < 1e-15);
}

TEST_CASE("binary cross-entropy with label smoothing has Keras's value and gradient") {
  const auto [loss, gradient] = evaluate(BinaryCrossentropy{.label_smoothing = 0.1}, y, p);
  CHECK(near(loss, 0.5265173440559492, 1e-14));
  CHECK(distance(gradient, Batch<double>{{0.15625, -0.19841269841269846},
                                         {-0.0925925925925927, 0.055555555555555525},
                                         {0, 0}}) < 1e-15);
}

TEST_CASE("binary cross-entropy of logits has Keras's value and gradient") {
  const auto [loss, gradient] = evaluate(BinaryCrossentropy{.from_logits = true}, y, z);
  CHECK(near(loss, 1667.5856720850495, 1e-14));
  CHECK(distance(gradient, Batch<double>{{0.03040425396772605, -0.019867153670352924},
                                         {-0.07092624719805685, 0.005302037971972318},
                                         {0.16366896500631806, -0.16666666666666666}}) < 1e-15);

  const BinaryCrossentropy smoothed{.from_logits = true, .label_smoothing = 0.1};
  const auto [smoothed_loss, smoothed_gradient] = evaluate(smoothed, y, z);
  CHECK(near(smoothed_loss, 1584.2530054183828, 1e-14));
  CHECK(distance(smoothed_gradient, Batch<double>{{0.02207092063439272, -0.011533820337019593},
                                                  {-0.06259291386472352, 0.0019687046386389837},
                                                  {0.15533563167298473, -0.15833333333333333}}) <
        1e-15);
}

TEST_CASE("categorical cross-entropy of probabilities has Keras's value and gradient") {
  const auto [loss, gradient] = evaluate(CategoricalCrossentropy{}, classes, class_p);
  CHECK(near(loss, 5.857794294521721, 1e-14));
  CHECK(distance(gradient,
                 Batch<double>{{0.33333333333333337, -0.1428571428571428, 0.33333333333333337},
                               {0.08888888888888888, 0.022222222222222227, -0.1111111111111111},
                               {0, 0, 0}}) < 1e-15);

  const CategoricalCrossentropy smoothed{.label_smoothing = 0.1};
  const auto [smoothed_loss, smoothed_gradient] = evaluate(smoothed, classes, class_p);
  CHECK(near(smoothed_loss, 5.553754941735117, 1e-14));
  CHECK(distance(smoothed_gradient,
                 Batch<double>{
                     {0.2777777777777779, -0.11111111111111105, 0.22222222222222232},
                     {0.07999999999999999, 0.01999999999999999, -0.09999999999999998},
                     {0.005555555555555555, -0.005555555555555555, 0.001851851851851852}}) < 1e-15);
}

TEST_CASE("categorical cross-entropy of logits has Keras's value and gradient") {
  const auto [loss, gradient] =
      evaluate(CategoricalCrossentropy{.from_logits = true}, classes, class_z);
  CHECK(near(loss, 6667.112097362027, 1e-14));
  CHECK(distance(gradient,
                 Batch<double>{{0.008532026225149184, -0.050791428764102586, 0.04225940253895336},
                               {0.08000067202222816, -0.04604410140502671, -0.033956570617201455},
                               {-0.3333333333333333, 0.3333333333333333, 0}}) < 1e-15);

  const CategoricalCrossentropy smoothed{.from_logits = true, .label_smoothing = 0.1};
  const auto [smoothed_loss, smoothed_gradient] = evaluate(smoothed, classes, class_z);
  CHECK(near(smoothed_loss, 6333.839319584248, 1e-14));
  CHECK(distance(smoothed_gradient,
                 Batch<double>{
                     {-0.0025790848859619264, -0.028569206541880367, 0.031148291427842256},
                     {0.07555622757778371, -0.04715521251613783, -0.028401015061645902},
                     {-0.3111111111111111, 0.3222222222222222, -0.01111111111111111}}) < 1e-15);
}

TEST_CASE("squared and absolute error have Keras's values and gradients, 0 where y is met") {
  const Batch<double> t{{0.5, -1}, {2, 0.25}};
  const Batch<double> given{{0.75, -1}, {-1, 3}};
  const auto [mse, mse_gradient] = evaluate(MeanSquaredError{}, t, given);
  CHECK(mse == 4.15625);
  CHECK(mse_gradient == Batch<double>{{0.125, 0}, {-1.5, 1.375}});
  const auto [mae, mae_gradient] = evaluate(MeanAbsoluteError{}, t, given);
  CHECK(mae == 1.5);
  CHECK(mae_gradient == Batch<double>{{0.25, 0}, {-0.25, 0.25}});
}

TEST_CASE("gradients of all losses agree with differences, for one sample and for many blocks") {
  std::uint64_t seed = 1;
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 3}, Shape{5, 4}, Shape{260, 5}}) {
    CAPTURE(to_text(shape));
    const Batch<double> t = random_probabilities(shape, ++seed);
    const Batch<double> q = random_probabilities(shape, ++seed);
    const Batch<double> logits(random_tensor(shape, ++seed, 2));
    CHECK(gradient_error(BinaryCrossentropy{}, t, q) < 1e-9);
    CHECK(gradient_error(BinaryCrossentropy{.label_smoothing = 0.2}, t, q) < 1e-9);
    CHECK(gradient_error(BinaryCrossentropy{.from_logits = true}, t, logits) < 1e-9);
    CHECK(gradient_error(CategoricalCrossentropy{.label_smoothing = 0.2}, t, q) < 1e-9);
    CHECK(gradient_error(CategoricalCrossentropy{.from_logits = true}, t, logits) < 1e-9);
    CHECK(gradient_error(MeanSquaredError{}, t, logits) < 1e-9);
    CHECK(gradient_error(MeanAbsoluteError{}, t, logits) < 1e-9);
  }
}

TEMPLATE_TEST_CASE("nothing overflows for logits of ±1e4", "", float, double) {
  using S = TestType;
  const Batch<S> one_zero{{1, 0}};
  for (const S sign : {S{1}, S{-1}}) {
    const Batch<S> logits{{sign * S{1e4}, -sign * S{1e4}}};
    const auto [bce, bce_gradient] =
        evaluate(BinaryCrossentropy{.from_logits = true}, one_zero, logits);
    CHECK(near(bce, sign > 0 ? 0 : 1e4));
    CHECK(distance(bce_gradient, sign > 0 ? Batch<S>{{0, 0}} : Batch<S>{{S(-0.5), S(0.5)}}) <
          1e-300);
    const auto [cce, cce_gradient] =
        evaluate(CategoricalCrossentropy{.from_logits = true}, one_zero, logits);
    CHECK(near(cce, sign > 0 ? 0 : 2e4));
    CHECK(distance(cce_gradient, sign > 0 ? Batch<S>{{0, 0}} : Batch<S>{{-1, 1}}) < 1e-300);
  }
}

TEST_CASE("floats and doubles give the same losses") {
  const auto to_floats = [](const Batch<double>& values) {
    Batch<float> floats(values.shape());
    floats.array() = values.array().cast<float>();
    return floats;
  };
  const Shape shape{64, 3};
  const auto t = random_probabilities(shape, 11);
  const auto q = random_probabilities(shape, 12);
  const auto check = [&](const auto& loss) {
    CHECK(near(evaluate(loss, to_floats(t), to_floats(q)).loss, evaluate(loss, t, q).loss, 1e-6));
  };
  check(BinaryCrossentropy{});
  check(BinaryCrossentropy{.from_logits = true});
  check(CategoricalCrossentropy{});
  check(CategoricalCrossentropy{.from_logits = true});
  check(MeanSquaredError{});
  check(MeanAbsoluteError{});
}

TEST_CASE("a prediction that is NaN makes every loss NaN") {
  const Batch<double> nan{{0.5, std::numeric_limits<double>::quiet_NaN()}};
  const Batch<double> t{{0, 1}};
  const auto is_nan = [&](const auto& loss) { return std::isnan(evaluate(loss, t, nan).loss); };
  CHECK(is_nan(BinaryCrossentropy{}));
  CHECK(is_nan(BinaryCrossentropy{.from_logits = true}));
  CHECK(is_nan(CategoricalCrossentropy{}));
  CHECK(is_nan(CategoricalCrossentropy{.from_logits = true}));
  CHECK(is_nan(MeanSquaredError{}));
  CHECK(is_nan(MeanAbsoluteError{}));
}

TEST_CASE("binary cross-entropy refuses targets outside [0, 1] and names the first") {
  const auto message = [](const Batch<double>& outside) {
    return testing::message<DataError>([&] { BinaryCrossentropy{}.check_targets(outside.view()); });
  };
  CHECK(message({{0, 1}, {0.5, 1.25}, {-1, 0}}) ==
        "binary_crossentropy: expected targets in [0, 1], y has 1.25 at (1, 1)");
  CHECK(message({{0, 1}, {-0.5, 1}}) ==
        "binary_crossentropy: expected targets in [0, 1], y has -0.5 at (1, 0)");
  BinaryCrossentropy{}.check_targets(y.view());
}

}  // namespace heed::losses_test
