#include "golden.hpp"

#include <heed/train/fit.hpp>
#include <heed/train/metrics.hpp>
#include <heed/train/pad_sequences.hpp>
#include <heed/train/trainer.hpp>

#include <set>

// heed against Keras 3. It promises to agree to 1e-10 in double and 1e-5 in float for one pass, to 1e-8
// and 1e-3 after 200 steps of training; `deviation` says relative to what. One pass in double is held
// to 1e-12, which still leaves room for another order of summation. How much of this is used is printed
// by `heed_tests "[golden]" -s`.

using namespace heed;
using namespace heed::testing;

namespace {

template <class S>
constexpr double tolerance = sizeof(S) == 8 ? 1e-12 : 1e-5;
template <class S>
constexpr double training_tolerance = sizeof(S) == 8 ? 1e-8 : 1e-3;

const std::vector<std::string> layer_families{
    "activations",         "convolution", "dense",    "functions", "lstm",    "gru",
    "batch_normalization", "simple_rnn",  "wrappers", "masking",   "shaping", "merging",
    "attention",           "elementwise"};

/// Calls `test` with the file and, for each of its cases, the name and the description.
template <class Test>
void for_each_case(const GoldenFile& file, const Test& test) {
  REQUIRE(!file.cases().empty());
  for (const auto& [name, description] : file.cases().items()) {
    INFO(file.family() << ": " << name);
    test(name, description);
  }
}

/// A field of a case's configuration, or what it is when the case does not say it.
template <class T>
void read_field(const Json& config, const char* name, T& field) {
  if (config.contains(name)) field = config.at(name).get<T>();
}

/// An optimizer with the fields that a case gives it.
template <class O>
O configured(O optimizer, const Json& config) {
  const auto read = [&](const auto& field) {
    read_field(config, std::string(field.name).c_str(), optimizer.*field.member);
  };
  std::apply([&](const auto&... fields) { (read(fields), ...); }, O::fields());
  return optimizer;
}

template <class S>
Optimizer<S> make_optimizer(const Json& description) {
  const std::string type = description.at("optimizer");
  const Json& config = description.at("config");
  if (type == "SGD") return configured(SGD{}, config);
  if (type == "Adam") return configured(Adam{}, config);
  if (type == "RMSprop") return configured(RMSprop{}, config);
  if (type == "AdamW") return configured(AdamW{}, config);
  if (type == "Adamax") return configured(Adamax{}, config);
  if (type == "Nadam") return configured(Nadam{}, config);
  if (type == "Lion") return configured(Lion{}, config);
  if (type == "Adagrad") return configured(Adagrad{}, config);
  if (type == "Adadelta") return configured(Adadelta{}, config);
  throw OptionError("no optimizer " + type);
}

template <class L>
L crossentropy(const Json& config) {
  L loss;
  read_field(config, "from_logits", loss.from_logits);
  read_field(config, "label_smoothing", loss.label_smoothing);
  return loss;
}

template <class S>
Loss<S> make_loss(const std::string& type, const Json& config) {
  if (type == "BinaryCrossentropy") return crossentropy<BinaryCrossentropy>(config);
  if (type == "CategoricalCrossentropy") return crossentropy<CategoricalCrossentropy>(config);
  if (type == "SparseCategoricalCrossentropy") {
    return configured(SparseCategoricalCrossentropy{}, config);
  }
  if (type == "MeanSquaredError") return MeanSquaredError{};
  if (type == "MeanAbsoluteError") return MeanAbsoluteError{};
  throw OptionError("no loss " + type);
}

template <class S>
Metric<S> make_metric(const Json& description) {
  const std::string type = description.at("metric");
  BinaryAccuracy binary;
  read_field(description.at("config"), "threshold", binary.threshold);
  if (type == "BinaryAccuracy") return binary;
  if (type == "CategoricalAccuracy") return CategoricalAccuracy{};
  if (type == "SparseCategoricalAccuracy") return SparseCategoricalAccuracy{};
  if (type == "SparseTopKCategoricalAccuracy") {
    return configured(SparseTopKCategoricalAccuracy{}, description.at("config"));
  }
  if (type == "MeanSquaredError") return MeanSquaredError{};
  if (type == "MeanAbsoluteError") return MeanAbsoluteError{};
  throw OptionError("no metric " + type);
}

template <class S>
void check_layers(const GoldenFile& file) {
  Comparison<S> comparison(file, tolerance<S>);
  for_each_case(file, [&](const std::string& name, const Json&) {
    auto model = golden_model<S>(file, name);
    for (const std::string& weight : file.names(name, "initial/")) {
      comparison.check(name, "initial/" + weight, model.weight(weight));
    }
    set_golden_weights(file, name, model);

    const auto x = file.tensor<S>(name, "x");
    Tape<S> tape;
    comparison.check(name, "y", model.forward(x, tape));
    for (const std::string& inner : file.names(name, "inner/")) {
      comparison.check(name, "inner/" + inner, model.activations(inner, x));
    }

    const auto& graph = model.graph();
    graph.output_gradient(tape).array() = file.tensor<S>(name, "r").array();
    graph.backward(model.weights(), tape, true);
    comparison.check(name, "dx", tape.entries[0].outputs[0].gradient);
    for (const Slot& slot : graph.layout().all_slots()) {
      if (slot.momentum) continue;
      comparison.check(name, "dw/" + slot.name, {tape.gradients.data() + slot.offset, slot.shape});
    }
  });
  comparison.report();
}

/// One layer, with a mask and states where a case has them.
template <class S>
void check_masks(const GoldenFile& file) {
  Comparison<S> comparison(file, tolerance<S>);
  for_each_case(file, [&](const std::string& name, const Json& description) {
    const Json& entry = description.at("layer");
    const auto layer = Registry<S>().make(entry.at("type").get<std::string>(),
                                          config_from_json(entry.at("config")));
    // Names come by the alphabet, and there are less than ten.
    const auto tensors = [&](const std::string& kind) {
      std::vector<Tensor<S>> found;
      for (const std::string& number : file.names(name, kind)) {
        found.push_back(file.tensor<S>(name, kind + number));
      }
      return found;
    };
    const auto x = tensors("x/"), r = tensors("r/");
    std::vector<Tensor<S>> y, dx;
    std::vector<Shape> samples;
    for (const auto& input : x) {
      samples.push_back(input.shape().sample());
      dx.emplace_back(input.shape());
    }
    for (const Shape& shape : layer.output_shapes(samples)) {
      y.emplace_back(shape.batch(x[0].dim(0)));
    }
    Layout layout;
    for (const Weight& weight : layer.weights(samples)) layout.append("w", {weight});
    Tensor<S> w(Shape{layout.size()}), dw(Shape{layout.size()});
    for (const Slot& slot : layout.all_slots()) {
      const auto values = file.tensor<S>(name, slot.name);
      REQUIRE(values.shape() == slot.shape);
      std::copy_n(values.data(), values.size(), w.data() + slot.offset);
    }
    CHECK(file.names(name, "w/").size() == layout.all_slots().size());
    StepTable table;
    std::vector<Steps> steps(x.size());
    if (!file.names(name, "mask").empty()) {
      const auto mask = file.tensor<S>(name, "mask");
      const std::vector<std::uint8_t> counts(mask.data(), mask.data() + mask.size());
      table.assign({counts.data(), mask.shape()});
      steps[0] = Steps(table);
    }

    auto cache = layer.make_cache();
    const std::vector<View<const S>> xs(x.begin(), x.end()), rs(r.begin(), r.end());
    const std::vector<View<const S>> made(y.begin(), y.end());
    const std::vector<View<S>> ys(y.begin(), y.end()), dxs(dx.begin(), dx.end());
    const Parameters<const S> weights(w.data(), layout.all_slots());
    const Pass pass{.training = description.at("training").get<bool>()};
    layer.forward({.w = weights, .x = xs, .y = ys, .steps = steps, .pass = pass}, cache);
    layer.backward({.w = weights,
                    .x = xs,
                    .y = made,
                    .dy = rs,
                    .dw = {dw.data(), layout.all_slots()},
                    .dx = dxs,
                    .steps = steps},
                   cache);
    REQUIRE(file.names(name, "y/").size() == y.size());
    for (std::size_t i = 0; i < y.size(); ++i) comparison.check(name, join("y/", i), y[i]);
    for (std::size_t i = 0; i < dx.size(); ++i) comparison.check(name, join("dx/", i), dx[i]);
    for (const Slot& slot : layout.all_slots()) {
      comparison.check(name, "d" + slot.name, {dw.data() + slot.offset, slot.shape});
    }
    const auto published = layer.published(cache);
    CHECK(published.size() == file.names(name, "inner/").size());
    for (const auto& inner : published) {
      comparison.check(name, join("inner/", inner.name), inner.value);
    }
  });
  comparison.report();
}

template <class S>
void check_losses(const GoldenFile& file) {
  Comparison<S> comparison(file, tolerance<S>);
  for_each_case(file, [&](const std::string& name, const Json& description) {
    const auto loss = make_loss<S>(description.at("loss"), description.at("config"));
    const auto p = file.tensor<S>(name, "p");
    Tensor<S> dp(p.shape());
    const double value = loss(file.tensor<S>(name, "y"), p, dp);
    const bool differs_in_float = sizeof(S) == 4 && !file.names(name, "float32/").empty();
    const std::string prefix = differs_in_float ? "float32/" : "";
    comparison.check(name, prefix + "value", value);
    comparison.check(name, prefix + "dp", dp);
  });
  comparison.report();
}

template <class S>
void check_metrics(const GoldenFile& file) {
  Comparison<S> comparison(file, tolerance<S>);
  for_each_case(file, [&](const std::string& name, const Json& description) {
    const auto metric = make_metric<S>(description);
    const double value = metric(file.tensor<S>(name, "y"), file.tensor<S>(name, "p"));
    comparison.check(name, "value", value);
  });
  comparison.report();
}

template <class S>
void check_optimizers(const GoldenFile& file) {
  Comparison<S> comparison(file, tolerance<S>);
  for_each_case(file, [&](const std::string& name, const Json& description) {
    const auto model = golden_model<S>(file, name);
    const Layout& layout = model.graph().layout();
    const auto optimizer = make_optimizer<S>(description);
    auto state = optimizer.make_state(layout);
    auto weights = file.tensor<S>(name, "w");
    auto gradients = file.tensor<S>(name, "g");
    Tensor<S> result(gradients.shape());
    for (Index step = 0; step < gradients.dim(0); ++step) {
      const View<S> g(gradients.slice(step).data(), weights.shape());
      optimizer.update(layout, weights, g, state);
      result.slice(step) = weights.row();
    }
    comparison.check(name, "result", result);
  });
  comparison.report();
}

template <class S>
void check_pad_sequences(const GoldenFile& file) {
  Comparison<S> comparison(file, 0);
  for_each_case(file, [&](const std::string& name, const Json& description) {
    const auto values = file.tensor<S>(name, "values");
    Sequences<S> sequences(values.shape().sample());
    std::vector<Tensor<S>> list;
    Index first = 0;
    for (const S steps : file.tensor<S>(name, "steps").array()) {
      list.emplace_back(values.samples(first, static_cast<Index>(steps)));
      sequences.push_back(list.back());
      first += static_cast<Index>(steps);
    }
    PadOptions options;
    if (description.value("padding", "pre") == "post") options.padding = Padding::post;
    if (description.value("truncating", "pre") == "post") options.truncating = Truncating::post;
    read_field(description, "value", options.value);
    if (description.contains("maxlen") && !description.at("maxlen").is_null()) {
      options.maxlen = description.at("maxlen").get<Index>();
    }
    comparison.check(name, "y", pad_sequences(sequences, options));
    comparison.check(name, "y", pad_sequences<S>(list, options));
  });
  comparison.report();
}

template <class S>
void check_training(const GoldenFile& file) {
  Comparison<S> comparison(file, training_tolerance<S>);
  for_each_case(file, [&](const std::string& name, const Json& description) {
    const auto x = file.tensor<S>(name, "x");
    const auto y = file.tensor<S>(name, "y");
    const Index batch_size = description.at("batch_size");
    for (const auto& [run, options] : description.at("runs").items()) {
      auto model = golden_model<S>(file, name);
      set_golden_weights(file, name, model);
      Trainer<S> trainer(model, {.loss = make_loss<S>(description.at("loss"), Json::object()),
                                 .optimizer = make_optimizer<S>(options)});
      const Index steps = options.at("steps");
      Tensor<S> losses(Shape{steps});
      Index first = 0;
      for (S& loss : losses.values()) {
        const Index count = std::min(batch_size, x.dim(0) - first);
        loss = static_cast<S>(
            trainer.step(x.view().samples(first, count), y.view().samples(first, count)));
        first = (first + count) % x.dim(0);
      }
      comparison.check(name, run + "/loss", losses);
      for (const Slot& slot : model.graph().layout().all_slots()) {
        comparison.check(name, join(run, "/final/", slot.name), model.weight(slot.name));
      }
    }
  });
  comparison.report();
}

/// What a case has for the inputs or outputs of a model, in their order; nothing where it has none.
class GoldenData {
 public:
  GoldenData(const GoldenFile& file, const std::string& name, const Model<double>& model,
             const std::string& role) {
    const auto& graph = model.graph();
    std::vector<std::string> inputs;
    for (const std::size_t input : graph.inputs()) inputs.push_back(graph[input].name);
    const auto outputs = detail::output_names(graph);
    for (const auto& [what, names] :
         {std::pair("x", inputs), {"y", outputs}, {"sample_weight", outputs}}) {
      const std::string front = join(role, "/", what, "/");
      if (file.names(name, front).empty()) continue;
      for (const std::string& column : names)
        tensors_[what].push_back(file.tensor<double>(name, front + column));
    }
  }
  Columns<double> operator[](const std::string& what) const {
    const auto found = tensors_.find(what);
    if (found == tensors_.end()) return {};
    return Columns<double>(std::vector<Column<double>>(found->second.begin(), found->second.end()));
  }

