#pragma once

#include <heed/layers/recurrent.hpp>

// A recurrent layer in a stream: one sample, with states that the stream keeps and weights that are
// packed once. It uses the same cells as the loop over a batch and gives the same bits.

namespace heed::detail {

template <class Cell>
std::vector<Shape> recurrent_stream_state(const Cell& cell, const Shape& x) {
  check<ModelError>(!cell.go_backwards, "with go_backwards it begins with the last step");
  return states_of(cell, x);
}

/// Whether the recurrent part is one product, so that z = [x, h'] [W; U] + b is one product as
/// well.
template <class Cell>
concept OneProductCell = requires(const Cell& cell, const CellStep<float>& step) {
  cell.template gate<float>(step);
};

template <class Cell, class S>
void start_recurrent_stream(const Cell& cell, Parameters<const S> w, RecurrentCache<S>& cache) {
  const auto kernel = w[Cell::kernel];
  const Index D = kernel.dim(0), U = cell.units, columns = Cell::gates * U;
  pack_recurrent(cell, w, false, true, cache);
  if constexpr (OneProductCell<Cell>) {
    // The recurrent kernel directly follows the kernel in the arena.
    eigen_assert(kernel.data() + kernel.size() == w[Cell::recurrent_kernel].data());
    cache.kernels.assign({kernel.data(), D + U, columns, columns, 1}, true);
    cache.xh.resize({1, D + U});
  }
  cache.kept.resize({1, Cell::kept * U});
}

/// Computes the next steps, x: (T, D), y: (T, U). `args.state` is read and overwritten.
template <class Cell, class S>
void recurrent_stream(const Cell& cell, const Forward<S>& args, RecurrentCache<S>& cache) {
  // Creating shapes would take longer than the rest of a step with few units.
  const View<const S>& x = args.x[0];
  const Index T = x.dim(0), D = x.dim(1), U = cell.units, columns = Cell::gates * U;
  if (cache.z.size() != T * columns) cache.z.resize({T, columns});
  S* const z = cache.z.data();
  const MatrixMap<S> h(args.next_state[0].data(), 1, U);
  const MatrixMap<S> c(Cell::has_cell_state ? args.next_state[1].data() : nullptr, 1, U);
  const MatrixMap<S> kept(cache.kept.data(), 1, Cell::kept * U);
  const Strided<const S> b = input_bias(cell, args.w, cache);
  const auto step_at = [&](Index t) {
    const StridedMap<S> y(args.y[0].data() + t * U, 1, U, Eigen::OuterStride<>(U));
    return CellStep<S>{args.w, {z + t * columns, 1, columns}, h, false, h, h, c, c, kept, y};
  };
  if constexpr (OneProductCell<Cell>) {
    if (T == 1) {
      S* const xh = cache.xh.data();
      std::copy_n(x.data(), D, xh);
      std::copy_n(h.data(), U, xh + D);
      set_product<S>({z, 1, columns, columns, 1}, b, {xh, 1, D + U, D + U, 1}, cache.kernels);
      return cell.template gate<S>(step_at(0));
    }
  }
  // Not `set_product`: for a single column it sums in another order, and the bits would differ from
  // those of the packed kernel in the loop over a batch.
  multiply<S>({z, T, columns, columns, 1}, b, {x.data(), T, D, D, 1},
              args.w[Cell::kernel].matrix());
  for (Index t = 0; t < T; ++t) cell.template step<S>(step_at(t), cache);
}

}  // namespace heed::detail
