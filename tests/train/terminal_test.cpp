#include <heed/train/terminal.hpp>

#include "support/catch.hpp"

namespace heed::terminal_test {

TEST_CASE("a terminal has a width, and without one there is a usual width") {
  CHECK(heed::detail::terminal_width() > 0);
  if (!heed::detail::stdout_is_terminal() && std::getenv("COLUMNS") == nullptr) {
    CHECK(heed::detail::terminal_width() == 80);
  }
}

#if __has_include(<unistd.h>)
TEST_CASE("without a terminal the environment can say the width") {
  if (heed::detail::stdout_is_terminal()) return;
  const char* before = std::getenv("COLUMNS");
  const std::string kept = before != nullptr ? before : "";
  setenv("COLUMNS", "123", 1);
  CHECK(heed::detail::terminal_width() == 123);
  setenv("COLUMNS", "wide", 1);
  CHECK(heed::detail::terminal_width() == 80);
  if (before != nullptr) {
    setenv("COLUMNS", kept.c_str(), 1);
  } else {
    unsetenv("COLUMNS");
  }
}

TEST_CASE("a dumb terminal is not drawn on") {
  const char* before = std::getenv("TERM");
  const std::string kept = before != nullptr ? before : "";
  setenv("TERM", "dumb", 1);
  CHECK_FALSE(heed::detail::can_redraw());
  setenv("TERM", "xterm", 1);
  CHECK(heed::detail::can_redraw());
  if (before != nullptr) {
    setenv("TERM", kept.c_str(), 1);
  } else {
    unsetenv("TERM");
  }
}
#endif

}  // namespace heed::terminal_test
