#pragma once

#include <heed/layers/recurrent_cell.hpp>

namespace heed {

/// The gated recurrent unit (Cho et al. 2014, "Learning Phrase Representations using RNN Encoder–Decoder
/// for Statistical Machine Translation", section 2.3). For each time step, with φ = `activation` and σ =
/// `recurrent_activation`,
///
///     z = σ(x W_z + b_z + h' U_z + c_z)      update gate; h': the previous state
///     r = σ(x W_r + b_r + h' U_r + c_r)      reset gate
///     g = φ(x W_g + b_g + r ∘ (h' U_g + c_g))   with `reset_after`, as in CuDNN
///     g = φ(x W_g + b_g + (r ∘ h') U_g)         without it, as in the paper; then there is no c
///     h = z ∘ h' + (1 − z) ∘ g
///
///     x: (N, T, D)    y: (N, T, U) with return_sequences, otherwise the last h: (N, U)
///     W = kernel: (D, 3U)    U = recurrent_kernel: (U, 3U)
///     bias: with reset_after b above c: (2, 3U), otherwise b: (3U)
///     state h: (N, U); the initial state is an optional further input
///
/// The three blocks are side by side along the last axis of the weights, in Keras's order z, r, h
/// (here z, r, g). docs/layers.md describes what all recurrent layers share.
///
/// Keras: `layers.GRU`, with a subset of its fields and the same defaults and weights.
struct GRU {
  Required<Index> units;
  ActivationFunction activation = ActivationFunction::tanh;
  ActivationFunction recurrent_activation = ActivationFunction::sigmoid;
  bool use_bias = true;
  bool reset_after = true;
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

  static constexpr std::string_view type = "GRU";
  static constexpr auto fields() {
    return std::tuple_cat(
        std::tuple{field("units", &GRU::units), field("activation", &GRU::activation),
                   field("recurrent_activation", &GRU::recurrent_activation),
                   field("use_bias", &GRU::use_bias), field("reset_after", &GRU::reset_after)},
        detail::recurrent_fields<GRU>());
  }

  enum { kernel, recurrent_kernel, bias };

  Shape output_shape(const Shape& x) const {
    return detail::recurrent_shape(*this, x, {activation, recurrent_activation});
  }

  std::vector<Weight> weights(const Shape& x) const {
    std::vector<Weight> result{{"kernel", {x.back(), 3 * units}, kernel_initializer},
                               {"recurrent_kernel", {units, 3 * units}, recurrent_initializer}};
    if (use_bias) {
      result.push_back(
          {"bias", reset_after ? Shape{2, 3 * units} : Shape{3 * units}, bias_initializer});
    }
    return result;
  }

  // The cell: z is x W + b, with c_z and c_r, and becomes z | r | g. With reset_after, the kept
  // value is s = h' U_g + c_g, otherwise s = r ∘ h'.
  static constexpr Index gates = 3;
  static constexpr Index kept = 1;
  static constexpr bool has_cell_state = false;

  template <class S>
  void step(detail::CellStep<S> step, const detail::RecurrentCache<S>& cache) const {
    auto gate = split(step.z);
    auto s = step.kept, h_in = step.h_in, h_prev = step.h_prev, h = step.h;
    auto y = step.y;
    // [z, r] = x W + b + h' U + c
    if (!step.from_zero) add_product<S>(step.z.leftCols(2 * units), h_in, cache.recurrent_kernel);
    if (reset_after) {
      const auto c_g = use_bias ? repeated(bias_of_state(step.w)) : zeros<S>();
      set_product<S>(s, c_g, h_in, cache.candidate_kernel);
    }
    detail::with_functions<S>(activation, recurrent_activation, [&](auto phi, auto sigma) {
      if (!reset_after) {
        for_lanes<S>(h.rows(), h.cols(), [&](auto at) {
          at(gate.r) = sigma(at(gate.r));
          at(s) = at(gate.r) * at(h_in);
        });
        add_product<S>(gate.g, s, cache.candidate_kernel);
      }
      for_lanes<S>(h.rows(), h.cols(), [&](auto at) {
        const auto z_t = sigma(at(gate.z));
        if (reset_after) {
          at(gate.r) = sigma(at(gate.r));
          at(gate.g) = at(gate.g) + at(gate.r) * at(s);
        }
        const auto g_t = phi(at(gate.g));
        const auto h_t = z_t * at(h_prev) + (S{1} - z_t) * g_t;
        at(gate.z) = z_t;
        at(gate.g) = g_t;
        at(h) = h_t;
        at(y) = h_t;
      });
    });
  }

