#pragma once

#include <heed/plot/labels.hpp>

namespace heed::plot {

/// One bar for each value, upwards or downwards from zero; the largest one is highlighted.
struct Bars {
  std::string title{};
  std::string legend{};               ///< what the values mean
  std::string x_label{};              ///< what the labels mean
  std::string y_label{};              ///< the name of the y axis
  std::vector<std::string> labels{};  ///< one for each value; 0, 1, … if empty
  std::vector<double> values{};

  std::string label(std::size_t i) const { return labels.empty() ? std::to_string(i) : labels[i]; }
};

namespace detail {

/// Throws `DataError` if the chart cannot be drawn.
inline void check_drawable(const Bars& bars) {
  check<DataError>(!bars.values.empty(), "Bars \"", bars.title, "\": there are no values to draw");
  check<DataError>(bars.labels.empty() || bars.labels.size() == bars.values.size(), "Bars \"",
                   bars.title, "\": expected one label for each of ", bars.values.size(),
                   " values, got ", bars.labels.size(), " labels");
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    check<DataError>(std::abs(bars.values[i]) <= most_drawable, "Bars \"", bars.title,
                     "\": expected numbers of at most 1e300, got ", bars.values[i], " as value ",
                     i);
  }
}

/// Reduces the chart to at most `most` bars: adjacent values share a bar, which shows the value
/// farthest from zero.
inline Bars grouped(const Bars& bars, std::size_t most) {
  const std::size_t size = group_size(bars.values.size(), most);
  if (size == 1) return bars;
  Bars result{
      .title = bars.title,
      .legend = join(bars.legend, bars.legend.empty() ? "" : ", ", "the largest of each ", size),
      .x_label = bars.x_label,
      .y_label = bars.y_label};
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    if (i % size == 0) {
      result.labels.push_back(bars.label(i));
      result.values.push_back(bars.values[i]);
    } else {
      result.values.back() = farther(result.values.back(), bars.values[i]);
    }
  }
  return result;
}

/// The position of the value that is larger than all others, if there is one.
inline std::optional<std::size_t> largest(const std::vector<double>& values) {
  const auto most = std::max_element(values.begin(), values.end());
  if (values.size() < 2 || std::count(values.begin(), values.end(), *most) > 1) return {};
  return static_cast<std::size_t>(most - values.begin());
}

/// The outline of a bar from `base` to `y`, with a rounded end at `y`.
inline std::string bar_path(double middle, double wide, double base, double y) {
  const double round = (std::min)({5.0, wide / 2, std::abs(y - base)});
  const double shoulder = at(y < base ? y + round : y - round);
  const double left = at(middle - wide / 2), right = at(middle + wide / 2);
  return join("M", left, " ", at(base), "V", shoulder, "Q", left, " ", at(y), " ", at(left + round),
              " ", at(y), "H", at(right - round), "Q", right, " ", at(y), " ", right, " ", shoulder,
              "V", at(base), "Z");
}

}  // namespace detail

/// The chart as an SVG file. With more than 400 values, adjacent values share a bar. Throws
/// `DataError` if there are no values, if a number is not finite, or if the number of labels is
/// wrong.
inline std::string svg(const Bars& chart, const SvgOptions& options = {}) {
  using namespace detail;
  check_drawable(chart);
  const Bars bars = grouped(chart, 400);
  const std::size_t count = bars.values.size();
  const NumberFormat format = format_of(bars.values);
  const auto [least, most] = std::minmax_element(bars.values.begin(), bars.values.end());
  const bool has_negative = *least < 0;
  const Ticks ticks((std::min)(*least, 0.0), (std::max)(*most, 0.0));
  const auto stands_out = largest(bars.values);
  std::string description =
      join("Bar chart of ", count, " values", bars.legend.empty() ? "" : ": ", bars.legend, ", by ",
           bars.x_label, ". They go from ", format(*least), " to ", format(*most));
  if (stands_out) description += join(", the largest for ", bars.label(*stands_out));
  Svg svg(bars.title, description + ".", options);
  if (!bars.legend.empty()) {
    svg.rect({48, 78, 62, 92}, colours::bar, 3);
    svg.text(70, 90, fitted(bars.legend, 15, 842), {.colour = colours::quiet});
  }

  Area area{Svg::left_of(ticks.labels, bars.y_label), 128, 912, has_negative ? 440.0 : 456.0};
  const double slot = area.wide() / static_cast<double>(count);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(bars.label(i));
  const ColumnLabels labels(std::move(names), !chart.labels.empty(), slot);
  area.bottom -= labels.extra_height();
  svg.axes(area, ticks, bars.x_label, bars.y_label);

  const auto value_y = [&](double value) { return area.bottom - area.high() * ticks.part(value); };
  const double bar = (std::min)(slot * 0.68, 96.0);
  const double value_size = at(std::clamp(slot * 0.22, 12.0, 17.0));
  double value_wide = 0;
  for (const double value : bars.values) {
    value_wide = (std::max)(value_wide, text_width(format(value), value_size));
  }
  const double base = value_y(0);
  for (std::size_t i = 0; i < count; ++i) {
    const double value = bars.values[i];
    const bool is_largest = stands_out == i;
    const double middle = area.left + slot * (static_cast<double>(i) + 0.5);
    const double y = value_y(value);
    svg.add("<path d=\"", bar_path(middle, bar, base, y), "\"",
            svg.paint(is_largest ? colours::accent : colours::bar), "><title>",
            escaped(join(bars.x_label, " ", bars.label(i), ": ", brief(value))),
            "</title></path>\n");
    if (value_wide + 4 <= slot || is_largest) {
      const std::string words = format(value);
      const double size = is_largest ? value_size + 3 : value_size;
      const double half = text_width(words, size) / 2;
      const double line = value < 0 ? y + 4 + size : y - 8;
      svg.rect({middle - half, line - size, middle + half, line + 4}, colours::background);
      svg.text(middle, line, words,
               {.size = size,
                .weight = is_largest ? 700 : 400,
                .colour = is_largest ? colours::accent : colours::quiet,
                .anchor = "middle"});
    }
  }
  labels.draw(svg, area.left, area.bottom + (has_negative ? 16 : 0), stands_out);
  svg.line(area.left, base, area.right, base, colours::quiet, 1.5);
  return std::move(svg).finish();
}

}  // namespace heed::plot
