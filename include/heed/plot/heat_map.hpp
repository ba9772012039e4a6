#pragma once

#include <map>

#include <heed/plot/labels.hpp>
#include <heed/tensor/tensor.hpp>

namespace heed::plot {

/// A coloured cell for each value, with row 0 at the top. Zero is pale in the light theme and dark
/// in the dark theme; negative values have a different hue.
struct HeatMap {
  std::string title{};
  std::string legend{};                      ///< what the values mean
  std::string x_label{};                     ///< what the columns mean
  std::string y_label{};                     ///< what the rows mean
  std::vector<std::string> column_labels{};  ///< one for each column; 0, 1, … if empty
  std::vector<std::string> row_labels{};     ///< one for each row; 0, 1, … if empty
  Tensor<double, 2> values{};                ///< (rows, columns)
  bool numbers = false;                      ///< writes each value into its cell if it fits

  std::string column_label(std::size_t i) const {
    return column_labels.empty() ? std::to_string(i) : column_labels[i];
  }
  std::string row_label(std::size_t i) const {
    return row_labels.empty() ? std::to_string(i) : row_labels[i];
  }
};

namespace detail {

/// Throws `DataError` if the map cannot be drawn.
inline void check_drawable(const HeatMap& map) {
  const Shape& shape = map.values.shape();
  check<DataError>(!map.values.empty(), "HeatMap \"", map.title, "\": there are no values to draw");
  const auto check_labels = [&](const std::vector<std::string>& labels, Index axis,
                                std::string_view what) {
    check<DataError>(labels.empty() || std::ssize(labels) == shape[axis], "HeatMap \"", map.title,
                     "\": expected one label for each of ", shape[axis], " ", what, ", got ",
                     labels.size(), " labels");
  };
  check_labels(map.row_labels, 0, "rows");
  check_labels(map.column_labels, 1, "columns");
  for (Index row = 0; row < shape[0]; ++row) {
    for (Index column = 0; column < shape[1]; ++column) {
      const double value = map.values(row, column);
      check<DataError>(std::abs(value) <= most_drawable, "HeatMap \"", map.title,
                       "\": expected numbers of at most 1e300, got ", value, " in row ", row,
                       ", column ", column);
    }
  }
}

/// Reduces the map to at most this many cells: adjacent values share a cell, which shows the value
/// farthest from zero.
inline HeatMap grouped(const HeatMap& map, std::size_t most_rows, std::size_t most_columns) {
  const auto rows = static_cast<std::size_t>(map.values.dim(0));
  const auto columns = static_cast<std::size_t>(map.values.dim(1));
  const std::size_t high = group_size(rows, most_rows), wide = group_size(columns, most_columns);
  if (high * wide == 1) return map;
  HeatMap result = map;
  result.legend += join(map.legend.empty() ? "" : ", ", "the largest of each ", high, " by ", wide);
  result.values = Tensor<double, 2>(Shape{static_cast<Index>((rows + high - 1) / high),
                                          static_cast<Index>((columns + wide - 1) / wide)});
  result.row_labels.clear();
  result.column_labels.clear();
  for (std::size_t i = 0; i < rows; i += high) result.row_labels.push_back(map.row_label(i));
  for (std::size_t i = 0; i < columns; i += wide) {
    result.column_labels.push_back(map.column_label(i));
  }
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      double& cell = result.values(row / high, column / wide);
      cell = farther(cell, map.values(row, column));
    }
  }
  return result;
}

