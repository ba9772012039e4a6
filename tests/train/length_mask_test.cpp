#include <heed/train/length_mask.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::length_mask_test {

TEST_CASE("a mask of lengths counts the first steps of each sample") {
  const LengthMask mask({3, 0, 1, 4}, 4);
  const Mask seen = mask;
  CHECK(seen.shape() == Shape{4, 4});
  const std::vector<int> counts(seen.data(), seen.data() + seen.size());
  CHECK(counts == std::vector<int>{1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1});
  const std::vector<Index> lengths{2, 1};
  const LengthMask from_vector(lengths, 2);
  const LengthMask same({2, 1}, 2);
  CHECK(Mask(from_vector) == Mask(same));
}

TEST_CASE("a mask of lengths that do not fit is refused") {
  const auto refused = [](std::initializer_list<Index> lengths, Index steps) {
    return testing::message<ShapeError>([&] { LengthMask(lengths, steps); });
  };
  CHECK(refused({1, 5}, 4) == "LengthMask: expected lengths from 0 to 4, got 5 for sample 1");
  CHECK(refused({-1}, 4) == "LengthMask: expected lengths from 0 to 4, got -1 for sample 0");
  CHECK(refused({}, any) == "LengthMask: expected 0 steps or more, got -1");
  static_assert(!std::is_convertible_v<LengthMask, Mask>);  // a mask of freed memory
}

}  // namespace heed::length_mask_test
