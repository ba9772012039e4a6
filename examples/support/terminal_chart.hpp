#pragma once

#include <array>

#include "bar_chart.hpp"

namespace chart {

/// The bars as text, one line each, `columns` wide for the largest: an eighth of a column is seen.
inline std::string text(const Bars& bars, int columns = 48) {
  constexpr std::array<std::string_view, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  std::size_t label_wide = bars.x_label.size(), value_wide = bars.legend.size();
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    label_wide = std::max(label_wide, bars.label(i).size());
    value_wide = std::max(value_wide, fixed(bars.values[i], bars.decimals).size());
  }
  const auto right = [](std::string_view words, std::size_t wide) {
    return std::string(wide - words.size(), ' ') + std::string(words);
  };
  std::string result = bars.title + "\n\n";
  result += right(bars.x_label, label_wide) + "  " + right(bars.legend, value_wide) + "\n";
  const double most = bars.values.empty() ? 0 : bars.values[bars.largest()];
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    const double part = most > 0 ? bars.values[i] / most : 0;
    const auto filled = static_cast<std::size_t>(std::lround(part * columns * 8));
    result += right(bars.label(i), label_wide) + "  " +
              right(fixed(bars.values[i], bars.decimals), value_wide) + "  ";
    for (std::size_t full = 0; full < filled / 8; ++full) result += "█";
    result += eighths[filled % 8];
    result += "\n";
  }
  return result;
}

}  // namespace chart
