#include <heed/train/blocks.hpp>

#include "support/catch.hpp"

namespace heed::blocks_test {

TEST_CASE("blocks follow each other without a gap and end where the memory ends") {
  for (const Index size : {0, 1, 1023, 1024, 1025, 5000}) {
    CAPTURE(size);
    Index next = 0;
    detail::for_each_block(size, [&](Index first, Index count) {
      CHECK(first == next);
      CHECK(count > 0);
      next += count;
    });
    CHECK(next == size);
  }
}

}  // namespace heed::blocks_test
