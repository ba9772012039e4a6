#pragma once

#include <heed/version.hpp>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#if __has_include(<unistd.h>)
#include <sys/ioctl.h>
#include <unistd.h>
#elif __has_include(<io.h>)
#include <io.h>
#endif

namespace heed::detail {

/// Whether stdout is a terminal, rather than a file or a pipe.
inline bool stdout_is_terminal() {
#if __has_include(<unistd.h>)
  return isatty(STDOUT_FILENO) != 0;
#elif __has_include(<io.h>)
  return _isatty(_fileno(stdout)) != 0;
#else
  return false;
#endif
}

/// Whether the terminal can redraw a line; a dumb terminal cannot.
inline bool can_redraw() {
  const char* const name = std::getenv("TERM");
  return name == nullptr || std::string_view(name) != "dumb";
}

/// The number of columns of the terminal; 80 if it is unknown.
inline int terminal_width() {
  int width = 0;
#if __has_include(<unistd.h>) && defined(TIOCGWINSZ)
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) width = size.ws_col;
#endif
  if (const char* columns = std::getenv("COLUMNS"); width <= 0 && columns != nullptr) {
    width = std::atoi(columns);
  }
  return width > 0 ? width : 80;
}

}  // namespace heed::detail
