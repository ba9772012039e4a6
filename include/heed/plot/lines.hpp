#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include <heed/math/finite.hpp>
#include <heed/plot/svg.hpp>
#include <heed/train/history.hpp>

namespace heed::plot {

/// Curves over first, first + 1, …, such as a loss by epoch. A curve is interrupted where a value
/// is not finite, or is not positive on a logarithmic axis.
struct Lines {
  struct Series {
    std::string name{};
    std::vector<double> values{};
  };
  std::string title{};
  std::string x_label{};
  std::string y_label{};
  std::int64_t first = 1;    ///< the x position of the first value of each series
  bool logarithmic = false;  ///< a logarithmic y axis, which shows only positive values
  std::vector<Series> series{};

  /// Whether a value can be drawn.
  bool shows(double value) const { return is_finite(value) && (!logarithmic || value > 0); }
};

/// The curve of `name` by epoch, and that of `val_name` if the history has it. Throws `OptionError`
/// for a name that was not recorded.
inline Lines history(const History& history, const std::string& name = "loss") {
  Lines lines{.title = name + " by epoch", .x_label = "epoch", .series = {{name, history[name]}}};
  const std::string validation = "val_" + name;
  if (history.contains(validation)) lines.series.push_back({validation, history[validation]});
  return lines;
}

namespace detail {

/// The number of x positions of all series, and the range of their values. Throws `DataError` if
/// there is nothing to draw.
struct Extent {
  explicit Extent(const Lines& lines) : is_logarithmic(lines.logarithmic) {
    bool is_empty = true;
    for (const auto& [name, values] : lines.series) {
      points = (std::max)(points, values.size());
      for (const double value : values) {
        if (!lines.shows(value)) continue;
        check<DataError>(std::abs(value) <= most_drawable, "Lines \"", lines.title,
                         "\": expected numbers of at most 1e300, got ", value, " in \"", name,
                         "\"");
        low = is_empty ? value : (std::min)(low, value);
        high = is_empty ? value : (std::max)(high, value);
        is_empty = false;
      }
    }
    check<DataError>(!is_empty, "Lines \"", lines.title, "\": there is no finite value ",
                     is_logarithmic ? "above zero " : "", "to draw");
  }

  /// The ticks of the y axis, which includes zero if that takes little room.
  Ticks ticks() const {
    if (is_logarithmic) return Ticks::logarithmic(low, high);
    const bool near_below = low > 0 && low < 0.5 * high;
    const bool near_above = high < 0 && high > 0.5 * low;
    return Ticks(near_below ? 0 : low, near_above ? 0 : high);
  }

