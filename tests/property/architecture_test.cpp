#include <set>

#include "architecture_data.hpp"
#include "architecture_generator.hpp"

#include <heed/check/gradient_check.hpp>
#include <heed/io/model_file.hpp>
#include <heed/stream/stream.hpp>
#include <heed/train/fit.hpp>

#include <cstdlib>
#include <thread>

#include "support/catch.hpp"

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
  return 1500;
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

template <class S>
std::vector<Tensor<S>> random_targets(const std::vector<Tensor<S>>& outputs, std::uint64_t seed) {
  std::vector<Tensor<S>> targets;
  for (const auto& output : outputs) {
    targets.push_back(random_tensor<S>(output.shape(), seed + 17 * targets.size()));
  }
  return targets;
}

template <class S>
Columns<S> columns_of(const std::vector<Tensor<S>>& tensors) {
  return Columns<S>(std::vector<Column<S>>(tensors.begin(), tensors.end()));
}

/// For each weight of a model, whether it is frozen.
std::vector<bool> frozen_weights(const Graph<double>& graph) {
  std::vector<bool> frozen(static_cast<std::size_t>(graph.layout().size()));
  for (const auto& node : graph.nodes()) {
    if (node.trains) continue;
    for (const Slot& slot : graph.layout().all_slots().subspan(node.first_slot, node.slot_count)) {
      std::fill_n(frozen.begin() + slot.offset, slot.shape.size(), true);
    }
  }
  return frozen;
}

/// Along frozen weights there is no gradient, and statistics of a batch have none.
void keep_what_trains(const Layout& layout, Tensor<double>& direction) {
  for (const Slot& slot : layout.all_slots()) {
    if (!slot.trains) direction.array().segment(slot.offset, slot.shape.size()) = 0;
  }
}

bool has_weights_to_train(const Graph<double>& graph) {
  const auto slots = graph.layout().all_slots();
  return std::any_of(slots.begin(), slots.end(), [](const Slot& slot) { return slot.trains; });
}

bool are_all_numbers_free(const Architecture& architecture) {
  return std::none_of(
      architecture.inputs.begin(), architecture.inputs.end(),
      [](const PlannedInput& input) { return input.ids > 0 || input.masked == Masked::by_value; });
}

/// A direction for the inputs: zeros for ids, and for masked steps that would begin to count.
std::vector<Tensor<double>> input_directions(const Architecture& architecture,
                                             const PlannedData<double>& data, std::uint64_t seed) {
  std::vector<Tensor<double>> directions;
  for (std::size_t i = 0; i < data.x.size(); ++i) {
    auto direction = random_tensor(data.x[i].shape(), seed + i);
    const PlannedInput& input = architecture.inputs[i];
    if (input.ids > 0) direction.set_zero();
    if (input.masked == Masked::by_value) {
      for (Index k = 0; k < direction.size(); ++k) {
        const Index width = direction.size() / std::ssize(data.counts[i]);
        if (data.counts[i][static_cast<std::size_t>(k / width)] == 0) direction.data()[k] = 0;
      }
    }
    directions.push_back(std::move(direction));
  }
  return directions;
}

