#include <heed/model/shards.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

namespace heed::shards_test {

using namespace heed::testing;

namespace {

const Pass training{.training = true, .seed = 5, .step = 3, .first_sample = 100};

template <class S>
Shards<S> shards_of(Index threads) {
  return Shards<S>(std::make_shared<Team>(threads));
}

/// Forward, a gradient that is another for each sample, backward. Returns the output.
template <class S>
Tensor<S> train(Shards<S>& shards, const Model<S>& model, const Tensor<S>& x) {
  const Tensor<S> output(shards.forward(model.graph(), model.weights(), x, training));
  shards.output_gradient(model.graph()).array() = random_tensor<S>(output.shape(), 9).array();
  shards.backward(model.graph(), model.weights());
  return output;
}

/// The largest difference of two gradients, in parts of the largest gradient.
double difference(const Arena<double>& gradients, const Arena<double>& expected) {
  return distance(gradients, expected) / expected.array().abs().maxCoeff();
}

/// Hands x on, but for a sample that begins with what it cannot stand.
struct Fragile {
  static constexpr std::string_view type = "Fragile";
  static constexpr auto fields() { return std::tuple{}; }
  static constexpr bool has_weights = false;
  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const { return x; }
  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    for (Index n = 0; n < x.dim(0); ++n) {
      check<DataError>(x(n, 0) < 1000, "cannot stand ", static_cast<double>(x(n, 0)));
    }
    y.array() = x.array();
  }
  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<const S> dy = args.dy[0];
    const View<S> dx = args.dx[0];
    if (dx) dx.array() = dy.array();
  }
};

}  // namespace

TEST_CASE("An output has the same bits in every cut, and layers draw the same numbers") {
  const auto check_bits = [](auto zero) {
    using S = decltype(zero);
    const auto model = every_layer_network<S>();
    for (const Index N : {1, 2, 4, 13, 32}) {
      const auto x = random_tensor<S>({N, 6, 4}, 1);
      Tape<S> tape;
      const Tensor<S> expected(model.forward(x, tape, training));
      for (const Index threads : {1, 2, 3, 5}) {
        CAPTURE(N, threads);
        auto shards = shards_of<S>(threads);
        CHECK(train(shards, model, x) == expected);
      }
    }
  };
  check_bits(0.0F);
  check_bits(0.0);
}

TEST_CASE("Gradients of a batch are the same in every cut but for rounding") {
  const auto model = every_layer_network<double>();
  for (const Index N : {2, 4, 13}) {
    const auto x = random_tensor({N, 6, 4}, 1);
    auto whole = shards_of<double>(1);
    train(whole, model, x);
    for (const Index threads : {2, 3, 5}) {
      CAPTURE(N, threads);
      auto shards = shards_of<double>(threads);
      train(shards, model, x);
      CHECK(difference(shards.gradients(), whole.gradients()) < 1e-14);
    }
  }
}

TEST_CASE("Gradients of many weights, which threads add in parts, are the same but for rounding") {
  Model<double> model;
  model.input({200});
  model.add(Dense{.units = 700});
  model.add(Dense{.units = 2});
  model.build({.seed = 1});
  const auto x = random_tensor({8, 200}, 1);
  auto whole = shards_of<double>(1);
  train(whole, model, x);
  for (const Index threads : {2, 3, 7}) {
    CAPTURE(threads);
    auto shards = shards_of<double>(threads);
    train(shards, model, x);
    CHECK(difference(shards.gradients(), whole.gradients()) < 1e-14);
  }
}

TEST_CASE("The same cut gives the same bits, run after run") {
  const auto model = every_layer_network<float>();
  const auto x = random_tensor<float>({13, 6, 4}, 1);
  auto shards = shards_of<float>(3);
  train(shards, model, x);
  const Arena<float> first = shards.gradients();
  for (int run = 0; run < 20; ++run) {
    auto again = shards_of<float>(3);
    train(again, model, x);
    CHECK(again.gradients() == first);
    train(shards, model, x);
    CHECK(shards.gradients() == first);
  }
}

TEST_CASE("One shard is a tape and no more") {
  const auto model = every_layer_network<float>();
  const auto x = random_tensor<float>({13, 6, 4}, 1);
  auto shards = shards_of<float>(1);
  const auto output = train(shards, model, x);
  Tape<float> tape;
  CHECK(Tensor<float>(model.forward(x, tape, training)) == output);
  model.graph().output_gradient(tape).array() = random_tensor<float>(output.shape(), 9).array();
  model.graph().backward(model.weights(), tape);
  CHECK(tape.gradients == shards.gradients());
}

TEST_CASE("A batch gives the same behind batches of other sizes") {
  const auto model = every_layer_network<double>();
  const auto x = random_tensor({5, 6, 4}, 1);
  auto fresh = shards_of<double>(3);
  const auto expected = train(fresh, model, x);
  auto used = shards_of<double>(3);
  for (const Index N : {1, 13, 2, 7}) train(used, model, random_tensor({N, 6, 4}, 3));
  CHECK(train(used, model, x) == expected);
  CHECK(used.gradients() == fresh.gradients());
}

TEST_CASE("The second batch of a size allocates nothing, on no thread") {
  if (!Allocations::are_counted()) return;
  const auto model = every_layer_network<double>();
  const auto x = random_tensor({16, 6, 4}, 1);
  const auto few = random_tensor({3, 6, 4}, 2);
  const auto dy = random_tensor({16, 2}, 3);
  for (const Index threads : {1, 2}) {
    CAPTURE(threads);
    auto shards = shards_of<double>(threads);
    const auto run = [&](View<const double> batch) {
      shards.forward(model.graph(), model.weights(), batch, training);
      shards.output_gradient(model.graph()).array() = dy.samples(0, batch.dim(0)).array();
      shards.backward(model.graph(), model.weights());
    };
    run(x);
    const Allocations allocations(Allocations::Of::all_threads);
    {
      const NoEigenAllocations forbidden;
      run(x);
      run(few);
      run(x);
    }
    const std::size_t count = allocations.count();
    CHECK(count == 0);
  }
}

TEST_CASE("A team serves several batches in turn") {
  const auto model = every_layer_network<double>();
  const auto x = random_tensor({5, 6, 4}, 1), other = random_tensor({7, 6, 4}, 2);
  auto first = shards_of<double>(3);
  Shards<double> second(first.team());
  CHECK(second.team()->threads() == 3);
  const auto expected = train(first, model, x);
  const Arena<double> gradients = first.gradients();
  first.forward(model.graph(), model.weights(), x, training);
  train(second, model, other);
  first.output_gradient(model.graph()).array() = random_tensor(expected.shape(), 9).array();
  first.backward(model.graph(), model.weights());
  CHECK(first.gradients() == gradients);
}

TEST_CASE("An error in a layer reaches the caller from every shard, and the next batch runs") {
  Model<double> model;
  model.input({2});
  model.add(Fragile{});
  model.add(Dense{.units = 2});
  model.build({.seed = 1});
  const auto good = random_tensor({6, 2}, 1);
  for (const Index threads : {1, 2, 3}) {
    auto shards = shards_of<double>(threads);
    const auto expected = train(shards, model, good);
    for (Index n = 0; n < 6; ++n) {
      auto bad = good;
      bad(n, 0) = 2000;
      bad(5, 0) = n < 5 ? 3000 : 2000;  // in a later shard, or behind it in the same
      CHECK(message<DataError>([&] { train(shards, model, bad); }) ==
            "Fragile \"fragile\": cannot stand 2000");
      CHECK(train(shards, model, good) == expected);
    }
  }
}

}  // namespace heed::shards_test
