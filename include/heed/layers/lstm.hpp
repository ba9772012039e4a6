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
    Tensor<S> x;       // (T, N, D)
    Tensor<S> gates;   // (T, N, 4U)  i | f | g | o
    Tensor<S> c;       // (T + 1, N, U)  c of step t at t + 1, the initial state at 0
    Tensor<S> h;       // (T + 1, N, U)  likewise
    Tensor<S> phi_c;   // (T, N, U)  φ(c)
    Tensor<S> dz;      // (T, N, 4U)
    Tensor<S> dh, dc;  // (N, U)
    Tensor<S> dx;      // (T, N, D)
  };

  template <class S>
  void forward(Parameters<const S> w, View<const S> x, View<S> y, Cache<S>& cache) const {
    const Index N = x.dim(0), T = x.dim(1), D = x.dim(2), U = units;
    cache.x.resize({T, N, D});
    cache.gates.resize({T, N, 4 * U});
    cache.c.resize({T + 1, N, U});
    cache.h.resize({T + 1, N, U});
    cache.phi_c.resize({T, N, U});
    for (Index t = 0; t < T; ++t) cache.x.slice(t) = x.step(read_at(t, T));
    cache.c.slice(0).setZero();
    cache.h.slice(0).setZero();

    // z = x W + b of all steps in one product
    auto Z = cache.gates.matrix();
    set_product<S>(Z, cache.x.matrix(), w[kernel].matrix());
    if (use_bias) Z.rowwise() += w[bias].row();

    for (Index t = 0; t < T; ++t) {
      auto z = cache.gates.slice(t);
      add_product<S>(z, cache.h.slice(t), w[recurrent_kernel].matrix());

      auto gate = split(z, U);
      activate<S>(recurrent_activation, gate.i);
      activate<S>(recurrent_activation, gate.f);
      activate<S>(activation, gate.g);
      activate<S>(recurrent_activation, gate.o);

      const auto c_prev = cache.c.slice(t);
      auto c = cache.c.slice(t + 1), phi_c = cache.phi_c.slice(t), h = cache.h.slice(t + 1);
      for_lanes<S>(N, U, [&](auto at) {
        const auto value = at(gate.f) * at(c_prev) + at(gate.i) * at(gate.g);
        at(c) = value;
        at(phi_c) = value;
      });
      activate<S>(activation, phi_c);
      for_lanes<S>(N, U, [&](auto at) { at(h) = at(gate.o) * at(phi_c); });
      if (return_sequences) y.step(t) = h;
    }
    if (!return_sequences) y.matrix() = cache.h.slice(T);
  }

  template <class S>
  void backward(Parameters<const S> w, View<const S> x, View<const S>, View<const S> dy,
                Cache<S>& cache, Parameters<S> dw, View<S> dx) const {
    const Index N = x.dim(0), T = x.dim(1), D = x.dim(2), U = units;
    cache.dz.resize({T, N, 4 * U});
    cache.dh.resize({N, U});
    cache.dc.resize({N, U});
    auto dh = cache.dh.matrix(), dc = cache.dc.matrix();
    dh.setZero();
    dc.setZero();
    if (!return_sequences) dh = dy.matrix();

    for (Index t = T - 1; t >= 0; --t) {
      const auto gate = split(cache.gates.slice(t), U);
      const auto c_prev = cache.c.slice(t), phi_c = cache.phi_c.slice(t);
      auto dz = cache.dz.slice(t);
      auto dgate = split(dz, U);
      if (return_sequences) dh += dy.step(t);

      // h = o ∘ φ(c):  do = dh ∘ φ(c),  dc += dh ∘ o ∘ φ'(c)
      for_lanes<S>(N, U, [&](auto at) {
        at(dgate.o) = at(dh) * at(phi_c);
        at(dh) *= at(gate.o);
      });
      activate_backward<S>(activation, phi_c, dh);
      // c = f ∘ c' + i ∘ g:  di = dc ∘ g,  df = dc ∘ c',  dg = dc ∘ i,  dc' = dc ∘ f
      for_lanes<S>(N, U, [&](auto at) {
        const auto dc_t = at(dc) + at(dh);
        at(dgate.i) = dc_t * at(gate.g);
        at(dgate.f) = dc_t * at(c_prev);
        at(dgate.g) = dc_t * at(gate.i);
        at(dc) = dc_t * at(gate.f);
      });
      // i, f, o = σ(z),  g = φ(z)
      activate_backward<S>(recurrent_activation, gate.i, dgate.i);
      activate_backward<S>(recurrent_activation, gate.f, dgate.f);
      activate_backward<S>(activation, gate.g, dgate.g);
      activate_backward<S>(recurrent_activation, gate.o, dgate.o);
      // z = x W + h' U + b:  dh' = dz Uᵀ
      set_product<S>(dh, dz, transposed(w[recurrent_kernel].matrix()));
    }

    // z = x W + h' U + b of all steps:  dW += xᵀ dz,  dU += h'ᵀ dz,  db += Σ dz,  dx = dz Wᵀ
    const auto dZ = cache.dz.matrix();
    const auto H = cache.h.samples(0, T).matrix();
    add_product<S>(dw[kernel].matrix(), transposed(cache.x.matrix()), dZ);
    add_product<S>(dw[recurrent_kernel].matrix(), transposed(H), dZ);
    if (use_bias) dw[bias].row() += dZ.colwise().sum();
    if (dx) {
      cache.dx.resize({T, N, D});
      set_product<S>(cache.dx.matrix(), dZ, transposed(w[kernel].matrix()));
      for (Index t = 0; t < T; ++t) dx.step(read_at(t, T)) = cache.dx.slice(t);
    }
  }

 private:
  /// Which input step is read at time `t`.
  Index read_at(Index t, Index T) const { return go_backwards ? T - 1 - t : t; }

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
