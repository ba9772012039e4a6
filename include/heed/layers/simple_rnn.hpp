#pragma once

#include <heed/layers/recurrent_cell.hpp>

namespace heed {

/// The plain recurrent network (Elman 1990, "Finding structure in time"). For each time step, with φ =
/// `activation`,
///
///     h = φ(x W + h' U + b)         h': the previous state, zero before the first step
///
///     x: (N, T, D)    y: (N, T, U) with return_sequences, otherwise the last h: (N, U)
///     W = kernel: (D, U)    U = recurrent_kernel: (U, U)    b = bias: (U)
///     state h: (N, U); the initial state is an optional further input
///
/// docs/layers.md describes what all recurrent layers share.
///
/// Keras: `layers.SimpleRNN`, with a subset of its fields and the same defaults and weights.
struct SimpleRNN {
  Required<Index> units;
  ActivationFunction activation = ActivationFunction::tanh;
  bool use_bias = true;
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

  static constexpr std::string_view type = "SimpleRNN";
  static constexpr auto fields() {
    return std::tuple_cat(
        std::tuple{field("units", &SimpleRNN::units), field("activation", &SimpleRNN::activation),
                   field("use_bias", &SimpleRNN::use_bias)},
        detail::recurrent_fields<SimpleRNN>());
  }

  enum { kernel, recurrent_kernel, bias };

  Shape output_shape(const Shape& x) const {
    return detail::recurrent_shape(*this, x, {activation});
  }

  std::vector<Weight> weights(const Shape& x) const {
    std::vector<Weight> result{{"kernel", {x.back(), units}, kernel_initializer},
                               {"recurrent_kernel", {units, units}, recurrent_initializer}};
    if (use_bias) result.push_back({"bias", {units}, bias_initializer});
    return result;
  }

  // The cell: z is x W + b and becomes h.
  static constexpr Index gates = 1;
  static constexpr Index kept = 0;
  static constexpr bool has_cell_state = false;

  template <class S>
  void step(detail::CellStep<S> s, const detail::RecurrentCache<S>& cache) const {
    // z = x W + b + h' U
    if (!s.from_zero) add_product<S>(s.z, s.h_in, cache.recurrent_kernel);
    gate<S>(s);
  }

  /// Computes h from the complete z.
  template <class S>
  void gate(detail::CellStep<S> s) const {
    auto z = s.z, h = s.h;
    auto y = s.y;
    detail::with_function<S>(activation, [&](auto phi) {
      for_lanes<S>(z.rows(), z.cols(), [&](auto at) {
        const auto h_t = phi(at(z));
        at(z) = h_t;
        at(h) = h_t;
        at(y) = h_t;
      });
    });
  }

  /// Computes dz, and dh of the previous step, from dh.
  template <class S>
  void step_back(detail::CellStepBack<S> s, const detail::RecurrentCache<S>& cache) const {
    auto h = s.z, dz = s.dz, dh = s.dh;
    // h = φ(z):  dz = dh ∘ φ'(z)
    detail::with_function<S>(activation, [&](auto phi) {
      for_lanes<S>(dh.rows(), dh.cols(), [&](auto at) { at(dz) = at(dh) * phi.slope(at(h)); });
    });
    // z = x W + b + h' U:  dh' = dz Uᵀ
    if (s.to_previous) s.through(cache.recurrent_kernel);
  }
};

}  // namespace heed
