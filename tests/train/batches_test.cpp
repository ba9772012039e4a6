#include <algorithm>
#include <heed/train/batches.hpp>
#include <limits>

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

namespace {

/// 23 samples of 1 to 7 steps, each of which is its number.
const Sequences<float> uneven = [] {
  Sequences<float> sequences;
  for (Index n = 0; n < 23; ++n)
    sequences.push_back(
        std::vector<float>(static_cast<std::size_t>(n * 5 % 7 + 1), static_cast<float>(n)));
  return sequences;
}();

struct Epoch {
  std::vector<Index> order;
  Index padding = 0;  ///< steps that do not count
};

Epoch run(detail::Batches<float>& batches, std::uint64_t number) {
  Epoch epoch;
  batches.begin_epoch(number);
  for (Index step = 0; step < batches.steps(); ++step) {
    const Batch<float> batch = batches.batch(step);
    for (Index n = 0; n < batch.samples(); ++n) {
      epoch.order.push_back(static_cast<Index>(batch.inputs.x[0](n, 0)));
      const std::uint8_t* const row =
          batch.inputs.masks[0].data() + n * batch.inputs.masks[0].dim(1);
      epoch.padding += std::count(row, row + batch.inputs.masks[0].dim(1), 0);
    }
  }
  return epoch;
}

Epoch run(const detail::Batches<float>::Order& order, std::uint64_t number, Index batch_size = 4) {
  detail::Batches<float> batches({{uneven}, {uneven}, {}}, batch_size, order);
  return run(batches, number);
}

std::vector<Index> all_samples() {
  std::vector<Index> all(23);
  std::iota(all.begin(), all.end(), Index{0});
  return all;
}

}  // namespace

TEST_CASE("batches of similar lengths have every sample once, and less padding") {
  for (const bool shuffle : {false, true}) {
    const Epoch mixed = run({.shuffle = shuffle, .seed = 3}, 1);
    Epoch similar = run({.shuffle = shuffle, .similar_lengths = true, .seed = 3}, 1);
    CHECK(similar.padding < mixed.padding / 4);
    std::sort(similar.order.begin(), similar.order.end());
    CHECK(similar.order == all_samples());
  }
}

TEST_CASE("the order of batches of similar lengths depends on the seed and the epoch alone") {
  const detail::Batches<float>::Order order{.shuffle = true, .similar_lengths = true, .seed = 3};
  detail::Batches<float> batches({{uneven}, {uneven}, {}}, 4, order);
  const auto first = run(batches, 1).order, second = run(batches, 2).order;
  CHECK(first != second);
  CHECK(run(batches, 1).order == first);
  CHECK(run(order, 2).order == second);
  auto other = order;
  other.seed = 4;
  CHECK(run(other, 1).order != first);
  // Whole batches change their places, and the samples in them do, too.
  std::vector<Index> starts;
  for (std::size_t i = 0; i < 20; i += 4) starts.push_back(uneven.steps(first[i]));
  CHECK(!std::is_sorted(starts.begin(), starts.end()));
  const auto in_order = run({.similar_lengths = true}, 1);
  CHECK(in_order.order == run({.similar_lengths = true}, 2).order);
  CHECK(std::is_sorted(in_order.order.begin(), in_order.order.end(), [](Index a, Index b) {
    return std::pair(uneven.steps(a), a) < std::pair(uneven.steps(b), b);
  }));
}

TEST_CASE("samples are sorted by length among a hundred batches at a time") {
  Sequences<float> many;
  for (Index n = 0; n < 350; ++n)
    many.push_back(std::vector<float>(static_cast<std::size_t>(n % 10 + 1), 0.f));
  detail::Batches<float> batches({{many}, {many}, {}}, 2, {.similar_lengths = true});
  batches.begin_epoch(1);
  std::vector<Index> steps;
  for (Index step = 0; step < batches.steps(); ++step)
    steps.push_back(batches.batch(step).inputs.x[0].dim(1));
  CHECK(std::is_sorted(steps.begin(), steps.begin() + 100));
  CHECK(steps[99] == 10);
  CHECK(steps[100] == 1);
  CHECK(std::is_sorted(steps.begin() + 100, steps.end()));
}

TEST_CASE("a batch of similar lengths may be as large as a number can be") {
  const auto all = run({.similar_lengths = true}, 1, (std::numeric_limits<Index>::max)()).order;
  CHECK(all == run({.similar_lengths = true}, 1, 23).order);
}

TEST_CASE("lengths are those of the first input that has any, by a mask, too") {
  const Numbered data(4);
  const std::vector<std::uint8_t> counts{1, 1, 1, 0, 1, 1, 0, 0};
  const Column<float> masked{data.x, Mask(counts.data(), {4, 2})};
  detail::Batches<float> batches({{data.x, masked}, {data.y}, {}}, 2, {.similar_lengths = true});
  CHECK(epoch(batches, 1) == std::vector<float>{3, 1, 0, 2});
  CHECK(detail::Data<float>{{data.x}, {}, {}}.length(0) == 2);
  CHECK(!detail::Data<float>{{data.x}, {}, {}}.has_lengths());
  CHECK(detail::Data<float>{{data.x, masked}, {}, {}}.has_lengths());
}

TEST_CASE(
    "a window of a batch has so many steps of each input, and as many windows as the longest "
    "needs") {
  detail::Batches<float> batches({{uneven}, {uneven}, {}}, 4, {});
  batches.begin_epoch(1);
  // Of 1, 6, 4 and 2 steps.
  CHECK(batches.windows(0, 2) == 3);
  CHECK(batches.windows(0, 6) == 1);
  CHECK(batches.windows(0, 5) == 2);
  const Batch<float> last = batches.batch(0, {4, 2});
  CHECK(last.inputs.x[0].shape() == Shape{4, 2});
  CHECK(last.inputs.x[0](1, 1) == 1);
  CHECK(last.inputs.x[0](2, 0) == 0);
  CHECK(last.y[0] == last.inputs.x[0]);
}

}  // namespace heed::batches_test
