#pragma once

#include <heed/layers/window.hpp>
#include <heed/math/product.hpp>

namespace heed {

/// A convolution along the time axis: the same window of weights at every place of a sequence.
///
///     y[n, t] = φ(b + Σⱼ x[n, t s + j d − p] W[j])    steps outside the sequence are zeros
///
///     x: (N, T, D)    W = kernel: (K, D/G, F)    b = bias: (F)    y: (N, T', F)
///
/// with K = kernel_size, F = filters, s = strides, d = dilation_rate and G = groups. Group g of the
/// outputs reads group g of the features. T' and the padding p in front depend on `padding`:
///
///     valid:   T' = ⌈(T − (K − 1) d) / s⌉    p = 0
///     same:    T' = ⌈T / s⌉                  p = ⌊max(0, (T' − 1) s + (K − 1) d + 1 − T) / 2⌋
///     causal:  T' = ⌈T / s⌉                  p = (K − 1) d: no step depends on a later one
///
/// A mask of the input is dropped, as in Keras: masked steps are read like all others.
///
/// LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition",
/// section II; causal and dilated: van den Oord et al. 2016, "WaveNet", section 2.1.
/// Keras: `layers.Conv1D` with `data_format="channels_last"`, which refuses strides together with a
/// dilation_rate as well.
struct Conv1D {
  Required<Index> filters;
  Required<Index> kernel_size;
  Index strides = 1;
  WindowPadding padding = WindowPadding::valid;
  Index dilation_rate = 1;
  Index groups = 1;
  ActivationFunction activation = ActivationFunction::linear;
  bool use_bias = true;
  Initializer kernel_initializer = Initializer::glorot_uniform;
  Initializer bias_initializer = Initializer::zeros;

  static constexpr std::string_view type = "Conv1D";
  static constexpr auto fields() {
    return std::tuple{field("filters", &Conv1D::filters),
                      field("kernel_size", &Conv1D::kernel_size),
                      field("strides", &Conv1D::strides),
                      field("padding", &Conv1D::padding),
                      field("dilation_rate", &Conv1D::dilation_rate),
                      field("groups", &Conv1D::groups),
                      field("activation", &Conv1D::activation),
                      field("use_bias", &Conv1D::use_bias),
                      field("kernel_initializer", &Conv1D::kernel_initializer),
                      field("bias_initializer", &Conv1D::bias_initializer)};
  }

  enum { kernel, bias };

  Shape output_shape(const Shape& x) const {
    detail::check_positive("filters", filters);
    detail::check_positive("groups", groups);
    check<OptionError>(filters % groups == 0, "expected filters that ", groups,
                       " groups divide, got ", filters.value);
    const Index outputs =
        detail::check_windows("kernel_size", kernel_size, strides, dilation_rate, padding, x);
    check<ShapeError>(x[1] == any || x[1] % groups == 0, "expected features that ", groups,
                      " groups divide, got ", x);
    return {outputs, filters};
  }

  std::vector<Weight> weights(const Shape& x) const {
    const Index depth = x[1] == any ? any : x[1] / groups;
    std::vector<Weight> result{{"kernel", {kernel_size, depth, filters}, kernel_initializer}};
    if (use_bias) result.push_back({"bias", {filters}, bias_initializer});
    return result;
  }

  ActivationFunction& output_activation() { return activation; }

  template <class S>
  struct Cache {
    Tensor<S> z;  // for a function that `needs_z`; otherwise empty
    Tensor<S> dz;
    Tensor<S> windows;  // of a stream: (steps, K, D)
  };

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    const Distances distances{x.dim(2), dilation_rate * x.dim(2)};
    const auto windows = windows_over(x.dim(1));
    windows.for_each_run(0, windows.outputs, [&](Index t, Index count, Index begin, Index end) {
      detail::for_each_window_block(windows, x.dim(0), t, count,
                                    [&](const detail::WindowBlock& block) {
                                      set_outputs<S>(args.w, x, y, block, distances, begin, end);
                                    });
    });
    if (needs_z(activation)) cache.z.assign(y);
    activate<S>(activation, y.matrix());
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const View<const S> x = args.x[0];
    const View<S> dx = args.dx[0];
    // y = φ(z):  dz = dy ∘ φ'(z)
    View<const S> dz = args.dy[0];
    if (activation != ActivationFunction::linear) {
      cache.dz.assign(dz);
      const View<const S> from = needs_z(activation) ? View<const S>(cache.z) : args.y[0];
      activate_backward<S>(activation, from.matrix(), cache.dz.matrix());
      dz = cache.dz;
    }
    if (args.dw && use_bias) add_row_sum<S>(args.dw[bias], dz.matrix());
    if (dx) dx.set_zero();
    const Distances distances{x.dim(2), dilation_rate * x.dim(2)};
    const auto windows = windows_over(x.dim(1));
    windows.for_each_run(0, windows.outputs, [&](Index t, Index count, Index begin, Index end) {
      // z = b + Σⱼ xⱼ Wⱼ:  dWⱼ += xⱼᵀ dz,  dxⱼ += dz Wⱼᵀ
      const auto each_group = [&](const auto& use) {
        detail::for_each_window_block(windows, x.dim(0), t, count,
                                      [&](const detail::WindowBlock& block) {
                                        for (Index g = 0; g < groups; ++g)
                                          use(block, g, outputs_of(dz, block, g));
                                      });
      };
      if (begin == end) return;
      if (args.dw) {
        for_each_piece(begin, end, [&](Index j, Index positions) {
          each_group([&](const auto& block, Index g, const Strided<const S>& dz_g) {
            add_product<S>(weights_of(args.dw[kernel], j, positions, g),
                           inputs_of(x, block, distances, j, positions, g).transpose(), dz_g);
          });
        });
      }
      // One position at a time: windows overlap, but their steps at one position do not.
      for (Index j = begin; dx && j < end; ++j) {
        each_group([&](const auto& block, Index g, const Strided<const S>& dz_g) {
          add_product<S>(inputs_of(dx, block, distances, j, 1, g), dz_g,
                         weights_of(args.w[kernel], j, 1, g).transpose());
        });
      }
    });
  }

