// error: error: (no match for .operator=.|no viable overloaded)
#include <heed/model/model.hpp>

int main() {
  heed::Model<float> model;
  const heed::Arena<float> kept(model.weights());
  model.weights() = kept;  // would let a view look elsewhere, and change no weight
}
