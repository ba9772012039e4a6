#include <heed/model/take.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::take_test {

using testing::random_tensor;

namespace {

const auto x = random_tensor({4, 3, 2}, 1);
const std::vector<std::uint8_t> counts{1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0};
const Mask mask(counts.data(), {4, 3});
const std::vector<Index> list{2, 0, 3};

Sequences<double> uneven() {
  Sequences<double> sequences(Shape{2});
  for (const Index steps : {3, 1, 0, 5})
    sequences.push_back(random_tensor({steps, 2}, static_cast<std::uint64_t>(steps)));
  return sequences;
}

std::vector<std::uint8_t> bytes(Mask of) { return {of.data(), of.data() + of.size()}; }

/// Whether row i of what was taken is a sample, from step `first` on, and zeros that do not count after it.
void check_row(const detail::Taken<double>& taken, Index i, View<const double> sample,
               Index first = 0) {
  const View<const double> row = taken.values().sample(i);
  for (Index t = 0; t < row.dim(0); ++t) {
    const bool counted = t + first < sample.dim(0);
    CHECK(taken.mask()(i, t) == (counted ? 1 : 0));
    for (Index d = 0; d < 2; ++d) CHECK(row(t, d) == (counted ? sample(t + first, d) : 0));
  }
}

}  // namespace

TEST_CASE("Neighbours of a tensor are taken without a copy") {
  detail::Taken<double> taken;
  taken.take({x, mask}, {1, 2});
  CHECK(taken.values().data() == x.sample(1).data());
  CHECK(taken.values().shape() == Shape{2, 3, 2});
  CHECK(taken.mask().data() == counts.data() + 3);
  taken.take(x, {0, 4});
  CHECK(!taken.mask());
}

TEST_CASE("Samples of a list are put side by side, with their masks") {
  detail::Taken<double> taken;
  taken.take({x, mask}, {0, 3, list});
  REQUIRE(taken.values().shape() == Shape{3, 3, 2});
  for (Index i = 0; i < 3; ++i)
    CHECK(taken.values().sample(i) == x.sample(list[static_cast<std::size_t>(i)]));
  CHECK(bytes(taken.mask()) == std::vector<std::uint8_t>{0, 0, 1, 1, 0, 1, 1, 1, 0});
  taken.take(x, {0, 3, list});
  CHECK(!taken.mask());
  // Targets (N) and (N, C) have no steps.
  const auto flat = random_tensor({4}, 2), rows = random_tensor({4, 5}, 3);
  taken.take(flat, {0, 3, list});
  CHECK(taken.values()(0) == flat(2));
  CHECK(taken.values()(2) == flat(3));
  taken.take(rows, {0, 3, list});
  CHECK(taken.values().matrix().row(1) == rows.matrix().row(0));
}

TEST_CASE(
    "Sequences become a tensor as long as the longest of the batch, with zeros after the end") {
  const auto sequences = uneven();
  detail::Taken<double> taken;
  const auto check_batch = [&](const detail::Rows& rows, Index steps) {
    taken.take(sequences, rows);
    REQUIRE(taken.values().shape() == Shape{rows.count, steps, 2});
    REQUIRE(taken.mask().shape() == Shape{rows.count, steps});
    for (Index i = 0; i < rows.count; ++i) check_row(taken, i, sequences[rows[i]]);
  };
  check_batch({0, 4}, 5);
  check_batch({0, 2}, 3);
  check_batch({0, 3, list}, 5);
  check_batch({2, 1}, 1);  // layers need a step, which does not count
  const Column<double> part = Column<double>(sequences).part(1, 3).padded(7);
  taken.take(part, {0, 3});
  REQUIRE(taken.values().shape() == Shape{3, 7, 2});
  for (Index i = 0; i < 3; ++i) check_row(taken, i, sequences[i + 1]);
}

TEST_CASE("A window of steps is taken of tensors, masks and Sequences") {
  detail::Taken<double> taken;
  taken.take({x, mask}, {1, 2}, {1, 2});
  REQUIRE(taken.values().shape() == Shape{2, 2, 2});
  CHECK(taken.values()(0, 0, 1) == x(1, 1, 1));
  CHECK(taken.values()(1, 1, 0) == x(2, 2, 0));
  CHECK(bytes(taken.mask()) == std::vector<std::uint8_t>{1, 1, 0, 1});
  taken.take(x, {0, 3, list}, {2, 2});  // the last may be shorter
  REQUIRE(taken.values().shape() == Shape{3, 1, 2});
  CHECK(taken.values()(0, 0, 1) == x(2, 2, 1));

  const auto sequences = uneven();
  taken.take(sequences, {0, 4}, {2, 2});
  REQUIRE(taken.values().shape() == Shape{4, 2, 2});
  for (Index i = 0; i < 4; ++i) check_row(taken, i, sequences[i], 2);
  taken.take(sequences, {0, 2},
             {4, 2});  // beyond the end of both there is one step that does not count
  REQUIRE(taken.values().shape() == Shape{2, 1, 2});
  for (Index i = 0; i < 2; ++i) check_row(taken, i, sequences[i], 4);
}

TEST_CASE("Several columns are taken as one batch") {
  const auto sequences = uneven();
  const std::vector<Column<double>> columns{{x, mask}, sequences, x};
  detail::TakenColumns<double> taken;
  taken.take(columns, {0, 3, list});
  REQUIRE(taken.values().size() == 3);
  REQUIRE(taken.masks().size() == 3);
  CHECK(taken.values()[0].sample(0) == x.sample(2));
  CHECK(taken.values()[1].shape() == Shape{3, 5, 2});
  CHECK(taken.values()[1](2, 4, 1) == sequences[3](4, 1));
  CHECK(bool(taken.masks()[0]));
  CHECK(bool(taken.masks()[1]));
  CHECK(!taken.masks()[2]);
  CHECK(taken.inputs().x.size() == 3);
  CHECK(taken.inputs().masks.data() == taken.masks().data());
}

TEST_CASE("A second batch of a size allocates nothing, and a smaller one neither") {
  const auto sequences = uneven();
  const std::vector<Column<double>> columns{{x, mask}, sequences};
  detail::TakenColumns<double> taken;
  taken.take(columns, {0, 3, list});
  const testing::Allocations allocations;
  taken.take(columns, {0, 2});
  taken.take(columns, {0, 2, list});
  taken.take(columns, {0, 3, list});
  const auto count = allocations.count();
  CHECK(count == 0);
}

}  // namespace heed::take_test
