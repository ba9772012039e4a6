#include <heed/layers/batch_normalization.hpp>

#include <heed/layers/dense.hpp>
#include <heed/model/shards.hpp>
#include <heed/train/fit.hpp>

#include "support/layer_testing.hpp"

namespace heed::batch_normalization_test {

using namespace heed::testing;

namespace {

double worst_gradient(const BatchNormalization& layer, const Shape& sample, Index N, bool training,
                      const std::vector<std::uint8_t>& mask = {}) {
  LayerRun run(layer, {sample}, N);
  run.pass.training = training;
  if (!mask.empty()) run.set_mask(mask);
  const GradientCheck worst = check_gradients(run);
  INFO(worst.parameter << ", analytic " << worst.analytic << ", numeric " << worst.numeric);
  return worst.worst;
}

/// A normalization behind nothing, with targets to learn.
Model<double> normalized(const BatchNormalization& layer = {}) {
  Model<double> model;
  model.input({3});
  model.add("norm", layer);
  model.add("out", Dense{.units = 1});
  model.build({.seed = 1});
  return model;
}

}  // namespace

TEST_CASE("BatchNormalization's gradients agree with differences, in training and not") {
  for (const bool training : {false, true}) {
    for (const bool scale : {false, true}) {
      for (const bool center : {false, true}) {
        const BatchNormalization layer{.center = center, .scale = scale};
        CHECK(worst_gradient(layer, {3}, 5, training) < gradient_tolerance);
        CHECK(worst_gradient(layer, {4, 3}, 2, training) < gradient_tolerance);
        CHECK(worst_gradient(layer, {2, 2, 3}, 2, training) < gradient_tolerance);
      }
    }
    const std::vector<std::uint8_t> mask{1, 0, 1, 1, 0, 0, 1, 1};
    CHECK(worst_gradient({}, {4, 3}, 2, training, mask) < gradient_tolerance);
    // The second of its axes is a part of each step.
    CHECK(worst_gradient({}, {4, 2, 3}, 2, training, mask) < gradient_tolerance);
  }
}

TEST_CASE("BatchNormalization's backward does what every layer's does") {
  for (const bool training : {false, true}) {
    LayerRun run(BatchNormalization{}, {{4, 3}}, 3);
    run.pass.training = training;
    check_backward(run);
  }
}

TEST_CASE("A trained BatchNormalization gives features of mean 0 and variance 1") {
  LayerRun run(BatchNormalization{.epsilon = 1e-12, .center = false, .scale = false}, {{7, 3}}, 20);
  run.pass.training = true;
  run.x[0].array() = 5 + 3 * run.x[0].array();
  run.forward();
  const auto y = run.y.matrix().array();
  CHECK(y.colwise().mean().abs().maxCoeff() < 1e-14);
  CHECK((y.square().colwise().mean() - 1).abs().maxCoeff() < 1e-10);
}

TEST_CASE("A feature that never changes becomes β") {
  LayerRun run(BatchNormalization{}, {{7, 3}}, 2);
  run.pass.training = true;
  run.x[0].array().setConstant(0.5);
  run.forward();
  run.backward();
  const auto beta = run.w()[1].row();
  CHECK((run.y.matrix().rowwise() - beta).norm() == 0);
  CHECK(run.dx[0].array().isFinite().all());
}

TEST_CASE("Statistics leave masked steps out, however large they are") {
  const auto statistics = [](double masked) {
    LayerRun run(BatchNormalization{}, {{3, 2}}, 2);
    run.set_mask({1, 1, 0, 1, 0, 0});
    for (const auto& [n, t] : {std::pair{0, 2}, {1, 1}, {1, 2}}) {
      run.x[0](n, t, 0) = run.x[0](n, t, 1) = masked;
    }
    run.pass.training = true;
    run.forward();
    run.backward();
    const Slot& mean = *run.layout.find("layer/moving_mean");
    return Tensor<double>(View<double>(run.gradients.data() + mean.offset, {4}));
  };
  CHECK(statistics(0) == statistics(1e6));
}

TEST_CASE("BatchNormalization computes each step by itself when it is not trained") {
  check_step_wise(BatchNormalization{.axis = 2}, {{5, 9}});
  check_step_wise(BatchNormalization{}, {{5, 2, 3}});
}

TEST_CASE("An update moves the statistics by momentum, and no optimizer changes them") {
  auto model = normalized({.momentum = 0.75});
  const auto x = random_tensor({6, 3}, 2);
  const auto y = random_tensor({6, 1}, 3);
  const Eigen::RowVectorXd mean = x.matrix().colwise().mean();
  Trainer<double> trainer(model, {.loss = MeanSquaredError{},
                                  .optimizer = Adam{.learning_rate = 10, .clipvalue = 1e-6}});
  trainer.step(x, y);
  CHECK((model.weight("norm/moving_mean").row() - 0.25 * mean).norm() < 1e-15);
  trainer.step(x, y);
  CHECK((model.weight("norm/moving_mean").row() - (0.25 + 0.75 * 0.25) * mean).norm() < 1e-15);
  CHECK((model.weight("norm/gamma").array() < 0.9).any());
}

TEST_CASE("A frozen BatchNormalization is not told that it is in training") {
  auto model = normalized();
  model.set_trainable("norm", false);
  const auto x = random_tensor({6, 3}, 2);
  const Tensor<double> before(model.weights());
  Trainer<double> trainer(model, {.loss = MeanSquaredError{}, .optimizer = SGD{}});
  const auto predicted = model.predict(x);
  trainer.step(x, random_tensor({6, 1}, 3));
  CHECK(trainer.output() == predicted);
  CHECK((model.weight("norm/moving_variance").array() == 1).all());
}

TEST_CASE("A model with statistics is trained on whole batches, whatever the number of threads") {
  const auto x = random_tensor({13, 3}, 2), y = random_tensor({13, 1}, 3);
  const auto trained = [&](Index threads) {
    auto model = normalized();
    model.fit(x, y,
              {.loss = MeanSquaredError{},
               .epochs = 2,
               .batch_size = 5,
               .threads = threads,
               .verbose = Verbose::silent});
    return Tensor<double>(model.weights());
  };
  CHECK(trained(1) == trained(3));
}

TEST_CASE("BatchNormalization's configuration and its weights") {
  check_config(BatchNormalization{.momentum = 0.5, .scale = false},
               {{"axis", Index{-1}},
                {"momentum", 0.5},
                {"epsilon", 1e-3},
                {"center", true},
                {"scale", false},
                {"beta_initializer", "zeros"},
                {"gamma_initializer", "ones"},
                {"moving_mean_initializer", "zeros"},
                {"moving_variance_initializer", "ones"}});
  const auto model = normalized();
  CHECK((model.weight("norm/gamma").array() == 1).all());
  CHECK((model.weight("norm/beta").array() == 0).all());
  CHECK((model.weight("norm/moving_mean").array() == 0).all());
  CHECK((model.weight("norm/moving_variance").array() == 1).all());
}

TEST_CASE("BatchNormalization refuses what it cannot compute") {
  CHECK(refusal<OptionError>(BatchNormalization{.axis = 1}, {4, 3}) ==
        "BatchNormalization \"layer\": expected the last axis, -1 or 2, got axis 1");
  CHECK(refusal<OptionError>(BatchNormalization{.momentum = 1.5}, {3}) ==
        "BatchNormalization \"layer\": expected a momentum in [0, 1], got 1.5");
  CHECK(refusal<OptionError>(BatchNormalization{.momentum = NAN}, {3}) ==
        "BatchNormalization \"layer\": expected a momentum in [0, 1], got nan");
  CHECK(refusal<OptionError>(BatchNormalization{.epsilon = 0}, {3}) ==
        "BatchNormalization \"layer\": expected an epsilon above 0, got 0");
}

}  // namespace heed::batch_normalization_test
