#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// The inner product of two inputs along one axis of each, for each sample. The remaining axes of
/// the first input come before those of the second.
///
///     axes (1, 2):  a: (N, K)     b: (N, T, K)    y: (N, T)      yₜ = Σₖ aₖ bₜₖ
///     axes (1, 1):  a: (N, T, U)  b: (N, T)       y: (N, U)      yᵤ = Σₜ aₜᵤ bₜ
///     axes (2, 2):  a: (N, S, K)  b: (N, T, K)    y: (N, S, T)   yₛₜ = Σₖ aₛₖ bₜₖ
///     axes (1, 1):  a: (N, K)     b: (N, K)       y: (N, 1)
///
/// The batch axis is axis 0; negative axes count from the end. Keras: `layers.Dot`, without
/// `normalize`.
struct Dot {
  Required<std::vector<Index>> axes;

  static constexpr std::string_view type = "Dot";
  static constexpr auto fields() { return std::tuple{field("axes", &Dot::axes)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(std::span<const Shape> x) const {
    check<ShapeError>(x.size() == 2, "expected two inputs, got ", x.size());
    check<OptionError>(axes.value.size() == 2, "expected two axes, one for each input, got ",
                       axes.value.size());
    Shape y;
    Index contracted[2];
    for (std::size_t i = 0; i < 2; ++i) {
      const Shape& shape = x[i];
      check<ShapeError>(shape.rank() == 1 || shape.rank() == 2,
                        "expected inputs of one or two axes besides the batch axis, got ", shape);
      const Index axis = batch_axis(i, shape.rank() + 1);
      check<OptionError>(1 <= axis && axis <= shape.rank(), "expected an axis from 1 to ",
                         shape.rank(), " for the input ", shape, ", got ", axes.value[i]);
      contracted[i] = shape[axis - 1];
      for (Index other = 1; other <= shape.rank(); ++other) {
        if (other != axis) y.push_back(shape[other - 1]);
      }
    }
    check<ShapeError>(contracted[0] == contracted[1],
                      "expected inputs of the same length along axes ",
                      to_text(std::span<const Index>(axes.value)), ", got ", x[0], " and ", x[1]);
    return y.empty() ? Shape{1} : y;
  }

  // If a is turned to (rows, K) and b to (columns, K), with the contracted axis last, y = a bᵀ.

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    for_each_sample(args.x, [&](Index n, const auto& a, const auto& b) {
      set_product<S>(product_map(args.y[0], n, a.rows, b.rows), a, b.transpose());
    });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const auto dx = args.dx;
    for_each_sample(args.x, [&](Index n, const auto& a, const auto& b) {
      // y = a bᵀ:  da = dy b,  db = dyᵀ a
      const auto d = product_map(args.dy[0], n, a.rows, b.rows);
      if (dx[0]) set_product<S>(axis_last(0, dx[0], n), d, b);
      if (dx[1]) set_product<S>(axis_last(1, dx[1], n), transposed(d), a);
    });
  }

 private:
  Index batch_axis(std::size_t input, Index rank) const {
    return axes.value[input] < 0 ? axes.value[input] + rank : axes.value[input];
  }

  template <class S>
  static MatrixMap<S> product_map(View<S> y, Index n, Index rows, Index cols) {
    return {y.data() + n * rows * cols, rows, cols};
  }

  /// Sample `n` as a matrix whose last axis is the contracted one.
  template <class S>
  Strided<S> axis_last(std::size_t input, View<S> x, Index n) const {
    const Strided<S> sample = x.slice(n);
    return batch_axis(input, x.rank()) == x.rank() - 1 ? sample : sample.transpose();
  }

  template <class S, class Use>
  void for_each_sample(std::span<const View<const S>> x, const Use& use) const {
    for (Index n = 0; n < x[0].dim(0); ++n) use(n, axis_last(0, x[0], n), axis_last(1, x[1], n));
  }
};

}  // namespace heed
