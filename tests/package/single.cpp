// Compiled with heed-single.hpp and Eigen, and nothing else of heed in sight.
#if __has_include(<heed/heed.hpp>)
#error include / is among the folders, which proves nothing of heed-single.hpp
#endif

#include <heed-single.hpp>

#include <iostream>

int main() {
  heed::Tensor<float, 2> x(heed::Shape{64, 2}), y(heed::Shape{64, 1});
  heed::Random random(1);
  for (float& value : x.values()) value = float(random.normal());
  for (heed::Index n = 0; n < 64; ++n) y(n, 0) = x(n, 0) - 2 * x(n, 1);

  heed::Model<float> model;
  model.input({2});
  model.add(heed::Dense{.units = 1});
  model.build({.seed = 1});
  const heed::History history = model.fit(x, y,
                                          {.loss = heed::MeanSquaredError{},
                                           .optimizer = heed::Adam{.learning_rate = 0.05},
                                           .epochs = 20,
                                           .batch_size = 16,
                                           .verbose = heed::Verbose::silent});
  const std::vector<double>& loss = history["loss"];
  std::cout << "loss " << loss.front() << ", then " << loss.back() << "\n";
  return loss.back() < 0.1 * loss.front() ? 0 : 1;
}
