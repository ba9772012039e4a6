#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// An input of the model: the shape of one sample, without the batch axis. The length `any` (-1)
/// marks an axis whose length can differ between batches.
///
/// Keras: `layers.Input`.
struct Input {
  Required<std::vector<Index>> shape;

  static constexpr std::string_view type = "InputLayer";
  static constexpr auto fields() { return std::tuple{field("shape", &Input::shape)}; }
  static constexpr bool only_reshapes = true;

  Shape output_shape(std::span<const Shape> x) const {
    check<ShapeError>(x.empty(), "expected no layer before it, got ", x.size());
    check<OptionError>(
        !shape.value.empty() && static_cast<Index>(shape.value.size()) < Shape::max_rank,
        "expected a shape of 1 to ", Shape::max_rank - 1, " axes, got ",
        to_text(std::span<const Index>(shape.value)));
    for (const Index dim : shape.value) {
      if (dim != any) detail::check_positive("axes", dim);
    }
    return Shape(std::span<const Index>(shape.value));
  }
};

}  // namespace heed
