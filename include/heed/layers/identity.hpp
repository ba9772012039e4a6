#pragma once

#include <heed/layers/elementwise.hpp>

namespace heed {

/// `y = x`, with the mask of x.
///
/// Keras: `layers.Identity`.
struct Identity {
  static constexpr std::string_view type = "Identity";
  static constexpr auto fields() { return std::tuple{}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const { return x; }

  static bool is_step_wise(const Shape&) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    detail::copy_elements(args);
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    detail::copy_elements_back(args);
  }
};

}  // namespace heed
