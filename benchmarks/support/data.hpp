#pragma once

#include <heed/math/random.hpp>
#include <heed/tensor/tensor.hpp>

/// Data to train on; the same numbers every time.
namespace data {

using namespace heed;

inline Tensor<float> normal(const Shape& shape, double scale = 1) {
  Tensor<float> values(shape);
  Random random(1);
  for (float& value : values.values()) value = static_cast<float>(random.normal(0, scale));
  return values;
}

struct Samples {
  Tensor<float> x, y;
};

/// Noise, but step 2 holds the answer.
inline Samples index2(Index samples, Index T, Index D) {
  Samples made{normal({samples, T, D}, 10), Tensor<float>(Shape{samples, 1})};
  Random random(2);
  for (Index n = 0; n < samples; ++n) {
    made.y(n, 0) = static_cast<float>(random.below(2));
    for (Index d = 0; d < D; ++d) made.x(n, 2, d) = made.y(n, 0);
  }
  return made;
}

}  // namespace data
