#pragma once

#include <heed/layers/recurrent_cell.hpp>

namespace heed {

/// Long short-term memory (Hochreiter & Schmidhuber 1997; with the forget gate of Gers,
/// Schmidhuber & Cummins 2000). For each time step, with φ = `activation` and σ =
/// `recurrent_activation`,
///
///     z = x W + h' U + b            h', c': the previous state, zero before the first step
///     i = σ(zᵢ)  f = σ(z_f)  g = φ(z_g)  o = σ(zₒ)
///     c = f ∘ c' + i ∘ g
///     h = o ∘ φ(c)
///
///     x: (N, T, D)    y: (N, T, U) with return_sequences, otherwise the last h: (N, U)
///     W = kernel: (D, 4U)    U = recurrent_kernel: (U, 4U)    b = bias: (4U)
///     states h, c: (N, U) each; initial states are optional further inputs
///
/// The four gates are side by side along the last axis of the weights and of z, in Keras's order i,
/// f, c, o (here i, f, g, o):
///
///     W = | Wᵢ  W_f  W_g  Wₒ |    one row per feature, U columns per gate
///
/// φ and σ are functions of one number: softmax is refused, unlike in Keras. docs/layers.md
/// describes what all recurrent layers share.
///
/// Keras: `layers.LSTM`, with a subset of its fields and the same defaults and weights.
struct LSTM {
  Required<Index> units;
  ActivationFunction activation = ActivationFunction::tanh;
  ActivationFunction recurrent_activation = ActivationFunction::sigmoid;
  bool use_bias = true;
  bool unit_forget_bias = true;
  bool return_sequences = false;
  bool return_state = false;
  bool go_backwards = false;
  bool stateful = false;
  bool zero_output_for_mask = false;
  double dropout = 0;
  double recurrent_dropout = 0;
  Initializer kernel_initializer = Initializer::glorot_uniform;
  Initializer recurrent_initializer = Initializer::orthogonal;
  Initializer bias_initializer = Initializer::zeros;

  static constexpr std::string_view type = "LSTM";
  static constexpr auto fields() {
    return std::tuple_cat(
        std::tuple{field("units", &LSTM::units), field("activation", &LSTM::activation),
                   field("recurrent_activation", &LSTM::recurrent_activation),
                   field("use_bias", &LSTM::use_bias),
                   field("unit_forget_bias", &LSTM::unit_forget_bias)},
        detail::recurrent_fields<LSTM>());
  }

  enum { kernel, recurrent_kernel, bias };

  Shape output_shape(const Shape& x) const {
    return detail::recurrent_shape(*this, x, {activation, recurrent_activation});
  }

  std::vector<Weight> weights(const Shape& x) const {
    std::vector<Weight> result{{"kernel", {x.back(), 4 * units}, kernel_initializer},
                               {"recurrent_kernel", {units, 4 * units}, recurrent_initializer}};
    if (use_bias) {
      result.push_back({"bias", {4 * units}, bias_initializer, unit_forget_bias});
    }
    return result;
  }

  // The cell: z is x W + b and becomes i | f | g | o; φ(c) is kept.
  static constexpr Index gates = 4;
  static constexpr Index kept = 1;
  static constexpr bool has_cell_state = true;

  template <class S>
  void step(detail::CellStep<S> s, const detail::RecurrentCache<S>& cache) const {
    // z = x W + b + h' U
    if (!s.from_zero) add_product<S>(s.z, s.h_in, cache.recurrent_kernel);
    gate<S>(s);
  }

  /// Computes the gates, c and h from the complete z.
  template <class S>
  void gate(detail::CellStep<S> s) const {
    auto z = split(s.z);
    auto c_prev = s.c_prev, c = s.c, phi_c = s.kept, h = s.h;
    auto y = s.y;
    detail::with_functions<S>(activation, recurrent_activation, [&](auto phi, auto sigma) {
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

  /// Computes dz, and dh and dc of the previous step, from dh and dc.
  template <class S>
  void step_back(detail::CellStepBack<S> s, const detail::RecurrentCache<S>& cache) const {
    auto z = split(s.z), dz = split(s.dz);
    auto dh = s.dh, dc = s.dc, c_prev = s.c_prev, phi_c = s.kept;
    detail::with_functions<S>(activation, recurrent_activation, [&](auto phi, auto sigma) {
      for_lanes<S>(dc.rows(), dc.cols(), [&](auto at) {
        const auto i_t = at(z.i), f_t = at(z.f), g_t = at(z.g), o_t = at(z.o);
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
    // z = x W + b + h' U:  dh' = dz Uᵀ
    if (s.to_previous) s.through(cache.recurrent_kernel);
  }

 private:
  template <class Columns>
  struct Gates {
    Columns i, f, g, o;
  };

  /// The four gates of a step as columns: i | f | g | o.
  template <class M>
  auto split(M z) const {
    const Index U = units;
    return Gates<decltype(z.middleCols(0, U))>{z.middleCols(0, U), z.middleCols(U, U),
                                               z.middleCols(2 * U, U), z.middleCols(3 * U, U)};
  }
};

}  // namespace heed
