// The part of keras_roundtrip.py that is heed's. Samples and results travel as safetensors.
//
//   keras_files run MODEL.h5 IN.safetensors OUT.safetensors   predicts x, or x0, x1, … for several inputs; y, y0, y1, …,
//                                                             and what every layer gives
//   keras_files run64 …                                       the same in double
//   keras_files copy MODEL.h5 OUT.h5 BATCH                    loads and saves, for batches of so many samples
//   keras_files blocks STEPS FEATURES LSTM UNITS MODEL.h5 IN.safetensors OUT.safetensors OUT.h5
//                                                             the same as run, with a network of the reference made of
//                                                             heed's block (UNITS > 0: LuongAttention), by
//                                                             load_weights; and saves it
//   keras_files own OUT.h5 OUT.safetensors                    a network with layers of one's own, and their x and y
//   keras_files make SEED OPTIMIZER OUT.h5 OUT.safetensors    a network drawn at random; x, y and attention weights;
//                                                             OPTIMIZER is 0, 1 or 2
#include <heed/heed.hpp>
#include <heed/io.hpp>
#include <heed/keras.hpp>

#include <iostream>

using namespace heed;

namespace {

template <class S>
using Tensors = std::vector<std::pair<std::string, Tensor<S>>>;

/// `y = g ∘ x`, and `y = rate x`: layers of one's own, which keras_roundtrip.py has in Python.
struct Scale2D {
  static constexpr std::string_view type = "mine>Scale2D";
  static constexpr auto fields() { return std::tuple{}; }
  template <class S>
  using Cache = NoCache;
  Shape output_shape(const Shape& x) const { return x; }
  std::vector<Weight> weights(const Shape& x) const {
    return {{"g", {x.back()}, Initializer::ones}};
  }
  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const auto& w = args.w;
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    y.matrix() = x.matrix().array().rowwise() * w[0].matrix().row(0).array();
  }
  template <class S>
  void backward(const Backward<S>&, Cache<S>&) const {}
};

struct Gain {
  double rate = 2;
  static constexpr std::string_view type = "Gain";
  static constexpr auto fields() { return std::tuple{field("rate", &Gain::rate)}; }
  static constexpr bool has_weights = false;
  template <class S>
  using Cache = NoCache;
  Shape output_shape(const Shape& x) const { return x; }
  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    y.array() = static_cast<S>(rate) * x.array();
  }
  template <class S>
  void backward(const Backward<S>&, Cache<S>&) const {}
};

template <class S>
Model<S> load(const std::string& path) {
  Registry<S> registry;
  registry.template add<Scale2D, Gain>();
  return keras::load_model<S>(path, {.registry = registry});
}

Model<float> own_network() {
  Model<float> model("own");
  model.input("x", {4, 3});
  model.add("first", Dense{.units = 3});
  model.add("one", Scale2D{});
  model.add("two", Scale2D{});
  model.add("gain", Gain{.rate = -0.5});
  model.add("last", LastStep{});
  model.build({.seed = 3});
  Random random(4);
  for (float& value : model.weights().values()) value = static_cast<float>(random.normal(0, 0.5));
  return model;
}

template <class S>
Tensor<S> read_tensor(const std::string& path, const std::string& name) {
  const auto file = read_safetensors(path);
  const auto found = file.tensors.find(name);
  check<FileError>(found != file.tensors.end(), path, " has no tensor ", name);
  Tensor<S> tensor(found->second.shape);
  decode(found->second.dtype, found->second.bytes, tensor.values());
  return tensor;
}

template <class S>
void write_tensors(const std::string& path, const Tensors<S>& tensors) {
  std::vector<NamedView<S>> views;
  for (const auto& [name, tensor] : tensors) views.emplace_back(name, tensor);
  write_safetensors<S>(path, views);
}

/// `y`, or `y0`, `y1`, …
std::string numbered(const char* name, std::size_t i, std::size_t count) {
  return count == 1 ? name : name + std::to_string(i);
}

template <class S>
using Samples = std::vector<Tensor<S>>;

template <class S>
Samples<S> read_samples(const std::string& path, const Model<S>& model) {
  Samples<S> x;
  const std::size_t count = model.graph().inputs().size();
  for (std::size_t i = 0; i < count; ++i)
    x.push_back(read_tensor<S>(path, numbered("x", i, count)));
  return x;
}

