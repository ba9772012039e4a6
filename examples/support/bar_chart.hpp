#pragma once

#include "svg.hpp"

namespace chart {

/// One bar for each value, none of them negative; the largest stands out.
struct Bars {
  std::string title;
  std::string legend;                 ///< what the values are
  std::string x_label;                ///< what the labels are
  std::vector<std::string> labels{};  ///< one for each value; 0, 1, … when empty
  std::vector<double> values;
  int decimals = 1;

  std::string label(std::size_t i) const { return labels.empty() ? std::to_string(i) : labels[i]; }
  std::size_t longest_label() const {
    std::size_t longest = 0;
    for (std::size_t i = 0; i < values.size(); ++i) longest = std::max(longest, label(i).size());
    return longest;
  }
  /// Which bar is the largest, the first of several.
  std::size_t largest() const {
    const auto most = std::max_element(values.begin(), values.end());
    return static_cast<std::size_t>(most - values.begin());
  }
};

inline std::string svg(const Bars& bars) {
  if (bars.values.empty()) return Svg(bars.title, "No values.").finish();
  const std::size_t largest = bars.largest();
  const double most = bars.values[largest];
  Svg svg(bars.title,
          heed::join("Bar chart of ", bars.legend, " by ", bars.x_label, ". The largest of ",
                     bars.values.size(), " values is ", fixed(most, bars.decimals), ", for ",
                     bars.x_label, " ", bars.label(largest), "."));
  svg.rect({48, 78, 62, 92}, colour::bar, 3);
  svg.text(70, 90, bars.legend, {.colour = colour::quiet});

  const Area area{96, 128, 912, 456};
  const Ticks marks = ticks(0, most);
  const auto value_y = [&](double value) {
    return area.bottom - area.high() * value / marks.values.back();
  };
  svg.axes(area, marks, value_y, bars.x_label);

  const double slot = area.wide() / static_cast<double>(bars.values.size());
  const double bar = std::min(slot * 0.68, 96.0);
  const double value_size = std::clamp(slot * 0.22, 12.0, 17.0);
  const bool every_value = slot >= 38;
  const double label_wide = 14.0 + 9.0 * static_cast<double>(bars.longest_label());
  const std::size_t every = every_nth(label_wide / slot);
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    const bool stands_out = i == largest;
    const double middle = area.left + slot * (static_cast<double>(i) + 0.5);
    const double y = value_y(bars.values[i]);
    const std::string value = fixed(bars.values[i], bars.decimals);
    const double round = std::min({5.0, bar / 2, area.bottom - y});
    const double left = at(middle - bar / 2), right = at(middle + bar / 2);
    svg.add("<path d=\"M", left, " ", area.bottom, "V", at(y + round), "Q", left, " ", at(y), " ",
            at(left + round), " ", at(y), "H", at(right - round), "Q", right, " ", at(y), " ",
            right, " ", at(y + round), "V", area.bottom, "Z\" fill=\"",
            stands_out ? colour::accent : colour::bar, "\"><title>",
            escaped(heed::join(bars.x_label, " ", bars.label(i), ": ", value)),
            "</title></path>\n");
    if (every_value || stands_out) {
      const double size = at(stands_out ? value_size + 3 : value_size);
      const double half = 0.31 * size * static_cast<double>(value.size());
      svg.rect({middle - half, y - 8 - size, middle + half, y - 4}, colour::background);
      svg.text(middle, y - 8, value,
               {.size = size,
                .weight = stands_out ? 700 : 400,
                .colour = stands_out ? colour::accent : colour::quiet,
                .anchor = "middle"});
    }
    // A label that would touch that of the largest bar gives way to it.
    const std::size_t distance = i > largest ? i - largest : largest - i;
    if (stands_out || (i % every == 0 && distance >= every)) {
      svg.text(middle, area.bottom + 26, bars.label(i),
               {.size = 16,
                .weight = stands_out ? 700 : 400,
                .colour = stands_out ? colour::accent : colour::ink,
                .anchor = "middle"});
    }
  }
  svg.line(area.left, area.bottom, area.right, area.bottom, colour::quiet, 1.5);
  return std::move(svg).finish();
}

}  // namespace chart
