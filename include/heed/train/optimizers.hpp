#pragma once

#include <heed/layers/config.hpp>
#include <heed/math/lanes.hpp>
#include <heed/train/clipping.hpp>

namespace heed {

/// The values that an optimizer keeps between updates. Hyperparameters are not among them.
template <class Scalar>
struct OptimizerState {
  double learning_rate = 0;  ///< the current rate, at first the optimizer's; schedules change it
  std::int64_t steps = 0;    ///< the number of updates of all weights, with the current one
  std::vector<Arena<Scalar>> moments;
};

// Each optimizer is the optimizer of the same name in Keras. `update` changes the weights w with
// the gradients dw. Both are whole arenas; it passes over them once and allocates nothing.

namespace detail {

inline void check_share(std::string_view optimizer, std::string_view field, double value) {
  check<OptionError>(is_finite(value) && 0 <= value && value < 1, optimizer, ": expected ", field,
                     " in [0, 1), got ", value);
}

/// Without an epsilon, also in float, weights that never had a gradient would become 0 / 0.
inline void check_epsilon(std::string_view optimizer, double epsilon) {
  check<OptionError>(is_finite(epsilon) && static_cast<float>(epsilon) > 0, optimizer,
                     ": expected an epsilon above 0, got ", epsilon);
}

}  // namespace detail

/// Stochastic gradient descent with momentum μ and learning rate η:
///
///     m ← μ m − η g
///     w ← w + m            w ← w + μ m − η g with Nesterov
///
/// Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
struct SGD {
  double learning_rate = 0.01;
  double momentum = 0;
  bool nesterov = false;
  double clipnorm = 0;         ///< see `Clipping`
  double clipvalue = 0;        ///< see `Clipping`
  double global_clipnorm = 0;  ///< see `Clipping`
  double weight_decay = 0;     ///< see `Optimizer`

  static constexpr std::string_view name = "SGD";
  static constexpr auto fields() {
    return std::tuple{field("learning_rate", &SGD::learning_rate),
                      field("momentum", &SGD::momentum),
                      field("nesterov", &SGD::nesterov),
                      field("clipnorm", &SGD::clipnorm),
                      field("clipvalue", &SGD::clipvalue),
                      field("global_clipnorm", &SGD::global_clipnorm),
                      field("weight_decay", &SGD::weight_decay)};
  }

  void validate() const {
    check<OptionError>(is_finite(momentum) && 0 <= momentum && momentum <= 1, name,
                       ": expected momentum in [0, 1], got ", momentum);
  }

  std::size_t moments() const { return momentum == 0 ? 0 : 1; }

  template <class S>
  void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const {
    const auto rate = static_cast<S>(state.learning_rate);
    const auto mu = static_cast<S>(momentum);
    detail::for_each_block(w.size(), [&](Index first, Index count) {
      auto weight = w.array().segment(first, count);
      const auto g = dw.array().segment(first, count);
      if (momentum == 0) {
        weight -= rate * g;
        return;
      }
      auto m = state.moments[0].array().segment(first, count);
      m = mu * m - rate * g;
      if (nesterov) {
        weight += mu * m - rate * g;
      } else {
        weight += m;
      }
    });
  }
};

/// Kingma, Ba 2014, "Adam: a method for stochastic optimization", in the form at the end of section
/// 2, where t is the number of updates, from 1:
///
///     m ← m + (1 − β₁)(g − m)
///     v ← v + (1 − β₂)(g² − v)
///     w ← w − α m / (√v + ε),    α = η √(1 − β₂ᵗ) / (1 − β₁ᵗ)
struct Adam {
  double learning_rate = 1e-3;
  double beta_1 = 0.9;
  double beta_2 = 0.999;
  double epsilon = 1e-7;
  double clipnorm = 0;         ///< see `Clipping`
  double clipvalue = 0;        ///< see `Clipping`
  double global_clipnorm = 0;  ///< see `Clipping`
  double weight_decay = 0;     ///< see `Optimizer`

