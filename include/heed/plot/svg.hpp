#pragma once

#include <cstdint>
#include <set>

#include <heed/plot/numbers.hpp>
#include <heed/plot/words.hpp>

namespace heed::plot {

/// The theme of a picture. `automatic` follows the viewer's setting, and is light if the viewer has
/// none.
enum class Theme { automatic, light, dark };

struct SvgOptions {
  Theme theme = Theme::automatic;
};

namespace detail {

/// A colour in the light and in the dark theme, as 0xRRGGBB.
struct Colour {
  std::uint32_t light = 0;
  std::uint32_t dark = 0;
  bool operator==(const Colour&) const = default;
};

/// Text has a contrast of at least 4.5 : 1 against the background, bars and curves at least 3 : 1
/// (WCAG 2.1, criteria 1.4.3 and 1.4.11).
namespace colours {
inline constexpr Colour background{0xffffff, 0x12171f};
inline constexpr Colour border{0xd8dee8, 0x2b3442};
inline constexpr Colour grid{0xe6eaf0, 0x262e3a};
inline constexpr Colour ink{0x16202e, 0xe8edf4};
inline constexpr Colour quiet{0x566377, 0xa3afbf};
inline constexpr Colour bar{0x7296c1, 0x4f73a0};
inline constexpr Colour accent{0xc2410c, 0xff9a5a};
}  // namespace colours

inline std::string hex(std::uint32_t rgb) {
  std::string digits(6, '0');
  for (std::size_t i = 6; i-- > 0; rgb /= 16) digits[i] = "0123456789abcdef"[rgb % 16];
  return digits;
}

/// A coordinate, rounded to a hundredth.
inline double at(double coordinate) { return std::round(coordinate * 100) / 100; }

/// The approximate width of a text in units of the picture, for a common sans-serif font.
inline double text_width(std::string_view text, double size) {
  return 0.6 * size * static_cast<double>(columns(text));
}

/// The part of a text that fits.
inline std::string fitted(std::string_view text, double size, double wide) {
  return shortened(clean(text), static_cast<std::size_t>((std::max)(1.0, wide / (0.6 * size))));
}

/// The area of the picture that contains the data.
struct Area {
  double left, top, right, bottom;
  double wide() const { return right - left; }
  double high() const { return bottom - top; }
};

/// An SVG file of 960 × 540 units, built shape by shape.
class Svg {
 public:
  static constexpr double width = 960;
  static constexpr double height = 540;

  /// Starts a card with a heading; screen readers read `description`. The card has its own
  /// background, so that it is readable on any page.
  Svg(std::string_view title, std::string_view description, const SvgOptions& options)
      : theme_(options.theme), title_(title), description_(description) {
    add("<rect x=\"0.5\" y=\"0.5\" width=\"", width - 1, "\" height=\"", height - 1, "\" rx=\"12\"",
        paint(colours::background, &colours::border), "/>\n");
    const double room = width - 96;
    const double size = std::clamp(at(room / text_width(title, 1.04)), 16.0, 24.0);
    text(48, 56, fitted(title, 1.04 * size, room), {.size = size, .weight = 600});
  }

  struct TextStyle {
    double size = 15;
    int weight = 400;
    Colour colour = colours::ink;
    std::string_view anchor = "start";
    double turned = 0;  ///< rotation around its position, in degrees
  };

  void text(double x, double y, std::string_view words, const TextStyle& style) {
    add("<text x=\"", at(x), "\" y=\"", at(y), "\" font-size=\"", style.size, "\"",
        paint(style.colour));
    if (style.weight != 400) add(" font-weight=\"", style.weight, "\"");
    if (style.anchor != "start") add(" text-anchor=\"", style.anchor, "\"");
    if (style.turned != 0) {
      add(" transform=\"rotate(", style.turned, " ", at(x), " ", at(y), ")\"");
    }
    add(">", escaped(words), "</text>\n");
  }

  void line(double x1, double y1, double x2, double y2, const Colour& colour, double thick = 1,
            std::string_view dashes = {}) {
    add("<line x1=\"", at(x1), "\" y1=\"", at(y1), "\" x2=\"", at(x2), "\" y2=\"", at(y2),
        "\" stroke-width=\"", thick, "\"", outline(colour));
    if (!dashes.empty()) add(" stroke-dasharray=\"", dashes, "\"");
    add("/>\n");
  }

