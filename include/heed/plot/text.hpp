#pragma once

#include <heed/plot/bars.hpp>
#include <heed/plot/heat_map.hpp>
#include <heed/plot/lines.hpp>
#include <heed/plot/page.hpp>

namespace heed::plot {

/// The bars as lines of text. With more values than `height`, adjacent values share a bar. Throws
/// like `svg`.
inline std::string text(const Bars& chart, const TextOptions& options = {}) {
  using namespace detail;
  check_drawable(chart);
  Page page(chart.title, options);
  const Bars bars = grouped(chart, page.height());
  const NumberFormat format = format_of(bars.values);
  const std::string& heading = chart.legend.empty() ? chart.y_label : chart.legend;
  const bool has_heading = !bars.x_label.empty() || !heading.empty();
  std::vector<std::string> labels{bars.x_label}, values{heading};
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    labels.push_back(bars.label(i));
    values.push_back(format(bars.values[i]));
  }
  std::size_t value_wide = page.width() / 2 - 6;
  for (std::size_t i = 1; i < values.size(); ++i)
    value_wide = (std::max)(value_wide, values[i].size());
  labels = page.aligned(std::move(labels), page.width() / 4);
  values = page.aligned(std::move(values), value_wide);
  const std::size_t before = columns(labels[0]) + columns(values[0]) + 4;
  const double room = static_cast<double>(page.width() - (std::min)(page.width() - 1, before));
  const auto [least, most] = std::minmax_element(bars.values.begin(), bars.values.end());
  const double low = (std::min)(*least, 0.0), high = (std::max)(*most, 0.0);
  // Halves, because the range may exceed the largest number.
  const double half = (std::max)(high / 2 - low / 2, 1 / most_drawable);
  const double zero = std::ceil(room * (-low / 2 / half));
  const double scale = (std::min)({room, low < 0 ? zero / (-low / 2 / half) : room,
                                   high > 0 ? (room - zero) / (high / 2 / half) : room});
  if (has_heading) page.add(labels[0] + "  " + values[0]);
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    page.add(labels[i + 1] + "  " + values[i + 1] + "  " +
             text_bar(scale * (bars.values[i] / 2 / half), static_cast<std::size_t>(zero),
                      page.unicode()));
  }
  if (bars.legend != chart.legend) page.add(bars.legend);
  return std::move(page).finish();
}

/// The curves as text, with a different character for each series. Throws like `svg`.
inline std::string text(const Lines& lines, const TextOptions& options = {}) {
  using namespace detail;
  const Extent extent(lines);
  Page page(lines.title, options);
  constexpr std::string_view pens = "*o+x#@";
  std::vector<std::string> legend;
  for (std::size_t k = 0; k < lines.series.size(); ++k) {
    legend.push_back(join(pens.substr(k % pens.size(), 1), " ", lines.series[k].name));
  }
  const Ticks ticks = extent.ticks();
  const std::size_t rows = std::min<std::size_t>(page.height(), 15);
  // Each number of the axis is written on the nearest line.
  std::vector<std::string> labels(rows);
  const auto row_of = [&](double value) {
    const double part = 1 - ticks.part(value);
    return static_cast<std::size_t>(std::lround(part * static_cast<double>(rows - 1)));
  };
  for (std::size_t i = 0; i < ticks.values.size(); ++i) {
    labels[row_of(ticks.values[i])] = ticks.labels[i];
  }
  labels = page.aligned(std::move(labels), page.width() / 2);
  const std::size_t before = columns(labels[0]) + 2;
  const std::size_t room = page.width() - before;

  std::vector<std::string> drawing(rows, std::string(room, ' '));
  const auto last = static_cast<double>(extent.points - 1);
  const auto between = [&](double a, double b, double part) {
    if (part <= 0) return a;
    if (lines.logarithmic) return a > 0 && b > 0 ? a * std::pow(b / a, part) : 0;
    return (1 - part) * a + part * b;
  };
  for (std::size_t k = lines.series.size(); k-- > 0;) {  // the first series is on top
    const std::vector<double>& values = lines.series[k].values;
    for (std::size_t column = 0; column < room; ++column) {
      const double place = last * static_cast<double>(column) / static_cast<double>(room - 1);
      const auto left = static_cast<std::size_t>(place);
      const std::size_t right = (std::min)(left + 1, extent.points - 1);
      const double part = place - static_cast<double>(left);
      if (left >= values.size() || (part > 0 && right >= values.size())) continue;
      const double value = between(values[left], values[right], part);
      if (lines.shows(value)) drawing[row_of(value)][column] = pens[k % pens.size()];
    }
    if (extent.points <= room) continue;  // otherwise also draw every value, so that none is missed
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double column = static_cast<double>(i) / last * static_cast<double>(room - 1);
      if (!lines.shows(values[i])) continue;
      drawing[row_of(values[i])][static_cast<std::size_t>(std::lround(column))] =
          pens[k % pens.size()];
    }
  }
  if (!lines.y_label.empty()) page.add(lines.y_label);
  const std::string_view bar = page.unicode() ? "│" : "|";
  for (std::size_t row = 0; row < rows; ++row) {
    page.add(join(labels[row], " ", bar, drawing[row]));
  }
  const std::string begin = std::to_string(lines.first);
  const std::string end =
      std::to_string(lines.first + static_cast<std::int64_t>(extent.points) - 1);
  const std::string under = join(begin, "  ", lines.x_label);
  page.add(std::string(before - 1, ' ') + std::string(page.unicode() ? "└" : "+") +
           repeated(page.unicode() ? "─" : "-", room));
  page.add(
      std::string(before, ' ') +
      (extent.points > 1 ? left_aligned(under, room - (std::min)(room, end.size())) + end : under));
  page.add_flowing(legend);
  return std::move(page).finish();
}

