#pragma once

#include <cmath>
#include <numeric>
#include <ostream>

#include <heed/train/batch_loss.hpp>
#include <heed/train/batches.hpp>
#include <heed/train/data_checks.hpp>

namespace heed {

/// Options of `gradient_check`.
struct GradientCheckOptions {
  /// The number of elements to check in each weight and in x, drawn at random; 0 checks all.
  Index elements_per_tensor = 0;
  std::uint64_t seed = 0;
  /// Runs the layers as in training; dropout then drops the same elements in every run.
  bool training = false;
  /// Checks the gradients of the inputs as well. Not possible for ids, which have to stay whole, and for
  /// steps with the value of a `Masking`, which would begin to count.
  bool inputs = true;
};

/// The element whose gradient differs most from finite differences of the loss.
struct GradientCheck {
  double worst = 0;               ///< its relative error; infinite if a value is not finite
  std::string parameter{};        ///< `lstm/kernel`, or `x` for the model's input
  std::vector<Index> position{};  ///< its indices in that tensor; in x the sample comes first
  double analytic = 0;            ///< from the backward pass
  double numeric = 0;             ///< from the differences
};

/// `2.1e-10 at lstm/kernel (0, 12): analytic 0.0123457, numeric 0.0123457`
inline std::string to_text(const GradientCheck& check) {
  const auto brief = [](double value, int digits) {
    char text[32];
    return std::string(
        text,
        std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr);
  };
  return join(brief(check.worst, 2), " at ", check.parameter, " ",
              to_text(std::span<const Index>(check.position)), ": analytic ",
              brief(check.analytic, 6), ", numeric ", brief(check.numeric, 6));
}

inline std::ostream& operator<<(std::ostream& out, const GradientCheck& check) {
  return out << to_text(check);
}

namespace detail {

/// f'(0) from central differences over the steps h, h/2, h/4, …, extrapolated to a step of zero
/// (Ridders 1982, "Accurate computation of F'(x) and F'(x) F''(x)"). The error of a difference is a
/// series in h², and every column of the tableau removes one of its terms. The result is the
/// estimate that differs least from the two it was computed from. Steps shrink until this
/// difference is no more than rounding, at most `rows` times.
template <class F>
double derivative(const F& f, double h) {
  constexpr std::size_t rows = 18;
  std::array<double, rows> column{};  // of the estimates: after row i, orders 0 to i of h 2^-i
  double best = 0;
  double best_error = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < rows; ++i, h /= 2) {
    const double above = f(h);
    const double below = f(-h);
    double estimate = (above - below) / (2 * h);
    double weight = 1;
    for (std::size_t j = 0; j < i; ++j) {
      weight *= 4;
      const double coarse = std::exchange(column[j], estimate);
      const double fine = estimate;
      estimate = fine + (fine - coarse) / (weight - 1);
      const double error = (std::max)(std::abs(estimate - fine), std::abs(estimate - coarse));
      if (error < best_error) {
        best = estimate;
        best_error = error;
      }
    }
    column[i] = estimate;
    const double rounding =
        std::numeric_limits<double>::epsilon() * (std::max)(std::abs(above), std::abs(below)) / h;
    if (best_error <= rounding) break;
  }
  return best_error < std::numeric_limits<double>::infinity()
             ? best
             : std::numeric_limits<double>::quiet_NaN();
}

/// The position of element `offset` of a tensor in row-major order.
inline std::vector<Index> position_of(Index offset, const Shape& shape) {
  std::vector<Index> position(static_cast<std::size_t>(shape.rank()));
  for (std::size_t axis = position.size(); axis-- > 0;) {
    const Index length = shape[static_cast<Index>(axis)];
    position[axis] = offset % length;
    offset /= length;
  }
  return position;
}

/// All offsets in a tensor of `size` elements, or `count` of them in random order.
inline std::vector<Index> choose(Index size, Index count, Random random) {
  std::vector<Index> offsets(static_cast<std::size_t>(size));
  std::iota(offsets.begin(), offsets.end(), Index{0});
  if (0 < count && count < size) {
    random.shuffle(std::span(offsets));
    offsets.resize(static_cast<std::size_t>(count));
  }
  return offsets;
}

/// Checks `gradient`, the gradient of `loss` with respect to `tensor`, at some elements. `loss` is
/// called with `tensor` changed in one element.
template <class LossOf>
GradientCheck check_tensor(std::string_view name, View<double> tensor, View<const double> gradient,
                           std::span<const Index> offsets, const LossOf& loss) {
  std::vector<double> numeric;
  double largest = gradient.array().abs().maxCoeff();
  for (const Index offset : offsets) {
    double& element = tensor.data()[offset];
    const double value = element;
    const auto moved = [&](double step) {
      element = value + step;
      return loss();
    };
    numeric.push_back(derivative(moved, (std::max)(std::abs(value), 1.) / 8));
    element = value;
    largest = (std::max)(largest, std::abs(numeric.back()));
  }
  const double floor = (std::max)(1e-3 * largest, 1e-6 * std::abs(loss()));
  GradientCheck result{.worst = -1, .parameter = std::string(name)};
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const double a = gradient.data()[offsets[i]];
    const double n = numeric[i];
    double error = a == n ? 0 : std::abs(a - n) / (std::max)({std::abs(a), std::abs(n), floor});
    if (!(error < std::numeric_limits<double>::infinity())) {
      error = std::numeric_limits<double>::infinity();
    }
    if (error > result.worst) {
      result.worst = error;
      result.position = position_of(offsets[i], tensor.shape());
      result.analytic = a;
      result.numeric = n;
    }
  }
  return result;
}

}  // namespace detail

