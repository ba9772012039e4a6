#include "training.hpp"

#include <heed/heed.hpp>

#include <iostream>

static_assert(HEED_VERSION == heed::version_number);

int main() {
  heed::Model<float> model = new_model();
  const std::vector<double> loss = train(model);
  std::cout << "heed " << heed::version_string << ": loss " << loss.front() << ", then "
            << loss.back() << "\n";
  if (!(loss.back() < 0.5 * loss.front())) return 1;

  // Errors come through from one translation unit to the other, each of which has heed's headers.
  try {
    new_model().predict(answers());
  } catch (const heed::ShapeError& error) {
    std::cout << error.what() << "\n";
    return 0;
  }
  return 1;
}
