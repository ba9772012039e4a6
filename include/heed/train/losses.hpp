#pragma once

#include <cmath>
#include <string_view>

#include <heed/layers/config.hpp>
#include <heed/math/activation.hpp>
#include <heed/math/finite.hpp>
#include <heed/train/blocks.hpp>
#include <heed/train/position.hpp>

namespace heed {

// Each loss is the loss of the same name in Keras. `evaluate` takes targets y and predictions p of
// one shape, (N, …, C), returns the mean loss, and writes ∂L/∂p to `dp` unless that view is false.

/// The properties of the network that a loss can check in `check_output`.
struct NetworkOutput {
  std::string layer;                           ///< the last layer: `Dense "output"`
  std::optional<ActivationFunction> function;  ///< the last function, if it is known
  Shape shape;                                 ///< of the output for one sample
};

namespace detail {

/// Keras's `epsilon()`: the smallest distance of probabilities from 0 and 1.
inline constexpr double probability_margin = 1e-7;

/// p clipped to [margin, 1 − margin]; NaN stays NaN.
template <class S>
S clip_probability(S p) {
  constexpr auto low = static_cast<S>(probability_margin);
  constexpr auto high = static_cast<S>(1 - probability_margin);
  return p < low ? low : p > high ? high : p;
}

inline void check_label_smoothing(std::string_view loss, double smoothing) {
  check<OptionError>(is_finite(smoothing) && 0 <= smoothing && smoothing <= 1, loss,
                     ": expected label_smoothing in [0, 1], got ", smoothing);
}

/// Throws `DataError` unless all targets are in [0, 1]. `advice` is the end of the message.
template <class S>
void check_shares(std::string_view loss, View<const S> y, std::string_view advice) {
  const S* const end = y.data() + y.size();
  const S* const wrong = std::find_if(y.data(), end, [](S t) { return t < 0 || t > 1; });
  if (wrong == end) return;
  throw DataError(join(loss, ": expected targets in [0, 1], y has ", static_cast<double>(*wrong),
                       " at ", position_text(y.shape(), wrong - y.data()), advice));
}

/// Throws `OptionError` if the function that ends the network is known not to give what the loss
/// expects: if it gives values below 0 for a loss of probabilities, values above 1 for a loss that
/// does not normalise them, or probabilities for a loss of logits. The loss's canonical function
/// always fits, because it is removed.
inline void check_function(const NetworkOutput& output, std::string_view loss,
                           std::string_view type, ActivationFunction canonical, bool from_logits,
                           bool is_normalized) {
  using enum ActivationFunction;
  if (!output.function || output.function == canonical) return;
  const ActivationFunction given = *output.function;
  const bool in_range = given == sigmoid || given == softmax || given == hard_sigmoid ||
                        given == hard_sigmoid_keras_2 || given == sparse_sigmoid;
  const bool positive = given == relu || given == softplus || given == exponential ||
                        given == relu6 || given == sparse_plus || given == squareplus;
  check<OptionError>(!from_logits || !in_range, loss, ": expected logits, and ", output.layer,
                     " ends in ", given,
                     ", which gives probabilities; leave out .from_logits, or the "
                     "function");
  check<OptionError>(from_logits || in_range || (positive && is_normalized), loss,
                     ": expected probabilities, and ", output.layer, " ends in ", given,
                     "; write .activation = Activation::", canonical, " there, or .loss = ", type,
                     "{.from_logits = true} if logits are meant");
}

inline void check_classes(const NetworkOutput& output, std::string_view name,
                          std::string_view advice) {
  check<OptionError>(!output.shape.empty() && output.shape.back() > 1, name,
                     ": expected two classes or more along the last axis, and ", output.layer,
                     " gives ", output.shape, "; for one of two classes write ", advice);
}

}  // namespace detail

/// `L = −mean(y log p + (1 − y) log(1 − p))` with targets in [0, 1].
///
/// Probabilities are clipped to [1e-7, 1 − 1e-7], with a gradient of 0 outside. With `from_logits`,
/// p = sigmoid(z), and the loss is computed from z without overflow. A network that ends in a
/// sigmoid is trained from its logits with either setting.
struct BinaryCrossentropy {
  bool from_logits = false;
  double label_smoothing = 0;  ///< y becomes y (1 − s) + s / 2

  static constexpr std::string_view name = "binary_crossentropy";
  static constexpr auto fields() {
    return std::tuple{field("from_logits", &BinaryCrossentropy::from_logits),
                      field("label_smoothing", &BinaryCrossentropy::label_smoothing)};
  }
  static constexpr ActivationFunction canonical_activation = ActivationFunction::sigmoid;

  void validate() const { detail::check_label_smoothing(name, label_smoothing); }

  template <class S>
  void check_targets(View<const S> y) const {
    detail::check_shares(name, y, "");
  }

  void check_output(const NetworkOutput& output) const {
    detail::check_function(output, name, "BinaryCrossentropy", canonical_activation, from_logits,
                           false);
  }

