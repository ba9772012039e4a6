#pragma once

#include <heed/io/file.hpp>
#include <heed/plot/bars.hpp>
#include <heed/plot/heat_map.hpp>
#include <heed/plot/lines.hpp>

namespace heed::plot {

/// Writes a chart to an SVG file: `plot::save("attention.svg", plot::heat_map(weights))`. An
/// existing file is replaced completely or not at all. Throws `OptionError` for a name that does
/// not end in `.svg`, `DataError` if the chart cannot be drawn, and `FileError` with the path and
/// the reason.
template <class Chart>
  requires requires(const Chart& chart) { svg(chart); }
void save(const std::filesystem::path& path, const Chart& chart, const SvgOptions& options = {}) {
  check<OptionError>(path.extension() == ".svg",
                     "plot::save: expected a name that ends in .svg, got \"", path.string(), "\"");
  const std::string picture = svg(chart, options);
  write_file(path, std::as_bytes(std::span(picture)));
}

}  // namespace heed::plot
