#include <heed/model/columns.hpp>

#include <optional>
#include <utility>

#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::columns_test {

using testing::random_tensor;

namespace {

const auto x = random_tensor({3, 4, 2}, 1);
const std::vector<std::uint8_t> counts{1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1};
const Mask mask(counts.data(), {3, 4});

/// Of 3, 1, 0 and 5 steps.
Sequences<double> uneven() {
  Sequences<double> sequences(Shape{2});
  for (const Index steps : {3, 1, 0, 5}) sequences.push_back(random_tensor({steps, 2}, 7));
  return sequences;
}

}  // namespace

TEST_CASE("A column of a tensor is the tensor, with its mask") {
  const Column<double> plain = x, masked{x, mask};
  CHECK(plain.samples() == 3);
  CHECK(plain.shape() == x.shape());
  CHECK(plain.values().data() == x.data());
  CHECK(!plain.mask());
  CHECK(!plain.has_lengths());
  CHECK(plain.steps(1) == 4);
  CHECK(plain.counted_steps(1) == 4);
  CHECK(masked.mask().data() == counts.data());
  CHECK(masked.has_lengths());
  CHECK(masked.steps(0) == 4);
  CHECK(masked.counted_steps(0) == 3);
  CHECK(masked.counted_steps(1) == 0);
  CHECK(masked.counted_steps(2) == 4);
  CHECK(masked.sequences() == nullptr);
  // Without a time axis there is one step.
  const auto flat = random_tensor({3}, 1);
  CHECK(Column<double>(flat).steps(0) == 1);
  CHECK(!Column<double>());
  CHECK(Column<double>().samples() == 0);
  CHECK(bool(plain));
}

TEST_CASE("A column keeps a temporary, and refers to what has a name") {
  auto tensor = random_tensor({3, 4, 2}, 1);
  const double* const numbers = tensor.data();
  std::optional<Column<double>> kept = Column<double>(std::move(tensor), mask);
  const Column<double> part = kept->part(1, 2), same = *kept;
  tensor = random_tensor({3, 4, 2}, 2);
  kept.reset();
  CHECK(same.values().data() == numbers);  // moved, not copied
  CHECK(same.values() == x.view());
  CHECK(same.mask().data() == counts.data());
  CHECK(part.values() == x.view().samples(1, 2));
  CHECK(Column<double>(x).values().data() == x.data());
  // Of a rank that is known.
  Tensor<double, 2> matrix{{1, 2}, {3, 4}};
  const Column<double> of_matrix = std::move(matrix);
  matrix = Tensor<double, 2>{{5, 6}, {7, 8}};
  CHECK(of_matrix.values()(1, 0) == 3);
  auto moved = uneven();
  const Column<double> sequences = std::move(moved);
  moved = Sequences<double>(Shape{2});
  CHECK(sequences.samples() == 4);
  const auto same_sequences = uneven();
  CHECK(sequences.part(3, 1).sequence(0) == same_sequences[3]);
  // A list, as options have it.
  Columns<double> list{random_tensor({3, 4, 2}, 1), uneven()};
  CHECK(list.things()[0].values() == x.view());
  CHECK(list.things()[1].sequences()->samples() == 4);
}

TEST_CASE("A part of a column is its samples, and their mask") {
  const Column<double> part = Column<double>{x, mask}.part(1, 2);
  CHECK(part.samples() == 2);
  CHECK(part.values() == x.view().samples(1, 2));
  CHECK(part.mask() == mask.samples(1, 2));
  CHECK(part.counted_steps(0) == 0);
  CHECK(part.part(1, 1).counted_steps(0) == 4);
}

TEST_CASE("A column under another shape keeps its numbers and its mask") {
  const Column<double> column = Column<double>{x, mask}.reshaped({3, 4, 2, 1});
  CHECK(column.shape() == Shape{3, 4, 2, 1});
  CHECK(column.values().data() == x.data());
  CHECK(column.mask().data() == counts.data());
}

TEST_CASE("A column of Sequences has their lengths, and no length of its own unless it is padded") {
  const auto sequences = uneven();
  const Column<double> column = sequences;
  CHECK(bool(column));
  CHECK(column.samples() == 4);
  CHECK(column.shape() == Shape{4, any, 2});
  CHECK(column.has_lengths());
  CHECK(!column.values());
  CHECK(column.padding() == any);
  CHECK(column.steps(0) == 3);
  CHECK(column.counted_steps(3) == 5);
  const Column<double> padded = column.padded(6);
  CHECK(padded.shape() == Shape{4, 6, 2});
  CHECK(padded.padding() == 6);
  CHECK(padded.steps(0) == 6);
  CHECK(padded.counted_steps(0) == 3);
  CHECK(padded.sequence(0) == sequences[0]);
}

TEST_CASE("Sequences of one length have that length in their shape") {
  const Sequences<double> even{x.sample(0), x.sample(1)};
  CHECK(Column<double>(even).shape() == Shape{2, 4, 2});
  const Sequences<double> none(Shape{2});
  CHECK(Column<double>(none).shape() == Shape{0, any, 2});
  CHECK(!Column<double>(none).values());
  CHECK(bool(Column<double>(none)));
}

TEST_CASE("A part of Sequences begins where it says") {
  const auto sequences = uneven();
  const Column<double> part = Column<double>(sequences).part(1, 3);
  CHECK(part.samples() == 3);
  CHECK(part.steps(0) == 1);
  CHECK(part.counted_steps(2) == 5);
  CHECK(part.sequence(2) == sequences[3]);
  CHECK(part.part(1, 2).sequence(1) == sequences[3]);
  CHECK(part.part(0, 1).shape() == Shape{1, 1, 2});
  CHECK(part.shape() == Shape{3, any, 2});
}

TEST_CASE("Columns are one thing, a list, or a list by names, with masks and without") {
  const auto sequences = uneven();
  const auto y = random_tensor({3, 2}, 1);
  const std::vector<std::string> names{"left", "right"};
  const auto ordered = [&](const Columns<double>& columns) {
    return columns.in_order<ShapeError>(names, "data", "inputs");
  };
  CHECK(Columns<double>(x).size() == 1);
  CHECK(Columns<double>(sequences).things()[0].sequences() == &sequences);
  CHECK(Columns<double>{{x, mask}}.things()[0].mask() == mask);
  const auto by_order = ordered({{x, mask}, sequences});
  const auto by_name = ordered({{"right", sequences}, {"left", {x, mask}}});
  for (const auto& list : {by_order, by_name}) {
    CHECK(list[0].mask() == mask);
    CHECK(list[0].values().data() == x.data());
    CHECK(list[1].sequences() == &sequences);
  }
  CHECK(ordered({x, y})[1].values().data() == y.data());
}

}  // namespace heed::columns_test
