#pragma once

#include <functional>

#include <heed/train/by_name.hpp>
#include <heed/train/optimizers.hpp>

namespace heed {

/// What `.optimizer` accepts: a struct with a `static constexpr std::string_view name`, a field
/// `double learning_rate`, and
/// `void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const`, which reads the rate
/// from the state.
///
/// It may also have `std::size_t moments() const`, the number of arenas in the state, which begin as
/// zeros; `void validate() const`, which throws on a field outside its range; the fields of
/// `Clipping`, all three; and `static constexpr auto fields()`, which lists its fields as a layer's do,
/// so that a training is not resumed with others.
template <class O, class S>
concept OptimizerFunction = requires(const O& optimizer, View<S> w, View<const S> dw,
                                     OptimizerState<S>& state) {
  { O::name } -> std::convertible_to<std::string_view>;
  { optimizer.learning_rate } -> std::convertible_to<double>;
  optimizer.update(w, dw, state);
};

namespace detail {

inline void check_learning_rate(double rate) {
  check<OptionError>(is_finite(rate) && rate >= 0,
                     "expected a learning_rate that is finite and at least 0, got ", rate);
}

}  // namespace detail

/// Any optimizer, for one scalar type; made implicitly from the struct that says it, or from a name that
/// Keras knows. Throws `OptionError` for hyperparameters outside their range.
template <class Scalar>
class Optimizer {
 public:
  template <OptimizerFunction<Scalar> O>
  Optimizer(O optimizer)  // NOLINT(google-explicit-constructor): `.optimizer = Adam{}`
      : name_(O::name), learning_rate_(optimizer.learning_rate) {
    detail::check_learning_rate(learning_rate_);
    if constexpr (requires { optimizer.validate(); }) optimizer.validate();
    if constexpr (requires { optimizer.moments(); }) moments_ = optimizer.moments();
    if constexpr (requires {
                    optimizer.clipnorm + optimizer.clipvalue + optimizer.global_clipnorm;
                  }) {
      clipping_ = {optimizer.clipnorm, optimizer.clipvalue, optimizer.global_clipnorm};
      clipping_.validate(name_);
    }
    if constexpr (requires { O::fields(); }) {
      config_ = get_config(optimizer);
    } else {
      config_ = {{"learning_rate", learning_rate_},
                 {"clipnorm", clipping_.clipnorm},
                 {"clipvalue", clipping_.clipvalue},
                 {"global_clipnorm", clipping_.global_clipnorm}};
    }
    update_ = [optimizer](View<Scalar> w, View<const Scalar> dw, OptimizerState<Scalar>& state) {
      optimizer.update(w, dw, state);
    };
  }

  /// By name, with all defaults: `.optimizer = "adam"`. Throws `OptionError` with the names that are
  /// known.
  template <detail::Text Name>
  Optimizer(const Name& name) : Optimizer(named(name)) {}  // NOLINT(google-explicit-constructor)

  /// What is no optimizer, for a message that says what one is.
  template <class O>
  Optimizer(const O&)  // NOLINT(google-explicit-constructor)
      requires(!OptimizerFunction<O, Scalar> && !detail::Text<O>) {
    static_assert(
        detail::never<O>,
        ".optimizer takes an optimizer such as Adam{}, a name such as \"adam\", or a "
        "struct of your own with a name, learning_rate and update(): see OptimizerFunction");
  }

  const std::string& name() const { return name_; }
  double learning_rate() const { return learning_rate_; }
  const Clipping& clipping() const { return clipping_; }

  /// Its fields, as far as the optimizer lists them.
  const Config& config() const { return config_; }

  /// What to begin training a model of this layout with.
  OptimizerState<Scalar> make_state(const Layout& layout) const {
    return {learning_rate_, 0,
            std::vector<Arena<Scalar>>(moments_, Arena<Scalar>(Shape{layout.size()}))};
  }

  /// Throws `OptionError` for a state that no training of this layout comes to.
  void check_state(const Layout& layout, const OptimizerState<Scalar>& state) const {
    detail::check_learning_rate(state.learning_rate);
    check<OptionError>(0 <= state.steps && state.steps < (std::numeric_limits<std::int64_t>::max)(),
                       name_, ": expected a number of updates that can be counted on from, got ",
                       state.steps);
    const bool fits = state.moments.size() == moments_ &&
                      std::all_of(state.moments.begin(), state.moments.end(),
                                  [&](const auto& m) { return m.size() == layout.size(); });
    // Not by check(): its arguments would be made in every step.
    if (!fits) {
      throw OptionError(join(name_, ": expected a state of ", moments_, " moments with ",
                             layout.size(), " numbers each"));
    }
  }

  /// One step: clips the gradients dw in place, then moves the weights w.
  void update(const Layout& layout, View<Scalar> w, View<Scalar> dw,
              OptimizerState<Scalar>& state) const {
    check_state(layout, state);
    ++state.steps;
    clip(clipping_, layout, dw);
    update_(w, dw, state);
  }

 private:
  /// Keras reads the names of optimizers without their case.
  static Optimizer named(std::string_view name) {
    std::string lower(name);
    for (char& c : lower) c = 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return detail::make_by_name<Optimizer>("optimizer", lower,
                                           {{{"adam"}, [] { return Optimizer(Adam{}); }},
                                            {{"sgd"}, [] { return Optimizer(SGD{}); }},
                                            {{"rmsprop"}, [] { return Optimizer(RMSprop{}); }}});
  }

  std::string name_;
  double learning_rate_ = 0;
  std::size_t moments_ = 0;
  Clipping clipping_;
  Config config_;
  std::function<void(View<Scalar>, View<const Scalar>, OptimizerState<Scalar>&)> update_;
};

}  // namespace heed
