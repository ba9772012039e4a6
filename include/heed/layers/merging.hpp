#pragma once

#include <heed/layers/layer.hpp>

// What the layers share that combine inputs of the same shape element by element.

namespace heed::detail {

/// The common shape of all inputs of an element-wise layer.
inline Shape common_shape(std::span<const Shape> x) {
  check<ShapeError>(x.size() >= 2, "expected at least two inputs, got ", x.size());
  for (const Shape& shape : x) {
    check<ShapeError>(shape == x[0], "expected inputs of the same shape, got ", x[0], " and ",
                      shape);
  }
  return x[0];
}

template <class Args>
bool has_masks(const Args& args) {
  return std::any_of(args.steps.begin(), args.steps.end(), [](auto& steps) { return bool(steps); });
}

/// Calls `use(step, counts)` for each step of a batch: `step(x)` is the part of x, and `counts(j)`
/// is false if the step is masked in input j. Without masks the whole batch is one part.
template <class Args, class Use>
void for_each_step(const Args& args, const Use& use) {
  const Shape& shape = args.x[0].shape();
  const bool masked = has_masks(args);
  const Index T = masked ? shape[1] : 1, rows = masked ? shape[0] * T : 1;
  const Index size = shape.product(masked ? 2 : 0, shape.rank());
  for (Index row = 0; row < rows; ++row) {
    const auto step = [&](auto x) {
      return ArrayMap<std::remove_pointer_t<decltype(x.data())>>(x.data() + row * size, size);
    };
    use(step, [&](std::size_t j) { return args.counting(j).counts(row / T, row % T); });
  }
}

/// The first of the inputs that count whose element is `better` than those of the others. If no
/// input counts, it is the first input, as in Keras.
template <class Parts, class Counts, class Better>
std::size_t best_of(std::size_t inputs, const Parts& element, const Counts& counts,
                    const Better& better) {
  std::size_t best = inputs;
  for (std::size_t j = 0; j < inputs; ++j) {
    if (counts(j) && (best == inputs || better(element(j), element(best)))) best = j;
  }
  return best == inputs ? 0 : best;
}

/// `y` is the best of all inputs that count, for each element.
template <class S, class Better>
void select_best(const Forward<S>& args, const Better& better) {
  for_each_step(args, [&](auto step, auto counts) {
    auto y = step(args.y[0]);
    for (Index i = 0; i < y.size(); ++i) {
      const auto element = [&](std::size_t j) { return step(args.x[j])[i]; };
      y[i] = element(best_of(args.x.size(), element, counts, better));
    }
  });
}

/// `dxⱼ = dy` for the input j that gave y, otherwise 0
template <class S, class Better>
void select_best_back(const Backward<S>& args, const Better& better) {
  for_each_step(args, [&](auto step, auto counts) {
    const auto dy = step(args.dy[0]);
    for (Index i = 0; i < dy.size(); ++i) {
      const auto element = [&](std::size_t j) { return step(args.x[j])[i]; };
      const std::size_t best = best_of(args.x.size(), element, counts, better);
      for (std::size_t j = 0; j < args.dx.size(); ++j) {
        if (args.dx[j]) step(args.dx[j])[i] = j == best ? dy[i] : S{0};
      }
    }
  });
}

}  // namespace heed::detail
