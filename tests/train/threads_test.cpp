#include <heed/train/fit.hpp>

#include <optional>
#include <thread>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"
#include "support/thread_count.hpp"

// What `.threads` promises, where users say it; how a batch is cut is in model/shards_test.cpp.

namespace heed::threads_test {

using namespace heed::testing;

namespace {

/// Step-wise attention with a softmax over rows, and dropout: (7, 2) to a sigmoid.
template <class S>
Model<S> network() {
  Model<S> model;
  const Node x = model.input({7, 2});
  const Node lstm = model.add("lstm", LSTM{.units = 5, .return_sequences = true}, x);
  add_step_attention(model, lstm, 7);
  model.add("attention", StepAttention{});
  model.add(Flatten{});
  model.add(Dropout{.rate = 0.3});
  model.add("output", Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = 1});
  return model;
}

/// 45 samples: with a batch_size of 20 the last batch has 5.
template <class S>
struct Data {
  Tensor<S> x = random_tensor<S>({45, 7, 2}, 1);
  Tensor<S> y = Tensor<S>(Shape{45, 1});
  Data() {
    for (Index n = 0; n < 45; ++n) y(n, 0) = x(n, 2, 0) > 0 ? 1 : 0;
  }
};

template <class S>
FitOptions<S> options(Index threads, Optimizer<S> optimizer) {
  return {.loss = BinaryCrossentropy{},
          .optimizer = std::move(optimizer),
          .metrics = {BinaryAccuracy{}},
          .epochs = 3,
          .batch_size = 20,
          .validation_split = 0.1,
          .seed = 4,
          .threads = threads,
          .verbose = Verbose::silent};
}

/// How far the weights end from those of one thread, in parts of the way they went.
template <class S>
double drift(Index threads, const Optimizer<S>& optimizer) {
  const Data<S> data;
  const auto start = network<S>();
  const auto trained = [&](Index count) {
    auto model = start;
    model.fit(data.x, data.y, options<S>(count, optimizer));
    return Arena<S>(model.weights());
  };
  const auto alone = trained(1);
  return distance(trained(threads), alone) / distance<S>(alone, start.weights());
}

}  // namespace

TEST_CASE("Predictions have the same bits with any number of threads and any batch size") {
  const auto check_bits = [](auto zero) {
    using S = decltype(zero);
    const Data<S> data;
    const auto model = network<S>();
    const auto expected = model.predict(data.x);
    for (const Index threads : {1, 2, 3, 5}) {
      for (const Index batch_size : {1, 7, 32, 100}) {
        CAPTURE(threads, batch_size);
        const PredictOptions how{.batch_size = batch_size, .threads = threads};
        CHECK(model.predict(data.x, how) == expected);
        for (const auto name : {"lstm", "attention_vec", "attention/weights"}) {
          CHECK(model.activations(name, data.x, how) == model.activations(name, data.x));
        }
      }
    }
    for (const Index N : {0, 1, 3}) {
      CHECK(model.predict(data.x.samples(0, N), {.threads = 5}) ==
            Tensor<S>(expected.samples(0, N)));
    }
  };
  check_bits(0.0F);
  check_bits(0.0);
}

TEST_CASE("Losses and outputs of the same weights have the same bits with any number of threads") {
  const Data<float> data;
  const auto step = [&](Index threads) {
    auto model = network<float>();
    Trainer<float> trainer(model,
                           {.loss = BinaryCrossentropy{}, .optimizer = SGD{}, .threads = threads});
    const double loss = trainer.step(data.x, data.y);
    return std::pair(loss, Tensor<float>(trainer.output()));
  };
  const auto evaluated = [&](Index threads) {
    return network<float>().evaluate(data.x, data.y,
                                     {.loss = BinaryCrossentropy{},
                                      .metrics = {BinaryAccuracy{}, MeanAbsoluteError{}},
                                      .threads = threads});
  };
  // Weights that do not move show the losses of all batches, epochs and validation.
  const auto fitted = [&](Index threads) {
    auto model = network<float>();
    const auto history =
        model.fit(data.x, data.y, options<float>(threads, SGD{.learning_rate = 0}));
    return std::tuple(history["loss"], history["val_loss"], history["val_binary_accuracy"]);
  };
  for (const Index threads : {2, 3, 5, 64}) {
    CAPTURE(threads);
    CHECK(step(threads) == step(1));
    CHECK(evaluated(threads) == evaluated(1));
    CHECK(fitted(threads) == fitted(1));
  }
}

