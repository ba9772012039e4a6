#pragma once

#include "dual.hpp"
#include "support/layer_testing.hpp"

// Gradients exact to rounding: heed's own forward, run in dual numbers, one direction at a time. The
// backwards that stand in the library by hand are held to them in double.

namespace heed::testing {

/// What a gradient may be off by, relative to itself …
inline constexpr double exact_tolerance = 1e-10;
/// … beside the rounding of terms that cancel each other, relative to the largest of its tensor.
inline constexpr double rounding_tolerance = 1e-14;

inline Tensor<Dual> to_dual(View<const double> x) {
  Tensor<Dual> dual(x.shape());
  std::copy_n(x.data(), x.size(), dual.data());
  return dual;
}

/// Σ r ∘ y
inline Dual weighted_sum(View<const double> r, View<const Dual> y) {
  Dual sum;
  for (Index i = 0; i < y.size(); ++i) sum += r.data()[i] * y.data()[i];
  return sum;
}

/// Holds `gradient` to the derivative by each element of `x`, which `slope()` says when that element
/// has the slope 1 and all else the slope 0.
template <class Slope>
void check_exact(std::string_view name, View<Dual> x, View<const double> gradient,
                 const Slope& slope) {
  REQUIRE(x.shape() == gradient.shape());
  if (x.size() == 0) return;
  const double rounding = rounding_tolerance * gradient.array().abs().maxCoeff();
  double worst = 0;
  Index where = 0;
  double expected = 0;
  for (Index i = 0; i < x.size(); ++i) {
    x.data()[i].slope = 1;
    const double exact = slope();
    x.data()[i].slope = 0;
    REQUIRE(std::isfinite(exact));
    if (exact == gradient.data()[i]) continue;
    const double size = std::max(std::abs(exact), std::abs(gradient.data()[i]));
    const double off = std::abs(gradient.data()[i] - exact) / (exact_tolerance * size + rounding);
    if (!(off <= worst)) {
      worst = off == off ? off : std::numeric_limits<double>::infinity();
      where = i;
      expected = exact;
    }
  }
  INFO(name << ", element " << where << ": " << gradient.data()[where] << " instead of "
            << expected);
  CHECK(worst <= 1);
}

/// A layer's batch in dual numbers, with the values of one in doubles.
struct DualRun {
  AnyLayer<Dual> layer;
  const LayerRun& run;
  Tensor<Dual> weights;
  std::vector<Tensor<Dual>> x, ys;
  AnyCache cache;

  template <Layer L>
  DualRun(const L& given, const LayerRun& values)
      : layer(given), run(values), weights(to_dual(values.weights)), cache(layer.make_cache()) {
    for (const auto& input : values.x) x.push_back(to_dual(input));
    for (const auto& output : values.ys) ys.emplace_back(output.shape());
    x_views.assign(x.begin(), x.end());
    y_views.assign(ys.begin(), ys.end());
  }
  DualRun(const DualRun&) = delete;

  /// Of Σ dy ∘ y in the direction of the slopes.
  double slope() {
    layer.forward({.w = {weights.data(), run.layout.all_slots()},
                   .x = x_views,
                   .y = y_views,
                   .steps = run.steps,
                   .pass = run.pass},
                  cache);
    double sum = 0;
    for (std::size_t i = 0; i < ys.size(); ++i) sum += weighted_sum(run.dys[i], ys[i]).slope;
    return sum;
  }

  std::vector<View<const Dual>> x_views;
  std::vector<View<Dual>> y_views;
};

/// All gradients of a layer, by its weights and by its inputs, for batches of several sizes.
template <Layer L>
void check_exact_gradients(const L& layer, const std::vector<Shape>& samples,
                           const std::vector<Index>& batches = {1, 3}, bool training = false,
                           const std::vector<std::uint8_t>& counts = {}) {
  for (const Index N : batches) {
    CAPTURE(L::type, N);
    LayerRun run(layer, samples, N, 20 + static_cast<std::uint64_t>(N));
    run.pass.training = training;
    if (!counts.empty()) run.set_mask(counts);
    run.forward();
    run.backward();
    DualRun dual(layer, run);
    const auto slope = [&] { return dual.slope(); };
    for (const Slot& slot : run.layout.all_slots()) {
      if (slot.momentum) continue;  // a statistic has no gradient
      check_exact(slot.name, {dual.weights.data() + slot.offset, slot.shape},
                  {run.gradients.data() + slot.offset, slot.shape}, slope);
    }
    for (std::size_t i = 0; i < run.x.size(); ++i) {
      check_exact(join("x[", i, "]"), dual.x[i], run.dx[i], slope);
    }
  }
}

}  // namespace heed::testing
