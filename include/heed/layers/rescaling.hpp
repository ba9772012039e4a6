#pragma once

#include <heed/layers/elementwise.hpp>

namespace heed {

/// `y = scale x + offset`
///
/// Keras: `layers.Rescaling`, with numbers, not arrays, as `scale` and `offset`.
struct Rescaling {
  Required<double> scale;
  double offset = 0;

  static constexpr std::string_view type = "Rescaling";
  static constexpr auto fields() {
    return std::tuple{field("scale", &Rescaling::scale), field("offset", &Rescaling::offset)};
  }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_finite_number("scale", scale);
    detail::check_finite_number("offset", offset);
    return x;
  }

  static bool is_step_wise(const Shape&) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    args.y[0].array() = args.x[0].array() * static_cast<S>(scale.value) + static_cast<S>(offset);
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    // y = scale x + offset:  dx = scale dy
    if (args.dx[0]) args.dx[0].array() = args.dy[0].array() * static_cast<S>(scale.value);
  }
};

}  // namespace heed
