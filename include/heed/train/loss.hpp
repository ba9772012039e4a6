#pragma once

#include <concepts>
#include <functional>
#include <string>

#include <heed/train/by_name.hpp>
#include <heed/train/losses.hpp>
#include <heed/train/sparse_categorical.hpp>

namespace heed {

/// The requirements on `.loss`: a struct with a `static constexpr std::string_view name` and
/// `double evaluate(View<const S> y, View<const S> p, View<S> dp) const`, which returns the mean
/// loss of a batch and writes its gradient of `p` to `dp` unless that view is false.
///
/// These members are optional. `void validate() const` throws if a field is outside its range.
/// `void check_targets(View<const S> y) const` throws if the loss is not defined for the targets; a
/// second argument `Index classes` is the number of predictions along the last axis.
/// `static constexpr bool takes_class_numbers = true`: a target is the number of a class.
/// `void check_output(const NetworkOutput&) const` throws if the network does not fit the loss.
/// `static constexpr ActivationFunction canonical_activation`, with a field `bool from_logits`,
/// makes training remove this function from the network and compute the loss from logits.
/// `static constexpr auto fields()` lists the fields as in a layer, so that a training is not
/// resumed with other values.
template <class L, class S>
concept LossFunction = requires(const L& loss, View<const S> y, View<S> dp) {
  { L::name } -> std::convertible_to<std::string_view>;
  { loss.evaluate(y, y, dp) } -> std::convertible_to<double>;
};

namespace detail {

/// y with the shape of the predictions, from which it may differ only by a last axis of 1, missing
/// or added: targets (N) for predictions (N, 1). A false view if y does not fit.
template <class S>
View<const S> fit_targets(View<const S> y, const Shape& expected) {
  if (y.shape() == expected) return y;
  const auto extends = [](const Shape& longer, const Shape& shorter) {
    return longer.rank() == shorter.rank() + 1 && longer.back() == 1 &&
           std::equal(shorter.begin(), shorter.end(), longer.begin());
  };
  const bool fits = extends(expected, y.shape()) || extends(y.shape(), expected);
  return fits ? y.reshaped(expected) : View<const S>{};
}

template <class S>
View<const S> match_targets(std::string_view what, View<const S> y, const Shape& expected) {
  const auto targets = fit_targets(y, expected);
  check<ShapeError>(targets.shape() == expected, what,
                    ": expected targets of the predictions' shape ", expected, ", got ", y.shape());
  return targets;
}

/// Whether the targets of a loss or a metric are class numbers.
template <class L>
inline constexpr bool has_class_numbers = [] {
  if constexpr (requires { L::takes_class_numbers; }) return L::takes_class_numbers;
  return false;
}();

}  // namespace detail

/// Any loss, for one scalar type. Converts implicitly from a loss struct, or from a name that Keras
/// knows.
template <class Scalar>
class Loss {
 public:
  Loss() = default;

  template <LossFunction<Scalar> L>
  Loss(L loss)  // NOLINT(google-explicit-constructor): `.loss = MeanSquaredError{}`
      : name_(L::name), takes_class_numbers_(detail::has_class_numbers<L>) {
    if constexpr (requires { loss.validate(); }) loss.validate();
    if constexpr (requires { L::fields(); }) config_ = get_config(loss);
    evaluate_ = [loss](View<const Scalar> y, View<const Scalar> p, View<Scalar> dp) {
      return static_cast<double>(loss.evaluate(y, p, dp));
    };
    if constexpr (requires(View<const Scalar> y) { loss.check_targets(y, Index{1}); }) {
      check_targets_ = [loss](View<const Scalar> y, Index classes) {
        loss.check_targets(y, classes);
      };
    } else if constexpr (requires(View<const Scalar> y) { loss.check_targets(y); }) {
      check_targets_ = [loss](View<const Scalar> y, Index) { loss.check_targets(y); };
    }
    if constexpr (requires(const NetworkOutput& output) { loss.check_output(output); }) {
      check_output_ = [loss](const NetworkOutput& output) { loss.check_output(output); };
    }
    if constexpr (requires { L::canonical_activation, loss.from_logits; }) {
      canonical_activation_ = L::canonical_activation;
      if (!loss.from_logits) {
        loss.from_logits = true;
        from_logits_ = [loss] { return Loss(loss); };
      }
    }
  }

