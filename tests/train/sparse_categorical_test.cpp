#include <heed/train/fit.hpp>
#include <heed/train/one_hot.hpp>

#include "dense_network.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::sparse_categorical_test {

using namespace heed::testing;

namespace {

const Tensor<double, 1> given{2, 0, 1, 1, 0};

Tensor<double> probabilities() {
  Tensor<double> p(random_tensor({5, 3}, 1));
  p.array() = 0.05 + 0.9 * p.array().logistic();
  return p;
}

}  // namespace

TEST_CASE("Class numbers give the loss and the gradients of rows of zeros and ones") {
  const auto rows = one_hot<double>(given, 3);
  const auto z = random_tensor({5, 3}, 2);
  Tensor<double> d(z.shape()), expected(z.shape());
  const Loss<double> sparse = SparseCategoricalCrossentropy{.from_logits = true};
  const Loss<double> dense = CategoricalCrossentropy{.from_logits = true};
  CHECK(near(sparse(given, z, d), dense(rows, z, expected), 1e-15));
  CHECK(distance(d, expected) < 1e-15);
  const auto p = probabilities();
  CHECK(near(Loss<double>(SparseCategoricalCrossentropy{})(given, p, d),
             Loss<double>(CategoricalCrossentropy{})(rows, p, expected), 1e-15));
  CHECK(distance(d, expected) < 1e-15);
}

TEST_CASE("Probabilities outside of the margin have no gradient") {
  const Tensor<double, 2> p{{1, 0, 0.5}};
  Tensor<double, 2> d(p.shape());
  for (const double label : {0.0, 1.0}) {
    Loss<double>(SparseCategoricalCrossentropy{})(Tensor<double, 1>{label}, p, d);
    CHECK(d(0, 0) == 0);
    CHECK(d(0, 1) == 0);
    CHECK(d(0, 2) > 0);
  }
}

TEST_CASE("Whoever calls a loss with a class that there is not is told so") {
  const auto refused = [&](double label) {
    const Tensor<double, 1> one{label};
    return message<DataError>([&] {
      Loss<double>(SparseCategoricalCrossentropy{})(one, Tensor<double, 2>{{0.5, 0.5}});
    });
  };
  CHECK(refused(2) ==
        "sparse_categorical_crossentropy: expected class numbers from 0 to 1, y has 2 at (0, 0)");
  CHECK(refused(-1).ends_with("y has -1 at (0, 0)"));
  CHECK(refused(NAN).ends_with("y has nan at (0, 0)"));
}

TEST_CASE("Accuracy takes class numbers and rows, and tells them apart by their shape") {
  const Tensor<double, 2> p{
      {0.1, 0.2, 0.7}, {0.5, 0.2, 0.3}, {0.2, 0.6, 0.2}, {0.4, 0.3, 0.3}, {0.1, 0.1, 0.8}};
  const Metric<double> accuracy = "accuracy";
  CHECK(accuracy(given, p) == 0.6);
  CHECK(accuracy(given.view().reshaped({5, 1}), p) == 0.6);
  CHECK(accuracy(one_hot<double>(given, 3), p) == 0.6);
  CHECK(Metric<double>(SparseCategoricalAccuracy{})(given, p) == 0.6);
  CHECK(Metric<double>(SparseTopKCategoricalAccuracy{.k = 1})(given, p) == 0.6);
  CHECK(Metric<double>(SparseTopKCategoricalAccuracy{.k = 2})(given, p) == 1);  // with ties
  Tensor<double, 2> diverged = p;
  diverged(1, 2) = NAN;
  CHECK(Metric<double>(SparseTopKCategoricalAccuracy{.k = 3})(given, diverged) == 0.8);
  auto model = dense_network(3, ActivationFunction::softmax);
  CHECK(message<OptionError>([&] {
          model.fit(random_tensor({5, 3}, 3), given,
                    {.loss = SparseCategoricalCrossentropy{},
                     .metrics = {SparseTopKCategoricalAccuracy{.k = 0}},
                     .verbose = Verbose::silent});
        }).find("sparse_top_k_categorical_accuracy: expected a k of at least 1, got 0") !=
        std::string::npos);
  CHECK(message<ShapeError>([&] { Metric<double>(CategoricalAccuracy{})(given, p); }) ==
        "categorical_accuracy: expected targets of the predictions' shape (5, 3), got (5)");
}

TEST_CASE("A training with class numbers is the one with rows of them, bit by bit") {
  const auto x = random_tensor({5, 3}, 3);
  const auto trained = [&](const Tensor<double>& y, const Loss<double>& loss) {
    auto model = dense_network(3, ActivationFunction::softmax);
    const auto history = model.fit(x, y,
                                   {.loss = loss,
                                    .metrics = {"accuracy"},
                                    .epochs = 3,
                                    .batch_size = 2,
                                    .class_weight = {1, 2, 0.5},
                                    .verbose = Verbose::silent});
    return std::pair{Tensor<double>(model.weights()), history["accuracy"]};
  };
  const auto sparse = trained(given, SparseCategoricalCrossentropy{});
  const auto dense = trained(one_hot<double>(given, 3), CategoricalCrossentropy{});
  CHECK(distance(sparse.first, dense.first) < 1e-14);
  CHECK(sparse.second == dense.second);
}

TEST_CASE("Sequences of class numbers are targets of a model that gives one for each step") {
  Model<double> model;
  model.input({any, 2});
  model.add("out", Dense{.units = 3, .activation = ActivationFunction::softmax});
  model.build({.seed = 1});
  Sequences<double> x(Shape{2}), y;
  for (const Index steps : {3, 1, 2}) {
    x.push_back(random_tensor({steps, 2}, static_cast<std::uint64_t>(steps)));
    Tensor<double> one(Shape{steps});
    for (Index t = 0; t < steps; ++t) one(t) = static_cast<double>(t);
    y.push_back(one);
  }
  const auto history = model.fit(x, y,
                                 {.loss = "sparse_categorical_crossentropy",
                                  .optimizer = Adam{.learning_rate = 0.1},
                                  .metrics = {"accuracy"},
                                  .epochs = 30,
                                  .verbose = Verbose::silent});
  CHECK(history["loss"].back() < 0.8 * history["loss"].front());
}

}  // namespace heed::sparse_categorical_test
