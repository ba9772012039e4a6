// Compiled with -ffast-math, under which std::isfinite is true for everything: no guard may rest on it.
#ifndef __FAST_MATH__
#error this is for -ffast-math
#endif

#include <heed/heed.hpp>
#include <iostream>

using namespace heed;

namespace {

int failures = 0;

/// Calls what has to be refused by an error of this type, and to leave the weights as they are.
template <class E, class F>
void expect(const char* what, const Model<float>& model, const F& use) {
  const Arena<float> before(model.weights());
  try {
    use();
    std::cerr << what << ": nothing was thrown\n";
    ++failures;
  } catch (const E&) {
  }
  if (model.weights() == before) return;
  std::cerr << what << ": the weights have changed\n";
  ++failures;
}

}  // namespace

int main() {
  // volatile, so that the compiler cannot know them
  volatile float zero = 0;
  const float nan = zero / zero, infinity = 1 / zero;
  volatile double rate = 1e300;

  Model<float> model;
  model.input({3});
  model.add(Dense{.units = 4, .activation = Activation::tanh});
  model.add(Dense{.units = 1});
  model.build();
  Tensor<float, 2> x(Shape{8, 3}), y(Shape{8, 1});
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 5) - 2;
  y.array() = 3;
  const FitOptions<float> how{.loss = MeanSquaredError{}, .epochs = 3, .verbose = Verbose::silent};
  const auto train = [&](const Tensor<float, 2>& some_x, const Tensor<float, 2>& some_y) {
    model.fit(some_x, some_y, how);
  };

  for (const float bad : {nan, infinity, -infinity}) {
    auto wrong_x = x, wrong_y = y;
    wrong_x(5, 1) = bad;
    wrong_y(2, 0) = bad;
    expect<DataError>("x", model, [&] { train(wrong_x, y); });
    expect<DataError>("y", model, [&] { train(x, wrong_y); });
    expect<OptionError>("learning_rate", model, [&] {
      auto changed = how;
      changed.optimizer = SGD{.learning_rate = bad};
    });
    expect<OptionError>("label_smoothing", model,
                        [&] { Loss<float>(BinaryCrossentropy{.label_smoothing = bad}); });
    expect<DataError>("one_hot", model, [&] { one_hot<float>(Tensor<float, 1>{bad}, 3); });
  }
  expect<TrainingError>("a learning rate of 1e300", model, [&] {
    auto fast = how;
    fast.optimizer = SGD{.learning_rate = rate};
    model.fit(x, y, fast);
  });
  Trainer<float> trainer(model, {.loss = MeanSquaredError{}, .optimizer = SGD{}});
  trainer.step(x, y);
  trainer.roll_back();
  auto wrong = x;
  wrong.array() = nan;
  expect<TrainingError>("the loss of a step", model, [&] {
    if (!is_finite(trainer.step(wrong, y))) throw TrainingError("not finite");
  });
  const auto history = model.fit(x, y, how);
  return failures == 0 && history["loss"].back() < history["loss"].front() ? 0 : 1;
}
