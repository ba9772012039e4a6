#pragma once

#include <heed/layers/signatures.hpp>

namespace heed {

namespace detail {

template <class L>
inline constexpr bool is_time_distributed = false;

/// The layers that a `TimeDistributed` can contain: those with one input.
template <class L>
concept InTimeDistributed = UnaryLayer<L> && !is_time_distributed<L>;

}  // namespace detail

/// Applies a layer to each time step separately:
///
///     y[n, t] = layer(x[n, t])
///
///     x: (N, T, …)    y: (N, T, …)
///
/// The layer treats steps like samples: with `Dropout`, each step has its own mask, and the layer
/// does not know which steps are masked. The mask of the input is the mask of the output.
///
/// Keras: `layers.TimeDistributed`. The layer must have one output and must not carry states from
/// batch to batch.
template <UnaryLayer L>
struct TimeDistributed {
  L layer;

  static constexpr std::string_view type = "TimeDistributed";
  static constexpr auto fields() { return std::tuple{field("layer", &TimeDistributed::layer)}; }

  template <class S>
  struct Cache {
    detail::CacheOf<L, S> layer;
    Shape steps;  // (N, T)
  };

  Shape output_shape(const Shape& x) const {
    check<ShapeError>(x.rank() >= 2, "expected an input of (steps, …), got ", x);
    check<OptionError>(
        detail::outputs_of(layer) == 1 && !detail::returns_state(layer) &&
            !detail::is_stateful(layer),
        "expected an inner layer with one output, without return_state and stateful, got ",
        L::type);
    return layer.output_shape(x.sample()).batch(x[0]);
  }

  std::vector<Weight> weights(const Shape& x) const {
    return detail::weights_of(layer, x.sample());
  }

  static bool is_step_wise(const Shape&) { return true; }

  ActivationFunction& output_activation() requires ActivatedLayer<L> {
    return layer.output_activation();
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    cache.steps = {args.x[0].dim(0), args.x[0].dim(1)};
    if constexpr (ReshapingLayer<L>) {
      args.y[0].array() = args.x[0].array();
    } else {
      const View<const S> x = folded(args.x[0]);
      const View<S> y = folded(args.y[0]);
      detail::run_forward(
          layer,
          Forward<S>{.w = args.w, .x = {&x, 1}, .y = {&y, 1}, .pass = pass(args.pass, cache.steps)},
          cache.layer);
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    if constexpr (ReshapingLayer<L>) {
      if (args.dx[0]) args.dx[0].array() = args.dy[0].array();
    } else {
      const View<const S> x = folded(args.x[0]), y = folded(args.y[0]), dy = folded(args.dy[0]);
      const View<S> dx = args.dx[0] ? folded(args.dx[0]) : View<S>{};
      detail::run_backward(layer,
                           Backward<S>{.w = args.w,
                                       .x = {&x, 1},
                                       .y = {&y, 1},
                                       .dy = {&dy, 1},
                                       .dw = args.dw,
                                       .dx = {&dx, 1},
                                       .pass = pass(args.pass, cache.steps)},
                           cache.layer);
    }
  }

  /// The values that the layer publishes, for each step.
  template <class S>
  static auto published(const Cache<S>& cache) {
    if constexpr (detail::HasPublished<L>) {
      auto values = L::template published<S>(cache.layer);
      for (Published<S>& inner : values) {
        inner.value = inner.value.reshaped(
            inner.value.shape().sample().batch(cache.steps[1]).batch(cache.steps[0]));
      }
      return values;
    } else {
      return std::array<Published<S>, 0>{};
    }
  }

 private:
  /// Steps as samples: (N, T, …) as (N T, …).
  template <class S>
  static View<S> folded(View<S> x) {
    return x.reshaped(x.shape().sample().sample().batch(x.dim(0) * x.dim(1)));
  }

  static Pass pass(Pass pass, const Shape& steps) {
    pass.first_sample *= steps[1];
    return pass;
  }
};

namespace detail {

template <class L>
inline constexpr bool is_time_distributed<TimeDistributed<L>> = true;

}  // namespace detail

}  // namespace heed
