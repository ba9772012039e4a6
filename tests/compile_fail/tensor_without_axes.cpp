// error: a heed::Tensor has at least one axis
#include <heed/tensor/tensor.hpp>

int main() { return static_cast<int>(heed::Tensor<float, 0>().size()); }