  /// The last (K − 1) d inputs: that of step t is in row `t mod (K − 1) d`.
  std::vector<Shape> stream_state(const Shape& x, Index) const {
    const Index past = (kernel_size - 1) * dilation_rate;
    check<ModelError>(strides == 1, "with strides of ", strides,
                      " it has fewer steps than its input");
    check<ModelError>(past == 0 || padding != WindowPadding::valid,
                      "with padding valid it has fewer steps than its input; causal keeps them");
    check<ModelError>(past == 0 || padding != WindowPadding::same,
                      "with padding same it needs later steps; causal does not");
    if (past == 0) return {};
    return {Shape{past, x.back()}};
  }

  template <class S>
  void stream(const Forward<S>& args, Index seen, Cache<S>& cache) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    const Index steps = x.dim(0), D = x.dim(1), past = (kernel_size - 1) * dilation_rate;
    cache.windows.resize({steps, kernel_size, D});
    for (Index t = seen; t < seen + steps; ++t) {
      for (Index j = 0; j < kernel_size; ++j) {
        const Index at = t - past + j * dilation_rate;
        if (at < 0) continue;
        const S* from =
            at >= seen ? x.data() + (at - seen) * D : args.next_state[0].data() + at % past * D;
        std::copy_n(from, D, cache.windows.data() + ((t - seen) * kernel_size + j) * D);
      }
    }
    for (Index t = (std::max)(seen, seen + steps - past); t < seen + steps; ++t) {
      std::copy_n(x.data() + (t - seen) * D, D, args.next_state[0].data() + t % past * D);
    }
    const Distances distances{kernel_size * D, D};
    windows_over(seen + steps)
        .for_each_run(seen, seen + steps, [&](Index t, Index count, Index begin, Index end) {
          const detail::WindowBlock block{count, t - seen, t - seen, 1, 1};
          set_outputs<S>(args.w, cache.windows, y, block, distances, begin, end);
        });
    activate<S>(activation, y.matrix());
  }

 private:
  /// How far apart the numbers of two steps of x, and of two positions of a window, are in memory.
  struct Distances {
    Index step, position;
  };

  detail::Windows windows_over(Index steps) const {
    return {kernel_size, strides, dilation_rate, padding, steps};
  }

  /// Calls `use(j, positions)` for parts of the positions [begin, end) that one product can have:
  /// all of them if the inputs of a window are adjacent. It has no positions if the window has none.
  template <class Use>
  void for_each_piece(Index begin, Index end, const Use& use) const {
    const bool adjacent = dilation_rate == 1 && groups == 1;
    if (adjacent || begin == end) return use(begin, end - begin);
    for (Index j = begin; j < end; ++j) use(j, Index{1});
  }

  /// The inputs of a group at some positions of the windows of a block: a row for each window. The
  /// rows overlap if the windows do.
  template <class S>
  Strided<S> inputs_of(View<S> x, const detail::WindowBlock& block, const Distances& distances,
                       Index j, Index positions, Index g) const {
    const Index D = x.shape().back(), depth = D / groups;
    const Index at = block.x * distances.step + j * distances.position + g * depth;
    return {positions == 0 ? x.data() : x.data() + at, block.rows, positions * depth,
            block.x_rows * distances.step, 1};
  }

  template <class S>
  Strided<S> outputs_of(View<S> y, const detail::WindowBlock& block, Index g) const {
    const Index width = filters / groups;
    return {y.data() + block.y * filters + g * width, block.rows, width, block.y_rows * filters, 1};
  }

  template <class S>
  Strided<S> weights_of(View<S> w, Index j, Index positions, Index g) const {
    const Index depth = w.dim(1), width = filters / groups;
    return {w.data() + j * depth * filters + g * width, positions * depth, width, filters, 1};
  }

  /// z = b + Σⱼ xⱼ Wⱼ over the positions [begin, end) of the windows of a block.
  template <class S>
  void set_outputs(const Parameters<const S>& w, View<const S> x, View<S> y,
                   const detail::WindowBlock& block, const Distances& distances, Index begin,
                   Index end) const {
    for (Index g = 0; g < groups; ++g) {
      const auto z = outputs_of(y, block, g);
      Strided<const S> start = zeros<S>();
      if (use_bias) {
        start = repeated(w[bias]);
        start.data += g * (filters / groups);
      }
      for_each_piece(begin, end, [&](Index j, Index positions) {
        set_product<S>(z, j == begin ? start : Strided<const S>(z),
                       inputs_of(x, block, distances, j, positions, g),
                       weights_of(w[kernel], j, positions, g));
      });
    }
  }
};

}  // namespace heed
