#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <heed/tensor/error.hpp>

namespace heed {

/// The values of an enumeration with their names in Keras and in files. Specialised next to each
/// enumeration: `static constexpr std::array<std::pair<std::string_view, Enum>, N> table`.
template <class Enum>
struct Names;

template <class Enum>
concept Named = requires {
  Names<Enum>::table.size();
};

template <Named Enum>
constexpr std::string_view name_of(Enum value) {
  for (const auto& [name, entry] : Names<Enum>::table) {
    if (entry == value) return name;
  }
  return "?";
}

template <Named Enum>
constexpr std::optional<Enum> by_name(std::string_view name) {
  for (const auto& [known, entry] : Names<Enum>::table) {
    if (known == name) return entry;
  }
  return std::nullopt;
}

template <Named Enum>
std::string to_text(Enum value) {
  return std::string(name_of(value));
}

namespace detail {

/// Lists the existing names for an error message about an unknown one: `"loss", "accuracy"`. A long
/// list is cut off. `name` returns the name of an element.
template <class List, class Name = std::identity>
std::string quoted(const List& list, const Name& name = {}) {
  constexpr std::size_t most = 20;
  std::string text;
  std::size_t count = 0;
  for (const auto& element : list) {
    if (++count <= most) text += join(count > 1 ? ", \"" : "\"", std::invoke(name, element), "\"");
  }
  if (count == 0) return "none";
  return count > most ? join(text, ", … (", count, ")") : text;
}

}  // namespace detail

}  // namespace heed
