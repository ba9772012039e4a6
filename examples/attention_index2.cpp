// Where does a network look? All steps of a sample are noise except one, which holds the answer.
// The network is not told which; after training, its attention weights show it.

#include <heed/heed.hpp>
#include <heed/io.hpp>
#include <heed/plot.hpp>

#include "support/numpy.hpp"
#include "support/program.hpp"

using namespace heed;

struct Options {
  Index samples = 100'000;
  Index steps = 10;
  Index features = 2;
  Index units = 32;
  Index attention_column = 2;
  Index epochs = 1;
  Index batch_size = 64;
  double validation_split = 0.1;
  std::uint64_t seed = 42;
  std::string form = "block";
  std::string out = ".";
  bool quiet = false;
};

struct Data {
  Tensor<float, 3> x;  // (N, steps, features)
  Tensor<float, 2> y;  // (N, 1)
};

// Noise around 0 with a standard deviation of 10; the attention column repeats y, which is 0 or 1.
Data make_data(Index N, const Options& options, Random& random) {
  Data data{Tensor<float, 3>(Shape{N, options.steps, options.features}),
            Tensor<float, 2>(Shape{N, 1})};
  for (float& value : data.x.values()) value = static_cast<float>(random.normal(0, 10));
  for (Index n = 0; n < N; ++n) {
    data.y(n, 0) = static_cast<float>(random.below(2));
    data.x.slice(n).row(options.attention_column).setConstant(data.y(n, 0));
  }
  return data;
}

// Attention built from single layers, as in the Keras functional API.
void add_functional(Model<float>& model, const Options& options) {
  auto inputs = model.input({options.steps, options.features});
  auto lstm = model.add("lstm", LSTM{.units = options.units, .return_sequences = true}, inputs);
  auto a = model.add(Permute{.dims = {2, 1}}, lstm);  // (units, steps)
  a = model.add(Dense{.units = options.steps, .activation = Activation::softmax}, a);
  a = model.add("attention_vec", Permute{.dims = {2, 1}}, a);  // (steps, units)
  auto gated = model.add("attention_mul", Multiply{}, {lstm, a});
  auto flat = model.add(Flatten{}, gated);
  model.add("output", Dense{.units = 1, .activation = Activation::sigmoid}, flat);
}

// The same network with attention as one layer.
void add_block(Model<float>& model, const Options& options) {
  model.input({options.steps, options.features});
  model.add("lstm", LSTM{.units = options.units, .return_sequences = true});
  model.add("attention", StepAttention{});
  model.add(Flatten{});
  model.add("output", Dense{.units = 1, .activation = Activation::sigmoid});
}

// The attention of one sample by step: the mean over the units. The weights of each unit sum to 1.
std::vector<float> attention_vector(const Model<float>& model, std::string_view name,
                                    const Tensor<float, 3>& x) {
  const auto weights = model.activations(name, x);  // (1, steps, units)
  const Eigen::VectorXf mean = weights.slice(0).rowwise().mean();
  check<Error>(std::abs(mean.sum() - 1) < 1e-5, "an attention vector sums to ", mean.sum(),
               ", not to 1");
  return {mean.begin(), mean.end()};
}

// The mean over new samples, which are run one at a time.
std::vector<double> mean_attention(const Model<float>& model, const Options& options,
                                   Random& random) {
  constexpr int samples = 300;
  const auto* name = options.form == "functional" ? "attention_vec" : "attention/weights";
  std::vector<double> mean(static_cast<std::size_t>(options.steps));
  for (int i = 0; i < samples; ++i) {
    const Data fresh = make_data(1, options, random);
    const auto attention = attention_vector(model, name, fresh.x);
    if (!options.quiet) std::cout << "attention = " << numpy_text(attention) << "\n";
    for (std::size_t t = 0; t < mean.size(); ++t) mean[t] += attention[t] / samples;
  }
  return mean;
}

