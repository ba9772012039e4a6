#include <heed/check/gradient_check.hpp>
#include <heed/model/all_layers.hpp>
#include <heed/train/losses.hpp>

#include <ctime>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

namespace heed::graph_test {

using namespace heed::testing;

namespace {

using Names = std::vector<std::string>;

Names names_of(const Model<double>& model) {
  Names names;
  for (const auto& node : model.graph().nodes()) names.push_back(node.name);
  return names;
}

/// Gradients by weights and input against differences, of a model with a random target.
void check_gradients(Model<double>& model, Index N = 3) {
  model.build({.seed = 3});
  const auto x = random_tensor(model.input_shape().batch(N), 1);
  const auto y = random_tensor(model.output_shape().batch(N), 2);
  const auto result = gradient_check(model, x, y, MeanSquaredError{});
  CAPTURE(to_text(result));
  CHECK(result.worst < 1e-7);
}

Dense tanh(Index units) { return {.units = units, .activation = Activation::tanh}; }

}  // namespace

TEST_CASE("Names of layers without one are found in about the time that it takes to add them") {
  const auto seconds = [](bool named, Index layers) {
    Graph<float> graph;
    graph.add("", AnyLayer<float>(Input{.shape = std::vector<Index>{1}}), {});
    const std::clock_t begin = std::clock();
    for (Index i = 0; i < layers; ++i) {
      graph.add(named ? join("name_", i) : "", AnyLayer<float>(Flatten{}),
                {Node{graph.nodes().size() - 1}});
    }
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  // Each number from 1 on was tried, and each compared with all names: 100 times as long.
  double ratio = 1000;
  for (int attempt = 0; attempt < 3; ++attempt) {
    ratio = std::min(ratio, seconds(false, 600) / seconds(true, 600));
  }
  CHECK(ratio < 10);
}

TEST_CASE("A name that a user took is left out when names are made") {
  Model<double> model;
  model.input({2});
  model.add("dense_2", Dense{.units = 1});
  for (int i = 0; i < 3; ++i) model.add(Dense{.units = 1});
  CHECK(names_of(model) == Names{"input_layer", "dense_2", "dense", "dense_1", "dense_3"});
}

TEST_CASE("A class name becomes a layer's name as in Keras") {
  using detail::snake_case;
  CHECK(snake_case("Dense") == "dense");
  CHECK(snake_case("LSTM") == "lstm");
  CHECK(snake_case("StepAttention") == "step_attention");
  CHECK(snake_case("InputLayer") == "input_layer");
  CHECK(snake_case("LSTMCell") == "lstm_cell");
  CHECK(snake_case("MyGRU") == "my_gru");
  CHECK(snake_case("Scale2D") == "scale2d");
  CHECK(snake_case("mine>TopGain") == "top_gain");
  CHECK(snake_case("") == "");
}

TEST_CASE("Nodes without a name are numbered by their type, around those that have one") {
  Model<double> model;
  model.input({4});
  model.add(Dense{.units = 2});
  model.add("dense_1", Dense{.units = 2});
  model.add(Dense{.units = 2});
  model.add(Dense{.units = 2});
  model.add(Reshape{.target_shape = {1, 2}});
  model.add(LSTM{.units = 2});
  CHECK(names_of(model) ==
        Names{"input_layer", "dense", "dense_1", "dense_2", "dense_3", "reshape", "lstm"});
}

TEST_CASE("A name that is taken or cannot be one is refused in a sentence") {
  Model<double> model;
  model.input("x", {4});
  model.add("hidden", Dense{.units = 2});
  CHECK(message<ModelError>([&] { model.add("hidden", LSTM{.units = 2}); }) ==
        "the name \"hidden\" is taken by Dense \"hidden\"");
  CHECK(message<ModelError>([&] { model.add("x", Dense{.units = 2}); }) ==
        "the name \"x\" is taken by InputLayer \"x\"");
  CHECK(message<ModelError>([&] { model.add("a/b", Dense{.units = 2}); }) ==
        "expected a layer name without \"/\", got \"a/b\"");
  CHECK(names_of(model) == Names{"x", "hidden"});
}

TEST_CASE("A node of another model is refused in a sentence") {
  Model<double> one, other;
  one.input({4});
  const Node far = one.add(Dense{.units = 2});
  other.input({4});
  CHECK(message<ModelError>([&] { other.add("out", Dense{.units = 2}, far); }) ==
        "Dense \"out\": expected inputs from this model");
}

TEST_CASE("A layer that is refused leaves the graph as it was") {
  Model<double> model;
  const Node x = model.input({4});
  model.add("dense", Dense{.units = 2});
  const Index params = model.count_params();
  CHECK_THROWS_AS(model.add("lstm", LSTM{.units = 2}), ShapeError);
  CHECK_THROWS_AS(model.add("none", Dense{.units = 0}), OptionError);
  CHECK(names_of(model) == Names{"input_layer", "dense"});
  CHECK(model.count_params() == params);
  CHECK(model.output_shape() == Shape{2});
  model.add("lstm", Dense{.units = 3}, x);
  CHECK(model.output_shape() == Shape{3});
}

TEST_CASE("A graph knows its nodes by name, and how to call them") {
  Model<double> model;
  model.input({4});
  model.add("encoder", Dense{.units = 2});
  const auto& graph = model.graph();
  CHECK(graph.find("encoder") == 1);
  CHECK(graph.find("decoder") == 2);
  CHECK(graph.title(1) == "Dense \"encoder\"");
  CHECK(graph[1].shape() == Shape{2});
  CHECK(graph[1].slot_count == 2);
  CHECK(graph[0].is_input());
  CHECK_FALSE(graph[1].is_input());
}

TEST_CASE("The weights of a node are a part of the arena") {
  Model<double> model;
  model.input({4});
  model.add("a", Dense{.units = 2});
  model.add("b", Dense{.units = 3, .use_bias = false});
  model.build();
  const auto& graph = model.graph();
  const auto w = graph.parameters(model.weights().data(), 2);
  CHECK(w.size() == 1);
  CHECK(w[0].data() == model.weights().data() + 10);
  CHECK(w[0].shape() == Shape{2, 3});
  CHECK(graph.parameters(model.weights().data(), 0).size() == 0);
}

TEST_CASE("The function that ends the network can be taken off, with the weights as they were") {
  Model<double> model;
  model.input({4});
  model.add("out", Dense{.units = 3, .activation = Activation::softmax});
  model.build();
  const auto& graph = model.graph();
  const Graph<double> lifted = graph.without_output_activation();
  CHECK(graph.output_activation() == Activation::softmax);
  CHECK(lifted.output_activation() == Activation::linear);
  const auto x = random_tensor({2, 4}, 1);
  Tape<double> tape;
  Tensor<double> logits(lifted.forward(model.weights(), x, 1, {}, tape));
  softmax_rows<double>(logits.matrix());
  CHECK(distance(logits, model.predict(x)) < 1e-15);
}

TEST_CASE("A node that three layers read gets the sum of their gradients") {
  Model<double> model;
  model.input({4});
  const Node shared = model.add(tanh(3));
  const Node a = model.add(tanh(2), shared);
  const Node b = model.add(tanh(2), shared);
  const Node c = model.add(tanh(2), shared);
  model.add(Add{}, {a, b, c});
  check_gradients(model);
}

TEST_CASE("A node may be given to a layer more than once") {
  SECTION("Add: the gradient is twice that of one") {
    Model<double> model;
    const Node x = model.input({3});
    model.add(Add{}, {x, x});
    model.build();
    const auto data = random_tensor({2, 3}, 1);
    Tape<double> tape;
    const auto y = model.forward(data, tape);
    CHECK((y.array() == 2 * data.array()).all());
    model.graph().output_gradient(tape).array().setConstant(5);
    model.graph().backward(model.weights(), tape, true);
    CHECK((tape.entries[0].outputs[0].gradient.array() == 10).all());
  }
  SECTION("Multiply: the third power") {
    Model<double> model;
    model.input({4});
    const Node h = model.add(tanh(3));
    model.add(Multiply{}, {h, h, h});
    check_gradients(model);
  }
  SECTION("Dot and Concatenate") {
    Model<double> model;
    model.input({2, 4});
    const Node h = model.add(tanh(3));
    const Node dot = model.add(Dot{.axes = {2, 2}}, {h, h});
    model.add(Concatenate{}, {dot, dot, h});
    check_gradients(model);
  }
}

TEST_CASE("The input's gradient is the sum over all layers that read it") {
  Model<double> model;
  const Node x = model.input({3});
  const Node a = model.add(tanh(3), x);
  const Node b = model.add(Multiply{}, {a, x});
  model.add(Add{}, {b, x});
  check_gradients(model);
}

TEST_CASE("Gradients are right where reshapes share memory") {
  SECTION("one reader: a chain of reshapes") {
    Model<double> model;
    model.input({2, 6});
    model.add(tanh(6));
    model.add(Flatten{});
    model.add(Reshape{.target_shape = {3, 4}});
    model.add(Reshape{.target_shape = {4, 3}});
    model.add(tanh(2));
    check_gradients(model);
  }
  SECTION("the node before it has a second reader in front") {
    Model<double> model;
    model.input({2, 3});
    const Node h = model.add(tanh(3));
    const Node flat = model.add(Flatten{}, h);
    const Node a = model.add(tanh(4), flat);
    const Node last = model.add(LastStep{}, h);
    const Node b = model.add(tanh(4), last);
    model.add(Add{}, {a, b});
    check_gradients(model);
  }
  SECTION("the node before it has a second reader behind") {
    Model<double> model;
    model.input({2, 3});
    const Node h = model.add(tanh(3));
    const Node last = model.add(LastStep{}, h);
    const Node b = model.add(tanh(4), last);
    const Node flat = model.add(Flatten{}, h);
    const Node a = model.add(tanh(4), flat);
    model.add(Add{}, {a, b});
    check_gradients(model);
  }
  SECTION("two reshapes of one node") {
    Model<double> model;
    model.input({2, 3});
    const Node h = model.add(tanh(3));
    const Node a = model.add(Flatten{}, h);
    const Node b = model.add(Reshape{.target_shape = {6}}, h);
    model.add(Multiply{}, {a, b});
    check_gradients(model);
  }
  SECTION("the reshape itself has two readers") {
    Model<double> model;
    model.input({2, 3});
    model.add(tanh(3));
    const Node flat = model.add(Flatten{});
    const Node a = model.add(tanh(6), flat);
    model.add(Multiply{}, {a, flat});
    check_gradients(model);
  }
  SECTION("one reshape twice into a layer") {
    Model<double> model;
    model.input({2, 3});
    model.add(tanh(3));
    const Node flat = model.add(Flatten{});
    model.add(Multiply{}, {flat, flat});
    check_gradients(model);
  }
  SECTION("of the input, beside another reader of it") {
    Model<double> model;
    const Node x = model.input({2, 3});
    const Node flat = model.add(Flatten{}, x);
    const Node back = model.add(Reshape{.target_shape = {2, 3}}, flat);
    model.add(Multiply{}, {x, back});
    check_gradients(model);
  }
  SECTION("at the end") {
    Model<double> model;
    model.input({2, 3});
    const Node h = model.add(tanh(3));
    model.add(Flatten{}, h);
    check_gradients(model);
  }
}

TEST_CASE("A network of nothing but reshapes hands the gradient on") {
  Model<double> model;
  model.input({2, 3});
  model.add(Flatten{});
  model.add(Reshape{.target_shape = {3, 2}});
  check_gradients(model);
}

TEST_CASE("A branch that the output does not need is neither run nor trained") {
  Model<double> with, without;
  const Node x = with.input({4});
  const Node shared = with.add("shared", tanh(3), x);
  with.add("unused", tanh(7), shared);
  const Node out = with.add("out", tanh(2), shared);
  with.add("behind", tanh(5), out);
  with.set_output(out);
  with.build({.seed = 1});
  without.input({4});
  without.add("shared", tanh(3));
  without.add("out", tanh(2));
  without.build();
  for (const auto* name : {"shared/kernel", "out/kernel"}) {
    without.weight(name).array() = with.weight(name).array();
  }

  const auto data = random_tensor({2, 4}, 1);
  Tape<double> tape, expected;
  const auto run = [&](const Model<double>& model, Tape<double>& t) {
    model.forward(data, t);
    model.graph().output_gradient(t).array().setOnes();
    model.graph().backward(model.weights(), t, true);
  };
  run(with, tape);
  run(without, expected);
  CHECK(distance<double>(tape.entries[0].outputs[0].gradient,
                         expected.entries[0].outputs[0].gradient) == 0);
  CHECK_FALSE(tape.entries[2].active);
  CHECK_FALSE(tape.entries[4].active);
  for (const Slot& slot : with.graph().layout().all_slots()) {
    const View<double> gradient{tape.gradients.data() + slot.offset, slot.shape};
    const bool used = slot.name.starts_with("shared") || slot.name.starts_with("out");
    CAPTURE(slot.name);
    CHECK(used == (gradient.array().abs().sum() > 0));
    if (!used) continue;
    const Slot* same = without.graph().layout().find(slot.name);
    REQUIRE(same != nullptr);
    CHECK(distance<double>(
              gradient, View<double>{expected.gradients.data() + same->offset, same->shape}) == 0);
  }
}

TEST_CASE("A run to another node before a backward does not disturb it") {
  auto model = index2_network<double>(Form::functional);
  const auto x = random_tensor({3, 10, 2}, 1);
  const auto train = [&](Tape<double>& tape) {
    model.forward(x, tape);
    model.graph().output_gradient(tape).array().setOnes();
    model.graph().backward(model.weights(), tape, true);
  };
  Tape<double> fresh, used;
  train(fresh);
  model.graph().forward(model.weights(), random_tensor({5, 10, 2}, 2), 2, {}, used);
  train(used);
  CHECK(used.gradients == fresh.gradients);
}

TEST_CASE("The input's gradient is left out unless asked for, and the rest is the same") {
  auto model = index2_network<double>(Form::functional);
  const auto x = random_tensor({3, 10, 2}, 1);
  Tape<double> with, without;
  for (auto* tape : {&with, &without}) {
    model.forward(x, *tape);
    model.graph().output_gradient(*tape).array().setOnes();
    model.graph().backward(model.weights(), *tape, tape == &with);
  }
  CHECK(with.entries[0].wanted);
  CHECK_FALSE(without.entries[0].wanted);
  CHECK(without.entries[0].outputs[0].gradient_memory.empty());
  CHECK(with.gradients == without.gradients);
}

TEST_CASE("A backward starts from gradients of zero") {
  auto model = index2_network<double>(Form::block);
  const auto x = random_tensor({3, 10, 2}, 1);
  Tape<double> tape;
  Arena<double> first;
  for (const int round : {1, 2}) {
    model.forward(x, tape);
    model.graph().output_gradient(tape).array().setOnes();
    model.graph().backward(model.weights(), tape);
    if (round == 1) first = tape.gradients;
  }
  CHECK(tape.gradients == first);
}

TEST_CASE("Each node of a run draws its own random numbers") {
  Model<double> model;
  const Node x = model.input({200});
  const Node a = model.add("a", Dropout{.rate = 0.5}, x);
  const Node b = model.add("b", Dropout{.rate = 0.5}, x);
  model.add(Concatenate{}, {a, b});
  model.build();
  Tensor<double> ones(Shape{1, 200});
  ones.array().setOnes();
  Tape<double> tape;
  const auto y = model.forward(ones, tape, {.training = true});
  CHECK_FALSE(y.matrix().leftCols(200) == y.matrix().rightCols(200));
}

TEST_CASE("A frozen layer keeps its weights, costs no gradient, and hands gradients on") {
  Model<double> model;
  model.input({4, 3});
  model.add("first", LSTM{.units = 5, .return_sequences = true});
  model.add("second", Dense{.units = 2});
  model.build({.seed = 1});
  const auto x = random_tensor({2, 4, 3}, 1);
  const auto run = [&](Tape<double>& tape) {
    model.forward(x, tape);
    model.graph().output_gradient(tape).array().setOnes();
    model.graph().backward(model.weights(), tape, true);
  };
  Tape<double> all, frozen;
  run(all);
  model.set_trainable("second", false);
  run(frozen);
  const Slot& kernel = *model.graph().layout().find("second/kernel");
  CHECK((frozen.gradients.array().segment(kernel.offset, kernel.shape.size()) == 0).all());
  CHECK((frozen.gradients.array().head(kernel.offset) == all.gradients.array().head(kernel.offset))
            .all());
  CHECK(
      (frozen.entries[0].outputs[0].gradient.array() == all.entries[0].outputs[0].gradient.array())
          .all());
  model.set_trainable("first", false);
  run(frozen);
  CHECK((frozen.gradients.array() == 0).all());
}

TEST_CASE("Freezing a layer without weights freezes no other") {
  Model<double> model;
  model.input({4, 3});
  model.add("quiet", Dropout{.rate = 0.5});
  model.add("first", Dense{.units = 2});
  model.set_trainable("quiet", false);
  CHECK(model.graph()[model.graph().find("first")].trains);
  CHECK(model.graph().layout().all_slots()[0].trains);
}

TEST_CASE("A shared layer has the weights of its owner, and the sum of both gradients") {
  Model<double> model;
  const Node left = model.input("left", {4, 3});
  const Node right = model.input("right", {4, 3});
  const Node encoder = model.add("encoder", LSTM{.units = 2}, left);
  const Node other = model.share(encoder, {right});
  model.add(Add{}, {encoder, other});
  model.build({.seed = 1});
  CHECK(model.count_params() == 48);
  const auto a = random_tensor({3, 4, 3}, 1), b = random_tensor({3, 4, 3}, 2);
  const View<const double> inputs[] = {a, b};
  Tape<double> tape;
  const Tensor<double> y(model.forward({.x = inputs}, tape));
  model.graph().output_gradient(tape).array().setOnes();
  model.graph().backward(model.weights(), tape);

  Model<double> alone;
  alone.input({4, 3});
  alone.add(LSTM{.units = 2});
  alone.build();
  alone.set_weights(model.weights().values());
  Tape<double> one, two;
  const Tensor<double> y1(alone.forward(a, one)), y2(alone.forward(b, two));
  CHECK((y.array() == y1.array() + y2.array()).all());
  for (auto* t : {&one, &two}) {
    alone.graph().output_gradient(*t).array().setOnes();
    alone.graph().backward(alone.weights(), *t);
  }
  CHECK((tape.gradients.array() - one.gradients.array() - two.gradients.array()).abs().maxCoeff() <
        1e-14);
  // Inputs for which the weights would have another shape are refused.
  Model<double> wrong;
  const Node x = wrong.input("x", {4, 3});
  const Node wide = wrong.input("wide", {4, 5});
  const Node lstm = wrong.add("lstm", LSTM{.units = 2}, x);
  CHECK(
      message<ShapeError>([&] { wrong.share(lstm, {wide}); }) ==
      "LSTM \"lstm_1\": expected inputs for which lstm/kernel of (3, 8) can be shared, got inputs "
      "that need one of (5, 8)");
}

TEST_CASE("An encoder hands its states to a decoder, and gets its gradients through them alone") {
  Model<double> model;
  const Node source = model.input("source", {5, 2});
  const Node target = model.input("target", {3, 2});
  const Node encoder = model.add("encoder", LSTM{.units = 4, .return_state = true}, source);
  const Node h{encoder.index, 1}, c{encoder.index, 2};
  model.add("decoder", LSTM{.units = 4, .return_sequences = true}, {target, h, c});
  model.build({.seed = 3});
  auto a = random_tensor({2, 5, 2}, 1), b = random_tensor({2, 3, 2}, 2);
  const View<const double> inputs[] = {a, b};
  const auto dy = random_tensor({2, 3, 4}, 3);
  Tape<double> tape;
  const auto loss = [&] { return (model.forward({.x = inputs}, tape).array() * dy.array()).sum(); };
  loss();
  model.graph().output_gradient(tape).array() = dy.array();
  model.graph().backward(model.weights(), tape, true);
  const Tensor<double> da(tape.entries[source.index].outputs[0].gradient);
  for (Index i = 0; i < a.size(); i += 3) {
    const double value = a.data()[i], step = 1e-5;
    a.data()[i] = value + step;
    const double above = loss();
    a.data()[i] = value - step;
    const double below = loss();
    a.data()[i] = value;
    CHECK(std::abs((above - below) / (2 * step) - da.data()[i]) < 1e-8);
  }
  CHECK(message<ModelError>([&] {
          Model<double> other;
          other.input({5, 2});
          const Node lstm = other.add("lstm", LSTM{.units = 4});
          other.add("dense", Dense{.units = 1}, Node{lstm.index, 1});
        }) == "Dense \"dense\": expected one of the 1 outputs of LSTM \"lstm\", got output 1");
}

TEST_CASE("A model of any length runs on every length, and refuses layers that need one") {
  Model<double> model;
  model.input({any, 2});
  model.add(LSTM{.units = 3, .return_sequences = true});
  model.add(Dense{.units = 2});
  model.build({.seed = 1});
  Model<double> fixed;
  fixed.input({4, 2});
  fixed.add(LSTM{.units = 3, .return_sequences = true});
  fixed.add(Dense{.units = 2});
  fixed.build({.seed = 1});
  Tape<double> tape;
  for (const Index T : {4, 9, 1, 4}) {
    const auto x = random_tensor({2, T, 2}, 1);
    CHECK(model.forward(x, tape).shape() == Shape{2, T, 2});
    CHECK(model.predict(x).shape() == Shape{2, T, 2});
    if (T == 4) CHECK(model.predict(x) == fixed.predict(x));
  }
  CHECK(model.output_shape() == Shape{any, 2});
  Model<double> refused;
  refused.input({any, 2});
  CHECK(message<ShapeError>([&] { refused.add("attention", StepAttention{}); }) ==
        "StepAttention \"attention\": expected an input of known length, for its kernel is (any, "
        "any), "
        "got (any, 2)");
}

TEST_CASE(
    "A mask that comes with the data is that of a Masking, and one that does not fit is refused") {
  const auto make = [](bool masking) {
    Model<double> model;
    model.input({4, 2});
    if (masking) model.add(Masking{});
    model.add("gru", GRU{.units = 3});
    model.build({.seed = 1});
    return model;
  };
  const auto with = make(true), without = make(false);
  auto x = random_tensor({2, 4, 2}, 1);
  const std::vector<std::uint8_t> counts{1, 0, 1, 1, 1, 1, 0, 0};
  for (Index row = 0; row < 8; ++row) {
    if (counts[static_cast<std::size_t>(row)] == 0)
      x.view().reshaped({8, 2}).samples(row, 1).array().setZero();
  }
  const Mask mask(counts.data(), {2, 4}), wrong(counts.data(), {4, 2});
  for (const Index threads : {1, 2}) {
    CHECK(without.predict(Column<double>(x, mask), {.threads = threads}) == with.predict(x));
  }
  CHECK(without.predict(x) != with.predict(x));
  CHECK(message<ShapeError>([&] { without.predict(Column<double>(x, wrong)); }) ==
        "model \"model\": expected a mask of (samples, steps) for x of (2, 4, 2), got (4, 2)");
}

}  // namespace heed::graph_test
