#pragma once

#include <heed/layers/recurrent_cell.hpp>

// The forward and backward loops over the steps, which all recurrent layers share.

namespace heed::detail {

/// The position of a step in the buffers of the loop.
template <class S>
struct RecurrentRows {
  RecurrentCache<S>& cache;
  const Reading& reading;
  bool plain;  ///< h' is h of the previous step, row by row

  static MatrixMap<S> rows(Tensor<S>& of, Index first, Index count) {
    return {of.data() + first * of.dim(1), count, of.dim(1)};
  }
  /// The first row of step k in h and c, and that of its previous step.
  Index after(Index k) const { return reading.samples() + reading.first(k); }
  Index before(Index k) const { return k == 0 ? 0 : after(k - 1); }
  MatrixMap<S> h_in(Index k, Index n) const {
    return plain ? rows(cache.h, before(k), n) : rows(cache.h_in, reading.first(k), n);
  }
};

template <class Cell, class S>
void begin_recurrent(const Cell& cell, const Forward<S>& args, const Reading& reading,
                     RecurrentCache<S>& cache) {
  const View<const S> x = args.x[0];
  const Index N = x.dim(0), D = x.dim(2), U = cell.units, R = reading.total();
  cache.x.resize({R, D});
  cache.z.resize({R, Cell::gates * U});
  cache.kept.resize({R, Cell::kept * U});
  cache.h.resize({N + R, U});
  cache.c.resize({Cell::has_cell_state ? N + R : 0, U});
  draw_masks(cell.dropout, D, args.pass, reading, 0, cache.input_mask);
  draw_masks(cell.recurrent_dropout, U, args.pass, reading, 1, cache.state_mask);
  gather_steps<S>(reading, x, cache.x);
  if (!cache.input_mask.empty())
    mask_steps<S>(reading, 0, reading.steps(), cache.input_mask, cache.x);
  cache.kernel.assign(args.w[Cell::kernel].matrix(), R == 1);
  pack_recurrent(cell, args.w, false, N == 1, cache);
  for (std::size_t i = 0; i < (Cell::has_cell_state ? 2u : 1u); ++i) {
    auto initial = RecurrentRows<S>::rows(i == 0 ? cache.h : cache.c, 0, N);
    if (args.state.empty()) {
      initial.setZero();
    } else {
      for (Index r = 0; r < N; ++r) initial.row(r) = args.state[i].matrix().row(reading.sample(r));
    }
  }
}

/// The forward pass of a recurrent layer: x: (N, T, D), y: (N, T, U) or (N, U).
template <class Cell, class S>
void recurrent_forward(const Cell& cell, const Forward<S>& args, RecurrentCache<S>& cache) {
  const View<const S> x = args.x[0];
  const View<S> y = args.y[0];
  const Reading reading(x.shape(), args.counting(), cell.go_backwards);
  begin_recurrent(cell, args, reading, cache);
  const RecurrentRows<S> at{cache, reading, !reading.masked() && cache.state_mask.empty()};
  if (!at.plain) cache.h_in.resize({reading.total(), cell.units});
  const Strided<const S> b = input_bias(cell, args.w, cache);
  for (Index k = 0, end = 0; k < reading.steps(); ++k) {
    // z = x W + b for a block of steps, which are still in the cache when they are computed
    if (k == end) {
      end = reading.block_end(k, 256);
      const Index first = reading.first(k), count = reading.first(end) - first;
      set_product<S>(at.rows(cache.z, first, count), b, at.rows(cache.x, first, count),
                     cache.kernel);
    }
    const Index n = reading.rows(k), first = reading.first(k);
    const auto h_prev = at.rows(cache.h, at.before(k), n);
    auto h = at.rows(cache.h, at.after(k), n);
    if (!at.plain) {
      auto h_in = at.h_in(k, n);
      h_in = h_prev;
      if (!cache.state_mask.empty()) h_in.array() *= at.rows(cache.state_mask, 0, n).array();
    }
    // With a mask, outputs are written to h first and then moved to y.
    const StridedMap<S> to = reading.masked()        ? as_step<S>(h)
                             : cell.return_sequences ? y.step(k)
                                                     : y.as_step();
    const Index c_prev = Cell::has_cell_state ? at.before(k) : 0,
                c = Cell::has_cell_state ? at.after(k) : 0;
    cell.template step<S>(
        {args.w, at.rows(cache.z, first, n), at.h_in(k, n), k == 0 && args.state.empty(), h_prev, h,
         at.rows(cache.c, c_prev, n), at.rows(cache.c, c, n), at.rows(cache.kept, first, n), to},
        cache);
  }
  if (reading.masked()) {
    const MatrixMap<const S> h(cache.h.data() + at.after(0) * cell.units, reading.total(),
                               cell.units);
    if (cell.return_sequences) {
      scatter_outputs<S>(reading, h, cell.zero_output_for_mask, y);
    } else {
      scatter_last<S>(reading, h, cell.zero_output_for_mask, y);
    }
  }
  for (std::size_t i = 0; i < args.next_state.size(); ++i) {
    for (Index r = 0; r < x.dim(0); ++r) {
      const Index length = reading.length(r), row = length == 0 ? r : at.after(length - 1) + r;
      args.next_state[i].matrix().row(reading.sample(r)) =
          at.rows(i == 0 ? cache.h : cache.c, row, 1);
    }
  }
}

/// Its backward pass.
template <class Cell, class S>
void recurrent_backward(const Cell& cell, const Backward<S>& args, RecurrentCache<S>& cache) {
  const View<const S> x = args.x[0], dy = args.dy[0];
  const View<S> dx = args.dx[0];
  const Parameters<S> dw = args.dw;
  const Index N = x.dim(0), D = x.dim(2), U = cell.units;
  const Reading reading(x.shape(), args.counting(), cell.go_backwards);
  const RecurrentRows<S> at{cache, reading, !reading.masked() && cache.state_mask.empty()};
  const bool by_step = dy && cell.return_sequences;
  const bool wants_state =
      std::any_of(args.dstate.begin(), args.dstate.end(), [](auto& d) { return bool(d); });
  cache.dh.resize({N, U});
  cache.dc.resize({N, U});
  pack_recurrent(cell, args.w, true, N == 1, cache);
  if (by_step && reading.masked()) {
    cache.dy.resize({reading.total(), U});
    gather_gradients<S>(reading, dy, cell.zero_output_for_mask, cache.dy.matrix());
  }
  // The initial value of dh of step k: the gradient of its output.
  const auto start = [&](Index k) -> Strided<const S> {
    if (!by_step) return zeros<S>();
    if (reading.masked()) return at.rows(cache.dy, reading.first(k), reading.rows(k));
    return dy.step(k);
  };
  const auto state_gradient = [&](std::size_t i) {
    return i < args.dnext_state.size() ? args.dnext_state[i] : View<const S>{};
  };
  // Row r is added at the last step of its sample, with the gradients of the final states.
  const auto begin = [&](Index r, Index k) {
    const Index n = reading.sample(r);
    auto dh = at.rows(cache.dh, r, 1), dc = at.rows(cache.dc, r, 1);
    dh.setZero();
    dc.setZero();
    if (by_step && k >= 0) {
      const auto from = start(k);
      dh = RowMap<const S>(from.data + r * from.row_stride, U);
    } else if (dy && !by_step && (k >= 0) && reading.gives_last(n, cell.zero_output_for_mask)) {
      dh = dy.matrix().row(n);
    }
    if (const auto d = state_gradient(0)) dh += d.matrix().row(n);
    if (const auto d = state_gradient(1)) dc += d.matrix().row(n);
  };
  if (dx && reading.masked()) dx.array().setZero();

  Index begun = 0;
  for (Index end = reading.steps(), from = 0; end > 0; end = from) {
    from = reading.block_begin(end, 1024);
    const Index first = reading.first(from), count = reading.first(end) - first;
    cache.dz.resize({count, Cell::gates * U});
    cache.dkept.resize({count, Cell::kept * U});
    for (Index k = end - 1; k >= from; --k) {
      const Index n = reading.rows(k), row = reading.first(k);
      for (; begun < n; ++begun) begin(begun, k);
      const MatrixMap<S> state_mask(cache.state_mask.empty() ? nullptr : cache.state_mask.data(), n,
                                    U);
      cell.template step_back<S>(
          {args.w, at.rows(cache.z, row, n), at.h_in(k, n), at.rows(cache.h, at.before(k), n),
           at.rows(cache.c, Cell::has_cell_state ? at.before(k) : 0, n),
           at.rows(cache.kept, row, n), at.rows(cache.dz, row - first, n),
           at.rows(cache.dkept, row - first, n), at.rows(cache.dh, 0, n), at.rows(cache.dc, 0, n),
           k > 0 ? start(k - 1) : zeros<S>(), state_mask, k > 0 || wants_state},
          cache);
    }
    // z = x W + … for these steps:  dW += xᵀ dz,  db += Σ dz,  dx = dz Wᵀ
    const auto dz = at.rows(cache.dz, 0, count);
    if (dw) {
      add_product<S>(dw[Cell::kernel].matrix(), transposed(at.rows(cache.x, first, count)), dz);
      // The first step's h' may be zero.
      const Index zero = from == 0 && args.state.empty() ? reading.rows(0) : 0;
      add_recurrent_gradients<Cell, S>(
          cell, dw,
          {at.rows(at.plain ? cache.h : cache.h_in, first + zero, count - zero), dz,
           at.rows(cache.kept, first, count), at.rows(cache.dkept, 0, count)});
    }
    if (dx) {
      cache.dx.resize({count, D});
      set_product<S>(cache.dx.matrix(), dz, transposed(args.w[Cell::kernel].matrix()));
      if (!cache.input_mask.empty()) mask_steps<S>(reading, from, end, cache.input_mask, cache.dx);
      scatter_steps<S>(reading, from, end, cache.dx, dx);
    }
  }
  for (; begun < N; ++begun) begin(begun, -1);  // samples without steps: pass them through
  for (std::size_t i = 0; i < args.dstate.size(); ++i) {
    if (!args.dstate[i]) continue;
    for (Index r = 0; r < N; ++r) {
      args.dstate[i].matrix().row(reading.sample(r)) = at.rows(i == 0 ? cache.dh : cache.dc, r, 1);
    }
  }
}

// How the graph, or a layer that contains another, runs a layer: through its own forward, or
// through the loop over its cell.

template <class L, class S>
struct CacheFor {
  using type = typename L::template Cache<S>;
};
template <CellLayer L, class S>
struct CacheFor<L, S> {
  using type = RecurrentCache<S>;
};
template <ReshapingLayer L, class S>
struct CacheFor<L, S> {
  using type = NoCache;
};
template <class L, class S>
using CacheOf = typename CacheFor<L, S>::type;

template <class L, class S>
void run_forward(const L& layer, const Forward<S>& args, CacheOf<L, S>& cache) {
  if constexpr (CellLayer<L>) {
    recurrent_forward(layer, args, cache);
  } else {
    layer.template forward<S>(args, cache);
  }
}

template <class L, class S>
void run_backward(const L& layer, const Backward<S>& args, CacheOf<L, S>& cache) {
  if constexpr (CellLayer<L>) {
    recurrent_backward(layer, args, cache);
  } else {
    layer.template backward<S>(args, cache);
  }
}

}  // namespace heed::detail
