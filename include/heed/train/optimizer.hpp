#pragma once

#include <functional>

#include <heed/train/adagrad.hpp>
#include <heed/train/adam_variants.hpp>
#include <heed/train/by_name.hpp>

namespace heed {

/// The requirements on `.optimizer`: a struct with a `static constexpr std::string_view name`, a
/// field `double learning_rate`, and
/// `void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const`, which uses the
/// learning rate of the state.
///
/// These members are optional. `std::size_t moments() const` is the number of arenas in the state,
/// which begin with zeros. `void validate() const` throws if a field is outside its range. The
/// three fields of `Clipping` make it clip gradients, and a field `weight_decay` λ makes it shrink
/// weights before each update: `w ← w − λ η w`. `static constexpr auto fields()` lists the
/// fields as in a layer, so that a training is not resumed with other values.
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

/// Moves the statistics of layers, and sets their gradients to zero for the optimizer, which leaves
/// such weights unchanged. See `Weight::momentum`.
template <class S>
void update_statistics(const Layout& layout, View<S> w, View<S> dw) {
  for (const Slot& slot : layout.all_slots()) {
    if (!slot.momentum) continue;
    const auto change = slot_view(dw.data(), slot);
    slot_view(w.data(), slot).array() += static_cast<S>(1 - *slot.momentum) * change.array();
    change.set_zero();
  }
}

/// Multiplies all weights that train.
template <class S>
void decay(const Layout& layout, S factor, View<S> w) {
  for (const Slot& slot : layout.all_slots()) {
    if (slot.trains) slot_view(w.data(), slot).array() *= factor;
  }
}

}  // namespace detail

/// Any optimizer, for one scalar type. Converts implicitly from an optimizer struct, or from a name
/// that Keras knows. Throws `OptionError` for hyperparameters outside their range.
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
    if constexpr (requires { optimizer.weight_decay; }) weight_decay_ = optimizer.weight_decay;
    check<OptionError>(is_finite(weight_decay_) && weight_decay_ >= 0, name_,
                       ": expected a weight_decay of at least 0, got ", weight_decay_);
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

  /// An optimizer with default fields, by its name: `.optimizer = "adam"`. Throws `OptionError`
  /// with the known names.
  template <detail::Text Name>
  Optimizer(const Name& name) : Optimizer(named(name)) {}  // NOLINT(google-explicit-constructor)

  /// Gives a type that is not an optimizer a readable error message.
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
  double weight_decay() const { return weight_decay_; }

  /// The fields that the optimizer lists.
  const Config& config() const { return config_; }

  /// The state at the beginning of a training, for a model with this layout.
  OptimizerState<Scalar> make_state(const Layout& layout) const {
    return {learning_rate_, 0,
            std::vector<Arena<Scalar>>(moments_, Arena<Scalar>(Shape{layout.size()}))};
  }

  /// Throws `OptionError` for a state that training a model with this layout cannot produce.
  void check_state(const Layout& layout, const OptimizerState<Scalar>& state) const {
    detail::check_learning_rate(state.learning_rate);
    check<OptionError>(0 <= state.steps && state.steps < (std::numeric_limits<std::int64_t>::max)(),
                       name_, ": expected a number of updates that can be counted on from, got ",
                       state.steps);
    const bool fits = state.moments.size() == moments_ &&
                      std::all_of(state.moments.begin(), state.moments.end(),
                                  [&](const auto& m) { return m.size() == layout.size(); });
    // Without check(), whose arguments would be evaluated in every step.
    if (!fits) {
      throw OptionError(join(name_, ": expected a state of ", moments_, " moments with ",
                             layout.size(), " numbers each"));
    }
  }

  /// One update: of the statistics, and then, after clipping the gradients dw in place, of the
  /// other weights w.
  void update(const Layout& layout, View<Scalar> w, View<Scalar> dw,
              OptimizerState<Scalar>& state) const {
    check_state(layout, state);
    ++state.steps;
    detail::update_statistics(layout, w, dw);
    clip(clipping_, layout, dw);
    if (weight_decay_ > 0) {
      detail::decay(layout, static_cast<Scalar>(1 - weight_decay_ * state.learning_rate), w);
    }
    update_(w, dw, state);
  }

 private:
  /// As in Keras, the names of optimizers are not case-sensitive.
  static Optimizer named(std::string_view name) {
    std::string lower(name);
    for (char& c : lower) c = 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return detail::make_by_name<Optimizer>("optimizer", lower,
                                           {{{"adam"}, [] { return Optimizer(Adam{}); }},
                                            {{"sgd"}, [] { return Optimizer(SGD{}); }},
                                            {{"rmsprop"}, [] { return Optimizer(RMSprop{}); }},
                                            {{"adamw"}, [] { return Optimizer(AdamW{}); }},
                                            {{"adamax"}, [] { return Optimizer(Adamax{}); }},
                                            {{"nadam"}, [] { return Optimizer(Nadam{}); }},
                                            {{"lion"}, [] { return Optimizer(Lion{}); }},
                                            {{"adagrad"}, [] { return Optimizer(Adagrad{}); }},
                                            {{"adadelta"}, [] { return Optimizer(Adadelta{}); }}});
  }

  std::string name_;
  double learning_rate_ = 0;
  std::size_t moments_ = 0;
  Clipping clipping_;
  double weight_decay_ = 0;
  Config config_;
  std::function<void(View<Scalar>, View<const Scalar>, OptimizerState<Scalar>&)> update_;
};

}  // namespace heed
