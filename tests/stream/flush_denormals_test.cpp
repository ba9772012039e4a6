#include <heed/layers/dense.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/stream/flush_denormals.hpp>
#include <heed/stream/stream.hpp>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>
#include <type_traits>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::flush_denormals_test {

using namespace heed::testing;

namespace {

/// The smallest normal number divided by 2: 0 if denormal results are flushed.
template <class S>
bool flushes_results() {
  volatile S smallest = std::numeric_limits<S>::min();
  volatile S half = smallest / 2;
  return half == 0;
}

/// A denormal number times 2^60: 0 if denormal inputs are zeros.
template <class S>
bool flushes_inputs() {
  volatile S denormal = std::numeric_limits<S>::denorm_min();
  volatile S large = denormal * S(1ull << 60);
  return large == 0;
}

bool flushes() {
  const bool all = flushes_results<float>() && flushes_results<double>() &&
                   flushes_inputs<float>() && flushes_inputs<double>();
  const bool any = flushes_results<float>() || flushes_results<double>() ||
                   flushes_inputs<float>() || flushes_inputs<double>();
  CHECK(all == any);
  return all;
}

/// Tested by bits: with denormal numbers as zeros, a comparison would not find them.
template <class S>
Index count_denormal(const Tensor<S, 1>& values) {
  return std::count_if(values.data(), values.data() + values.size(),
                       [](S value) { return std::fpclassify(value) == FP_SUBNORMAL; });
}

template <class S>
Model<S> make_model(Index units) {
  Model<S> model;
  model.input({any, 2});
  model.add(LSTM{.units = units, .return_sequences = true});
  model.add(Dense{.units = 1});
  model.build({.seed = 1});
  return model;
}

constexpr bool can_flush = FlushDenormals::is_supported;

}  // namespace

static_assert(!std::is_copy_constructible_v<FlushDenormals>);
static_assert(!std::is_move_constructible_v<FlushDenormals>);
static_assert(!std::is_copy_assignable_v<FlushDenormals>);
static_assert(std::is_nothrow_default_constructible_v<FlushDenormals>);

TEST_CASE("Denormal numbers are flushed in a scope, and as before after it", "[denormals]") {
#if defined(__x86_64__) || defined(__aarch64__)
  STATIC_REQUIRE(can_flush);
#endif
  REQUIRE(!flushes());
  const Allocations allocations;
  {
    const FlushDenormals outer;
    const bool in_outer = flushes_results<float>();
    {
      const FlushDenormals inner;
      if (flushes_results<float>() != can_flush) throw std::runtime_error("inner");
    }
    if (in_outer != can_flush || flushes_results<float>() != can_flush)
      throw std::runtime_error("outer");
  }
  CHECK(allocations.count() == 0);
  {
    const FlushDenormals scope;
    CHECK(flushes() == can_flush);
  }
  CHECK(!flushes());
}

TEST_CASE("The end of a scope restores the mode that was there", "[denormals]") {
  const auto before = detail::float_control();
  const auto set = detail::flush_bits;
  detail::set_float_control(before | set);
  { const FlushDenormals scope; }
  CHECK((detail::float_control() & set) == set);
  detail::set_float_control(before);
  // Other bits keep what they became meanwhile: here, that a division was inexact.
  std::feclearexcept(FE_ALL_EXCEPT);
  {
    const FlushDenormals scope;
    volatile float three = 3;
    volatile float third = 1 / three;
    (void)third;
  }
  CHECK(std::fetestexcept(FE_INEXACT) != 0);
  CHECK((detail::float_control() & set) == (before & set));
}

TEST_CASE("A scope holds for its thread, and for threads that are started in it", "[denormals]") {
  bool in_older = true, in_newer = false;
  std::atomic<int> turn = 0;
  std::thread older([&] {
    while (turn == 0) std::this_thread::yield();
    in_older = flushes_results<float>();
  });
  {
    const FlushDenormals scope;
    turn = 1;
    older.join();
    std::thread([&] { in_newer = flushes_results<float>(); }).join();
  }
  CHECK(!in_older);
#if defined(__linux__)
  CHECK(in_newer == can_flush);
#endif
}

TEMPLATE_TEST_CASE("After silence the state of a stream is denormal, unless it is flushed",
                   "[denormals]", float, double) {
  const auto model = make_model<TestType>(33);
  const auto noise = random_tensor<TestType>({50, 2}, 2);
  const Tensor<TestType> silence(Shape{6000, 2});
  Stream<TestType> plain(model), flushed(model);
  const Tensor<TestType> loud(plain.process(noise));
  plain.process(silence);
  CHECK(count_denormal(plain.state().values) > 0);
  {
    const FlushDenormals scope;
    // Without denormal numbers no bit differs.
    const bool same = loud == Tensor<TestType>(flushed.process(noise));
    CHECK(same);
    flushed.process(silence);
  }
  CHECK((count_denormal(flushed.state().values) == 0) == can_flush);
}

TEST_CASE("A stream is not slower when its input goes silent and denormals are flushed",
          "[denormals]") {
  const auto model = make_model<float>(64);
  const auto noise = random_tensor<float>({100, 2}, 2);
  const Tensor<float> silence(Shape{100, 2});
  Stream<float> loud(model), silent(model);
  const FlushDenormals scope;
  silent.process(noise);
  for (Index i = 0; i < 30; ++i) silent.process(silence);
  const auto time = [](Stream<float>& stream, View<const float> x) {
    const auto start = std::chrono::steady_clock::now();
    stream.process(x);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  double with_noise = 1, with_silence = 1;  // the fastest of alternating runs
  for (Index i = 0; i < 50; ++i) {
    with_noise = (std::min)(with_noise, time(loud, noise));
    with_silence = (std::min)(with_silence, time(silent, silence));
  }
  INFO("100 steps of noise: " << with_noise << " s, of silence: " << with_silence << " s");
  CHECK(with_silence < 1.5 * with_noise);
}

}  // namespace heed::flush_denormals_test
