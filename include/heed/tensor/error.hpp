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

/// The base class of all exceptions that heed throws on bad input. `what()` is a sentence that
/// names the layer, argument or file, and says what was expected and what was given.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A shape mismatch: between a layer and its input, data and its model, or a tensor and its values.
struct ShapeError : Error {
  using Error::Error;
};

/// A model that cannot be made, or does not have what is asked for: duplicate or unknown names, a
/// missing `build()`.
struct ModelError : Error {
  using Error::Error;
};

/// An option, or a field of a layer, whose value is outside its range.
struct OptionError : Error {
  using Error::Error;
};

/// Data that cannot be used or drawn: no samples, or numbers that are not finite.
struct DataError : Error {
  using Error::Error;
};

/// A file that cannot be read or written, or has the wrong content.
struct FileError : Error {
  using Error::Error;
};

/// Converts one piece of an error message to text. Types of heed add overloads next to their
/// definition.
inline std::string to_text(std::string_view text) { return std::string(text); }

template <std::integral Integer>
std::string to_text(Integer value) {
  return std::to_string(value);
}

/// The shortest text for a number: `0.5`, `64`, `1e-07`.
inline std::string to_text(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return std::string(digits, end);
}

namespace detail {

/// A piece of a message with its type erased, so that messages do not instantiate a template each.
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

/// Joins pieces into one string: `join("expected ", 3, " axes")`.
template <class... Pieces>
std::string join(const Pieces&... pieces) {
  return detail::joined({detail::Piece(pieces)...});
}

/// Throws `E` with the joined pieces unless `condition` holds. All checks of heed use this
/// function. The message is built only on failure, and control characters in it are escaped, so
/// that a name from a file cannot send commands to a terminal.
template <class E, class... Pieces>
void(check)(bool condition, const Pieces&... pieces) {  // (check): others define a macro
  if (!condition) [[unlikely]] {
    detail::fail<E>({detail::Piece(pieces)...});
  }
}

}  // namespace heed
