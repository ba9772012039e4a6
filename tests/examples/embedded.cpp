// A model that was compiled into the program predicts what its file does.

#include <heed/io.hpp>
#include <iostream>

#include "embedded_model.hpp"

int main(int, char** argv) {
  using namespace heed;
  const auto model = load_model<float>(models::index2());  // which also computes its sample
  const auto from_file = load_model<float>(argv[1]);
  Tensor<float, 3> x(Shape{2, 5, 2});
  x.array().setConstant(0.5f);
  const bool same = model.predict(x) == from_file.predict(x);
  std::cout << "the embedded model predicts " << (same ? "the same" : "otherwise") << "\n";
  return same ? 0 : 1;
}