  template <class S>
  void step_back(detail::CellStepBack<S> step, detail::RecurrentCache<S>& cache) const {
    auto gate = split(step.z);
    auto d = split(step.dz);
    auto s = step.kept, ds = step.dkept, h_in = step.h_in, h_prev = step.h_prev, dh = step.dh;
    detail::with_functions<S>(activation, recurrent_activation, [&](auto phi, auto sigma) {
      for_lanes<S>(dh.rows(), dh.cols(), [&](auto at) {
        const auto z_t = at(gate.z), g_t = at(gate.g), dh_t = at(dh);
        // h = z ∘ h' + (1 − z) ∘ g:  dz = dh ∘ (h' − g),  dg = dh ∘ (1 − z),  dh' = dh ∘ z
        at(d.z) = dh_t * (at(h_prev) - g_t) * sigma.slope(z_t);
        const auto dg_t = dh_t * (S{1} - z_t) * phi.slope(g_t);
        at(d.g) = dg_t;
        at(dh) = dh_t * z_t;
        if (reset_after) {
          // g = φ(… + r ∘ s):  dr = dg ∘ s,  ds = dg ∘ r
          const auto r_t = at(gate.r);
          at(d.r) = dg_t * at(s) * sigma.slope(r_t);
          at(ds) = dg_t * r_t;
        }
      });
      if (!reset_after) {
        // g = φ(… + s U_g),  s = r ∘ h':  ds = dg U_gᵀ,  dr = ds ∘ h',  dh' += ds ∘ r
        set_product<S>(ds, d.g, cache.candidate_kernel);
        for_lanes<S>(dh.rows(), dh.cols(), [&](auto at) {
          const auto r_t = at(gate.r), ds_t = at(ds);
          at(d.r) = ds_t * at(h_in) * sigma.slope(r_t);
          at(ds) = ds_t * r_t;
        });
      }
    });
    if (!step.to_previous) return;
    // The terms from h' U, or from r ∘ h', also pass through the mask of recurrent dropout.
    const bool masked = step.state_mask.data() != nullptr;
    if (masked) cache.scratch.resize({dh.rows(), units});
    MatrixMap<S> to(masked ? cache.scratch.data() : dh.data(), dh.rows(), units);
    if (masked) cache.scratch.set_zero();
    // [z, r] = … + h' U:  dh' += [dz, dr] Uᵀ;  s = h' U_g + c_g:  dh' += ds U_gᵀ
    add_product<S>(to, step.dz.leftCols(2 * units), cache.recurrent_kernel);
    if (reset_after) {
      add_product<S>(to, ds, cache.candidate_kernel);
    } else {
      for_lanes<S>(dh.rows(), dh.cols(), [&](auto at) { at(to) += at(ds); });
    }
    if (masked) dh += to.cwiseProduct(step.state_mask);
    step.add_start();
  }

  template <class S>
  void pack(Parameters<const S> w, bool back, bool one_row,
            detail::RecurrentCache<S>& cache) const {
    const auto u = w[recurrent_kernel].matrix();
    const Strided<const S> zr = u.leftCols(2 * units), g = u.rightCols(units);
    cache.recurrent_kernel.assign(back ? zr.transpose() : zr, one_row);
    cache.candidate_kernel.assign(back ? g.transpose() : g, one_row);
    if (!use_bias || back) return;
    cache.bias.resize({3 * units});
    cache.bias.row() = RowMap<const S>(w[bias].data(), 3 * units);
    if (!reset_after) return;
    cache.bias.row().leftCols(2 * units) += RowMap<const S>(w[bias].data() + 3 * units, 2 * units);
  }

  /// b, plus the parts of c that are simply added: c_z and c_r.
  template <class S>
  static Strided<const S> input_bias(Parameters<const S>, const detail::RecurrentCache<S>& cache) {
    return repeated(cache.bias.view());
  }

  template <class S>
  void add_recurrent_gradients(Parameters<S> dw, const detail::CellRows<S>& rows) const {
    const Index n = rows.h_in.rows();
    const auto last = [n](const MatrixMap<S>& m) { return m.bottomRows(n); };
    auto du = dw[recurrent_kernel].matrix();
    // [z, r] = … + h' U + c:  dU += h'ᵀ [dz, dr]
    add_product<S>(du.leftCols(2 * units), transposed(rows.h_in),
                   last(rows.dz).leftCols(2 * units));
    // s = h' U_g + c_g:  dU_g += h'ᵀ ds;  without reset_after g = φ(… + s U_g):  dU_g += sᵀ dg
    if (reset_after) {
      add_product<S>(du.rightCols(units), transposed(rows.h_in), last(rows.dkept));
    } else {
      add_product<S>(du.rightCols(units), transposed(last(rows.kept)),
                     last(rows.dz).rightCols(units));
    }
    if (!use_bias) return;
    // b is added to all three, c to z, r and s
    const auto db = [&](Index first, Index count) {
      return View<S>(dw[bias].data() + first, {count});
    };
    add_row_sum<S>(db(0, 3 * units), rows.dz);
    if (!reset_after) return;
    add_row_sum<S>(db(3 * units, 2 * units), rows.dz.leftCols(2 * units));
    add_row_sum<S>(db(5 * units, units), rows.dkept);
  }

 private:
  template <class Columns>
  struct Gates {
    Columns z, r, g;
  };

  /// The three blocks of a step as columns: z | r | g.
  template <class M>
  auto split(M z) const {
    const Index U = units;
    return Gates<decltype(z.middleCols(0, U))>{z.middleCols(0, U), z.middleCols(U, U),
                                               z.middleCols(2 * U, U)};
  }

  /// c_g, from the second row of the bias.
  template <class S>
  View<const S> bias_of_state(Parameters<const S> w) const {
    return {w[bias].data() + 5 * units, {units}};
  }
};

}  // namespace heed
