#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Masks the steps of a sequence in which all features are equal to `mask_value`, and sets them to
/// zero.
///
///     counts[n, t] = x[n, t, d] ≠ mask_value for some d
///     y = x where the step counts, otherwise 0
///
///     x: (N, T, D)    y: (N, T, D)
///
/// Keras: `layers.Masking`. As in Keras, a mask of the input is ignored.
struct Masking {
  double mask_value = 0;

  static constexpr std::string_view type = "Masking";
  static constexpr auto fields() { return std::tuple{field("mask_value", &Masking::mask_value)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_rank(x, 2, "(steps, features)");
    return x;
  }

  static bool is_step_wise(const Shape&) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto x = args.x[0].matrix();
    auto y = args.y[0].matrix();
    for (Index row = 0; row < x.rows(); ++row) {
      if (counts<S>(x.row(row))) {
        y.row(row) = x.row(row);
      } else {
        y.row(row).setZero();
      }
    }
  }

  template <class S>
  bool mark(const Forward<S>& args, std::span<std::uint8_t> counting) const {
    const auto x = args.x[0].matrix();
    bool all = true;
    for (Index row = 0; row < x.rows(); ++row) {
      const bool one = counts<S>(x.row(row));
      counting[static_cast<std::size_t>(row)] = one ? 1 : 0;
      all = all && one;
    }
    return !all;
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    if (!args.dx[0]) return;
    const auto x = args.x[0].matrix(), dy = args.dy[0].matrix();
    auto dx = args.dx[0].matrix();
    // y = x or 0:  dx = dy or 0
    for (Index row = 0; row < x.rows(); ++row) {
      if (counts<S>(x.row(row))) {
        dx.row(row) = dy.row(row);
      } else {
        dx.row(row).setZero();
      }
    }
  }

 private:
  template <class S, class Step>
  bool counts(const Step& x) const {
    return (x.array() != static_cast<S>(mask_value)).any();
  }
};

}  // namespace heed
