#pragma once

#include <heed/layers/layer.hpp>
#include <heed/math/finite.hpp>

// Layers that apply a function of one number to each element. The function is an object on lanes:
// its call is f(x), and `slope` is f'(x), computed from x.

namespace heed::detail {

/// `y = f(x)`
template <class S, class Function>
void map_elements(const Forward<S>& args, const Function& f) {
  const auto x = args.x[0].matrix();
  auto y = args.y[0].matrix();
  for_lanes<S>(x.rows(), x.cols(), [&](auto at) { at(y) = f(at(x)); });
}

/// `dx = dy ∘ f'(x)`
template <class S, class Function>
void map_elements_back(const Backward<S>& args, const Function& f) {
  if (!args.dx[0]) return;
  const auto x = args.x[0].matrix(), dy = args.dy[0].matrix();
  auto dx = args.dx[0].matrix();
  for_lanes<S>(x.rows(), x.cols(), [&](auto at) { at(dx) = at(dy) * f.slope(at(x)); });
}

/// `y = x`
template <class S>
void copy_elements(const Forward<S>& args) {
  args.y[0].array() = args.x[0].array();
}

/// `dx = dy`
template <class S>
void copy_elements_back(const Backward<S>& args) {
  if (args.dx[0]) args.dx[0].array() = args.dy[0].array();
}

/// The shape of the output, which is that of the input.
inline Shape same_shape(const Shape& x) {
  check<ShapeError>(x.rank() >= 1, "expected an input with a last axis, got ", x);
  return x;
}

inline void check_finite_number(std::string_view what, double value) {
  check<OptionError>(is_finite(value), "expected a finite ", what, ", got ", value);
}

/// For slopes and thresholds, as Keras expects them.
inline void check_not_negative(std::string_view what, double value) {
  check<OptionError>(is_finite(value) && value >= 0, "expected ", what, " of at least 0, got ",
                     value);
}

}  // namespace heed::detail
