#include <heed/attention/luong_attention.hpp>
#include <heed/layers/activation.hpp>
#include <heed/layers/add.hpp>
#include <heed/layers/bidirectional.hpp>
#include <heed/layers/concatenate.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/dropout.hpp>
#include <heed/layers/embedding.hpp>
#include <heed/layers/gru.hpp>
#include <heed/layers/last_step.hpp>
#include <heed/layers/lstm.hpp>
#include <heed/layers/masking.hpp>
#include <heed/layers/repeat_vector.hpp>
#include <heed/layers/simple_rnn.hpp>
#include <heed/layers/time_distributed.hpp>
#include <heed/train/fit.hpp>
#include <heed/train/length_mask.hpp>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

// Samples of unequal length, given as Sequences or with masks.

namespace heed::fit_sequences_test {

using namespace heed::testing;

namespace {

/// Every batch of 3 has a sample of 5 steps, which is as long as they get.
const std::vector<Index> lengths{5, 2, 3, 1, 5, 4, 2, 2, 5};
constexpr Index longest = 5;
const std::uint64_t seed = 7;

Sequences<double> sequences(const Shape& step, std::uint64_t from = seed) {
  Sequences<double> made(step);
  for (const Index steps : lengths) made.push_back(random_tensor(step.batch(steps), from++));
  return made;
}

const auto x = sequences({2}), y = sequences({1}, 50);
const Sequences<double> weights = [] {
  Sequences<double> made;
  for (const Index steps : lengths) {
    Tensor<double> weight = random_tensor({steps}, static_cast<std::uint64_t>(90 + steps));
    weight.array() = weight.array().abs();
    made.push_back(weight);
  }
  return made;
}();
const LengthMask counts(lengths, longest);
const Mask mask = counts;

/// The same with zeros after the end.
Tensor<double> padded(const Sequences<double>& from, Index steps = longest) {
  std::vector<Index> rows(static_cast<std::size_t>(from.samples()));
  std::iota(rows.begin(), rows.end(), Index{0});
  Tensor<double> result;
  std::vector<std::uint8_t> ignored;
  from.pad(rows, steps, result, ignored);
  return result;
}

Model<double> network(Index steps = any, double dropout = 0) {
  Model<double> model("net");
  model.input("x", {steps, 2});
  model.add("lstm", LSTM{.units = 3, .return_sequences = true});
  model.add("dropout", Dropout{.rate = dropout});
  model.add("y", Dense{.units = 1});
  model.build({.seed = 1});
  return model;
}

FitOptions<double> options() {
  return {.loss = "mse",
          .metrics = {"mae"},
          .weighted_metrics = {"mse"},
          .epochs = 2,
          .batch_size = 3,
          .shuffle = false,
          .verbose = Verbose::silent};
}

struct Trained {
  Tensor<double> weights;
  History history;
  bool operator==(const Trained&) const = default;
};

Trained train(const Columns<double>& given, const Columns<double>& targets,
              const FitOptions<double>& how = options(), Index steps = any) {
  auto model = network(steps);
  const auto history = model.fit(given, targets, how);
  return {Tensor<double>(model.weights()), history};
}

std::string refused(const Columns<double>& given, const Columns<double>& targets,
                    const FitOptions<double>& how = options(), Index steps = any) {
  auto model = network(steps);
  const Arena<double> before(model.weights());
  const auto text = message<Error>([&] { model.fit(given, targets, how); });
  CHECK(model.weights() == before);
  CHECK(model.trained() == heed::Trained{});
  return text;
}

}  // namespace

TEST_CASE("Sequences train as the padded tensor with its mask does, to the same bits") {
  auto how = options();
  const auto plain = train(x, y, how);
  const auto xs = padded(x), ys = padded(y), ws = padded(weights);
  CHECK(train({{xs, mask}}, ys, how) == plain);
  CHECK(train({{xs, mask}}, {{ys, mask}}, how) == plain);
  CHECK(train(x, ys, how) == plain);
  CHECK(train({{xs, mask}}, ys, how, longest) == plain);
  CHECK(train(x, y, how, longest) == plain);
  CHECK(train(xs, ys, how) != plain);
  // With weights of steps, of samples, and validation data.
  how.sample_weight = weights;
  how.validation_data = {x, y, weights};
  const auto weighted = train(x, y, how);
  CHECK(weighted.weights != plain.weights);
  CHECK(train(x, y, how, longest) == weighted);
  how.sample_weight = ws;
  how.validation_data = {{{xs, mask}}, ys, ws};
  CHECK(train({{xs, mask}}, ys, how) == weighted);
  const auto by_sample = random_tensor({std::ssize(lengths)}, 3);
  Tensor<double> positive = by_sample;
  positive.array() = by_sample.array().abs();
  how.sample_weight = positive;
  CHECK(train(x, y, how) == train({{xs, mask}}, ys, how));
}

TEST_CASE(
    "In a model of fixed length all is as long as the model, in batches of short samples, too") {
  auto how = options();
  how.batch_size = 1;
  const auto xs = padded(x), ys = padded(y), ws = padded(weights);
  how.sample_weight = ws;
  const auto by_mask = train({{xs, mask}}, ys, how, longest);
  how.sample_weight = weights;
  CHECK(train(x, y, how, longest) == by_mask);
  CHECK(train(x, {{ys, mask}}, options(), longest) == train(x, y, options(), longest));
}

TEST_CASE("Sequences train to the same bits when a validation split takes the last of them") {
  auto how = options();
  how.validation_split = 0.33;
  how.sample_weight = weights;
  const auto plain = train(x, y, how);
  const auto xs = padded(x), ys = padded(y), ws = padded(weights);
  how.sample_weight = ws;
  CHECK(train({{xs, mask}}, ys, how) == plain);
  const auto kept = weights.part(0, 6), rest = weights.part(6, 3);
  const auto first_x = x.part(0, 6), last_x = x.part(6, 3), first_y = y.part(0, 6),
             last_y = y.part(6, 3);
  how.sample_weight = kept;
  how.validation_split = 0;
  how.validation_data = {last_x, last_y, rest};
  CHECK(train(first_x, first_y, how) == plain);
}

TEST_CASE("Metrics of Sequences are means over all their steps, for any batches and threads") {
  const auto model = network();
  const auto logs = [&](Index batch_size, Index threads) {
    return model.evaluate(x, y,
                          {.loss = "mse",
                           .metrics = {"mae"},
                           .weighted_metrics = {"mse"},
                           .sample_weight = weights,
                           .batch_size = batch_size,
                           .threads = threads});
  };
  CHECK(logs(3, 1) == logs(3, 2));
  // The mean over all steps that count, by hand.
  double loss = 0, error = 0, steps = 0, weight = 0, squares = 0;
  for (Index n = 0; n < x.samples(); ++n) {
    const Tensor<double> one(x[n]);
    const auto p = model.predict(one.view().reshaped(one.shape().batch(1)));
    for (Index t = 0; t < x.steps(n); ++t) {
      const double e = p(0, t, 0) - y[n](t, 0), w = weights[n](t);
      loss += w * e * e;
      squares += w * e * e;
      weight += w;
      error += std::abs(e);
      ++steps;
    }
  }
  CHECK(near(logs(100, 1)["loss"], loss / steps, 1e-14));
  for (const Index batch_size : {1, 2, 4, 100}) {
    CAPTURE(batch_size);
    CHECK(near(logs(batch_size, 1)["mae"], error / steps, 1e-14));
    CHECK(near(logs(batch_size, 1)["mse"], squares / weight, 1e-14));
  }
}

TEST_CASE("Each sample of Sequences is predicted as alone, with zeros after its end") {
  enum Kind { rnn, wrapped, words, attention, two, last_kind };
  for (int kind = 0; kind < last_kind; ++kind) {
    Model<double> model("all");
    Sequences<double> given = x;
    if (kind == words) {
      given = Sequences<double>();
      for (const Index steps : lengths) {
        Tensor<double> ids(Shape{steps});
        for (Index t = 0; t < steps; ++t) ids(t) = static_cast<double>(1 + (t * steps) % 4);
        given.push_back(ids);
      }
      model.input({any});
      model.add(Embedding{.input_dim = 5, .output_dim = 2, .mask_zero = true});
    } else {
      model.input({any, 2});
    }
    switch (kind) {
      case rnn:
        model.add(LSTM{.units = 3, .return_sequences = true});
        model.add(GRU{.units = 3, .return_sequences = true});
        model.add(SimpleRNN{.units = 3, .return_sequences = true});
        break;
      case wrapped:
        model.add(Masking{});
        model.add(Bidirectional<LSTM>{.layer = {.units = 2, .return_sequences = true}});
        model.add(TimeDistributed<Dense>{.layer = {.units = 3}});
        break;
      case words: model.add(GRU{.units = 3, .return_sequences = true}); break;
      case attention:
        model.add(LSTM{.units = 3, .return_sequences = true});
        model.add(LuongAttention{.units = 4});
        break;
      case two: {
        const Node first{0};
        const Node a = model.add(LSTM{.units = 2, .return_sequences = true}, first);
        const Node b = model.add(Dense{.units = 2}, first);
        model.add(Concatenate{}, {a, b});
        break;
      }
    }
    model.add(Dense{.units = 2, .activation = Activation::softmax});
    model.build({.seed = 3});
    CAPTURE(kind);
    const auto all = model.predict(given, {.batch_size = 4});
    for (const Index batch_size : {1, 2, 100}) {
      for (const Index threads : {1, 3})
        CHECK(model.predict(given, {.batch_size = batch_size, .threads = threads}) == all);
    }
    const bool has_steps = kind != attention;
    REQUIRE(all.shape() == (has_steps ? Shape{9, longest, 2} : Shape{9, 2}));
    for (Index n = 0; n < given.samples(); ++n) {
      const View<const double> sample = given[n];
      const auto alone = model.predict(sample.reshaped(sample.shape().batch(1)));
      if (!has_steps) {
        CHECK(alone.sample(0) == all.sample(n));
        continue;
      }
      for (Index t = 0; t < longest; ++t) {
        for (Index d = 0; d < 2; ++d)
          CHECK(all(n, t, d) == (t < given.steps(n) ? alone(0, t, d) : 0));
      }
    }
  }
}

TEST_CASE("Samples without steps are predicted and trained on") {
  Sequences<double> some(Shape{2}), targets(Shape{1});
  for (const Index steps : {0, 3, 0}) {
    some.push_back(random_tensor({steps, 2}, 1));
    targets.push_back(random_tensor({steps, 1}, 2));
  }
  auto model = network();
  const auto all = model.predict(some, {.batch_size = 1});
  CHECK(all.shape() == Shape{3, 3, 1});
  CHECK((all.samples(0, 1).array() == 0).all());
  CHECK((all.samples(1, 1).array() != 0).all());
  for (const Index batch_size : {1, 3}) {
    auto how = options();
    how.batch_size = batch_size;
    const auto history = model.fit(some, targets, how);
    CHECK(std::isfinite(history["loss"].back()));
  }
  const Sequences<double> none(Shape{2});
  CHECK(model.predict(none).shape() == Shape{0, 1, 1});
  CHECK(message<DataError>([&] { model.fit(none, Sequences<double>(Shape{1}), options()); }) ==
        "model \"net\": x has no samples");
}

TEST_CASE("What attention looked at in Sequences can be asked for, with a mask of words, too") {
  Model<double> model("words");
  model.input({any});
  model.add(Embedding{.input_dim = 5, .output_dim = 2, .mask_zero = true});
  model.add("attention", LuongAttention{.units = 4});
  model.add("y", Dense{.units = 1});
  model.build({.seed = 3});
  const Sequences<double> given{{1, 2, 3}, {4}, {2, 2}};
  const auto all = model.activations("attention/weights", given);
  REQUIRE(all.dim(1) == 3);
  for (Index n = 0; n < 3; ++n) {
    const auto alone =
        model.activations("attention/weights", given[n].reshaped({1, given.steps(n)}));
    for (Index t = 0; t < 3; ++t) CHECK(all(n, t) == (t < given.steps(n) ? alone(0, t) : 0));
  }
  CHECK(model.activations("attention/weights", given, {.batch_size = 1}) == all);
  CHECK(model.activations("attention/weights", given, {.threads = 2}) == all);
}

TEST_CASE("Steps of targets count where they are, in a model that makes as many for each sample") {
  Model<double> decoder("decoder");
  decoder.input({any, 2});
  decoder.add(LSTM{.units = 3});
  decoder.add(RepeatVector{.n = longest});
  decoder.add(LSTM{.units = 3, .return_sequences = true});
  decoder.add("y", Dense{.units = 1});
  decoder.build({.seed = 1});
  // Targets of other lengths than x.
  const Sequences<double> targets = [] {
    Sequences<double> made(Shape{1});
    for (const Index steps : lengths) made.push_back(random_tensor({longest + 1 - steps, 1}, 5));
    return made;
  }();
  std::vector<Index> turned;
  for (const Index steps : lengths) turned.push_back(longest + 1 - steps);
  const LengthMask of_targets(turned, longest);
  const auto ys = padded(targets);
  const Arena<double> start(decoder.weights());
  const auto fit = [&](const Columns<double>& given) {
    decoder.set_weights(start.values());
    return decoder.fit(x, given, options());
  };
  const auto first = fit(targets);
  CHECK(fit({{ys, of_targets}}) == first);
  CHECK(fit(ys) != first);
}

TEST_CASE("Where x and y are both of unequal length, a step counts when it is in both") {
  const Sequences<double> shorter = [] {
    Sequences<double> made(Shape{1});
    for (Index n = 0; n < y.samples(); ++n)
      made.push_back(y[n].reshaped({y.steps(n), 1}).samples(0, (std::min)(y.steps(n), Index{3})));
    return made;
  }();
  std::vector<Index> fewer;
  for (const Index steps : lengths) fewer.push_back((std::min)(steps, Index{3}));
  const LengthMask both(fewer, longest);
  const auto xs = padded(x), ys = padded(y);
  const auto by_sequences = train(x, shorter, options(), longest);
  CHECK(train({{xs, mask}}, {{ys, both}}, options(), longest) == by_sequences);
  // The LSTM runs over all steps of x, of which the last lose nothing but their targets.
  CHECK(train({{xs, both}}, ys, options(), longest).history == by_sequences.history);
  CHECK(train(x, y, options(), longest) != by_sequences);
}

TEST_CASE("Targets of one number a step need no axis for it, and classes have weights by step") {
  Model<double> model("tags");
  model.input({any, 2});
  model.add(GRU{.units = 3, .return_sequences = true});
  model.add("tag", Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = 1});
  Sequences<double> tags, columns(Shape{1}), by_hand;
  for (const Index steps : lengths) {
    Tensor<double> tag(Shape{steps}), weight(Shape{steps});
    for (Index t = 0; t < steps; ++t) {
      tag(t) = (t + steps) % 2 == 0 ? 1 : 0;
      weight(t) = tag(t) == 1 ? 4 : 0.5;
    }
    tags.push_back(tag);
    columns.push_back(tag.view().reshaped({steps, 1}));
    by_hand.push_back(weight);
  }
  const Arena<double> start(model.weights());
  auto how = options();
  how.loss = "bce";
  const auto fit = [&](const Columns<double>& targets) {
    model.set_weights(start.values());
    const auto history = model.fit(x, targets, how);
    return Trained{Tensor<double>(model.weights()), history};
  };
  const auto plain = fit(tags);
  CHECK(fit(columns) == plain);
  how.sample_weight = by_hand;
  const auto weighted = fit(tags);
  CHECK(weighted != plain);
  how.sample_weight = {};
  how.class_weight = {0.5, 4};
  CHECK(fit(tags) == weighted);
  CHECK(fit(columns) == weighted);
  how.class_weight = {0.5, 4, 1};
  CHECK(message<DataError>([&] { fit(tags); }) ==
        "class_weight has a weight for class 2, which does not occur in y");
}

