// error: the type says how many
#include <heed/tensor/tensor.hpp>

int main() {
  const heed::Tensor<float> x{{1, 2}, {3, 4}};
  return static_cast<int>(x.size());
}
