#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Step-wise softmax attention: every unit has its own weights over the time steps, from a softmax
/// over the steps, and its values are multiplied by them.
///
///     l = Kᵀ x + b 1ᵀ         logits; for one sample, x: (T, U)
///     a = softmax(l)          over the steps: for each unit the weights sum to 1
///     y = x ∘ a
///
///     x, y, a: (N, T, U)    K = kernel: (T, T), from step s to step t    b = bias: (T)
///
/// The equivalent network of basic layers in philipperemy/keras-attention-mechanism:
/// `Permute({2, 1})`, `Dense(T, softmax)`, `Permute({2, 1})` named `attention_vec`, `Multiply` with
/// x. Here, nothing is permuted: the softmax runs down the columns of l, for all units side by
/// side.
///
/// With a mask, masked steps have the weight 0 and do not contribute to the logits of other steps.
///
/// Publishes `weights`: a.
struct StepAttention {
  bool use_bias = true;
  Initializer kernel_initializer = Initializer::glorot_uniform;

  static constexpr std::string_view type = "StepAttention";
  static constexpr auto fields() {
    return std::tuple{field("use_bias", &StepAttention::use_bias),
                      field("kernel_initializer", &StepAttention::kernel_initializer)};
  }

  enum { kernel, bias };

  Shape output_shape(const Shape& x) const {
    detail::check_rank(x, 2, "(steps, units)");
    return x;
  }
  static bool keeps_steps() { return true; }

  std::vector<Weight> weights(const Shape& x) const {
    const Index T = x[0];
    std::vector<Weight> result{{"kernel", {T, T}, kernel_initializer}};
    if (use_bias) result.push_back({"bias", {T}, Initializer::zeros});
    return result;
  }

  template <class S>
  struct Cache {
    Tensor<S> a;   // (N, T, U)
    Tensor<S> x;   // (T, U)  of one sample, with zeros for masked steps
    Tensor<S> dl;  // (P, U)  P is T rounded up to whole packets, padded with zeros,
    Tensor<S> dK;  // (T, P)  so that the products below use only whole packets
  };

  template <class S>
  static std::array<Published<S>, 1> published(const Cache<S>& cache) {
    return {{{"weights", cache.a}}};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    cache.a.resize(x.shape());
    for (Index n = 0; n < x.dim(0); ++n) {
      auto y_n = y.slice(n), a = cache.a.slice(n);
      with_times<S>(args.counting(), n, x, cache, [&](auto x_n, Index count, auto time) {
        attend<S>(args.w, x_n, count, time, y_n, a);
      });
      clear<S>(args.counting(), n, a);
      clear<S>(args.counting(), n, y_n);
    }
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const View<const S> x = args.x[0];
    const View<S> dx = args.dx[0];
    const Steps steps = args.counting();
    const Index N = x.dim(0), T = x.dim(1), U = x.dim(2);
    const Index P = (T + widest<S> - 1) / widest<S> * widest<S>;
    cache.dl.resize({P, U});
    cache.dK.resize({T, P});
    cache.dK.set_zero();
    auto dl = cache.dl.matrix();
    dl.bottomRows(P - T).setZero();
    for (Index n = 0; n < N; ++n) {
      auto dx_n = dx ? dx.slice(n) : dl;  // an unneeded dx is written to dl
      const auto dy_n = args.dy[0].slice(n);
      with_times<S>(steps, n, x, cache, [&](auto x_n, Index count, auto time) {
        attend_back<S>(x_n, std::as_const(cache.a).slice(n), dy_n, count, time, dx_n, dl);
        clear<S>(steps, n, dl);
        // l = Kᵀ x + b 1ᵀ:  dK += x dlᵀ,  db += dl 1,  dx += K dl
        if (args.dw) add_product<S>(cache.dK.matrix(), x_n, transposed(dl));
      });
      if (args.dw && use_bias) {
        args.dw[bias].row() += dl.topRows(T).rowwise().sum().transpose();
      }
      if (dx) {
        add_product<S>(dx_n, args.w[kernel].matrix(), dl.topRows(T));
        clear<S>(steps, n, dx_n);
      }
    }
    if (args.dw) args.dw[kernel].matrix() += cache.dK.matrix().leftCols(T);
  }

 private:
  /// For one sample, over its `count` unmasked steps, of which the k-th is `time(k)`: l = Kᵀ x + b
  /// 1ᵀ, a = softmax(l), y = x ∘ a
  template <class S, class Time>
  void attend(Parameters<const S> w, MatrixMap<const S> x, Index count, const Time& time,
              MatrixMap<S> y, MatrixMap<S> a) const {
    set_product<S>(a, transposed(w[kernel].matrix()), x);  // l, stored in a
    if (use_bias) a.colwise() += w[bias].row().transpose();
    // Softmax, shifted by the maximum.
    for_lanes<S>(count > 0 ? 1 : 0, x.cols(), [&](auto at) {
      typename decltype(at)::Value top = at.in_row(time(0))(a), sum = S{0};
      for (Index k = 1; k < count; ++k) top = larger(top, at.in_row(time(k))(a));
      for (Index k = 0; k < count; ++k) {
        const auto e = exp(at.in_row(time(k))(a) - top);
        at.in_row(time(k))(a) = e;
        sum += e;
      }
      const auto scale = S{1} / sum;
      for (Index k = 0; k < count; ++k) {
        const auto here = at.in_row(time(k));
        here(a) *= scale;
        here(y) = here(x) * here(a);
      }
    });
  }

  template <class S, class Time>
  static void attend_back(MatrixMap<const S> x, MatrixMap<const S> a, MatrixMap<const S> dy,
                          Index count, const Time& time, MatrixMap<S> dx, MatrixMap<S> dl) {
    for_lanes<S>(1, x.cols(), [&](auto at) {
      typename decltype(at)::Value inner = S{0};
      // y = x ∘ a: da = dy ∘ x, stored in dl; dx = dy ∘ a
      for (Index k = 0; k < count; ++k) {
        const auto here = at.in_row(time(k));
        const auto a_t = here(a), dy_t = here(dy);
        const auto da_t = dy_t * here(x);
        here(dx) = dy_t * a_t;
        here(dl) = da_t;
        inner += a_t * da_t;
      }
      // a = softmax(l) over the steps:  dl = a ∘ (da − Σₜ aₜ daₜ)
      for (Index k = 0; k < count; ++k) {
        const auto here = at.in_row(time(k));
        here(dl) = here(a) * (here(dl) - inner);
      }
    });
  }

  /// Calls `use(x, count, time)` for a sample, with zeros in the masked steps of x.
  template <class S, class Use>
  static void with_times(const Steps& steps, Index n, View<const S> x, Cache<S>& cache,
                         const Use& use) {
    if (!steps) return use(x.slice(n), x.dim(1), [](Index k) { return k; });
    cache.x.assign(x.samples(n, 1).reshaped(x.shape().sample()));
    clear<S>(steps, n, cache.x.matrix());
    use(std::as_const(cache.x).matrix(), steps->length(n),
        [&](Index k) { return steps->step(n, k); });
  }

  /// Sets the masked steps to zero.
  template <class S>
  static void clear(const Steps& steps, Index n, MatrixMap<S> sample) {
    if (!steps) return;
    for (Index t = 0; t < steps->steps(); ++t) {
      if (!steps->counts(n, t)) sample.row(t).setZero();
    }
  }
};

}  // namespace heed
