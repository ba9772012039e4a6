#pragma once

#include <heed/train/loss.hpp>

namespace heed {

/// The fraction of predictions on the same side of `threshold` as the target:
/// `(p > threshold) == y`.
struct BinaryAccuracy {
  double threshold = 0.5;

  static constexpr std::string_view name = "binary_accuracy";
  static constexpr auto fields() {
    return std::tuple{field("threshold", &BinaryAccuracy::threshold)};
  }

  template <class S>
  double evaluate(View<const S> y, View<const S> p) const {
    Index right = 0;
    for (Index i = 0; i < p.size(); ++i) {
      const S positive = p.data()[i] > static_cast<S>(threshold) ? 1 : 0;
      right += positive == y.data()[i] ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(p.size());
  }
};

/// The fraction of rows along the last axis in which the largest prediction and the largest target
/// have the same index. Of equal values the first counts.
struct CategoricalAccuracy {
  static constexpr std::string_view name = "categorical_accuracy";

  void check_output(const NetworkOutput& output) const {
    detail::check_classes(output, name, "BinaryAccuracy{}");
  }

  template <class S>
  double evaluate(View<const S> y, View<const S> p) const {
    const auto targets = y.matrix();
    const auto predictions = p.matrix();
    Index right = 0;
    for (Index n = 0; n < predictions.rows(); ++n) {
      const auto row = [&](const auto& m) { return m.data() + n * m.cols(); };
      const auto argmax = [&](const auto& m) {
        return std::max_element(row(m), row(m) + m.cols()) - row(m);
      };
      right += argmax(targets) == argmax(predictions) ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(predictions.rows());
  }
};

/// Keras's "accuracy": BinaryAccuracy for one number, CategoricalAccuracy for several, and
/// SparseCategoricalAccuracy if the targets are class numbers.
struct Accuracy {
  static constexpr std::string_view name = "accuracy";
  static constexpr bool may_take_class_numbers = true;

  template <class S>
  double evaluate(View<const S> y, View<const S> p) const {
    if (p.shape().back() == 1) return BinaryAccuracy{}.evaluate(y, p);
    return y.shape().back() == 1 ? SparseCategoricalAccuracy{}.evaluate(y, p)
                                 : CategoricalAccuracy{}.evaluate(y, p);
  }
};

/// The requirements on `.metrics`: a struct with a `static constexpr std::string_view name` and
/// `double evaluate(View<const S> y, View<const S> p) const`, which returns the mean over a batch.
/// Optional members are `void check_output(const NetworkOutput&) const`, which throws if the
/// network does not fit the metric, and `fields()` and `takes_class_numbers`, as in a loss. Every
/// loss is also a metric.
template <class M, class S>
concept MetricFunction = requires(const M& metric, View<const S> y) {
  { M::name } -> std::convertible_to<std::string_view>;
  { metric.evaluate(y, y) } -> std::convertible_to<double>;
};

/// Any metric, for one scalar type. Converts implicitly from a metric struct, or from a name that
/// Keras knows.
template <class Scalar>
class Metric {
 public:
  template <class M>
  Metric(M metric)  // NOLINT(google-explicit-constructor): `.metrics = {BinaryAccuracy{}}`
      requires(MetricFunction<M, Scalar> || LossFunction<M, Scalar>)
      : name_(M::name), takes_class_numbers_(detail::has_class_numbers<M>) {
    if constexpr (requires { M::may_take_class_numbers; }) {
      may_take_class_numbers_ = M::may_take_class_numbers;
    }
    if constexpr (requires { M::fields(); }) config_ = get_config(metric);
    evaluate_ = [metric](View<const Scalar> y, View<const Scalar> p) -> double {
      if constexpr (MetricFunction<M, Scalar>) {
        return metric.evaluate(y, p);
      } else {
        return metric.evaluate(y, p, View<Scalar>{});
      }
    };
    if constexpr (MetricFunction<M, Scalar> &&
                  requires(const NetworkOutput& output) { metric.check_output(output); }) {
      check_output_ = [metric](const NetworkOutput& output) { metric.check_output(output); };
    }
  }

  /// A metric with default fields, by its name, which is also its name in logs:
  /// `.metrics = {"accuracy", "mae"}`. Throws `OptionError` with the known names.
  template <detail::Text Name>
  Metric(const Name& name) : Metric(named(name)) {  // NOLINT(google-explicit-constructor)
    name_ = std::string_view(name);
  }

  /// Gives a type that is not a metric a readable error message.
  template <class M>
  Metric(const M&)  // NOLINT(google-explicit-constructor)
      requires(!MetricFunction<M, Scalar> && !LossFunction<M, Scalar> && !detail::Text<M>) {
    static_assert(detail::never<M>,
                  ".metrics takes metrics such as BinaryAccuracy{}, names such as \"accuracy\", or "
                  "structs of your own with a name and evaluate(): see MetricFunction");
  }

  const std::string& name() const { return name_; }

  /// The fields that the metric lists.
  const Config& config() const { return config_; }

  /// Throws `OptionError` for a network that does not fit the metric.
  void check_output(const NetworkOutput& output) const {
    if (check_output_) check_output_(output);
  }

