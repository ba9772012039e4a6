#pragma once

#include <heed/train/optimizers.hpp>

namespace heed {

/// Duchi, Hazan, Singer 2011, "Adaptive subgradient methods for online learning and stochastic
/// optimization", with a₀ = `initial_accumulator_value`:
///
///     a ← a + g²
///     w ← w − η g / √(a₀ + a + ε)
struct Adagrad {
  double learning_rate = 1e-3;
  double initial_accumulator_value = 0.1;
  double epsilon = 1e-7;
  double clipnorm = 0;         ///< see `Clipping`
  double clipvalue = 0;        ///< see `Clipping`
  double global_clipnorm = 0;  ///< see `Clipping`
  double weight_decay = 0;     ///< see `Optimizer`

  static constexpr std::string_view name = "adagrad";
  static constexpr auto fields() {
    return std::tuple{field("learning_rate", &Adagrad::learning_rate),
                      field("initial_accumulator_value", &Adagrad::initial_accumulator_value),
                      field("epsilon", &Adagrad::epsilon),
                      field("clipnorm", &Adagrad::clipnorm),
                      field("clipvalue", &Adagrad::clipvalue),
                      field("global_clipnorm", &Adagrad::global_clipnorm),
                      field("weight_decay", &Adagrad::weight_decay)};
  }

  void validate() const {
    detail::check_epsilon(name, epsilon);
    check<OptionError>(is_finite(initial_accumulator_value) && initial_accumulator_value >= 0, name,
                       ": expected an initial_accumulator_value of at least 0, got ",
                       initial_accumulator_value);
  }

  static std::size_t moments() { return 1; }

  template <class S>
  void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const {
    const auto rate = static_cast<S>(state.learning_rate);
    const auto initial = static_cast<S>(initial_accumulator_value + epsilon);
    detail::for_each_block(w.size(), [&](Index first, Index count) {
      const auto g = dw.array().segment(first, count);
      auto a = state.moments[0].array().segment(first, count);
      a += g.square();
      w.array().segment(first, count) -= rate * g / (initial + a).sqrt();
    });
  }
};

/// Zeiler 2012, "ADADELTA: an adaptive learning rate method", algorithm 1:
///
///     a ← ρ a + (1 − ρ) g²
///     δ = −g √(b + ε) / √(a + ε)
///     b ← ρ b + (1 − ρ) δ²
///     w ← w + η δ
struct Adadelta {
  double learning_rate = 1e-3;
  double rho = 0.95;
  double epsilon = 1e-7;
  double clipnorm = 0;         ///< see `Clipping`
  double clipvalue = 0;        ///< see `Clipping`
  double global_clipnorm = 0;  ///< see `Clipping`
  double weight_decay = 0;     ///< see `Optimizer`

  static constexpr std::string_view name = "adadelta";
  static constexpr auto fields() {
    return std::tuple{field("learning_rate", &Adadelta::learning_rate),
                      field("rho", &Adadelta::rho),
                      field("epsilon", &Adadelta::epsilon),
                      field("clipnorm", &Adadelta::clipnorm),
                      field("clipvalue", &Adadelta::clipvalue),
                      field("global_clipnorm", &Adadelta::global_clipnorm),
                      field("weight_decay", &Adadelta::weight_decay)};
  }

  void validate() const {
    detail::check_share(name, "rho", rho);
    detail::check_epsilon(name, epsilon);
  }

  static std::size_t moments() { return 2; }

  template <class S>
  void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const {
    const auto rate = static_cast<S>(state.learning_rate);
    const auto decay = static_cast<S>(rho), eps = static_cast<S>(epsilon);
    detail::for_each_block(w.size(), [&](Index first, Index count) {
      const auto g = dw.array().segment(first, count);
      auto a = state.moments[0].array().segment(first, count);
      auto b = state.moments[1].array().segment(first, count);
      a = decay * a + (1 - decay) * g.square();
      const auto delta_squared = g.square() * (b + eps) / (a + eps);
      w.array().segment(first, count) -= rate * g * ((b + eps) / (a + eps)).sqrt();
      b = decay * b + (1 - decay) * delta_squared;
    });
  }
};

}  // namespace heed
