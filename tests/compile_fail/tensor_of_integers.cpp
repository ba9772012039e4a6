// error: a heed::Tensor holds floating-point numbers
#include <heed/tensor/tensor.hpp>

int main() { return static_cast<int>(heed::Tensor<int>(heed::Shape{2}).size()); }
