#pragma once

#include <ostream>

#include <heed/tensor/tensor.hpp>

namespace heed {

inline std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  return out << to_text(shape);
}

namespace detail {

/// Axes longer than this are printed as their first and last three entries.
inline constexpr Index summarised = 8;

template <class Scalar>
void print(std::ostream& out, View<const Scalar> x, Index axis, Index offset, Index indent) {
  if (axis == x.rank()) {
    out << x.data()[offset];
    return;
  }
  const Index stride = x.shape().product(axis + 1, x.rank());
  const bool innermost = axis + 1 == x.rank();
  out << '[';
  for (Index i = 0; i < x.dim(axis); ++i) {
    if (i > 0) {
      out << (innermost ? " " : "\n");
      for (Index space = 0; !innermost && space <= indent; ++space) out << ' ';
    }
    if (i == 3 && x.dim(axis) > summarised) {
      out << "...";
      i = x.dim(axis) - 4;
      continue;
    }
    print(out, x, axis + 1, offset + i * stride, indent + 1);
  }
  out << ']';
}

}  // namespace detail

/// Prints the shape, followed by nested brackets as in NumPy: `(2, 2) [[1 2]⏎ [3 4]]`.
template <class Scalar>
std::ostream& operator<<(std::ostream& out, View<const Scalar> x) {
  if (!x) return out << "(no tensor)";
  out << x.shape() << ' ';
  detail::print(out, x, 0, 0, static_cast<Index>(to_text(x.shape()).size()) + 1);
  return out;
}

template <class Scalar>
std::ostream& operator<<(std::ostream& out, View<Scalar> x) {
  return out << View<const Scalar>(x);
}

template <class Scalar, int Rank>
std::ostream& operator<<(std::ostream& out, const Tensor<Scalar, Rank>& x) {
  return out << x.view();
}

}  // namespace heed