/// A colour of the scale from zero to the largest value; `part` is between -1 and 1.
inline Colour shade(double part) {
  using Stops = std::array<std::uint32_t, 5>;
  constexpr Stops light_above{0xf3f6fa, 0xb0cce6, 0x5293c8, 0x145494, 0x06214a};
  constexpr Stops light_below{0xf3f6fa, 0xf3cfae, 0xe0904f, 0xb3510f, 0x5f2503};
  constexpr Stops dark_above{0x1b2431, 0x1d4a7d, 0x3284c8, 0x8cc6f2, 0xf2f9ff};
  constexpr Stops dark_below{0x1b2431, 0x6e3c14, 0xc46a1e, 0xf3ab6d, 0xfff0df};
  const double place = (std::min)(std::abs(part), 1.0) * 4;
  const auto i = std::min<std::size_t>(static_cast<std::size_t>(place), 3);
  const auto mixed = [&](const Stops& stops) {
    std::uint32_t rgb = 0;
    for (const unsigned shift : {16u, 8u, 0u}) {
      const double from = (stops[i] >> shift) & 0xffu, to = (stops[i + 1] >> shift) & 0xffu;
      const double level = from + (place - static_cast<double>(i)) * (to - from);
      rgb |= static_cast<std::uint32_t>(std::lround(level)) << shift;
    }
    return rgb;
  };
  return part < 0 ? Colour{mixed(light_below), mixed(dark_below)}
                  : Colour{mixed(light_above), mixed(dark_above)};
}

/// Black or white, whichever has more contrast on a colour (WCAG 2.1).
inline Colour ink_on(const Colour& colour) {
  const auto luminance = [](std::uint32_t rgb) {
    double sum = 0, weight = 0.2126;
    for (const unsigned shift : {16u, 8u, 0u}) {
      const double level = ((rgb >> shift) & 0xffu) / 255.0;
      sum += weight * (level <= 0.04045 ? level / 12.92 : std::pow((level + 0.055) / 1.055, 2.4));
      weight = shift == 16 ? 0.7152 : 0.0722;
    }
    return sum;
  };
  const auto ink = [&](std::uint32_t rgb) {
    return luminance(rgb) > 0.179 ? colours::ink.light : colours::background.light;
  };
  return {ink(colour.light), ink(colour.dark)};
}

/// The colour level of a value: 32 levels on each side of zero, so that colours can be told apart.
inline int level_of(double value, double most) {
  return static_cast<int>(std::lround(32 * (value / most)));
}

/// All cells of one colour are dashes of one path; adjacent cells are one dash. If there are few
/// cells, each is a separate path with its value as a tooltip.
inline void draw_cells(Svg& svg, const HeatMap& map, const Area& area, double most) {
  const Index rows = map.values.dim(0), columns = map.values.dim(1);
  const double wide = area.wide() / static_cast<double>(columns);
  const double high = area.high() / static_cast<double>(rows);
  const bool can_point = rows * columns <= 1024;
  const double gap = can_point && (std::min)(wide, high) > 6 ? 1 : 0;
  std::map<int, std::string> levels;
  for (Index row = 0; row < rows; ++row) {
    const double y = at(area.top + high * (static_cast<double>(row) + 0.5) - gap / 2);
    for (Index column = 0, end = 0; column < columns; column = end) {
      const double value = map.values(row, column);
      const int level = level_of(value, most);
      do {
        ++end;
      } while (!can_point && end < columns && level_of(map.values(row, end), most) == level);
      const double x = at(area.left + wide * static_cast<double>(column));
      const std::string dash =
          join("M", x, " ", y, "h", at(wide * static_cast<double>(end - column) - gap));
      if (can_point) {
        const auto r = static_cast<std::size_t>(row), c = static_cast<std::size_t>(column);
        levels[level] += join("<path d=\"", dash, "\"><title>",
                              escaped(join(map.y_label, " ", map.row_label(r), ", ", map.x_label,
                                           " ", map.column_label(c), ": ", brief(value))),
                              "</title></path>\n");
      } else {
        levels[level] += dash;
      }
    }
  }
  for (const auto& [level, cells] : levels) {
    svg.add("<g", svg.outline(shade(level / 32.0)), " stroke-width=\"", at(high - gap), "\"",
            gap > 0 ? ">\n" : " shape-rendering=\"crispEdges\">\n",
            can_point ? cells : join("<path d=\"", cells, "\"/>\n"), "</g>\n");
  }
}

