#include <fstream>
#include <heed/io/checkpoint.hpp>
#include <set>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/fsync.hpp"
#include "support/full_disk.hpp"
#include "support/temporary_folder.hpp"
#include "support/trainings.hpp"

namespace heed::checkpoint_test {

using testing::FullDisk;
using testing::message;
using testing::ReadOnlyFolder;
using testing::TemporaryFolder;
using testing::Training;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

struct Interrupted {};

/// Ends a training after so many of its steps, as an exception does.
template <class S>
Callback<S> interrupt(Index after) {
  return {.on_batch_end = [after](TrainingState<S>& state) {
    if ((state.epoch - 1) * state.steps + state.step == after) throw Interrupted();
  }};
}

template <class S>
History train(const Training<S>& training, Model<S>& model, FitOptions<S> options,
              std::vector<Callback<S>> callbacks) {
  for (auto& callback : callbacks) options.callbacks.push_back(std::move(callback));
  return model.fit(training.x, training.y, options);
}

template <class S>
void check_every_step(Index threads) {
  CAPTURE(threads, sizeof(S));
  const TemporaryFolder folder;
  const fs::path path = folder / "run";
  const Training<S> training;
  const auto options = training.options(threads);
  auto whole = training.model();
  const auto history = train(training, whole, options, {});
  for (Index step = 1; step <= 12; ++step) {
    CAPTURE(step);
    fs::remove(path);
    auto interrupted = training.model();
    CHECK_THROWS_AS(
        train(training, interrupted, options,
              {Checkpoint{.path = path, .every_epochs = 1, .every_steps = 1}, interrupt<S>(step)}),
        Interrupted);
    auto resumed = training.model(99);
    auto again = options;
    again.resume_from = path;
    if (step == 1) resumed = training.model();  // no checkpoint yet
    CHECK(train(training, resumed, again, {Checkpoint{.path = path}}) == history);
    CHECK(resumed.weights() == whole.weights());
    CHECK(folder.names() == Names{"run"});
  }
}

/// A checkpoint in the middle of an epoch.
fs::path checkpoint(const TemporaryFolder& folder) {
  const fs::path path = folder / "run";
  const Training<double> training;
  auto model = training.model();
  CHECK_THROWS_AS(train(training, model, training.options(),
                        {Checkpoint{.path = path, .every_steps = 1}, interrupt<double>(6)}),
                  Interrupted);
  return path;
}

/// The checkpoint with something else in its JSON, and with the checksum of that.
template <class Change>
void change_json(const fs::path& path, const Change& change, bool mend = true) {
  const auto file = read_safetensors(path);
  auto metadata = file.metadata;
  auto json = nlohmann::ordered_json::parse(metadata["heed_training"]);
  change(json);
  metadata["heed_training"] = json.dump();
  if (mend) metadata["heed_checksum"] = detail::checkpoint_checksum<double>(file, metadata);
  std::vector<std::pair<const std::byte*, std::string>> order;
  for (const auto& [name, tensor] : file.tensors) order.emplace_back(tensor.bytes.data(), name);
  std::sort(order.begin(), order.end());
  std::vector<Tensor<double>> tensors;
  std::vector<NamedView<double>> named;
  tensors.reserve(file.tensors.size());
  for (const auto& [begin, name] : order) {
    tensors.push_back(read_tensor<double>(file, name));
    named.emplace_back(name, tensors.back());
  }
  write_safetensors<double>(path, named, metadata);
}

}  // namespace

TEST_CASE("a training that is interrupted at any step goes on from its file to the same bits") {
  check_every_step<double>(1);
  check_every_step<float>(2);
}

TEST_CASE("a file keeps all that several inputs, weights and Sequences go on from") {
  const TemporaryFolder folder;
  const fs::path path = folder / "run";
  const testing::UnevenTraining training;
  auto options = training.options();
  auto whole = training.model(1);
  const auto history = training.fit(whole, options);
  for (const Index step : {1, 3, 5}) {
    CAPTURE(step);
    fs::remove(path);
    auto interrupted = training.model(1);
    options.callbacks = {Checkpoint{.path = path, .every_steps = 1}, interrupt<double>(step)};
    options.resume_from = {};
    CHECK_THROWS_AS(training.fit(interrupted, options), Interrupted);
    auto resumed = training.model(99);
    options.callbacks = {};
    options.resume_from = path;
    if (step == 1) resumed = training.model(1);  // no checkpoint yet
    CHECK(training.fit(resumed, options) == history);
    CHECK(resumed.weights() == whole.weights());
    testing::UnevenTraining other;
    other.weights(1) += 1;
    options.sample_weight = {{"tag", other.tag_weights}, {"price", other.weights}};
    if (step > 1) {
      CHECK(message<OptionError>([&] {
              other.fit(resumed, options);
            }).find("run was made with training data: x of") != std::string::npos);
    }
    options.sample_weight = training.options().sample_weight;
  }
}

