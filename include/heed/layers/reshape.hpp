#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Changes the shape of each sample, in row-major order. One axis may be -1; its length then
/// follows from the others, and is unknown if an axis of the input is. Copies nothing: the output uses
/// the memory of the input.
///
/// Keras: `layers.Reshape`.
struct Reshape {
  Required<std::vector<Index>> target_shape;

  static constexpr std::string_view type = "Reshape";
  static constexpr auto fields() {
    return std::tuple{field("target_shape", &Reshape::target_shape)};
  }
  static constexpr bool only_reshapes = true;

  Shape output_shape(const Shape& x) const {
    const std::span<const Index> target(target_shape.value);
    const auto misfit = [&] {
      return join("expected an input with as many elements as the target shape ", to_text(target),
                  ", got ", x);
    };
    check<OptionError>(std::count(target.begin(), target.end(), -1) <= 1,
                       "expected a target shape with at most one -1, got ", to_text(target));
    check<OptionError>(static_cast<Index>(target.size()) < Shape::max_rank, "expected at most ",
                       Shape::max_rank - 1, " axes, got ", target.size());
    Shape known;
    for (const Index dim : target) {
      check<OptionError>(dim >= -1, "expected a target shape of lengths or -1, got ",
                         to_text(target));
      if (dim >= 0) known.push_back(dim);
    }
    const Index elements = known.size();
    Shape y;
    const bool open = std::count(target.begin(), target.end(), -1) == 1;
    // With an axis of any length, only a batch shows whether the elements can be divided.
    check<ShapeError>(x.is_known() || open,
                      "expected a target shape with a -1 for an input of any "
                      "length, got ",
                      to_text(target));
    check<ShapeError>(!open || (elements > 0 && (!x.is_known() || x.size() % elements == 0)),
                      misfit());
    for (const Index dim : target) {
      y.push_back(dim >= 0 ? dim : x.is_known() ? x.size() / elements : any);
    }
    check<ShapeError>(!x.is_known() || y.size() == x.size(), misfit());
    return y;
  }
};

}  // namespace heed
