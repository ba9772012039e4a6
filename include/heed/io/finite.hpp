#pragma once

#include <heed/io/dtype.hpp>
#include <heed/io/json.hpp>
#include <heed/model/arena.hpp>

namespace heed {

/// Options of `load_weights`.
struct WeightOptions {
  /// Whether NaN or infinite weights are accepted, for example from a training that diverged.
  bool allow_not_finite = false;
};

namespace detail {

/// Checks the bits: with -ffast-math, a compiler assumes that every number is finite.
template <class Scalar>
bool has_finite_bits(Scalar value) {
  using Bits = BitsOf<Scalar>;
  constexpr Bits exponent = std::bit_cast<Bits>(std::numeric_limits<Scalar>::infinity());
  return (std::bit_cast<Bits>(value) & exponent) != exponent;
}

/// Throws `FileError` if a weight is not finite.
template <class Scalar>
void check_weights_finite(const Layout& layout, std::span<const Scalar> values, bool is_allowed,
                          std::string_view where) {
  if (is_allowed) return;
  for (const Slot& slot : layout.all_slots()) {
    const auto own = values.subspan(static_cast<std::size_t>(slot.offset),
                                    static_cast<std::size_t>(slot.shape.size()));
    const auto wrong =
        std::count_if(own.begin(), own.end(), [](Scalar value) { return !has_finite_bits(value); });
    check<FileError>(wrong == 0, where, ": the weight ", in_quotes(slot.name), " has ", wrong,
                     " of ", own.size(), " numbers that are NaN or infinite",
                     sizeof(Scalar) == 4 ? " as float" : "",
                     "; {.allow_not_finite = true} loads them");
  }
}

}  // namespace detail

}  // namespace heed
