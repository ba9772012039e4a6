// Compiled for 32 bits, where sizes that 64 bits hold anyway have to be refused.
#include <heed/heed.hpp>

#include <cstdio>
#include <string_view>

static_assert(sizeof(heed::Index) == 4);

template <class Function>
bool is_refused(const Function& function, std::string_view reason) {
  try {
    function();
  } catch (const heed::Error& error) {
    std::puts(error.what());
    return std::string_view(error.what()).find(reason) != std::string_view::npos;
  }
  return false;
}

int main() {
  const bool shape = is_refused(
      [] {
        heed::Shape{65536, 65536};
      },
      "has more elements than can be counted");
  // 2^32 numbers are none in 32 bits, and yet would be written.
  const bool layer = is_refused(
      [] {
        heed::Model<float> model;
        model.input({65536});
        model.add(heed::RepeatVector{.n = 65536});
      },
      "has more elements than can be counted");
  const bool weights = is_refused(
      [] {
        heed::Model<float> model;
        model.input({65536});
        model.add(heed::Dense{.units = 65536});
      },
      "has more elements than can be counted");

  heed::Model<float> model;
  model.input({4, 2});
  model.add(heed::LSTM{.units = 3});
  model.build({.seed = 1});
  const bool predicts =
      model.predict(heed::Tensor<float, 3>(heed::Shape{5, 4, 2})).shape() == heed::Shape{5, 3};
  return shape && layer && weights && predicts ? 0 : 1;
}