/// Compares the gradients of a model, with respect to each weight and to x, with finite differences
/// of the loss. Use it to test a new layer. A correct backward pass gives a `worst` of 1e-7 or
/// less, usually much less.
///
///     const auto check = gradient_check(model, x, y, MeanSquaredError{});
///     if (!(check.worst < 1e-7)) std::cerr << check << '\n';
///
/// The relative error of an element is |a − n| / max(|a|, |n|, floor). The floor is a thousandth of
/// the largest gradient in its tensor, and at least a millionth of the loss: for smaller elements,
/// rounding in the loss leaves too few digits to compare, so their error is measured relative to
/// the floor.
///
/// At a kink of a function (relu at 0, the absolute error at y), differences give the mean of both
/// slopes, which no gradient equals: choose weights and x a few millionths away.
///
/// Frozen weights, which have no gradient, are not checked. Each element takes a few forward passes; `elements_per_tensor` limits the time for large models.
/// The check covers the same computation as `fit`: a final sigmoid is left out if the loss is
/// computed from logits. The model is not changed. It must use double, because differences of
/// floats are not accurate enough. Throws what `fit` throws for x, y and loss.
template <class Scalar>
GradientCheck gradient_check(const Model<Scalar>& model,
                             const Columns<std::type_identity_t<Scalar>>& x,
                             const Columns<std::type_identity_t<Scalar>>& y,
                             const Losses<std::type_identity_t<Scalar>>& loss,
                             const GradientCheckOptions& options = {}) {
  static_assert(std::is_same_v<Scalar, double>,
                "gradient_check needs digits: build the same network as a heed::Model<double>");
  check<OptionError>(options.elements_per_tensor >= 0,
                     "expected elements_per_tensor of 0 (all) or more, got ",
                     options.elements_per_tensor);
  const auto data = detail::check_data<double>(model, loss, {x, y}, "");
  const Objective<double> objective(model.graph(), loss);
  const Graph<double>& graph = objective.graph();
  const Pass pass{.training = options.training, .seed = options.seed};

  detail::Batches<double> batches(data, data.samples(), {});
  const Batch<double> given = batches.batch(0);
  Arena<double> weights(model.weights());
  std::vector<Tensor<double>> inputs;  // which are moved
  for (const auto& input : given.inputs.x) inputs.emplace_back(input);
  const std::vector<View<const double>> views(inputs.begin(), inputs.end());
  Batch<double> batch = given;
  batch.inputs.x = views;
  Shards<double> shards;
  detail::BatchLoss<double> batch_loss;
  const auto run = [&] {
    shards.reset_states();
    shards.forward(graph, weights, batch.inputs, pass);
    batch_loss.take(objective, shards, batch);
  };
  run();
  batch_loss.value_and_gradients(objective, shards);
  shards.backward(graph, weights, true);
  const Arena<double> weight_gradients = shards.gradients();
  std::vector<Tensor<double>> input_gradients;
  for (const std::size_t input : graph.inputs()) {
    // An input that no output depends on has no gradient.
    const auto& output = shards.first_tape().entries[input].outputs[0];
    input_gradients.emplace_back(output.has_gradient ? Tensor<double>(output.gradient)
                                                     : Tensor<double>(output.value.shape()));
  }

  GradientCheck result{.worst = -1};
  std::uint64_t stream = 0;
  const auto check_one = [&](std::string_view name, View<double> tensor,
                             View<const double> gradient) {
    const auto offsets =
        detail::choose(tensor.size(), options.elements_per_tensor, Random(options.seed, stream++));
    const auto moved_loss = [&] {
      run();
      return batch_loss.value(objective);
    };
    const GradientCheck one = detail::check_tensor(name, tensor, gradient, offsets, moved_loss);
    if (one.worst > result.worst) result = one;
  };
  std::size_t seen = 0;  // slots; a layer that shares those of another has none of its own
  for (const auto& node : graph.nodes()) {
    if (node.first_slot < seen) continue;
    seen += node.slot_count;
    if (!node.trains) continue;
    for (const Slot& slot : graph.layout().all_slots().subspan(node.first_slot, node.slot_count)) {
      if (slot.momentum) continue;
      check_one(slot.name, {weights.data() + slot.offset, slot.shape},
                {weight_gradients.data() + slot.offset, slot.shape});
    }
  }
  for (std::size_t i = 0; options.inputs && i < inputs.size(); ++i) {
    check_one(inputs.size() == 1 ? "x" : graph[graph.inputs()[i]].name, inputs[i],
              input_gradients[i]);
  }
  check<ModelError>(result.worst >= 0, "model \"", model.name(),
                    "\" has no gradient to check: all weights are frozen, and inputs is false");
  return result;
}

}  // namespace heed
