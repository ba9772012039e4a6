#pragma once

#include <heed/attention/counting_softmax.hpp>

namespace heed {

/// Luong's many-to-one attention with the general score (Luong, Pham & Manning 2015, "Effective
/// Approaches to Attention-based Neural Machine Translation", section 3.1). The query is the last
/// hidden state. For one sample, with H: (T, U) and h = H_T its last row,
///
///     s = H W h               scores (T), "general" of equation 8
///     a = softmax(s)          weights (T), equation 7
///     c = Hᵀ a                context (U)
///     y = tanh([c, h] V)      equation 5
///
///     x = H: (N, T, U)    W = score_kernel: (U, U)    V = vector_kernel: (2U, units)    y: (N, units)
///
/// The equivalent network of basic layers in philipperemy/keras-attention-mechanism: a Dense
/// `attention_score_vec` of H, the last step, a Dot `attention_score`, a softmax
/// `attention_weight`, a Dot `context_vector`, a Concatenate `attention_output`, a Dense
/// `attention_vector`. Here, W is applied to the vector h instead of all T steps. The scores are
/// the same, with 1/T of the multiplications.
///
/// With a mask, h is the last unmasked step, and masked steps have the weight 0. Throws `DataError`
/// for a sample in which all steps are masked.
///
/// Publishes `weights`: a, (N, T), and `context`: c, (N, U).
struct LuongAttention {
  Index units = 128;
  Initializer kernel_initializer = Initializer::glorot_uniform;

  static constexpr std::string_view type = "LuongAttention";
  static constexpr auto fields() {
    return std::tuple{field("units", &LuongAttention::units),
                      field("kernel_initializer", &LuongAttention::kernel_initializer)};
  }

  enum { score_kernel, vector_kernel };

  Shape output_shape(const Shape& x) const {
    detail::check_positive("units", units);
    detail::check_rank(x, 2, "(steps, hidden units)");
    return {units};
  }

  std::vector<Weight> weights(const Shape& x) const {
    const Index U = x.back();
    return {{"score_kernel", {U, U}, kernel_initializer},
            {"vector_kernel", {U == any ? any : 2 * U, units}, kernel_initializer}};
  }

  template <class S>
  struct Cache {
    Packed<S> score_kernel;  // for a stream
    Tensor<S> h;             // (N, U)
    Tensor<S> q;             // (N, U)   W h
    Tensor<S> a;             // (N, T)
    Tensor<S> c;             // (N, U)
    Tensor<S> ch;            // (N, 2U)  [c, h]
    Tensor<S> dz;            // (N, units)
    Tensor<S> dch;           // (N, 2U)
    Tensor<S> dq, dh;        // (N, U)
    Tensor<S> ds;            // (N, T)
    Tensor<S> scratch;       // (1, T)
  };

