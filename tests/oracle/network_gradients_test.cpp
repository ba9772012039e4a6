#include "oracle.hpp"

#include <heed/train/objective.hpp>

#include "support/networks.hpp"

namespace heed::network_gradients_test {

using namespace heed::testing;

namespace {

/// The reference's two networks with few units, so that each of their weights can be moved.
template <class S>
Model<S> small_index2(Form form) {
  Model<S> model;
  const Node x = model.input({6, 2});
  const Node lstm = model.add("lstm", LSTM{.units = 5, .return_sequences = true}, x);
  if (form == Form::block) {
    model.add("attention", StepAttention{}, lstm);
  } else {
    add_step_attention(model, lstm, 6);
  }
  model.add(Flatten{});
  model.add("output", Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = 42});
  return model;
}

template <class S>
Model<S> small_regression(Form form) {
  Model<S> model;
  const Node x = model.input({6, 1});
  const Node lstm = model.add("lstm", LSTM{.units = 5, .return_sequences = true}, x);
  if (form == Form::block) {
    model.add("attention", LuongAttention{.units = 3}, lstm);
  } else {
    add_luong_attention(model, lstm, 5, 3);
  }
  model.add("output", Dense{.units = 1});
  model.build({.seed = 42});
  return model;
}

/// Branches that meet again, axes that come and go, a layer that is read twice.
template <class S>
Model<S> branches() {
  Model<S> model;
  const Node x = model.input({4, 3});
  const Node a = model.add("a", Dense{.units = 3, .activation = Activation::tanh}, x);
  const Node sum = model.add(Add{}, {x, a});
  const Node product = model.add(Multiply{}, {sum, a});
  const Node flat = model.add(Reshape{.target_shape = {12}}, product);
  const Node last = model.add(LastStep{}, sum);
  const Node repeated = model.add(RepeatVector{.n = 2}, last);
  const Node scores = model.add(Dot{.axes = {2, 2}}, {repeated, a});
  const Node weights = model.add(Activation{.activation = Activation::softmax}, scores);
  const Node more = model.add(Flatten{}, weights);
  model.add(Concatenate{}, {flat, more, last});
  model.add("output", Dense{.units = 4, .activation = Activation::softmax});
  model.build({.seed = 42});
  return model;
}

/// A network, its batch and its loss, in doubles with the gradient that training computes, and in
/// dual numbers without any of training's short cuts.
template <class L>
class Twins {
 public:
  Twins(const Model<double>& model, const Model<Dual>& dual, const L& loss, Tensor<double> x,
        const Tensor<double>& y)
      : graph_(model.graph()),
        dual_(dual),
        loss_(loss),
        x_(to_dual(x)),
        y_(to_dual(y)),
        given_(std::move(x)) {
    const auto weights = to_dual(model.weights());
    dual_.set_weights(weights.values());
    const Objective<double> objective(graph_, loss);
    const auto output = objective.forward(model.weights(), given_, {}, tape_);
    objective.loss()(y, output, objective.graph().output_gradient(tape_));
    objective.graph().backward(model.weights(), tape_, true);
  }
  Twins(const Twins&) = delete;

  double slope() {
    const auto p = dual_.forward(x_, dual_tape_);
    return loss_.evaluate(std::as_const(y_).view(), p, View<Dual>{});
  }

  void check_every_element() {
    for (const Slot& slot : graph_.layout().all_slots()) {
      check_exact(slot.name, dual_.weight(slot.name), gradient(slot), [&] { return slope(); });
    }
    check_exact("x", x_, tape_.entries[0].outputs[0].gradient, [&] { return slope(); });
  }

  /// Each weight in random directions: the derivative is the product of direction and gradient.
  void check_directions(std::uint64_t seed) {
    for (const Slot& slot : graph_.layout().all_slots()) {
      check_direction(slot.name, dual_.weight(slot.name), gradient(slot), ++seed);
    }
    check_direction("x", x_, tape_.entries[0].outputs[0].gradient, ++seed);
  }

 private:
  View<const double> gradient(const Slot& slot) const {
    return {tape_.gradients.data() + slot.offset, slot.shape};
  }

  void check_direction(std::string_view name, View<Dual> x, View<const double> gradient,
                       std::uint64_t seed) {
    const Tensor<double> direction = random_tensor(x.shape(), seed);
    for (Index i = 0; i < x.size(); ++i) x.data()[i].slope = direction.data()[i];
    const double exact = slope();
    for (Index i = 0; i < x.size(); ++i) x.data()[i].slope = 0;
    const auto terms = direction.array() * gradient.array();
    const double along = terms.sum();
    INFO(name << ": " << along << " instead of " << exact);
    CHECK(std::abs(along - exact) <=
          exact_tolerance * std::abs(exact) + rounding_tolerance * terms.abs().sum());
  }

  Graph<double> graph_;
  Model<Dual> dual_;
  L loss_;
  Tensor<Dual> x_, y_;
  Tensor<double> given_;
  Tape<double> tape_;
  Tape<Dual> dual_tape_;
};

/// Targets of 0 and 1, both of them.
Tensor<double> binary(Index N) {
  Tensor<double> y(Shape{N, 1});
  for (Index n = 0; n < N; ++n) y(n, 0) = n % 2 == 0 ? 1 : 0;
  return y;
}

}  // namespace

TEST_CASE("Every gradient of the index-2 network is exact, in both forms", "[oracle]") {
  for (const Form form : {Form::block, Form::functional}) {
    for (const Index N : {1, 3}) {
      Twins(small_index2<double>(form), small_index2<Dual>(form), BinaryCrossentropy{},
            random_tensor({N, 6, 2}, 7), binary(N))
          .check_every_element();
    }
  }
}

TEST_CASE("Every gradient of the dummy regression is exact, in both forms", "[oracle]") {
  for (const Form form : {Form::block, Form::functional}) {
    for (const Index N : {1, 3}) {
      Twins(small_regression<double>(form), small_regression<Dual>(form), MeanAbsoluteError{},
            random_tensor({N, 6, 1}, 8), random_tensor({N, 1}, 9))
          .check_every_element();
    }
  }
}

TEST_CASE("Every gradient of a network with branches is exact", "[oracle]") {
  Tensor<double> y = random_tensor({3, 4}, 11);
  softmax_rows<double>(y.matrix());
  Twins(branches<double>(), branches<Dual>(), CategoricalCrossentropy{},
        random_tensor({3, 4, 3}, 10), y)
      .check_every_element();
  Twins(branches<double>(), branches<Dual>(), MeanSquaredError{}, random_tensor({3, 4, 3}, 12), y)
      .check_every_element();
}

TEST_CASE("Gradients of the reference's networks are exact at their full size", "[oracle]") {
  for (const Form form : {Form::block, Form::functional}) {
    Twins(index2_network<double>(form), index2_network<Dual>(form), BinaryCrossentropy{},
          random_tensor({4, 10, 2}, 13), binary(4))
        .check_directions(100);
    Twins(regression_network<double>(form), regression_network<Dual>(form), MeanAbsoluteError{},
          random_tensor({4, 10, 1}, 14), random_tensor({4, 1}, 15))
        .check_directions(200);
  }
}

}  // namespace heed::network_gradients_test
