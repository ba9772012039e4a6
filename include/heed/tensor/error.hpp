#pragma once

#include <heed/version.hpp>

#include <charconv>
#include <concepts>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

#include <heed/tensor/characters.hpp>

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

/// Data that cannot be trained on, or drawn: no samples, numbers that are not finite.
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

namespace detail {

/// A piece of a message, whatever its type, so that not every message is a template of its own.
class Piece {
 public:
  explicit Piece(std::string_view text) : text_(text) {}

  template <class T>
    requires(!std::convertible_to<const T&, std::string_view>)
  explicit Piece(const T& value)
      : value_(&value),
        write_([](const void* piece) { return to_text(*static_cast<const T*>(piece)); }) {}

  void append_to(std::string& message) const {
    if (write_) {
      message += write_(value_);
    } else {
      message += text_;
    }
  }

 private:
  std::string_view text_;
  const void* value_ = nullptr;
  std::string (*write_)(const void*) = nullptr;
};

[[gnu::noinline]] inline std::string joined(std::initializer_list<Piece> pieces) {
  std::string message;
  for (const Piece& piece : pieces) piece.append_to(message);
  return message;
}

template <class E>
[[noreturn, gnu::cold, gnu::noinline]] void fail(std::initializer_list<Piece> pieces) {
  throw E(visible(joined(pieces), true));
}

}  // namespace detail

/// Joins pieces to one string: `join("expected ", 3, " axes")`.
template <class... Pieces>
std::string join(const Pieces&... pieces) {
  return detail::joined({detail::Piece(pieces)...});
}

/// The one check of the library: throws `E` with the joined pieces unless `condition` holds. The
/// message is put together only on failure. A name out of a file cannot command a terminal by it.
template <class E, class... Pieces>
void(check)(bool condition, const Pieces&... pieces) {  // in brackets: others have a macro check(…)
  if (!condition) [[unlikely]] {
    detail::fail<E>({detail::Piece(pieces)...});
  }
}

}  // namespace heed
