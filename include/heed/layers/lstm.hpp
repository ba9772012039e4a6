#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Long short-term memory (Hochreiter & Schmidhuber 1997; with the forget gate of Gers,
/// Schmidhuber & Cummins 2000). For each time step, with φ = `activation` and σ =
/// `recurrent_activation`,
///
///     z = x W + h' U + b            h', c': the state of the step before, zero before the first
///     i = σ(zᵢ)  f = σ(z_f)  g = φ(z_g)  o = σ(zₒ)
///     c = f ∘ c' + i ∘ g
///     h = o ∘ φ(c)
///
///     x: (N, T, D)    y: (N, T, U) with return_sequences, otherwise the last h: (N, U)
///     W = kernel: (D, 4U)    U = recurrent_kernel: (U, 4U)    b = bias: (4U)
///
/// The four gates lie side by side along the last axis of the weights and of z, in Keras's order
/// i, f, c, o (here i, f, g, o):
///
///     W = | Wᵢ  W_f  W_g  Wₒ |    one row a feature, U columns a gate
///
/// φ and σ are functions of one number: softmax is refused, which Keras takes.
///
/// `go_backwards` reads the steps from the last to the first and gives them out in that order.
/// Keras: `layers.LSTM`; these of its fields, with the same defaults and weights.
struct LSTM {
  Required<Index> units;
  ActivationFunction activation = ActivationFunction::tanh;
  ActivationFunction recurrent_activation = ActivationFunction::sigmoid;
  bool use_bias = true;
  bool unit_forget_bias = true;
  bool return_sequences = false;
  bool go_backwards = false;
  Initializer kernel_initializer = Initializer::glorot_uniform;
  Initializer recurrent_initializer = Initializer::orthogonal;

  static constexpr std::string_view type = "LSTM";
  static constexpr auto fields() {
    return std::tuple{field("units", &LSTM::units),
                      field("activation", &LSTM::activation),
                      field("recurrent_activation", &LSTM::recurrent_activation),
                      field("use_bias", &LSTM::use_bias),
                      field("unit_forget_bias", &LSTM::unit_forget_bias),
                      field("return_sequences", &LSTM::return_sequences),
                      field("go_backwards", &LSTM::go_backwards),
                      field("kernel_initializer", &LSTM::kernel_initializer),
                      field("recurrent_initializer", &LSTM::recurrent_initializer)};
  }

  enum { kernel, recurrent_kernel, bias };

  Shape output_shape(const Shape& x) const {
    detail::check_positive("units", units);
    detail::check_rank(x, 2, "(steps, features)");
    for (const ActivationFunction function : {activation, recurrent_activation}) {
      check<OptionError>(function != ActivationFunction::softmax,
                         "expected activation functions of one number, got softmax");
    }
    return return_sequences ? x.with_last(units) : Shape{units};
  }

  std::vector<Weight> weights(const Shape& x) const {
    std::vector<Weight> result{{"kernel", {x.back(), 4 * units}, kernel_initializer},
                               {"recurrent_kernel", {units, 4 * units}, recurrent_initializer}};
    if (use_bias) {
      result.push_back(
          {"bias", {4 * units}, unit_forget_bias ? Initializer::unit_forget : Initializer::zeros});
    }
    return result;
  }

  /// Time-major, in the order in which the steps are read: step `t` of a batch is one block.
  template <class S>
  struct Cache {
    Packed<S> kernel, recurrent_kernel;
    Packed<S> kernels;  // W over U, for a stream
    Tensor<S> x;        // (T, N, D)
    Tensor<S> gates;    // (T, N, 4U)  i | f | g | o
    Tensor<S> c;        // (T + 1, N, U)  c of step t at t + 1, the initial state at 0
    Tensor<S> h;        // (T, N, U)
    Tensor<S> phi_c;    // (T, N, U)  φ(c)
    Tensor<S> dz;       // (·, N, 4U)  of some steps
    Tensor<S> dx;       // (·, N, D)  of the same
    Tensor<S> dh, dc;   // (N, U)
  };

