#pragma once

#include <heed/train/optimizers.hpp>

namespace heed {

/// Adam with weight decay: Loshchilov, Hutter 2019, "Decoupled weight decay regularization",
/// algorithm 2, where the decay is multiplied by the learning rate.
struct AdamW {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  double clipnorm = 0;          ///< see `Clipping`
  double clipvalue = 0;         ///< see `Clipping`
  double global_clipnorm = 0;   ///< see `Clipping`
  double weight_decay = 0.004;  ///< see `Optimizer`

  static constexpr std::string_view name = "adamw";
  static constexpr auto fields() {
    return std::tuple{field("learning_rate", &AdamW::learning_rate),
                      field("beta_1", &AdamW::beta_1),
                      field("beta_2", &AdamW::beta_2),
                      field("epsilon", &AdamW::epsilon),
                      field("clipnorm", &AdamW::clipnorm),
                      field("clipvalue", &AdamW::clipvalue),
                      field("global_clipnorm", &AdamW::global_clipnorm),
                      field("weight_decay", &AdamW::weight_decay)};
  }

  void validate() const {
    detail::check_share(name, "beta_1", beta_1);
    detail::check_share(name, "beta_2", beta_2);
    detail::check_epsilon(name, epsilon);
  }

  static std::size_t moments() { return 2; }

  template <class S>
  void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const {
    Adam{.beta_1 = beta_1, .beta_2 = beta_2, .epsilon = epsilon}.update(w, dw, state);
  }
};

/// Kingma, Ba 2014, section 7.1, with t as in Adam:
///
///     m ← m + (1 − β₁)(g − m)
///     u ← max(β₂ u, |g|)
///     w ← w − η m / ((1 − β₁ᵗ)(u + ε))
struct Adamax {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  double clipnorm = 0;         ///< see `Clipping`
  double clipvalue = 0;        ///< see `Clipping`
  double global_clipnorm = 0;  ///< see `Clipping`
  double weight_decay = 0;     ///< see `Optimizer`

  static constexpr std::string_view name = "adamax";
  static constexpr auto fields() {
    return std::tuple{field("learning_rate", &Adamax::learning_rate),
                      field("beta_1", &Adamax::beta_1),
                      field("beta_2", &Adamax::beta_2),
                      field("epsilon", &Adamax::epsilon),
                      field("clipnorm", &Adamax::clipnorm),
                      field("clipvalue", &Adamax::clipvalue),
                      field("global_clipnorm", &Adamax::global_clipnorm),
                      field("weight_decay", &Adamax::weight_decay)};
  }

  void validate() const {
    detail::check_share(name, "beta_1", beta_1);
    detail::check_share(name, "beta_2", beta_2);
    detail::check_epsilon(name, epsilon);
  }

  static std::size_t moments() { return 2; }

  template <class S>
  void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const {
    const auto t = static_cast<double>(state.steps);
    const auto alpha = static_cast<S>(state.learning_rate / (1 - std::pow(beta_1, t)));
    const auto share = static_cast<S>(1 - beta_1), decay = static_cast<S>(beta_2);
    const auto eps = static_cast<S>(epsilon);
    detail::for_each_block(w.size(), [&](Index first, Index count) {
      const auto g = dw.array().segment(first, count);
      auto m = state.moments[0].array().segment(first, count);
      auto u = state.moments[1].array().segment(first, count);
      m += share * (g - m);
      u = (decay * u).cwiseMax(g.abs());
      w.array().segment(first, count) -= alpha * m / (u + eps);
    });
  }
};

/// Dozat 2016, "Incorporating Nesterov momentum into Adam", with t as in Adam and Keras's schedule of
/// the momentum:
///
///     μₜ = β₁ (1 − 0.96ᵗ / 2),    πₜ = μ₁ μ₂ … μₜ
///     m ← m + (1 − β₁)(g − m)
///     v ← v + (1 − β₂)(g² − v)
///     m̂ = μₜ₊₁ m / (1 − πₜ₊₁) + (1 − μₜ) g / (1 − πₜ)
///     w ← w − η m̂ / (√(v / (1 − β₂ᵗ)) + ε)
struct Nadam {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  double clipnorm = 0;         ///< see `Clipping`
  double clipvalue = 0;        ///< see `Clipping`
  double global_clipnorm = 0;  ///< see `Clipping`
  double weight_decay = 0;     ///< see `Optimizer`

