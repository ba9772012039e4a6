#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <heed/tensor/error.hpp>

/// Charts as SVG and as text, for the examples. Every `svg(...)` returns a whole file; every picture
/// brings its own background, so it reads the same in a light and in a dark viewer.
namespace chart {

/// On the background, all text has a contrast of at least 4.5 : 1 (WCAG 2.1, criterion 1.4.3).
namespace colour {
inline constexpr std::string_view background = "#ffffff";
inline constexpr std::string_view border = "#d8dee8";
inline constexpr std::string_view grid = "#e6eaf0";
inline constexpr std::string_view ink = "#16202e";
inline constexpr std::string_view quiet = "#566377";
inline constexpr std::string_view bar = "#a8c0dd";
inline constexpr std::string_view accent = "#c2410c";
}  // namespace colour

inline constexpr double width = 960;
inline constexpr double height = 540;

/// The part of the picture that holds the data.
struct Area {
  double left, top, right, bottom;
  double wide() const { return right - left; }
  double high() const { return bottom - top; }
};

/// `&`, `<`, `>` and quotes as XML writes them; control characters, which XML 1.0 cannot hold, are
/// left out.
inline std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') result += c;
    }
  }
  return result;
}

/// With so many decimals, whatever the locale: `35.0`.
inline std::string fixed(double value, int decimals) {
  char digits[400];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, decimals).ptr;
  return std::string(digits, end);
}

/// A coordinate, to a hundredth.
inline double at(double coordinate) { return std::round(coordinate * 100) / 100; }

/// Round numbers for an axis from `low` to at least `high`, about `count` of them.
struct Ticks {
  std::vector<double> values;
  int decimals = 0;
};

inline Ticks ticks(double low, double high, int count = 5) {
  if (!(high > low)) high = low + std::max(1.0, std::abs(low));
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.5, 2.0, 1.0}) {
    if (factor * power >= rough * 0.999) step = factor * power;
  }
  Ticks result;
  const auto first = std::floor(low / step + 1e-9);
  const auto last = std::ceil(high / step - 1e-9);
  for (int i = 0; first + i <= last; ++i) result.values.push_back((first + i) * step);
  while (result.decimals < 9 &&
         std::abs(std::remainder(step, std::pow(10, -result.decimals))) > 1e-6 * step) {
    ++result.decimals;
  }
  return result;
}

/// Which labels to draw where one needs `least` places: every one, or each 2nd, 5th, 10th, 20th, …
inline std::size_t every_nth(double least) {
  std::size_t every = 1;
  for (std::size_t power = 1; static_cast<double>(every) < least; power *= 10) {
    for (const std::size_t factor : {1u, 2u, 5u}) {
      every = factor * power;
      if (static_cast<double>(every) >= least) break;
    }
  }
  return every;
}

/// An SVG file that grows by one shape after the other.
class Svg {
 public:
  /// A card with a heading; `description` is what a screen reader says.
  Svg(std::string_view title, std::string_view description) {
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width, "\" height=\"", height,
        "\" viewBox=\"0 0 ", width, " ", height, "\" role=\"img\"\n     font-family=\"system-ui, ",
        "-apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif\">\n",
        "<title>", escaped(title), "</title>\n<desc>", escaped(description), "</desc>\n");
    add("<rect x=\"0.5\" y=\"0.5\" width=\"", width - 1, "\" height=\"", height - 1,
        "\" rx=\"12\" fill=\"", colour::background, "\" stroke=\"", colour::border, "\"/>\n");
    const double letters = static_cast<double>(std::max<std::size_t>(title.size(), 1));
    text(48, 56, title, {.size = at(std::min(24.0, 1400 / letters)), .weight = 600});
  }

  struct TextStyle {
    double size = 15;
    int weight = 400;
    std::string_view colour = colour::ink;
    std::string_view anchor = "start";
    double turned = 0;  ///< degrees around its own position
  };

  void text(double x, double y, std::string_view words, const TextStyle& style) {
    add("<text x=\"", at(x), "\" y=\"", at(y), "\" font-size=\"", style.size, "\" fill=\"",
        style.colour, "\"");
    if (style.weight != 400) add(" font-weight=\"", style.weight, "\"");
    if (style.anchor != "start") add(" text-anchor=\"", style.anchor, "\"");
    if (style.turned != 0) {
      add(" transform=\"rotate(", style.turned, " ", at(x), " ", at(y), ")\"");
    }
    add(">", escaped(words), "</text>\n");
  }

  void line(double x1, double y1, double x2, double y2, std::string_view colour, double thick = 1) {
    add("<line x1=\"", at(x1), "\" y1=\"", at(y1), "\" x2=\"", at(x2), "\" y2=\"", at(y2),
        "\" stroke=\"", colour, "\" stroke-width=\"", thick, "\"/>\n");
  }

  void rect(const Area& area, std::string_view colour, double rounded = 0) {
    add("<rect x=\"", at(area.left), "\" y=\"", at(area.top), "\" width=\"", at(area.wide()),
        "\" height=\"", at(area.high()), "\"");
    if (rounded > 0) add(" rx=\"", rounded, "\"");
    add(" fill=\"", colour, "\"/>\n");
  }

  /// Horizontal grid lines with their numbers, and the name of the x axis below. `value_y` turns a
  /// value into a y coordinate.
  template <class ValueY>
  void axes(const Area& area, const Ticks& marks, ValueY value_y, std::string_view x_label) {
    for (const double mark : marks.values) {
      const double y = value_y(mark);
      line(area.left, y, area.right, y, colour::grid);
      text(area.left - 12, y + 5, fixed(mark, marks.decimals),
           {.colour = colour::quiet, .anchor = "end"});
    }
    text((area.left + area.right) / 2, area.bottom + 58, x_label,
         {.colour = colour::quiet, .anchor = "middle"});
  }

  /// Text as it is, which must be valid SVG.
  template <class... Pieces>
  void add(const Pieces&... pieces) {
    svg_ += heed::join(pieces...);
  }

  std::string finish() && { return std::move(svg_) + "</svg>\n"; }

 private:
  std::string svg_;
};

}  // namespace chart
