#pragma once

#include <algorithm>

#include <heed/tensor/view.hpp>

namespace heed::detail {

/// Calls `f(first, count)` for consecutive blocks of [0, size). A block is short enough to stay in
/// the first-level cache while several expressions read and write it, so that the memory is passed
/// over only once.
template <class F>
void for_each_block(Index size, const F& f) {
  constexpr Index block = 1024;
  for (Index first = 0; first < size; first += block) f(first, (std::min)(block, size - first));
}

}  // namespace heed::detail
