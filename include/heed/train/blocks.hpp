#pragma once

#include <algorithm>

#include <heed/tensor/view.hpp>

namespace heed::detail {

/// Calls `f(first, count)` for consecutive pieces of [0, size), short enough that what several
/// expressions read and write in turn stays in the first cache: one pass over the memory.
template <class F>
void for_each_block(Index size, const F& f) {
  constexpr Index block = 1024;
  for (Index first = 0; first < size; first += block) f(first, (std::min)(block, size - first));
}

}  // namespace heed::detail
