#include <set>

#include "architecture.hpp"

#include <heed/check/gradient_check.hpp>
#include <heed/io/model_file.hpp>
#include <heed/stream/stream.hpp>
#include <heed/train/losses.hpp>

#include <cstdlib>
#include <thread>

#include "support/catch.hpp"
#include "support/random_tensor.hpp"

namespace heed::property_test {

using namespace heed::testing;

namespace {

/// How many networks are drawn: 1,000 unless the environment says otherwise, and fewer under a
/// sanitizer, which makes each ten times as slow.
std::uint64_t count_of_networks() {
  if (const char* given = std::getenv("HEED_PROPERTY_MODELS")) return std::stoull(given);
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return 100;
#endif
#endif
  return 1000;
}

template <class S>
bool same_bits(const Tensor<S>& a, const Tensor<S>& b) {
  return a.shape() == b.shape() &&
         std::equal(a.values().begin(), a.values().end(), b.values().begin(), [](S x, S y) {
           return std::bit_cast<detail::BitsOf<S>>(x) == std::bit_cast<detail::BitsOf<S>>(y);
         });
}

template <class S>
bool is_finite(const Tensor<S>& values) {
  return values.array().isFinite().all();
}

/// What ends a check: a sentence that says which property does not hold.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class... Pieces>
void expect(bool holds, const Pieces&... pieces) {
  if (!holds) throw Failure(join(pieces...));
}

/// The gradients of a network agree with differences of its loss: of some elements one by one, where
/// the loss has all derivatives, and along one direction through all weights and x at once.
void check_gradients(const Architecture& architecture, std::uint64_t seed) {
  auto model = make<double>(architecture);
  model.build({.seed = seed});
  const auto x = random_tensor(architecture.input.batch(3), seed);
  const auto y = random_tensor(model.output_shape().batch(3), seed + 1);
  if (!architecture.has_kinks) {
    const auto check = gradient_check(model, x, y, MeanSquaredError{},
                                      {.elements_per_tensor = 2, .seed = seed, .training = true});
    expect(check.worst < 1e-6, "a gradient is off by ", to_text(check));
  }

  const Pass pass{.training = true, .seed = seed};
  const Graph<double>& graph = model.graph();
  const auto direction = random_tensor(Shape{model.count_params()}, seed + 2);
  const auto x_direction = random_tensor(x.shape(), seed + 3);
  const Arena<double> weights(model.weights());
  Tape<double> tape;
  const auto loss_at = [&](double step) {
    Arena<double> moved = weights;
    moved.array() += step * direction.array();
    Tensor<double> input = x;
    input.array() += step * x_direction.array();
    const auto output = graph.forward(moved, input, graph.output(), pass, tape);
    return (output.array() * y.array()).sum();
  };
  constexpr double h = 1e-6;
  const double numeric = (loss_at(h) - loss_at(-h)) / (2 * h);
  graph.forward(weights, x, graph.output(), pass, tape);
  graph.output_gradient(tape).array() = y.array();
  graph.backward(weights, tape, true);
  const Tensor<double> dx(tape.entries[0].outputs[0].gradient
                              ? Tensor<double>(tape.entries[0].outputs[0].gradient)
                              : Tensor<double>(x.shape()));
  const auto terms = (tape.gradients.array() * direction.array()).eval();
  const auto x_terms = (dx.array() * x_direction.array()).eval();
  const double analytic = terms.sum() + x_terms.sum();
  const double scale = 1 + std::sqrt(terms.square().sum() + x_terms.square().sum());
  expect(std::abs(numeric - analytic) <= 1e-6 * scale, "along a direction the loss rises by ",
         numeric, ", and by its gradient by ", analytic);
}

/// A network comes back from its file, and from a copy, to the bit, and four threads that share it
/// compute what one does. Returns whether it could be streamed.
template <class S>
bool check_uses(const Architecture& architecture, std::uint64_t seed) {
  auto made = make<S>(architecture);
  made.build({.seed = seed});
  const Model<S>& model = made;
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    expect(model.graph()[i + 1].layer.config() == architecture.layers[i].config,
           model.graph().title(i + 1), " has other fields than its configuration");
  }
  constexpr Index N = 5;
  const auto x = random_tensor<S>(architecture.input.batch(N), seed);
  const Tensor<S> y = model.predict(x);
  expect(y.shape() == model.output_shape().batch(N), "predict gives ", y.shape());
  expect(is_finite(y), "predict gives numbers that are not finite");
  expect(same_bits(model.predict(x, {.batch_size = 2}), y), "batches of 2 give other bits");
  expect(same_bits(model.predict(x, {.threads = 4}), y), "four threads of predict give other bits");

