#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Reshapes each sample to one axis, in row-major order: `(N, T, U)` becomes `(N, T · U)`. Copies
/// nothing: the output uses the memory of the input.
///
/// Keras: `layers.Flatten`.
struct Flatten {
  static constexpr std::string_view type = "Flatten";
  static constexpr auto fields() { return std::tuple{}; }
  static constexpr bool only_reshapes = true;

  Shape output_shape(const Shape& x) const { return {x.is_known() ? x.size() : any}; }
};

}  // namespace heed