void write_results(const std::filesystem::path& directory, const Model<float>& model,
                   const History& history, const std::vector<double>& attention,
                   const plot::Bars& bars) {
  std::string csv = "step,attention\n";
  for (std::size_t t = 0; t < attention.size(); ++t) csv += join(t, ",", attention[t], "\n");
  std::ostringstream epochs;
  history.write_csv(epochs);
  write_text(directory / "attention.csv", csv);
  plot::save(directory / "attention.svg", bars);
  write_text(directory / "history.csv", epochs.str());
  save_model(model, directory / "index2.safetensors");
  if (history.epochs() > 1) plot::save(directory / "history.svg", plot::history(history));
  std::cout << "attention.csv, attention.svg, history.csv and index2.safetensors are in "
            << directory.string() << "\n";
}

void run_experiment(const Options& options) {
  const auto directory = writable_directory(options.out);

  Model<float> model;
  if (options.form == "functional") {
    add_functional(model, options);
  } else {
    add_block(model, options);
  }
  model.build({.seed = options.seed});
  std::cout << model.summary() << "\n";

  Random random(options.seed, 1'000'000);  // a stream that the weights do not use
  const auto [x, y] = make_data(options.samples, options, random);
  const History history = model.fit(x, y,
                                    {.loss = BinaryCrossentropy{},
                                     .optimizer = Adam{},
                                     .metrics = {BinaryAccuracy{}},
                                     .epochs = options.epochs,
                                     .batch_size = options.batch_size,
                                     .validation_split = options.validation_split,
                                     .seed = options.seed});

  const std::vector<double> attention = mean_attention(model, options, random);
  plot::Bars bars{.title = "Attention Mechanism as a function of input dimensions.",
                  .legend = "attention (%)",
                  .x_label = "step",
                  .values = attention};
  for (double& value : bars.values) value *= 100;
  std::cout << "\n" << plot::text(bars) << "\n";
  write_results(directory, model, history, attention, bars);
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Trains a network with attention on samples of which one step holds the answer, and "
      "draws where it looks.");
  app.option_defaults()->always_capture_default();
  app.add_option("--samples", options.samples, "Samples to make, for training and validation")
      ->check(at_least(1));
  app.add_option("--steps", options.steps, "Time steps of a sample")->check(at_least(1));
  app.add_option("--features", options.features, "Numbers in a step")->check(at_least(1));
  app.add_option("--units", options.units, "Units of the LSTM")->check(at_least(1));
  app.add_option("--attention-column", options.attention_column,
                 "The step that holds the answer, from 0")
      ->check(at_least(0));
  app.add_option("--epochs", options.epochs, "Passes over the data")->check(at_least(1));
  app.add_option("--batch-size", options.batch_size, "Samples in a training step")
      ->check(at_least(1));
  app.add_option("--validation-split", options.validation_split,
                 "Share of the samples, the last ones, kept for validation");
  app.add_option("--seed", options.seed, "Of the data, the weights and the order of samples")
      ->check(at_least(0));
  app.add_option("--form", options.form, "The attention as one layer, or written out")
      ->check(CLI::IsMember({"block", "functional"}));
  app.add_option("--out", options.out, "Directory for the results, made when missing")
      ->type_name("DIR");
  app.add_flag("--quiet", options.quiet, "Do not print each sample's attention");
  app.final_callback([&] {
    const double split = options.validation_split;
    if (options.attention_column >= options.steps) {
      throw CLI::ValidationError(
          "--attention-column",
          join("expected less than the ", options.steps, " steps, got ", options.attention_column));
    }
    if (!(0 <= split && split < 1)) {
      throw CLI::ValidationError("--validation-split",
                                 join("expected at least 0 and less than 1, got ", split));
    }
    if (std::floor(static_cast<double>(options.samples) * (1 - split)) < 1) {
      throw CLI::ValidationError(
          "--samples", join("a validation split of ", split, " leaves nothing to train on of ",
                            options.samples));
    }
  });
  if (const auto status = parse(app, argc, argv)) return *status;
  return run([&] { run_experiment(options); });
}
