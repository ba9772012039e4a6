// error: (temporary whose address is used as value of local variable|only clang warns)
#include <heed/tensor/tensor.hpp>

#ifdef __clang__
#pragma clang diagnostic error "-Wdangling"
#else
#error only clang warns
#endif

heed::Tensor<float, 2> made() { return heed::Tensor<float, 2>(heed::Shape{4, 3}); }

int main() {
  const heed::View<const float> kept = made();
  return static_cast<int>(kept.size());
}
