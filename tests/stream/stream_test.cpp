#include <heed/layers/gru.hpp>
#include <heed/layers/simple_rnn.hpp>
#include <heed/model/all_layers.hpp>
#include <heed/stream/stream.hpp>

#include <functional>
#include <memory>
#include <thread>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/networks.hpp"
#include "support/random_tensor.hpp"

namespace heed::stream_test {

using namespace heed::testing;

namespace {

/// Adds layers to a model behind its input.
template <class S>
using Layers = std::function<void(Model<S>&, Node)>;

/// A model of those layers for sequences of so many steps.
template <class S>
Model<S> build(const Layers<S>& layers, Index steps, const Shape& step) {
  Model<S> model;
  layers(model, model.input(step.batch(steps)));
  model.build({.seed = 7});
  // Biases that start at zero would hide what becomes of them.
  const auto noise = random_tensor<S>({model.count_params()}, 8, 0.1);
  model.weights().array() += noise.array();
  return model;
}

/// What `predict` gives for each beginning of x: (T, …), by models of that many steps with the same
/// weights: the last step of an output with steps, or the whole of one without.
template <class S>
Tensor<S> predict_each(const Layers<S>& layers, const Model<S>& model, View<const S> x) {
  const Shape step = x.shape().sample();
  const bool has_steps =
      build<S>(layers, 1, step).output_shape() != build<S>(layers, 2, step).output_shape();
  std::vector<S> values;
  for (Index t = 1; t <= x.dim(0); ++t) {
    Model<S> shorter = build<S>(layers, t, step);
    shorter.set_weights(model.weights().values());
    const auto y = shorter.predict(x.samples(0, t).reshaped(step.batch(t).batch(1)));
    const Index size = y.size() / (has_steps ? t : 1);
    values.insert(values.end(), y.data() + y.size() - size, y.data() + y.size());
  }
  const Index size = std::ssize(values);
  return Tensor<S>(Shape{x.dim(0), size / x.dim(0)}, values);
}

/// What a stream gives for x, fed by blocks of those lengths, in turn; 0 stands for a single step.
template <class S>
Tensor<S> stream_all(Stream<S>& stream, View<const S> x, const std::vector<Index>& lengths) {
  std::vector<S> values;
  std::size_t next = 0;
  for (Index t = 0; t < x.dim(0);) {
    const Index length = std::min(lengths[next++ % lengths.size()], x.dim(0) - t);
    const auto y = length == 0 ? stream.step(x.samples(t, 1).reshaped(x.shape().sample()))
                               : stream.process(x.samples(t, length));
    if (length > 0) {
      CHECK(y.dim(0) == length);
    } else {
      CHECK(y.shape() == stream.process(x.samples(t, 0)).shape().sample());
    }
    values.insert(values.end(), y.data(), y.data() + y.size());
    t += std::max<Index>(length, 1);
  }
  return Tensor<S>(Shape{x.dim(0), std::ssize(values) / x.dim(0)}, values);
}

const std::vector<std::vector<Index>> all_lengths{{0}, {1}, {3}, {100}, {0, 4, 1, 0, 2, 5}};

/// A stream gives what `predict` gives for the sequence so far, by steps and by blocks. The model is
/// built for sequences of another length.
template <class S>
void check_stream(const Layers<S>& layers, const Shape& step, double tolerance = 0, Index T = 9) {
  const Model<S> model = build<S>(layers, 4, step);
  const auto x = random_tensor<S>(step.batch(T), 5);
  const auto expected = predict_each<S>(layers, model, x);
  for (const auto& lengths : all_lengths) {
    CAPTURE(lengths, step);
    Stream<S> stream(model, {.capacity = T});
    const auto y = stream_all<S>(stream, x, lengths);
    CHECK(distance(y, expected) <= tolerance);
    CHECK(stream.steps() == T);
  }
}

/// A model with a state of every kind: two LSTMs and a ring.
template <class S>
Model<S> wave_model(Index capacity_of_input = 6) {
  Model<S> model;
  model.input({capacity_of_input, 2});
  model.add(LSTM{.units = 5, .return_sequences = true});
  model.add(Dropout{.rate = 0.5});
  model.add(LSTM{.units = 3, .return_sequences = true});
  model.add(LuongAttention{.units = 4});
  model.add(Dense{.units = 2});
  model.build({.seed = 3});
  return model;
}

/// A user's layer without weights, whose gradient nobody asks for.
struct UserLayer {
  static constexpr auto fields() { return std::tuple{}; }
  static constexpr bool has_weights = false;
  template <class S>
  using Cache = NoCache;
  Shape output_shape(const Shape& x) const { return x; }
  template <class S>
  void backward(const Backward<S>&, Cache<S>&) const {}
};

/// yₜ = the mean of x₀ … xₜ
struct RunningMean : UserLayer {
  static constexpr std::string_view type = "RunningMean";

