// error: .optimizer takes an optimizer such as Adam
#include <heed/heed.hpp>

void train(heed::Model<float>& model, heed::View<const float> x) {
  model.fit(x, x, {.loss = "mse", .optimizer = 0.1});
}
