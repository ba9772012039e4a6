#include "training.hpp"

#include <heed/heed.hpp>
#include <heed/io.hpp>

int main() {
  heed::Model<float> model = new_model();
  train(model);
  heed::save_weights(model, "consumer.safetensors");

  heed::Model<float> again = new_model();
  const bool differed = again.predict(questions()) != model.predict(questions());
  heed::load_weights(again, "consumer.safetensors");
  return differed && again.predict(questions()) == model.predict(questions()) ? 0 : 1;
}
