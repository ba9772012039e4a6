#pragma once

#include <heed/layers/reading.hpp>

// A recurrent layer consists of its configuration and its cell: the equations of one step forward
// and one step back. The loop over the steps (recurrent.hpp) is the same for all of them and
// replaces forward and backward:
//
//   static constexpr Index gates          number of blocks of U columns in W and in z = x W + b
//   static constexpr Index kept           number of such blocks that a step keeps for its step back
//   static constexpr bool has_cell_state  whether there is a state c in addition to h
//   template <class S> void step(CellStep<S>, const RecurrentCache<S>&) const
//                                         computes h, and c, from z
//   template <class S> void step_back(CellStepBack<S>, RecurrentCache<S>&) const
//                                         computes dz, and dh of the previous step, from dh
//
// and, if the recurrent part is more than one product with its kernel, its `pack`, `input_bias` and
// `add_recurrent_gradients`.

namespace heed {

/// A layer whose forward pass is the loop over its cell.
template <class L>
concept CellLayer = Layer<L> && requires {
  L::gates;
  L::kept;
  L::has_cell_state;
};

/// A layer that carries states from step to step.
template <class L>
concept RecurrentLayer = CellLayer<L> ||(Layer<L>&& requires(const L& layer, const Shape& x) {
  { layer.states(x) } -> std::same_as<std::vector<Shape>>;
});

namespace detail {

/// The states of a recurrent layer, for one sample: h and, if it has one, c.
template <RecurrentLayer L>
std::vector<Shape> states_of(const L& layer, const Shape& x) {
  if constexpr (CellLayer<L>) {
    return std::vector<Shape>(L::has_cell_state ? 2 : 1, Shape{layer.units});
  } else {
    return layer.states(x);
  }
}

/// The number of outputs of a layer besides its states.
template <class L>
std::size_t outputs_of(const L& layer) {
  if constexpr (requires { layer.outputs(); }) {
    return layer.outputs();
  } else {
    return 1;
  }
}

/// Whether the final states are outputs, too, and whether a batch begins with the final states of
/// the previous one: according to the layer's own fields, or those of its inner layer.
template <class L>
bool returns_state(const L& layer) {
  if constexpr (requires { layer.return_state; }) {
    return layer.return_state;
  } else if constexpr (requires { layer.layer; }) {
    return returns_state(layer.layer);
  } else {
    return false;
  }
}
template <class L>
bool is_stateful(const L& layer) {
  if constexpr (requires { layer.stateful; }) {
    return layer.stateful;
  } else if constexpr (requires { layer.layer; }) {
    return is_stateful(layer.layer);
  } else {
    return false;
  }
}

/// The weights of an inner layer; none if it has none.
template <class L>
std::vector<Weight> weights_of(const L& layer, const Shape& x) {
  if constexpr (requires { layer.weights(x); }) {
    return layer.weights(x);
  } else {
    return {};
  }
}

/// The arguments of one step of a cell, with a row for each sample that has this step.
template <class S>
struct CellStep {
  Parameters<const S> w;
  MatrixMap<S> z;          ///< (n, gates U)  x W + b at the beginning
  MatrixMap<S> h_in;       ///< (n, U)  h' after recurrent dropout, for the recurrent kernel
  bool from_zero;          ///< h' is zero: skip its product
  MatrixMap<S> h_prev;     ///< (n, U)  h'
  MatrixMap<S> h;          ///< (n, U)
  MatrixMap<S> c_prev, c;  ///< (n, U)  may be the same memory
  MatrixMap<S> kept;       ///< (n, kept U)
  StridedMap<S> y;         ///< (n, U)  a second copy of h
};

/// The arguments of one step back.
template <class S>
struct CellStepBack {
  Parameters<const S> w;
  MatrixMap<S> z, h_in, h_prev, c_prev, kept;  ///< as written by the step
  MatrixMap<S> dz, dkept;                      ///< (n, gates U), (n, kept U)  to be written
  MatrixMap<S> dh, dc;      ///< (n, U)  of this step; replaced by those of the previous one
  Strided<const S> start;   ///< (n, U)  added to dh': the gradient of that step's output
  MatrixMap<S> state_mask;  ///< (n, U)  of recurrent dropout; no memory without it
  bool to_previous;         ///< whether dh' is needed

  /// `dh' = start + (dz Uᵀ) ∘ mask`
  void through(const Packed<S>& kernel) {
    if (state_mask.data() == nullptr) return set_product<S>(dh, start, dz, kernel);
    set_product<S>(dh, dz, kernel);
    dh.array() *= state_mask.array();
    add_start();
  }

