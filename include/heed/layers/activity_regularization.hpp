#pragma once

#include <heed/layers/elementwise.hpp>

namespace heed {

/// `y = x`. In Keras, a training adds `l1 Σ |x| + l2 Σ x²`, divided by the number of samples, to
/// the loss. heed has no such loss: a training with an `l1` or `l2` other than 0 throws
/// `ModelError`.
///
/// Keras: `layers.ActivityRegularization`.
struct ActivityRegularization {
  double l1 = 0;
  double l2 = 0;

  static constexpr std::string_view type = "ActivityRegularization";
  static constexpr auto fields() {
    return std::tuple{field("l1", &ActivityRegularization::l1),
                      field("l2", &ActivityRegularization::l2)};
  }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_not_negative("l1", l1);
    detail::check_not_negative("l2", l2);
    return x;
  }

  static bool is_step_wise(const Shape&) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    check<ModelError>(!args.pass.training || (l1 == 0 && l2 == 0),
                      "ActivityRegularization cannot be trained with l1 = ", l1, " and l2 = ", l2,
                      ", because the loss has no place for its penalty; set both to 0");
    detail::copy_elements(args);
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    detail::copy_elements_back(args);
  }
};

}  // namespace heed