/// The outputs, the value of every layer as `layer/NAME`, and what blocks publish as `weights/NAME`.
template <class S>
Tensors<S> results(const Model<S>& model, const Samples<S>& x) {
  const Columns<S> inputs(x);
  Tensors<S> tensors;
  auto y = model.predict_all(inputs);
  for (std::size_t i = 0; i < y.size(); ++i) {
    tensors.emplace_back(numbered("y", i, y.size()), std::move(y[i]));
  }
  for (const auto& node : model.graph().nodes()) {
    if (node.is_input()) continue;
    tensors.emplace_back("layer/" + node.name, model.activations(node.name, inputs));
    if (node.layer.type().ends_with("Attention")) {
      tensors.emplace_back("weights/" + node.name,
                           model.activations(node.name + "/weights", inputs));
    }
  }
  return tensors;
}

Tensor<float> draw(const Shape& shape, Random& random, double stddev = 1) {
  Tensor<float> tensor(shape);
  for (float& value : tensor.values()) value = static_cast<float>(random.normal(0, stddev));
  return tensor;
}

/// Five samples of an input: of one with steps alone ids, of which some are 0; of others whole steps are 0.
Tensor<float> samples(const Graph<float>::Entry& input, Random& random) {
  Shape shape = input.shape();
  if (shape[0] == any) shape = shape.with(0, 6);
  auto x = draw(shape.batch(5), random);
  if (input.name == "ids") {
    for (float& id : x.values()) id = std::floor(static_cast<float>(random.uniform(0, 4.99)));
  } else if (shape.rank() == 2) {
    for (Index row = 0; row < x.matrix().rows(); ++row) {
      const bool first = row % shape[0] == 0;  // one step of each sample counts, for its mean
      if (random.bernoulli(0.3) && !first) x.matrix().row(row).setZero();
    }
  }
  return x;
}

