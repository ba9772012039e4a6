#include <heed/train/optimizer.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
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

TEST_CASE("Adam's and Adagrad's relatives take Keras's steps") {
  CHECK(difference(
            AdamW{.learning_rate = 0.125, .beta_1 = 0.875, .beta_2 = 0.96875, .weight_decay = 0.5},
            {0.19297005507504716, -0.8681309203292696, 1.4830669226130377, -0.14544592839004253}) <
        1e-14);
  CHECK(difference(Adamax{.learning_rate = 0.125, .beta_1 = 0.875, .beta_2 = 0.96875},
                   {0.3146200607991294, -1.013075623425735, 1.8825852725574577,
                    -0.05956792269381429}) < 1e-14);
  CHECK(difference(Nadam{.learning_rate = 0.125, .beta_1 = 0.875, .beta_2 = 0.96875},
                   {0.29858351748844686, -1.0864362774535075, 1.9679946090005813,
                    0.03880469190816812}) < 1e-14);
  CHECK(difference(Lion{.learning_rate = 0.125, .beta_1 = 0.875, .beta_2 = 0.5},
                   {0.25, -1.25, 2.0, -0.25}) < 1e-14);
  CHECK(difference(Adagrad{.learning_rate = 0.125}, {0.33889401064948316, -1.079994717138524,
                                                     2.0166752568734063, 0.08838445157214952}) <
        1e-14);
  CHECK(difference(Adadelta{.learning_rate = 1.0, .rho = 0.875, .epsilon = 0x1p-10},
                   {0.35452086662930576, -1.1302537663643313, 1.991980486100342,
                    0.12504454591769687}) < 1e-14);
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
  check(AdamW{});
  check(Adamax{.weight_decay = 0.1});
  check(Nadam{});
  check(Lion{});
  check(Adagrad{});
  check(Adadelta{});
}

TEST_CASE("Nadam's momentum goes on for any number of updates") {
  // The sum of its weights is known: for a constant gradient every step is nearly η.
  Layout layout;
  layout.append("a", {{"kernel", {1}}});
  const Optimizer<double> optimizer = Nadam{.learning_rate = 1};
  auto state = optimizer.make_state(layout);
  Arena<double> w{0};
  for (Index step = 0; step < 3000; ++step) {
    Arena<double> dw{2};
    const double before = w(0);
    optimizer.update(layout, w, dw, state);
    if (step > 1100) CHECK(testing::near(before - w(0), 1, 1e-6));
  }
}

TEST_CASE("What is frozen does not decay, and neither do statistics") {
  Layout layout;
  const std::size_t frozen = layout.append("a", {{"kernel", {1}}});
  layout.append("b", {{"kernel", {1}}});
  layout.append("c", {{"mean", {1}}, {"kernel", {1}}});
  Weight mean{"mean", {1}};
  mean.momentum = 0.5;
  layout.append("d", {mean});
  layout.set_trains(frozen, 1, false);
  const Optimizer<double> optimizer = SGD{.learning_rate = 0.5, .weight_decay = 0.5};
  auto state = optimizer.make_state(layout);
  Arena<double> w{1, 1, 1, 1, 1}, dw{0, 0, 0, 0, 4};
  optimizer.update(layout, w, dw, state);
  CHECK(w == Arena<double>{1, 0.75, 0.75, 0.75, 3});
}

TEST_CASE("Fields of optimizers are held to their ranges") {
  const auto refused = [](const auto& optimizer) {
    return testing::message<OptionError>([&] { Optimizer<double> made(optimizer); });
  };
  CHECK(refused(AdamW{.weight_decay = -1}) ==
        "adamw: expected a weight_decay of at least 0, got -1");
  CHECK(refused(AdamW{.beta_2 = 1}) == "adamw: expected beta_2 in [0, 1), got 1");
  CHECK(refused(Adamax{.epsilon = -1}) == "adamax: expected an epsilon above 0, got -1");
  CHECK(refused(Nadam{.beta_1 = NAN}) == "nadam: expected beta_1 in [0, 1), got nan");
  CHECK(refused(Lion{.beta_1 = -0.5}) == "lion: expected beta_1 in [0, 1), got -0.5");
  CHECK(refused(Adagrad{.initial_accumulator_value = -1}) ==
        "adagrad: expected an initial_accumulator_value of at least 0, got -1");
  CHECK(refused(Adam{.epsilon = 0}) == "adam: expected an epsilon above 0, got 0");
  CHECK(refused(Adam{.epsilon = 1e-50}) == "adam: expected an epsilon above 0, got 1e-50");
  CHECK(refused(Adagrad{.epsilon = 0}) == "adagrad: expected an epsilon above 0, got 0");
  CHECK(refused(Adadelta{.rho = 1}) == "adadelta: expected rho in [0, 1), got 1");
  CHECK(refused(Adadelta{.epsilon = 0}) == "adadelta: expected an epsilon above 0, got 0");
}

TEST_CASE("Each optimizer has its name in Keras") {
  for (const char* name : {"AdamW", "Adamax", "Nadam", "Lion", "Adagrad", "Adadelta"}) {
    CHECK_NOTHROW(Optimizer<float>(name));
  }
}

}  // namespace heed::optimizers_test