TEST_CASE("a file gives back the snapshot that was written") {
  const TemporaryFolder folder;
  const Training<float> training;
  auto model = training.model();
  auto options = training.options();
  std::vector<TrainingSnapshot<float>> taken;
  options.callbacks.push_back(EarlyStopping{.monitor = "loss", .restore_best_weights = true});
  options.callbacks.push_back({.on_epoch_end =
                                   [&](auto& state) {
                                     state.logs.set("odd \"name\"", -0.1 / 3);
                                     taken.push_back(state.snapshot().value());
                                   },
                               .runs_last = true});
  model.fit(training.x, training.y, options);
  auto& snapshot = taken.back();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  snapshot.logs = {{"b", infinity}, {"a", -infinity}, {"c", 1e-310}, {"d", -0.0}};
  snapshot.sums[1] = 1.0 / 3;
  save_checkpoint(model, snapshot, folder / "run");
  const auto read = load_checkpoint<float>(folder / "run");
  CHECK(read.terms == snapshot.terms);
  CHECK(read.epoch == snapshot.epoch);
  CHECK(read.step == snapshot.step);
  CHECK(read.stop == snapshot.stop);
  CHECK(read.learning_rate == snapshot.learning_rate);
  CHECK(read.weights == snapshot.weights);
  CHECK(read.optimizer.steps == snapshot.optimizer.steps);
  CHECK(read.optimizer.moments == snapshot.optimizer.moments);
  CHECK(read.history == snapshot.history);
  CHECK(read.logs == snapshot.logs);
  CHECK(read.samples == snapshot.samples);
  CHECK(read.sums == snapshot.sums);
  REQUIRE(read.callbacks.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(read.callbacks[i].name == snapshot.callbacks[i].name);
    CHECK(read.callbacks[i].numbers == snapshot.callbacks[i].numbers);
    CHECK(read.callbacks[i].weights == snapshot.callbacks[i].weights);
  }
  CHECK(read.callbacks[1].weights.size() > 0);
  snapshot.logs = {{"nan", std::numeric_limits<double>::quiet_NaN()}};
  save_checkpoint(model, snapshot, folder / "run");
  CHECK(std::isnan(load_checkpoint<float>(folder / "run").logs["nan"]));
}

TEST_CASE("a checkpoint is a model's file, too") {
  const TemporaryFolder folder;
  const auto path = checkpoint(folder);
  const auto snapshot = load_checkpoint<double>(path);
  CHECK(snapshot.epoch == 1);
  CHECK(snapshot.step == 2);
  CHECK(load_model<double>(path).weights() == snapshot.weights);
  auto model = Training<double>::model(99);
  load_weights(model, path);
  CHECK(model.weights() == snapshot.weights);
}

TEST_CASE("checkpoints are written as often as asked, and when training ends") {
  const TemporaryFolder folder;
  const Training<double> training;
  const fs::path path = folder / "run";
  const auto moments = [&](const Checkpoint& checkpoint) {
    fs::remove(path);
    std::string text;
    auto model = training.model();
    const auto look = [&](TrainingState<double>&) {
      if (!fs::exists(path)) return;
      const auto snapshot = load_checkpoint<double>(path);
      const auto moment = join(snapshot.epoch, ".", snapshot.step, " ");
      if (!text.ends_with(moment)) text += moment;
    };
    train(training, model, training.options(),
          {checkpoint,
           {.on_batch_end = look, .on_epoch_end = look, .on_train_end = look, .runs_last = true}});
    return text;
  };
  CHECK(moments({.path = path}) == "1.0 2.0 3.0 4.0 ");
  CHECK(moments({.path = path, .every_epochs = 3}) == "3.0 4.0 ");
  CHECK(moments({.path = path, .every_epochs = 0}) == "4.0 ");
  CHECK(moments({.path = path, .every_epochs = 0, .every_steps = 5}) == "1.2 3.1 4.0 ");
  CHECK(moments({.path = path, .every_epochs = 2, .every_steps = 7}) == "2.0 2.1 4.0 ");
}