/// A network of heed's own layers and blocks, with branches.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}

  Model<float> model() {
    const Index steps = between(1, 7), features = between(1, 5);
    if (between(0, 2) == 0) return with_masks(features);
    sequence_ = model_.input("x", {steps, features});
    for (Index i = between(1, 3); i > 0; --i) grow();
    const bool both = between(0, 1) == 1;
    std::vector<Node> ends;
    ends.push_back(finish(between(0, 5)));
    if (both) ends.push_back(finish(between(0, 5)));
    if (both) ends.push_back(model_.add(Concatenate{}, {ends[0], ends[1]}));
    model_.add("output", Dense{.units = between(1, 4), .activation = activation()}, ends.back());
    return built();
  }

 private:
  /// Sequences of any length with steps that do not count, ids, states, two inputs, two outputs, a layer that is
  /// shared and one that is frozen.
  Model<float> with_masks(Index features) {
    const Node x = model_.input("x", {any, features});
    const Node ids = model_.input("ids", {any});
    const Index U = between(1, 5);
    const Node masked = model_.add("masked", Masking{}, x);
    const Node words =
        model_.add("words", Embedding{.input_dim = 5, .output_dim = 3, .mask_zero = true}, ids);
    const Node wide = model_.add("wide", Dense{.units = 3, .activation = activation()}, masked);
    model_.set_trainable("wide", false);
    const GRU encoder{.units = U,
                      .reset_after = between(0, 1) == 1,
                      .return_sequences = true,
                      .return_state = true,
                      .go_backwards = between(0, 1) == 1};
    const Node h = model_.add("encoder", encoder, words);
    const Node again = model_.share("again", h, {wide});
    constexpr std::array modes{MergeMode::concat, MergeMode::sum, MergeMode::mul, MergeMode::ave};
    const MergeMode mode = modes[static_cast<std::size_t>(between(0, 3))];
    const Node both = model_.add(
        "both", Bidirectional<LSTM>{{.units = U, .return_sequences = true}, mode}, again);
    const Node each = model_.add("each", TimeDistributed<Dense>{{.units = 2}}, both);
    const Node first = model_.add("first", Bidirectional<SimpleRNN>{{.units = U}}, each);
    const Node mean = model_.add("mean", GlobalAveragePooling1D{}, masked);
    const Node plain = model_.add("plain", Dense{.units = 3}, x);
    const Node started = model_.add("started", SimpleRNN{.units = U}, {plain, Node{h.index, 1}});
    const Node second =
        model_.add("second", Dense{.units = 2, .activation = activation()}, started);
    model_.set_outputs({first, second, Node{again.index, 1}, mean});
    return built();
  }

  Model<float> built() {
    model_.build({.seed = 1});
    for (float& value : model_.weights().values()) {
      value = static_cast<float>(random_.normal(0, 0.5));
    }
    return std::move(model_);
  }

  Index between(Index low, Index high) {
    const double u = random_.uniform();
    return low + std::min(high - low, static_cast<Index>(u * static_cast<double>(high - low + 1)));
  }
  ActivationFunction activation() {
    constexpr std::array functions{
        ActivationFunction::linear,       ActivationFunction::sigmoid,
        ActivationFunction::tanh,         ActivationFunction::softmax,
        ActivationFunction::elu,          ActivationFunction::softsign,
        ActivationFunction::hard_sigmoid, ActivationFunction::leaky_relu};
    return functions[static_cast<std::size_t>(between(0, functions.size() - 1))];
  }
  Shape shape(Node node) const { return model_.graph()[node.index].shape(); }
  Index units() const { return shape(sequence_).back(); }

  /// Something that turns a sequence into another.
  void grow() {
    const Node x = sequence_;
    switch (between(0, 12)) {
      case 10: {
        const Index groups = units() % 2 == 0 ? between(1, 2) : 1, step = between(1, 3);
        constexpr std::array paddings{WindowPadding::same, WindowPadding::causal};
        const bool strides = between(0, 1) == 1;
        sequence_ = model_.add(Conv1D{.filters = groups * between(1, 3),
                                      .kernel_size = between(1, 3),
                                      .strides = strides ? step : 1,
                                      .padding = paddings[static_cast<std::size_t>(between(0, 1))],
                                      .dilation_rate = strides ? 1 : step,
                                      .groups = groups,
                                      .activation = activation(),
                                      .use_bias = between(0, 1) == 1},
                               x);
        break;
      }
      case 11: {
        const Index size = between(1, shape(x)[0]), strides = between(0, 2);
        sequence_ = between(0, 1) == 0
                        ? model_.add(MaxPooling1D{.pool_size = size, .strides = strides}, x)
                        : model_.add(AveragePooling1D{.pool_size = size,
                                                      .strides = strides,
                                                      .padding = WindowPadding::same},
                                     x);
        break;
      }
      case 12: {
        const Index last = between(0, shape(x)[0] - 1);
        const Node cut = model_.add(Cropping1D{.cropping = {0, last}}, x);
        const Node padded = model_.add(ZeroPadding1D{.padding = {between(0, 2), 1}}, cut);
        sequence_ = shape(x)[0] < 4 ? model_.add(UpSampling1D{}, padded) : padded;
        break;
      }
      case 7:
        sequence_ = model_.add(GRU{.units = between(1, 6),
                                   .use_bias = between(0, 1) == 1,
                                   .reset_after = between(0, 1) == 1,
                                   .return_sequences = true,
                                   .dropout = 0.25},
                               x);
        break;
      case 8:
        sequence_ = model_.add(
            Bidirectional<GRU>{{.units = between(1, 4), .return_sequences = true}, MergeMode::sum},
            x);
        break;
      case 9: sequence_ = model_.add(TimeDistributed<Dense>{{.units = between(1, 6)}}, x); break;
      case 0:
        sequence_ = model_.add(LSTM{.units = between(1, 6), .return_sequences = true}, x);
        break;
      case 1:
        sequence_ = model_.add(LSTM{.units = between(1, 6),
                                    .recurrent_activation = ActivationFunction::hard_sigmoid,
                                    .use_bias = false,
                                    .return_sequences = true,
                                    .go_backwards = true},
                               x);
        break;
      case 2: sequence_ = model_.add(StepAttention{.use_bias = between(0, 1) == 1}, x); break;
      case 3: {
        const Node a = model_.add(Dense{.units = units(), .activation = activation()}, x);
        const Node b = model_.add(Activation{activation()}, x);
        const bool sum = between(0, 1) == 1;
        sequence_ = sum ? model_.add(Add{}, {b, a, x}) : model_.add(Multiply{}, {a, b});
        break;
      }
      case 4: {
        const Node a = model_.add(Dense{.units = between(1, 4), .use_bias = false}, x);
        sequence_ = model_.add(Concatenate{.axis = 2}, {x, model_.add(Dropout{.rate = 0.3}, a)});
        break;
      }
      case 5: {
        const Index steps = shape(x)[0];
        const Index begin = between(0, steps - 1), end = between(begin + 1, steps);
        const Index last = between(0, 1) == 0 ? 0 : units();
        sequence_ =
            model_.add(Slice{.begin = {begin, between(0, units() - 1)}, .end = {end, last}}, x);
        break;
      }
      default: {
        const Node a = model_.add(Dense{.units = units(), .activation = activation()}, x);
        const Node scores = model_.add(Dot{.axes = {2, 2}}, {a, x});
        const Node weights = model_.add(Activation{ActivationFunction::softmax}, scores);
        sequence_ = model_.add(Dot{.axes = {2, 1}}, {weights, x});
      }
    }
  }

  /// Something that makes one vector of the sequence.
  Node finish(Index way) {
    switch (way) {
      case 0: return model_.add(LuongAttention{.units = between(1, 6)}, sequence_);
      case 1: return model_.add(LastStep{}, sequence_);
      case 2: return model_.add(LSTM{.units = between(1, 5)}, sequence_);
      case 4: return model_.add(GlobalMaxPooling1D{}, sequence_);
      case 5: return model_.add(GlobalAveragePooling1D{}, sequence_);
      default: {
        const Node turned = model_.add(Permute{.dims = {2, 1}}, sequence_);
        return model_.add(Flatten{}, turned);
      }
    }
  }

  Random random_;
  Model<float> model_{"drawn"};
  Node sequence_;
};

