#include <heed/train/position.hpp>

#include "support/catch.hpp"

namespace heed::position_test {

TEST_CASE("an offset in row-major order is said as a position") {
  CHECK(detail::position_text({4, 3, 2}, 19) == "(3, 0, 1)");
  CHECK(detail::position_text({4, 3, 2}, 0) == "(0, 0, 0)");
  CHECK(detail::position_text({5}, 4) == "(4)");
}

}  // namespace heed::position_test
