#pragma once

#include <heed/layers/normalizing.hpp>

namespace heed {

/// Divides the C channels of each sample into groups, and shifts and scales each group to mean 0
/// and variance 1, over its channels and all other axes (Wu, He 2018, section 3):
///
///     x̂ = (x − mean) / √(variance + epsilon)
///     y = gamma ∘ x̂ + beta
///
///     x: (N, …, C, …)    gamma, beta: (C)    y: as x
///
/// `groups` = −1 makes each channel a group. Masked steps are read like others, as in Keras.
///
/// Keras: `layers.GroupNormalization`.
struct GroupNormalization {
  Index groups = 32;
  Index axis = -1;
  double epsilon = 1e-3;
  bool center = true;
  bool scale = true;
  Initializer beta_initializer = Initializer::zeros;
  Initializer gamma_initializer = Initializer::ones;

  static constexpr std::string_view type = "GroupNormalization";
  static constexpr auto fields() {
    using L = GroupNormalization;
    return std::tuple{field("groups", &L::groups),
                      field("axis", &L::axis),
                      field("epsilon", &L::epsilon),
                      field("center", &L::center),
                      field("scale", &L::scale),
                      field("beta_initializer", &L::beta_initializer),
                      field("gamma_initializer", &L::gamma_initializer)};
  }

  Shape output_shape(const Shape& x) const {
    detail::check_variance_epsilon(epsilon);
    const Index C = channels(x);
    check<ShapeError>(C > 0, "expected a known number of channels, got ", x);
    check<OptionError>(groups == -1 || (0 < groups && C % groups == 0), "expected groups that ", C,
                       " channels can be divided into, or -1, got ", groups);
    return x;
  }

  std::vector<Weight> weights(const Shape& x) const {
    return detail::normalizing_weights(*this, {channels(x)});
  }

  static bool keeps_steps() { return true; }

  template <class S>
  using Cache = detail::NormalizingCache<S>;

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const auto axes = divide(args.x[0].shape());
    const S count = static_cast<S>(axes.count());
    cache.moments.resize({axes.samples * axes.groups, 2});
    for_each_group(axes, [&](Index group, auto runs) {
      using std::sqrt;
      S sum = 0, squares = 0;
      runs([&](Index, auto part) { sum += part(args.x[0]).sum(); });
      const S mean = sum / count;
      runs([&](Index, auto part) { squares += (part(args.x[0]) - mean).square().sum(); });
      const S inverse = S{1} / sqrt(squares / count + static_cast<S>(epsilon));
      runs([&](Index channel, auto part) {
        auto y = part(args.y[0]);
        y = (part(args.x[0]) - mean) * inverse;
        if (scale) y *= args.w[0].data()[channel];
        if (center) y += args.w[beta()].data()[channel];
      });
      cache.moments.data()[2 * group] = mean;
      cache.moments.data()[2 * group + 1] = inverse;
    });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const auto axes = divide(args.x[0].shape());
    const S count = static_cast<S>(axes.count());
    for_each_group(axes, [&](Index group, auto runs) {
      const S mean = cache.moments.data()[2 * group], inverse = cache.moments.data()[2 * group + 1];
      const auto gamma = [&](Index channel) { return scale ? args.w[0].data()[channel] : S{1}; };
      S shift = 0, slope = 0;
      runs([&](Index channel, auto part) {
        // y = gamma ∘ x̂ + beta:  dgamma += dy ∘ x̂,  dbeta += dy,  dx̂ = dy ∘ gamma
        const S dy = part(args.dy[0]).sum();
        const S by_x = (part(args.dy[0]) * (part(args.x[0]) - mean)).sum() * inverse;
        if (args.dw && scale) args.dw[0].data()[channel] += by_x;
        if (args.dw && center) args.dw[beta()].data()[channel] += dy;
        shift += dy * gamma(channel);
        slope += by_x * gamma(channel);
      });
      if (!args.dx[0]) return;
      // x̂ = (x − mean) inverse:  dx = inverse (dx̂ − mean(dx̂) − x̂ mean(dx̂ ∘ x̂))
      runs([&](Index channel, auto part) {
        part(args.dx[0]) = inverse * (part(args.dy[0]) * gamma(channel) - shift / count -
                                      (part(args.x[0]) - mean) * (inverse * slope / count));
      });
    });
  }

 private:
  /// The axes of a batch: samples, those in front of the channels, channels, those behind them.
  struct Axes {
    Index samples, outer, channels, inner, groups;

    Index per_group() const { return channels / groups; }
    /// How many elements a group has.
    Index count() const { return outer * per_group() * inner; }
  };

  std::size_t beta() const { return scale ? 1 : 0; }

  Index channels(const Shape& x) const {
    return x[detail::range_along(std::span(&axis, 1), x).first];
  }

  Axes divide(const Shape& batch) const {
    const auto axes = detail::along(std::span(&axis, 1), batch);
    const Index N = batch[0];
    return {N, axes.outer / (std::max)(Index{1}, N), axes.length, axes.inner,
            groups == -1 ? axes.length : groups};
  }

  /// Calls `use(group, runs)` for each group of each sample; `runs(use)` calls `use(channel, part)`
  /// for its runs of elements of one channel, and `part(x)` is a run in x.
  template <class Use>
  static void for_each_group(const Axes& axes, const Use& use) {
    for (Index group = 0; group < axes.samples * axes.groups; ++group) {
      const Index n = group / axes.groups, begin = group % axes.groups * axes.per_group();
      use(group, [&](const auto& use_run) {
        for (Index outer = 0; outer < axes.outer; ++outer) {
          for (Index c = begin; c < begin + axes.per_group(); ++c) {
            const Index at = ((n * axes.outer + outer) * axes.channels + c) * axes.inner;
            use_run(c, [&]<class T>(View<T> x) { return ArrayMap<T>(x.data() + at, axes.inner); });
          }
        }
      });
    }
  }
};

}  // namespace heed
