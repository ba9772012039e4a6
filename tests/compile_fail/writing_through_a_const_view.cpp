// error: error: (assignment of read-only location|cannot assign to return value)
#include <heed/tensor/tensor.hpp>

int main() {
  const heed::Tensor<float, 1> x{1, 2};
  x.view()(0) = 3;
}
