#pragma once

#include <string>
#include <string_view>

namespace heed::detail {

/// The name that Keras makes from a class name: `StepAttention` is `step_attention`, `LSTM` `lstm`,
/// `Conv1D` `conv1d`. A package in front, as in `mine>Gain`, is left out.
inline std::string snake_case(std::string_view type) {
  type.remove_prefix(type.find('>') + 1);
  const auto is = [&](std::size_t i, char first, char last) {
    return i < type.size() && first <= type[i] && type[i] <= last;
  };
  std::string name;
  for (std::size_t i = 0; i < type.size(); ++i) {
    const bool upper = is(i, 'A', 'Z');
    if (upper && i > 0 && (is(i - 1, 'a', 'z') || is(i + 1, 'a', 'z'))) name += '_';
    name += upper ? static_cast<char>(type[i] - 'A' + 'a') : type[i];
  }
  return name;
}

}  // namespace heed::detail
