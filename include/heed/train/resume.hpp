#pragma once

#include <bit>

#include <heed/train/fit_loop.hpp>

// Takes a snapshot of a training and resumes it. In a header-only build, only programs that use it
// compile it.

namespace heed {

namespace detail {

/// A field of a layer or an option as text, for comparisons and messages: `true`, `2 1`, `tanh`.
inline std::string setting_text(bool value) { return value ? "true" : "false"; }
inline std::string setting_text(const std::vector<Index>& list) {
  std::string text;
  for (const Index entry : list) text += join(text.empty() ? "" : " ", entry);
  return text;
}
std::string setting_text(const LayerConfig& layer);
template <class T>
std::string setting_text(const T& value) {
  return to_text(value);
}

/// `, units 32, …`
inline std::string config_text(const Config& config) {
  std::string text;
  for (const auto& [name, value] : config) {
    text += join(", ", name, " ");
    text += std::visit([](const auto& held) { return setting_text(held); }, value);
  }
  return text;
}

/// A layer in a field: `(LSTM, units 32, …)`.
inline std::string setting_text(const LayerConfig& layer) {
  return join("(", layer.type, config_text(layer.config), ")");
}

/// `LSTM "lstm" of "input_layer", units 32, …`
template <class Node, class Nodes>
std::string layer_text(const Node& node, const Nodes& nodes) {
  std::string text = join(node.layer.type(), " \"", node.name, "\"");
  for (const auto& input : node.inputs) {
    text += join(" of \"", nodes[input.index].name, "\"");
    if (input.output > 0) text += join(", output ", input.output);
  }
  return text + config_text(node.layer.config()) + (node.trains ? "" : ", frozen");
}

/// A checksum that is very unlikely to be the same for arrays with different bits. For several
/// arrays, `sum` is the checksum of the previous ones.
template <class Scalar>
std::uint64_t checksum(View<const Scalar> values, std::uint64_t sum = 0xcbf29ce484222325) {
  using Bits = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;
  for (Index i = 0; i < values.size(); ++i) {
    sum = (sum ^ std::bit_cast<Bits>(values.data()[i])) * 0x9e3779b97f4a7c15;
    sum ^= sum >> 32;
  }
  return sum;
}

/// `x of (100, 8) with the checksum 123`
template <class Scalar>
std::string columns_text(std::string_view what, const std::vector<Column<Scalar>>& columns) {
  std::string text;
  for (const Column<Scalar>& column : columns) {
    const bool is_uneven = column.sequences() != nullptr;
    std::uint64_t sum = is_uneven ? 0 : checksum(column.values());
    for (Index n = 0; is_uneven && n < column.samples(); ++n) {
      const View<const Scalar> sequence = column.sequence(n);
      sum = checksum(sequence, sum + static_cast<std::uint64_t>(sequence.dim(0)));
    }
    if (const Mask mask = column.mask()) {
      for (const std::uint8_t counts : mask.values()) sum = sum * 3 + counts;
    }
    text +=
        join(text.empty() ? "" : ", ", what, " of ", column.shape(), " with the checksum ", sum);
  }
  return text;
}

template <class Scalar>
std::string data_text(const Data<Scalar>& data) {
  if (data.samples() == 0) return "none";
  return columns_text("x", data.x) + ", " + columns_text("y", data.y) +
         (data.weight.empty() ? "" : ", " + columns_text("weights", data.weight));
}

/// `accuracy, threshold 0.5, mae`; with several outputs `price: mae; sold: accuracy`.
template <class Scalar>
std::string metrics_text(const Objective<Scalar>& objective,
                         const std::vector<OutputMetrics<Scalar>>& metrics,
                         std::vector<Metric<Scalar>> OutputMetrics<Scalar>::*list) {
  std::string text;
  for (std::size_t k = 0; k < metrics.size(); ++k) {
    std::string names;
    for (const auto& metric : metrics[k].*list) {
      names += (names.empty() ? "" : ", ") + metric.name() + config_text(metric.config());
    }
    if (names.empty()) continue;
    if (metrics.size() > 1) names = objective.terms()[k].name + ": " + names;
    text += (text.empty() ? "" : "; ") + names;
  }
  return text.empty() ? "none" : text;
}

/// Throws `OptionError` with the first term that differs.
inline void check_terms(const TrainingTerms& made, const TrainingTerms& now,
                        const std::string& where) {
  const std::string refusal = "resume_from: " + where + " was made with ";
  for (std::size_t i = 0; i < (std::max)(made.size(), now.size()); ++i) {
    const auto text = [i](const TrainingTerms& terms) {
      return i < terms.size() ? join(terms[i].first, ": ", terms[i].second) : "nothing more";
    };
    check<OptionError>(text(made) == text(now), refusal, text(made), "; this training has ",
                       text(now));
  }
}

template <class Scalar>
const TrainingTerms& FitLoop<Scalar>::terms() {
  if (!terms_.empty()) return terms_;  // computing checksums takes a while
  const auto& nodes = model_.graph().nodes();
  TrainingTerms terms;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    terms.emplace_back(join("layer ", i + 1), layer_text(nodes[i], nodes));
  }
  const Objective<Scalar>& objective = trainer_.objective();
  const auto names = output_names(model_.graph());
  const auto losses = options_.loss.template in_order<OptionError>(names, "a loss", "outputs");
  for (std::size_t k = 0; k < names.size(); ++k) {
    const double weight = objective.terms()[k].weight;
    terms.emplace_back("output", names[k]);
    terms.emplace_back("loss", losses[k].name() + config_text(losses[k].config()) +
                                   (weight == 1 ? "" : join(", weight ", weight)));
  }
  const auto all = metrics();
  terms.emplace_back("metrics", metrics_text(objective, all, &OutputMetrics<Scalar>::metrics));
  terms.emplace_back("weighted metrics",
                     metrics_text(objective, all, &OutputMetrics<Scalar>::weighted));
  terms.emplace_back("optimizer",
                     options_.optimizer.name() + config_text(options_.optimizer.config()));
  terms.emplace_back("batch_size", to_text(options_.batch_size));
  if (options_.window > 0) terms.emplace_back("window", to_text(options_.window));
  terms.emplace_back("shuffle", setting_text(options_.shuffle));
  terms.emplace_back("similar_lengths", setting_text(options_.similar_lengths));
  terms.emplace_back("seed", to_text(options_.seed));
  terms.emplace_back("training data", data_text(batches_.data()));
  terms.emplace_back("validation data", data_text(validation_.data()));
  std::string memories;
  for (const auto& callback : callbacks_) {
    if (callback.memory) memories += (memories.empty() ? "" : ", ") + callback.memory->name;
  }
  terms.emplace_back("callbacks with a memory", memories.empty() ? "none" : memories);
  return terms_ = std::move(terms);
}

/// Whether the last batch has a finite loss with the weights after its update.
template <class Scalar>
bool FitLoop<Scalar>::gives_finite_loss() {
  if (!trainer_.weights_are_finite()) return false;
  const Objective<Scalar>& objective = trainer_.objective();
  bool is_good = true;
  validation_shards_.reset_states();
  for_each_window(batches_, state_.step - 1, options_.window, [&](const Batch<Scalar>& batch) {
    validation_shards_.forward(objective.graph(), model_.weights(), batch.inputs, {});
    validation_loss_.take(objective, validation_shards_, batch);
    is_good = is_good && is_finite(validation_loss_.value(objective));
  });
  return is_good;
}

template <class Scalar>
std::optional<TrainingSnapshot<Scalar>> FitLoop<Scalar>::snapshot() {
  check<OptionError>(epoch_is_begun_,
                     "snapshot() can only be called in on_batch_end and on_epoch_end");
  if (!gives_finite_loss()) return std::nullopt;
  TrainingSnapshot<Scalar> made{.terms = terms(),
                                .before = before_,
                                .epoch = state_.epoch - 1,
                                .step = state_.step,
                                .stop = state_.stop,
                                .learning_rate = state_.learning_rate,
                                .weights = Arena<Scalar>(model_.weights()),
                                .optimizer = trainer_.state(),
                                .states = model_.graph().carries_states()
                                              ? trainer_.states(options_.batch_size)
                                              : Arena<Scalar>(Shape{0}),
                                .history = history_,
                                .logs = state_.logs,
                                .samples = samples_done(state_.step),
                                .sums = means_.sums(),
                                .callbacks = {}};
  if (epoch_is_done_) {
    made.epoch = state_.epoch;
    made.step = 0;
    if (static_cast<Index>(made.history.epochs()) < made.epoch) made.history.append(state_.logs);
  }
  for (const auto& callback : callbacks_) {
    if (callback.memory) made.callbacks.push_back(*callback.memory);
  }
  return made;
}

template <class Scalar>
void FitLoop<Scalar>::check_fits(const TrainingSnapshot<Scalar>& made, const std::string& where) {
  check_terms(made.terms, terms(), where);
  check<OptionError>(made.epoch <= state_.epochs - (made.step > 0 ? 1 : 0), "resume_from: ", where,
                     " was made after ", made.epoch, " epochs and ", made.step,
                     " steps; this training has only ", state_.epochs, " epochs");
  const std::string damage = join("resume_from: ", where, " is damaged: ");
  const auto expect = [&](std::int64_t expected, std::int64_t came, std::string_view what) {
    check<OptionError>(expected == came, damage, "expected ", expected, " ", what, ", got ", came);
  };
  const Index size = model_.count_params();
  const auto fresh = options_.optimizer.make_state(model_.graph().layout());
  expect(size, made.weights.size(), "weights");
  expect(std::ssize(fresh.moments), std::ssize(made.optimizer.moments), "moments of the optimizer");
  for (const auto& moment : made.optimizer.moments)
    expect(size, moment.size(), "numbers in a moment");
  expect(std::ssize(means_.sums()), std::ssize(made.sums), "sums over an epoch");
  expect(made.epoch, static_cast<Index>(made.history.epochs()), "epochs in the history");
  check<OptionError>(0 <= made.step && made.step <= state_.steps, damage, "expected a step up to ",
                     state_.steps, ", got ", made.step);
  if (made.step > 0) {
    expect(samples_done(made.step), made.samples, "samples so far");
  }
  const std::int64_t batches = std::int64_t{made.epoch} * state_.steps + made.step;
  if (options_.window == 0) {
    expect(batches, made.optimizer.steps, "updates");
  } else {
    check<OptionError>(made.optimizer.steps >= batches, damage, "expected ", batches,
                       " updates or more, got ", made.optimizer.steps);
  }
  const bool carries = model_.graph().carries_states();
  expect(carries ? trainer_.states(options_.batch_size).size() : 0, made.states.size(),
         "numbers of states");
  check_learning_rate(made.learning_rate);
  std::size_t next = 0;
  for (const auto& callback : callbacks_) {
    if (!callback.memory) continue;
    check<OptionError>(
        next < made.callbacks.size() && made.callbacks[next].name == callback.memory->name, damage,
        "the memory of ", callback.memory->name, " is not where it should be");
    const Index remembered = made.callbacks[next++].weights.size();
    if (remembered > 0) expect(size, remembered, "weights in the memory of a callback");
  }
}

}  // namespace detail

template <class Scalar>
std::optional<TrainingSnapshot<Scalar>> TrainingState<Scalar>::snapshot() const {
  check<OptionError>(fit != nullptr, "snapshot() needs a training that fit runs");
  return fit->snapshot();
}

}  // namespace heed
