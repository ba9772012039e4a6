#include <heed/layers/dense.hpp>
#include <heed/model/model.hpp>
#include <heed/train/counted_rows.hpp>
#include <heed/train/evaluation.hpp>

#include "support/catch.hpp"
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
  const double value = rows.loss(loss, y, p, mask, dp);
  CHECK(value == loss(counted(y), counted(p), expected));
  CHECK(counted(dp) == expected);
  CHECK((dp.slice(0).row(1).array() == 0).all());
  CHECK((dp.slice(1).bottomRows(2).array() == 0).all());
  CHECK(rows.loss(loss, y, p, mask) == value);
  // Without a mask, and with one by which all counts, it is the loss itself.
  const std::vector<std::uint8_t> ones(6, 1);
  CHECK(rows.loss(loss, y, p, {}) == loss(y, p));
  CHECK(rows.loss(loss, y, p, {ones.data(), {2, 3}}) == loss(y, p));
}

TEST_CASE("Where nothing counts there is no loss and no gradient") {
  const auto y = random_tensor({2, 3, 1}, 1), p = random_tensor({2, 3, 1}, 2);
  const std::vector<std::uint8_t> zeros(6, 0);
  Tensor<double> dp(p.shape());
  dp.array().setConstant(9);
  detail::CountedRows<double> rows;
  CHECK(rows.loss(MeanSquaredError{}, y, p, {zeros.data(), {2, 3}}, dp) == 0);
  CHECK((dp.array() == 0).all());
  CHECK(rows.take(y, p, {zeros.data(), {2, 3}}) == 0);
}

TEST_CASE("Targets may lack the last axis with a mask, too") {
  const auto y = random_tensor({2, 3}, 1), p = random_tensor({2, 3, 1}, 2);
  const Tensor<double> long_y(y.view().reshaped({2, 3, 1}));
  detail::CountedRows<double> rows;
  CHECK(rows.loss(MeanAbsoluteError{}, y, p, mask) ==
        rows.loss(MeanAbsoluteError{}, long_y, p, mask));
  const auto flat = random_tensor({2, 3}, 2);
  CHECK(rows.loss(MeanAbsoluteError{}, y, flat, mask) ==
        rows.loss(MeanAbsoluteError{}, y, p, mask));
}

TEST_CASE("A metric's mean over batches is that over the steps that count") {
  Model<double> model;
  model.input({3, 4});
  model.add(Dense{.units = 4});
  model.build();
  const Objective<double> objective(model.graph(), MeanSquaredError{});
  const auto y = random_tensor({2, 3, 4}, 1), p = random_tensor({2, 3, 4}, 2);
  detail::RunningMeans<double> means({MeanAbsoluteError{}}, "");
  means.reset();
  means.add(1, objective, y, p, mask);
  means.add(4, objective, y, p);
  Logs logs;
  means.write(logs);
  const Metric<double> metric = MeanAbsoluteError{};
  const double expected = (3 * metric(counted(y), counted(p)) + 6 * metric(y, p)) / 9;
  CHECK(std::abs(logs["mean_absolute_error"] - expected) < 1e-15);
  CHECK(logs["loss"] == 2.5);
}

}  // namespace heed::counted_rows_test
