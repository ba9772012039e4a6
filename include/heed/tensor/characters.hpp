#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace heed::detail {

/// A UTF-8 character and its length in bytes; U+FFFD for a byte that does not begin a character.
struct Character {
  char32_t code;
  std::size_t bytes;
};

/// The first character of a non-empty text.
inline Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  char32_t code = first & (0xffu >> (bytes + 1));
  bool good = 0xc2 <= first && first <= 0xf4;
  for (std::size_t i = 1; i < bytes; ++i) {
    good = good && (byte(i) & 0xc0u) == 0x80;
    code = (code << 6) | (byte(i) & 0x3fu);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = 0xd800 <= code && code < 0xe000;
  good = good && least[bytes] <= code && code <= 0x10ffff && !is_surrogate;
  return good ? Character{code, bytes} : Character{0xfffd, 1};
}

/// Calls `visit(code, bytes)` for each character; `bytes` is its part of the text.
template <class Visit>
void for_each_character(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const auto [code, bytes] = first_character(text);
    visit(code, text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
}

/// Control characters, which a terminal interprets instead of printing: below 0x20, and 0x7f to
/// 0x9f.
constexpr bool is_control(char32_t code) { return code < 0x20 || (0x7f <= code && code < 0xa0); }

/// Makes text from an untrusted file safe to print on a terminal: control characters, and bytes
/// that are not UTF-8, are written as `\x1b`. Line ends are kept if `keeps_lines` is true.
inline std::string visible(std::string_view text, bool keeps_lines = false) {
  std::string result;
  for_each_character(text, [&](char32_t code, std::string_view bytes) {
    const bool is_no_character = code == 0xfffd && bytes.size() == 1;
    if ((is_control(code) && !(keeps_lines && code == '\n')) || is_no_character) {
      for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        result += "\\x";
        result += "0123456789abcdef"[byte / 16];
        result += "0123456789abcdef"[byte % 16];
      }
    } else {
      result += bytes;
    }
  });
  return result;
}

/// The width of a character in terminal columns: 0 if it combines with the previous character, 2
/// for East Asian characters and emoji.
inline std::size_t columns(char32_t code) {
  struct Range {
    char32_t first, last;
  };
  constexpr std::array<Range, 4> none{
      {{0x300, 0x36f}, {0x200b, 0x200f}, {0x20d0, 0x20f0}, {0xfe00, 0xfe0f}}};
  constexpr std::array<Range, 8> two{{{0x1100, 0x115f},
                                      {0x2e80, 0xa4cf},
                                      {0xac00, 0xd7a3},
                                      {0xf900, 0xfaff},
                                      {0xff00, 0xff60},
                                      {0xffe0, 0xffe6},
                                      {0x1f300, 0x1faff},
                                      {0x20000, 0x3fffd}}};
  const auto within = [code](const Range& range) {
    return range.first <= code && code <= range.last;
  };
  if (std::any_of(none.begin(), none.end(), within)) return 0;
  return std::any_of(two.begin(), two.end(), within) ? 2 : 1;
}

inline std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for_each_character(text, [&](char32_t code, std::string_view) { count += columns(code); });
  return count;
}

}  // namespace heed::detail
