// Which of nine men says this vowel? Japanese Vowels has recordings of 7 to 29 steps, 12 numbers in each. A
// bidirectional LSTM reads each recording at its own length, and the attention says which steps it looks at.
//
// Layers and their sizes, dropout, learning rate, epochs, features and varied copies were chosen by
// cross-validation on the 270 recordings for training alone: `vowels TRAIN --folds 5`. The 370 for testing
// were first predicted when all of it was fixed.

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
    "The data of Japanese Vowels are in the PyPI package aeon, which need not be installed:\n\n"
    "    python3 -m pip download --no-deps aeon==1.6.0\n"
    "    python3 -m zipfile -e aeon-1.6.0-py3-none-any.whl .\n\n"
    "JapaneseVowels_TRAIN.ts and JapaneseVowels_TEST.ts are then in "
    "aeon/datasets/data/JapaneseVowels.";

/// Means of ten trainings: Ismail Fawaz et al. 2019, "Deep learning for time series classification: a
/// review", from the tables of its repository.
constexpr std::string_view published =
    "published for Japanese Vowels: FCN 99.3 %, ResNet 99.2 %, Encoder (with attention) 97.6 %, "
    "TWIESN 96.5 %\n";

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
    TimeSeries samples{.x = features(training.x, scaling), .classes = training.classes};
    Random random(seed, 1'000'000);
    for (int copy = 0; copy < copies; ++copy) {
      for (Index n = 0; n < training.x.samples(); ++n) {
        samples.push_back(with_changes(varied(scaling(training.x[n]), random)),
                          training.class_of(n));
      }
    }
    constexpr double rate = 2e-3;
    const auto falling = [&](Index epoch, double) {  // along half a cosine, to almost 0
      return rate / 2 *
             (1 + std::cos(std::numbers::pi * double(epoch - 1) / double(options.epochs)));
    };
    model.fit(samples.x, one_hot<float>(samples.classes, std::ssize(training.names)),
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

std::string percent(double share) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << 100 * share << " %";
  return text.str();
}

/// Cuts each class into as many parts, in the order of the file, since recordings that were made one after
/// the other are alike: each fold is trained without one part, and tested with it.
void cross_validate(const TimeSeries& series, const Options& options) {
  double sum = 0;
  for (Index fold = 0; fold < options.folds; ++fold) {
    std::vector<Index> kept, held_out;
    for (const auto& rows : series.rows_by_class()) {
      const auto size = std::ssize(rows);
      check<Error>(size >= options.folds, "expected at least ", options.folds,
                   " samples of each class for as many folds, got ", size);
      for (Index i = 0; i < size; ++i) {
        (i * options.folds / size == fold ? held_out : kept)
            .push_back(rows[static_cast<std::size_t>(i)]);
      }
    }
    const TimeSeries training = series.part(kept), test = series.part(held_out);
    double mean = 0;
    for (Index i = 0; i < options.seeds; ++i) {
      const auto seed = static_cast<std::uint64_t>(100 + i);  // others than those of the test
      mean += Recogniser(training, options, seed).accuracy(test) / double(options.seeds);
    }
    std::cout << "fold " << fold << ": " << percent(mean) << std::endl;
    sum += mean;
  }
  std::cout << "mean: " << percent(sum / double(options.folds)) << "\n";
}

/// Where the model looks in the first two recordings of each speaker.
plot::HeatMap attention_map(const Recogniser& recogniser, const TimeSeries& series) {
  std::vector<Index> rows;
  for (const auto& of_class : series.rows_by_class()) {
    rows.insert(rows.end(), of_class.begin(),
                of_class.begin() + (std::min)(std::ssize(of_class), Index{2}));
  }
  const TimeSeries shown = series.part(rows);
  const auto x = features(shown.x, recogniser.scaling);
  const auto attention = recogniser.model.activations("attention/weights", x);  // 0 after the end
  plot::HeatMap map = plot::heat_map(attention);
  map.title = "Where the model looks in recordings of unequal length";
  map.y_label = "speaker";
  for (Index n = 0; n < shown.x.samples(); ++n) {
    const Index steps = shown.x.steps(n);
    map.row_labels.push_back(join(shown.name_of(n), ": ", steps, steps == 1 ? " step" : " steps"));
  }
  return map;
}

TimeSeries read(const std::string& path) {
  check<FileError>(std::filesystem::exists(path), path, " is not there.\n\n", where_from);
  return read_time_series(path);
}

void run_test(const TimeSeries& training, const Options& options) {
  const auto directory = writable_directory(options.out);
  const TimeSeries test = read(options.test);
  check<Error>(test.names == training.names && test.x.step_shape() == training.x.step_shape(),
               options.train, " and ", options.test, " have different classes or dimensions");
  for (const auto& [series, name] :
       {std::pair(&training, "training"), std::pair(&test, "testing")}) {
    std::cout << series->x.samples() << " recordings of " << series->x.shortest() << " to "
              << series->x.longest() << " steps for " << name << "\n";
  }

  std::string csv = "seed,accuracy\n";
  double sum = 0;
  std::optional<Recogniser> recogniser;
  for (Index seed = 0; seed < options.seeds; ++seed) {
    recogniser.emplace(training, options, static_cast<std::uint64_t>(seed));
    if (seed == 0) std::cout << "\n" << recogniser->model.summary() << "\n";
    const double accuracy = recogniser->accuracy(test);
    std::cout << "seed " << seed << ": " << percent(accuracy) << std::endl;
    csv += join(seed, ",", accuracy, "\n");
    sum += accuracy;
  }
  std::cout << "mean: " << percent(sum / double(options.seeds)) << "\n" << published << "\n";

  const plot::HeatMap map = attention_map(*recogniser, test);
  plot::save(directory / "attention.svg", map);
  write_text(directory / "accuracy.csv", csv);
  std::cout << plot::text(map) << "\nattention.svg and accuracy.csv are in " << directory.string()
            << "\n";
}

void run_experiment(const Options& options) {
  const TimeSeries training = read(options.train);
  if (options.folds > 0) {
    cross_validate(training, options);
  } else {
    run_test(training, options);
  }
}

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Trains a network on recordings of unequal length, and says whose they are.");
  app.footer("\n" + std::string(where_from) + "\n");
  app.option_defaults()->always_capture_default();
  app.add_option("TRAIN", options.train, "The .ts file to train on")->required();
  app.add_option("TEST", options.test, "The .ts file to test on, unless --folds is given");
  app.add_option("--epochs", options.epochs, "Passes over the data")->check(at_least(1));
  app.add_option("--seeds", options.seeds, "Trainings, with the seeds 0, 1, …")->check(at_least(1));
  app.add_option("--folds", options.folds, "Cross-validate on TRAIN, in so many parts")
      ->check(at_least(2));
  app.add_option("--threads", options.threads, "Threads that train")->check(at_least(1));
  app.add_option("--out", options.out, "Directory for the results, made when missing")
      ->type_name("DIR");
  app.final_callback([&] {
    if (options.folds == 0 && options.test.empty()) throw CLI::RequiredError("TEST");
  });
  if (const auto status = parse(app, argc, argv)) return *status;
  return run([&] { run_experiment(options); });
}
