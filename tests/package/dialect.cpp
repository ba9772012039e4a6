// The programs of tests/consumer in another C++: compiled as C++23 and without run-time type information.
#if __cplusplus <= 202002L || defined(__GXX_RTTI)
#error this is for a standard after C++20, without RTTI
#endif

#include "../consumer/programs/training.cpp"

#include <heed/io.hpp>
#include <heed/keras.hpp>

#include <iostream>

int main() {
  Model<float> model = new_model();
  const std::vector<double> loss = train(model);
  save_weights(model, "dialect.safetensors");
  load_weights(model, "dialect.safetensors");
  try {
    keras::load_weights(model, "there is no such file.h5");
  } catch (const FileError& error) {
    std::cout << "loss " << loss.front() << ", then " << loss.back() << "; " << error.what()
              << "\n";
    return loss.back() < 0.5 * loss.front() ? 0 : 1;
  }
  return 1;
}
