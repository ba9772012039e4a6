#pragma once

#include <heed/io/dtype.hpp>
#include <heed/io/json.hpp>
#include <heed/model/arena.hpp>

namespace heed {

/// How `load_weights` reads a file.
struct WeightOptions {
  /// Takes weights that are NaN or infinite, as those of a training that diverged are.
  bool allow_not_finite = false;
};

namespace detail {

/// By the bits: with -ffast-math a compiler takes it that every number is finite.
template <class Scalar>
bool has_finite_bits(Scalar value) {
  using Bits = BitsOf<Scalar>;
  constexpr Bits exponent = std::bit_cast<Bits>(std::numeric_limits<Scalar>::infinity());
  return (std::bit_cast<Bits>(value) & exponent) != exponent;
}

/// Throws `FileError` for weights of which one is not finite.
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
