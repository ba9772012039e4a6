#include <heed/layers/embedding.hpp>
#include <heed/layers/lstm.hpp>

#include "support/layer_testing.hpp"

namespace heed::embedding_test {

using namespace heed::testing;

namespace {

/// A batch of ids, of which some come twice.
void set_ids(LayerRun& run, Index input_dim) {
  for (Index i = 0; i < run.x[0].size(); ++i) {
    run.x[0].data()[i] = static_cast<double>(i * i % input_dim);
  }
}

/// `message` of a model of three steps that is given such ids.
std::string id_refusal(const std::vector<double>& ids) {
  Model<double> model;
  model.input({3});
  model.add("words", Embedding{.input_dim = 5, .output_dim = 2});
  model.build();
  const Tensor<double> x({static_cast<Index>(ids.size()) / 3, 3}, ids);
  return message<DataError>([&] { model.predict(x); });
}

}  // namespace

TEST_CASE("Embedding gives a row of its table for each id") {
  for (const Shape& sample : {Shape{4}, Shape{1}, Shape{2, 3}}) {
    LayerRun run(Embedding{.input_dim = 5, .output_dim = 3}, {sample}, 2);
    set_ids(run, 5);
    run.forward();
    Shape expected = sample.batch(2);
    expected.push_back(3);
    CHECK(run.y.shape() == expected);
    for (Index i = 0; i < run.x[0].size(); ++i) {
      CHECK(run.y.matrix().row(i) ==
            run.w()[0].matrix().row(static_cast<Index>(run.x[0].data()[i])));
    }
  }
}

TEST_CASE("Embedding's gradients agree with differences, and ids have none") {
  for (const Index N : {1, 3}) {
    for (const Shape& sample : {Shape{1}, Shape{6}, Shape{2, 2}}) {
      LayerRun run(Embedding{.input_dim = 4, .output_dim = 3}, {sample}, N);
      set_ids(run, 4);
      run.dx[0].array().setConstant(9);
      run.forward();
      run.backward();
      CHECK((run.dx[0].array() == 0).all());
      const auto offsets = detail::choose(run.weights.size(), 0, Random());
      CHECK(detail::check_tensor("embeddings", View<double>(run.weights),
                                 View<double>(run.gradients), offsets, [&] { return run.loss(); })
                .worst < gradient_tolerance);
      LayerRun again(Embedding{.input_dim = 4, .output_dim = 3}, {sample}, N);
      set_ids(again, 4);
      check_backward(again);
    }
  }
}

TEST_CASE("With mask_zero steps of id 0 do not count") {
  LayerRun run(Embedding{.input_dim = 5, .output_dim = 2, .mask_zero = true}, {{3}}, 2);
  run.x[0].array() = Tensor<double>({6}, std::vector<double>{1, 0, 2, 0, 0, 4}).array();
  run.forward();
  std::vector<std::uint8_t> counts(6, 7);
  CHECK(run.layer.mark({.x = run.x_views, .y = run.y_views}, counts));
  CHECK(counts == std::vector<std::uint8_t>{1, 0, 1, 0, 0, 1});
  CHECK(run.y.matrix().row(1) == run.w()[0].matrix().row(0));

  LayerRun all(Embedding{.input_dim = 5, .output_dim = 2}, {{3}}, 2);
  CHECK_FALSE(all.layer.mark({.x = run.x_views, .y = run.y_views}, counts));
}

TEST_CASE("Steps that do not count before an Embedding have no id, and do not count after it") {
  const std::vector<std::uint8_t> mask{1, 0, 1, 1, 1, 0};
  for (const bool mask_zero : {false, true}) {
    LayerRun run(Embedding{.input_dim = 5, .output_dim = 2, .mask_zero = mask_zero}, {{3}}, 2);
    run.x[0].array() = Tensor<double>({6}, std::vector<double>{1, -7, 2, 0, 3, 0.5}).array();
    run.set_mask(mask);
    run.forward();
    run.backward();
    CHECK(run.y.matrix().row(1).isZero(0));
    CHECK(run.gradients.view().reshaped({5, 2}).matrix().row(1) == run.dy.matrix().row(0));
    CHECK(run.gradients.view().reshaped({5, 2}).matrix().row(4).isZero(0));
    std::vector<std::uint8_t> counts(6, 7);
    CHECK(run.layer.mark({.x = run.x_views, .y = run.y_views, .steps = run.steps}, counts));
    CHECK(counts ==
          std::vector<std::uint8_t>{1, 0, 1, static_cast<std::uint8_t>(!mask_zero), 1, 0});
  }
}

TEST_CASE("A step of several ids counts after an Embedding as it does before it") {
  LayerRun run(Embedding{.input_dim = 5, .output_dim = 2}, {{3, 2}}, 2);
  set_ids(run, 5);
  const std::vector<std::uint8_t> mask{1, 0, 1, 1, 1, 0};
  run.set_mask(mask);
  run.forward();
  std::vector<std::uint8_t> counts(6, 7);
  CHECK(run.layer.mark({.x = run.x_views, .y = run.y_views, .steps = run.steps}, counts));
  CHECK(counts == mask);
}

TEST_CASE("Ids of 0 at the end are nothing to the layers after an Embedding with mask_zero") {
  Model<double> model;
  model.input({any});
  model.add(Embedding{.input_dim = 5, .output_dim = 3, .mask_zero = true});
  model.add(LSTM{.units = 2});
  model.build({.seed = 4});
  const Tensor<double> short_one({1, 2}, std::vector<double>{3, 1});
  const Tensor<double> padded({1, 5}, std::vector<double>{3, 1, 0, 0, 0});
  CHECK(model.predict(padded) == model.predict(short_one));
}

TEST_CASE("An embedding starts uniform in [-0.05, 0.05], as in Keras") {
  Model<double> model;
  model.input({3});
  model.add("words", Embedding{.input_dim = 200, .output_dim = 50});
  model.build({.seed = 1});
  const double largest = model.weights().array().abs().maxCoeff();
  CHECK(largest <= 0.05);
  CHECK(largest > 0.0499);
  CHECK(model.weight("words/embeddings").shape() == Shape{200, 50});
}

TEST_CASE("An id outside the table or not whole is refused with its place") {
  const std::string place = "Embedding \"words\": expected whole ids of 0 to 4, got ";
  CHECK(id_refusal({0, 1, 5}) == place + "5 at step 2 of sample 0 of the batch");
  CHECK(id_refusal({0, 1, 4, 2, -1, 3}) == place + "-1 at step 1 of sample 1 of the batch");
  CHECK(id_refusal({0.5, 1, 4}) == place + "0.5 at step 0 of sample 0 of the batch");
  CHECK(id_refusal({0, 1e300, 4}) == place + "1e+300 at step 1 of sample 0 of the batch");
  CHECK(id_refusal({0, 1, std::nan("")}) == place + "nan at step 2 of sample 0 of the batch");

  // Nothing is written before all ids are known to be right.
  LayerRun run(Embedding{.input_dim = 5, .output_dim = 2}, {{2, 2}}, 1);
  run.x[0].array() = Tensor<double>({4}, std::vector<double>{1, 2, 3, 5}).array();
  run.y.array().setConstant(9);
  CHECK(message<DataError>([&] { run.forward(); }) ==
        "expected whole ids of 0 to 4, got 5 at step (1, 1) of sample 0 of the batch");
  CHECK((run.y.array() == 9).all());
}

TEST_CASE("Embedding survives the way through its configuration") {
  check_config(Embedding{.input_dim = 7,
                         .output_dim = 2,
                         .embeddings_initializer = Initializer::truncated_normal,
                         .mask_zero = true},
               {{"input_dim", Index{7}},
                {"output_dim", Index{2}},
                {"embeddings_initializer", "truncated_normal"},
                {"mask_zero", true}});
}

TEST_CASE("An embedding that cannot be is refused in a sentence") {
  const std::string place = "Embedding \"layer\": ";
  CHECK(refusal<OptionError>(Embedding{.input_dim = 0, .output_dim = 2}, {3}) ==
        place + "expected input_dim of at least 1, got 0");
  CHECK(refusal<OptionError>(Embedding{.input_dim = 2, .output_dim = -1}, {3}) ==
        place + "expected output_dim of at least 1, got -1");
  CHECK(
      refusal<OptionError>(Embedding{.input_dim = 2, .output_dim = 1, .mask_zero = true}, {3, 2}) ==
      place + "expected an input of (steps) with mask_zero, got (3, 2)");
  CHECK(refusal<ShapeError>(Embedding{.input_dim = 2, .output_dim = 1}, {1, 1, 1, 1, 1}) ==
        place + "expected an input of ids of 1 to 4 axes, got (1, 1, 1, 1, 1)");
}

}  // namespace heed::embedding_test
