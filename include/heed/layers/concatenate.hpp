#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Joins two or more inputs along one axis, in order. The batch axis is axis 0, and a negative
/// `axis` counts from the end. All other axes must be equal.
///
/// Keras: `layers.Concatenate`.
struct Concatenate {
  Index axis = -1;

  static constexpr std::string_view type = "Concatenate";
  static constexpr auto fields() { return std::tuple{field("axis", &Concatenate::axis)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(std::span<const Shape> x) const {
    check<ShapeError>(x.size() >= 2, "expected at least two inputs, got ", x.size());
    const Index joined = sample_axis(x[0]);
    Index length = 0;
    for (const Shape& shape : x) {
      check<ShapeError>(
          shape.rank() == x[0].rank() && shape.with(joined, 0) == x[0].with(joined, 0),
          "expected inputs that differ only in axis ", axis, ", got ", x[0], " and ", shape);
      if (length == any || shape[joined] == any) {
        length = any;
        continue;
      }
      check<ShapeError>(shape[joined] <= (std::numeric_limits<Index>::max)() - length,
                        "expected inputs whose joined length can be counted");
      length += shape[joined];
    }
    return x[0].with(joined, length);
  }

  bool is_step_wise(std::span<const Shape> x) const { return sample_axis(x[0]) > 0; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    Index column = 0;
    for (const auto& input : args.x) {
      const auto part = folded(input);
      folded(args.y[0]).middleCols(column, part.cols()) = part;
      column += part.cols();
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    // y = [x₁ x₂ …]:  dxᵢ is the part of dy that corresponds to xᵢ
    Index column = 0;
    for (std::size_t i = 0; i < args.x.size(); ++i) {
      const Index width = folded(args.x[i]).cols();
      if (args.dx[i]) folded(args.dx[i]) = folded(args.dy[0]).middleCols(column, width);
      column += width;
    }
  }

 private:
  /// The joined axis, as an axis of a sample.
  Index sample_axis(const Shape& x) const {
    const Index position = axis < 0 ? axis + x.rank() : axis - 1;
    check<OptionError>(0 <= position && position < x.rank(), "expected an axis of ",
                       x.batch(1).rank(), " axes other than the batch axis, got ", axis);
    return position;
  }

  /// Rows: the axes before the joined one. Columns: the joined axis and all axes after it.
  template <class S>
  MatrixMap<S> folded(View<S> x) const {
    const Index position = axis < 0 ? axis + x.rank() : axis;
    return {x.data(), x.shape().product(0, position), x.shape().product(position, x.rank())};
  }
};

}  // namespace heed
