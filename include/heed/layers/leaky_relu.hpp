#pragma once

#include <heed/layers/elementwise.hpp>

namespace heed {

/// `y = x` where x > 0, otherwise `negative_slope x` (Maas, Hannun, Ng 2013, section 2).
///
/// Keras: `layers.LeakyReLU`, which calls the field `alpha` before Keras 3. Its default is 0.3; that
/// of the function `Activation::leaky_relu` is 0.2.
struct LeakyReLU {
  double negative_slope = 0.3;

  static constexpr std::string_view type = "LeakyReLU";
  static constexpr auto fields() {
    return std::tuple{field("negative_slope", &LeakyReLU::negative_slope)};
  }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_not_negative("a negative_slope", negative_slope);
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
    auto operator()(const auto& x) const { return where_positive(x, x, a * x); }
    auto slope(const auto& x) const { return where_positive(x, S{1}, a); }
  };

  template <class S>
  Function<S> function() const {
    return {static_cast<S>(negative_slope)};
  }
};

}  // namespace heed
