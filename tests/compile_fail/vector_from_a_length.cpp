// error: Shape.2, 3. for zeros of a shape
#include <heed/tensor/tensor.hpp>

int main() {
  const heed::Tensor<float, 1> y(64);
  return static_cast<int>(y.size());
}
