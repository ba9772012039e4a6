#include <heed/train/optimizer.hpp>
#include <limits>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::optimizer_test {

namespace {

/// An optimizer of a user's own, without moments or clipping: moves by the sign of the gradient.
struct SignDescent {
  double learning_rate = 0.5;
  static constexpr std::string_view name = "sign_descent";
  void update(View<float> w, View<const float> dw, OptimizerState<float>& state) const {
    w.array() -= static_cast<float>(state.learning_rate) * dw.array().sign();
  }
};

template <class O>
std::string refused(const O& optimizer) {
  return testing::message<OptionError>([&] { Optimizer<float>{optimizer}; });
}

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("a user's own optimizer needs a name, a learning rate and a function") {
  Layout layout;
  layout.append("a", {{"kernel", {2}}});
  const Optimizer<float> optimizer = SignDescent{};
  auto state = optimizer.make_state(layout);
  CHECK(optimizer.name() == "sign_descent");
  CHECK(state.moments.empty());
  Arena<float> w{1, 1};
  Arena<float> dw{3, -4};
  optimizer.update(layout, w, dw, state);
  CHECK(w == Arena<float>{0.5, 1.5});
  state.learning_rate = 0.25;
  optimizer.update(layout, w, dw, state);
  CHECK(w == Arena<float>{0.25, 1.75});
  CHECK(state.steps == 2);
}

TEST_CASE("an optimizer begins with its learning rate, no steps and moments of zero") {
  Layout layout;
  layout.append("a", {{"kernel", {2, 3}}});
  const auto count = [&](const Optimizer<double>& optimizer) {
    const auto state = optimizer.make_state(layout);
    CHECK(state.learning_rate == optimizer.learning_rate());
    CHECK(state.steps == 0);
    for (const auto& moment : state.moments) CHECK(moment == Arena<double>(Shape{6}));
    return state.moments.size();
  };
  CHECK(count(SGD{}) == 0);
  CHECK(count(SGD{.momentum = 0.9}) == 1);
  CHECK(count(Adam{}) == 2);
  CHECK(count(RMSprop{}) == 1);
  CHECK(count(RMSprop{.momentum = 0.9, .centered = true}) == 3);
}

TEST_CASE("hyperparameters outside their range are refused with a sentence") {
  CHECK(refused(Adam{.learning_rate = -1}) ==
        "expected a learning_rate that is finite and at least 0, got -1");
  CHECK(refused(SGD{.learning_rate = infinity}) ==
        "expected a learning_rate that is finite and at least 0, got inf");
  CHECK(refused(SGD{.learning_rate = infinity - infinity}) != "(nothing thrown)");
  CHECK(refused(Adam{.beta_1 = 1}) == "adam: expected beta_1 in [0, 1), got 1");
  CHECK(refused(Adam{.beta_2 = -0.5}) == "adam: expected beta_2 in [0, 1), got -0.5");
  CHECK(refused(Adam{.epsilon = -1}) == "adam: expected an epsilon above 0, got -1");
  CHECK(refused(SGD{.momentum = 2}) == "SGD: expected momentum in [0, 1], got 2");
  CHECK(refused(RMSprop{.rho = 1}) == "rmsprop: expected rho in [0, 1), got 1");
  CHECK(refused(RMSprop{.momentum = -1}) == "rmsprop: expected momentum in [0, 1], got -1");
  CHECK(refused(RMSprop{.epsilon = infinity}) == "rmsprop: expected an epsilon above 0, got inf");
  CHECK(refused(Adam{.clipnorm = 1, .clipvalue = 1}) ==
        "adam: expected one of clipnorm, clipvalue and global_clipnorm, got 1, 1 and 0");
  CHECK(refused(Adam{.learning_rate = 0}) == "(nothing thrown)");
}

TEST_CASE("an optimizer is made from a name that Keras has for it, whatever its case") {
  CHECK(Optimizer<float>("adam").config() == Optimizer<float>(Adam{}).config());
  CHECK(Optimizer<float>("SGD").name() == "SGD");
  CHECK(Optimizer<float>("RMSprop").learning_rate() == 1e-3);
  CHECK(
      testing::message<OptionError>([] { Optimizer<float>("ftrl"); }) ==
      "there is no optimizer \"ftrl\" among \"adam\", \"sgd\", \"rmsprop\", \"adamw\", \"adamax\", "
      "\"nadam\", \"lion\", \"adagrad\", \"adadelta\"");
}

TEST_CASE("a state that no training comes to is refused, and changes nothing") {
  Layout layout;
  layout.append("layer", {{"kernel", {2}}});
  const Optimizer<float> optimizer = Adam{};
  const auto refused = [&](auto change) {
    auto state = optimizer.make_state(layout);
    change(state);
    Arena<float> w{1, 1}, dw{3, -4};
    const auto text =
        testing::message<OptionError>([&] { optimizer.update(layout, w, dw, state); });
    CHECK(w == Arena<float>{1.f, 1.f});
    return text;
  };
  const std::string count = "adam: expected a number of updates that can be counted on from, got ";
  CHECK(refused([](auto& s) { s.steps = -5; }) == count + "-5");
  CHECK(refused([](auto& s) { s.steps = std::numeric_limits<std::int64_t>::max(); }) ==
        count + "9223372036854775807");
  const std::string moments = "adam: expected a state of 2 moments with 2 numbers each";
  CHECK(refused([](auto& s) { s.moments.pop_back(); }) == moments);
  CHECK(refused([](auto& s) { s.moments[1].resize({1}); }) == moments);
  CHECK(refused([](auto& s) { s.learning_rate = -1; }).starts_with("expected a learning_rate"));
}

}  // namespace heed::optimizer_test
