// error: (use of deleted function|call to deleted member function).*values
#include <heed/tensor/tensor.hpp>

heed::Tensor<float, 2> made() { return heed::Tensor<float, 2>(heed::Shape{4, 3}); }

int main() {
  const auto kept = made().values();
  return static_cast<int>(kept.size());
}
