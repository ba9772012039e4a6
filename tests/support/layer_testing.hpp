#pragma once

#include <heed/check/gradient_check.hpp>
#include <heed/train/losses.hpp>

#include "allocations.hpp"
#include "catch.hpp"
#include "errors.hpp"
#include "random_tensor.hpp"

namespace heed::testing {

/// What every gradient is held to: a relative error, as `gradient_check` defines it.
inline constexpr double gradient_tolerance = 1e-7;

/// One layer outside a model: its weights, a batch of inputs, and the gradient of a loss by its
/// outputs, all random. The loss is Σ dy ∘ y. A mask, if there is one, is of the first input.
struct LayerRun {
  AnyLayer<double> layer;
  Pass pass;
  Layout layout;
  Arena<double> weights, gradients;
  std::vector<Tensor<double>> x, dx;
  std::vector<Tensor<double>> ys, dys;
  Tensor<double>&y, &dy;  ///< of the first output
  AnyCache cache;

  template <Layer L>
  LayerRun(L given, const std::vector<Shape>& samples, Index N, std::uint64_t seed = 1)
      : layer(std::move(given)),
        pass{.seed = seed},
        ys(layer.output_shapes(samples).size()),
        dys(ys.size()),
        y(ys[0]),
        dy(dys[0]),
        cache(layer.make_cache()) {
    for (const Weight& weight : layer.weights(samples)) layout.append("layer", {weight});
    weights.assign(random_tensor({layout.size()}, 10 * seed, 0.5));
    for (const Slot& slot : layout.all_slots()) {
      if (!slot.momentum) continue;  // a variance is not negative
      const View<double> statistic = detail::slot_view(weights.data(), slot);
      statistic.array() = 0.5 + statistic.array().abs();
    }
    gradients = Arena<double>(Shape{layout.size()});
    const auto shapes = layer.output_shapes(samples);
    for (std::size_t i = 0; i < ys.size(); ++i) {
      ys[i].resize(shapes[i].batch(N));
      dys[i] = random_tensor(ys[i].shape(), 10 * seed + 1 + 1000 * i);
    }
    for (const Shape& sample : samples) {
      x.push_back(random_tensor(sample.batch(N), 10 * seed + 2 + x.size()));
      dx.emplace_back(x.back().shape());
    }
    x_views.assign(x.begin(), x.end());
    dx_views.assign(dx.begin(), dx.end());
    y_views.assign(ys.begin(), ys.end());
    made.assign(ys.begin(), ys.end());
    dy_views.assign(dys.begin(), dys.end());
  }
  LayerRun(const LayerRun&) = delete;

  /// Which steps of the first input count: (N, T), row by row.
  void set_mask(const std::vector<std::uint8_t>& counts) {
    table.assign({counts.data(), {x[0].dim(0), x[0].dim(1)}});
    steps.assign(x.size(), Steps{});
    steps[0] = Steps(table);
  }

  Parameters<const double> w() const { return {weights.data(), layout.all_slots()}; }

  void forward() {
    layer.forward({.w = w(), .x = x_views, .y = y_views, .steps = steps, .pass = pass}, cache);
  }
  void backward() {
    layer.backward({.w = w(),
                    .x = x_views,
                    .y = made,
                    .dy = dy_views,
                    .dw = is_frozen ? Parameters<double>{}
                                    : Parameters<double>{gradients.data(), layout.all_slots()},
                    .dx = dx_views,
                    .steps = steps},
                   cache);
  }
  double loss() {
    forward();
    double sum = 0;
    for (std::size_t i = 0; i < ys.size(); ++i) sum += (ys[i].array() * dys[i].array()).sum();
    return sum;
  }

  std::vector<View<const double>> x_views, made, dy_views;
  std::vector<View<double>> y_views;
  std::vector<View<double>> dx_views;  ///< without memory where no gradient is wanted
  StepTable table;
  std::vector<Steps> steps;
  bool is_frozen = false;
};

/// The worst gradient of all weights and inputs.
inline GradientCheck check_gradients(LayerRun& run) {
  run.gradients.set_zero();
  run.forward();
  run.backward();
  GradientCheck worst{.worst = -1};
  const auto check_one = [&](std::string_view name, View<double> tensor, View<double> gradient) {
    const auto offsets = detail::choose(tensor.size(), 0, Random());
    const auto result =
        detail::check_tensor(name, tensor, gradient, offsets, [&] { return run.loss(); });
    if (result.worst > worst.worst) worst = result;
  };
  for (const Slot& slot : run.layout.all_slots()) {
    if (slot.momentum) continue;
    check_one(slot.name, {run.weights.data() + slot.offset, slot.shape},
              {run.gradients.data() + slot.offset, slot.shape});
  }
  for (std::size_t i = 0; i < run.x.size(); ++i) {
    check_one(join("x[", i, "]"), run.x[i], run.dx[i]);
  }
  return worst;
}

/// What every layer promises of its backward, and what its tape needs of it.
inline void check_backward(LayerRun& run) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto all_dx = run.dx_views;
  const Tensor<double> dy = run.dy;
  const Tensor<double> x0 = run.x[0];
  run.forward();
  const Tensor<double> y = run.y;
  run.backward();
  const Arena<double> gradients = run.gradients;
  const std::vector<Tensor<double>> dx = run.dx;

