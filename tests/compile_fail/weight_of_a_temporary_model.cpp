// error: (use of deleted function|call to deleted member function).*weight
#include <heed/model/model.hpp>

heed::Model<float> made() { return heed::Model<float>(); }

int main() {
  const auto kept = made().weight("dense/kernel");
  return static_cast<int>(kept.size());
}