  static constexpr std::string_view name = "nadam";
  static constexpr auto fields() {
    return std::tuple{field("learning_rate", &Nadam::learning_rate),
                      field("beta_1", &Nadam::beta_1),
                      field("beta_2", &Nadam::beta_2),
                      field("epsilon", &Nadam::epsilon),
                      field("clipnorm", &Nadam::clipnorm),
                      field("clipvalue", &Nadam::clipvalue),
                      field("global_clipnorm", &Nadam::global_clipnorm),
                      field("weight_decay", &Nadam::weight_decay)};
  }

  void validate() const {
    detail::check_share(name, "beta_1", beta_1);
    detail::check_share(name, "beta_2", beta_2);
    detail::check_epsilon(name, epsilon);
  }

  static std::size_t moments() { return 2; }

  template <class S>
  void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const {
    const auto t = static_cast<double>(state.steps);
    const auto mu = [&](double step) { return beta_1 * (1 - 0.5 * std::pow(0.96, step)); };
    double product = 1;  // πₜ / β₁ᵗ, whose later factors are 1 in double
    double power = 1;    // 0.96ᵏ
    for (std::int64_t k = 1; k <= (std::min)(state.steps, std::int64_t{1000}); ++k) {
      power *= 0.96;
      product *= 1 - 0.5 * power;
    }
    product *= std::pow(beta_1, t);
    const auto of_m = static_cast<S>(mu(t + 1) / (1 - product * mu(t + 1)));
    const auto of_g = static_cast<S>((1 - mu(t)) / (1 - product));
    const auto rate = static_cast<S>(state.learning_rate);
    const auto correction = static_cast<S>(1 - std::pow(beta_2, t));
    const auto share_1 = static_cast<S>(1 - beta_1), share_2 = static_cast<S>(1 - beta_2);
    const auto eps = static_cast<S>(epsilon);
    detail::for_each_block(w.size(), [&](Index first, Index count) {
      const auto g = dw.array().segment(first, count);
      auto m = state.moments[0].array().segment(first, count);
      auto v = state.moments[1].array().segment(first, count);
      m += share_1 * (g - m);
      v += share_2 * (g.square() - v);
      w.array().segment(first, count) -=
          rate * (of_m * m + of_g * g) / ((v / correction).sqrt() + eps);
    });
  }
};

/// Chen et al. 2023, "Symbolic discovery of optimization algorithms", program 1:
///
///     w ← w − η sign(β₁ m + (1 − β₁) g)
///     m ← β₂ m + (1 − β₂) g
struct Lion {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.99;
  double clipnorm = 0;         ///< see `Clipping`
  double clipvalue = 0;        ///< see `Clipping`
  double global_clipnorm = 0;  ///< see `Clipping`
  double weight_decay = 0;     ///< see `Optimizer`

  static constexpr std::string_view name = "lion";
  static constexpr auto fields() {
    return std::tuple{field("learning_rate", &Lion::learning_rate),
                      field("beta_1", &Lion::beta_1),
                      field("beta_2", &Lion::beta_2),
                      field("clipnorm", &Lion::clipnorm),
                      field("clipvalue", &Lion::clipvalue),
                      field("global_clipnorm", &Lion::global_clipnorm),
                      field("weight_decay", &Lion::weight_decay)};
  }

  void validate() const {
    detail::check_share(name, "beta_1", beta_1);
    detail::check_share(name, "beta_2", beta_2);
  }

  static std::size_t moments() { return 1; }

  template <class S>
  void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const {
    const auto rate = static_cast<S>(state.learning_rate);
    const auto b_1 = static_cast<S>(beta_1), b_2 = static_cast<S>(beta_2);
    detail::for_each_block(w.size(), [&](Index first, Index count) {
      const auto g = dw.array().segment(first, count);
      auto m = state.moments[0].array().segment(first, count);
      w.array().segment(first, count) -= rate * (b_1 * m + (1 - b_1) * g).sign();
      m = b_2 * m + (1 - b_2) * g;
    });
  }
};

}  // namespace heed
