#include <benchmark/benchmark.h>

#include "support/data.hpp"
#include "support/layer_pass.hpp"
#include "support/networks.hpp"

namespace {

using namespace heed;
using training::LayerPass;

void time_passes(benchmark::State& state, Model<float> model, const Shape& output) {
  model.build({.seed = 1});
  const Shape input{state.range(0), state.range(1), state.range(2)};
  LayerPass pass{std::move(model), data::normal(input), data::normal(output), {}};
  pass.run();
  for (auto _ : state) pass.run();
}

void step_attention_train(benchmark::State& state) {
  const Index N = state.range(0), T = state.range(1), U = state.range(2);
  time_passes(state, networks::step_attention(T, U), {N, T, U});
}
BENCHMARK(step_attention_train)
    ->ArgNames({"N", "T", "U"})
    ->Args({64, 10, 32})
    ->Args({64, 100, 256});

void luong_attention_train(benchmark::State& state) {
  const Index N = state.range(0), T = state.range(1), U = state.range(2);
  time_passes(state, networks::luong_attention(T, U), {N, U});
}
BENCHMARK(luong_attention_train)
    ->ArgNames({"N", "T", "U"})
    ->Args({64, 10, 32})
    ->Args({64, 100, 256});

}  // namespace
