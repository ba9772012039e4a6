#pragma once

#include <limits>

#include <heed/layers/elementwise.hpp>

namespace heed {

/// A rectifier with three parameters:
///
///     y = x                               where x > threshold, but at most max_value
///     y = negative_slope (x − threshold)  elsewhere
///
/// Keras: `layers.ReLU`, and `layers.ThresholdedReLU` of Keras 2, whose `theta` is the threshold.
/// None for `max_value` is `ReLU::unlimited`.
struct ReLU {
  static constexpr double unlimited = (std::numeric_limits<double>::max)();

  double max_value = unlimited;
  double negative_slope = 0;
  double threshold = 0;

  static constexpr std::string_view type = "ReLU";
  static constexpr auto fields() {
    return std::tuple{field("max_value", &ReLU::max_value),
                      field("negative_slope", &ReLU::negative_slope),
                      field("threshold", &ReLU::threshold)};
  }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_not_negative("a max_value", max_value);
    detail::check_not_negative("a negative_slope", negative_slope);
    detail::check_not_negative("a threshold", threshold);
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
    S top;
    S a;
    S t;
    auto operator()(const auto& x) const {
      return where_positive(x - t, smaller(x, top), a * (x - t));
    }
    auto slope(const auto& x) const {
      return where_positive(x - t, where_positive(top - x, S{1}, S{0}), a);
    }
  };

  template <class S>
  Function<S> function() const {
    const bool fits = max_value < static_cast<double>((std::numeric_limits<float>::max)());
    return {fits ? static_cast<S>(max_value) : static_cast<S>((std::numeric_limits<float>::max)()),
            static_cast<S>(negative_slope), static_cast<S>(threshold)};
  }
};

}  // namespace heed
