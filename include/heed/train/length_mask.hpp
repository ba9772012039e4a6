#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <heed/layers/steps.hpp>

namespace heed {

/// The mask of padded data, (samples, steps): the first steps of each sample count, as many as it
/// is long, and the padding after them is masked.
///
///     const LengthMask mask({3, 5, 2}, x.dim(1));
///     const View<const float> inputs[] = {x};
///     const Mask masks[] = {mask};
///     const auto y = model.predict_all({.x = inputs, .masks = masks});
///
/// `Sequences`, and models with `Masking`, do not need it.
class LengthMask {
 public:
  /// Throws `ShapeError` for a length that is negative or greater than `steps`.
  LengthMask(std::span<const Index> lengths, Index steps)
      : shape_{std::ssize(lengths), steps}, counts_(static_cast<std::size_t>(shape_.size())) {
    check<ShapeError>(steps >= 0, "LengthMask: expected 0 steps or more, got ", steps);
    std::uint8_t* count = counts_.data();
    for (const Index& length : lengths) {
      check<ShapeError>(0 <= length && length <= steps, "LengthMask: expected lengths from 0 to ",
                        steps, ", got ", length, " for sample ", &length - lengths.data());
      std::fill_n(count, length, std::uint8_t{1});
      count += steps;
    }
  }
  /// The same for lengths in braces.
  LengthMask(std::initializer_list<Index> lengths, Index steps)
      : LengthMask(std::span(lengths.begin(), lengths.size()), steps) {}

  operator Mask() const& {
    return {counts_.data(), shape_};
  }                                  // NOLINT(google-explicit-constructor)
  operator Mask() const&& = delete;  // give the mask a name first

 private:
  Shape shape_;
  std::vector<std::uint8_t> counts_;
};

}  // namespace heed
