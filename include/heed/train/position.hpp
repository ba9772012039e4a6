#pragma once

#include <heed/tensor/shape.hpp>

namespace heed::detail {

/// The position of the element at `offset` in row-major order: `(3, 0, 1)`.
inline std::string position_text(const Shape& shape, Index offset) {
  std::array<Index, Shape::max_rank> position{};
  for (Index axis = shape.rank() - 1; axis >= 0; --axis) {
    position[static_cast<std::size_t>(axis)] = offset % shape[axis];
    offset /= shape[axis];
  }
  return to_text(std::span<const Index>(position.data(), static_cast<std::size_t>(shape.rank())));
}

}  // namespace heed::detail
