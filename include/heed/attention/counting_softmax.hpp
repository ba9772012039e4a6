#pragma once

#include <heed/layers/layer.hpp>

namespace heed::detail {

/// Softmax of sample `n`'s scores over the steps that count, in place, row: (1, T). A step that does not
/// count gets 0, and the others the bits that they would have without it.
template <class S>
void counting_softmax(const Steps& steps, Index n, MatrixRef<S> row) {
  if (!steps) return softmax_rows<S>(row);
  Index k = 0;
  for (; k < steps->length(n); ++k) row(0, k) = row(0, steps->step(n, k));
  softmax_rows<S>(row.leftCols(k));
  for (Index t = row.cols(); t-- > 0;) row(0, t) = steps->counts(n, t) ? row(0, --k) : S{0};
}

/// Its backward: `d` comes as the gradient by the weights `a` and becomes that by the scores. `scratch` is
/// as long as they are.
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
