#include <heed/heed.hpp>
#include <iostream>
using namespace heed;

int main() {
  Tensor<float, 3> x(Shape{20'000, 10, 2});  // samples, steps, features: noise,
  Tensor<float, 2> y(Shape{20'000, 1});      // but step 2 holds the answer, 0 or 1
  Random random(1);
  for (float& value : x.values()) value = float(random.normal(0, 10));
  for (Index n = 0; n < 20'000; ++n) y(n, 0) = x(n, 2, 0) = x(n, 2, 1) = float(random.below(2));

  Model<float> model;
  model.input({10, 2});
  model.add(LSTM{.units = 32, .return_sequences = true});
  model.add("attention", StepAttention{});
  model.add(Flatten{});
  model.add(Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = 1});
  model.fit(x, y, {.loss = BinaryCrossentropy{}, .metrics = {BinaryAccuracy{}}, .epochs = 3});

  const auto attention = model.activations("attention/weights", x);  // (samples, steps, units)
  for (Index t = 0; t < 10; ++t) std::cout << t << ": " << attention.step(t).mean() << "\n";
}
