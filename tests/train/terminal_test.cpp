#include <heed/train/terminal.hpp>

#include "support/catch.hpp"

namespace heed::terminal_test {

TEST_CASE("a terminal has a width, and without one there is a usual width") {
  CHECK(heed::detail::terminal_width() > 0);
  if (!heed::detail::stdout_is_terminal() && std::getenv("COLUMNS") == nullptr) {
    CHECK(heed::detail::terminal_width() == 80);
  }
}

}  // namespace heed::terminal_test