  template <class S>
  static std::array<Published<S>, 2> published(const Cache<S>& cache) {
    return {{{"weights", cache.a}, {"context", cache.c}}};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const auto& w = args.w;
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    const Steps steps = args.counting();
    const Index N = x.dim(0), T = x.dim(1), U = x.dim(2);
    detail::check_each_has_a_step(steps);
    cache.h.resize({N, U});
    cache.q.resize({N, U});
    cache.a.resize({N, T});
    cache.c.resize({N, U});
    cache.ch.resize({N, 2 * U});

    auto h = cache.h.matrix();
    auto q = cache.q.matrix();
    auto c = cache.c.matrix();
    for (Index n = 0; n < N; ++n) h.row(n) = x.slice(n).row(detail::last_step(steps, n, T));
    set_product<S>(q, h, transposed(w[score_kernel].matrix()));
    auto a = cache.a.matrix();
    for (Index n = 0; n < N; ++n) attend<S>(x.slice(n), q.row(n), steps, n, a.row(n), c.row(n));
    cache.ch.matrix().leftCols(U) = c;
    cache.ch.matrix().rightCols(U) = h;
    set_product<S>(y.matrix(), cache.ch.matrix(), w[vector_kernel].matrix());
    activate<S>(ActivationFunction::tanh, y.matrix());
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const auto& w = args.w;
    const auto& dw = args.dw;
    const View<const S> x = args.x[0];
    const View<S> dx = args.dx[0];
    const Steps steps = args.counting();
    const Index N = x.dim(0), T = x.dim(1), U = x.dim(2);
    cache.dch.resize({N, 2 * U});
    cache.dq.resize({N, U});
    cache.dh.resize({N, U});
    cache.ds.resize({N, T});
    cache.scratch.resize({1, T});
    const auto h = cache.h.matrix();
    const auto q = cache.q.matrix();
    const auto a = cache.a.matrix();
    auto dh = cache.dh.matrix();
    auto dq = cache.dq.matrix();
    auto ds = cache.ds.matrix();

    // y = tanh(z):  dz = dy ∘ (1 − y²)
    cache.dz.assign(args.dy[0]);
    activate_backward<S>(ActivationFunction::tanh, args.y[0].matrix(), cache.dz.matrix());
    const auto dz = cache.dz.matrix();
    // z = [c, h] V:  dV += [c, h]ᵀ dz,  [dc, dh] = dz Vᵀ
    if (dw) add_product<S>(dw[vector_kernel].matrix(), transposed(cache.ch.matrix()), dz);
    set_product<S>(cache.dch.matrix(), dz, transposed(w[vector_kernel].matrix()));
    const auto dc = cache.dch.matrix().leftCols(U);
    dh = cache.dch.matrix().rightCols(U);
    // c = Hᵀ a:  da = H dc
    for (Index n = 0; n < N; ++n) {
      set_product<S>(as_column<S>(ds.row(n)), x.slice(n), transposed(dc.row(n)));
    }
    // a = softmax(s):  ds = a ∘ (da − a·da)
    for (Index n = 0; n < N; ++n) {
      detail::counting_softmax_backward<S>(steps, n, a.row(n), ds.row(n), cache.scratch.matrix());
    }
    // s = H q:  dq = Hᵀ ds
    for (Index n = 0; n < N; ++n) set_product<S>(dq.row(n), ds.row(n), x.slice(n));
    // q = W h:  dW += dq hᵀ,  dh += Wᵀ dq
    if (dw) add_product<S>(dw[score_kernel].matrix(), transposed(dq), h);
    if (!dx) return;
    add_product<S>(dh, dq, w[score_kernel].matrix());
    // H is used in c = Hᵀ a, in s = H q and, through its last row, as h: dH = a dcᵀ + ds qᵀ, dH_T
    // += dh
    for (Index n = 0; n < N; ++n) {
      auto dx_n = dx.slice(n);
      const auto dc_n = dc.row(n);
      const auto q_n = q.row(n);
      for_lanes<S>(T, U, [&](auto at) {
        using Value = typename decltype(at)::Value;
        at(dx_n) =
            Value(a(n, at.row)) * at.in_row(0)(dc_n) + Value(ds(n, at.row)) * at.in_row(0)(q_n);
      });
      dx_n.row(detail::last_step(steps, n, T)) += dh.row(n);
    }
  }

  /// A ring buffer of the hidden states of the last `capacity` steps: step t is in row t mod
  /// capacity.
  static std::vector<Shape> stream_state(const Shape& x, Index capacity) {
    return {{capacity, x.back()}};
  }

  template <class S>
  void start_stream(Parameters<const S> w, Cache<S>& cache) const {
    cache.score_kernel.assign(transposed(w[score_kernel].matrix()), true);
  }

  template <class S>
  void stream(const Forward<S>& args, Index seen, Cache<S>& cache) const {
    const View<const S>& x = args.x[0];
    const View<S>& y = args.y[0];
    const View<S>& kept = args.next_state[0];
    const Index T = x.dim(0), U = x.dim(1), capacity = kept.dim(0);
    cache.q.resize({1, U});
    cache.a.resize({1, capacity});
    cache.ch.resize({T, 2 * U});
    auto ch = cache.ch.matrix();
    auto ring = kept.matrix();
    ch.rightCols(U) = x.matrix();
    for (Index t = 0; t < T; ++t) {
      const Index rows = (std::min)(seen + t + 1, capacity);
      ring.row((seen + t) % capacity) = x.matrix().row(t);
      set_product<S>(cache.q.matrix(), x.slice(t), cache.score_kernel);
      attend<S>(kept.samples(0, rows).matrix(), cache.q.matrix(), {}, 0,
                MatrixMap<S>(cache.a.data(), 1, rows), ch.row(t).leftCols(U));
    }
    set_product<S>(y.matrix(), ch, args.w[vector_kernel].matrix());
    activate<S>(ActivationFunction::tanh, y.matrix());
  }

 private:
  /// A row of scores, or of their gradients, as a column. The product of H and a vector is a column
  /// and reads H in place; the product of a row and Hᵀ would pack H first.
  template <class S>
  static Strided<S> as_column(const Strided<S>& row) {
    return row.transpose();
  }

  /// For sample n: s = H q,  a = softmax(s),  c = Hᵀ a
  template <class S>
  static void attend(const Strided<const S>& H, const Strided<const S>& q, const Steps& steps,
                     Index n, MatrixRef<S> a, const Strided<S>& c) {
    set_product<S>(as_column<S>(a), H, q.transpose());
    detail::counting_softmax<S>(steps, n, a);
    if (H.cols > 1) return set_product<S>(c, a, H);
    // With one unit this would be an inner product, which adds in an order that depends on where
    // masked steps are.
    S sum{0};
    for (Index t = 0; t < H.rows; ++t) sum += a(0, t) * H.data[t * H.row_stride];
    *c.data = sum;
  }
};

}  // namespace heed