TEST_CASE("Gradients of a step are those of one thread but for rounding, clipped as a whole") {
  const Data<double> data;
  const auto gradients = [&](Index threads, double bound) {
    auto model = network<double>();
    Trainer<double> trainer(model, {.loss = BinaryCrossentropy{},
                                    .optimizer = SGD{.global_clipnorm = bound},
                                    .threads = threads});
    trainer.step(data.x, data.y);
    return trainer.gradients();
  };
  for (const double bound : {0.0, 0.01}) {
    const auto alone = gradients(1, bound);
    const double largest = alone.array().abs().maxCoeff();
    for (const Index threads : {2, 3, 5}) {
      CAPTURE(bound, threads);
      CHECK(distance(gradients(threads, bound), alone) < 1e-14 * largest);
    }
    if (bound > 0) CHECK(near(alone.array().matrix().norm(), bound, 1e-14));
  }
}

TEST_CASE("Threads train to the weights of one thread but for rounding") {
  for (const Index threads : {2, 3}) {
    CAPTURE(threads);
    // Of a way of 6 steps no more than the rounding of sums of some hundred terms: 1e3 epsilons.
    CHECK(drift<double>(threads, SGD{.learning_rate = 0.1}) < 1e-13);
    CHECK(drift<float>(threads, SGD{.learning_rate = 0.1}) < 1e-5);
    // Adam divides by the size of a gradient: what is mostly rounding weighs more.
    CHECK(drift<double>(threads, Adam{}) < 1e-12);
    CHECK(drift<float>(threads, Adam{}) < 1e-3);
  }
}

TEST_CASE("The same number of threads trains to the same bits, run after run") {
  const Data<float> data;
  const auto trained = [&] {
    auto model = network<float>();
    model.fit(data.x, data.y, options<float>(3, Adam{}));
    return Arena<float>(model.weights());
  };
  const auto first = trained();
  for (int run = 0; run < 5; ++run) CHECK(trained() == first);
}

TEST_CASE("One thread makes no thread; three make two, which end with the call") {
  const int before = thread_count();
  if (before == 0) return;
  const Data<float> data;
  auto model = network<float>();
  for (const Index threads : {1, 3}) {
    int most = 0;
    auto how = options<float>(threads, SGD{});
    how.callbacks = {
        {.on_batch_end = [&](TrainingState<float>&) { most = std::max(most, thread_count()); }}};
    model.fit(data.x, data.y, how);
    CHECK(most == before + static_cast<int>(threads) - 1);
    CHECK(thread_count() == before);
    model.predict(data.x, {.threads = threads});
    CHECK(thread_count() == before);
  }
}

TEST_CASE("From the second batch on training allocates nothing, on no thread") {
  if (!Allocations::are_counted()) return;
  const Data<float> data;
  for (const Index threads : {1, 2}) {
    CAPTURE(threads);
    auto model = network<float>();
    Trainer<float> trainer(model, {.loss = BinaryCrossentropy{},
                                   .optimizer = Adam{.global_clipnorm = 1},
                                   .threads = threads});
    trainer.step(data.x, data.y);
    const Allocations allocations(Allocations::Of::all_threads);
    {
      const NoEigenAllocations forbidden;
      trainer.step(data.x, data.y);
      trainer.step(data.x.samples(0, 5), data.y.samples(0, 5));
      trainer.step(data.x, data.y);
    }
    const std::size_t count = allocations.count();
    CHECK(count == 0);
  }
}