  template <class S>
  void forward(const Forward<S>& args, NoCache&) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    for (Index n = 0; n < x.dim(0); ++n) {
      for (Index t = 0; t < x.dim(1); ++t) {
        y.slice(n).row(t) = x.slice(n).topRows(t + 1).colwise().mean();
      }
    }
  }

  std::vector<Shape> stream_state(const Shape& x, Index) const { return {{x.back()}}; }

  template <class S>
  void stream(const Forward<S>& args, Index seen, NoCache&) const {
    const View<const S> x = args.x[0];
    const View<S> sum = args.next_state[0];
    for (Index t = 0; t < x.dim(0); ++t) {
      sum.row() += x.matrix().row(t);
      args.y[0].matrix().row(t) = sum.row() / static_cast<S>(seen + t + 1);
    }
  }
};

/// y = x / 2, which says nothing of steps
struct Half : UserLayer {
  static constexpr std::string_view type = "Half";
  template <class S>
  void forward(const Forward<S>& args, NoCache&) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    y.array() = x.array() / 2;
  }
};

template <class S>
std::string refusal_of(const Model<S>& model) {
  return message<ModelError>([&] { Stream<S> stream(model); });
}

}  // namespace

TEMPLATE_TEST_CASE("A stream gives the bits of predict for the sequence so far", "", float,
                   double) {
  using S = TestType;
  const auto check = [](const Layers<S>& layers) { check_stream<S>(layers, {3}); };
  SECTION("an LSTM of sequences") {
    check([](auto& model, Node x) {
      x = model.add(LSTM{.units = 6, .return_sequences = true}, x);
      model.add(Dense{.units = 2}, x);
    });
  }
  SECTION("LSTMs behind each other") {
    check([](auto& model, Node x) {
      x = model.add(LSTM{.units = 9, .return_sequences = true}, x);
      x = model.add(LSTM{.units = 4, .return_sequences = true}, x);
      model.add(LSTM{.units = 5}, x);
    });
  }
  SECTION("many to one") {
    check([](auto& model, Node x) {
      x = model.add(LSTM{.units = 5}, x);
      model.add(Dense{.units = 3, .activation = Activation::softmax}, x);
    });
  }
  SECTION("an LSTM without bias and with other functions") {
    check([](auto& model, Node x) {
      x = model.add(LSTM{.units = 5,
                         .activation = ActivationFunction::softsign,
                         .recurrent_activation = ActivationFunction::hard_sigmoid,
                         .use_bias = false,
                         .return_sequences = true},
                    x);
      model.add(LSTM{.units = 2, .use_bias = false}, x);
    });
  }
  SECTION("a GRU of sequences") {
    check([](auto& model, Node x) {
      x = model.add(GRU{.units = 6, .return_sequences = true}, x);
      model.add(GRU{.units = 3}, x);
    });
  }
  SECTION("a GRU that resets before, without bias and with other functions") {
    check([](auto& model, Node x) {
      x = model.add(GRU{.units = 9, .reset_after = false, .return_sequences = true}, x);
      x = model.add(GRU{.units = 5,
                        .activation = ActivationFunction::softsign,
                        .recurrent_activation = ActivationFunction::hard_sigmoid,
                        .use_bias = false,
                        .return_sequences = true},
                    x);
      model.add(GRU{.units = 2, .use_bias = false, .reset_after = false}, x);
    });
  }
  SECTION("a SimpleRNN of sequences") {
    check([](auto& model, Node x) {
      x = model.add(SimpleRNN{.units = 6, .return_sequences = true}, x);
      x = model.add(SimpleRNN{.units = 5,
                              .activation = ActivationFunction::relu,
                              .use_bias = false,
                              .return_sequences = true},
                    x);
      model.add(SimpleRNN{.units = 3}, x);
    });
  }
  SECTION("branches that are joined again") {
    check([](auto& model, Node x) {
      const Node a = model.add(LSTM{.units = 4, .return_sequences = true}, x);
      Node b = model.add(Dense{.units = 4, .activation = Activation::tanh}, x);
      b = model.add(Dropout{.rate = 0.5}, b);
      const Node gated = model.add(Multiply{}, {a, b, a});
      const Node sum = model.add(Add{}, {a, b, gated});
      const Node all = model.add(Concatenate{}, {x, sum, gated});
      const Node last = model.add(LastStep{}, all);
      const Node state = model.add(LSTM{.units = 2}, sum);
      const Node both = model.add(Concatenate{.axis = 1}, {state, last});
      model.add(Activation{.activation = Activation::softmax}, both);
    });
  }
  SECTION("steps without a state") {
    check([](auto& model, Node x) {
      const Node a = model.add(Activation{.activation = Activation::softmax}, x);
      model.add(Dense{.units = 1, .activation = Activation::sigmoid},
                model.add(Concatenate{.axis = -1}, {a, x}));
    });
  }
  SECTION("the last step") {
    check([](auto& model, Node x) { model.add(LastStep{}, x); });
  }
  SECTION("the input") {
    check([](auto& model, Node x) {
      model.add(Dense{.units = 1}, x);
      model.set_output(x);
    });
  }
  SECTION("Luong's attention") {
    check([](auto& model, Node x) {
      x = model.add(LSTM{.units = 6, .return_sequences = true}, x);
      x = model.add(LuongAttention{.units = 5}, x);
      model.add(Dense{.units = 1}, x);
    });
  }
  SECTION("any layers behind the steps") {
    check([](auto& model, Node x) {
      x = model.add(LSTM{.units = 4}, x);
      const Node again = model.add(RepeatVector{.n = 3}, x);
      Node y = model.add(LSTM{.units = 6, .return_sequences = true, .go_backwards = true}, again);
      y = model.add(StepAttention{}, y);
      y = model.add(Permute{.dims = {2, 1}}, y);
      y = model.add(Flatten{}, y);
      y = model.add(Reshape{.target_shape = {3, 2, 3}}, y);
      y = model.add(Concatenate{.axis = 2}, {y, y});
      y = model.add(Flatten{}, y);
      model.add(Dot{.axes = {1, 1}}, {x, model.add(Dense{.units = 4}, y)});
    });
  }
}

