#include "training.hpp"

using namespace heed;

Tensor<float, 3> questions() {
  Tensor<float, 3> x(Shape{64, 3, 2});
  Random random(1);
  for (float& value : x.values()) value = float(random.normal());
  const auto y = answers();
  for (Index n = 0; n < 64; ++n) x(n, 0, 0) = y(n, 0);
  return x;
}

Tensor<float, 2> answers() {
  Tensor<float, 2> y(Shape{64, 1});
  for (Index n = 0; n < 64; ++n) y(n, 0) = float(n % 2);
  return y;
}

Model<float> new_model() {
  Model<float> model;
  model.input({3, 2});
  model.add(LSTM{.units = 4, .return_sequences = true});
  model.add("attention", StepAttention{});
  model.add(Flatten{});
  model.add(Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = 1});
  return model;
}

std::vector<double> train(Model<float>& model) {
  const History history = model.fit(questions(), answers(),
                                    {.loss = BinaryCrossentropy{},
                                     .optimizer = Adam{.learning_rate = 0.05},
                                     .epochs = 10,
                                     .batch_size = 16,
                                     .verbose = Verbose::silent});
  return history["loss"];
}
