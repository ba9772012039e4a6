// Everything in heed that needs Eigen alone, and a model that is trained.
#include <heed/heed.hpp>

#include <iostream>
using namespace heed;

int main() {
  Tensor<float, 3> x(Shape{640, 10, 2});
  Tensor<float, 2> y(Shape{640, 1});
  Random random(1);
  for (float& value : x.values()) value = float(random.normal(0, 10));
  for (Index n = 0; n < 640; ++n) y(n, 0) = x(n, 2, 0) = x(n, 2, 1) = float(random.below(2));

  Model<float> model;
  model.input({10, 2});
  model.add(LSTM{.units = 32, .return_sequences = true});
  model.add(StepAttention{});
  model.add(Flatten{});
  model.add(Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = 1});
  const History history = model.fit(x, y, {.loss = BinaryCrossentropy{}, .batch_size = 64});
  std::cout << history["loss"].back() << "\n";
}
