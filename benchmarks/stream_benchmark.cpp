#include <benchmark/benchmark.h>

#include <heed/stream/stream.hpp>

#include "support/data.hpp"
#include "support/networks.hpp"

namespace {

using namespace heed;

/// An LSTM and a Dense(1), one step of input at a time.
void stream_step(benchmark::State& state) {
  const Index D = state.range(0), U = state.range(1);
  auto model = networks::stream(D, U);
  model.build({.seed = 1});
  Stream<float> stream{model};
  const auto x = data::normal({D});
  for (auto _ : state) benchmark::DoNotOptimize(stream.step(x).data());
}
BENCHMARK(stream_step)
    ->ArgNames({"D", "U"})
    ->Args({1, 8})
    ->Args({1, 16})
    ->Args({1, 32})
    ->Args({2, 32})
    ->Args({1, 64})
    ->Args({16, 128});

}  // namespace