TEST_CASE("A stream of steps with several axes gives the bits of predict") {
  const Layers<float> layers = [](auto& model, Node x) {
    const Node a = model.add(Dense{.units = 4, .activation = Activation::tanh}, x);
    model.add(Concatenate{.axis = 2}, {a, model.add(Dropout{.rate = 0.1}, a), a});
  };
  check_stream<float>(layers, {2, 3});
  check_stream<float>(layers, {3, 1, 2});
}

TEMPLATE_TEST_CASE("A stream gives the bits of predict at all kinds of sizes", "", float, double) {
  using S = TestType;
  for (const Index D : {1, 2, 3, 8, 17, 33}) {
    for (const Index U : {1, 2, 3, 8, 17, 33}) {
      CAPTURE(D, U);
      const Layers<S> layers = [&](auto& model, Node x) {
        x = model.add(LSTM{.units = U, .return_sequences = true}, x);
        x = model.add(LuongAttention{.units = D}, x);
        model.add(Dense{.units = U}, x);
      };
      check_stream<S>(layers, {D}, 0, 4);
    }
  }
}

TEMPLATE_TEST_CASE("A stream of other cells gives the bits of predict at all kinds of sizes", "",
                   float, double) {
  using S = TestType;
  for (const Index D : {1, 3, 8, 17}) {
    for (const Index U : {1, 3, 8, 17}) {
      CAPTURE(D, U);
      const Layers<S> layers = [&](auto& model, Node x) {
        const Node after = model.add(GRU{.units = U, .return_sequences = true}, x);
        const Node before =
            model.add(GRU{.units = U, .reset_after = false, .return_sequences = true}, x);
        const Node simple = model.add(SimpleRNN{.units = U, .return_sequences = true}, x);
        model.add(Concatenate{}, {after, before, simple});
      };
      check_stream<S>(layers, {D}, 0, 4);
    }
  }
}

TEST_CASE("A stream gives what predict gives for a long sequence") {
  Model<float> model;
  model.input({500, 2});
  model.add(LSTM{.units = 12, .return_sequences = true});
  model.add(Dense{.units = 2, .activation = Activation::tanh});
  model.build({.seed = 2});
  const auto x = random_tensor<float>({500, 2}, 1);
  const auto expected = model.predict(x.view().reshaped({1, 500, 2}));
  for (const auto& lengths : all_lengths) {
    CAPTURE(lengths);
    Stream<float> stream(model);
    const auto y = stream_all<float>(stream, x, lengths);
    CHECK(distance<float>(y, expected.view().reshaped({500, 2})) == 0);
  }
}

