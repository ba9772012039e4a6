// error: gradient_check needs digits: build the same network as a heed::Model<double>
#include <heed/check/gradient_check.hpp>
#include <heed/train/losses.hpp>

int main() {
  const heed::Model<float> model;
  const heed::Tensor<float> x;
  heed::gradient_check(model, x, x, heed::MeanSquaredError{});
}