TEST_CASE("a checkpoint needs a path, and counts that are not negative") {
  const auto refused = [](const Checkpoint& checkpoint) {
    return message<OptionError>([&] { const Callback<float> callback = checkpoint; });
  };
  CHECK(refused({.path = ""}) == "Checkpoint: expected a path");
  const std::string range = "Checkpoint: expected every_epochs and every_steps of at least 0, got ";
  CHECK(refused({.path = "a", .every_epochs = -1, .every_steps = 2}) == range + "-1 and 2");

  const Training<float> training;
  auto model = training.model();
  auto options = training.options();
  options.resume_from = std::string();
  CHECK(message<OptionError>([&] { train(training, model, options, {}); }) ==
        "resume_from: expected a path, got an empty one");
  CHECK_THROWS_AS(save_checkpoint(model, TrainingSnapshot<float>{}), ShapeError);
}

TEST_CASE("a folder that is not there is found before anything is trained") {
  const TemporaryFolder folder;
  const Training<double> training;
  auto model = training.model();
  const Arena<double> before(model.weights());
  const fs::path path = folder / "none/run";
  const auto none = (folder / "none").string() + " is not a folder";
  CHECK(message<FileError>([&] {
          train(training, model, training.options(), {Checkpoint{.path = path}});
        }) == path.string() + " cannot be written: " + none);
  CHECK(message<FileError>([&] {
          train(training, model, training.options(), {Checkpoint{.path = folder.path()}});
        }) == folder.path().string() + " cannot be written: it is a folder");
  auto options = training.options();
  options.resume_from = path.string();
  CHECK(message<FileError>([&] { train(training, model, options, {}); }) ==
        path.string() + " cannot be read: " + none);
  CHECK(model.weights() == before);
}

TEST_CASE("a file that is no checkpoint, or another's, is refused, and nothing is changed") {
  const TemporaryFolder folder;
  const auto path = checkpoint(folder);
  const auto good = read_file(path);
  const auto refused = [&](auto zero) {
    using S = decltype(zero);
    const Training<S> training;
    auto model = training.model();
    const Arena<S> before(model.weights());
    auto options = training.options();
    options.resume_from = path;
    const auto text = message<FileError>([&] { train(training, model, options, {}); });
    CHECK(model.weights() == before);
    CHECK(text.starts_with(path.string()));
    return text.substr(path.string().size());
  };
  CHECK(refused(float{}) ==
        " cannot be resumed: its tensor \"attention/bias\" is of F64; this training uses F32");
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, good.size() / 2, good.size() - 1}) {
    write_file(path, std::span(good).first(size));
    CHECK(refused(double{}) != "");
  }
  save_model(Training<double>::model(), path);
  CHECK(refused(double{}) ==
        " is not a checkpoint: it has no training state; expected a file that Checkpoint wrote");

  const auto with = [&](const auto& change, bool mend = true) {
    write_file(path, good);
    change_json(path, change, mend);
    const auto text = refused(double{});
    const std::string begin = " cannot be resumed: ";
    CHECK(text.starts_with(begin));
    return text.substr(std::min(text.size(), begin.size()));
  };
  CHECK(with([](auto& json) { json = 3; }) ==
        "it does not have format_version 1, the only one that this version of heed reads");
  CHECK(with([](auto& json) { json["format_version"] = 2; }) ==
        "it does not have format_version 1, the only one that this version of heed reads");
  CHECK(with([](auto& json) { json["epoch"] = -1; }) == "\"epoch\" is -1");
  CHECK(with([](auto& json) { json["step"] = 0.5; }) ==
        "\"step\" contains a number that is not whole or is too large");
  CHECK(with([](auto& json) { json.erase("samples"); }) == "it has no \"samples\"");
  CHECK(with([](auto& json) { json["stop"] = 1; }) == "it has no boolean \"stop\"");
  CHECK(with([](auto& json) { json.erase("learning_rate"); }) == "it has no \"learning_rate\"");
  CHECK(with([](auto& json) { json["learning_rate"] = "fast"; }) == "a value is not a number");
  CHECK(with([](auto& json) { json["weights"][0] = 1; }) == "the name of a weight is not a text");
  CHECK(with([](auto& json) { json["weights"][0] = "other"; }) == "it has no tensor \"other\"");
  CHECK(with([](auto& json) { json["weights"][1] = json["weights"][0]; }) ==
        "it names the weight \"lstm/kernel\" twice");
  CHECK(with([](auto& json) { json["moments"] = 3; }) == "it has no tensor \"moment_2\"");
  CHECK(with([](auto& json) { json["sums"] = 1; }) == "it has no array \"sums\"");
  CHECK(with([](auto& json) { json["logs"][0] = "loss"; }) ==
        "an entry of \"logs\" is not a pair of a name and a value");
  CHECK(with([](auto& json) { json["terms"][0][1] = 1; }) == "the term \"layer 1\" is not a text");
  CHECK(with([](auto& json) { json["history"][0][1] = 1; }) == "a value is not a list of numbers");
  CHECK(with([](auto& json) { json["history"][0][1].push_back(1); }) ==
        "its history has 2 epochs in \"loss\", expected 1");
  CHECK(with([](auto& json) { json["callbacks"][0] = 1; }) ==
        "the memory of a callback is not an object");
  const std::string damaged =
      "its checksum does not match its content; the file is damaged or was changed";
  CHECK(with([](auto& json) { json["learning_rate"] = 0.5; }, false) == damaged);
  // The checksum is looked at before anything is made of what the file says.
  CHECK(with([](auto& json) { json = 3; }, false) == damaged);
  CHECK(with([](auto& json) { std::swap(json["weights"][0], json["weights"][2]); }) ==
        "it is damaged: its names and numbers do not match");
}