  /// A loss with default fields, by its name: `.loss = "mse"`. Throws `OptionError` with the known
  /// names.
  template <detail::Text Name>
  Loss(const Name& name) : Loss(named(name)) {}  // NOLINT(google-explicit-constructor)

  /// Gives a type that is not a loss a readable error message.
  template <class L>
  Loss(const L&)  // NOLINT(google-explicit-constructor)
      requires(!LossFunction<L, Scalar> && !detail::Text<L>) {
    static_assert(
        detail::never<L>,
        ".loss takes a loss such as MeanSquaredError{}, a name such as \"mse\", or a struct "
        "of your own with a name and evaluate(): see LossFunction");
  }

  const std::string& name() const { return name_; }

  /// The fields that the loss lists.
  const Config& config() const { return config_; }

  /// Whether it contains a loss.
  explicit operator bool() const { return bool(evaluate_); }

  /// The mean loss of a batch of predictions p: (N, …). Writes its gradient of p to `dp` if given.
  /// Throws `ShapeError` unless y has the shape of `target_shape`, except for a last axis of 1.
  double operator()(View<const Scalar> y, View<const Scalar> p, View<Scalar> dp = {}) const {
    return evaluate_(detail::match_targets(name_, y, target_shape(p.shape())), p, dp);
  }

  /// The shape of the targets for predictions of this shape: the same, or with a last axis of 1 if
  /// they are class numbers.
  Shape target_shape(const Shape& predictions) const {
    return takes_class_numbers_ ? predictions.with_last(1) : predictions;
  }
  bool takes_class_numbers() const { return takes_class_numbers_; }

  /// Throws `DataError` for targets that the loss is not defined for. `classes` is the number of
  /// predictions along the last axis.
  void check_targets(View<const Scalar> y, Index classes) const {
    if (check_targets_) check_targets_(y, classes);
  }

  /// Throws `OptionError` for a network that does not fit the loss.
  void check_output(const NetworkOutput& output) const {
    if (check_output_) check_output_(output);
  }

  /// The activation function that the loss can be combined with, linear if there is none, and the
  /// loss computed from the function's input, the logits.
  ActivationFunction canonical_activation() const { return canonical_activation_; }
  Loss from_logits() const { return from_logits_ ? from_logits_() : *this; }

 private:
  static Loss named(std::string_view name) {
    return detail::make_by_name<Loss>(
        "loss", name,
        {{{"binary_crossentropy", "BinaryCrossentropy", "bce", "BCE"},
          [] { return Loss(BinaryCrossentropy{}); }},
         {{"categorical_crossentropy", "CategoricalCrossentropy"},
          [] { return Loss(CategoricalCrossentropy{}); }},
         {{"sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"},
          [] { return Loss(SparseCategoricalCrossentropy{}); }},
         {{"mean_squared_error", "MeanSquaredError", "mse", "MSE"},
          [] { return Loss(MeanSquaredError{}); }},
         {{"mean_absolute_error", "MeanAbsoluteError", "mae", "MAE"},
          [] { return Loss(MeanAbsoluteError{}); }}});
  }

  std::string name_;
  Config config_;
  std::function<double(View<const Scalar>, View<const Scalar>, View<Scalar>)> evaluate_;
  std::function<void(View<const Scalar>, Index)> check_targets_;
  std::function<void(const NetworkOutput&)> check_output_;
  std::function<Loss()> from_logits_;
  ActivationFunction canonical_activation_ = ActivationFunction::linear;
  bool takes_class_numbers_ = false;
};

}  // namespace heed