 private:
  std::map<std::string, std::vector<Tensor<double>>> tensors_;
};

Losses<double> losses_from(const Json& json, const std::vector<std::string>& outputs) {
  if (json.is_string()) return json.get<std::string>();
  std::vector<Loss<double>> losses;
  for (const std::string& output : outputs) losses.emplace_back(json.at(output).get<std::string>());
  return Losses<double>(losses);
}

Metrics<double> metrics_from(const Json& options, const std::string& key) {
  const Json json = options.value(key, Json::array());
  const auto list = [](const Json& names) {
    std::vector<Metric<double>> metrics;
    for (const Json& name : names) metrics.emplace_back(name.get<std::string>());
    return metrics;
  };
  if (json.is_array()) return list(json);
  return {{"kind", list(json.at("kind"))}, {"price", list(json.at("price"))}};
}

/// Whole trainings: names and values of all logs, what evaluate gives after them, and the last weights.
void check_fit(const GoldenFile& file) {
  Comparison<double> comparison(file, tolerance<double>);
  for_each_case(file, [&](const std::string& name, const Json& description) {
    for (const auto& [run, optimizer] : description.at("runs").items()) {
      CAPTURE(run);
      auto model = golden_model<double>(file, name);
      set_golden_weights(file, name, model);
      const GoldenData training(file, name, model, "training"),
          validation(file, name, model, "validation");
      const Json& options = description.at("options");
      const auto outputs = detail::output_names(model.graph());
      EvaluateOptions<double> how{.loss = losses_from(description.at("loss"), outputs),
                                  .metrics = metrics_from(options, "metrics"),
                                  .weighted_metrics = metrics_from(options, "weighted_metrics"),
                                  .sample_weight = training["sample_weight"],
                                  .batch_size = description.at("batch_size")};
      if (options.contains("loss_weights")) {
        const Json& weights = options.at("loss_weights");
        how.loss_weights = {{"kind", weights.at("kind").get<double>()},
                            {"price", weights.at("price").get<double>()}};
      }
      const auto history = model.fit(
          training["x"], training["y"],
          {.loss = how.loss,
           .loss_weights = how.loss_weights,
           .optimizer = make_optimizer<double>(optimizer),
           .metrics = how.metrics,
           .weighted_metrics = how.weighted_metrics,
           .epochs = description.at("epochs"),
           .batch_size = how.batch_size,
           .validation_data = {validation["x"], validation["y"], validation["sample_weight"]},
           .shuffle = false,
           .sample_weight = how.sample_weight,
           .class_weight = description.at("class_weight").get<std::vector<double>>(),
           .verbose = Verbose::silent});
      std::set<std::string> names;
      for (const auto& [log, values] : history) {
        names.insert(log);
        comparison.check(name, join(run, "/log/", log),
                         View<const double>(values.data(), {std::ssize(values)}));
      }
      const auto logs = file.names(name, run + "/log/");
      CHECK(names == std::set<std::string>(logs.begin(), logs.end()));
      for (const auto& [log, value] : model.evaluate(training["x"], training["y"], how))
        comparison.check(name, join(run, "/evaluated/", log), value);
      for (const Slot& slot : model.graph().layout().all_slots())
        comparison.check(name, join(run, "/final/", slot.name), model.weight(slot.name));
    }
  });
  comparison.report();
}

}  // namespace

