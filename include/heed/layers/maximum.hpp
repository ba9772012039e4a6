#pragma once

#include <heed/layers/merging.hpp>

namespace heed {

/// The element-wise maximum of two or more inputs of the same shape. Masked steps of an input are
/// ignored; at a step that is masked in all inputs, y is the first input. Of equal elements, the
/// first has the gradient.
///
/// Keras: `layers.Maximum`, without broadcasting.
struct Maximum {
  static constexpr std::string_view type = "Maximum";
  static constexpr auto fields() { return std::tuple{}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(std::span<const Shape> x) const { return detail::common_shape(x); }

  static bool is_step_wise(std::span<const Shape>) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    detail::select_best(args, Better{});
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    detail::select_best_back(args, Better{});
  }

 private:
  struct Better {
    bool operator()(const auto& a, const auto& b) const { return a > b || a != a; }
  };
};

}  // namespace heed