TEST_CASE("From the second epoch on the steps of fit of Sequences allocate nothing") {
  auto how = options();
  how.sample_weight = weights;
  how.validation_data = {x, y, weights};
  std::optional<Allocations> since_first;
  std::vector<std::size_t> found;
  found.reserve(6);
  how.callbacks = {{.on_batch_end = [&](TrainingState<double>& state) {
    // In the first epoch memory grows to what the batch with the most steps that count needs.
    if (state.step == 1 || state.epoch == 1) since_first.emplace(Allocations::Of::all_threads);
    found.push_back(since_first->count());
  }}};
  for (const Index threads : {1, 2}) {
    found.clear();
    how.threads = threads;
    train(x, y, how);
    CHECK(found == std::vector<std::size_t>(6, 0));
  }
}

TEST_CASE("Lengths that do not fit are refused before anything is trained") {
  const std::string lead = "mean_squared_error: ";
  const auto short_x = x.part(0, 8);
  CHECK(refused(short_x, y) ==
        "model \"net\": expected as many samples in x as in y, got x of (8, any, 2) and y of (9, "
        "any, 1)");
  CHECK(refused(sequences({3}), y) ==
        "model \"net\": expected x of (samples) and (any, 2), got (9, 1, 3)");
  CHECK(refused(x, y, options(), 4) ==
        "model \"net\": expected sequences of at most 4 steps, got one of 5; an input of "
        "Shape{any, …} takes any length");
  auto other = y.part(0, 8);
  other.push_back(random_tensor({4, 1}, 1));
  CHECK(refused(x, other) == "expected y to have as many steps as x, got 4 for 5 in sample 8");
  other = y.part(0, 8);
  other.push_back(random_tensor({6, 1}, 1));
  CHECK(refused(x, other, options(), longest) ==
        "expected y of at most 5 steps, which is what the model gives, got 6");
  CHECK(refused(x, random_tensor({9, 4, 1}, 1)) ==
        "expected y to have as many steps as the longest of x, which has 5, got (9, 4, 1)");
  CHECK(train(x, random_tensor({9, 7, 1}, 1)).history.epochs() == 2);
  const auto xs = padded(x);
  CHECK(refused(xs, random_tensor({9, 4, 1}, 1)) ==
        lead + "expected y of (9, 5, 1), which is what Dense \"y\" gives, got (9, 4, 1)");
  CHECK(refused(x, sequences({2})) == lead +
                                          "expected y of (9, any, 1), which is what Dense \"y\" "
                                          "gives, got Sequences of (9, any, 2)");
  auto how = options();
  how.validation_data = {xs, random_tensor({9, 4, 1}, 1)};
  CHECK(refused(x, y, how) ==
        lead +
            "expected validation y of (9, 5, 1), which is what Dense \"y\" gives, got (9, 4, 1)");

  how = options();
  const auto fewer = weights.part(0, 8);
  how.sample_weight = fewer;
  CHECK(refused(x, y, how) ==
        "expected sample_weight of one number for each step of y, got Sequences of (8, any)");
  auto longer = fewer;
  longer.push_back(std::vector<double>{1, 2});
  how.sample_weight = longer;
  CHECK(refused(x, y, how) ==
        "expected sample_weight of one number for each step of y, got Sequences of (9, any)");
  how.sample_weight = x;
  CHECK(refused(x, y, how) ==
        "expected sample_weight of one number for each step of y, got Sequences of (9, any, 2)");
  how.sample_weight = weights;
  CHECK(refused(x, padded(y), how) ==
        "expected sample_weight of one number for each step of y, got Sequences of (9, any)");
  auto broken = x.part(0, 8);
  Tensor<double> last(x[8]);
  last(3, 1) = std::numeric_limits<double>::infinity();
  broken.push_back(last);
  CHECK(refused(broken, y) == "sample 8 of x has inf at (3, 1)");
}