  /// The mean over a batch of predictions p: (N, …). Throws `ShapeError` unless y has p's shape,
  /// or is one class number for each of its rows if the metric takes these. y may lack a last axis
  /// of 1, or have one more.
  double operator()(View<const Scalar> y, View<const Scalar> p) const {
    Shape expected = p.shape();
    const Shape numbers = expected.empty() ? expected : expected.with_last(1);
    const bool fits_numbers = may_take_class_numbers_ && detail::fit_targets(y, numbers);
    if (takes_class_numbers_ || fits_numbers) expected = numbers;
    return evaluate_(detail::match_targets(name_, y, expected), p);
  }

 private:
  static Metric named(std::string_view name) {
    return detail::make_by_name<Metric>(
        "metric", name,
        {{{"accuracy", "acc", "Accuracy"}, [] { return Metric(Accuracy{}); }},
         {{"binary_accuracy", "BinaryAccuracy"}, [] { return Metric(BinaryAccuracy{}); }},
         {{"categorical_accuracy", "CategoricalAccuracy"},
          [] { return Metric(CategoricalAccuracy{}); }},
         {{"sparse_categorical_accuracy", "SparseCategoricalAccuracy"},
          [] { return Metric(SparseCategoricalAccuracy{}); }},
         {{"sparse_top_k_categorical_accuracy", "SparseTopKCategoricalAccuracy"},
          [] { return Metric(SparseTopKCategoricalAccuracy{}); }},
         {{"sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"},
          [] { return Metric(SparseCategoricalCrossentropy{}); }},
         {{"binary_crossentropy", "BinaryCrossentropy", "bce", "BCE"},
          [] { return Metric(BinaryCrossentropy{}); }},
         {{"categorical_crossentropy", "CategoricalCrossentropy"},
          [] { return Metric(CategoricalCrossentropy{}); }},
         {{"mean_squared_error", "MeanSquaredError", "mse", "MSE"},
          [] { return Metric(MeanSquaredError{}); }},
         {{"mean_absolute_error", "MeanAbsoluteError", "mae", "MAE"},
          [] { return Metric(MeanAbsoluteError{}); }}});
  }

  std::string name_;
  Config config_;
  std::function<double(View<const Scalar>, View<const Scalar>)> evaluate_;
  std::function<void(const NetworkOutput&)> check_output_;
  bool takes_class_numbers_, may_take_class_numbers_ = false;
};

/// The value of `.metrics`: a list for the only output of a model, `{Accuracy{}, "mae"}`, or lists
/// by output names, `{{"price", {"mae"}}, {"sold", {"accuracy"}}}`. Outputs can be left out.
template <class Scalar>
class Metrics {
 public:
  /// The metrics of the output with this name.
  struct Named {
    std::string output;
    std::vector<Metric<Scalar>> metrics;
  };

  Metrics() = default;
  /// The metrics of the only output.
  Metrics(std::initializer_list<Metric<Scalar>> list) : Metrics(std::vector(list)) {}
  /// The metrics of the only output.
  Metrics(std::vector<Metric<Scalar>> list)  // NOLINT(google-explicit-constructor)
      : metrics_(std::move(list)) {}
  /// The metrics of several outputs by name.
  Metrics(std::initializer_list<Named> lists) : by_name_(lists) {}

  /// Copies all metrics.
  Metrics(const Metrics&) = default;
  /// Moves all metrics.
  Metrics(Metrics&&) noexcept = default;
  /// Takes its argument by value, because clang finds `metrics = {}` ambiguous for two operators.
  Metrics& operator=(Metrics other) noexcept {
    metrics_.swap(other.metrics_);
    by_name_.swap(other.by_name_);
    return *this;
  }

  bool empty() const { return metrics_.empty() && by_name_.empty(); }

  /// One list for each of the outputs with these names. Throws `OptionError` for other names, and
  /// for a list without names if there are several outputs.
  std::vector<std::vector<Metric<Scalar>>> by_output(const std::vector<std::string>& names) const {
    std::vector<std::vector<Metric<Scalar>>> lists(names.size());
    check<OptionError>(metrics_.empty() || names.size() == 1,
                       "expected metrics by the names of the outputs, such as {{\"",
                       names.empty() ? "" : names[0], "\", {\"",
                       metrics_.empty() ? "" : metrics_[0].name(),
                       "\"}}}: the model has the outputs ", detail::quoted(names));
    if (!metrics_.empty()) lists[0] = metrics_;
    for (const Named& entry : by_name_) {
      const auto place = std::find(names.begin(), names.end(), entry.output);
      check<OptionError>(place != names.end(), "metrics: there is no \"", entry.output,
                         "\" among the outputs ", detail::quoted(names));
      auto& list = lists[static_cast<std::size_t>(place - names.begin())];
      list.insert(list.end(), entry.metrics.begin(), entry.metrics.end());
    }
    return lists;
  }

 private:
  std::vector<Metric<Scalar>> metrics_;
  std::vector<Named> by_name_;
};

}  // namespace heed
