#pragma once

#include <algorithm>
#include <concepts>
#include <span>
#include <vector>

#include <heed/math/names.hpp>
#include <heed/tensor/tensor.hpp>

namespace heed::detail {

/// A choice that has names: those of Keras, with heed's name first.
template <class Made>
struct NamedChoice {
  std::vector<std::string_view> names;
  Made (*make)();
};

/// The choice with this name. Throws `OptionError` with the known names.
template <class Made>
Made make_by_name(std::string_view what, std::string_view name,
                  const std::vector<NamedChoice<Made>>& choices) {
  for (const auto& choice : choices) {
    if (std::find(choice.names.begin(), choice.names.end(), name) != choice.names.end()) {
      return choice.make();
    }
  }
  const auto known = quoted(choices, [](const auto& choice) { return choice.names.front(); });
  throw OptionError(join("there is no ", what, " \"", name, "\" among ", known));
}

/// A type that can be read as a name.
template <class T>
concept Text = std::convertible_to<const T&, std::string_view>;

}  // namespace heed::detail