/// The gradients of a network agree with differences of its loss: of some elements one by one, where
/// the loss has all derivatives, and along one direction through all weights and x at once. Frozen
/// weights have none.
void check_gradients(const Architecture& architecture, std::uint64_t seed) {
  auto model = make<double>(architecture);
  model.build({.seed = seed});
  const auto data = draw_data<double>(architecture, 3, seed);
  const auto y = random_targets(model.predict_all(data.columns()), seed + 1);
  const Graph<double>& graph = model.graph();
  const bool free = are_all_numbers_free(architecture);
  if (!architecture.has_kinks && (free || has_weights_to_train(graph))) {
    const auto check =
        gradient_check(model, data.columns(), columns_of(y),
                       Losses<double>(std::vector<Loss<double>>(y.size(), MeanSquaredError{})),
                       {.elements_per_tensor = 2, .seed = seed, .training = true, .inputs = free});
    expect(check.worst < 1e-6, "a gradient is off by ", to_text(check));
  }

  const Pass pass{.training = true, .seed = seed};
  auto direction = random_tensor(Shape{model.count_params()}, seed + 2);
  const auto frozen = frozen_weights(graph);
  keep_what_trains(graph.layout(), direction);
  const auto x_directions = input_directions(architecture, data, seed + 3);
  const Arena<double> weights(model.weights());
  Tape<double> tape;
  std::vector<Tensor<double>> inputs;
  const auto run = [&](double step) {
    Arena<double> moved = weights;
    moved.array() += step * direction.array();
    inputs = data.x;
    std::vector<View<const double>> x;
    std::vector<Mask> masks;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      inputs[i].array() += step * x_directions[i].array();
      x.emplace_back(inputs[i]);
      masks.push_back(data.is_given[i] ? data.mask(i) : Mask{});
    }
    graph.forward(moved, {.x = x, .masks = masks}, graph.outputs(), pass, tape);
    double loss = 0;
    for (std::size_t k = 0; k < y.size(); ++k) {
      loss += (graph.value(graph.outputs()[k], tape).array() * y[k].array()).sum();
    }
    return loss;
  };
  constexpr double h = 1e-6;
  const double numeric = (run(h) - run(-h)) / (2 * h);
  run(0);
  for (std::size_t k = 0; k < y.size(); ++k) graph.output_gradient(tape, k).array() = y[k].array();
  graph.backward(weights, tape, true);
  for (std::size_t i = 0; i < frozen.size(); ++i) {
    expect(!frozen[i] || tape.gradients.data()[i] == 0, "a frozen weight has a gradient");
  }
  const auto terms = (tape.gradients.array() * direction.array()).eval();
  double analytic = terms.sum(), squares = terms.square().sum();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& input = tape.entries[graph.inputs()[i]].outputs[0];
    if (!input.has_gradient) continue;
    const auto x_terms = (input.gradient.array() * x_directions[i].array()).eval();
    analytic += x_terms.sum();
    squares += x_terms.square().sum();
  }
  expect(std::abs(numeric - analytic) <= 1e-6 * (1 + std::sqrt(squares)),
         "along a direction the loss rises by ", numeric, ", and by its gradient by ", analytic);
}

/// A training that goes on from its middle ends as one that did not stop, and changes no frozen weight.
void check_training(const Architecture& architecture, std::uint64_t seed) {
  auto whole = make<double>(architecture);
  whole.build({.seed = seed});
  if (!has_weights_to_train(whole.graph())) return;
  const Arena<double> before(whole.weights());
  const auto data = draw_data<double>(architecture, 5, seed + 4);
  const auto y = random_targets(whole.predict_all(data.columns()), seed + 5);
  std::vector<Tensor<double>> weights;  // of samples, or of their steps
  for (const auto& target : y) {
    const bool by_step = target.rank() > 2 && seed % 2 == 0;
    weights.push_back(random_tensor(by_step ? Shape{5, target.dim(1)} : Shape{5}, seed + 6));
    weights.back().array() = weights.back().array().abs() + 0.1;
  }
  FitOptions<double> options{
      .loss = Losses<double>(std::vector<Loss<double>>(y.size(), MeanSquaredError{})),
      .optimizer = Adam{.learning_rate = 1e-3},
      .epochs = 2,
      .batch_size = 3,
      .seed = seed,
      .verbose = Verbose::silent};
  if (seed % 3 != 0) options.sample_weight = columns_of(weights);
  if (y.size() == 2) options.loss_weights = {0.5, 2.};
  auto recording = options;
  std::optional<TrainingSnapshot<double>> snapshot;
  recording.callbacks.push_back({.on_batch_end = [&](TrainingState<double>& state) {
    if (state.epoch == 1 + static_cast<Index>(seed % 2) && state.step == 1) {
      snapshot = state.snapshot();
    }
  }});
  const auto history = whole.fit(data.columns(), columns_of(y), recording);
  expect(snapshot.has_value(), "training gave no snapshot");
  auto resumed = make<double>(architecture);
  resumed.build({.seed = seed + 1});
  options.resume_from = *snapshot;
  expect(resumed.fit(data.columns(), columns_of(y), options) == history,
         "a training that went on has another history");
  expect(resumed.weights() == whole.weights(), "a training that went on has other weights");
  const auto frozen = frozen_weights(whole.graph());
  for (std::size_t i = 0; i < frozen.size(); ++i) {
    expect(!frozen[i] || whole.weights().data()[i] == before.data()[i],
           "training changed a frozen weight");
  }
}

template <class S>
bool same_bits(const std::vector<Tensor<S>>& a, const std::vector<Tensor<S>>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return same_bits(x, y); });
}

