// Which step does each sample look at? Each of eight steps shows a key and a value, in random
// order. The last step shows a key and asks for its value. The step with the answer differs from
// sample to sample, and attention finds it.

#include <heed/heed.hpp>
#include <heed/plot.hpp>

#include "support/program.hpp"

using namespace heed;

constexpr Index keys = 8;
constexpr Index steps = keys + 1;     // the last step asks for a value
constexpr Index features = keys + 1;  // a one-hot key, and a value

/// Fills sample n, whose answer is at step `answer`.
void make_sample(Tensor<float, 3>& x, Tensor<float, 2>& y, Index n, Index answer, Random& random) {
  std::array<Index, keys> order{0, 1, 2, 3, 4, 5, 6, 7};
  random.shuffle(std::span(order));
  for (Index t = 0; t < keys; ++t) {
    x(n, t, order[static_cast<std::size_t>(t)]) = 1;
    x(n, t, keys) = random.bernoulli(0.5) ? 1 : -1;
  }
  x(n, steps - 1, order[static_cast<std::size_t>(answer)]) = 1;
  y(n, 0) = x(n, answer, keys) > 0;
}

void run_experiment(const std::filesystem::path& out) {
  const auto directory = writable_directory(out);
  constexpr Index N = 20'000;
  Random random(1, 1'000'000);
  Tensor<float, 3> x(Shape{N, steps, features});
  Tensor<float, 2> y(Shape{N, 1});
  for (Index n = 0; n < N; ++n) make_sample(x, y, n, random.below(keys), random);

  Model<float> model;
  model.input({steps, features});
  model.add(LSTM{.units = 32, .return_sequences = true});
  model.add("attention", LuongAttention{.units = 32});
  model.add(Dense{.units = 1, .activation = Activation::sigmoid});
  model.build({.seed = 1});
  model.fit(x, y,
            {.loss = BinaryCrossentropy{},
             .metrics = {BinaryAccuracy{}},
             .epochs = 6,
             .validation_split = 0.1,
             .seed = 1});

  // Five new samples for each step that can hold the answer, in the order of the steps.
  constexpr Index rows = 5 * keys;
  Tensor<float, 3> fresh_x(Shape{rows, steps, features});
  Tensor<float, 2> fresh_y(Shape{rows, 1});
  for (Index n = 0; n < rows; ++n) make_sample(fresh_x, fresh_y, n, n / 5, random);
  const auto attention = model.activations("attention/weights", fresh_x);  // (rows, steps)

  plot::HeatMap map = plot::heat_map(attention);
  map.title = "Each sample looks at the step that holds its answer";
  plot::save(directory / "recall.svg", map);
  std::cout << "\n" << (directory / "recall.svg").string() << " shows where 40 samples look\n";
}

int main(int argc, char** argv) {
  std::string out = ".";
  CLI::App app("Trains a network that looks up a value by its key, and draws where it looks.");
  app.add_option("--out", out, "Directory for the picture, made when missing")->type_name("DIR");
  if (const auto status = parse(app, argc, argv)) return *status;
  return run([&] { run_experiment(out); });
}