  const auto bytes = save_model(model);
  const Model<S> loaded = load_model<S>(bytes);
  expect(same_bits<S>(Tensor<S>(loaded.weights()), Tensor<S>(model.weights())),
         "a weight changed on its way through a file");
  expect(model_to_json(loaded) == model_to_json(model),
         "a layer changed on its way through a file");
  expect(save_model(loaded) == bytes, "saved again, the file differs");
  expect(same_bits(loaded.predict(x), y), "a loaded model predicts other bits");

  Model<S> copy = model;
  expect(same_bits(copy.predict(x), y), "a copy predicts other bits");
  copy.weights().array() += S{1};
  expect(same_bits(model.predict(x), y), "changing a copy changed the model");

  std::array<Tensor<S>, 4> results;
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] { result = model.predict(x, {.batch_size = 2}); });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) expect(same_bits(result, y), "a thread predicts other bits");

  if (architecture.input.rank() < 2) return false;
  std::optional<Stream<S>> stream;
  try {
    stream.emplace(model);
  } catch (const ModelError&) {
    return false;
  }
  const Index T = architecture.input[0];
  // Where the output has steps, each step of it; otherwise what follows the last step.
  const Shape step = architecture.input.sample();
  for (Index n = 0; n < N; ++n) {
    stream->reset();
    const auto x_n = x.view().samples(n, 1).reshaped(architecture.input);
    const auto y_n = y.view().samples(n, 1).reshaped(model.output_shape());
    for (Index t = 0; t < T; ++t) {
      const Tensor<S> given(stream->step(x_n.samples(t, 1).reshaped(step)));
      if (given.shape() == model.output_shape() && t + 1 < T) continue;
      const Tensor<S> expected(
          given.shape() == model.output_shape() ? y_n : y_n.samples(t, 1).reshaped(given.shape()));
      expect(same_bits(given, expected), "at step ", t, " a stream gives other bits than predict");
    }
  }
  return true;
}

/// Why a network fails, or nothing.
std::string failure(const Architecture& architecture, std::uint64_t seed,
                    Index* streamed = nullptr) {
  try {
    check_gradients(architecture, seed);
    check_uses<double>(architecture, seed);
    const bool can_stream = check_uses<float>(architecture, seed);
    if (streamed != nullptr && can_stream) ++*streamed;
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("A random network trains, is saved, copied, shared and streamed as its layers promise") {
  std::map<std::string, Index> types;
  Index streamed = 0, joined = 0;
  const std::uint64_t count = count_of_networks();
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    const Architecture architecture = ArchitectureGenerator(seed).draw();
    for (const PlannedLayer& layer : architecture.layers) {
      ++types[layer.type];
      joined += layer.inputs.size() > 1 ? 1 : 0;
    }
    const std::string reason = failure(architecture, seed, &streamed);
    if (reason.empty()) continue;
    const Architecture least = shrink(
        architecture, [&](const Architecture& smaller) { return !failure(smaller, seed).empty(); });
    FAIL_CHECK("seed " << seed << ": " << reason << "\n"
                       << make<double>(architecture).summary() << "the same with "
                       << least.layers.size() << " layers: " << failure(least, seed) << "\n"
                       << make<double>(least).summary() << model_to_json(make<double>(least)));
    break;
  }
  if (count < 1000) return;
  // Every kind of layer, joints of branches and streams are among them.
  // But for the input, and layers that no random network has yet.
  const std::set<std::string> not_drawn{"Embedding", "InputLayer", "Masking", "Slice"};
  for (const std::string& type : Registry<double>().types()) {
    if (type.find('<') != std::string::npos) continue;
    CAPTURE(type);
    CHECK(types.contains(type) != not_drawn.contains(type));
  }
  for (const auto& [type, times] : types) {
    CAPTURE(type);
    CHECK(times >= 50);
  }
  CHECK(joined >= 500);
  CHECK(streamed >= 50);
}

TEST_CASE("A network that fails is shown with as few layers as fail") {
  // What fails here is an LSTM somewhere in front of a Flatten.
  const auto fails = [](const Architecture& architecture) {
    bool lstm = false;
    for (const PlannedLayer& layer : architecture.layers) {
      lstm = lstm || layer.type == "LSTM";
      if (lstm && layer.type == "Flatten") return true;
    }
    return false;
  };
  int failed = 0;
  for (std::uint64_t seed = 0; seed < 900; ++seed) {
    const Architecture architecture = ArchitectureGenerator(seed).draw();
    if (!fails(architecture)) continue;
    const Architecture least = shrink(architecture, fails);
    CHECK(fails(least));
    CHECK(least.layers.size() <= architecture.layers.size());
    failed += least.layers.size() == 2 ? 1 : 0;
  }
  CHECK(failed >= 10);
}

}  // namespace heed::property_test
