// error: error: (.*no non-static data member named .epoch.|.*field designator .epoch. does not refer)
#include <heed/heed.hpp>

void train(heed::Model<float>& model, heed::View<const float> x) {
  model.fit(x, x, heed::FitOptions<float>{.loss = "mse", .epoch = 3});
}