  template <class S>
  void forward(Parameters<const S> w, View<const S> x, View<S> y, Cache<S>& cache) const {
    const Index N = x.dim(0), T = x.dim(1), D = x.dim(2), U = units;
    cache.x.resize({T, N, D});
    cache.gates.resize({T, N, 4 * U});
    cache.c.resize({T + 1, N, U});
    cache.h.resize({T, N, U});
    cache.phi_c.resize({T, N, U});
    cache.kernel.assign(w[kernel].matrix(), N * T == 1);
    cache.recurrent_kernel.assign(w[recurrent_kernel].matrix(), N == 1);
    for (Index t = 0; t < T; ++t) cache.x.slice(t) = x.step(read_at(t, T));
    cache.c.slice(0).setZero();

    const Strided<const S> b = use_bias ? repeated(w[bias]) : zeros<S>();
    const Index block = steps_of(256, N);
    for (Index t = 0; t < T; ++t) {
      // z = x W + b of some steps at a time, which are still in the cache when it is their turn
      if (t % block == 0) {
        const Index count = std::min(block, T - t);
        set_product<S>(cache.gates.samples(t, count).matrix(), b,
                       cache.x.samples(t, count).matrix(), cache.kernel);
      }
      // z += h' U, but for the first step, whose h' is zero
      if (t > 0) {
        add_product<S>(cache.gates.slice(t), cache.h.slice(t - 1), cache.recurrent_kernel);
      }
      step<S>(cache.gates.slice(t), cache.c.slice(t), cache.c.slice(t + 1), cache.phi_c.slice(t),
              cache.h.slice(t), return_sequences ? y.step(t) : y.as_step());
    }
  }

  template <class S>
  void backward(Parameters<const S> w, View<const S> x, View<const S>, View<const S> dy,
                Cache<S>& cache, Parameters<S> dw, View<S> dx) const {
    const Index N = x.dim(0), T = x.dim(1), D = x.dim(2), U = units;
    const Index block = std::min(steps_of(1024, N), T);
    cache.dz.resize({block, N, 4 * U});
    cache.dh.resize({N, U});
    cache.dc.resize({N, U});
    cache.recurrent_kernel.assign(transposed(w[recurrent_kernel].matrix()), N == 1);
    auto dh = cache.dh.matrix(), dc = cache.dc.matrix();
    dh = return_sequences ? dy.step(T - 1) : dy.as_step();
    dc.setZero();

    for (Index end = T, first = 0; end > 0; end = first) {
      first = std::max(end - block, Index{0});
      for (Index t = end - 1; t >= first; --t) {
        step_back<S>(cache.gates.slice(t), cache.c.slice(t), cache.phi_c.slice(t), dh,
                     cache.dz.slice(t - first), dc);
        // z = x W + h' U + b:  dh' = dz Uᵀ, to which the output of that step adds its dy
        if (t > 0) {
          const Strided<const S> start = return_sequences ? dy.step(t - 1) : zeros<S>();
          set_product<S>(dh, start, cache.dz.slice(t - first), cache.recurrent_kernel);
        }
      }
      // z = x W + h' U + b of these steps:  dW += xᵀ dz,  dU += h'ᵀ dz,  db += Σ dz,  dx = dz Wᵀ
      const Index count = end - first;
      const auto dz = cache.dz.samples(0, count).matrix();
      const auto X = cache.x.samples(first, count).matrix();
      add_product<S>(dw[kernel].matrix(), transposed(X), dz);
      const Index from = std::max(first, Index{1});  // the first step's h' is zero
      const auto H = cache.h.samples(from - 1, end - from).matrix();
      add_product<S>(dw[recurrent_kernel].matrix(), transposed(H), dz.bottomRows(H.rows()));
      if (use_bias) add_row_sum<S>(dw[bias], dz);
      if (dx) {
        cache.dx.resize({count, N, D});
        set_product<S>(cache.dx.matrix(), dz, transposed(w[kernel].matrix()));
        for (Index t = first; t < end; ++t) dx.step(read_at(t, T)) = cache.dx.slice(t - first);
      }
    }
  }

  enum { xh_state, c_state };

  /// [x, h]: (D + U), which a single step multiplies by W over U, and c: (U).
  std::vector<Shape> state(const Shape& x, Index) const {
    check<ModelError>(!go_backwards, "with go_backwards it begins with the last step");
    return {{x.back() + units}, {units}};
  }

  template <class S>
  void start_stream(Parameters<const S> w, Cache<S>& cache) const {
    // The recurrent kernel follows the kernel in the arena.
    const Index D = w[kernel].dim(0), U = units;
    eigen_assert(w[kernel].data() + D * 4 * U == w[recurrent_kernel].data());
    cache.kernels.assign({w[kernel].data(), D + U, 4 * U, 4 * U, 1}, true);
    cache.phi_c.resize({1, U});
  }

  template <class S>
  void stream(Parameters<const S> w, const View<const S>& x, const View<S>& y,
              std::span<const View<S>> state, Index, Cache<S>& cache) const {
    // Shapes that have just been made cost more than what is left to do for one step of a few units.
    const Index T = x.dim(0), D = x.dim(1), U = units;
    if (cache.gates.size() != T * 4 * U) cache.gates.resize({T, 4 * U});
    S* const gates = cache.gates.data();
    S* const xh = state[xh_state].data();
    const MatrixMap<S> h(xh + D, 1, U), c(state[c_state].data(), 1, U);
    const MatrixMap<S> phi_c(cache.phi_c.data(), 1, U);
    const Strided<const S> b = use_bias ? repeated(w[bias]) : zeros<S>();
    const Strided<S> Z(gates, T, 4 * U, 4 * U, 1);
    std::copy_n(x.data() + (T - 1) * D, D, xh);
    if (T > 1) {
      set_product<S>(Z, b, {x.data(), T, D, D, 1}, w[kernel].matrix());
    } else {
      // z = x W + h' U + b as one product
      set_product<S>(Z, b, {xh, 1, D + U, D + U, 1}, cache.kernels);
    }
    for (Index t = 0; t < T; ++t) {
      MatrixMap<S> z(gates + t * 4 * U, 1, 4 * U);
      const StridedMap<S> y_t(y.data() + t * U, 1, U, Eigen::OuterStride<>(U));
      if (T > 1) add_product<S>(z, h, cache.kernels, D);
      step<S>(z, c, c, phi_c, h, y_t);
    }
  }

