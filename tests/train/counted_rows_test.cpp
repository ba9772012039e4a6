#include <heed/layers/dense.hpp>
#include <heed/model/model.hpp>
#include <heed/train/counted_rows.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::counted_rows_test {

using namespace heed::testing;

namespace {

const std::vector<std::uint8_t> counts{1, 0, 1, 1, 0, 0};
const Mask mask(counts.data(), {2, 3});

/// The rows (0, 0), (0, 2) and (1, 0) of a batch.
Tensor<double> counted(const Tensor<double>& x) {
  Tensor<double> rows(Shape{3, x.dim(2)});
  rows.matrix() << x.slice(0).row(0), x.slice(0).row(2), x.slice(1).row(0);
  return rows;
}

}  // namespace

TEST_CASE("A loss with a mask is that of the steps that count, and so is its gradient") {
  const auto y = random_tensor({2, 3, 4}, 1), p = random_tensor({2, 3, 4}, 2);
  const Loss<double> loss = MeanSquaredError{};
  Tensor<double> dp(p.shape()), expected(Shape{3, 4});
  dp.array().setConstant(9);
  detail::CountedRows<double> rows;
  rows.take("y", y, p, mask);
  const double value = rows.loss(loss, dp);
  CHECK(value == loss(counted(y), counted(p), expected));
  CHECK(counted(dp) == expected);
  CHECK((dp.slice(0).row(1).array() == 0).all());
  CHECK((dp.slice(1).bottomRows(2).array() == 0).all());
  CHECK(rows.loss(loss) == value);
  // Without a mask, and with one by which all counts, it is the loss itself.
  const std::vector<std::uint8_t> ones(6, 1);
  for (const Mask& all : {Mask{}, Mask{ones.data(), {2, 3}}}) {
    rows.take("y", y, p, all);
    CHECK(rows.loss(loss) == loss(y, p));
  }
}

TEST_CASE("Where nothing counts there is no loss and no gradient") {
  const auto y = random_tensor({2, 3, 1}, 1), p = random_tensor({2, 3, 1}, 2);
  const std::vector<std::uint8_t> zeros(6, 0);
  Tensor<double> dp(p.shape());
  dp.array().setConstant(9);
  detail::CountedRows<double> rows;
  rows.take("y", y, p, {zeros.data(), {2, 3}});
  CHECK(rows.loss(MeanSquaredError{}, dp) == 0);
  CHECK((dp.array() == 0).all());
  CHECK(rows.count() == 0);
  CHECK(rows.metric(MeanSquaredError{}) == 0);
  CHECK(rows.weighted_metric(MeanSquaredError{}) == 0);
}

TEST_CASE("Targets may lack the last axis with a mask, too") {
  const auto y = random_tensor({2, 3}, 1), p = random_tensor({2, 3, 1}, 2);
  const Tensor<double> long_y(y.view().reshaped({2, 3, 1}));
  const auto loss = [](View<const double> targets, View<const double> predictions) {
    detail::CountedRows<double> rows;
    rows.take("y", targets, predictions, mask);
    return rows.loss(MeanAbsoluteError{});
  };
  CHECK(loss(y, p) == loss(long_y, p));
  CHECK(loss(y, random_tensor({2, 3}, 2)) == loss(y, p));
}

TEST_CASE("Weights multiply the losses of samples, and their number divides them") {
  const auto y = random_tensor({3, 2, 4}, 1), p = random_tensor({3, 2, 4}, 2);
  const Loss<double> loss = MeanSquaredError{};
  const Tensor<double, 1> weight{0.5, 0.0, 3.0};
  Tensor<double> dp(p.shape()), one(Shape{1, 2, 4});
  detail::CountedRows<double> rows;
  rows.take("y", y, p, {}, weight);
  const double value = rows.loss(loss, dp);
  double expected = 0;
  for (Index n = 0; n < 3; ++n) {
    expected += weight(n) * loss(y.samples(n, 1), p.samples(n, 1), one) / 3;
    one.array() *= weight(n) / 3;
    CHECK(distance(dp.samples(n, 1), one) < 1e-16);
  }
  CHECK(near(value, expected, 1e-15));
  CHECK(near(rows.weighted_metric(MeanSquaredError{}), expected * 3 / 3.5, 1e-15));
  CHECK(rows.weights() == 7);  // of both steps of each sample
  CHECK(rows.metric(MeanSquaredError{}) == loss(y, p));
  // Ones change nothing but the last bits.
  const Tensor<double, 1> ones{1.0, 1.0, 1.0};
  rows.take("y", y, p, {}, ones);
  CHECK(near(rows.loss(loss), loss(y, p), 1e-15));
}

