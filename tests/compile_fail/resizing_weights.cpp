// error: error: .*no member named .resize
#include <heed/model/model.hpp>

int main() {
  heed::Model<float> model;
  model.weights().resize({3});
}