  void add_start() {
    if (start.data == nullptr) return;
    dh += StridedMap<const S>(start.data, dh.rows(), dh.cols(),
                              Eigen::OuterStride<>(start.row_stride));
  }
};

/// A block of steps, for the gradients of the weights. `h_in` has fewer rows if h' of the first
/// step is zero.
template <class S>
struct CellRows {
  MatrixMap<S> h_in, dz, kept, dkept;
};

/// The cache of a recurrent layer. R is the number of unmasked steps of all samples: row
/// `first(k) + r` belongs to the k-th step of the r-th sample, see `Reading`.
template <class S>
struct RecurrentCache {
  Packed<S> kernel, recurrent_kernel, candidate_kernel;
  Packed<S> kernels;          // W above U, for a stream
  Tensor<S> bias;             // (gates U)  if it differs from the weight
  Tensor<S> x;                // (R, D)
  Tensor<S> z;                // (R, gates U)
  Tensor<S> h, c;             // (N + R, U)  the initial state comes first
  Tensor<S> h_in;             // (R, U)  if it differs from h
  Tensor<S> kept;             // (R, kept U)
  Tensor<S> input_mask;       // (N, D)  of dropout; empty without it
  Tensor<S> state_mask;       // (N, U)
  Tensor<S> dy;               // (R, U)  with a mask
  Tensor<S> dz, dkept, dx;    // of a block of steps
  Tensor<S> dh, dc, scratch;  // (N, U), scratch wider
  Tensor<S> xh;               // (1, D + U)
};

/// The recurrent kernel, packed for the steps, or transposed for the steps back.
template <class Cell, class S>
void pack_recurrent(const Cell& cell, Parameters<const S> w, bool back, bool one_row,
                    RecurrentCache<S>& cache) {
  if constexpr (requires { cell.template pack<S>(w, back, one_row, cache); }) {
    cell.template pack<S>(w, back, one_row, cache);
  } else {
    const Strided<const S> kernel = w[Cell::recurrent_kernel].matrix();
    cache.recurrent_kernel.assign(back ? kernel.transpose() : kernel, one_row);
  }
}

/// The initial value of z.
template <class Cell, class S>
Strided<const S> input_bias(const Cell& cell, Parameters<const S> w,
                            const RecurrentCache<S>& cache) {
  if (!cell.use_bias) return zeros<S>();
  if constexpr (requires { cell.template input_bias<S>(w, cache); }) {
    return cell.template input_bias<S>(w, cache);
  } else {
    return repeated(w[Cell::bias]);
  }
}

/// z = … + h' U + b:  dU += h'ᵀ dz,  db += Σ dz
template <class Cell, class S>
void add_recurrent_gradients(const Cell& cell, Parameters<S> dw, const CellRows<S>& rows) {
  if constexpr (requires { cell.template add_recurrent_gradients<S>(dw, rows); }) {
    cell.template add_recurrent_gradients<S>(dw, rows);
  } else {
    add_product<S>(dw[Cell::recurrent_kernel].matrix(), transposed(rows.h_in),
                   rows.dz.bottomRows(rows.h_in.rows()));
    if (cell.use_bias) add_row_sum<S>(dw[Cell::bias], rows.dz);
  }
}

/// Calls `use(φ, σ)`. The most common functions have types of their own and are inlined into the
/// equations.
template <class S, class Use>
[[gnu::always_inline]] inline void with_functions(ActivationFunction phi, ActivationFunction sigma,
                                                  const Use& use) {
  using enum ActivationFunction;
  if (phi == tanh && sigma == sigmoid) {
    use(Tanh<S>{}, Sigmoid<S>{});
  } else {
    use(AnyFunction{phi}, AnyFunction{sigma});
  }
}

/// The fields that all recurrent layers have.
template <class L>
constexpr auto recurrent_fields() {
  return std::tuple{field("return_sequences", &L::return_sequences),
                    field("return_state", &L::return_state),
                    field("go_backwards", &L::go_backwards),
                    field("stateful", &L::stateful),
                    field("zero_output_for_mask", &L::zero_output_for_mask),
                    field("dropout", &L::dropout),
                    field("recurrent_dropout", &L::recurrent_dropout),
                    field("kernel_initializer", &L::kernel_initializer),
                    field("recurrent_initializer", &L::recurrent_initializer),
                    field("bias_initializer", &L::bias_initializer)};
}

/// The output shape of one sample, from x: (T, D).
template <class L>
Shape recurrent_shape(const L& layer, const Shape& x,
                      std::initializer_list<ActivationFunction> functions) {
  check_positive("units", layer.units);
  check_rank(x, 2, "(steps, features)");
  for (const ActivationFunction function : functions) {
    check<OptionError>(!is_of_row(function),
                       "expected activation functions that act on single numbers, got ", function);
    check<OptionError>(
        !needs_z(function),
        "expected activation functions whose derivative follows from the value, got ", function,
        "; Dense and Activation take this one");
  }
  for (const double rate : {layer.dropout, layer.recurrent_dropout}) {
    check<OptionError>(0 <= rate && rate < 1,
                       "expected dropout and recurrent_dropout in [0, 1), got ", layer.dropout,
                       " and ", layer.recurrent_dropout);
  }
  return layer.return_sequences ? x.with_last(layer.units) : Shape{layer.units};
}

}  // namespace detail

}  // namespace heed
