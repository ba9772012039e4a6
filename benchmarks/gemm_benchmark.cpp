#include <benchmark/benchmark.h>

#include <set>

#include "support/gemm.hpp"

namespace {

using namespace heed;
using gemm::Product;

void count_operations(benchmark::State& state, const Product& product) {
  state.counters["FLOPS"] =
      benchmark::Counter(product.operations(), benchmark::Counter::kIsIterationInvariantRate);
}

void by_heed(benchmark::State& state, const Product& product) {
  gemm::Runner runner(product);
  for (auto _ : state) runner.heed();
  count_operations(state, product);
}

void by_eigen(benchmark::State& state, const Product& product) {
  gemm::Runner runner(product);
  for (auto _ : state) runner.eigen();
  count_operations(state, product);
}

/// The products that the other benchmarks consist of, and the one that libraries are compared by.
std::vector<Product> all_products() {
  std::vector<Product> products = {{512, 512, 512}};
  const auto add = [&](const std::vector<Product>& more) {
    products.insert(products.end(), more.begin(), more.end());
  };
  add(gemm::index2_products(64, 10, 2, 32));
  add(gemm::lstm_products(32, 10, 1, 64));
  add(gemm::lstm_products(64, 100, 64, 128));
  add(gemm::lstm_products(256, 50, 128, 256));
  add(gemm::lstm_products(64, 100, 256, 512));
  add(gemm::lstm_products(1, 100, 64, 128));
  return products;
}

const bool registered = [] {
  std::set<std::string> names;
  for (const Product& product : all_products()) {
    if (!names.insert(product.name()).second) continue;
    benchmark::RegisterBenchmark(("gemm/heed/" + product.name()).c_str(), by_heed, product);
    benchmark::RegisterBenchmark(("gemm/eigen/" + product.name()).c_str(), by_eigen, product);
  }
  return true;
}();

/// Eigen's exponential of as many numbers as the gates of a step of index2_step are.
void exponential(benchmark::State& state) {
  const Eigen::ArrayXf x = Eigen::ArrayXf::Random(64 * 128);
  Eigen::ArrayXf y(x.size());
  for (auto _ : state) {
    y = x.exp();
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * x.size());
}
BENCHMARK(exponential);

/// What the products and the exponentials of index2_step take by themselves.
void bound(benchmark::State& state) {
  gemm::Bound work(64, 10, 2, 32);
  for (auto _ : state) work.run();
}
BENCHMARK(bound);

}  // namespace
