#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <heed/plot/words.hpp>
#include <heed/tensor/error.hpp>

namespace heed::plot {

/// For a terminal, or a log. No line is wider, and none has colours.
struct TextOptions {
  int width = 80;       ///< columns of a line, at least 20
  int height = 40;      ///< most lines that the data takes, at least 2; curves take at most 15
  bool unicode = true;  ///< false: ASCII alone, with ? for what it does not have
};

namespace detail {

/// A chart of text that grows line by line.
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

  /// What of a label can be printed, and fits in so many columns.
  std::string words(std::string_view label, std::size_t most) const {
    if (options_.unicode) return shortened(clean(label), most);
    std::string result;
    for_each_character(clean(label), [&](char32_t code, std::string_view bytes) {
      result += code < 0x80 ? bytes : "?";
    });
    return shortened(result, most, "...");
  }

  /// The labels, each as wide as the widest, and none of more than so many columns.
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

  /// As many lines as the pieces take.
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

/// A bar from zero, which stands `zero` columns from the left; `length` is in columns, below zero to
/// the left. An eighth of a column is seen on the right of zero, a half on the left.
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
