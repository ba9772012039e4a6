#pragma once

#include <heed/layers/elementwise.hpp>

namespace heed {

/// `y = x` where x > 0, otherwise `alpha (exp(x) − 1)` (Clevert, Unterthiner, Hochreiter 2016,
/// section 3).
///
/// Keras: `layers.ELU`.
struct ELU {
  double alpha = 1;

  static constexpr std::string_view type = "ELU";
  static constexpr auto fields() { return std::tuple{field("alpha", &ELU::alpha)}; }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_finite_number("alpha", alpha);
    return detail::same_shape(x);
  }

  static bool is_step_wise(const Shape& x) { return x.rank() >= 2; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    detail::map_elements(args, function<S>());
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    detail::map_elements_back(args, function<S>());
  }

 private:
  template <class S>
  struct Function {
    S a;
    auto operator()(const auto& x) const { return where_positive(x, x, a * expm1(x)); }
    auto slope(const auto& x) const { return where_positive(x, S{1}, a * exp(x)); }
  };

  template <class S>
  Function<S> function() const {
    return {static_cast<S>(alpha)};
  }
};

}  // namespace heed