TEST_CASE("Samples of similar length are put together where lengths are known") {
  auto how = options();
  how.similar_lengths = true;
  const auto xs = padded(x), ys = padded(y);
  CHECK(
      refused(xs, ys, how) ==
      "similar_lengths: expected x as Sequences or with a mask, which say how long each sample is");
  // Neither the weights nor the bits of the losses are those of another order of the samples.
  const auto sorted = train(x, y, how);
  CHECK(sorted != train(x, y));
  CHECK(train({{xs, mask}}, ys, how).history.epochs() == 2);
  how.shuffle = true;
  how.seed = 5;
  const auto shuffled = train(x, y, how);
  CHECK(shuffled != sorted);
  CHECK(train(x, y, how) == shuffled);
  how.seed = 6;
  CHECK(train(x, y, how) != shuffled);
}

TEST_CASE("Masks of another shape are refused, for x and for y") {
  const auto xs = padded(x), ys = padded(y);
  const Mask wrong(mask.data(), {9, 4}), few(mask.data(), {8, 5});
  CHECK(refused({{xs, wrong}}, ys) ==
        "model \"net\": expected a mask of (samples, steps) for x of (9, 5, 2), got (9, 4)");
  CHECK(refused({{xs, few}}, ys) ==
        "model \"net\": expected a mask of (samples, steps) for x of (9, 5, 2), got (8, 5)");
  for (const Index steps : {any, longest}) {
    CHECK(refused(xs, {{ys, wrong}}, options(), steps) ==
          "expected a mask of (samples, steps) for y of (9, 5, 1), got (9, 4)");
    CHECK(refused(xs, {{ys, few}}, options(), steps) ==
          "expected a mask of (samples, steps) for y of (9, 5, 1), got (8, 5)");
  }
}

