// A network whose weights were compiled into the program as numbers predicts what the file's sample says, and needs no
// JSON.

#include <cstring>
#include <heed/heed.hpp>
#include <iostream>

#include "embedded_model.hpp"
#include "embedded_weights.hpp"

#if defined(NLOHMANN_JSON_VERSION_MAJOR)
#error this is to show that weights can be had without JSON
#endif

int main() {
  using namespace heed;
  Model<float> model("index2");
  model.input({5, 2});
  model.add("lstm", LSTM{.units = 3, .return_sequences = true});
  model.add("attention", StepAttention{});
  model.add(Flatten{});
  model.add("output", Dense{.units = 1, .activation = Activation::sigmoid});
  model.build();
  Index count = 0;
  for (const auto& [name, values] : models::index2_weights) {
    std::copy(values.begin(), values.end(), model.weight(name).data());
    count += static_cast<Index>(values.size());
  }

  // The sample ends the file, x before y.
  const auto bytes = models::index2();
  Tensor<float, 3> x(Shape{3, 5, 2});
  Tensor<float, 2> y(Shape{3, 1});
  std::memcpy(y.data(), bytes.last(12).data(), 12);
  std::memcpy(x.data(), bytes.last(12 + 120).data(), 120);
  const float off = (model.predict(x).array() - y.array()).abs().maxCoeff();
  std::cout << "the embedded weights, " << count << " of " << model.count_params()
            << ", predict what the file says to " << off << "\n";
  return count == model.count_params() && off < 1e-4f ? 0 : 1;
}
