// Writes model.safetensors of this folder, a file as heed saves it, with a sample:
//
//     g++ -std=c++20 -I include -I /usr/include/eigen3 tests/golden/generate_model.cpp -o build/generate_model
//     build/generate_model tests/golden/model.safetensors

#include <heed/heed.hpp>
#include <heed/io.hpp>

using namespace heed;

int main(int, char** argv) {
  Model<float> model("index2");
  model.input({5, 2});
  model.add("lstm", LSTM{.units = 3, .return_sequences = true});
  model.add("attention", StepAttention{});
  model.add(Flatten{});
  model.add("output", Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = 42});
  Random random(1);
  for (float& weight : model.weights().values())
    weight += static_cast<float>(random.normal(0, 0.3));
  Tensor<float, 3> x(Shape{3, 5, 2});
  for (float& value : x.values()) value = static_cast<float>(random.normal());
  save_model(model, argv[1], {.sample = x});
}
