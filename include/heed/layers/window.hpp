#pragma once

#include <heed/layers/layer.hpp>
#include <heed/math/lanes.hpp>

// What the layers along the time axis share: Conv1D, and the layers that pool windows or sequences.

namespace heed {

/// How a window that reaches beyond the ends of a sequence is treated, with Keras's names.
enum class WindowPadding {
  valid,   ///< no window does
  same,    ///< as many outputs as steps, divided by the strides; windows are centred
  causal,  ///< the same number, but a window ends with the step of its output
};

/// The names of the kinds.
template <>
struct Names<WindowPadding> {
  using enum WindowPadding;
  static constexpr auto table = std::to_array<std::pair<std::string_view, WindowPadding>>(
      {{"valid", valid}, {"same", same}, {"causal", causal}});
};

namespace detail {

/// The windows of a layer along sequences of T steps. Position j of the window of output t is at
/// step `t stride + j dilation − left`.
struct Windows {
  Index size;      ///< the number of positions
  Index stride;    ///< from one window to the next, in steps
  Index dilation;  ///< from one position to the next, in steps
  Index left = 0;  ///< how far the first window reaches beyond the first step
  Index steps = 0;
  Index outputs = 0;

  Windows(Index positions, Index strides, Index dilation_rate, WindowPadding padding, Index T)
      : size(positions), stride(strides), dilation(dilation_rate), steps(T) {
    const Index reach = (size - 1) * dilation;
    if (padding == WindowPadding::valid) {
      outputs = steps > reach ? (steps - reach - 1) / stride + 1 : 0;
    } else {
      outputs = (steps + stride - 1) / stride;
      left = padding == WindowPadding::causal
                 ? reach
                 : (std::max)(Index{0}, (outputs - 1) * stride + reach + 1 - steps) / 2;
    }
  }

  /// The step at position 0 of the window of output t, which can be negative.
  Index first(Index t) const { return t * stride - left; }

  /// The positions [begin, end) of the window of output t that are inside the sequence.
  std::pair<Index, Index> inside(Index t) const {
    const Index at = first(t);
    const Index begin = at >= 0 ? 0 : (-at + dilation - 1) / dilation;
    const Index end = at >= steps ? 0 : (std::min)(size, (steps - 1 - at) / dilation + 1);
    return {(std::min)(begin, size), (std::max)((std::min)(begin, size), end)};
  }