TEST_CASE("any bit that flips in a checkpoint is noticed") {
  const TemporaryFolder folder;
  const Training<double> training;
  auto model = training.model();
  train(training, model, training.options(),
        {EarlyStopping{.monitor = "loss", .restore_best_weights = true},
         Checkpoint{.path = folder / "run"}});
  auto bytes = read_file(folder / "run");
  CHECK(save_checkpoint(model, load_checkpoint<double>(bytes)) == bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CAPTURE(i);
    const std::byte flipped = std::byte{1} << (i % 8);
    bytes[i] ^= flipped;
    CHECK_THROWS_AS(load_checkpoint<double>(bytes), FileError);
    bytes[i] ^= flipped;
  }
}

TEST_CASE("a checkpoint that cannot be written ends training, and the old one stays") {
  const TemporaryFolder folder;
  const auto path = checkpoint(folder);
  const auto old = read_file(path);
  const Training<double> training;
  auto options = training.options();
  auto whole = training.model();
  const auto history = train(training, whole, options, {});
  options.resume_from = path;
  auto model = training.model();
  std::string full, locked;
  {
    const FullDisk disk(500);
    full = message<FileError>([&] { train(training, model, options, {Checkpoint{.path = path}}); });
  }
  CHECK(full == path.string() + " cannot be written: File too large");
  CHECK(model.weights().array().allFinite());
  CHECK(read_file(path) == old);
  fs::permissions(path, fs::perms(0666));
  {
    const ReadOnlyFolder protected_folder(folder.path());
    locked =
        message<FileError>([&] { train(training, model, options, {Checkpoint{.path = path}}); });
  }
  CHECK(locked == path.string() + " cannot be written: Permission denied");
  CHECK(read_file(path) == old);
  CHECK(folder.names() == Names{"run"});

  CHECK(train(training, model, options, {Checkpoint{.path = path}}) == history);
  CHECK(model.weights() == whole.weights());
}

TEST_CASE("on_failure takes what cannot be written, and training goes on") {
  const TemporaryFolder folder;
  const auto path = checkpoint(folder);
  const auto old = read_file(path);
  const Training<double> training;
  auto options = training.options();
  auto whole = training.model();
  const auto history = train(training, whole, options, {});
  options.resume_from = path;
  auto model = training.model();
  Names failures;
  {
    const FullDisk disk(500);
    const Checkpoint checkpoint{
        .path = path, .every_steps = 4, .on_failure = [&](const FileError& error) {
          failures.push_back(error.what());
        }};
    CHECK(train(training, model, options, {checkpoint}) == history);
  }
  CHECK(failures == Names(5, path.string() + " cannot be written: File too large"));
  CHECK(model.weights() == whole.weights());
  CHECK(read_file(path) == old);
}

