// Is a model the same after saving and loading? A network with Luong's attention is trained on
// noise, in which there is nothing to learn, saved and loaded. Then the predictions are compared.

#include <heed/heed.hpp>
#include <heed/io.hpp>
#include <heed/plot.hpp>

#include "support/program.hpp"

using namespace heed;

struct Options {
  std::uint64_t seed = 42;
  std::string out = ".";
};

void run_experiment(const Options& options) {
  const auto directory = writable_directory(options.out);

  Random random(options.seed, 1'000'000);  // a stream that the weights do not use
  Tensor<float, 3> x(Shape{100, 10, 1});   // (samples, steps, features)
  Tensor<float, 2> y(Shape{100, 1});
  for (float& value : x.values()) value = static_cast<float>(random.uniform());
  for (float& value : y.values()) value = static_cast<float>(random.uniform());

  Model<float> model;
  model.input({10, 1});
  model.add("lstm", LSTM{.units = 64, .return_sequences = true});
  model.add("attention", LuongAttention{.units = 32});
  model.add("output", Dense{.units = 1});
  model.build({.seed = options.seed});
  std::cout << model.summary() << "\n";

  const History history = model.fit(
      x, y, {.loss = MeanAbsoluteError{}, .optimizer = Adam{}, .epochs = 10, .seed = options.seed});
  std::cout << "\n" << plot::text(plot::history(history));

  const auto path = directory / "test_model.safetensors";
  const auto before = model.predict(x);
  save_model(model, path);
  const auto after = load_model<float>(path).predict(x);

  const float largest = (before.array() - after.array()).abs().maxCoeff();
  std::cout << "\nlargest difference " << largest << "\n";
  check<Error>(before == after, "the model loaded from ", path.string(), " predicts otherwise");
  std::cout << "Success.\n";
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Trains a network with attention on noise, saves it, loads it and compares.");
  app.option_defaults()->always_capture_default();
  app.add_option("--seed", options.seed, "Of the data, the weights and the order of samples")
      ->check(at_least(0));
  app.add_option("--out", options.out, "Directory for the model, made when missing")
      ->type_name("DIR");
  if (const auto status = parse(app, argc, argv)) return *status;
  return run([&] { run_experiment(options); });
}
