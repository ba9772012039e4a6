#pragma once

#include <heed/train/losses.hpp>

namespace heed {

namespace detail {

/// Throws `DataError` unless all targets are whole numbers in [0, classes).
template <class S>
void check_labels(std::string_view name, View<const S> y, Index classes) {
  const S* const end = y.data() + y.size();
  const S* const wrong = std::find_if(y.data(), end, [classes](S label) {
    return !(label >= 0 && label < static_cast<S>(classes) && label == std::floor(label));
  });
  if (wrong == end) return;
  throw DataError(join(name, ": expected class numbers from 0 to ", classes - 1, ", y has ",
                       static_cast<double>(*wrong), " at ",
                       position_text(y.shape(), wrong - y.data())));
}

}  // namespace detail

// Targets here are class numbers, one for each row of C predictions: y: (N, …) or (N, …, 1) for
// p: (N, …, C).

/// `L = −mean log p_y`, the cross-entropy of targets that are class numbers.
///
/// Probabilities are clipped to [1e-7, 1 − 1e-7], with a gradient of 0 outside, and then divided by
/// their sum over the classes: Keras takes the logarithms of the clipped ones as logits. With
/// `from_logits`, p = softmax(z), and the loss is computed from z. A network that ends in a softmax
/// is trained from its logits with either setting. Keras: without `ignore_class`.
struct SparseCategoricalCrossentropy {
  bool from_logits = false;

  static constexpr std::string_view name = "sparse_categorical_crossentropy";
  static constexpr auto fields() {
    return std::tuple{field("from_logits", &SparseCategoricalCrossentropy::from_logits)};
  }
  static constexpr ActivationFunction canonical_activation = ActivationFunction::softmax;
  static constexpr bool takes_class_numbers = true;

  template <class S>
  void check_targets(View<const S> y, Index classes) const {
    detail::check_labels(name, y, classes);
  }

  void check_output(const NetworkOutput& output) const {
    detail::check_classes(
        output, name,
        "Dense{.units = 1, .activation = Activation::sigmoid} and BinaryCrossentropy{}");
    detail::check_function(output, name, "SparseCategoricalCrossentropy", canonical_activation,
                           from_logits, true);
  }

  template <class S>
  double evaluate(View<const S> y, View<const S> p, View<S> dp) const {
    const auto predictions = p.matrix();
    const Index rows = predictions.rows();
    const S share = S{1} / static_cast<S>(rows);
    detail::check_labels(name, y, predictions.cols());
    double sum = 0;
    for (Index n = 0; n < rows; ++n) {
      const auto label = static_cast<Index>(y.data()[n]);
      const auto given = predictions.row(n).array();
      if (from_logits) {
        const S shift = given.maxCoeff();
        const S log_sum = Eigen::numext::log((given - shift).exp().sum());
        sum -= static_cast<double>(given[label] - shift - log_sum);
        if (!dp) continue;
        // ∂/∂zⱼ −log p_y = pⱼ − δⱼ
        auto row = dp.matrix().row(n).array();
        row = share * (given - shift - log_sum).exp();
        row[label] -= share;
      } else {
        constexpr auto low = static_cast<S>(detail::probability_margin);
        constexpr auto high = static_cast<S>(1 - detail::probability_margin);
        const auto q = given.unaryExpr(&detail::clip_probability<S>);
        const S total = q.sum();
        sum -= static_cast<double>(Eigen::numext::log(q[label] / total));
        if (!dp) continue;
        // ∂/∂qⱼ −log(q_y / Σ q) = 1 / Σ q − δⱼ / q_y
        auto row = dp.matrix().row(n).array();
        row = (share / total) * (given >= low && given <= high).template cast<S>();
        if (row[label] != 0) row[label] -= share / q[label];
      }
    }
    return sum / static_cast<double>(rows);
  }
};

/// The fraction of rows whose largest prediction, the first of equal ones, is that of the class.
struct SparseCategoricalAccuracy {
  static constexpr std::string_view name = "sparse_categorical_accuracy";
  static constexpr bool takes_class_numbers = true;

  void check_output(const NetworkOutput& output) const {
    detail::check_classes(output, name, "BinaryAccuracy{}");
  }

  template <class S>
  double evaluate(View<const S> y, View<const S> p) const {
    const auto predictions = p.matrix();
    Index right = 0;
    for (Index n = 0; n < predictions.rows(); ++n) {
      const S* const row = predictions.data() + n * predictions.cols();
      const Index largest = std::max_element(row, row + predictions.cols()) - row;
      right += static_cast<S>(largest) == y.data()[n] ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(predictions.rows());
  }
};

/// The fraction of rows in which fewer than k predictions are larger than that of the class. Rows
/// with a prediction that is not finite are not among them.
struct SparseTopKCategoricalAccuracy {
  Index k = 5;

  static constexpr std::string_view name = "sparse_top_k_categorical_accuracy";
  static constexpr auto fields() {
    return std::tuple{field("k", &SparseTopKCategoricalAccuracy::k)};
  }
  static constexpr bool takes_class_numbers = true;

  void check_output(const NetworkOutput& output) const {
    check<OptionError>(k > 0, name, ": expected a k of at least 1, got ", k);
    detail::check_classes(output, name, "BinaryAccuracy{}");
  }

  template <class S>
  double evaluate(View<const S> y, View<const S> p) const {
    const auto predictions = p.matrix();
    Index right = 0;
    for (Index n = 0; n < predictions.rows(); ++n) {
      const S label = y.data()[n];
      const auto row = predictions.row(n).array();
      if (!(S{0} <= label && label < static_cast<S>(row.size())) || !row.isFinite().all()) continue;
      right += (row > row[static_cast<Index>(label)]).count() < k ? 1 : 0;
    }
    return static_cast<double>(right) / static_cast<double>(predictions.rows());
  }
};

}  // namespace heed