TEST_CASE("With a mask weights of samples are those of their steps, and steps have their own") {
  const auto y = random_tensor({2, 3, 4}, 1), p = random_tensor({2, 3, 4}, 2);
  const Tensor<double, 1> by_sample{2.0, 5.0};
  Tensor<double, 2> by_step(Shape{2, 3});
  by_step.matrix() << 2, 9, 2, 5, 9, 9;
  const auto loss = [&](View<const double> weight) {
    detail::CountedRows<double> rows;
    rows.take("y", y, p, mask, weight);
    Tensor<double> dp(p.shape());
    const double value = rows.loss(MeanSquaredError{}, dp);
    return std::pair(value, dp);
  };
  CHECK(loss(by_sample) == loss(by_step));
  double expected = 0;
  for (Index row = 0; row < 3; ++row) {
    const Tensor<double> rows[] = {counted(y), counted(p)};
    expected += (row < 2 ? 2 : 5) *
                Loss<double>(MeanSquaredError{})(rows[0].samples(row, 1), rows[1].samples(row, 1)) /
                3;
  }
  CHECK(near(loss(by_sample).first, expected, 1e-15));
}

TEST_CASE(
    "Means are weighed by the steps that count, or by their weights, with a mask and without") {
  const auto y = random_tensor({2, 3, 4}, 1);
  const std::vector<std::uint8_t> ones(6, 1);
  const Tensor<double, 1> by_sample{2.0, 5.0};
  Tensor<double, 2> by_step(Shape{2, 3});
  by_step.matrix() << 2, 2, 2, 5, 5, 5;
  const View<const double> weights[] = {by_sample, by_step};
  detail::CountedRows<double> rows;
  for (const Mask& all : {Mask{}, Mask{ones.data(), {2, 3}}}) {
    rows.take("y", y, y, all);
    CHECK(rows.count() == 6);
    CHECK(rows.weights() == 6);
    for (const View<const double>& weight : weights) {
      rows.take("y", y, y, all, weight);
      CHECK(rows.count() == 6);
      CHECK(rows.weights() == 21);
    }
  }
  for (const View<const double>& weight : weights) {
    rows.take("y", y, y, mask, weight);
    CHECK(rows.count() == 3);
    CHECK(rows.weights() == 9);
  }
  const auto flat = random_tensor({2, 4}, 1);
  rows.take("y", flat, flat);
  CHECK(rows.count() == 2);
  rows.take("y", flat, flat, {}, by_sample);
  CHECK(rows.weights() == 7);
}

TEST_CASE("Weights of another shape are refused") {
  const auto y = random_tensor({2, 3, 4}, 1), flat = random_tensor({2, 4}, 1);
  const auto refused = [](View<const double> p, const Shape& shape) {
    return message<ShapeError>(
        [&] { detail::CountedRows<double>().take("mse", p, p, {}, random_tensor(shape, 1)); });
  };
  CHECK(refused(y, {3}) ==
        "mse: expected a sample_weight of (2) or (2, 3) for predictions of (2, 3, 4), got (3)");
  CHECK(refused(flat, {2, 4}) ==
        "mse: expected a sample_weight of (2) for predictions of (2, 4), got (2, 4)");
  CHECK(refused(y, {2, 3}) == "(nothing thrown)");
}

}  // namespace heed::counted_rows_test
