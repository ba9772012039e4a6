#pragma once

#include <cmath>

#include <heed/math/finite.hpp>
#include <heed/model/arena.hpp>
#include <heed/train/blocks.hpp>

namespace heed {

/// Limits for gradients before an update. 0 means no limit; at most one limit can be set. Every
/// optimizer has these fields, with Keras's names.
struct Clipping {
  double clipnorm = 0;         ///< the largest norm of the gradient of each weight
  double clipvalue = 0;        ///< each number is clipped to [−clipvalue, clipvalue]
  double global_clipnorm = 0;  ///< the largest norm of all gradients together

  /// Throws `OptionError` for a limit that is negative or not finite, and for more than one limit.
  void validate(std::string_view optimizer) const {
    const auto valid = [](double bound) { return is_finite(bound) && bound >= 0; };
    check<OptionError>(valid(clipnorm) && valid(clipvalue) && valid(global_clipnorm), optimizer,
                       ": expected clipnorm, clipvalue and global_clipnorm of at least 0, got ",
                       clipnorm, ", ", clipvalue, " and ", global_clipnorm);
    check<OptionError>((clipnorm > 0) + (clipvalue > 0) + (global_clipnorm > 0) <= 1, optimizer,
                       ": expected one of clipnorm, clipvalue and global_clipnorm, got ", clipnorm,
                       ", ", clipvalue, " and ", global_clipnorm);
  }
};

namespace detail {

/// The Euclidean norm. It is summed in double, in which squares of floats cannot overflow.
template <class S>
double norm(View<const S> x) {
  double sum = 0;
  for (Index i = 0; i < x.size(); ++i) {
    const auto value = static_cast<double>(x.data()[i]);
    sum += value * value;
  }
  return std::sqrt(sum);
}

/// `x *= bound / ‖x‖` if `‖x‖ > bound`
template <class S>
void clip_norm(View<S> x, double bound) {
  const double length = norm<S>(x);
  if (length > bound) {
    const auto scale = static_cast<S>(bound / length);
    for (Index i = 0; i < x.size(); ++i) x.data()[i] *= scale;
  }
}

}  // namespace detail

/// Clips gradients in an arena of `layout`, in place. Gradients within their limit keep their bits.
/// Pascanu, Mikolov, Bengio 2013, "On the difficulty of training recurrent neural networks", 3.2.
template <class S>
void clip(const Clipping& clipping, const Layout& layout, View<S> gradients) {
  if (clipping.clipnorm > 0) {
    for (const Slot& slot : layout.all_slots()) {
      detail::clip_norm(View<S>(gradients.data() + slot.offset, slot.shape), clipping.clipnorm);
    }
  }
  if (clipping.global_clipnorm > 0) detail::clip_norm(gradients, clipping.global_clipnorm);
  if (clipping.clipvalue > 0) {
    const auto bound = static_cast<S>(clipping.clipvalue);
    for (S& g : std::span(gradients.data(), static_cast<std::size_t>(gradients.size()))) {
      if (is_number(g)) g = std::clamp(g, -bound, bound);  // NaN stays, so that it is reported
    }
  }
}

}  // namespace heed
