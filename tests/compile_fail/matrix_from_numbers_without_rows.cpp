// error: values have a pair of braces for each axis
#include <heed/tensor/tensor.hpp>

int main() {
  const heed::Tensor<float, 2> x{1, 2, 3};
  return static_cast<int>(x.size());
}
