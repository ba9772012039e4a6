#pragma once

#include <array>

#include "svg.hpp"

namespace chart {

/// Curves over 1, 2, …: a loss by epoch. What is not finite is left out.
struct Lines {
  struct Series {
    std::string name;
    std::vector<double> values;
  };
  std::string title;
  std::string x_label;
  std::vector<Series> series;
};

inline std::string svg(const Lines& lines) {
  // Okabe & Ito 2008: colours that the colour-blind tell apart.
  constexpr std::array<std::string_view, 5> palette{"#0072b2", "#c2410c", "#009e73", "#8f4e8b",
                                                    "#566377"};
  std::size_t points = 1;
  double low = 0, high = 0;
  bool first = true;
  std::string names;
  for (const auto& series : lines.series) {
    points = std::max(points, series.values.size());
    names += (names.empty() ? "" : ", ") + series.name;
    for (const double value : series.values) {
      if (!std::isfinite(value)) continue;
      low = first ? value : std::min(low, value);
      high = first ? value : std::max(high, value);
      first = false;
    }
  }
  if (low > 0 && low < 0.5 * high) low = 0;  // a zero line where it costs little

  Svg svg(lines.title, heed::join("Line chart of ", names, " by ", lines.x_label, "."));
  const Area area{96, 128, 912, 456};
  const Ticks marks = ticks(low, high);
  const double bottom = marks.values.front(), top = marks.values.back();
  const auto value_y = [&](double value) {
    return area.bottom - area.high() * (value - bottom) / (top - bottom);
  };
  const double gap = points > 1 ? area.wide() / static_cast<double>(points - 1) : 0;
  const auto point_x = [&](std::size_t i) {
    return points > 1 ? area.left + gap * static_cast<double>(i) : area.left + area.wide() / 2;
  };
  svg.axes(area, marks, value_y, lines.x_label);
  const std::size_t every = points > 1 ? every_nth(36 / gap) : 1;
  for (std::size_t i = 0; i < points; i += every) {
    svg.text(point_x(i), area.bottom + 26, std::to_string(i + 1), {.size = 16, .anchor = "middle"});
  }
  svg.line(area.left, area.bottom, area.right, area.bottom, colour::quiet, 1.5);

  double legend = 48;
  for (std::size_t k = 0; k < lines.series.size(); ++k) {
    const auto& [name, values] = lines.series[k];
    const std::string_view colour = palette[k % palette.size()];
    svg.rect({legend, 83, legend + 22, 87}, colour, 2);
    svg.text(legend + 30, 90, name, {.colour = colour::quiet});
    legend += 62 + 8.6 * static_cast<double>(name.size());

    std::string path, dots;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i])) continue;
      const double x = at(point_x(i)), y = at(value_y(values[i]));
      path += heed::join(path.empty() ? "" : " ", x, ",", y);
      dots += heed::join(
          "<circle cx=\"", x, "\" cy=\"", y, "\" r=\"5\" fill=\"", colour, "\" stroke=\"",
          colour::background, "\" stroke-width=\"2\"><title>",
          escaped(heed::join(name, ", ", lines.x_label, " ", i + 1, ": ", fixed(values[i], 4))),
          "</title></circle>\n");
    }
    svg.add("<polyline points=\"", path, "\" fill=\"none\" stroke=\"", colour,
            "\" stroke-width=\"3\" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>\n");
    if (points <= 60) svg.add(dots);
  }
  return std::move(svg).finish();
}

}  // namespace chart