TEST_CASE("Layers give the outputs and gradients that Keras gives", "[golden]") {
  for (const std::string& family : layer_families) {
    const GoldenFile file(family);
    check_layers<double>(file);
    check_layers<float>(file);
  }
}

TEST_CASE("Layers with masks and states give the outputs and gradients that Keras gives",
          "[golden]") {
  const GoldenFile file("masks");
  check_masks<double>(file);
  check_masks<float>(file);
}

TEST_CASE("Losses give the values and gradients that Keras gives", "[golden]") {
  const GoldenFile file("losses");
  check_losses<double>(file);
  check_losses<float>(file);
}

TEST_CASE("Metrics give the values that Keras gives", "[golden]") {
  const GoldenFile file("metrics");
  check_metrics<double>(file);
  check_metrics<float>(file);
}

TEST_CASE("Optimizers take weights where Keras takes them", "[golden]") {
  const GoldenFile file("optimizers");
  check_optimizers<double>(file);
  check_optimizers<float>(file);
}

TEST_CASE("pad_sequences gives what Keras gives", "[golden]") {
  const GoldenFile file("pad_sequences");
  check_pad_sequences<double>(file);
  check_pad_sequences<float>(file);
}

TEST_CASE("Training the index-2 network takes it where Keras takes it", "[golden]") {
  const GoldenFile file("training_index2");
  check_training<double>(file);
  check_training<float>(file);
}

