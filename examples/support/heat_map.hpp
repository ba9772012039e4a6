#pragma once

#include <array>

#include <heed/tensor/tensor.hpp>

#include "svg.hpp"

namespace chart {

/// A coloured cell for each value, row 0 on top: attention by sample and step.
struct HeatMap {
  std::string title;
  std::string legend;              ///< what the values are
  std::string x_label;             ///< what the columns are
  std::string y_label;             ///< what the rows are
  heed::Tensor<double, 2> values;  ///< (rows, columns), none of them negative
};

/// From nearly white to dark blue, for values in [0, 1]; darker is more, also in grey.
inline std::string shade(double value) {
  struct Rgb {
    double red, green, blue;
  };
  constexpr std::array<Rgb, 5> stops{
      {{243, 246, 250}, {176, 204, 230}, {82, 147, 200}, {20, 84, 148}, {6, 33, 74}}};
  const double place = std::clamp(value, 0.0, 1.0) * (stops.size() - 1);
  const auto i = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  const double part = place - static_cast<double>(i);
  const auto mixed = [&](double Rgb::*channel) {
    const double level = stops[i].*channel + part * (stops[i + 1].*channel - stops[i].*channel);
    return static_cast<int>(std::lround(level));
  };
  std::string text = "#";
  for (const int level : {mixed(&Rgb::red), mixed(&Rgb::green), mixed(&Rgb::blue)}) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[static_cast<std::size_t>(level / 16)];
    text += digits[static_cast<std::size_t>(level % 16)];
  }
  return text;
}

inline std::string svg(const HeatMap& map) {
  if (map.values.empty()) return Svg(map.title, "No values.").finish();
  const auto rows = static_cast<std::size_t>(map.values.dim(0));
  const auto columns = static_cast<std::size_t>(map.values.dim(1));
  Svg svg(map.title, heed::join("Heat map of ", map.legend, " by ", map.y_label, " (", rows,
                                " rows) and ", map.x_label, " (", columns, " columns)."));
  const Area area{96, 100, 812, 456};
  const double wide = area.wide() / static_cast<double>(columns);
  const double high = area.high() / static_cast<double>(rows);
  const double gap = std::min(wide, high) > 8 ? 1 : 0;
  const double top = ticks(0, map.values.array().maxCoeff()).values.back();

  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const double x = area.left + wide * static_cast<double>(column);
      const double y = area.top + high * static_cast<double>(row);
      svg.rect({x, y, x + wide - gap, y + high - gap}, shade(map.values(row, column) / top));
    }
  }
  for (std::size_t i = 0; i < columns; i += every_nth(32 / wide)) {
    svg.text(area.left + wide * (static_cast<double>(i) + 0.5), area.bottom + 26, std::to_string(i),
             {.size = 16, .anchor = "middle"});
  }
  for (std::size_t i = 0; i < rows; i += every_nth(24 / high)) {
    svg.text(area.left - 12, area.top + high * (static_cast<double>(i) + 0.5) + 5,
             std::to_string(i), {.colour = colour::quiet, .anchor = "end"});
  }
  svg.text((area.left + area.right) / 2, area.bottom + 58, map.x_label,
           {.colour = colour::quiet, .anchor = "middle"});
  const double middle = (area.top + area.bottom) / 2;
  svg.text(38, middle, map.y_label, {.colour = colour::quiet, .anchor = "middle", .turned = -90});

  // The scale: what a colour means.
  const Area scale{840, area.top, 860, area.bottom};
  svg.add("<linearGradient id=\"scale\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">");
  for (int percent = 0; percent <= 100; percent += 25) {
    svg.add("<stop offset=\"", percent, "%\" stop-color=\"", shade(percent / 100.0), "\"/>");
  }
  svg.add("</linearGradient>\n");
  svg.rect(scale, "url(#scale)");
  const Ticks marks = ticks(0, top);
  for (const double mark : marks.values) {
    svg.text(scale.right + 8, scale.bottom - scale.high() * mark / top + 5,
             fixed(mark, marks.decimals), {.colour = colour::quiet});
  }
  svg.text(scale.right, scale.top - 14, map.legend, {.colour = colour::quiet, .anchor = "middle"});
  return std::move(svg).finish();
}

}  // namespace chart