/// Each sample of a padded batch has the bits that it has alone without what does not count, if the layers promise
/// that. Returns whether they do.
template <class S>
bool check_compact(const Architecture& architecture, const Model<S>& model,
                   const PlannedData<S>& data, const std::vector<Tensor<S>>& y) {
  const auto is_masked = [](const PlannedInput& input) { return input.masked != Masked::no; };
  if (std::none_of(architecture.inputs.begin(), architecture.inputs.end(), is_masked)) return false;
  const auto traces = trace_masks(architecture, model.graph());
  for (const auto& outputs : traces) {
    if (std::find(outputs.begin(), outputs.end(), broken) != outputs.end()) return false;
  }
  Architecture open = architecture;
  for (PlannedInput& input : open.inputs) {
    if (is_masked(input)) input.shape = input.shape.with(0, any);
  }
  auto same = make<S>(open);
  same.set_weights(model.weights().values());
  for (Index n = 0; n < data.samples(); ++n) {
    const auto one = data.alone(n);
    const auto alone = same.predict_all(one.columns());
    for (std::size_t k = 0; k < y.size(); ++k) {
      const Node node = architecture.outputs[k];
      const int trace = traces[node.index][node.output];
      const View<const S> y_n = y[k].view().samples(n, 1), own = alone[k];
      if (trace == by_sample) {
        expect(same_bits<S>(Tensor<S>(y_n), Tensor<S>(own)), "output ", k, " of sample ", n,
               " has other bits alone, without masked steps");
        continue;
      }
      const auto steps = data.steps(static_cast<std::size_t>(trace), n);
      const Shape step = y_n.shape().sample().sample();
      const auto in = y_n.reshaped(y_n.shape().sample()), out = own.reshaped(own.shape().sample());
      for (std::size_t j = 0; j < steps.size(); ++j) {
        expect(same_bits<S>(Tensor<S>(in.samples(steps[j], 1).reshaped(step)),
                            Tensor<S>(out.samples(static_cast<Index>(j), 1).reshaped(step))),
               "step ", steps[j], " of sample ", n, " in output ", k,
               " has other bits alone, without masked steps");
      }
    }
  }
  return true;
}

/// A stream gives what predict gives for each step, if the network can be streamed. Returns whether it can.
template <class S>
bool check_stream(const Architecture& architecture, const Model<S>& model, std::uint64_t seed) {
  if (architecture.inputs.size() > 1 || architecture.inputs[0].shape.rank() < 2) return false;
  std::optional<Stream<S>> stream;
  try {
    stream.emplace(model);
  } catch (const ModelError&) {
    return false;
  }
  const Shape input = architecture.inputs[0].shape, step = input.sample();
  const auto data = draw_data<S>(architecture, 5, seed, true);
  const Tensor<S> y = model.predict(data.columns());
  // Where the output has steps, each step of it; otherwise what follows the last step.
  for (Index n = 0; n < 5; ++n) {
    stream->reset();
    const auto x_n = data.x[0].view().samples(n, 1).reshaped(input);
    const auto y_n = y.view().samples(n, 1).reshaped(model.output_shape());
    for (Index t = 0; t < input[0]; ++t) {
      const Tensor<S> given(stream->step(x_n.samples(t, 1).reshaped(step)));
      if (given.shape() == model.output_shape() && t + 1 < input[0]) continue;
      const Tensor<S> expected(
          given.shape() == model.output_shape() ? y_n : y_n.samples(t, 1).reshaped(given.shape()));
      expect(same_bits(given, expected), "at step ", t, " a stream gives other bits than predict");
    }
  }
  return true;
}

/// How many networks could do what not all can.
struct Seen {
  Index streamed = 0, compact = 0;
};