TEMPLATE_TEST_CASE("Attention in a stream looks back on as many steps as it has room for", "",
                   float, double) {
  using S = TestType;
  constexpr Index T = 23, D = 2, U = 5, units = 3;
  const auto x = random_tensor<S>({T, D}, 1);
  Model<S> model;
  model.input({4, D});
  model.add("lstm", LSTM{.units = U, .return_sequences = true});
  model.add("attention", LuongAttention{.units = units});
  model.build({.seed = 1});

  Model<S> whole;  // the hidden states of all steps
  whole.input({T, D});
  whole.add(LSTM{.units = U, .return_sequences = true});
  whole.set_weights(model.weights().values().first(4 * U * (D + U + 1)));
  const auto h = whole.predict(x.view().reshaped({1, T, D}));

  for (const Index capacity : {0, 1, 2, 4, 7, 22, 23, 40}) {
    const Index room = capacity == 0 ? 4 : capacity;
    Tensor<S> expected(Shape{T, units});
    for (Index t = 0; t < T; ++t) {
      const Index kept = std::min(t + 1, room);
      Model<S> attention;
      attention.input({kept, U});
      attention.add(LuongAttention{.units = units});
      attention.set_weights(model.weights().values().last(U * U + 2 * U * units));
      const auto y = attention.predict(
          h.view().reshaped({T, U}).samples(t + 1 - kept, kept).reshaped({1, kept, U}));
      expected.samples(t, 1).array() = y.array();
    }
    for (const auto& lengths : all_lengths) {
      CAPTURE(capacity, lengths);
      Stream<S> stream(model, {.capacity = capacity});
      CHECK(distance(stream_all<S>(stream, x, lengths), expected) < 1e-6);
    }
  }
}

TEST_CASE("A stream leaves out what the output does not depend on") {
  Model<double> model;
  const Node x = model.input({4, 2});
  const Node lstm = model.add(LSTM{.units = 3, .return_sequences = true}, x);
  model.add(StepAttention{}, lstm);
  const Node output = model.add(Dense{.units = 1}, lstm);
  model.add(Flatten{}, output);
  model.set_output(output);
  model.build();
  const auto values = random_tensor({4, 2}, 1);
  Stream<double> stream(model);
  const auto y = stream.process(values);
  CHECK(y.shape() == Shape{4, 1});
  CHECK((y.array() == model.predict(values.view().reshaped({1, 4, 2})).array()).all());
}

TEST_CASE("A step is a view, a tensor, an array or a vector, and gives the shape without a batch") {
  Model<float> model;
  model.input({4, 2});
  model.add(LSTM{.units = 3});
  model.build();
  Stream<float> stream(model);
  const auto first = [&](const auto& x) {
    stream.reset();
    const View<const float> y = stream.step(x);
    CHECK(y.shape() == Shape{3});
    return Tensor<float>(y);
  };
  const Tensor<float, 1> tensor{1, 2};
  const auto expected = first(tensor);
  CHECK(first(tensor.view()) == expected);
  CHECK(first(Tensor<float>(tensor)) == expected);
  CHECK(first(std::array{1.f, 2.f}) == expected);
  CHECK(first(std::vector{1.f, 2.f}) == expected);
  CHECK(first(std::span(tensor.data(), 2)) == expected);

  Model<float> high;
  high.input({4, 2, 3});
  high.add(Dense{.units = 5});
  high.build();
  Stream<float> wide(high);
  CHECK(wide.step(Tensor<float>(Shape{2, 3})).shape() == Shape{2, 5});
  CHECK(wide.step(std::vector<float>(6)).shape() == Shape{2, 5});
  CHECK(wide.process(Tensor<float>(Shape{7, 2, 3})).shape() == Shape{7, 2, 5});
}

