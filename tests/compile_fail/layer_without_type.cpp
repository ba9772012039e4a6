// error: error: no matching (function for call to .heed::Model<float>::add|member function for call to .add)
#include <heed/model/model.hpp>

struct NoLayer {};

int main() {
  heed::Model<float> model;
  model.input({2});
  model.add(NoLayer{});
}
