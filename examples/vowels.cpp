// Who of nine men said this vowel? Japanese Vowels has recordings of 7 to 29 steps, of 12 numbers each. A
// bidirectional LSTM reads each at its own length, and the attention says which steps decided.
//
// Everything that could be chosen was chosen by `--folds 5`, on the 270 recordings for training alone: the
// layers and their sizes, dropout, the learning rate, the number of epochs, changes as further features,
// and varied copies. Then the 370 recordings for testing were predicted.

#include <heed/heed.hpp>
#include <heed/plot.hpp>

#include "support/program.hpp"
#include "support/time_series.hpp"

using namespace heed;

struct Options {
  std::string train, test;
  Index epochs = 30;
  Index seeds = 5;
  Index folds = 0;
  Index threads = 1;
  std::string out = ".";
};

constexpr std::string_view where_from =
    "The data are in the PyPI package aeon, which need not be installed:\n\n"
    "    python3 -m pip download --no-deps aeon==1.6.0\n"
    "    python3 -m zipfile -e aeon-1.6.0-py3-none-any.whl .\n"
    "    vowels aeon/datasets/data/JapaneseVowels/JapaneseVowels_T{RAIN,EST}.ts\n";

/// Accuracy on the 370 recordings for testing, as means of ten trainings: Ismail Fawaz et al. 2019, "Deep
/// learning for time series classification: a review", with the numbers of its repository.
constexpr std::string_view published =
    "published: 0.993 FCN, 0.992 ResNet, 0.976 Encoder (with attention), 0.965 TWIESN\n";

/// Gives each feature the mean 0 and the standard deviation 1 that it has in the training samples.
class Scaling {
 public:
  explicit Scaling(const Sequences<float>& x) {
    const View<const float> steps(x.values().data(), x.step_shape().batch(x.total_steps()));
    mean_ = steps.matrix().colwise().mean();
    const auto centred = steps.matrix().rowwise() - mean_;
    deviation_ = centred.colwise().squaredNorm() / float(x.total_steps());
    deviation_ = deviation_.cwiseSqrt();
    for (float& deviation : deviation_) deviation = deviation > 0 ? deviation : 1;
  }

  Tensor<float, 2> operator()(View<const float> x) const {
    Tensor<float, 2> scaled(x.shape());
    scaled.matrix() = (x.matrix().rowwise() - mean_).array().rowwise() / deviation_.array();
    return scaled;
  }

 private:
  Eigen::RowVectorXf mean_, deviation_;
};

/// Part of a recording, at least half of it, as it could have been spoken another time: its steps fall
/// between those of the recording, and each feature is a little stronger or weaker, and a little higher or
/// lower, in all of them.
Tensor<float, 2> varied(View<const float> x, Random& random) {
  const double last = double(x.dim(0) - 1), length = last * (1 - random.uniform() / 2);
  const double begin = (last - length) * random.uniform();
  Tensor<float, 2> part(Shape{Index(std::lround(length)) + 1, x.dim(1)});
  const auto from = x.matrix();
  auto to = part.matrix();
  const double stride = length / double((std::max)(part.dim(0) - 1, Index{1}));
  for (Index t = 0; t < part.dim(0); ++t) {
    const double place = begin + stride * double(t);
    const auto before = Index(place), after = (std::min)(before + 1, x.dim(0) - 1);
    const auto share = float(place - double(before));
    to.row(t) = (1 - share) * from.row(before) + share * from.row(after);
  }
  for (Index d = 0; d < part.dim(1); ++d) {
    auto feature = to.col(d).array();
    feature *= float(std::exp(random.normal(0, 0.2)));
    feature += float(random.normal(0, 0.2));
  }
  return part;
}

/// Each step and how fast it changes, (T, 2 D): from the step before it to the step after it, doubled,
/// which makes it about as large.
Tensor<float, 2> with_changes(View<const float> x) {
  const Index T = x.dim(0), D = x.dim(1);
  Tensor<float, 2> both(Shape{T, 2 * D});
  const auto from = x.matrix();
  auto to = both.matrix();
  for (Index t = 0; t < T; ++t) {
    to.row(t).head(D) = from.row(t);
    to.row(t).tail(D) =
        2 * (from.row((std::min)(t + 1, T - 1)) - from.row((std::max)(t - 1, Index{0})));
  }
  return both;
}

