// error: error: no matching (function for call to .heed::Tensor<float>::Tensor|constructor for initialization of .const heed::Tensor<float>)
#include <heed/tensor/tensor.hpp>

int main() {
  const heed::Tensor<float> x{{1, 2}, {3, 4}};
  return static_cast<int>(x.size());
}
