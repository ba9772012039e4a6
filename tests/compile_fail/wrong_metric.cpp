// error: .metrics takes metrics such as BinaryAccuracy
#include <heed/heed.hpp>

void train(heed::Model<float>& model, heed::View<const float> x) {
  model.fit(x, x, {.loss = "mse", .metrics = {3}});
}
