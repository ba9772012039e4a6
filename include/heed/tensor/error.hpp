#pragma once

#include <charconv>
#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>

namespace heed {

/// Everything that heed throws on bad input derives from `Error`; `what()` is a sentence that names
/// the layer, argument or file, what was expected and what came.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A shape that does not fit: a layer and its input, data and its model, a tensor and its values.
struct ShapeError : Error {
  using Error::Error;
};

/// A network that cannot be made or asked for: duplicate or unknown names, a model not built yet.
struct ModelError : Error {
  using Error::Error;
};

/// An option or a layer's configuration with a value outside its range.
struct OptionError : Error {
  using Error::Error;
};

/// Data that cannot be trained on: no samples, numbers that are not finite.
struct DataError : Error {
  using Error::Error;
};

/// A file that cannot be read or written, or does not hold what it should.
struct FileError : Error {
  using Error::Error;
};

/// One piece of an error message as text. Types of heed add an overload beside their definition.
inline std::string to_text(std::string_view text) { return std::string(text); }

template <std::integral Integer>
std::string to_text(Integer value) {
  return std::to_string(value);
}

/// A number as briefly as it can be said: `0.5`, `64`, `1e-07`.
inline std::string to_text(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return std::string(digits, end);
}

/// Joins pieces to one string: `join("expected ", 3, " axes")`.
template <class... Pieces>
std::string join(const Pieces&... pieces) {
  std::string text;
  (text.append(to_text(pieces)), ...);
  return text;
}

/// The one check of the library: throws `E` with the joined pieces unless `condition` holds. The
/// message is put together only on failure.
template <class E, class... Pieces>
void check(bool condition, const Pieces&... pieces) {
  if (!condition) [[unlikely]] {
    throw E(join(pieces...));
  }
}

}  // namespace heed
