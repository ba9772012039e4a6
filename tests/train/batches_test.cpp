#include <algorithm>
#include <heed/train/batches.hpp>

#include "support/catch.hpp"

namespace heed::batches_test {

namespace {

/// Samples whose x is (10 n, 10 n + 1) and whose y is n.
struct Numbered {
  Tensor<float, 2> x;
  Tensor<float, 1> y;
  explicit Numbered(Index samples) : x(Shape{samples, 2}), y(Shape{samples}) {
    for (Index n = 0; n < samples; ++n) {
      y(n) = static_cast<float>(n);
      x(n, 0) = 10 * y(n);
      x(n, 1) = 10 * y(n) + 1;
    }
  }
  operator detail::Data<float>() const { return {{x}, {y}, {}}; }
};

/// The targets of an epoch in their order; checks that x belongs to y in every batch.
std::vector<float> epoch(detail::Batches<float>& batches, std::uint64_t number,
                         std::vector<Index>* sizes = nullptr) {
  batches.begin_epoch(number);
  std::vector<float> order;
  for (Index step = 0; step < batches.steps(); ++step) {
    const Batch<float> batch = batches.batch(step);
    const auto x = batch.inputs.x[0], y = batch.y[0];
    if (sizes != nullptr) sizes->push_back(batch.samples());
    for (Index n = 0; n < batch.samples(); ++n) {
      CHECK(x(n, 0) == 10 * y(n));
      CHECK(x(n, 1) == 10 * y(n) + 1);
      order.push_back(y(n));
    }
  }
  return order;
}

std::vector<float> sorted(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

TEST_CASE("without shuffling batches are the data itself, the last one smaller") {
  const Numbered data(10);
  detail::Batches<float> batches(data, 4, {.shuffle = false, .seed = 0});
  std::vector<Index> sizes;
  CHECK(batches.steps() == 3);
  CHECK(epoch(batches, 1, &sizes) == std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(sizes == std::vector<Index>{4, 4, 2});
  CHECK(batches.batch(1).inputs.x[0].data() == data.x.data() + 8);
}

TEST_CASE("a shuffled epoch has every sample once, in an order of its own") {
  const Numbered data(100);
  detail::Batches<float> batches(data, 32, {.shuffle = true, .seed = 7});
  const auto all = epoch(batches, 1);
  const auto next = epoch(batches, 2);
  CHECK(all != sorted(all));
  CHECK(next != all);
  CHECK(sorted(all) == std::vector<float>(data.y.values().begin(), data.y.values().end()));
  CHECK(sorted(next) == sorted(all));
}

TEST_CASE("the order depends on the seed and the epoch alone") {
  const Numbered data(100);
  detail::Batches<float> batches(data, 32, {.shuffle = true, .seed = 7});
  detail::Batches<float> again(data, 10, {.shuffle = true, .seed = 7});
  detail::Batches<float> other(data, 32, {.shuffle = true, .seed = 8});
  const auto first = epoch(batches, 1);
  const auto third = epoch(batches, 3);
  CHECK(epoch(again, 3) == third);
  CHECK(epoch(batches, 1) == first);
  CHECK(epoch(other, 1) != first);
}

TEST_CASE("the number of steps is rounded up") {
  const Numbered data(9);
  const auto steps = [&](Index batch_size) {
    return detail::Batches<float>(data, batch_size, {.shuffle = true, .seed = 0}).steps();
  };
  CHECK(steps(1) == 9);
  CHECK(steps(3) == 3);
  CHECK(steps(4) == 3);
  CHECK(steps(9) == 1);
  CHECK(steps(100) == 1);
}

}  // namespace heed::batches_test