  // It leaves its arguments alone.
  CHECK(run.dy == dy);
  CHECK(run.y == y);
  CHECK(run.x[0] == x0);

  // It adds to the gradients of weights and writes those of inputs, whatever stood there.
  run.gradients.array().setConstant(3);
  for (auto& d : run.dx) d.array().setConstant(nan);
  run.forward();
  run.backward();
  run.gradients.array() -= 3;
  CHECK(distance(run.gradients, gradients) <= 1e-13 * (1 + gradients.array().abs().sum()));
  for (std::size_t i = 0; i < dx.size(); ++i) CHECK(run.dx[i] == dx[i]);

  // It skips an input gradient that nobody needs; the others are the same.
  for (std::size_t skipped = 0; skipped < dx.size(); ++skipped) {
    run.gradients.set_zero();
    for (auto& d : run.dx) d.array().setConstant(nan);
    run.dx_views[skipped] = {};
    run.forward();
    run.backward();
    run.dx_views[skipped] = all_dx[skipped];
    CHECK(run.gradients == gradients);
    for (std::size_t i = 0; i < dx.size(); ++i) CHECK((i == skipped || run.dx[i] == dx[i]));
  }

  // A frozen layer gets no gradients, and gives on the same.
  if (!run.gradients.empty()) {
    run.is_frozen = true;
    run.gradients.array().setConstant(3);
    run.forward();
    run.backward();
    CHECK((run.gradients.array() == 3).all());
    for (std::size_t i = 0; i < dx.size(); ++i) CHECK(run.dx[i] == dx[i]);
    run.is_frozen = false;
  }

  // The second batch of a size allocates nothing.
  const Allocations allocations;
  run.forward();
  run.backward();
  CHECK(allocations.count() == 0);
}

/// A batch gives the same, whatever batch the cache served before.
template <Layer L>
void check_cache_is_reusable(const L& layer, const std::vector<Shape>& samples) {
  LayerRun fresh(layer, samples, 3, 5);
  fresh.forward();
  fresh.backward();
  LayerRun later(layer, samples, 3, 5);
  for (const Index N : {2, 4, 1}) {
    LayerRun other(layer, samples, N, 6);
    other.cache = later.cache;
    other.forward();
    other.backward();
  }
  later.forward();
  later.backward();
  CHECK(later.y == fresh.y);
  CHECK(later.gradients == fresh.gradients);
  CHECK(later.dx == fresh.dx);
}

/// Everything that holds for any layer but the reshaping ones, for batches of one and of several.
/// Returns the worst relative error of a gradient.
template <Layer L>
double check_layer(const L& layer, const std::vector<Shape>& samples,
                   const std::vector<Index>& batches = {1, 3}, bool training = false) {
  double worst = 0;
  for (const Index N : batches) {
    LayerRun run(layer, samples, N, static_cast<std::uint64_t>(N));
    run.pass.training = training;
    const GradientCheck gradients = check_gradients(run);
    INFO("N = " << N << ", " << gradients.parameter << ", analytic " << gradients.analytic
                << ", numeric " << gradients.numeric);
    CHECK(gradients.worst < gradient_tolerance);
    worst = std::max(worst, gradients.worst);
    LayerRun again(layer, samples, N, 7);
    again.pass.training = training;
    check_backward(again);
  }
  if (!training) check_cache_is_reusable(layer, samples);
  return worst;
}

/// A layer that calls itself step-wise gives each step what it gives that step alone.
template <Layer L>
void check_step_wise(const L& layer, const std::vector<Shape>& samples) {
  LayerRun all(layer, samples, 1);
  REQUIRE(all.layer.is_step_wise(samples));
  all.forward();
  std::vector<Shape> steps;
  for (const Shape& sample : samples) steps.push_back(sample.with(0, 1));
  for (Index t = 0; t < samples[0][0]; ++t) {
    LayerRun alone(layer, steps, 1);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto x = all.x[i].view().reshaped(samples[i]).samples(t, 1);
      alone.x[i].array() = x.array();
    }
    alone.forward();
    const auto y = all.y.view().reshaped(all.y.shape().sample()).samples(t, 1);
    CHECK((alone.y.array() == y.array()).all());
  }
}

/// A layer survives the way through its configuration.
template <Layer L>
void check_config(const L& layer, const Config& expected) {
  CHECK(get_config(layer) == expected);
  CHECK(from_config<L>(expected) == layer);
  CHECK(AnyLayer<double>(layer).config() == expected);
}

/// What a model says that refuses the layer behind an input of a shape.
template <class E, Layer L>
std::string refusal(const L& layer, const Shape& x) {
  Model<double> model;
  model.input(x);
  return message<E>([&] { model.add("layer", layer); });
}

}  // namespace heed::testing