TEST_CASE("Training the dummy regression takes it where Keras takes it", "[golden]") {
  const GoldenFile file("training_dummy_regression");
  check_training<double>(file);
  check_training<float>(file);
}

TEST_CASE("Training with several outputs, masks and weights takes a network where Keras takes it",
          "[golden]") {
  check_fit(GoldenFile("training_fit"));
}

TEST_CASE("Golden cases cover every layer and every activation function", "[golden]") {
  std::set<std::string> types, functions;
  for (const std::string& family : layer_families) {
    const GoldenFile file(family);
    for_each_case(file, [&](const std::string&, const Json& description) {
      for (const Json& layer : description.at("model").at("layers")) {
        const auto type = layer.at("type").get<std::string>();
        types.insert(detail::full_type(type, config_from_json(layer.at("config"))));
        if (layer.at("config").contains("activation")) {
          functions.insert(layer.at("config").at("activation").get<std::string>());
        }
      }
    });
  }
  for (const std::string& type : Registry<double>().types()) {
    CAPTURE(type);
    if (type == "Slice")
      continue;  // which Keras has as an operator alone: tests/keras/operators_test.cpp
    // What it holds has cases of its own.
    CHECK((types.contains(type) || type.starts_with("TimeDistributed<")));
  }
  for (const auto& [name, function] : Names<ActivationFunction>::table) {
    CAPTURE(std::string(name));
    CHECK(functions.contains(std::string(name)));
  }
}
