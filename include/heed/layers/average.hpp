#pragma once

#include <heed/layers/merging.hpp>

namespace heed {

/// The element-wise mean of two or more inputs of the same shape: `y = (x₁ + x₂ + …) / J`.
///
/// Keras: `layers.Average`, without broadcasting. As there, masked steps are averaged like others.
struct Average {
  static constexpr std::string_view type = "Average";
  static constexpr auto fields() { return std::tuple{}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(std::span<const Shape> x) const { return detail::common_shape(x); }

  static bool is_step_wise(std::span<const Shape>) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    auto y = args.y[0].array();
    y = args.x[0].array() + args.x[1].array();
    for (const auto& term : args.x.subspan(2)) y += term.array();
    y *= share<S>(args.x.size());
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    // y = Σⱼ xⱼ / J:  dxᵢ = dy / J
    for (const auto& dx : args.dx) {
      if (dx) dx.array() = args.dy[0].array() * share<S>(args.x.size());
    }
  }

 private:
  template <class S>
  static S share(std::size_t inputs) {
    return S{1} / static_cast<S>(inputs);
  }
};

}  // namespace heed
