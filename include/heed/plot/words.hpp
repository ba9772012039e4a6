#pragma once

#include <heed/version.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <heed/tensor/characters.hpp>

namespace heed::plot::detail {

using heed::detail::columns;
using heed::detail::for_each_character;
using heed::detail::is_control;

/// The text as one line of valid UTF-8. Characters that are invalid, not allowed in XML or unsafe
/// for a terminal become U+FFFD; tabs and line ends become spaces.
inline std::string clean(std::string_view text) {
  std::string result;
  for_each_character(text, [&](char32_t code, std::string_view bytes) {
    if (code == '\t' || code == '\n' || code == '\r') {
      result += ' ';
    } else if (is_control(code) || (0xfffd <= code && code <= 0xffff)) {
      result += "\xef\xbf\xbd";
    } else {
      result += bytes;
    }
  });
  return result;
}

/// Shortens a text to at most `most` columns; a shortened text ends in an ellipsis.
inline std::string shortened(std::string_view text, std::size_t most,
                             std::string_view ellipsis = "…") {
  if (columns(text) <= most) return std::string(text);
  const std::size_t room = most - (std::min)(most, columns(ellipsis));
  std::string result;
  std::size_t taken = 0;
  bool is_full = false;
  for_each_character(text, [&](char32_t code, std::string_view bytes) {
    taken += columns(code);
    is_full = is_full || taken > room;
    if (!is_full) result += bytes;
  });
  return result + std::string(ellipsis);
}

/// Pads the text with spaces on the left, or on the right, to the given width.
inline std::string right_aligned(std::string_view text, std::size_t wide) {
  return std::string(wide - (std::min)(wide, columns(text)), ' ') + std::string(text);
}
inline std::string left_aligned(std::string_view text, std::size_t wide) {
  return std::string(text) + std::string(wide - (std::min)(wide, columns(text)), ' ');
}

/// Escapes `&`, `<`, `>` and quotes for XML.
inline std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : clean(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += c;
    }
  }
  return result;
}

}  // namespace heed::plot::detail
