#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Step-wise softmax attention: every unit weighs the time steps of its own sequence, by a softmax
/// over the steps, and each value is scaled by its weight.
///
///     l = Kᵀ x + b 1ᵀ         logits; for one sample, x: (T, U)
///     a = softmax(l)          over the steps: for each unit the weights sum to 1
///     y = x ∘ a
///
///     x, y, a: (N, T, U)    K = kernel: (T, T), from step s to step t    b = bias: (T)
///
/// The same network in primitive layers, as philipperemy/keras-attention-mechanism writes it:
/// `Permute({2, 1})`, `Dense(T, softmax)`, `Permute({2, 1})` named `attention_vec`, `Multiply` with x.
/// Here nothing is permuted: the softmax runs down the columns of l, side by side for all units.
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

  std::vector<Weight> weights(const Shape& x) const {
    const Index T = x[0];
    std::vector<Weight> result{{"kernel", {T, T}, kernel_initializer}};
    if (use_bias) result.push_back({"bias", {T}, Initializer::zeros});
    return result;
  }

  template <class S>
  struct Cache {
    Tensor<S> a;   // (N, T, U)
    Tensor<S> dl;  // (P, U)  P is T made up to whole packets, with rows of zeros:
    Tensor<S> dK;  // (T, P)  so that the products that are summed here have no packets in part
  };

  template <class S>
  static std::array<Published<S>, 1> published(const Cache<S>& cache) {
    return {{{"weights", cache.a}}};
  }

  template <class S>
  void forward(Parameters<const S> w, View<const S> x, View<S> y, Cache<S>& cache) const {
    const Index N = x.dim(0), T = x.dim(1), U = x.dim(2);
    cache.a.resize(x.shape());
    for (Index n = 0; n < N; ++n) {
      const auto x_n = x.slice(n);
      auto y_n = y.slice(n), a = cache.a.slice(n);
      // l = Kᵀ x + b 1ᵀ, where a will stand
      set_product<S>(a, transposed(w[kernel].matrix()), x_n);
      if (use_bias) a.colwise() += w[bias].row().transpose();
      // a = softmax(l) over the steps, shifted by the maximum;  y = x ∘ a
      for_lanes<S>(1, U, [&](auto at) {
        typename decltype(at)::Value top = at(a), sum = S{0};
        for (Index t = 1; t < T; ++t) top = max(top, at.in_row(t)(a));
        for (Index t = 0; t < T; ++t) {
          const auto e = exp(at.in_row(t)(a) - top);
          at.in_row(t)(a) = e;
          sum += e;
        }
        const auto scale = S{1} / sum;
        for (Index t = 0; t < T; ++t) {
          at.in_row(t)(a) *= scale;
          at.in_row(t)(y_n) = at.in_row(t)(x_n) * at.in_row(t)(a);
        }
      });
    }
  }

  template <class S>
  void backward(Parameters<const S> w, View<const S> x, View<const S>, View<const S> dy,
                Cache<S>& cache, Parameters<S> dw, View<S> dx) const {
    const Index N = x.dim(0), T = x.dim(1), U = x.dim(2);
    const Index P = (T + widest<S> - 1) / widest<S> * widest<S>;
    cache.dl.resize({P, U});
    cache.dK.resize({T, P});
    cache.dK.set_zero();
    auto dl = cache.dl.matrix();
    dl.bottomRows(P - T).setZero();
    for (Index n = 0; n < N; ++n) {
      const auto x_n = x.slice(n), dy_n = dy.slice(n);
      const auto a = cache.a.slice(n);
      auto dx_n = dx ? dx.slice(n) : dl;  // what nobody needs goes where dl is about to stand
      for_lanes<S>(1, U, [&](auto at) {
        typename decltype(at)::Value inner = S{0};
        // y = x ∘ a:  da = dy ∘ x, where dl will stand,  dx = dy ∘ a
        for (Index t = 0; t < T; ++t) {
          const auto a_t = at.in_row(t)(a), dy_t = at.in_row(t)(dy_n);
          const auto da_t = dy_t * at.in_row(t)(x_n);
          at.in_row(t)(dx_n) = dy_t * a_t;
          at.in_row(t)(dl) = da_t;
          inner += a_t * da_t;
        }
        // a = softmax(l) over the steps:  dl = a ∘ (da − Σₜ aₜ daₜ)
        for (Index t = 0; t < T; ++t) {
          at.in_row(t)(dl) = at.in_row(t)(a) * (at.in_row(t)(dl) - inner);
        }
      });
      // l = Kᵀ x + b 1ᵀ:  dK += x dlᵀ,  db += dl 1,  dx += K dl
      add_product<S>(cache.dK.matrix(), x_n, transposed(dl));
      if (use_bias) dw[bias].row() += dl.topRows(T).rowwise().sum().transpose();
      if (dx) add_product<S>(dx_n, w[kernel].matrix(), dl.topRows(T));
    }
    dw[kernel].matrix() += cache.dK.matrix().leftCols(T);
  }
};

}  // namespace heed