TEST_CASE("A block without steps changes nothing") {
  const auto model = wave_model<double>();
  const auto x = random_tensor({9, 2}, 1);
  Stream<double> stream(model), other(model);
  CHECK(stream.process(Tensor<double>(Shape{0, 2})).shape() == Shape{0, 2});
  CHECK(stream.steps() == 0);
  stream.process(x.samples(0, 5));
  other.process(x.samples(0, 5));
  const auto before = stream.state();
  CHECK(stream.process(Tensor<double>(Shape{0, 2})).size() == 0);
  CHECK(stream.state() == before);
  CHECK(Tensor<double>(stream.process(x.samples(5, 4))) ==
        Tensor<double>(other.process(x.samples(5, 4))));
}

TEMPLATE_TEST_CASE("A state is a value from which a stream goes on", "", float, double) {
  using S = TestType;
  const auto model = wave_model<S>();
  const auto x = random_tensor<S>({20, 2}, 1);
  Stream<S> stream(model);
  const StreamState<S> start = stream.state();
  CHECK(start.steps == 0);
  CHECK((start.values.array() == 0).all());

  stream.process(x.samples(0, 9));
  const StreamState<S> warm = stream.state();
  CHECK(warm.steps == 9);
  CHECK(stream.steps() == 9);
  const Tensor<S> rest(stream.process(x.samples(9, 11)));
  const StreamState<S> end = stream.state();
  CHECK(end.steps == 20);
  CHECK_FALSE(end == warm);

  StreamState<S> copy = warm;
  CHECK(copy == warm);
  stream.restore(copy);
  copy.values.set_zero();  // the stream has its own
  CHECK(stream.state() == warm);
  CHECK(stream.steps() == 9);
  CHECK(Tensor<S>(stream.process(x.samples(9, 11))) == rest);
  CHECK(stream.state() == end);

  Stream<S> other(model);
  other.restore(warm);
  CHECK(stream_all<S>(other, x.samples(9, 11), {0, 2}) == rest);
  CHECK(other.state() == end);

  stream.reset();
  CHECK(stream.state() == start);
  stream.process(x.samples(0, 9));
  CHECK(stream.state() == warm);
}

TEST_CASE("The state does not depend on how the steps were cut into blocks") {
  const auto model = wave_model<float>();
  const auto x = random_tensor<float>({20, 2}, 1);
  Stream<float> all(model);
  all.process(x);
  for (const auto& lengths : all_lengths) {
    CAPTURE(lengths);
    Stream<float> stream(model);
    stream_all<float>(stream, x, lengths);
    CHECK(stream.state() == all.state());
  }
}

TEST_CASE("A model without anything to remember has an empty state") {
  Model<double> model;
  model.input({4, 2});
  model.add(Dense{.units = 3});
  model.build();
  Stream<double> stream(model);
  stream.step(std::array{1.0, 2.0});
  const auto state = stream.state();
  CHECK(state.values.size() == 0);
  CHECK(state.steps == 1);
  stream.reset();
  CHECK(stream.steps() == 0);
  stream.restore(state);
  CHECK(stream.steps() == 1);
}

TEST_CASE("A stream that is moved goes on, and its views stay") {
  const auto model = wave_model<float>();
  const auto x = random_tensor<float>({12, 2}, 1);
  Stream<float> stays(model);
  const Tensor<float> expected(stays.process(x));

  auto stream = std::make_unique<Stream<float>>(model);
  stream->process(x.samples(0, 4));
  const View<const float> last = stream->process(x.samples(4, 4));
  Stream<float> moved(std::move(*stream));
  stream.reset();
  CHECK(Tensor<float>(last) == Tensor<float>(expected.samples(4, 4)));
  CHECK(Tensor<float>(moved.process(x.samples(8, 2))) == Tensor<float>(expected.samples(8, 2)));

  Stream<float> assigned(model, {.capacity = 99});
  assigned = std::move(moved);
  CHECK(Tensor<float>(assigned.process(x.samples(10, 2))) ==
        Tensor<float>(expected.samples(10, 2)));
  CHECK(assigned.steps() == 12);

  std::vector<Stream<float>> streams;
  for (int i = 0; i < 5; ++i) streams.emplace_back(model);
  for (auto& one : streams) CHECK(Tensor<float>(one.process(x)) == expected);

  STATIC_REQUIRE(!std::is_copy_constructible_v<Stream<float>>);
}

TEST_CASE("A stream of a model that is about to go does not compile") {
  STATIC_REQUIRE(std::is_constructible_v<Stream<float>, const Model<float>&>);
  STATIC_REQUIRE(!std::is_constructible_v<Stream<float>, Model<float>>);
  STATIC_REQUIRE(!std::is_constructible_v<Stream<float>, Model<float>, StreamOptions>);
  STATIC_REQUIRE(!std::is_constructible_v<Stream<float>, const Model<double>&>);
}

