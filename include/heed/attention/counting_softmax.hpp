#pragma once

#include <heed/layers/layer.hpp>

namespace heed::detail {

/// Softmax of the scores of sample `n` over its unmasked steps, in place, row: (1, T). A masked
/// step gets 0, and the other steps get the bits that they would get without it.
template <class S>
void counting_softmax(const Steps& steps, Index n, MatrixRef<S> row) {
  if (!steps) return softmax_rows<S>(row);
  Index k = 0;
  for (; k < steps->length(n); ++k) row(0, k) = row(0, steps->step(n, k));
  softmax_rows<S>(row.leftCols(k));
  for (Index t = row.cols(); t-- > 0;) row(0, t) = steps->counts(n, t) ? row(0, --k) : S{0};
}

/// Its backward pass: replaces the gradient with respect to the weights `a` in `d` by the gradient
/// with respect to the scores. `scratch` has the same length.
template <class S>
void counting_softmax_backward(const Steps& steps, Index n, const ConstMatrixRef<S>& a,
                               MatrixRef<S> d, MatrixRef<S> scratch) {
  if (!steps) return softmax_rows_backward<S>(a, d);
  Index k = 0;
  for (; k < steps->length(n); ++k) {
    const Index t = steps->step(n, k);
    scratch(0, k) = a(0, t);
    d(0, k) = d(0, t);
  }
  softmax_rows_backward<S>(scratch.leftCols(k), d.leftCols(k));
  for (Index t = d.cols(); t-- > 0;) d(0, t) = steps->counts(n, t) ? d(0, --k) : S{0};
}

}  // namespace heed::detail
