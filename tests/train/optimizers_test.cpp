#include <heed/train/optimizer.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::optimizers_test {

using testing::distance;

namespace {

/// The weights after four updates by given gradients: two weights, [0.5, −1, 2] and [0.25].
template <class O>
Arena<double> after_four_updates(const O& hyperparameters) {
  const Arena<double> gradients[] = {
      {1, -0.5, 0.25, 3}, {-0.75, 2, 0, 1.5}, {0.1, 0.2, -4, -0.5}, {2, 1, 1, 0}};
  Layout layout;
  layout.append("a", {{"kernel", {3}}, {"bias", {1}}});
  const Optimizer<double> optimizer = hyperparameters;
  auto state = optimizer.make_state(layout);
  Arena<double> w{0.5, -1, 2, 0.25};
  for (const Arena<double>& gradient : gradients) {
    Arena<double> dw = gradient;
    optimizer.update(layout, w, dw, state);
  }
  CHECK(state.steps == 4);
  return w;
}

template <class O>
double difference(const O& optimizer, const Arena<double>& keras) {
  return distance(after_four_updates(optimizer), keras);
}

}  // namespace

// Keras 3.15.1 in float64: keras.optimizers.X(…).apply(gradients, variables) four times. It rounds
// some hyperparameters to float32, so the values here are ones that this does not change; ε and the
// default β are the exceptions, and their comparison is less tight.

TEST_CASE("SGD takes Keras's steps") {
  CHECK(difference(SGD{.learning_rate = 0.1}, {0.265, -1.27, 2.275, -0.15000000000000008}) < 1e-15);
  CHECK(difference(SGD{.learning_rate = 0.125, .momentum = 0.875},
                   {0.060302734375, -1.6251220703125, 2.70904541015625, -1.369384765625}) < 1e-15);
}

TEST_CASE("SGD with Nesterov momentum takes Keras's steps") {
  CHECK(difference(SGD{.learning_rate = 0.125, .momentum = 0.875, .nesterov = true},
                   {-0.17848510742187496, -1.8844818115234374, 2.9641647338867188,
                    -1.666961669921875}) < 1e-15);
  CHECK(difference(SGD{.learning_rate = 0.1, .nesterov = true},
                   {0.265, -1.27, 2.275, -0.15000000000000008}) < 1e-15);
}

TEST_CASE("Adam takes Keras's steps") {
  CHECK(difference(Adam{.learning_rate = 0.125, .beta_1 = 0.875, .beta_2 = 0.96875},
                   {0.2827202776322983, -1.0861256548449163, 1.910835847637254,
                    -0.12943254622040595}) < 1e-14);
  CHECK(difference(Adam{}, {0.49824625717646187, -1.0006675704377868, 1.9992755668797386,
                            0.24694285662281748}) < 1e-7);
}

TEST_CASE("RMSprop takes Keras's steps, with momentum, centered, and both") {
  CHECK(difference(RMSprop{.learning_rate = 0.125, .rho = 0.875},
                   {0.02338386319407576, -1.1985151417170934, 1.9083147968872893,
                    -0.2116492962682417}) < 1e-14);
  CHECK(difference(RMSprop{.learning_rate = 0.125, .rho = 0.875, .momentum = 0.5, .epsilon = 1e-5},
                   {-0.13578350856750337, -1.1657552866327534, 1.7758890452293121,
                    -0.6167194493960112}) < 1e-14);
  CHECK(difference(RMSprop{.learning_rate = 0.125, .rho = 0.875, .epsilon = 1e-5, .centered = true},
                   {-0.02093702384242807, -1.2050733315980522, 1.9038534173828672,
                    -0.2525938773329338}) < 1e-14);
  CHECK(difference(RMSprop{.learning_rate = 0.125,
                           .rho = 0.875,
                           .momentum = 0.5,
                           .epsilon = 1e-5,
                           .centered = true},
                   {-0.2013939074088178, -1.1615945660644558, 1.7607935552078906,
                    -0.6925072620857681}) < 1e-14);
  CHECK(difference(RMSprop{}, {0.49574909068980394, -1.0017349704951992, 1.999190400697091,
                               0.24587454616622803}) < 1e-14);
}

TEST_CASE("clipping by fields of the optimizer gives Keras's steps") {
  CHECK(difference(SGD{.learning_rate = 0.125, .clipnorm = 1},
                   {0.3295992838627163, -1.1197579681488568, 2.0464968714873475, 0.0625}) < 1e-15);
  CHECK(difference(SGD{.learning_rate = 0.125, .clipvalue = 0.5},
                   {0.425, -1.0875, 1.96875, 0.1875}) < 1e-15);
  CHECK(difference(SGD{.learning_rate = 0.125, .global_clipnorm = 1},
                   {0.39183535709288825, -1.1335434087837857, 2.0630820780445154,
                    0.07686873087849991}) < 1e-15);
}

TEST_CASE("an update of many blocks is that of its parts, and allocates nothing") {
  const Index size = 3000;
  const auto check = [&](const auto& hyperparameters) {
    Layout layout, one;
    layout.append("a", {{"kernel", {size}}});
    one.append("a", {{"kernel", {1}}});
    const Optimizer<double> optimizer = hyperparameters;
    auto state = optimizer.make_state(layout);
    auto one_state = optimizer.make_state(one);
    Arena<double> w(testing::random_tensor({size}, 1));
    Arena<double> one_w{w(size - 1)};
    for (std::uint64_t step = 2; step < 5; ++step) {
      Arena<double> dw(testing::random_tensor({size}, step));
      Arena<double> one_dw{dw(size - 1)};
      const testing::Allocations allocations;
      optimizer.update(layout, w, dw, state);
      const std::size_t count = allocations.count();
      CHECK(count == 0);
      optimizer.update(one, one_w, one_dw, one_state);
    }
    CHECK(testing::near(w(size - 1), one_w(0), 1e-14));
  };
  check(SGD{.momentum = 0.9, .nesterov = true});
  check(Adam{});
  check(RMSprop{.momentum = 0.9, .centered = true, .clipvalue = 1});
}

}  // namespace heed::optimizers_test
