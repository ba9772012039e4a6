#pragma once

#include <heed/layers/recurrent.hpp>

namespace heed {

/// How `Bidirectional` merges its two sequences.
enum class MergeMode { concat, sum, mul, ave, none };

/// The names of the modes.
template <>
struct Names<MergeMode> {
  using enum MergeMode;
  static constexpr auto table = std::to_array<std::pair<std::string_view, MergeMode>>(
      {{"concat", concat}, {"sum", sum}, {"mul", mul}, {"ave", ave}, {"none", none}});
};

/// Two recurrent layers, each with its own weights. One reads from the first step to the last, the
/// other from the last to the first (Schuster, Paliwal 1997). The sequence of the second is
/// reversed, so that their steps match, and both are merged:
///
///     concat  y = [y→, y←]          sum  y = y→ + y←          none  both are outputs
///     mul     y = y→ ∘ y←           ave  y = (y→ + y←) / 2
///
///     x: (N, T, D)    y: (N, T, 2U) or (N, 2U) with concat, otherwise (N, T, U) or (N, U)
///     weights forward_… and backward_… of the layer    states: forward's, then backward's
///
/// If the layer returns sequences, masked steps are zeros, even if its `zero_output_for_mask` is
/// false.
///
/// Keras: `layers.Bidirectional`, without `backward_layer`; `none` corresponds to its None.
template <CellLayer L>
struct Bidirectional {
  L layer;
  MergeMode merge_mode = MergeMode::concat;

  static constexpr std::string_view type = "Bidirectional";
  static constexpr auto fields() {
    return std::tuple{field("layer", &Bidirectional::layer),
                      field("merge_mode", &Bidirectional::merge_mode)};
  }

  template <class S>
  struct Cache {
    struct Direction {
      detail::CacheOf<L, S> cell;
      Tensor<S> y;   // (N, T, U) or (N, U)  backward: in the order in which it reads
      Tensor<S> dy;  // the same
    };
    Direction forward, backward;
    Tensor<S> dx;  // backward's
  };

  Shape output_shape(const Shape& x) const {
    check<OptionError>(
        !layer.go_backwards,
        "expected a layer without go_backwards; Bidirectional adds the one that goes backwards");
    const Shape y = layer.output_shape(x);
    if (merge_mode != MergeMode::concat) return y;
    check<OptionError>(layer.units <= (std::numeric_limits<Index>::max)() / 2,
                       "expected units whose double can be counted, got ", layer.units.value);
    return y.with_last(2 * layer.units);
  }

  std::vector<Weight> weights(const Shape& x) const {
    std::vector<Weight> result;
    for (const char* direction : {"forward_", "backward_"}) {
      for (Weight weight : layer.weights(x)) {
        weight.name.insert(0, direction);
        result.push_back(std::move(weight));
      }
    }
    return result;
  }

  std::vector<Shape> states(const Shape& x) const {
    auto result = detail::states_of(layer, x);
    for (const Shape& state : detail::states_of(layer, x)) result.push_back(state);
    return result;
  }

  std::size_t outputs() const { return merge_mode == MergeMode::none ? 2 : 1; }
  bool keeps_steps() const { return layer.return_sequences; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const auto run = [&](bool back, typename Cache<S>::Direction& direction) {
      direction.y.resize(one(args.x[0].shape()));
      const View<S> y = direction.y;
      Forward<S> own = args;
      own.w = half(args.w, back);
      own.y = {&y, 1};
      own.state = half(args.state, back);
      own.next_state = half(args.next_state, back);
      own.pass = pass(args.pass, back);
      detail::run_forward(cell(back), own, direction.cell);
    };
    run(false, cache.forward);
    run(true, cache.backward);
    for_each_step(cache, [&](Index row, const auto& ahead, const auto& back) {
      auto y = args.y[0].matrix().row(row);
      using enum MergeMode;
      switch (merge_mode) {
        case concat:
          y.head(layer.units) = ahead;
          y.tail(layer.units) = back;
          break;
        case sum: y = ahead + back; break;
        case mul: y = ahead.cwiseProduct(back); break;
        case ave: y = (ahead + back) / S{2}; break;
        case none:
          y = ahead;
          args.y[1].matrix().row(row) = back;
          break;
      }
    });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const bool has_dy = merge(args, cache);
    cache.dx.resize(args.dx[0] ? args.x[0].shape() : Shape{0});
    const auto run = [&](bool back, typename Cache<S>::Direction& direction, View<S> dx) {
      const View<const S> y = direction.y;
      const View<const S> dy = has_dy ? View<const S>(direction.dy) : View<const S>{};
      Backward<S> own = args;
      own.w = half(args.w, back);
      own.dw = args.dw ? half(args.dw, back) : Parameters<S>{};
      own.y = {&y, 1};
      own.dy = {&dy, 1};
      own.dx = {&dx, 1};
      own.state = half(args.state, back);
      own.dstate = half(args.dstate, back);
      own.dnext_state = half(args.dnext_state, back);
      own.pass = pass(args.pass, back);
      detail::run_backward(cell(back), own, direction.cell);
    };
    run(false, cache.forward, args.dx[0]);
    run(true, cache.backward, args.dx[0] ? View<S>(cache.dx) : View<S>{});
    // Both layers read x:  dx = dx→ + dx←
    if (args.dx[0]) args.dx[0].array() += cache.dx.array();
  }