Sequences<float> features(const Sequences<float>& x, const Scaling& scaling) {
  Sequences<float> result(Shape{2 * x.step_shape()[0]});
  for (Index n = 0; n < x.samples(); ++n) result.push_back(with_changes(scaling(x[n])));
  return result;
}

Model<float> make_model(Index features, Index classes, std::uint64_t seed) {
  Model<float> model("vowels");
  model.input({any, features});  // any number of steps
  model.add("lstm",
            Bidirectional<LSTM>{
                {.units = 64, .return_sequences = true, .dropout = 0.2, .recurrent_dropout = 0.2}});
  model.add("attention", LuongAttention{.units = 64});
  model.add("speaker", Dense{.units = classes, .activation = Activation::softmax});
  model.build({.seed = seed});
  return model;
}

/// A network trained on recordings and varied copies of them, and how it takes recordings.
struct Recogniser {
  Scaling scaling;
  Model<float> model;

  Recogniser(const TimeSeries& training, const Options& options, std::uint64_t seed)
      : scaling(training.x),
        model(make_model(2 * training.x.step_shape()[0], std::ssize(training.names), seed)) {
    constexpr int copies = 2;
    Sequences<float> x = features(training.x, scaling);
    std::vector<Index> classes = training.classes;
    Random random(seed, 1'000'000);
    for (int copy = 0; copy < copies; ++copy) {
      for (Index n = 0; n < training.x.samples(); ++n) {
        x.push_back(with_changes(varied(scaling(training.x[n]), random)));
        classes.push_back(training.classes[static_cast<std::size_t>(n)]);
      }
    }
    constexpr double rate = 2e-3;
    const auto falling = [&](Index epoch, double) {  // along half a cosine, to almost 0
      return rate / 2 *
             (1 + std::cos(std::numbers::pi * double(epoch - 1) / double(options.epochs)));
    };
    model.fit(x, one_hot<float>(classes, std::ssize(training.names)),
              {.loss = CategoricalCrossentropy{},
               .optimizer = Adam{.learning_rate = rate},
               .epochs = options.epochs,
               .seed = seed,
               .threads = options.threads,
               .callbacks = {LearningRateSchedule{falling}},
               .verbose = Verbose::silent});
  }

  /// The share of recordings whose speaker it names.
  double accuracy(const TimeSeries& series) const {
    return model.evaluate(features(series.x, scaling),
                          one_hot<float>(series.classes, std::ssize(series.names)),
                          {.loss = CategoricalCrossentropy{},
                           .metrics = {CategoricalAccuracy{}}})["categorical_accuracy"];
  }
};

/// The samples of which `holds(n)`.
template <class Condition>
TimeSeries chosen(const TimeSeries& series, const Condition& holds) {
  TimeSeries result{
      .x = Sequences<float>(series.x.step_shape()), .classes = {}, .names = series.names};
  for (Index n = 0; n < series.x.samples(); ++n) {
    if (!holds(n)) continue;
    result.x.push_back(series.x[n]);
    result.classes.push_back(series.classes[static_cast<std::size_t>(n)]);
  }
  return result;
}

/// For each sample its fold, from 0: each class is cut into so many parts, in the order of the file, since
/// recordings made one after the other are alike.
std::vector<Index> folds_of(const TimeSeries& series, Index folds) {
  std::vector<Index> seen(series.names.size()), result;
  const auto size = [&](Index name) {
    return std::count(series.classes.begin(), series.classes.end(), name);
  };
  for (const Index name : series.classes) {
    result.push_back(seen[static_cast<std::size_t>(name)]++ * folds / size(name));
  }
  return result;
}

