#include <benchmark/benchmark.h>

#include "support/data.hpp"
#include "support/networks.hpp"
#include "support/training.hpp"

namespace {

using namespace heed;
using training::Training;

void time_steps(benchmark::State& state, Model<float> network, data::Samples samples,
                const TrainerOptions<float>& options) {
  network.build({.seed = 1});
  Training work(std::move(network), std::move(samples.x), std::move(samples.y), options);
  work.step();  // makes the memory of those that follow
  for (auto _ : state) benchmark::DoNotOptimize(work.step());
  state.SetItemsProcessed(state.iterations() * work.x.shape().front());
}

/// Forward, backward and Adam on one batch. Args: samples, threads
void index2_step(benchmark::State& state) {
  time_steps(state, networks::index2(10, 2, 32), data::index2(state.range(0), 10, 2),
             {.loss = BinaryCrossentropy{}, .threads = state.range(1)});
}
BENCHMARK(index2_step)
    ->ArgNames({"N", "threads"})
    ->Args({64, 1})
    ->Args({256, 1})
    ->Args({256, 2})
    ->UseRealTime();

void dummy_step(benchmark::State& state) {
  time_steps(state, networks::dummy(10, 1, 64), {data::normal({32, 10, 1}), data::normal({32, 1})},
             {.loss = MeanAbsoluteError{}});
}
BENCHMARK(dummy_step);

}  // namespace