  /// Calls `use(t, count, begin, end)` for runs of outputs from `from` to `to`: `count` outputs from
  /// t on, whose windows have the same positions inside the sequence.
  template <class Use>
  void for_each_run(Index from, Index to, const Use& use) const {
    for (Index t = from; t < to;) {
      const auto positions = inside(t);
      Index next = t + 1;
      while (next < to && inside(next) == positions) ++next;
      use(t, next - t, positions.first, positions.second);
      t = next;
    }
  }
};

/// Checks the fields of a layer with windows. Returns the number of outputs for sequences of shape
/// x; `any` for those of any length. `field` is the name of the size.
inline Index check_windows(std::string_view field, Index size, Index strides, Index dilation_rate,
                           WindowPadding padding, const Shape& x) {
  check_positive(field, size);
  check_positive("strides", strides);
  check_positive("dilation_rate", dilation_rate);
  check<OptionError>(strides == 1 || dilation_rate == 1,
                     "expected strides or a dilation_rate of 1, got strides of ", strides,
                     " and a dilation_rate of ", dilation_rate);
  // So that the sums of lengths in `Windows`, and their products with the features, can be counted.
  check_rank(x, 2, "(steps, features)");
  constexpr Index most = (std::numeric_limits<Index>::max)() / 8;
  const Index features = x[1] == any ? 1 : x[1];
  check<OptionError>(strides <= most / features && size <= most / features / dilation_rate,
                     "expected a window of steps that can be counted, got ", field, " of ", size,
                     " with a dilation_rate of ", dilation_rate, " and strides of ", strides);
  if (x[0] == any) return any;
  const Index outputs = Windows(size, strides, dilation_rate, padding, x[0]).outputs;
  check<ShapeError>(outputs > 0, "expected at least ", (size - 1) * dilation_rate + 1,
                    " steps, as many as its window has with padding ", name_of(padding), ", got ",
                    x);
  return outputs;
}

/// Windows of a batch at equal distances in memory: in x, (N, T, D), and y, (N, T', F).
struct WindowBlock {
  Index rows;    ///< the number of windows
  Index x, y;    ///< the first window and the first output, in steps; x can be negative
  Index x_rows;  ///< from one window to the next, in steps
  Index y_rows;  ///< … and from one output to the next
};

/// Calls `use(block)` for blocks that together have `count` outputs from t on of N samples: all
/// samples at once if the windows of two samples follow each other like those of one, otherwise a
/// sample or an output at a time, whichever gives larger blocks.
template <class Use>
void for_each_window_block(const Windows& windows, Index N, Index t, Index count, const Use& use) {
  const Index T = windows.steps, outputs = windows.outputs, first = windows.first(t);
  if (count == outputs && outputs * windows.stride == T) {
    use(WindowBlock{N * count, first, t, windows.stride, 1});
  } else if (count >= N) {
    for (Index n = 0; n < N; ++n) {
      use(WindowBlock{count, n * T + first, n * outputs + t, windows.stride, 1});
    }
  } else {
    for (Index i = 0; i < count; ++i) {
      use(WindowBlock{N, first + i * windows.stride, t + i, T, outputs});
    }
  }
}

/// The windows of a pooling layer along T steps; strides of 0 are the size.
inline Windows pools(Index pool_size, Index strides, WindowPadding padding, Index T) {
  return {pool_size, strides == 0 ? pool_size : strides, 1, padding, T};
}

/// The same as `check_windows` for a pooling layer.
inline Index check_pooling(Index pool_size, Index strides, WindowPadding padding, const Shape& x) {
  check<OptionError>(padding != WindowPadding::causal,
                     "expected padding valid or same, got causal");
  check_positive("pool_size", pool_size);
  return check_windows("pool_size", pool_size, strides == 0 ? pool_size : strides, 1, padding, x);
}

/// Calls `use(steps, output)` for each window of a batch: the steps of x inside the sequence, a row
/// each, and the row of y.
template <class X, class Y, class Use>
void for_each_pool(const Windows& windows, View<X> x, View<Y> y, const Use& use) {
  for (Index n = 0; n < x.dim(0); ++n) {
    for (Index t = 0; t < windows.outputs; ++t) {
      const auto [begin, end] = windows.inside(t);
      use(x.slice(n).middleRows(windows.first(t) + begin, end - begin), y.slice(n).row(t));
    }
  }
}

/// `y = max(x, y)` for two rows.
template <class S, class X, class Y>
void set_larger(const X& x, Y&& y) {
  for_lanes<S>(1, y.cols(), [&](auto at) { at(y) = larger(at(x), +at(y)); });
}

/// The output of a layer that pools whole sequences.
inline Shape global_pool_shape(const Shape& x, bool keepdims) {
  check_rank(x, 2, "(steps, features)");
  check<ShapeError>(x[0] != 0, "expected at least one step, got ", x);
  return keepdims ? Shape{1, x[1]} : Shape{x[1]};
}

inline void check_global_pool_streams(bool keepdims) {
  check<ModelError>(!keepdims, "with keepdims its only step is that of the whole sequence");
}

/// For a number of steps at each end of a sequence.
inline void check_ends(std::string_view field, const std::vector<Index>& ends) {
  constexpr Index most = (std::numeric_limits<Index>::max)() / 8;  // so that sums fit
  const bool fits =
      ends.size() == 2 && (std::min)(ends[0], ends[1]) >= 0 && (std::max)(ends[0], ends[1]) <= most;
  check<OptionError>(fits, "expected ", field, " of two numbers of steps, got ",
                     to_text(std::span<const Index>(ends)));
}

}  // namespace detail

}  // namespace heed