  template <class S>
  double evaluate(View<const S> y, View<const S> p, View<S> dp) const {
    using Eigen::numext::abs, Eigen::numext::exp, Eigen::numext::log, Eigen::numext::log1p;
    const auto smoothing = static_cast<S>(label_smoothing);
    const S share = S{1} / static_cast<S>(p.size());
    double sum = 0;
    for (Index i = 0; i < p.size(); ++i) {
      const S t = y.data()[i] * (1 - smoothing) + smoothing / 2;
      if (from_logits) {
        const S z = p.data()[i];
        const S e = exp(-abs(z));
        // −t log σ(z) − (1 − t) log(1 − σ(z)) = max(z, 0) − z t + log(1 + exp(−|z|))
        sum += static_cast<double>((z > S{0} ? z : S{0}) - z * t + log1p(e));
        if (dp) dp.data()[i] = share * ((z > S{0} ? S{1} : e) / (S{1} + e) - t);
      } else {
        const S q = detail::clip_probability(p.data()[i]);
        sum -= static_cast<double>(t * log(q) + (1 - t) * log(1 - q));
        // −t / q + (1 − t) / (1 − q) = (q − t) / (q (1 − q))
        if (dp) dp.data()[i] = q == p.data()[i] ? share * (q - t) / (q * (1 - q)) : S{0};
      }
    }
    return sum / static_cast<double>(p.size());
  }
};

/// `L = −mean over all but the last axis of Σₖ yₖ log pₖ`, with one target for each of C classes.
///
/// Probabilities are divided by their sum over the classes, then clipped to [1e-7, 1 − 1e-7], with
/// a gradient of 0 outside. With `from_logits`, p = softmax(z), and the loss is computed from z. A
/// network that ends in a softmax is trained from its logits with either setting.
///
/// Targets are in [0, 1]. The gradient of the logits is `softmax(z) Σₖ yₖ − y` for any sum of the
/// targets. TensorFlow leaves out the factor Σₖ yₖ, which is 1 for targets that are probabilities.
struct CategoricalCrossentropy {
  bool from_logits = false;
  double label_smoothing = 0;  ///< y becomes y (1 − s) + s / C

  static constexpr std::string_view name = "categorical_crossentropy";
  static constexpr auto fields() {
    return std::tuple{field("from_logits", &CategoricalCrossentropy::from_logits),
                      field("label_smoothing", &CategoricalCrossentropy::label_smoothing)};
  }
  static constexpr ActivationFunction canonical_activation = ActivationFunction::softmax;

  void validate() const { detail::check_label_smoothing(name, label_smoothing); }

  template <class S>
  void check_targets(View<const S> y) const {
    detail::check_shares(name, y, "; one_hot makes rows of class numbers");
  }

  void check_output(const NetworkOutput& output) const {
    detail::check_classes(
        output, name,
        "Dense{.units = 1, .activation = Activation::sigmoid} and BinaryCrossentropy{}");
    detail::check_function(output, name, "CategoricalCrossentropy", canonical_activation,
                           from_logits, true);
  }

  template <class S>
  double evaluate(View<const S> y, View<const S> p, View<S> dp) const {
    const auto smoothing = static_cast<S>(label_smoothing);
    const Index rows = p.matrix().rows();
    const auto classes = static_cast<S>(p.matrix().cols());
    const S share = S{1} / static_cast<S>(rows);
    double sum = 0;
    for (Index n = 0; n < rows; ++n) {
      const auto targets = y.matrix();
      const auto predictions = p.matrix();
      const auto t = targets.row(n).array() * (1 - smoothing) + smoothing / classes;
      const auto given = predictions.row(n).array();
      if (from_logits) {
        const S shift = given.maxCoeff();
        const S log_sum = Eigen::numext::log((given - shift).exp().sum());
        const auto log_p = given - shift - log_sum;
        sum -= static_cast<double>((t * log_p).sum());
        // ∂/∂zⱼ −Σₖ tₖ log pₖ = pⱼ Σₖ tₖ − tⱼ
        if (dp) dp.matrix().row(n).array() = share * (log_p.exp() * t.sum() - t);
      } else {
        constexpr auto low = static_cast<S>(detail::probability_margin);
        constexpr auto high = static_cast<S>(1 - detail::probability_margin);
        const S total = given.sum();
        const auto q = given / total;
        sum -= static_cast<double>((t * q.unaryExpr(&detail::clip_probability<S>).log()).sum());
        if (dp) {
          // q = p / Σ p:  dpⱼ = (dqⱼ − Σₖ dqₖ qₖ) / Σ p, where dqₖ = −tₖ / qₖ
          const auto dq = (q >= low && q <= high).select(-t / q, S{0});
          const S inner = (dq * q).sum();
          dp.matrix().row(n).array() = share * (dq - inner) / total;
        }
      }
    }
    return sum / static_cast<double>(rows);
  }
};

/// `L = mean((p − y)²)`
struct MeanSquaredError {
  static constexpr std::string_view name = "mean_squared_error";

  template <class S>
  double evaluate(View<const S> y, View<const S> p, View<S> dp) const {
    const S share = S{2} / static_cast<S>(p.size());
    double sum = 0;
    detail::for_each_block(p.size(), [&](Index first, Index count) {
      const auto e = p.array().segment(first, count) - y.array().segment(first, count);
      sum += static_cast<double>(e.square().sum());
      if (dp) dp.array().segment(first, count) = share * e;
    });
    return sum / static_cast<double>(p.size());
  }
};

/// `L = mean(|p − y|)`; the gradient where p = y is 0.
struct MeanAbsoluteError {
  static constexpr std::string_view name = "mean_absolute_error";

  template <class S>
  double evaluate(View<const S> y, View<const S> p, View<S> dp) const {
    const S share = S{1} / static_cast<S>(p.size());
    double sum = 0;
    detail::for_each_block(p.size(), [&](Index first, Index count) {
      const auto e = p.array().segment(first, count) - y.array().segment(first, count);
      sum += static_cast<double>(e.abs().sum());
      if (dp) dp.array().segment(first, count) = share * e.sign();
    });
    return sum / static_cast<double>(p.size());
  }
};

}  // namespace heed
