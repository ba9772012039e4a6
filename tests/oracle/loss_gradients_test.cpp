#include "oracle.hpp"

namespace heed::loss_gradients_test {

using namespace heed::testing;

namespace {

/// Numbers in (0.02, 0.98).
Tensor<double> random_probabilities(const Shape& shape, std::uint64_t seed) {
  Tensor<double> p = random_tensor(shape, seed, 1.5);
  p.array() = 0.02 + 0.96 * p.array().logistic();
  return p;
}

template <class L>
void check_loss(const L& loss, const Tensor<double>& y, const Tensor<double>& p) {
  CAPTURE(L::name, to_text(p.shape()));
  Tensor<double> dp(p.shape());
  loss.evaluate(y.view(), p.view(), dp.view());
  const Tensor<Dual> targets = to_dual(y);
  Tensor<Dual> predictions = to_dual(p);
  const View<const Dual> given = predictions;
  // A loss of dual numbers is its slope: see Dual's conversion to double.
  check_exact("p", predictions, dp,
              [&] { return loss.evaluate(targets.view(), given, View<Dual>{}); });
}

}  // namespace

TEST_CASE("Gradients of all losses are exact, at all kinds of shapes", "[oracle]") {
  std::uint64_t seed = 1;
  for (const Shape& shape : {Shape{1, 1}, Shape{1, 3}, Shape{7, 1}, Shape{5, 9}, Shape{2, 3, 5}}) {
    const auto shares = random_probabilities(shape, ++seed);
    const auto p = random_probabilities(shape, ++seed);
    const auto z = random_tensor(shape, ++seed, 3);
    const auto values = random_tensor(shape, ++seed);
    for (const double smoothing : {0.0, 0.2}) {
      check_loss(BinaryCrossentropy{.label_smoothing = smoothing}, shares, p);
      check_loss(BinaryCrossentropy{.from_logits = true, .label_smoothing = smoothing}, shares, z);
      check_loss(CategoricalCrossentropy{.label_smoothing = smoothing}, shares, p);
      check_loss(CategoricalCrossentropy{.from_logits = true, .label_smoothing = smoothing}, shares,
                 z);
    }
    check_loss(MeanSquaredError{}, values, z);
    check_loss(MeanAbsoluteError{}, values, z);
  }
}

TEST_CASE("Gradients of losses are exact where probabilities are clipped", "[oracle]") {
  const Tensor<double> y = random_probabilities({2, 4}, 3);
  Tensor<double> p(Shape{2, 4});
  p.array() << 0, 1, 1e-9, 1 - 1e-9, 0.5, 1e-6, 1 - 1e-6, 2;
  check_loss(BinaryCrossentropy{}, y, p);
  check_loss(CategoricalCrossentropy{}, y, p);
}

TEST_CASE("Gradients of losses of extreme logits are exact", "[oracle]") {
  const Tensor<double> y = random_probabilities({2, 4}, 5);
  Tensor<double> z(Shape{2, 4});
  z.array() << -1e4, 1e4, 30, -30, 100, 1e-9, -100, 2;
  check_loss(BinaryCrossentropy{.from_logits = true}, y, z);
  check_loss(CategoricalCrossentropy{.from_logits = true}, y, z);
}

}  // namespace heed::loss_gradients_test
