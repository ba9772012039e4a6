// error: one index for each axis
#include <heed/tensor/tensor.hpp>

int main() {
  heed::Tensor<float, 2> x(heed::Shape{2, 3});
  return static_cast<int>(x(0, 1, 2));
}
