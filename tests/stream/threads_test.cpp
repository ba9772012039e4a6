#include <heed/attention/luong_attention.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/stream/stream.hpp>

#include <thread>

#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::stream_threads_test {

using heed::testing::random_tensor;

TEST_CASE("Streams of one model run on several threads") {
  Model<float> model;
  model.input({6, 2});
  model.add(LSTM{.units = 5, .return_sequences = true});
  model.add(LuongAttention{.units = 4});
  model.add(Dense{.units = 2});
  model.build({.seed = 3});
  constexpr Index T = 300, count = 3;
  const auto x = random_tensor<float>({count, T, 2}, 1);
  const auto sample = [&](Index i) { return x.view().samples(i, 1).reshaped({T, 2}); };

  std::vector<Tensor<float>> expected, y(count);
  for (Index i = 0; i < count; ++i) {
    Stream<float> stream(model);
    expected.emplace_back(stream.process(sample(i)));
  }
  std::vector<std::thread> threads;
  for (Index i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      Stream<float> stream(model);
      Tensor<float> all(Shape{T, 2});
      for (Index t = 0; t < T; ++t) {
        all.samples(t, 1).array() = stream.step(sample(i).samples(t, 1).reshaped({2})).array();
      }
      y[static_cast<std::size_t>(i)] = all;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(y == expected);
}

}  // namespace heed::stream_threads_test