  std::size_t points = 0;
  double low = 0, high = 0;
  bool is_logarithmic = false;
};

/// The positions to draw in a series: all of them, or, if there are many, the smallest and the
/// largest value in each group of adjacent values. A position past the end marks an interruption,
/// where a value is not shown.
inline std::vector<std::size_t> drawn_points(const Lines& lines,
                                             const std::vector<double>& values) {
  const std::size_t size = group_size(values.size(), 800);
  std::vector<std::size_t> points;
  for (std::size_t begin = 0; begin < values.size(); begin += size) {
    const std::size_t end = (std::min)(begin + size, values.size());
    std::optional<std::size_t> least, most;
    for (std::size_t i = begin; i < end; ++i) {
      if (!lines.shows(values[i])) continue;
      if (!least || values[i] < values[*least]) least = i;
      if (!most || values[i] > values[*most]) most = i;
    }
    for (std::size_t i = begin; i < end; ++i) {
      if (i == least || i == most) points.push_back(i);
      const bool goes_on = points.empty() || points.back() < values.size();
      if (!lines.shows(values[i]) && goes_on) points.push_back(values.size());
    }
  }
  return points;
}

/// Colours that are distinguishable with colour blindness (Okabe & Ito 2008), each with its own
/// dash pattern.
struct Pen {
  explicit Pen(std::size_t series)
      : colour(std::array<Colour, 5>{{{0x0072b2, 0x5cb8ee},
                                      {0xc2410c, 0xff9a5a},
                                      {0x00815e, 0x2fcf9f},
                                      {0x8f4e8b, 0xdfa3d8},
                                      {0x566377, 0xc3cddb}}}[series % 5]),
        dashes(std::array<std::string_view, 4>{"", "9 6", "2 6", "14 5 2 5"}[series % 4]) {}
  Colour colour;
  std::string_view dashes;
};

/// Draws the legend. Each line contains as many names as fit; the last visible line says how many
/// are missing.
inline double draw_legend(Svg& svg, const Lines& lines) {
  double x = 48, y = 85;
  for (std::size_t k = 0; k < lines.series.size(); ++k) {
    const std::string name = fitted(lines.series[k].name, 15, 400);
    const double wide = 60 + text_width(name, 15);
    if (x > 48 && x + wide > Svg::width - 40) x = 48, y += 24;
    if (y > 85 + 2 * 24 && k + 1 < lines.series.size()) {
      svg.text(x, y + 5, join("and ", lines.series.size() - k, " more"),
               {.colour = colours::quiet});
      break;
    }
    const Pen pen(k);
    svg.line(x, y, x + 30, y, pen.colour, 3, pen.dashes);
    svg.text(x + 38, y + 5, name, {.colour = colours::quiet});
    x += wide;
  }
  return y;
}

/// Draws one series, with x positions from `area.left` in steps of `gap`.
inline void draw_curve(Svg& svg, const Lines& lines, std::size_t series, const Area& area,
                       const Ticks& ticks, double gap, bool has_dots) {
  const std::vector<double>& values = lines.series[series].values;
  const std::vector<std::size_t> points = drawn_points(lines, values);
  const auto is_point = [&](std::size_t p) {
    return p < points.size() && points[p] < values.size();
  };
  const Pen pen(series);
  std::string path, dots;
  bool is_connected = false;
  for (std::size_t p = 0; p < points.size(); ++p) {
    const std::size_t i = points[p];
    const bool was_connected = std::exchange(is_connected, is_point(p));
    if (!is_connected) continue;
    const double x = at(area.left + gap * static_cast<double>(i));
    const double y = at(area.bottom - area.high() * ticks.part(values[i]));
    path += join(was_connected ? "L" : "M", x, " ", y);
    if (has_dots || (!was_connected && !is_point(p + 1))) {
      const std::string place = std::to_string(lines.first + static_cast<std::int64_t>(i));
      dots += join("<circle cx=\"", x, "\" cy=\"", y, "\" r=\"", has_dots ? 5 : 3, "\"",
                   svg.paint(pen.colour, &colours::background), " stroke-width=\"",
                   has_dots ? 2 : 0, "\"><title>",
                   escaped(join(lines.series[series].name, ", ", lines.x_label, " ", place, ": ",
                                brief(values[i]))),
                   "</title></circle>\n");
    }
  }
  if (path.empty()) return;
  svg.add("<path d=\"", path, "\" fill=\"none\"", svg.outline(pen.colour), " stroke-width=\"",
          has_dots ? 3 : 2, "\" stroke-linejoin=\"round\"");
  if (!pen.dashes.empty()) svg.add(" stroke-dasharray=\"", pen.dashes, "\"");
  svg.add("/>\n", dots);
}

}  // namespace detail

/// The chart as an SVG file. If a series has more than 800 values, only the smallest and the
/// largest of adjacent values are drawn. Throws `DataError` if no value is finite.
inline std::string svg(const Lines& lines, const SvgOptions& options = {}) {
  using namespace detail;
  const Extent extent(lines);
  const Ticks ticks = extent.ticks();
  std::string names;
  for (const auto& series : lines.series) names += (names.empty() ? "" : ", ") + series.name;
  Svg svg(lines.title,
          join("Line chart of ", names, " by ", lines.x_label, ". The values go from ",
               brief(extent.low), " to ", brief(extent.high), "."),
          options);
  const double legend = draw_legend(svg, lines);
  const Area area{Svg::left_of(ticks.labels, lines.y_label), legend + 43, 912, 456};
  svg.axes(area, ticks, lines.x_label, lines.y_label);

  // A single point is drawn in the middle.
  const bool is_one = extent.points == 1;
  const Area inner{is_one ? (area.left + area.right) / 2 : area.left, area.top, area.right,
                   area.bottom};
  const double gap = inner.wide() / static_cast<double>(is_one ? 1 : extent.points - 1);
  const auto number = [&](std::size_t i) { return lines.first + static_cast<std::int64_t>(i); };
  const double label_wide = text_width(std::to_string(number(extent.points)), 16) + 14;
  const auto every = static_cast<std::int64_t>(every_nth(label_wide / gap));
  for (std::size_t i = 0; i < extent.points; ++i) {
    if (!is_one && number(i) % every != 0) continue;
    svg.text(inner.left + gap * static_cast<double>(i), area.bottom + 26, std::to_string(number(i)),
             {.size = 16, .anchor = "middle"});
  }
  svg.line(area.left, area.bottom, area.right, area.bottom, colours::quiet, 1.5);
  for (std::size_t k = 0; k < lines.series.size(); ++k) {
    draw_curve(svg, lines, k, inner, ticks, gap, extent.points <= 60);
  }
  return std::move(svg).finish();
}

}  // namespace heed::plot