void cross_validate(const TimeSeries& training, const Options& options) {
  const auto fold = folds_of(training, options.folds);
  double sum = 0;
  for (Index k = 0; k < options.folds; ++k) {
    const auto is_held_out = [&](Index n) { return fold[static_cast<std::size_t>(n)] == k; };
    const TimeSeries rest = chosen(training, std::not_fn(is_held_out)),
                     held_out = chosen(training, is_held_out);
    double mean = 0;
    for (Index seed = 0; seed < options.seeds; ++seed) {
      // Other seeds than those of the test.
      const Recogniser recogniser(rest, options, static_cast<std::uint64_t>(100 + seed));
      mean += recogniser.accuracy(held_out) / double(options.seeds);
    }
    std::cout << "fold " << k << ": " << mean << " of " << held_out.x.samples()
              << " recordings, as a mean over seeds\n";
    sum += mean;
  }
  std::cout << "mean of folds: " << sum / double(options.folds) << "\n";
}

/// Where the model looks in three recordings of each speaker.
plot::HeatMap attention_map(const Recogniser& recogniser, const TimeSeries& series) {
  constexpr Index of_each = 3;
  std::vector<Index> seen(series.names.size());
  const TimeSeries shown = chosen(series, [&](Index n) {
    return seen[static_cast<std::size_t>(series.classes[static_cast<std::size_t>(n)])]++ < of_each;
  });
  const auto attention =
      recogniser.model.activations("attention/weights", features(shown.x, recogniser.scaling));
  plot::HeatMap map = plot::heat_map(attention);
  map.title = "Where the model looks in recordings of different lengths";
  map.y_label = "speaker";
  for (const Index name : shown.classes)
    map.row_labels.push_back(series.names[static_cast<std::size_t>(name)]);
  return map;
}

void run_experiment(const Options& options) {
  const auto directory = writable_directory(options.out);
  const TimeSeries training = read_time_series(options.train);
  if (options.folds > 0) return cross_validate(training, options);
  const TimeSeries test = read_time_series(options.test);
  check<Error>(test.names == training.names, options.train, " and ", options.test,
               " have different classes");

  std::cout << training.x.samples() << " recordings of " << training.x.shortest() << " to "
            << training.x.longest() << " steps for training, " << test.x.samples() << " of "
            << test.x.shortest() << " to " << test.x.longest() << " for testing\n\n";
  std::string csv = "seed,accuracy\n";
  double sum = 0;
  for (Index seed = 0; seed < options.seeds; ++seed) {
    const Recogniser recogniser(training, options, static_cast<std::uint64_t>(seed));
    if (seed == 0) std::cout << recogniser.model.summary() << "\n";
    const double accuracy = recogniser.accuracy(test);
    std::cout << "seed " << seed << ": " << accuracy << std::endl;
    csv += join(seed, ",", accuracy, "\n");
    sum += accuracy;
    if (seed + 1 < options.seeds) continue;
    const plot::HeatMap map = attention_map(recogniser, test);
    plot::save(directory / "attention.svg", map);
    std::cout << "mean: " << sum / double(options.seeds) << "\n"
              << published << "\n"
              << plot::text(map) << "\n";
  }
  write_text(directory / "accuracy.csv", csv);
  std::cout << "attention.svg and accuracy.csv are in " << directory.string() << "\n";
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Trains a network on recordings of unequal length, and says whose they are.");
  app.footer("\n" + std::string(where_from));
  app.option_defaults()->always_capture_default();
  app.add_option("TRAIN", options.train, "a .ts file to train on")->required();
  app.add_option("TEST", options.test, "a .ts file to test on; not with --folds");
  app.add_option("--epochs", options.epochs, "Passes over the data")->check(at_least(1));
  app.add_option("--seeds", options.seeds, "Trainings, with the seeds 0, 1, …")->check(at_least(1));
  app.add_option("--folds", options.folds, "Cross-validate on TRAIN, in so many parts")
      ->check(at_least(2));
  app.add_option("--threads", options.threads, "Threads that train")->check(at_least(1));
  app.add_option("--out", options.out, "Directory for the results, made when missing")
      ->type_name("DIR");
  if (const auto status = parse(app, argc, argv)) return *status;
  return run([&] { run_experiment(options); });
}
