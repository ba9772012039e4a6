#pragma once

#include <heed/layers/window.hpp>

namespace heed {

/// The mean of each feature over the steps of a sequence that are not masked:
///
///     y[n, d] = (1 / |M|) Σₜ x[n, t, d]    over the set M of these steps
///
///     x: (N, T, D)    y: (N, D), or (N, 1, D) with `keepdims`
///
/// The output has no mask. Throws `DataError` for a sample in which all steps are masked.
///
/// Keras: `layers.GlobalAveragePooling1D` with `data_format="channels_last"`, which gives NaN for
/// such a sample.
struct GlobalAveragePooling1D {
  bool keepdims = false;

  static constexpr std::string_view type = "GlobalAveragePooling1D";
  static constexpr auto fields() {
    return std::tuple{field("keepdims", &GlobalAveragePooling1D::keepdims)};
  }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const { return detail::global_pool_shape(x, keepdims); }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const Steps steps = args.counting();
    detail::check_each_has_a_step(steps);
    auto y = args.y[0].matrix();
    for (Index n = 0; n < x.dim(0); ++n) {
      y.row(n).setZero();
      for (Index t = 0; t < x.dim(1); ++t) {
        if (steps.counts(n, t)) y.row(n) += x.slice(n).row(t);
      }
      y.row(n) /= count<S>(steps, n, x.dim(1));
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y = Σₜ xₜ / |M|:  dxₜ = dy / |M|, and zero for masked steps
    const Steps steps = args.counting();
    const auto dy = args.dy[0].matrix();
    for (Index n = 0; n < dx.dim(0); ++n) {
      for (Index t = 0; t < dx.dim(1); ++t) {
        auto dx_t = dx.slice(n).row(t);
        if (steps.counts(n, t)) {
          dx_t = dy.row(n) / count<S>(steps, n, dx.dim(1));
        } else {
          dx_t.setZero();
        }
      }
    }
  }

  /// The sum of the steps so far.
  std::vector<Shape> stream_state(const Shape& x, Index) const {
    detail::check_global_pool_streams(keepdims);
    return {Shape{x.back()}};
  }

  template <class S>
  void stream(const Forward<S>& args, Index seen, Cache<S>&) const {
    const auto x = args.x[0].matrix();
    auto y = args.y[0].matrix();
    auto sum = args.next_state[0].row();
    for (Index i = 0; i < x.rows(); ++i) {
      sum += x.row(i);
      y.row(i) = sum / static_cast<S>(seen + i + 1);
    }
  }

 private:
  template <class S>
  static S count(const Steps& steps, Index n, Index T) {
    return static_cast<S>(steps ? steps->length(n) : T);
  }
};

}  // namespace heed