 private:
  L cell(bool back) const {
    L result = layer;
    result.go_backwards = back;
    result.zero_output_for_mask = layer.return_sequences;
    return result;
  }

  /// The output shape of one direction, for a batch x.
  Shape one(const Shape& x) const {
    return (layer.return_sequences ? x.sample().with_last(layer.units) : Shape{layer.units})
        .batch(x[0]);
  }

  template <class S>
  static Parameters<S> half(const Parameters<S>& w, bool back) {
    return w.part(back ? w.size() / 2 : 0, w.size() / 2);
  }
  template <class T>
  static std::span<T> half(std::span<T> states, bool back) {
    return states.subspan(back ? states.size() / 2 : 0, states.size() / 2);
  }

  /// Gives each direction its own dropout masks.
  static Pass pass(Pass pass, bool back) {
    if (back) pass.seed += 2;
    return pass;
  }

  /// Calls `use` with each row of the output and the rows of both directions that belong to the
  /// same step.
  template <class S, class Use>
  void for_each_step(Cache<S>& cache, const Use& use) const {
    const auto ahead = cache.forward.y.matrix(), back = cache.backward.y.matrix();
    const Index T = layer.return_sequences ? cache.forward.y.dim(1) : 1;
    for (Index row = 0; row < ahead.rows(); ++row) {
      use(row, ahead.row(row), back.row(turned(row, T)));
    }
  }
  static Index turned(Index row, Index T) { return row - row % T + T - 1 - row % T; }

  /// The backward pass of the merge: from dy to the gradient of each direction. False if nothing
  /// used y.
  template <class S>
  bool merge(const Backward<S>& args, Cache<S>& cache) const {
    const View<const S> dy = args.dy[0];
    const View<const S> second = merge_mode == MergeMode::none ? args.dy[1] : dy;
    if (!dy && !second) return false;
    cache.forward.dy.resize(cache.forward.y.shape());
    cache.backward.dy.resize(cache.backward.y.shape());
    const Index U = layer.units, T = layer.return_sequences ? cache.forward.y.dim(1) : 1;
    for_each_step(cache, [&](Index row, const auto& ahead, const auto& back) {
      auto d_ahead = cache.forward.dy.matrix().row(row);
      auto d_back = cache.backward.dy.matrix().row(turned(row, T));
      using enum MergeMode;
      switch (merge_mode) {
        case concat:
          d_ahead = dy.matrix().row(row).head(U);
          d_back = dy.matrix().row(row).tail(U);
          break;
        case sum: d_ahead = d_back = dy.matrix().row(row); break;
        case mul:
          d_ahead = dy.matrix().row(row).cwiseProduct(back);
          d_back = dy.matrix().row(row).cwiseProduct(ahead);
          break;
        case ave: d_ahead = d_back = dy.matrix().row(row) / S{2}; break;
        case none:
          dy ? void(d_ahead = dy.matrix().row(row)) : void(d_ahead.setZero());
          second ? void(d_back = second.matrix().row(row)) : void(d_back.setZero());
          break;
      }
    });
    return true;
  }
};

}  // namespace heed