  void rect(const Area& area, const Colour& colour, double rounded = 0) {
    add("<rect x=\"", at(area.left), "\" y=\"", at(area.top), "\" width=\"", at(area.wide()),
        "\" height=\"", at(area.high()), "\"");
    if (rounded > 0) add(" rx=\"", rounded, "\"");
    add(paint(colour), "/>\n");
  }

  /// The left edge of the data, with room for the numbers and the name of the y axis.
  static double left_of(std::span<const std::string> labels, std::string_view y_label) {
    double left = 96;
    for (const std::string& label : labels) {
      left = (std::max)(left, (y_label.empty() ? 36 : 64) + text_width(label, 15));
    }
    return left;
  }

  /// Draws horizontal grid lines with their numbers, and the names of the axes.
  void axes(const Area& area, const Ticks& ticks, std::string_view x_label,
            std::string_view y_label) {
    for (std::size_t i = 0; i < ticks.values.size(); ++i) {
      const double y = area.bottom - area.high() * ticks.part(ticks.values[i]);
      line(area.left, y, area.right, y, colours::grid);
      text(area.left - 12, y + 5, ticks.labels[i], {.colour = colours::quiet, .anchor = "end"});
    }
    axis_names(area, x_label, y_label);
  }

  void axis_names(const Area& area, std::string_view x_label, std::string_view y_label) {
    text((area.left + area.right) / 2, height - 26, fitted(x_label, 15, area.wide()),
         {.colour = colours::quiet, .anchor = "middle"});
    if (y_label.empty()) return;
    text(38, (area.top + area.bottom) / 2, fitted(y_label, 15, area.high()),
         {.colour = colours::quiet, .anchor = "middle", .turned = -90});
  }

  /// The attributes for a fill colour and an optional border colour.
  std::string paint(const Colour& fill, const Colour* stroke = nullptr) {
    if (stroke) return attributes({{"fill", fill}, {"stroke", *stroke}});
    return attributes({{"fill", fill}});
  }
  std::string outline(const Colour& stroke) { return attributes({{"stroke", stroke}}); }

  /// Appends text unchanged; it must be valid SVG.
  template <class... Pieces>
  void add(const Pieces&... pieces) {
    shapes_ += join(pieces...);
  }

  /// Returns the complete file.
  std::string finish() && {
    std::string style;
    for (const std::string& rule : dark_) style += rule;
    if (!style.empty()) {
      style = "<style>@media (prefers-color-scheme: dark) {\n" + style + "}</style>\n";
    }
    return join("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", width, "\" height=\"", height,
                "\" viewBox=\"0 0 ", width, " ", height, "\" role=\"img\"\n     font-family=\"",
                "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', ",
                "Arial, sans-serif\">\n<title>", escaped(title_), "</title>\n<desc>",
                escaped(description_), "</desc>\n", style, shapes_, "</svg>\n");
  }

 private:
  using Paint = std::pair<std::string_view, Colour>;

  /// A class name that contains the colour, so that the classes of several pictures in one HTML
  /// page do not conflict.
  static std::string class_of(std::string_view property, const Colour& colour) {
    return join("heed-", property, "-", hex(colour.light), "-", hex(colour.dark));
  }

  std::string attributes(std::initializer_list<Paint> paints) {
    std::string text, classes;
    for (const auto& [property, colour] : paints) {
      text += join(" ", property, "=\"#", hex(theme_ == Theme::dark ? colour.dark : colour.light),
                   "\"");
      if (theme_ == Theme::automatic) {
        const std::string name = class_of(property, colour);
        classes += join(classes.empty() ? "" : " ", name);
        dark_.insert(join("  .", name, "{", property, ":#", hex(colour.dark), "}\n"));
      }
    }
    return classes.empty() ? text : join(text, " class=\"", classes, "\"");
  }

  Theme theme_;
  std::string title_, description_, shapes_;
  std::set<std::string> dark_;  // rules of the style sheet
};

}  // namespace detail

}  // namespace heed::plot
