#pragma once

#include <heed/layers/layer.hpp>

// States as edges of the graph. For a layer that carries states, the inputs after the first are the
// initial states, and the outputs after the layer's own outputs, usually one, are the final states.
// The layer itself does not depend on these edges.

namespace heed::detail {

inline void check_states(std::span<const Shape> expected, std::span<const Shape> given) {
  check<ShapeError>(given.size() == expected.size(), "expected one input and then ",
                    expected.size(), expected.size() == 1 ? " initial state" : " initial states",
                    ", got ", given.size(), " inputs after the first");
  for (std::size_t i = 0; i < given.size(); ++i) {
    check<ShapeError>(given[i] == expected[i], "expected an initial state of ", expected[i],
                      " as input ", i + 2, ", got ", given[i]);
  }
}

template <class S>
Forward<S> with_states(Forward<S> args, std::size_t outputs) {
  if (args.x.size() > 1) args.state = args.x.subspan(1);
  if (args.y.size() > outputs) args.next_state = args.y.subspan(outputs);
  args.x = args.x.first(1);
  args.y = args.y.first(outputs);
  return args;
}

/// Copies final states that are outputs to the states that are carried to the next batch.
template <class S>
void hand_on_states(const Forward<S>& args, std::size_t outputs) {
  if (args.y.size() <= outputs) return;
  for (std::size_t i = 0; i < args.next_state.size(); ++i) {
    args.next_state[i].array() = args.y[i + outputs].array();
  }
}

template <class S>
Backward<S> with_states(Backward<S> args, std::size_t outputs) {
  if (args.x.size() > 1) {
    args.state = args.x.subspan(1);
    args.dstate = args.dx.subspan(1);
  }
  if (args.y.size() > outputs) args.dnext_state = args.dy.subspan(outputs);
  args.x = args.x.first(1);
  args.dx = args.dx.first(1);
  args.y = args.y.first(outputs);
  args.dy = args.dy.first(outputs);
  return args;
}

}  // namespace heed::detail
