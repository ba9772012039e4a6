// error: can mean 64 zeros or the one value 64
#include <heed/tensor/tensor.hpp>

int main() {
  const heed::Tensor<float, 1> y({64});
  return static_cast<int>(y.size());
}