TEST_CASE(
    "a disk without room for a second checkpoint keeps the first, and training goes on from it") {
  const Training<double> training;
  auto whole = training.model();
  const auto history = train(training, whole, training.options(), {});
  const auto text = testing::on_small_disk(64 * 1024, [&](const fs::path& disk) {
    const fs::path path = disk / "run", filler = disk / "filler";
    auto options = training.options();
    auto model = training.model();
    try {
      train(training, model, options,
            {Checkpoint{.path = path, .every_steps = 1}, interrupt<double>(6)});
    } catch (const Interrupted&) {
    }
    const auto old = read_file(path);
    for (std::ofstream out(filler); out << 'x' << std::flush;) {
    }
    options.resume_from = path;
    const auto refused =
        message<FileError>([&] { train(training, model, options, {Checkpoint{.path = path}}); });
    const bool is_old = read_file(path) == old;
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(disk)) names.insert(entry.path().filename());
    fs::remove(filler);
    const bool is_same = train(training, model, options, {Checkpoint{.path = path}}) == history &&
                         model.weights() == whole.weights();
    return join(refused, is_old ? ", old file whole" : ", old file lost",
                names == std::set<std::string>{"filler", "run"} ? "" : ", something left behind",
                is_same ? ", same end" : ", another end")
        .substr(path.string().size());
  });
  if (text) {
    CHECK(*text == " cannot be written: No space left on device, old file whole, same end");
  } else {
    WARN("no disk can be mounted here");
  }
}

TEST_CASE("a checkpoint that is removed under its training is written anew") {
  const TemporaryFolder folder;
  const fs::path path = folder / "run";
  const Training<double> training;
  auto model = training.model();
  const Callback<double> remove{.on_epoch_begin = [&](TrainingState<double>& state) {
    if (state.epoch > 1) CHECK(fs::remove(path));
  }};
  train(training, model, training.options(), {Checkpoint{.path = path}, remove});
  CHECK(load_checkpoint<double>(path).epoch == 4);
}

TEST_CASE("a training that diverges leaves its last good checkpoint") {
  const TemporaryFolder folder;
  const fs::path path = folder / "run";
  const Training<float> training;
  auto options = training.options();
  options.loss = MeanSquaredError{};
  options.optimizer = SGD{.learning_rate = 0.01};
  // Each step from the fifth on multiplies what the weights are by some 1e6.
  options.callbacks = {{.on_batch_end = [](TrainingState<float>& state) {
    if ((state.epoch - 1) * state.steps + state.step >= 4) state.learning_rate = 1e6;
  }}};
  Model<float> model;
  model.input({5, 2});
  model.add(Flatten{});
  model.add(Dense{.units = 1});
  model.build();
  const auto text = message<TrainingError>(
      [&] { train(training, model, options, {Checkpoint{.path = path, .every_steps = 1}}); });
  CHECK(text.starts_with("epoch "));
  CHECK(text.find(": the loss is inf with a learning rate of 1e+06; ") != std::string::npos);
  const auto finite = [&](const Model<float>& judged) {
    const auto logs = judged.evaluate(training.x.samples(0, 40), training.y.samples(0, 40),
                                      {.loss = MeanSquaredError{}, .batch_size = 16});
    return std::isfinite(logs["loss"]);
  };
  CHECK(finite(model));
  const auto snapshot = load_checkpoint<float>(path);
  CHECK(snapshot.optimizer.steps >= 4);
  CHECK(finite(load_model<float>(path)));
}

TEST_CASE(
    "save_model and save_weights leave the old file whole when the new one cannot be written") {
  const TemporaryFolder folder;
  const fs::path path = folder / "model";
  const auto old = Training<double>::model(1);
  const auto changed = Training<double>::model(2);
  const auto each = [&](const auto& save) {
    save(old);
    const auto bytes = read_file(path);
    fs::permissions(path, fs::perms(0666));
    std::string full, locked, late;
    {
      const FullDisk disk(100);
      full = message<FileError>([&] { save(changed); });
    }
    {
      const ReadOnlyFolder protected_folder(folder.path());
      locked = message<FileError>([&] { save(changed); });
    }
    CHECK(full == path.string() + " cannot be written: File too large");
    CHECK(locked == path.string() + " cannot be written: Permission denied");
    CHECK(read_file(path) == bytes);
    CHECK(folder.names() == Names{"model"});
    save(changed);
    CHECK(read_file(path) != bytes);
  };
  each([&](const auto& model) { save_model(model, path); });
  each([&](const auto& model) { save_weights(model, path); });
}

}  // namespace heed::checkpoint_test
