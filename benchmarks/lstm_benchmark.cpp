#include <benchmark/benchmark.h>

#include "support/data.hpp"
#include "support/networks.hpp"
#include "support/training.hpp"

namespace {

using namespace heed;
using training::Training;

constexpr std::int64_t sizes[][4] = {{64, 10, 2, 32},     {32, 10, 1, 64},     {64, 100, 64, 128},
                                     {256, 50, 128, 256}, {64, 100, 256, 512}, {1, 100, 64, 128}};

void add_sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"N", "T", "D", "U"});
  for (const auto& [N, T, D, U] : sizes) benchmark->Args({N, T, D, U});
}

/// Of the products: 2 N T (D + U) 4 U forward, the same again for the weights, 2 N T U 4 U for h.
void count_operations(benchmark::State& state, bool backward) {
  const auto at = [&](std::size_t axis) { return double(state.range(axis)); };
  const double forward = 8 * at(0) * at(1) * (at(2) + at(3)) * at(3);
  const double all = backward ? 2 * forward + 8 * at(0) * at(1) * at(3) * at(3) : forward;
  state.counters["FLOPS"] = benchmark::Counter(all, benchmark::Counter::kIsIterationInvariantRate);
}

void lstm_forward(benchmark::State& state) {
  const Index N = state.range(0), T = state.range(1), D = state.range(2), U = state.range(3);
  auto model = networks::lstm(T, D, U);
  model.build({.seed = 1});
  const auto x = data::normal({N, T, D});
  Tape<float> tape;
  model.forward(x, tape);
  for (auto _ : state) benchmark::DoNotOptimize(model.forward(x, tape).data());
  count_operations(state, false);
}
BENCHMARK(lstm_forward)->Apply(add_sizes);

/// Forward and backward, for the gradients of the weights. Args: those of forward, threads
void lstm_train(benchmark::State& state) {
  const Index N = state.range(0), T = state.range(1), D = state.range(2), U = state.range(3);
  auto model = networks::lstm(T, D, U);
  model.build({.seed = 1});
  Training work(std::move(model), data::normal({N, T, D}), data::normal({N, T, U}),
                training::backward_only(state.range(4)));
  work.step();
  for (auto _ : state) work.step();
  count_operations(state, true);
}
BENCHMARK(lstm_train)->UseRealTime()->Apply([](benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"N", "T", "D", "U", "threads"});
  for (const auto& [N, T, D, U] : sizes) benchmark->Args({N, T, D, U, 1});
  for (const auto& [N, T, D, U] : sizes) {
    if (N * T * U > 100'000) benchmark->Args({N, T, D, U, 2});
  }
});

}  // namespace
