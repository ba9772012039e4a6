#include "training.hpp"

#include <heed/heed.hpp>
#include <heed/keras.hpp>

#include <iostream>

int main() {
  heed::Model<float> model = new_model();
  try {
    heed::keras::load_weights(model, "there is no such file.h5");
  } catch (const heed::FileError& error) {
    std::cout << error.what() << "\n";
    return 0;
  }
  return 1;
}
