#pragma once

#include <numeric>

#include <heed/io/keras_entry.hpp>

namespace heed::detail {

/// The order in which Keras has the layers of a model. Layers are sorted by the length of the
/// longest path to an output; for a layer with several calls, that of the farthest call counts.
/// Layers with the same length are in the order in which a walk back from the outputs reaches them.
/// Keras 3 also walks through masks. A layer that no output depends on is returned as its index
/// plus the number of layers, except for inputs, which come last.
inline std::vector<std::size_t> keras_order(std::span<const KerasEntry> entries,
                                            std::span<const KerasRef> outputs, bool with_masks) {
  constexpr std::size_t never = static_cast<std::size_t>(-1);
  std::vector<std::size_t> turn(entries.size(), never);
  std::vector<std::size_t> first_call(entries.size() + 1, 0);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    first_call[i + 1] = first_call[i] + entries[i].calls.size();
  }
  // The walk, without recursion. A call is finished after all calls that it reads.
  struct Place {
    std::size_t entry, call, next = 0;
  };
  std::vector<Place> path, finished;
  std::vector<bool> seen(first_call.back(), false);
  std::size_t turns = 0;
  const auto taken = [&](const Place& place) {
    const KerasEntryCall& call = entries[place.entry].calls[place.call];
    return call.inputs.size() + (with_masks ? call.masks.size() : 0);
  };
  const auto at = [&](const Place& place, std::size_t i) {
    const KerasEntryCall& call = entries[place.entry].calls[place.call];
    return i < call.inputs.size() ? call.inputs[i] : call.masks[i - call.inputs.size()];
  };
  const auto enter = [&](const KerasRef& ref) {
    if (seen[first_call[ref.entry] + ref.call]) return;
    seen[first_call[ref.entry] + ref.call] = true;
    if (turn[ref.entry] == never) turn[ref.entry] = turns++;
    path.push_back({ref.entry, ref.call});
  };
  for (const KerasRef& output : outputs) {
    enter(output);
    while (!path.empty()) {
      Place& here = path.back();
      if (here.next == taken(here)) {
        finished.push_back(here);
        path.pop_back();
      } else {
        enter(at(here, here.next++));
      }
    }
  }
  std::vector<std::size_t> depth(first_call.back(), 0), layer_depth(entries.size(), 0);
  for (std::size_t i = finished.size(); i-- > 0;) {
    const Place& here = finished[i];
    auto& deepest = layer_depth[here.entry];
    deepest = (std::max)(deepest, depth[first_call[here.entry] + here.call]);
    for (std::size_t k = 0; k < taken(here); ++k) {
      const KerasRef input = at(here, k);
      auto& before = depth[first_call[input.entry] + input.call];
      before = (std::max)(before, deepest + 1);
    }
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!entries[i].hidden) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    // An entry that no output depends on has the turn -1.
    return std::tuple(layer_depth[b], turn[a] + 1, a) < std::tuple(layer_depth[a], turn[b] + 1, b);
  });
  for (std::size_t& i : order) {
    const bool is_input = entries[i].calls[0].inputs.empty();
    if (turn[i] == never && !is_input) i += entries.size();
  }
  return order;
}

}  // namespace heed::detail