/// A network comes back from its file, and from a copy, to the bit, and four threads that share it
/// compute what one does.
template <class S>
Seen check_uses(const Architecture& architecture, std::uint64_t seed) {
  auto made = make<S>(architecture);
  made.build({.seed = seed});
  const Model<S>& model = made;
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    const std::size_t node = architecture.inputs.size() + i;
    expect(model.graph()[node].layer.config() == architecture.layers[i].config,
           model.graph().title(node), " has other fields than its configuration");
  }
  constexpr Index N = 5;
  const auto data = draw_data<S>(architecture, N, seed);
  const auto x = data.columns();
  const auto y = model.predict_all(x);
  for (std::size_t k = 0; k < y.size(); ++k) {
    const Shape expected = model.graph().shape(model.graph().outputs()[k]).batch(N);
    expect(y[k].shape() == expected, "predict gives ", y[k].shape());
    expect(is_finite(y[k]), "predict gives numbers that are not finite");
  }
  expect(same_bits(model.predict_all(x, {.batch_size = 2}), y), "batches of 2 give other bits");
  for (const Index threads : {2, 4}) {
    expect(same_bits(model.predict_all(x, {.threads = threads}), y), threads,
           " threads of predict give other bits");
  }

  const auto bytes = save_model(model);
  const Model<S> loaded = load_model<S>(bytes);
  expect(same_bits<S>(Tensor<S>(loaded.weights()), Tensor<S>(model.weights())),
         "a weight changed on its way through a file");
  expect(model_to_json(loaded) == model_to_json(model),
         "a layer changed on its way through a file");
  expect(save_model(loaded) == bytes, "saved again, the file differs");
  expect(same_bits(loaded.predict_all(x), y), "a loaded model predicts other bits");

  Model<S> copy = model;
  expect(same_bits(copy.predict_all(x), y), "a copy predicts other bits");
  copy.weights().array() += S{1};
  expect(same_bits(model.predict_all(x), y), "changing a copy changed the model");

  std::array<std::vector<Tensor<S>>, 4> results;
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] { result = model.predict_all(x, {.batch_size = 2}); });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) expect(same_bits(result, y), "a thread predicts other bits");

  return {.streamed = check_stream(architecture, model, seed) ? 1 : 0,
          .compact = check_compact(architecture, model, data, y) ? 1 : 0};
}

/// Why a network fails, or nothing.
std::string failure(const Architecture& architecture, std::uint64_t seed, Seen* seen = nullptr) {
  try {
    check_gradients(architecture, seed);
    check_training(architecture, seed);
    check_uses<double>(architecture, seed);
    const Seen now = check_uses<float>(architecture, seed);
    if (seen != nullptr) seen->streamed += now.streamed;
    if (seen != nullptr) seen->compact += now.compact;
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("A random network trains, is saved, copied, shared and streamed as its layers promise") {
  std::map<std::string, Index> types, features;
  Seen seen;
  const std::uint64_t count = count_of_networks();
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    Architecture architecture;
    std::string reason;
    try {
      architecture = ArchitectureGenerator(seed).draw();
      reason = failure(architecture, seed, &seen);
    } catch (const std::exception& error) {
      FAIL_CHECK("seed " << seed << " draws a network that is refused: " << error.what());
      break;
    }
    for (const PlannedLayer& layer : architecture.layers) {
      ++types[layer.type];
      features["joints"] += layer.inputs.size() > 1 ? 1 : 0;
      features["frozen"] += layer.trains ? 0 : 1;
      features["shared"] += layer.shares ? 1 : 0;
      features["state edges"] += std::any_of(layer.inputs.begin(), layer.inputs.end(),
                                             [](Node node) { return node.output > 0; });
    }
    features["two inputs"] += architecture.inputs.size() > 1 ? 1 : 0;
    features["two outputs"] += architecture.outputs.size() > 1 ? 1 : 0;
    for (const PlannedInput& input : architecture.inputs) {
      features["masks"] += input.masked == Masked::given ? 1 : 0;
    }
    if (reason.empty()) continue;
    const Architecture least = shrink(
        architecture, [&](const Architecture& smaller) { return !failure(smaller, seed).empty(); });
    FAIL_CHECK("seed " << seed << ": " << reason << "\n"
                       << to_text(architecture) << make<double>(architecture).summary()
                       << "the same with " << least.layers.size()
                       << " layers: " << failure(least, seed) << "\n"
                       << to_text(least) << make<double>(least).summary()
                       << model_to_json(make<double>(least)));
    break;
  }
  if (count < 1500) return;
  // Every kind of layer is among them, but for the input, and so is all else that a network can have.
  for (const std::string& type : Registry<double>().types()) {
    if (type.find('<') != std::string::npos) continue;
    CAPTURE(type);
    CHECK(types.contains(type) == (type != "InputLayer"));
  }
  features["streams"] = seen.streamed;
  features["compact"] = seen.compact;
  for (const auto& counted : {types, features}) {
    for (const auto& [what, times] : counted) {
      CAPTURE(what);
      CHECK(times >= 50);
    }
  }
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
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
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
