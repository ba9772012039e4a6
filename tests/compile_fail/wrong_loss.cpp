// error: .loss takes a loss such as MeanSquaredError
#include <heed/heed.hpp>

struct NoLoss {};

void train(heed::Model<float>& model, heed::View<const float> x) {
  model.fit(x, x, {.loss = NoLoss{}});
}