/// Writes each value into the middle of its cell, unless some value is larger than its cell.
inline void draw_numbers(Svg& svg, const HeatMap& map, const Area& area, double most) {
  const Index rows = map.values.dim(0), columns = map.values.dim(1);
  const double wide = area.wide() / static_cast<double>(columns);
  const double high = area.high() / static_cast<double>(rows);
  const NumberFormat format = format_of(map.values.values());
  double widest = 0;
  for (const double value : map.values.values()) {
    widest = (std::max)(widest, text_width(format(value), 1));
  }
  const double size = std::floor((std::min)({16.0, (wide - 6) / widest, high - 6}));
  if (size < 9) return;
  for (Index row = 0; row < rows; ++row) {
    for (Index column = 0; column < columns; ++column) {
      const double value = map.values(row, column);
      svg.text(area.left + wide * (static_cast<double>(column) + 0.5),
               area.top + high * (static_cast<double>(row) + 0.5) + 0.35 * size, format(value),
               {.size = size,
                .colour = ink_on(shade(level_of(value, most) / 32.0)),
                .anchor = "middle"});
    }
  }
}

/// The colour scale.
inline void draw_scale(Svg& svg, const Area& area, const Ticks& ticks) {
  const int lowest = ticks.low() < 0 ? -32 : 0;
  const double high = area.high() / (32 - lowest);
  svg.add("<g shape-rendering=\"crispEdges\">\n");
  for (int level = lowest; level < 32; ++level) {
    const double y = area.bottom - high * (level - lowest);
    svg.rect({area.left, y - high, area.right, y}, shade((level + 0.5) / 32));
  }
  svg.add("</g>\n");
  for (std::size_t i = 0; i < ticks.values.size(); ++i) {
    const double part = ticks.part(ticks.values[i]);
    svg.text(area.right + 8, area.bottom - area.high() * part + 5, ticks.labels[i],
             {.colour = colours::quiet});
  }
}

}  // namespace detail

/// The map as an SVG file. With more than 150 rows or 300 columns, adjacent values share a cell.
/// Throws `DataError` if there are no values, if a number is not finite, or if the number of labels
/// is wrong.
inline std::string svg(const HeatMap& chart, const SvgOptions& options = {}) {
  using namespace detail;
  check_drawable(chart);
  const HeatMap map = grouped(chart, 150, 300);
  const auto rows = static_cast<std::size_t>(map.values.dim(0));
  const auto columns = static_cast<std::size_t>(map.values.dim(1));
  const double least = map.values.array().minCoeff(), most = map.values.array().maxCoeff();
  const double farthest = (std::max)(-least, most);
  const Ticks ticks(least < 0 ? -farthest : 0, farthest);
  Svg svg(map.title,
          join("Heat map of ", rows, " × ", columns, " values", map.legend.empty() ? "" : ": ",
               map.legend, ", by ", map.y_label, " and ", map.x_label, ". They go from ",
               brief(least), " to ", brief(most), "."),
          options);

  double names_wide = 0, scale_wide = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    names_wide = (std::max)(names_wide, text_width(clean(map.row_label(i)), 15));
  }
  for (const std::string& label : ticks.labels) {
    scale_wide = (std::max)(scale_wide, text_width(label, 15));
  }
  names_wide = (std::min)(names_wide, 160.0);
  Area area{(std::max)(96.0, 68 + names_wide), 112, (std::min)(812.0, 848 - scale_wide), 456};
  const double wide = area.wide() / static_cast<double>(columns);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < columns; ++i) names.push_back(map.column_label(i));
  const ColumnLabels labels(std::move(names), !chart.column_labels.empty(), wide);
  area.bottom -= labels.extra_height();
  const double high = area.high() / static_cast<double>(rows);

  draw_cells(svg, map, area, ticks.high());
  if (map.numbers) draw_numbers(svg, map, area, ticks.high());
  labels.draw(svg, area.left, area.bottom);
  for (std::size_t i = 0; i < rows; i += every_nth(20 / high)) {
    svg.text(area.left - 12, area.top + high * (static_cast<double>(i) + 0.5) + 5,
             fitted(map.row_label(i), 15, 160), {.colour = colours::quiet, .anchor = "end"});
  }
  svg.axis_names(area, map.x_label, map.y_label);
  draw_scale(svg, {area.right + 28, area.top, area.right + 48, area.bottom}, ticks);
  svg.text(912, area.top - 18, fitted(map.legend, 15, 816),
           {.colour = colours::quiet, .anchor = "end"});
  return std::move(svg).finish();
}

}  // namespace heed::plot