TEST_CASE("Two streams of one model do not disturb each other, on one thread or on two") {
  const auto model = wave_model<float>();
  const auto x = random_tensor<float>({200, 2}, 1), z = random_tensor<float>({200, 2}, 2);
  Stream<float> one(model), other(model);
  const Tensor<float> expected_x(one.process(x)), expected_z(other.process(z));
  one.reset();
  other.reset();
  for (Index t = 0; t < 200; ++t) {
    one.step(x.samples(t, 1).reshaped({2}));
    other.step(z.samples(t, 1).reshaped({2}));
  }
  CHECK(one.steps() == 200);
  one.reset();
  other.reset();
  Tensor<float> y_x, y_z;
  std::thread thread([&] { y_z = stream_all<float>(other, z, {200}); });
  y_x = Tensor<float>(one.process(x));
  thread.join();
  CHECK(y_x == expected_x);
  CHECK(y_z == expected_z);
}

TEST_CASE(
    "A step allocates nothing, the first one included, nor does a block no longer than one "
    "before") {
  const auto model = wave_model<float>();
  Model<float> behind;  // layers that run on the step's result
  behind.input({5, 2});
  behind.add(LSTM{.units = 3});
  behind.add(RepeatVector{.n = 4});
  behind.add(LSTM{.units = 5, .return_sequences = true});
  behind.add(StepAttention{});
  behind.add(Flatten{});
  behind.add(Dense{.units = 2, .activation = Activation::softmax});
  behind.build();
  const auto x = random_tensor<float>({40, 2}, 1);
  for (const Model<float>* each : {&model, &std::as_const(behind)}) {
    Stream<float> stream(*each, {.capacity = 11});
    std::array<std::size_t, 4> counts{};
    {
      const Allocations allocations;
      const NoEigenAllocations forbidden;
      for (Index t = 0; t < 30; ++t) stream.step(x.samples(t, 1).reshaped({2}));
      counts[0] = allocations.count();
    }
    stream.process(x.samples(0, 13));
    stream.reset();
    {
      const Allocations allocations;
      stream.process(x.samples(0, 13));
      stream.process(x.samples(13, 5));
      stream.step(x.samples(18, 1).reshaped({2}));
      stream.process(x.samples(19, 0));
      stream.process(x.samples(19, 13));
      counts[1] = allocations.count();
    }
    const auto state = stream.state();
    {
      const Allocations allocations;
      stream.restore(state);
      stream.reset();
      counts[2] = allocations.count();
    }
    {
      const Allocations allocations;
      const Stream<float> moved(std::move(stream));
      counts[3] = allocations.count();
    }
    CHECK(counts == std::array<std::size_t, 4>{});
  }
}

TEST_CASE("A step of another shape is refused in a sentence, and leaves the stream as it was") {
  const auto model = wave_model<double>();
  Stream<double> stream(model);
  stream.step(std::array{1.0, 2.0});
  const auto before = stream.state();
  CHECK(message<ShapeError>([&] { stream.step(Tensor<double>(Shape{3})); }) ==
        "model \"model\": expected a step of (2), got (3)");
  CHECK(message<ShapeError>([&] {
          stream.step(Tensor<double>(Shape{1, 2}));
        }) == "model \"model\": expected a step of (2), got (1, 2)");
  CHECK(message<ShapeError>([&] { stream.step(std::array{1.0}); }) ==
        "model \"model\": expected a step of 2 numbers, got 1");
  CHECK(message<ShapeError>([&] { stream.process(Tensor<double>(Shape{2})); }) ==
        "model \"model\": expected a block of (steps) and (2), got (2)");
  CHECK(message<ShapeError>([&] {
          stream.process(Tensor<double>(Shape{4, 3}));
        }) == "model \"model\": expected a block of (steps) and (2), got (4, 3)");
  CHECK(message<ShapeError>([&] {
          stream.process(Tensor<double>(Shape{2, 4, 2}));
        }) == "model \"model\": expected a block of (steps) and (2), got (2, 4, 2)");
  CHECK(message<ShapeError>([&] { stream.process(View<const double>()); }) ==
        "model \"model\": expected a block of (steps) and (2), got ()");
  CHECK(stream.state() == before);
}

