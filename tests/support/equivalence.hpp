#pragma once

#include <heed/model/model.hpp>

#include "catch.hpp"
#include "random_tensor.hpp"

namespace heed::testing {

/// Two networks with the same weights, which stand in the same order, give the same outputs and
/// gradients within `tolerance`, relative to the largest element.
inline void check_equivalent(const Model<double>& a, const Model<double>& b,
                             const Tensor<double>& x, double tolerance = 1e-12) {
  REQUIRE(a.weights() == b.weights());
  const auto agree = [&](View<const double> one, View<const double> other) {
    const double scale = std::max(1.0, one.array().abs().maxCoeff());
    return distance(one, other) <= tolerance * scale;
  };
  Tape<double> tape_a, tape_b;
  CHECK(agree(a.forward(x, tape_a), b.forward(x, tape_b)));
  const auto run_back = [](const Model<double>& model, Tape<double>& tape) {
    auto dy = model.graph().output_gradient(tape);
    dy.array() = random_tensor(dy.shape(), 99).array();
    model.graph().backward(model.weights(), tape, true);
  };
  run_back(a, tape_a);
  run_back(b, tape_b);
  CHECK(agree(tape_a.entries[0].outputs[0].gradient, tape_b.entries[0].outputs[0].gradient));
  const auto& slots = a.graph().layout().all_slots();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Slot& other = b.graph().layout().all_slots()[i];
    CAPTURE(slots[i].name, other.name);
    REQUIRE(slots[i].shape == other.shape);
    CHECK(agree({tape_a.gradients.data() + slots[i].offset, slots[i].shape},
                {tape_b.gradients.data() + other.offset, other.shape}));
  }
}

/// What two models show under two names is the same.
inline void check_same_activations(const Model<double>& a, std::string_view name_a,
                                   const Model<double>& b, std::string_view name_b,
                                   const Tensor<double>& x, double tolerance = 1e-12) {
  CAPTURE(name_a, name_b);
  CHECK(distance(a.activations(name_a, x), b.activations(name_b, x)) <= tolerance);
}

}  // namespace heed::testing