 private:
  /// How many steps of N samples make so many rows, of which products get enough to be fast and not
  /// more than caches hold.
  static Index steps_of(Index rows, Index N) { return std::max(rows / N, Index{1}); }

  /// From z = x W + h' U + b and c' to the gates, in z's place, c, φ(c) and h, which is also y's: all
  /// (N, U), z (N, 4U). c may stand where c' does.
  template <class S>
  void step(MatrixMap<S> gates, MatrixMap<S> c_prev, MatrixMap<S> c, MatrixMap<S> phi_c,
            MatrixMap<S> h, StridedMap<S> y) const {
    auto z = split(gates, c.cols());
    with_functions<S>([&](auto phi, auto sigma) {
      for_lanes<S>(c.rows(), c.cols(), [&](auto at) {
        const auto i_t = sigma(at(z.i)), f_t = sigma(at(z.f)), o_t = sigma(at(z.o));
        const auto g_t = phi(at(z.g));
        const auto c_t = f_t * at(c_prev) + i_t * g_t;
        const auto phi_c_t = phi(c_t);
        const auto h_t = o_t * phi_c_t;
        at(z.i) = i_t;
        at(z.f) = f_t;
        at(z.g) = g_t;
        at(z.o) = o_t;
        at(c) = c_t;
        at(phi_c) = phi_c_t;
        at(h) = h_t;
        at(y) = h_t;
      });
    });
  }

  /// From dh and dc of a step to dz, and to dc of the step before, in dc's place.
  template <class S>
  void step_back(const MatrixMap<S>& gates, const MatrixMap<S>& c_prev, const MatrixMap<S>& phi_c,
                 const MatrixMap<S>& dh, MatrixMap<S> dgates, MatrixMap<S> dc) const {
    const auto gate = split(gates, dc.cols());
    auto dz = split(dgates, dc.cols());
    with_functions<S>([&](auto phi, auto sigma) {
      for_lanes<S>(dc.rows(), dc.cols(), [&](auto at) {
        const auto i_t = at(gate.i), f_t = at(gate.f), g_t = at(gate.g), o_t = at(gate.o);
        // h = o ∘ φ(c):  do = dh ∘ φ(c),  dc += dh ∘ o ∘ φ'(c)
        const auto dh_t = at(dh), phi_c_t = at(phi_c);
        const auto do_t = dh_t * phi_c_t;
        const auto dc_t = at(dc) + dh_t * o_t * phi.slope(phi_c_t);
        // c = f ∘ c' + i ∘ g:  di = dc ∘ g,  df = dc ∘ c',  dg = dc ∘ i,  dc' = dc ∘ f
        // i, f, o = σ(z),  g = φ(z)
        at(dz.i) = dc_t * g_t * sigma.slope(i_t);
        at(dz.f) = dc_t * at(c_prev) * sigma.slope(f_t);
        at(dz.g) = dc_t * i_t * phi.slope(g_t);
        at(dz.o) = do_t * sigma.slope(o_t);
        at(dc) = dc_t * f_t;
      });
    });
  }

  /// Which input step is read at time `t`.
  Index read_at(Index t, Index T) const { return go_backwards ? T - 1 - t : t; }

  /// Calls `use(φ, σ)`. Those of nearly every LSTM are types of their own, merged with the equations.
  template <class S, class Use>
  void with_functions(const Use& use) const {
    using enum ActivationFunction;
    if (activation == tanh && recurrent_activation == sigmoid) {
      use(detail::Tanh<S>{}, detail::Sigmoid<S>{});
    } else {
      use(detail::AnyFunction{activation}, detail::AnyFunction{recurrent_activation});
    }
  }

  template <class Columns>
  struct Gates {
    Columns i, f, g, o;
  };

  /// The four gates of a step as its columns: i | f | g | o.
  template <class M>
  static auto split(M z, Index U) {
    return Gates<decltype(z.middleCols(0, U))>{z.middleCols(0, U), z.middleCols(U, U),
                                               z.middleCols(2 * U, U), z.middleCols(3 * U, U)};
  }
};

}  // namespace heed
