#include <heed/layers/steps.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"

namespace heed::steps_test {

TEST_CASE("A table of steps lists those that count, and samples by falling length") {
  const std::vector<std::uint8_t> counts{1, 0, 1,  //
                                         0, 0, 0,  //
                                         1, 1, 1,  //
                                         0, 0, 1,  //
                                         2, 1, 0};
  StepTable table;
  table.assign({counts.data(), {5, 3}});
  CHECK(table.samples() == 5);
  CHECK(table.steps() == 3);
  CHECK(table.longest() == 3);
  CHECK(table.shortest() == 0);
  const Index order[] = {2, 0, 4, 3, 1};
  for (Index row = 0; row < 5; ++row) CHECK(table.sample(row) == order[row]);
  const Index rows[] = {4, 3, 1};
  for (Index k = 0, first = 0; k < 3; first += rows[k++]) {
    CHECK(table.rows(k) == rows[k]);
    CHECK(table.first(k) == first);
  }
  CHECK(table.first(3) == 8);
  CHECK(table.length(3) == 1);
  CHECK(table.step(3, 0) == 2);
  CHECK(table.step(0, 1) == 2);
  CHECK(table.counts(4, 0));
  CHECK_FALSE(table.counts(4, 2));
}

TEST_CASE("Where nothing is said all steps count") {
  const Steps steps;
  CHECK_FALSE(steps);
  CHECK(steps.counts(7, 9));
}

TEST_CASE("A second table of a size allocates nothing") {
  const std::vector<std::uint8_t> some{1, 0, 1, 1, 1, 1}, others{0, 0, 0, 1, 0, 1};
  StepTable table;
  table.assign({some.data(), {2, 3}});
  const testing::Allocations allocations;
  table.assign({others.data(), {2, 3}});
  CHECK(allocations.count() == 0);
  CHECK(table.longest() == 2);
}

}  // namespace heed::steps_test
