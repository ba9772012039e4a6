#include <heed/model/tape.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

namespace heed::tape_test {

using namespace heed::testing;

namespace {

/// Forward and backward with a gradient of ones.
void train(const Model<double>& model, const Tensor<double>& x, Tape<double>& tape) {
  const Pass pass{.training = true};
  model.graph().forward(model.weights(), x, model.graph().output(), pass, tape);
  model.graph().output_gradient(tape).array().setOnes();
  model.graph().backward(model.weights(), tape, true);
}

}  // namespace

TEST_CASE("The second batch of a size allocates nothing, with every layer and forms of attention") {
  if (!Allocations::are_counted()) return;
  const auto all = every_layer_network<double>();
  const auto block = index2_network<double>(Form::block);
  const auto functional = index2_network<double>(Form::functional);
  const auto regression = regression_network<double>(Form::block);
  for (const auto* model : {&all, &block, &functional, &regression}) {
    CAPTURE(model->count_params());
    const auto x = random_tensor(model->input_shape().batch(16), 1);
    Tape<double> tape;
    train(*model, x, tape);
    const Allocations allocations;
    train(*model, x, tape);
    const std::size_t count = allocations.count();
    CHECK(count == 0);
  }
}

TEST_CASE("A smaller batch behind a larger one allocates nothing") {
  if (!Allocations::are_counted()) return;
  const auto model = every_layer_network<double>();
  const auto x = random_tensor({16, 6, 4}, 1);
  const auto few = random_tensor({3, 6, 4}, 2);
  Tape<double> tape;
  train(model, x, tape);
  const Allocations allocations;
  train(model, few, tape);
  train(model, x, tape);
  const std::size_t count = allocations.count();
  CHECK(count == 0);
}

TEST_CASE("A batch gives the same on a used tape as on a new one") {
  const auto model = every_layer_network<double>();
  const auto x = random_tensor({5, 6, 4}, 1);
  Tape<double> fresh;
  train(model, x, fresh);
  Tape<double> used;
  for (const Index N : {7, 1, 2}) train(model, random_tensor({N, 6, 4}, 3), used);
  train(model, x, used);
  CHECK(used.gradients == fresh.gradients);
  CHECK(distance<double>(used.entries.back().outputs[0].value,
                         fresh.entries.back().outputs[0].value) == 0);
  CHECK(distance<double>(used.entries[0].outputs[0].gradient,
                         fresh.entries[0].outputs[0].gradient) == 0);
}

TEST_CASE("One tape may serve one model after the other") {
  const auto first = every_layer_network<double>();
  const auto second = regression_network<double>(Form::functional);
  const auto x1 = random_tensor({2, 6, 4}, 1);
  const auto x2 = random_tensor({3, 10, 1}, 1);
  Tape<double> fresh1, fresh2, tape;
  train(first, x1, fresh1);
  train(second, x2, fresh2);
  for (const int round : {1, 2}) {
    CAPTURE(round);
    train(first, x1, tape);
    CHECK(tape.gradients == fresh1.gradients);
    train(second, x2, tape);
    CHECK(tape.gradients == fresh2.gradients);
  }
}

TEST_CASE("Two tapes of one model do not disturb each other") {
  const auto model = every_layer_network<double>();
  const auto a = random_tensor({2, 6, 4}, 1);
  const auto b = random_tensor({3, 6, 4}, 2);
  Tape<double> expected, one, other;
  train(model, a, expected);
  model.graph().forward(model.weights(), a, model.graph().output(), {.training = true}, one);
  train(model, b, other);
  model.graph().output_gradient(one).array().setOnes();
  model.graph().backward(model.weights(), one);
  CHECK(one.gradients == expected.gradients);
}

}  // namespace heed::tape_test