Model<float> reference_network(Index steps, Index features, Index lstm, Index units) {
  Model<float> model;
  model.input({steps, features});
  model.add("lstm", LSTM{.units = lstm, .return_sequences = true});
  if (units > 0) {
    model.add("attention", LuongAttention{.units = units});
    model.add("output", Dense{.units = 1});
  } else {
    model.add("attention", StepAttention{});
    model.add(Flatten{});
    model.add("output", Dense{.units = 1, .activation = ActivationFunction::sigmoid});
  }
  return model;
}

int run(const std::vector<std::string>& arguments) {
  const auto is = [&](std::string_view command, std::size_t count) {
    return arguments.size() == count + 1 && arguments[0] == command;
  };
  const auto& a = arguments;
  if (is("run", 3)) {
    const auto model = load<float>(a[1]);
    write_tensors(a[3], results(model, read_samples(a[2], model)));
  } else if (is("run64", 3)) {
    const auto model = load<double>(a[1]);
    write_tensors(a[3], results(model, read_samples(a[2], model)));
  } else if (is("copy", 3)) {
    keras::save_model(load<float>(a[1]), a[2], {.batch_size = std::stol(a[3])});
  } else if (is("blocks", 8)) {
    auto model =
        reference_network(std::stol(a[1]), std::stol(a[2]), std::stol(a[3]), std::stol(a[4]));
    keras::load_weights(model, a[5]);
    write_tensors(a[7], results(model, read_samples(a[6], model)));
    keras::save_model(model, a[8], {.loss = MeanAbsoluteError{}, .metrics = {MeanSquaredError{}}});
  } else if (is("own", 2)) {
    const auto model = own_network();
    keras::save_model(model, a[1], {.loss = MeanSquaredError{}});
    Random random(1);
    const auto x = draw(model.input_shape().batch(5), random);
    write_tensors<float>(a[2], {{"x", x}, {"y", model.predict(x)}});
  } else if (is("make", 4)) {
    const std::uint64_t seed = std::stoull(a[1]);
    const auto model = Draw(seed).model();
    const std::array<keras::TrainingPart, 4> optimizers{
        SGD{.learning_rate = 0.05, .momentum = 0.5, .nesterov = true},
        Adam{.learning_rate = 0.002, .beta_1 = 0.8, .clipnorm = 1.5},
        RMSprop{.learning_rate = 0.003, .rho = 0.8, .centered = true},
        AdamW{.learning_rate = 0.004, .weight_decay = 0.02}};
    keras::save_model(model, a[3],
                      {.loss = MeanSquaredError{}, .optimizer = optimizers.at(std::stoul(a[2]))});
    Random random(seed, 1);
    Samples<float> x;
    for (const std::size_t input : model.graph().inputs()) {
      x.push_back(samples(model.graph()[input], random));
    }
    auto tensors = results(model, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      tensors.emplace_back(numbered("x", i, x.size()), x[i]);
    }
    write_tensors(a[4], tensors);
  } else {
    std::cerr << "usage: keras_files run|run64|copy|blocks|own|make …, see the source\n";
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "keras_files: " << error.what() << '\n';
    return 1;
  }
}
