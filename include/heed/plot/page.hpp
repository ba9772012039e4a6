#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <heed/plot/words.hpp>
#include <heed/tensor/error.hpp>

namespace heed::plot {

/// Options for text on a terminal or in a log. No line is wider than `width`, and there are no
/// colours.
struct TextOptions {
  int width = 80;       ///< columns per line, at least 20
  int height = 40;      ///< lines for the data, at least 2; curves use at most 15
  bool unicode = true;  ///< false: only ASCII, with ? for other characters
};

namespace detail {

/// A chart in text form, built line by line.
class Page {
 public:
  Page(std::string_view title, const TextOptions& options) : options_(options) {
    check<OptionError>(options.width >= 20, "plot::text: expected a width of at least 20, got ",
                       options.width);
    check<OptionError>(options.height >= 2, "plot::text: expected a height of at least 2, got ",
                       options.height);
    if (!title.empty()) add(title), add("");
  }

  std::size_t width() const { return static_cast<std::size_t>(options_.width); }
  std::size_t height() const { return static_cast<std::size_t>(options_.height); }
  bool unicode() const { return options_.unicode; }

  /// The printable part of a label that fits in `most` columns.
  std::string words(std::string_view label, std::size_t most) const {
    if (options_.unicode) return shortened(clean(label), most);
    std::string result;
    for_each_character(clean(label), [&](char32_t code, std::string_view bytes) {
      result += code < 0x80 ? bytes : "?";
    });
    return shortened(result, most, "...");
  }

  /// The labels, padded to the width of the widest, with at most `most` columns.
  std::vector<std::string> aligned(std::vector<std::string> labels, std::size_t most) const {
    std::size_t wide = 0;
    for (std::string& label : labels) {
      label = words(label, most);
      wide = (std::max)(wide, columns(label));
    }
    for (std::string& label : labels) label = right_aligned(label, wide);
    return labels;
  }

  void add(std::string_view line) {
    const std::string text = words(line, width());
    text_ += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }

  /// Adds the pieces, wrapped to as many lines as they need.
  void add_flowing(const std::vector<std::string>& pieces) {
    std::string line;
    for (const std::string& piece : pieces) {
      if (!line.empty() && columns(line) + 3 + columns(piece) > width()) {
        add(line);
        line.clear();
      }
      line += join(line.empty() ? "" : "   ", piece);
    }
    add(line);
  }

  std::string finish() && { return std::move(text_); }

 private:
  TextOptions options_;
  std::string text_;
};

inline std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  for (std::size_t i = 0; i < times; ++i) result += text;
  return result;
}

/// A bar from zero, which is at column `zero`. `length` is in columns; a negative bar extends to
/// the left. The resolution is one eighth of a column on the right of zero and one half on the
/// left.
inline std::string text_bar(double length, std::size_t zero, bool unicode) {
  constexpr std::array<std::string_view, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double size = std::abs(length);
  if (!unicode) {
    const auto full = static_cast<std::size_t>(std::lround(size));
    return std::string(length < 0 ? zero - (std::min)(zero, full) : zero, ' ') +
           std::string(full, '#');
  }
  if (length < 0) {
    const auto halves = static_cast<std::size_t>(std::lround(size * 2));
    const std::size_t taken = (std::min)(zero, (halves + 1) / 2);
    return std::string(zero - taken, ' ') + (halves % 2 == 1 ? "▐" : "") +
           repeated("█", halves / 2);
  }
  const auto filled = static_cast<std::size_t>(std::lround(size * 8));
  return std::string(zero, ' ') + repeated("█", filled / 8) + std::string(eighths[filled % 8]);
}

}  // namespace detail

}  // namespace heed::plot
