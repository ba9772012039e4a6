#include <heed/heed.hpp>
#ifdef WITH_IO
#include <heed/io.hpp>
#endif

#include <iostream>
using namespace heed;

int main() {
  Tensor<float, 2> x(Shape{64, 2}), y(Shape{64, 1});
  Random random(1);
  for (float& value : x.values()) value = float(random.normal());
  for (Index n = 0; n < 64; ++n) y(n, 0) = x(n, 0) - 2 * x(n, 1);

  Model<float> model;
  model.input({2});
  model.add(Dense{.units = 1});
  model.build({.seed = 1});
  const History history = model.fit(
      x, y, {.loss = MeanSquaredError{}, .optimizer = Adam{.learning_rate = 0.05}, .epochs = 20});
  if (!(history["loss"].back() < history["loss"].front())) return 1;

#ifdef WITH_IO
  save_weights(model, "test_package.safetensors");
  load_weights(model, "test_package.safetensors");
#endif
  std::cout << "heed " << version_string << " trains.\n";
}