TEST_CASE("The numbers of a row are no steps") {
  Model<double> model("classes");
  model.input({2});
  model.add("k", Dense{.units = 3, .activation = Activation::softmax});
  model.build();
  const auto given = random_tensor({2, 2}, 1);
  const Tensor<double> rows(Tensor<double, 2>{{1, 0, 0}, {0, 1, 0}});
  const auto refused = [&](const Columns<double>& targets) {
    return message<ShapeError>([&] {
      model.fit(given, targets, {.loss = "categorical_crossentropy", .verbose = Verbose::silent});
    });
  };
  const Sequences<double> even{{1, 0, 0}, {0, 1, 0}}, uneven{{1}, {0, 1}};
  CHECK(refused(even) ==
        "categorical_crossentropy: expected y of (2, 3), which is what Dense \"k\" gives, got "
        "Sequences of (2, 3)");
  CHECK(refused(uneven) ==
        "categorical_crossentropy: expected y of (2, 3), which is what Dense \"k\" gives, got "
        "Sequences of (2, any)");
  const std::vector<std::uint8_t> ones(6, 1);
  CHECK(refused({{rows, Mask(ones.data(), {2, 3})}}) ==
        "expected a mask of (samples, steps) for y of (2, 3), got (2, 3)");
  CHECK(refused(rows) == "(nothing thrown)");
  // Nor are those of an input, unless they are ids, one a step.
  const auto said = [](const Model<double>& any_model, const Columns<double>& inputs) {
    return message<ShapeError>([&] { any_model.predict(inputs); });
  };
  const Mask both(ones.data(), {2, 2});
  const std::string no_mask =
      "model \"classes\": expected no mask for the input \"input_layer\" of (2), which has "
      "features but no steps";
  CHECK(said(model, {{given, both}}) == no_mask);
  CHECK(message<ShapeError>([&] {
          model.fit({{given, both}}, rows,
                    {.loss = "categorical_crossentropy", .verbose = Verbose::silent});
        }) == no_mask);
  CHECK(said(model, Sequences<double>{{1, 2}, {3}}) ==
        "model \"classes\": expected a tensor for the input \"input_layer\" of (2), which has "
        "features but no steps, got Sequences");
  Model<double> words;
  words.input({2});
  words.add(Embedding{.input_dim = 4, .output_dim = 2});
  words.add(LSTM{.units = 2});
  words.build();
  const Tensor<double> ids(Tensor<double, 2>{{1, 2}, {3, 0}});
  CHECK(said(words, {{ids, both}}) == "(nothing thrown)");
  CHECK(said(words, Sequences<double>{{1, 2}, {3}}) == "(nothing thrown)");
  // Ids are steps also where another layer reads them as numbers.
  Model<double> twice;
  const Node id = twice.input({2});
  const Node numbers = twice.add(Dense{.units = 2}, id);
  const Node last =
      twice.add(LSTM{.units = 2}, twice.add(Embedding{.input_dim = 4, .output_dim = 2}, id));
  twice.add(Add{}, {numbers, last});
  twice.build();
  CHECK(said(twice, {{ids, both}}) == "(nothing thrown)");
}

}  // namespace heed::fit_sequences_test