TEST_CASE("From the second batch on fit allocates nothing until the epoch ends, on no thread") {
  if (!Allocations::are_counted()) return;
  const Data<float> data;
  for (const Index threads : {1, 2}) {
    CAPTURE(threads);
    std::optional<Allocations> since_first;
    std::vector<std::size_t> counts;
    counts.reserve(9);
    auto how = options<float>(threads, Adam{});
    how.callbacks = {{.on_batch_end = [&](TrainingState<float>& state) {
      if (state.step == 1) since_first.emplace(Allocations::Of::all_threads);
      counts.push_back(since_first->count());
    }}};
    auto model = network<float>();
    model.fit(data.x, data.y, how);
    CHECK(counts == std::vector<std::size_t>(6, 0));
  }
}

TEST_CASE("From the second batch on prediction allocates nothing, on no thread") {
  if (!Allocations::are_counted()) return;
  const Data<float> data;
  const auto model = network<float>();
  Tape<float> tape;
  model.forward(data.x, tape);
  const Allocations allocations;
  {
    const NoEigenAllocations forbidden;
    model.forward(data.x, tape);
  }
  const std::size_t on_tape = allocations.count();
  CHECK(on_tape == 0);

  const auto many = random_tensor<float>({450, 7, 2}, 1);
  for (const Index threads : {1, 2}) {
    CAPTURE(threads);
    const auto allocated = [&](Index samples) {
      const Allocations count(Allocations::Of::all_threads);
      model.predict(many.samples(0, samples), {.batch_size = 20, .threads = threads});
      return count.count();
    };
    allocated(40);
    CHECK(allocated(40) == allocated(450));
  }
}

TEST_CASE("A loss that is not finite takes the weights back, with threads as without") {
  const Data<float> data;
  auto model = network<float>();
  Trainer<float> trainer(model, {.loss = BinaryCrossentropy{}, .optimizer = SGD{}, .threads = 2});
  const Arena<float> good(model.weights());
  trainer.step(data.x, data.y);
  model.weights().array().setConstant(std::numeric_limits<float>::quiet_NaN());
  CHECK_FALSE(std::isfinite(trainer.step(data.x, data.y)));
  CHECK(model.weights() == good);
}

TEST_CASE("Four threads share a const model, and each predicts with two of its own") {
  const Data<float> data;
  const auto model = network<float>();
  const auto expected = model.predict(data.x);
  const auto weights = model.activations("attention/weights", data.x);
  std::vector<Tensor<float>> predictions(4), shown(4);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        predictions[i] = model.predict(data.x, {.batch_size = 4, .threads = 2});
        shown[i] = model.activations("attention/weights", data.x);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(predictions[i] == expected);
    CHECK(shown[i] == weights);
  }
}

TEST_CASE("A number of threads outside its range is refused, and nothing is changed") {
  const Data<float> data;
  auto model = network<float>();
  const Arena<float> before(model.weights());
  const auto none = "expected threads from 1 to 1024, got 0";
  CHECK(message<OptionError>([&] { model.fit(data.x, data.y, options<float>(0, SGD{})); }) == none);
  CHECK(message<OptionError>([&] {
          model.evaluate(data.x, data.y, {.loss = MeanSquaredError{}, .threads = 0});
        }) == none);
  CHECK(message<OptionError>([&] { model.predict(data.x, {.threads = 0}); }) == none);
  CHECK(message<OptionError>([&] { model.activations("lstm", data.x, {.threads = 0}); }) == none);
  CHECK(message<OptionError>(
            [&] { Trainer<float>(model, {.loss = MeanSquaredError{}, .threads = 0}); }) == none);
  CHECK(model.weights() == before);
}

}  // namespace heed::threads_test
