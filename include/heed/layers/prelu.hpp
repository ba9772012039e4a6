#pragma once

#include <heed/layers/elementwise.hpp>

namespace heed {

/// `y = x` where x > 0, otherwise `alpha x` with a trained alpha (He, Zhang, Ren, Sun 2015, section
/// 2.1).
///
///     x: (N, …)    alpha: (…), with the length 1 along the shared axes    y: as x
///
/// `shared_axes` count from 1, as in Keras, because 0 is the axis of samples. At 0 the slope is 0.
///
/// Keras: `layers.PReLU`.
struct PReLU {
  Initializer alpha_initializer = Initializer::zeros;
  std::vector<Index> shared_axes = {};

  static constexpr std::string_view type = "PReLU";
  static constexpr auto fields() {
    return std::tuple{field("alpha_initializer", &PReLU::alpha_initializer),
                      field("shared_axes", &PReLU::shared_axes)};
  }

  Shape output_shape(const Shape& x) const {
    for (const Index axis : shared_axes) {
      check<OptionError>(1 <= axis && axis <= x.rank(), "expected shared_axes from 1 to ", x.rank(),
                         ", got ", axis);
    }
    const Shape alpha = weight_shape(x);
    check<ShapeError>(alpha.is_known(), "expected known lengths except along shared_axes, got ", x);
    return detail::same_shape(x);
  }

  std::vector<Weight> weights(const Shape& x) const {
    return {{"alpha", weight_shape(x), alpha_initializer}};
  }

  bool is_step_wise(const Shape& x) const { return x.rank() >= 2 && shares(0); }
  static bool keeps_steps() { return true; }

  template <class S>
  using Cache = NoCache;

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const S* x = args.x[0].data();
    S* y = args.y[0].data();
    const S* alpha = args.w[0].data();
    for_each(args.x[0].shape(), args.w[0].shape(),
             [&](Index i, Index a) { y[i] = x[i] > S{0} ? x[i] : alpha[a] * x[i]; });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const S* x = args.x[0].data();
    const S* dy = args.dy[0].data();
    const S* alpha = args.w[0].data();
    S* dx = args.dx[0] ? args.dx[0].data() : nullptr;
    S* dalpha = args.dw ? args.dw[0].data() : nullptr;
    // y = alpha x where x < 0:  dalpha += dy ∘ x,  dx = dy ∘ alpha
    for_each(args.x[0].shape(), args.w[0].shape(), [&](Index i, Index a) {
      const bool below = x[i] < S{0};
      if (dalpha != nullptr && below) dalpha[a] += dy[i] * x[i];
      if (dx != nullptr) dx[i] = below ? dy[i] * alpha[a] : x[i] > S{0} ? dy[i] : S{0};
    });
  }

 private:
  bool shares(Index axis) const {
    return std::find(shared_axes.begin(), shared_axes.end(), axis + 1) != shared_axes.end();
  }

  Shape weight_shape(Shape x) const {
    for (Index axis = 0; axis < x.rank(); ++axis) {
      if (shares(axis)) x = x.with(axis, 1);
    }
    return x;
  }

  /// Calls `use(i, a)` for each element i of a batch, with a the place of its alpha.
  template <class Use>
  static void for_each(const Shape& batch, const Shape& alpha, const Use& use) {
    const Index size = batch.product(0, batch.rank());
    for (Index i = 0; i < size; ++i) {
      Index rest = i, place = 0, stride = 1;
      for (Index axis = batch.rank() - 1; axis > 0; --axis) {
        const Index at = rest % batch[axis];
        rest /= batch[axis];
        if (alpha[axis - 1] == 1) continue;
        place += at * stride;
        stride *= alpha[axis - 1];
      }
      use(i, place);
    }
  }
};

}  // namespace heed
