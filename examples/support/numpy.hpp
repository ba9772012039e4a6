#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <span>
#include <string>
#include <vector>

/// The parts of a printed number: `-0`, `.05862827`, `e-07`.
struct NumberText {
  std::string whole, fraction, exponent;

  /// Uses the fewest digits that restore the number, or a given number of digits after the point.
  NumberText(float value, std::chars_format format, int decimals = -1) {
    char digits[64];
    const auto end =
        decimals < 0 ? std::to_chars(digits, digits + sizeof digits, value, format).ptr
                     : std::to_chars(digits, digits + sizeof digits, value, format, decimals).ptr;
    const bool has_exponent = format == std::chars_format::scientific && std::isfinite(value);
    const auto e = has_exponent ? std::find(digits, end, 'e') : end;
    const auto point = std::find(digits, e, '.');
    whole.assign(digits, point);
    if (std::isfinite(value)) fraction.assign(point == e ? "." : std::string(point, e));
    exponent.assign(e, end);
  }
};

/// One axis of floats as NumPy's `print` writes it: with up to 8 digits after the point, in columns
/// and lines of 75 characters, with exponents if a number is below 0.0001 or below a thousandth of
/// the largest.
inline std::string numpy_text(std::span<const float> values) {
  float least = 0, most = 0;
  for (const float value : values) {
    const float size = std::abs(value);
    if (!(size > 0) || std::isinf(size)) continue;
    least = least > 0 ? std::min(least, size) : size;
    most = std::max(most, size);
  }
  const bool exponents = least > 0 && (least < 1e-4f || most >= 1e8f || most / least > 1000);
  const auto format = exponents ? std::chars_format::scientific : std::chars_format::fixed;

  std::vector<NumberText> numbers;
  std::size_t whole = 0, fraction = 0, longest = 0;
  for (const float value : values) {
    NumberText number(value, format);
    if (number.fraction.size() > 9) number = NumberText(value, format, 8);
    while (number.fraction.ends_with('0')) number.fraction.pop_back();
    if (std::isfinite(value)) whole = std::max(whole, number.whole.size());
    fraction = std::max(fraction, number.fraction.size());
    numbers.push_back(std::move(number));
  }
  std::vector<std::string> words;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (exponents) numbers[i] = NumberText(values[i], format, static_cast<int>(fraction) - 1);
    auto& [before, behind, exponent] = numbers[i];
    before.insert(0, whole - std::min(whole, before.size()), ' ');
    if (std::isfinite(values[i])) behind.resize(fraction, ' ');
    words.push_back(before.append(behind).append(exponent));
    longest = std::max(longest, words.back().size());
  }

  std::string text, line = " ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i].insert(0, longest - words[i].size(), ' ');  // nan and inf are aligned right
    if (line.size() + words[i].size() > 74 && line.size() > 1) {
      text += line.erase(line.find_last_not_of(' ') + 1) + "\n";
      line = " ";
    }
    line += words[i] + (i + 1 < words.size() ? " " : "");
  }
  text += line;
  return "[" + text.substr(1) + "]";
}
