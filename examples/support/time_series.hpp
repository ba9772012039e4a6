#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <heed/io/file.hpp>
#include <heed/tensor/sequences.hpp>

/// Samples of unequal length, each of a class.
struct TimeSeries {
  heed::Sequences<float> x;               // each sample: (steps, dimensions)
  std::vector<heed::Index> classes = {};  // of the samples: places among `names`
  std::vector<std::string> names = {};    // of the classes

  heed::Index class_of(heed::Index n) const { return classes[static_cast<std::size_t>(n)]; }
  const std::string& name_of(heed::Index n) const {
    return names[static_cast<std::size_t>(class_of(n))];
  }

  void push_back(heed::View<const float> sample, heed::Index its_class) {
    x.push_back(sample);
    classes.push_back(its_class);
  }

  /// Some of the samples.
  TimeSeries part(const std::vector<heed::Index>& rows) const {
    TimeSeries result{.x = heed::Sequences<float>(x.step_shape()), .names = names};
    for (const heed::Index n : rows) result.push_back(x[n], class_of(n));
    return result;
  }

  /// The samples of each class, in their order.
  std::vector<std::vector<heed::Index>> rows_by_class() const {
    std::vector<std::vector<heed::Index>> rows(names.size());
    for (heed::Index n = 0; n < x.samples(); ++n)
      rows[static_cast<std::size_t>(class_of(n))].push_back(n);
    return rows;
  }
};

namespace time_series {

inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t end = 0; end != text.npos; text.remove_prefix(end + 1)) {
    end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) break;
  }
  return parts;
}

inline std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

inline std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> result;
  for (const auto part : split(text, ' ')) {
    if (const auto word = trimmed(part); !word.empty()) result.emplace_back(word);
  }
  return result;
}

/// Reads a file line by line.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  TimeSeries read(std::string_view text) {
    for (const auto line : split(text, '\n')) {
      ++line_;
      const auto content = trimmed(line);
      if (content.empty() || content.starts_with('#')) continue;
      if (in_data_) {
        read_sample(content);
      } else {
        read_header(content);
      }
    }
    heed::check<heed::FileError>(in_data_, name_, " has no line @data: it is not a .ts file");
    heed::check<heed::FileError>(!series_.classes.empty(), name_, " has no samples after @data");
    return std::move(series_);
  }

 private:
  template <class... Parts>
  void expect(bool holds, const Parts&... parts) const {
    heed::check<heed::FileError>(holds, name_, ", line ", line_, ": ", parts...);
  }

  void read_header(std::string_view line) {
    expect(line.starts_with('@'),
           "expected a line that begins with @ before the line @data; is it a .ts file?");
    const auto values = words(line);
    std::string key = values[0];
    for (char& c : key) c = static_cast<char>('A' <= c && c <= 'Z' ? c - 'A' + 'a' : c);
    const bool is_true = values.size() > 1 && values[1] == "true";
    if (key == "@timestamps") {
      expect(!is_true, "expected values without time stamps");
    } else if (key == "@classlabel") {
      expect(is_true, "expected samples with classes, as in @classLabel true 1 2 3");
      series_.names.assign(values.begin() + 2, values.end());
    } else if (key == "@data") {
      expect(!series_.names.empty(), "expected a line such as @classLabel true 1 2 3 before @data");
      in_data_ = true;
    }
  }

  /// `1.5,1.25:0.5,0.25:speaker`: two dimensions of two steps, and the class.
  void read_sample(std::string_view line) {
    auto fields = split(line, ':');
    const auto name = trimmed(fields.back());
    fields.pop_back();
    const auto found = std::find(series_.names.begin(), series_.names.end(), name);
    expect(found != series_.names.end(),
           "expected one of the classes of @classLabel at the end, got \"", name, "\"");
    const auto dimensions = std::ssize(fields);
    expect(dimensions > 0, "expected at least one dimension before the class");
    if (series_.classes.empty()) series_.x = heed::Sequences<float>(heed::Shape{dimensions});
    const heed::Index expected = series_.x.step_shape()[0];
    expect(dimensions == expected, "expected ", expected,
           expected == 1 ? " dimension" : " dimensions",
           " before the class, as in the first sample, got ", dimensions);
    const auto steps = std::ssize(split(fields[0], ','));
    heed::Tensor<float, 2> sample(heed::Shape{steps, dimensions});
    for (heed::Index d = 0; d < dimensions; ++d) {
      const auto values = split(fields[static_cast<std::size_t>(d)], ',');
      expect(std::ssize(values) == steps, "dimension ", d, " has ", values.size(),
             values.size() == 1 ? " value" : " values", ", and dimension 0 has ", steps);
      for (heed::Index t = 0; t < steps; ++t)
        sample(t, d) = number(values[static_cast<std::size_t>(t)], d);
    }
    series_.push_back(sample, found - series_.names.begin());
  }

  float number(std::string_view text, heed::Index dimension) const {
    text = trimmed(text);
    float value = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    expect(read.ec == std::errc{} && read.ptr == end && std::isfinite(value),
           "expected a number in dimension ", dimension, ", got \"", text, "\"");
    return value;
  }

  std::string name_;
  heed::Index line_ = 0;
  bool in_data_ = false;
  TimeSeries series_;
};

}  // namespace time_series

/// Reads a file of time series with classes, in the format .ts of the packages aeon and sktime: lines that
/// begin with `@` and end with `@data`, then a line for each sample, with its dimensions separated by `:`,
/// the values of a dimension by `,`, and the class at the end. Throws `heed::FileError`, with the line, for
/// anything else, for time stamps, missing values and samples without a class.
inline TimeSeries read_time_series(const std::filesystem::path& path) {
  const auto bytes = heed::read_file(path);
  return time_series::Reader(path.string())
      .read({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}
