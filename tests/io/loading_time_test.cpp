// Loading takes time in proportion to the size of a file, or hardly more: four times the file takes no
// eight times as long. What grew with the square of it took sixteen times, and a minute for 10 MB.

#include <ctime>

#include <heed/io/checkpoint.hpp>
#include <heed/keras.hpp>

#include "support/catch.hpp"

namespace heed::loading_time_test {

namespace {

using Bytes = std::vector<std::byte>;

/// The shorter of two runs, in seconds of the processor.
template <class Work>
double seconds(const Work& work) {
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < 2; ++run) {
    const std::clock_t begin = std::clock();
    work();
    best = std::min(best, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return best;
}

/// `make(count)` gives the bytes of a file, `load(bytes)` reads it.
template <class Make, class Load>
void check_linear(int count, const Make& make, const Load& load) {
  const auto small = make(count), large = make(4 * count);
  const double before = seconds([&] { load(small); }), after = seconds([&] { load(large); });
  CAPTURE(count, before, after);
  CHECK(after <= 8 * before);
}

/// Activations, one behind the other.
Model<float> chain(int count) {
  Model<float> model("chain");
  model.input("x", {1});
  for (int i = 0; i < count; ++i)
    model.add(join("a", i), Activation{.activation = Activation::relu});
  model.build();
  return model;
}

/// As many weights of one number.
Model<float> weights(int count) {
  Model<float> model("weights");
  model.input("x", {1});
  for (int i = 0; i < count; ++i) model.add(join("d", i), Dense{.units = 1, .use_bias = false});
  model.build();
  return model;
}

/// A checkpoint of a model with one weight.
template <class Change>
Bytes checkpoint(const Change& change) {
  const auto model = weights(1);
  TrainingSnapshot<float> snapshot;
  snapshot.weights = Tensor<float, 1>(Shape{1});
  snapshot.optimizer.moments.resize(1, snapshot.weights);
  change(snapshot);
  return save_checkpoint(model, snapshot);
}

}  // namespace

TEST_CASE("A model's file is loaded in time that its size takes") {
  check_linear(
      3000, [](int count) { return save_model(chain(count)); },
      [](const Bytes& bytes) { load_model<float>(bytes); });
  check_linear(
      500, [](int count) { return save_model(weights(count)); },
      [](const Bytes& bytes) { load_model<float>(bytes); });
}

TEST_CASE("A checkpoint is loaded in time that its size takes") {
  const auto load = [](const Bytes& bytes) { load_checkpoint<float>(bytes); };
  check_linear(
      3000,
      [](int count) {
        return checkpoint([&](auto& snapshot) {
          for (int i = 0; i < count; ++i) snapshot.logs.set(join("log ", i), i);
        });
      },
      load);
  check_linear(
      500,
      [](int count) {
        return checkpoint([&](auto& snapshot) {
          Logs logs;
          for (int i = 0; i < count; ++i) logs.set(join("a name in the history ", i), i);
          for (int epoch = 0; epoch < 5; ++epoch) snapshot.history.append(logs);
          snapshot.epoch = 5;
        });
      },
      load);
}

TEST_CASE("A file of Keras is loaded in time that its size takes") {
  for (const auto format : {keras::Format::hdf5, keras::Format::native}) {
    check_linear(
        250, [&](int count) { return keras::save_model(weights(count), {}, format); },
        [](const Bytes& bytes) { keras::load_model<float>(bytes); });
  }
  check_linear(
      1500, [](int count) { return keras::save_model(chain(count)); },
      [](const Bytes& bytes) { keras::load_model<float>(bytes); });
}

TEST_CASE("Each name of an HDF5 file is looked up in time that its length takes") {
  // A group full of names that begin alike.
  const auto name = [](int i) { return std::string(200, 'a') + join(100'000 + i); };
  check_linear(
      1000,
      [&](int count) {
        detail::Hdf5Group root;
        for (int i = 0; i < count; ++i) root.datasets[name(i)] = {dtypes[1], {0}, {}};
        return detail::Hdf5Writer::write(root);
      },
      [&](const Bytes& bytes) {
        detail::Hdf5File file(bytes, "decoys.h5");
        const detail::Hdf5Object root(file);
        for (int i = 0; root.open(name(i)); ++i) {
        }
      });
}

TEST_CASE("Names that nobody gives are made in time that their number takes") {
  const auto build = [](int count) {
    Model<float> model;
    model.input({1});
    for (int i = 0; i < count; ++i) model.add(Activation{.activation = Activation::relu});
  };
  const double before = seconds([&] { build(1500); }), after = seconds([&] { build(6000); });
  CAPTURE(before, after);
  CHECK(after <= 8 * before);
}

}  // namespace heed::loading_time_test