  static constexpr std::string_view name = "adam";
  static constexpr auto fields() {
    return std::tuple{field("learning_rate", &Adam::learning_rate),
                      field("beta_1", &Adam::beta_1),
                      field("beta_2", &Adam::beta_2),
                      field("epsilon", &Adam::epsilon),
                      field("clipnorm", &Adam::clipnorm),
                      field("clipvalue", &Adam::clipvalue),
                      field("global_clipnorm", &Adam::global_clipnorm),
                      field("weight_decay", &Adam::weight_decay)};
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
    const auto alpha = static_cast<S>(state.learning_rate * std::sqrt(1 - std::pow(beta_2, t)) /
                                      (1 - std::pow(beta_1, t)));
    const auto share_1 = static_cast<S>(1 - beta_1);
    const auto share_2 = static_cast<S>(1 - beta_2);
    const auto eps = static_cast<S>(epsilon);
    // Eigen's expressions would take longer to compile, and every program that calls fit compiles
    // Adam.
    auto weights = w.row(), first = state.moments[0].row(), second = state.moments[1].row();
    const auto gradients = dw.row();
    for_lanes<S>(1, w.size(), [&](auto at) {
      const auto g = at(gradients);
      const auto weight = at(weights), m = at(first), v = at(second);
      m += share_1 * (g - m);
      v += share_2 * (square(g) - v);
      weight = weight - alpha * m / (sqrt(v) + eps);
    });
  }
};

/// Tieleman, Hinton 2012, lecture 6.5 of "Neural networks for machine learning". As in Keras, ε is
/// under the root, and momentum is applied to the increments:
///
///     v ← ρ v + (1 − ρ) g²
///     a ← ρ a + (1 − ρ) g               if centered, else a = 0
///     m ← μ m + η g / √(v − a² + ε)
///     w ← w − m
struct RMSprop {
  double learning_rate = 1e-3;
  double rho = 0.9;
  double momentum = 0;
  double epsilon = 1e-7;
  bool centered = false;
  double clipnorm = 0;         ///< see `Clipping`
  double clipvalue = 0;        ///< see `Clipping`
  double global_clipnorm = 0;  ///< see `Clipping`
  double weight_decay = 0;     ///< see `Optimizer`

  static constexpr std::string_view name = "rmsprop";
  static constexpr auto fields() {
    return std::tuple{field("learning_rate", &RMSprop::learning_rate),
                      field("rho", &RMSprop::rho),
                      field("momentum", &RMSprop::momentum),
                      field("epsilon", &RMSprop::epsilon),
                      field("centered", &RMSprop::centered),
                      field("clipnorm", &RMSprop::clipnorm),
                      field("clipvalue", &RMSprop::clipvalue),
                      field("global_clipnorm", &RMSprop::global_clipnorm),
                      field("weight_decay", &RMSprop::weight_decay)};
  }

  void validate() const {
    detail::check_share(name, "rho", rho);
    check<OptionError>(is_finite(momentum) && 0 <= momentum && momentum <= 1, name,
                       ": expected momentum in [0, 1], got ", momentum);
    detail::check_epsilon(name, epsilon);
  }

  std::size_t moments() const { return 1u + (momentum > 0 ? 1u : 0u) + (centered ? 1u : 0u); }

  template <class S>
  void update(View<S> w, View<const S> dw, OptimizerState<S>& state) const {
    const auto rate = static_cast<S>(state.learning_rate);
    const auto decay = static_cast<S>(rho);
    const auto mu = static_cast<S>(momentum);
    const auto eps = static_cast<S>(epsilon);
    detail::for_each_block(w.size(), [&](Index first, Index count) {
      const auto moment = [&](std::size_t i) {
        return state.moments[i].array().segment(first, count);
      };
      auto weight = w.array().segment(first, count);
      const auto g = dw.array().segment(first, count);
      auto v = moment(0);
      v = decay * v + (1 - decay) * g.square();
      const auto apply = [&](const auto& increment) {
        if (momentum > 0) {
          auto m = moment(1);
          m = mu * m + increment;
          weight -= m;
        } else {
          weight -= increment;
        }
      };
      if (centered) {
        auto a = moment(momentum > 0 ? 2 : 1);
        a = decay * a + (1 - decay) * g;
        apply(rate * g / (v - a.square() + eps).sqrt());
      } else {
        apply(rate * g / (v + eps).sqrt());
      }
    });
  }
};

}  // namespace heed