namespace detail {

/// Writes the map as numbers, if all of them fit side by side.
inline bool add_numbers(Page& page, const HeatMap& map, const std::vector<std::string>& labels) {
  const NumberFormat format = format_of(map.values.values());
  std::size_t wide = 0;
  for (const double value : map.values.values()) wide = (std::max)(wide, format(value).size());
  const auto count = static_cast<std::size_t>(map.values.dim(1));
  for (std::size_t i = 0; i < count; ++i) {
    wide = (std::max)(wide, columns(page.words(map.column_label(i), 12)));
  }
  if (columns(labels[0]) + count * (wide + 2) > page.width()) return false;
  std::string heading(columns(labels[0]), ' ');
  for (std::size_t i = 0; i < count; ++i) {
    heading += right_aligned(page.words(map.column_label(i), 12), wide + 2);
  }
  page.add(labels[0] + "  " + map.x_label);
  page.add(heading);
  for (std::size_t row = 0; row + 1 < labels.size(); ++row) {
    std::string line = labels[row + 1];
    for (std::size_t i = 0; i < count; ++i) {
      line += right_aligned(format(map.values(row, i)), wide + 2);
    }
    page.add(line);
  }
  page.add("");
  page.add(map.legend);
  return true;
}

}  // namespace detail

/// The map as shades, from the smallest value to the largest, or as numbers if `numbers` is set and
/// they fit. If there are too many cells, adjacent values share one. Throws like `svg`.
inline std::string text(const HeatMap& chart, const TextOptions& options = {}) {
  using namespace detail;
  check_drawable(chart);
  Page page(chart.title, options);
  const auto rows_of = [](const HeatMap& map) {
    std::vector<std::string> labels{map.y_label};
    for (std::size_t i = 0; i < static_cast<std::size_t>(map.values.dim(0)); ++i) {
      labels.push_back(map.row_label(i));
    }
    return labels;
  };
  const std::size_t widest = columns(page.aligned(rows_of(chart), page.width() / 3)[0]);
  const HeatMap map = grouped(chart, page.height(), page.width() - widest - 2);
  const std::vector<std::string> labels = page.aligned(rows_of(map), widest);
  if (map.numbers && add_numbers(page, map, labels)) return std::move(page).finish();
  const std::size_t before = columns(labels[0]) + 2;
  const auto count = static_cast<std::size_t>(map.values.dim(1));
  const std::size_t wide = std::clamp<std::size_t>((page.width() - before) / count, 1, 6);

  std::vector<std::string_view> shades{" ", "░", "▒", "▓", "█"};
  if (!page.unicode()) shades = {" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"};
  const double least = (std::min)(0.0, map.values.array().minCoeff());
  const double most = (std::max)(0.0, map.values.array().maxCoeff());
  const double half = (std::max)(most / 2 - least / 2, 1 / most_drawable);
  const auto steps = static_cast<double>(shades.size() - 1);

  std::string heading;
  const std::size_t every =
      every_nth(static_cast<double>(columns(page.words(map.column_label(count - 1), 12)) + 1) /
                static_cast<double>(wide));
  for (std::size_t i = 0; i < count; i += every) {
    heading = left_aligned(heading, i * wide);
    heading += page.words(map.column_label(i), std::max<std::size_t>(wide * every - 1, 1));
  }
  page.add(labels[0] + "  " + map.x_label);
  page.add(std::string(before, ' ') + heading);
  for (std::size_t row = 0; row < labels.size() - 1; ++row) {
    std::string line = labels[row + 1] + "  ";
    for (std::size_t i = 0; i < count; ++i) {
      const double part = (map.values(row, i) / 2 - least / 2) / half;
      line += repeated(shades[static_cast<std::size_t>(std::lround(part * steps))], wide);
    }
    page.add(line);
  }
  std::vector<double> meanings;
  for (std::size_t i = 0; i < shades.size(); ++i) {
    meanings.push_back(least + static_cast<double>(i) / steps * half * 2);
  }
  const NumberFormat format = format_of(meanings);
  std::vector<std::string> scale;
  for (std::size_t i = 0; i < shades.size(); ++i) {
    scale.push_back(join("[", shades[i], "] ", format(meanings[i])));
  }
  page.add("");
  page.add_flowing(scale);
  page.add(map.legend);
  return std::move(page).finish();
}

}  // namespace heed::plot
