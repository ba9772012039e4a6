// error: (use of deleted function.*operator\[\]|selected deleted operator '\[\]')
#include <heed/tensor/sequences.hpp>

int main() {
  const auto kept = heed::Sequences<float>{{1, 2}, {3}}[0];
  return static_cast<int>(kept.size());
}