TEST_CASE("A stream that runs out of memory for a block goes on as it was") {
  Model<double> model;
  model.input("x", {6, 1});
  model.add("lstm", LSTM{.units = 2, .return_sequences = true});
  model.add("wide", Dense{.units = 64});
  model.build({.seed = 1});
  const auto x = random_tensor<double>({6, 1}, 1), block = random_tensor<double>({1000, 1}, 2);
  Stream<double> whole(model), stream(model);
  const Tensor<double> expected(whole.process(x));
  const auto rows = [&](Index first) { return View<const double>(x.data() + first, Shape{3, 1}); };
  stream.process(rows(0));
  if (AllocationLimit::works()) {
    const AllocationLimit limit(100'000);  // room for 1,000 steps of the LSTM's, not of the Dense's
    CHECK_THROWS_AS(stream.process(block), std::bad_alloc);
  }
  const auto y = stream.process(rows(3));
  for (Index i = 0; i < y.size(); ++i) {
    REQUIRE(y.data()[i] == expected.data()[expected.size() / 2 + i]);
  }
}

TEST_CASE("A state of another stream is refused in a sentence, and leaves the stream as it was") {
  const auto model = wave_model<double>();
  Stream<double> stream(model), longer(model, {.capacity = 7});
  stream.step(std::array{1.0, 2.0});
  const auto before = stream.state();
  // [x, h] and c of two LSTMs, and six steps of the second.
  CHECK(before.values.size() == 5 + 5 + 3 + 3 + 6 * 3);
  CHECK(message<ShapeError>([&] { stream.restore(longer.state()); }) ==
        "model \"model\": expected a state of 34 numbers, got 37 after 0 steps");
  CHECK(message<ShapeError>([&] { stream.restore({}); }) ==
        "model \"model\": expected a state of 34 numbers, got 0 after 0 steps");
  auto negative = before;
  negative.steps = -1;
  CHECK(message<ShapeError>([&] { stream.restore(negative); }) ==
        "model \"model\": expected a state of 34 numbers, got 34 after -1 steps");
  CHECK(stream.state() == before);
}

TEST_CASE("A model that is not built, and a negative capacity, are refused in a sentence") {
  Model<double> model("wave");
  CHECK(refusal_of(model) ==
        "model \"wave\" is streamed before build(); it has no layers, as one that was moved from");
  model.input({4, 2});
  model.add(LSTM{.units = 3});
  CHECK(refusal_of(model) == "model \"wave\" is streamed before build()");
  model.build();
  CHECK(message<OptionError>([&] { Stream<double> stream(model, {.capacity = -1}); }) ==
        "expected a capacity of at least 0 steps, got -1");
}

TEST_CASE("A model that cannot be streamed is refused with the name of the layer") {
  Model<double> model;
  SECTION("an input without steps") {
    model.input({4});
    model.add(Dense{.units = 2});
    model.build();
    CHECK(refusal_of(model) == "model \"model\" cannot be streamed: its input (4) has no steps");
  }
  SECTION("a layer of all steps") {
    const auto refusal = [](auto layer) {
      Model<double> behind;
      behind.input({4, 2});
      behind.add(LSTM{.units = 3, .return_sequences = true});
      behind.add("layer", layer);
      behind.build();
      return refusal_of(behind);
    };
    const std::string reason = " \"layer\" cannot be streamed: it needs all steps at once";
    CHECK(refusal(StepAttention{}) == "StepAttention" + reason);
    CHECK(refusal(Flatten{}) == "Flatten" + reason);
    CHECK(refusal(Reshape{.target_shape = {2, 6}}) == "Reshape" + reason);
    CHECK(refusal(Permute{.dims = {2, 1}}) == "Permute" + reason);
    CHECK(refusal(LSTM{.units = 2, .go_backwards = true}) ==
          "LSTM \"layer\" cannot be streamed: with go_backwards it begins with the last step");
  }
  SECTION("a layer of two outputs behind the last step") {
    model.input({4, 2});
    model.add(LSTM{.units = 2});
    model.add(RepeatVector{.n = 3});
    model.add("both", Bidirectional<GRU>{.layer = {.units = 2}, .merge_mode = MergeMode::none});
    model.add(Dense{.units = 1});
    model.build();
    CHECK(refusal_of(model) == "Bidirectional \"both\" cannot be streamed: it has 2 outputs");
  }
  SECTION("steps that are joined with other steps") {
    const Node x = model.input({4, 2});
    SECTION("along the steps") {
      model.add("long", Concatenate{.axis = 1}, {x, x});
      model.build();
      CHECK(refusal_of(model) ==
            "Concatenate \"long\" cannot be streamed: it needs all steps at once");
    }
    SECTION("along the steps, counted from the end") {
      model.add("long", Concatenate{.axis = -2}, {x, x});
      model.build();
      CHECK(refusal_of(model) ==
            "Concatenate \"long\" cannot be streamed: it needs all steps at once");
    }
    SECTION("each with each") {
      model.add("dot", Dot{.axes = {2, 2}}, {x, x});
      model.build();
      CHECK(refusal_of(model) == "Dot \"dot\" cannot be streamed: it needs all steps at once");
    }
  }
  SECTION("steps that are joined with what has none") {
    const Node x = model.input({4, 2});
    const Node last = model.add(LSTM{.units = 2}, x);
    SECTION("which was repeated") {
      model.add("both", Multiply{}, {x, model.add(RepeatVector{.n = 4}, last)});
      model.build();
      CHECK(refusal_of(model) ==
            "Multiply \"both\" cannot be streamed: it joins what has steps with what has none");
    }
    SECTION("by a product") {
      model.add("score", Dot{.axes = {1, 2}}, {last, x});
      model.build();
      CHECK(refusal_of(model) ==
            "Dot \"score\" cannot be streamed: it joins what has steps with what has none");
    }
  }
  SECTION("Luong's attention in the layers of the reference") {
    const Node x = model.input({4, 2});
    add_luong_attention(model, x, 2, 3);
    model.build();
    CHECK(refusal_of(model) ==
          "Dot \"attention_score\" cannot be streamed: it joins what has "
          "steps with what has none");
  }
}

TEST_CASE("A user's layer is streamed when it says what it remembers, and otherwise refused") {
  check_stream<double>(
      [](auto& model, Node x) {
        x = model.add(Dense{.units = 4}, x);
        model.add(RunningMean{}, x);
      },
      {3}, 1e-14);

  Model<double> model;
  model.input({4, 2});
  model.add("half", Half{});
  model.build();
  CHECK(refusal_of(model) == "Half \"half\" cannot be streamed: it needs all steps at once");
}

TEST_CASE(
    "A stream of a model with Masking gives the bits of predict, and refuses a step that does not "
    "count") {
  Model<float> model;
  model.input({any, 2});
  model.add("masking", Masking{.mask_value = -1});
  model.add(GRU{.units = 4, .return_sequences = true});
  model.add(LSTM{.units = 3});
  model.build({.seed = 2});
  auto x = testing::random_tensor<float>({1, 6, 2}, 1);
  Stream<float> stream(model);
  for (Index t = 0; t < 6; ++t) {
    const Tensor<float, 2> row(x.slice(0).row(t));
    const auto y = stream.step(row.view().reshaped({2}));
    const Tensor<float> beginning(x.view().reshaped({6, 2}).samples(0, t + 1));
    const auto expected = model.predict(beginning.view().reshaped({1, t + 1, 2}));
    CHECK((y.array() == expected.array()).all());
  }
  const auto before = stream.state();
  const std::array<float, 2> padding{-1, -1};
  CHECK(testing::message<DataError>([&] { stream.step(padding); }) ==
        "Masking \"masking\": step 6 does not count; leave such steps out of a stream");
  CHECK(stream.state() == before);
  // A sample as a batch is a block, too.
  stream.reset();
  const auto block = stream.process(x);
  CHECK(block.shape() == Shape{6, 3});
}

TEST_CASE("Attention over a sequence of any length is told on how many steps a stream looks back") {
  Model<float> model;
  model.input({any, 2});
  model.add("attention", LuongAttention{.units = 3});
  model.build({.seed = 2});
  CHECK(testing::message<ModelError>([&] { Stream<float> stream(model); }) ==
        "LuongAttention \"attention\" cannot be streamed: its input is of any length: say by "
        "{.capacity = …} on how many steps it looks back");
  Stream<float> stream(model, {.capacity = 5});
  CHECK(stream.step(std::array{1.f, 2.f}).size() == 3);
}

TEST_CASE("A stream knows how many features a step has") {
  Model<float> model;
  model.input({3, any});
  model.add(Activation{.activation = Activation::tanh});
  model.build();
  CHECK(testing::message<ModelError>([&] { Stream<float> stream(model); }) ==
        "InputLayer \"input_layer\" cannot be streamed: expected a step of known shape, got (any)");
}

}  // namespace heed::stream_test
