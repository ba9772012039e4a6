#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <heed/tensor/error.hpp>

namespace heed::plot::detail {

/// Larger numbers leave no room for an axis around them, and numbers smaller than its inverse are
/// drawn as zero.
inline constexpr double most_drawable = 1e300;

/// The exponent of the first digit: 1 for 58.2, -1 for 0.582. Not for zero.
inline int first_digit(double value) {
  return static_cast<int>(std::floor(std::log10(std::abs(value))));
}

/// A common format for numbers that appear together: a fixed number of decimals, and either all or
/// none with an exponent. Independent of the locale.
struct NumberFormat {
  int digits = 0;
  bool exponent = false;

  std::string operator()(double value) const {
    char buffer[400];
    const auto style = exponent ? std::chars_format::scientific : std::chars_format::fixed;
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, style, digits).ptr;
    std::string text(buffer, end);
    if (text.substr(0, text.find('e')).find_first_of("123456789") == std::string::npos) return "0";
    if (exponent) {  // 2.5e-07 as 2.5e-7
      const std::size_t e = text.find('e');
      return text.substr(0, e + 1) + std::to_string(std::stoi(text.substr(e + 1)));
    }
    const std::size_t first = text.front() == '-' ? 1 : 0;
    const std::size_t whole = (std::min)(text.find('.'), text.size());
    if (whole - first >= 5) {  // 25121 as 25,121
      for (std::size_t i = whole; i > first + 3; i -= 3) text.insert(i - 3, 1, ',');
    }
    return text;
  }
};

/// The format for numbers up to `largest` whose last visible digit is that of 10^last.
inline NumberFormat number_format(double largest, int last) {
  if (largest == 0) return {};
  const int digits = (std::max)(0, first_digit(largest) - last);
  const bool is_large = largest >= 1e15 || (largest >= 1e7 && digits <= 3);
  if (is_large || largest < 1e-3) return {digits, true};
  return {(std::max)(0, -last), false};
}

/// Three digits for the largest number, four if it begins with 1, and fewer if no number needs
/// more.
inline NumberFormat format_of(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) largest = (std::max)(largest, std::abs(value));
  if (largest < 1 / most_drawable) return {};
  const int first = first_digit(largest);
  int last = first_digit(largest / 2) - 2;
  const auto is_multiple = [&](double value) {
    const double unit = std::pow(10, last + 1);
    return std::abs(std::remainder(value, unit)) <= 1e-6 * unit;
  };
  while (last < first && std::all_of(values.begin(), values.end(), is_multiple)) ++last;
  return number_format(largest, last);
}

/// Up to six significant digits: `0.582143`, `1e-07`.
inline std::string brief(double value) {
  char buffer[32];
  const auto style = std::chars_format::general;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, style, 6).ptr;
  return std::string(buffer, end);
}

/// About five round numbers for an axis that covers at least `low` to `high`. If the two are too
/// close together, the axis is extended to zero, and around zero to 1.
struct Ticks {
  Ticks(double low, double high) {
    const double most = (std::max)(std::abs(low), std::abs(high));
    if (high - low < (std::max)(1e-9 * most, 1 / most_drawable)) {
      low = (std::min)(low, 0.0);
      high = most < 1 / most_drawable ? 1 : (std::max)(high, 0.0);
    }
    const double rough = (high - low) / 5;
    int last = first_digit(rough);
    const double power = std::pow(10, last);
    double step = 10 * power;
    for (const double factor : {5.0, 2.5, 2.0, 1.0}) {
      if (factor * power >= 0.999 * rough) step = factor * power;
    }
    if (step == 2.5 * power) --last;
    if (step == 10 * power) ++last;
    const double first = std::floor(low / step + 1e-9);
    const double end = std::ceil(high / step - 1e-9);
    for (int i = 0; first + i <= end; ++i) values.push_back((first + i) * step);
    const double ends = (std::max)(std::abs(values.front()), std::abs(values.back()));
    const NumberFormat format = number_format(ends, last);
    for (const double value : values) labels.push_back(format(value));
  }

  /// For a logarithmic axis that covers at least `low` (positive) to `high`: powers of ten, with
  /// two and five times them if there are few.
  static Ticks logarithmic(double low, double high) {
    Ticks ticks;
    ticks.is_logarithmic_ = true;
    const int first = first_digit(low), end = (std::max)(first_digit(high), first) + 1;
    const int every = (end - first + 5) / 6;
    for (int power = first; power < end + every; power += every) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor > 1 && end - first > 2) continue;
        const double value = factor * std::pow(10, power);
        if (!ticks.values.empty() && value <= low * (1 + 1e-9)) {
          ticks.values.clear(), ticks.labels.clear();
        }
        if (!ticks.values.empty() && ticks.high() >= high * (1 - 1e-9) && ticks.values.size() > 1)
          break;
        ticks.values.push_back(value);
        ticks.labels.push_back(number_format(value, power)(value));
      }
    }
    return ticks;
  }

  double low() const { return values.front(); }
  double high() const { return values.back(); }
  /// The position of a value between the ends, from 0 to 1.
  double part(double value) const {
    if (is_logarithmic_) {
      return (std::log(value) - std::log(low())) / (std::log(high()) - std::log(low()));
    }
    return (value - low()) / (high() - low());
  }

  std::vector<double> values;
  std::vector<std::string> labels;

 private:
  Ticks() = default;
  bool is_logarithmic_ = false;
};

/// The interval at which to draw labels if each needs `least` positions: 1, 2, 5, 10, 20, …
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

/// The number of adjacent values that share a position if `count` values have at most `most`
/// positions.
inline std::size_t group_size(std::size_t count, std::size_t most) {
  return std::max<std::size_t>(1, (count + most - 1) / most);
}

/// The number that is farther from zero.
inline double farther(double a, double b) { return std::abs(b) > std::abs(a) ? b : a; }

}  // namespace heed::plot::detail
