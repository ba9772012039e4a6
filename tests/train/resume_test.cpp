#include <heed/train/resume.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/trainings.hpp"

namespace heed::resume_test {

using testing::Training;
using testing::UnevenTraining;

namespace {

/// Runs behind all other callbacks, and takes a snapshot of each step and each epoch's end.
template <class S>
Callback<S> recorder(std::vector<TrainingSnapshot<S>>& snapshots) {
  const auto take = [&snapshots](TrainingState<S>& state) {
    snapshots.push_back(state.snapshot().value());
  };
  return {.on_batch_end = take, .on_epoch_end = take, .runs_last = true};
}

template <class S>
std::vector<TrainingSnapshot<S>> snapshots(const Training<S>& training, FitOptions<S> options) {
  std::vector<TrainingSnapshot<S>> taken;
  options.callbacks.insert(options.callbacks.begin(), recorder<S>(taken));
  auto model = training.model();
  model.fit(training.x, training.y, options);
  return taken;
}

template <class S>
void check_same_end(Index threads) {
  CAPTURE(threads, sizeof(S));
  const Training<S> training;
  auto whole = training.model();
  const auto history = whole.fit(training.x, training.y, training.options(threads));
  REQUIRE(history.epochs() == 4);  // stopped early
  const auto taken = snapshots(training, training.options(threads));
  REQUIRE(taken.size() == 4 * (3 + 1));
  for (const auto& snapshot : taken) {
    CAPTURE(snapshot.epoch, snapshot.step);
    auto model = training.model(99);  // other weights
    auto options = training.options(threads);
    options.resume_from = snapshot;
    const auto again = model.fit(training.x, training.y, options);
    CHECK(model.weights() == whole.weights());
    CHECK(again == history);
  }
}

std::string refusal(const FitOptions<double>& options, const TrainingSnapshot<double>& snapshot,
                    Model<double> model = Training<double>::model(),
                    const Training<double>& training = {}) {
  auto changed = options;
  changed.resume_from = snapshot;
  const Arena<double> before(model.weights());
  const auto& memory = options.callbacks.empty() ? nullptr : options.callbacks.back().memory;
  const auto numbers = memory ? memory->numbers : Logs();
  auto text = testing::message<OptionError>([&] { model.fit(training.x, training.y, changed); });
  CHECK(model.weights() == before);
  if (memory) CHECK(memory->numbers == numbers);
  return text;
}

}  // namespace

TEST_CASE("a training that goes on from any step ends in the bits of one that did not stop") {
  check_same_end<double>(1);
  check_same_end<float>(1);
  check_same_end<double>(2);
  check_same_end<float>(2);
}

TEST_CASE("several inputs, weights and Sequences go on to the same bits, and others are refused") {
  const UnevenTraining training;
  for (const Index threads : {1, 2}) {
    auto options = training.options();
    options.threads = threads;
    auto whole = training.model(1);
    const auto history = training.fit(whole, options);
    std::vector<TrainingSnapshot<double>> taken;
    options.callbacks = {recorder<double>(taken)};
    auto recorded = training.model(1);
    training.fit(recorded, options);
    options.callbacks.clear();
    REQUIRE(taken.size() == 3 * (3 + 1));
    for (const auto& snapshot : taken) {
      auto model = training.model(99);
      options.resume_from = snapshot;
      CHECK(training.fit(model, options) == history);
      CHECK(model.weights() == whole.weights());
    }

    options.resume_from = taken[1];
    const auto refused = [&](const FitOptions<double>& changed, const UnevenTraining& given) {
      auto model = given.model(99);
      const auto text = testing::message<OptionError>([&] { given.fit(model, changed); });
      CHECK(model.weights() == given.model(99).weights());
      return text;
    };
    const auto contains = [](const std::string& text, const std::string& part) {
      return text.find(part) != std::string::npos;
    };
    auto changed = options;
    changed.similar_lengths = false;
    CHECK(refused(changed, training) ==
          "resume_from: the snapshot was made with similar_lengths: true; this training has "
          "similar_lengths: false");
    changed = options;
    changed.loss_weights = {0.5, 3.};
    CHECK(refused(changed, training) ==
          "resume_from: the snapshot was made with loss: binary_crossentropy, from_logits false, "
          "label_smoothing 0, weight 2; this training has loss: binary_crossentropy, from_logits "
          "false, label_smoothing 0, weight 3");
    changed = options;
    changed.metrics = {{"price", {"accuracy"}}};
    CHECK(refused(changed, training) ==
          "resume_from: the snapshot was made with metrics: tag: accuracy; this training has "
          "metrics: price: accuracy");
    changed = options;
    changed.weighted_metrics = {{"tag", {"accuracy"}}};
    CHECK(refused(changed, training) ==
          "resume_from: the snapshot was made with weighted metrics: price: mae; tag: accuracy; "
          "this training has weighted metrics: tag: accuracy");
    changed = options;
    changed.sample_weight = {};
    CHECK(contains(refused(changed, training), "was made with training data: x of (11, any, 2)"));
    // Other numbers, and the same numbers in sequences of other lengths.
    for (int kind = 0; kind < 3; ++kind) {
      UnevenTraining other;
      if (kind == 0) other.weights(0) += 1;
      if (kind == 1) other.wide(3, 1) += 1;
      if (kind == 2) {
        other.x = Sequences<double>(Shape{2});
        for (Index n = 0; n < 14; ++n)
          other.x.push_back(
              testing::random_tensor({training.x.steps(n), 2}, static_cast<std::uint64_t>(n + 1)));
      }
      auto with_others = options;
      with_others.sample_weight = {{"tag", other.tag_weights}, {"price", other.weights}};
      CHECK(contains(refused(with_others, other), "this training has training data: x of"));
    }
  }
}

TEST_CASE("the lengths of Sequences and masks are part of the data that a training goes on with") {
  const Sequences<double> a{{1, 2}, {3}}, b{{1}, {2, 3}};
  CHECK(detail::columns_text<double>("x", {a}) != detail::columns_text<double>("x", {b}));
  const Tensor<double, 2> x{{1, 2}, {3, 4}};
  const std::vector<std::uint8_t> one{1, 1, 1, 0}, other{1, 0, 1, 1};
  const auto text = [&](const Mask& mask) {
    return detail::columns_text<double>("x", {{x, mask}});
  };
  CHECK(text({one.data(), {2, 2}}) != text({other.data(), {2, 2}}));
  CHECK(text({one.data(), {2, 2}}) != text({}));
  CHECK(text({one.data(), {2, 2}}) == text({std::vector<std::uint8_t>(one).data(), {2, 2}}));
}

TEST_CASE("every optimizer, in order or shuffled, goes on to the same bits") {
  const Training<double> training;
  for (const Optimizer<double>& optimizer :
       {Optimizer<double>(SGD{}), Optimizer<double>(SGD{.momentum = 0.9, .nesterov = true}),
        Optimizer<double>(RMSprop{.momentum = 0.5, .centered = true})}) {
    for (const bool shuffle : {false, true}) {
      auto options = training.options();
      options.optimizer = optimizer;
      options.shuffle = shuffle;
      options.validation_split = 0;
      options.validation_data = {training.x, training.y};
      auto whole = training.model();
      const auto history = whole.fit(training.x, training.y, options);
      const auto taken = snapshots(training, options);
      for (const std::size_t i : {std::size_t{1}, taken.size() / 2}) {
        auto model = training.model(99);
        options.resume_from = taken[i];
        CHECK(model.fit(training.x, training.y, options) == history);
        CHECK(model.weights() == whole.weights());
      }
    }
  }
}

TEST_CASE("the best weights of early stopping come back in a training that went on") {
  const Training<double> training;
  auto options = training.options();
  options.callbacks = {EarlyStopping{.min_delta = 10, .patience = 2, .restore_best_weights = true}};
  auto whole = training.model();
  const auto history = whole.fit(training.x, training.y, options);
  for (const auto& snapshot : snapshots(training, options)) {
    auto model = training.model(99);
    options.resume_from = snapshot;
    CHECK(model.fit(training.x, training.y, options) == history);
    CHECK(model.weights() == whole.weights());
  }
}

TEST_CASE("a training that has come to its end stays there") {
  const Training<double> training;
  auto options = training.options();
  const auto taken = snapshots(training, options);
  CHECK(taken.back().epoch == 4);
  CHECK(taken.back().stop);
  Index steps = 0;
  options.callbacks.push_back({.on_batch_end = [&](auto&) { ++steps; }});
  options.resume_from = taken.back();
  auto model = training.model(99);
  CHECK(model.fit(training.x, training.y, options) == taken.back().history);
  CHECK(model.weights() == taken.back().weights);
  CHECK(steps == 0);
}

TEST_CASE("more epochs can be asked for, and another number of threads") {
  const Training<double> training;
  auto options = training.options();
  options.callbacks = {};
  options.epochs = 3;
  auto whole = training.model();
  const auto history = whole.fit(training.x, training.y, options);
  options.epochs = 2;
  const auto taken = snapshots(training, options);
  options.epochs = 3;
  options.resume_from = taken.back();
  auto model = training.model(99);
  CHECK(model.fit(training.x, training.y, options) == history);
  CHECK(model.weights() == whole.weights());
  options.threads = 2;
  auto other = training.model(99);
  other.fit(training.x, training.y, options);
  CHECK(testing::distance(other.weights(), whole.weights()) < 1e-8);
}

TEST_CASE("callbacks see where a training goes on, and cannot change what it goes on with") {
  const Training<double> training;
  auto options = training.options();
  options.callbacks = {};
  auto whole = training.model();
  const auto history = whole.fit(training.x, training.y, options);
  const auto taken = snapshots(training, options);
  std::string record;
  const auto write = [&](const char* event) {
    return [&record, event](TrainingState<double>& state) {
      if (state.epoch <= 3) record += join(event, state.epoch, ".", state.step, " ");
      state.learning_rate = event[0] == 'b' ? state.learning_rate : 7;
    };
  };
  options.callbacks = {{.on_train_begin = write("train "),
                        .on_epoch_begin =
                            [&](auto& state) {
                              record += join("epoch ", state.epoch, ".", state.step, " ");
                              if (state.epoch == 2) write("epoch ")(state), record += "| ";
                            },
                        .on_batch_end = write("batch ")}};
  options.epochs = 6;
  options.resume_from = taken[4];  // epoch 2, step 1
  auto model = training.model(99);
  CHECK(model.fit(training.x, training.y, options) == history);
  CHECK(model.weights() == whole.weights());
  CHECK(record.starts_with(
      "train 1.1 epoch 2.1 epoch 2.1 | batch 2.2 batch 2.3 epoch 3.0 batch 3.1"));
}

TEST_CASE("progress of an epoch that was begun is timed by the steps that are seen") {
  const Training<double> training;
  auto options = training.options();
  const auto taken = snapshots(training, options);
  std::ostringstream out;
  options.verbose = Verbose::line;
  options.output = &out;
  detail::said_unoptimized.test_and_set();
  options.resume_from = taken[4];
  auto model = training.model();
  model.fit(training.x, training.y, options);
  const std::string text = out.str();
  const std::string begin = "Goes on after epoch 1, step 1\n";
  CHECK(text.starts_with(begin + "Epoch 2/6 - 3/3 - 0s - "));
  CHECK(text.find("s/step") < begin.size() + 30);
}

TEST_CASE("a snapshot of another training is refused, and nothing is changed") {
  const Training<double> training;
  const auto options = training.options();
  const auto snapshot = snapshots(training, options)[4];
  const auto with = [&](auto change) {
    auto changed = options;
    change(changed);
    return refusal(changed, snapshot);
  };
  const std::string made = "resume_from: the snapshot was made with ";
  CHECK(with([](auto& o) { o.batch_size = 8; }) ==
        made + "batch_size: 16; this training has batch_size: 8");
  CHECK(with([](auto& o) { o.seed = 5; }) == made + "seed: 4; this training has seed: 5");
  CHECK(with([](auto& o) { o.shuffle = false; }) ==
        made + "shuffle: true; this training has shuffle: false");
  CHECK(with([](auto& o) { o.loss = MeanSquaredError{}; }) ==
        made +
            "loss: binary_crossentropy, from_logits false, label_smoothing 0; this training has "
            "loss: "
            "mean_squared_error");
  CHECK(with([](auto& o) { o.loss = BinaryCrossentropy{.label_smoothing = 0.1}; })
            .ends_with("this training has loss: binary_crossentropy, from_logits false, "
                       "label_smoothing 0.1"));
  CHECK(with([](auto& o) {
          o.metrics = {BinaryAccuracy{.threshold = 0.4}, MeanAbsoluteError{}};
        })
            .ends_with("this training has metrics: binary_accuracy, threshold 0.4, "
                       "mean_absolute_error"));
  CHECK(with([](auto& o) { o.metrics = {}; }) ==
        made +
            "metrics: binary_accuracy, threshold 0.5, mean_absolute_error; this training has "
            "metrics: none");
  CHECK(
      with([](auto& o) { o.optimizer = SGD{}; }) ==
      made +
          "optimizer: adam, learning_rate 0.02, beta_1 0.9, beta_2 0.999, epsilon 1e-07, clipnorm "
          "0, clipvalue 0, global_clipnorm 0.5, weight_decay 0; this training has optimizer: SGD, "
          "learning_rate 0.01, momentum 0, nesterov false, clipnorm 0, clipvalue 0, "
          "global_clipnorm 0, weight_decay 0");
  for (const Optimizer<double>& optimizer :
       {Optimizer<double>(Adam{.learning_rate = 0.01, .global_clipnorm = 0.5}),
        Optimizer<double>(Adam{.learning_rate = 0.02, .beta_2 = 0.99, .global_clipnorm = 0.5}),
        Optimizer<double>(Adam{.learning_rate = 0.02})}) {
    CHECK(with([&](auto& o) { o.optimizer = optimizer; }).starts_with(made + "optimizer: adam"));
  }
  CHECK(with([](auto& o) {
          o.validation_split = 0.5;
        }).starts_with(made + "training data: x of (40, 5, 2) with the checksum "));
  CHECK(with([&](auto& o) {
          o.validation_split = 0;
          o.validation_data = {training.x, training.y};
        }).starts_with(made + "training data: x of (40, 5, 2)"));
  CHECK(
      with([](auto& o) { o.callbacks.pop_back(); }) ==
      made +
          "callbacks with a memory: EarlyStopping of val_loss, min_delta 10, patience 3, mode min; "
          "this training has callbacks with a memory: none");
  CHECK(with([](auto& o) {
          o.callbacks.back() =
              EarlyStopping{.min_delta = 10, .patience = 3, .restore_best_weights = true};
        }).ends_with("patience 3, mode min, restore_best_weights"));
  CHECK(with([](auto& o) { o.epochs = 1; }) ==
        "resume_from: the snapshot was made after 1 epochs and 1 steps; this training has only 1 "
        "epochs");

  Training<double> other;
  other.x(7, 3, 1) += 1e-9;
  CHECK(refusal(options, snapshot, training.model(), other)
            .starts_with(made + "training data: x of (40, 5, 2) with the checksum "));
  Training<double> later;
  later.y(49, 0) = 1 - later.y(49, 0);
  CHECK(
      refusal(options, snapshot, training.model(), later).starts_with(made + "validation data: "));

  Model<double> wide;
  wide.input({5, 2});
  wide.add("lstm", LSTM{.units = 8});
  wide.add("output", Dense{.units = 1, .activation = Activation::sigmoid});
  wide.build();
  const auto text = refusal(options, snapshot, wide);
  CHECK(text.starts_with(made + "layer 2: LSTM \"lstm\" of \"input_layer\", units 4, "));
  CHECK(text.find("; this training has layer 2: LSTM \"lstm\" of \"input_layer\", units 8, ") !=
        std::string::npos);
}

TEST_CASE("a snapshot that does not hold together is refused, and nothing is changed") {
  const Training<double> training;
  const auto options = training.options();
  const auto good = snapshots(training, options)[4];
  const std::string damage = "resume_from: the snapshot is damaged: ";
  const auto with = [&](auto change) {
    auto bad = good;
    change(bad);
    return refusal(options, bad);
  };
  CHECK(with([](auto& s) { s.weights.resize({3}); }) == damage + "expected 163 weights, got 3");
  CHECK(with([](auto& s) { s.optimizer.moments.pop_back(); }) ==
        damage + "expected 2 moments of the optimizer, got 1");
  CHECK(with([](auto& s) { s.optimizer.moments[1].resize({4}); }) ==
        damage + "expected 163 numbers in a moment, got 4");
  CHECK(with([](auto& s) { s.sums.pop_back(); }) ==
        damage + "expected 6 sums over an epoch, got 5");
  CHECK(with([](auto& s) { s.history = {}; }) ==
        damage + "expected 1 epochs in the history, got 0");
  CHECK(with([](auto& s) { s.learning_rate = -1; }) ==
        "expected a learning_rate that is finite and at least 0, got -1");
  CHECK(with([](auto& s) { s.step = 4; }) == damage + "expected a step up to 3, got 4");
  CHECK(with([](auto& s) { s.step = -1; }) == damage + "expected a step up to 3, got -1");
  CHECK(with([](auto& s) { s.optimizer.steps = std::numeric_limits<std::int64_t>::max(); }) ==
        damage + "expected 4 updates, got 9223372036854775807");
  CHECK(with([](auto& s) { s.samples = 0; }) ==
        damage + join("expected ", 16 * good.step, " samples so far, got 0"));
  CHECK(with([](auto& s) { s.callbacks.clear(); }) ==
        damage +
            "the memory of EarlyStopping of val_loss, min_delta 10, patience 3, mode min is not "
            "where it should be");
  CHECK(with([](auto& s) { s.callbacks[0].weights.resize({2}); }) ==
        damage + "expected 163 weights in the memory of a callback, got 2");
}

TEST_CASE("a snapshot is taken of a training that runs, between its steps") {
  auto model = Training<double>::model();
  const TrainingState<double> alone{.model = model};
  CHECK(testing::message<OptionError>([&] { alone.snapshot(); }) ==
        "snapshot() needs a training that fit runs");
  const Training<double> training;
  auto options = training.options();
  options.callbacks = {{.on_epoch_begin = [](TrainingState<double>& state) { state.snapshot(); }}};
  CHECK(testing::message<OptionError>([&] { model.fit(training.x, training.y, options); }) ==
        "snapshot() can only be called in on_batch_end and on_epoch_end");
}

TEST_CASE("weights that give no finite loss make no snapshot") {
  const Training<double> training;
  auto options = training.options();
  options.loss = MeanSquaredError{};
  Model<double> model;
  model.input({5, 2});
  model.add(Flatten{});
  model.add(Dense{.units = 1});
  model.build();
  std::vector<bool> taken;
  const auto rates = [&](double rate) {
    taken.clear();
    auto copy = model;
    options.optimizer = SGD{.learning_rate = rate};
    options.callbacks = {
        {.on_batch_end = [&](auto& state) { taken.push_back(state.snapshot().has_value()); }}};
    CHECK_THROWS_AS(copy.fit(training.x, training.y, options), TrainingError);
    return taken.back();
  };
  CHECK_FALSE(rates(1e160));                               // finite weights, an infinite loss
  CHECK_FALSE(rates(std::numeric_limits<double>::max()));  // weights that are not finite
}

}  // namespace heed::resume_test
