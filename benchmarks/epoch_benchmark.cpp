// A program of its own, whose peak of memory is that of the one benchmark in it.
#include <benchmark/benchmark.h>

#include "support/data.hpp"
#include "support/networks.hpp"
#include "support/worker.hpp"

namespace {

using namespace heed;

/// `fit` over 90,000 samples in batches of 64, with the data in memory.
void index2_epoch(benchmark::State& state) {
  const auto samples = data::index2(90'000, 10, 2);
  auto model = networks::index2(10, 2, 32);
  model.build({.seed = 1});
  for (auto _ : state) {
    model.fit(samples.x, samples.y,
              {.loss = BinaryCrossentropy{}, .batch_size = 64, .verbose = Verbose::silent});
  }
  state.SetItemsProcessed(state.iterations() * samples.x.shape().front());
  state.counters["peak_memory"] = static_cast<double>(worker::peak_memory());
}
BENCHMARK(index2_epoch)->Unit(benchmark::kMillisecond);

}  // namespace
