#pragma once

#include <heed/layers/layer.hpp>
#include <heed/math/finite.hpp>

namespace heed {

/// Batch normalization along the last axis (Ioffe and Szegedy, 2015, algorithms 1 and 2):
///
///     x̂ = (x − μ) / √(v + ε)    y = γ ∘ x̂ + β
///
///     x, y: (N, …, D)    γ = gamma, β = beta, moving_mean, moving_variance: (D)
///
/// In training, μ and v are the mean and the variance of each feature over all samples and unmasked
/// steps of the batch. After each update, the moving statistics are
/// `momentum · old + (1 − momentum) · batch`. Otherwise, and in a frozen layer, μ and v are these
/// moving statistics, so that each step is computed on its own.
///
/// Keras: `layers.BatchNormalization`, without `renorm`. In training the samples of a batch depend
/// on each other, so a model with this layer is trained by one thread. A layer that is shared adds
/// both changes to its statistics at once; Keras makes one after the other.
struct BatchNormalization {
  Index axis = -1;  ///< −1, or the number of the last axis, where the batch axis is 0
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool center = true;  ///< whether there is a β
  bool scale = true;   ///< whether there is a γ
  Initializer beta_initializer = Initializer::zeros;
  Initializer gamma_initializer = Initializer::ones;
  Initializer moving_mean_initializer = Initializer::zeros;
  Initializer moving_variance_initializer = Initializer::ones;

  static constexpr std::string_view type = "BatchNormalization";
  static constexpr auto fields() {
    using B = BatchNormalization;
    return std::tuple{field("axis", &B::axis),
                      field("momentum", &B::momentum),
                      field("epsilon", &B::epsilon),
                      field("center", &B::center),
                      field("scale", &B::scale),
                      field("beta_initializer", &B::beta_initializer),
                      field("gamma_initializer", &B::gamma_initializer),
                      field("moving_mean_initializer", &B::moving_mean_initializer),
                      field("moving_variance_initializer", &B::moving_variance_initializer)};
  }

  Shape output_shape(const Shape& x) const {
    check<ShapeError>(x.rank() >= 1, "expected an input with a last axis, got ", x);
    check<OptionError>(axis == -1 || axis == x.rank(), "expected the last axis, -1 or ", x.rank(),
                       ", got axis ", axis);
    check<OptionError>(0 <= momentum && momentum <= 1, "expected a momentum in [0, 1], got ",
                       momentum);
    check<OptionError>(is_finite(epsilon) && epsilon > 0, "expected an epsilon above 0, got ",
                       epsilon);
    return x;
  }

  std::vector<Weight> weights(const Shape& x) const {
    std::vector<Weight> result;
    if (scale) result.push_back({"gamma", {x.back()}, gamma_initializer});
    if (center) result.push_back({"beta", {x.back()}, beta_initializer});
    const auto statistic = [&](const char* name, Initializer initializer) {
      result.push_back({name, {x.back()}, initializer});
      result.back().momentum = momentum;
    };
    statistic("moving_mean", moving_mean_initializer);
    statistic("moving_variance", moving_variance_initializer);
    return result;
  }

  static bool is_step_wise(const Shape& x) { return x.rank() >= 2; }

  /// A row is a step of a sample: there are N · T of them, or more if a step has several axes.
  template <class S>
  struct Cache {
    using Row = Eigen::Array<S, 1, Eigen::Dynamic, Eigen::RowMajor>;
    Tensor<S> xhat;                    // (rows, D)
    Row mean, variance, root;          // μ, v, r = 1 / √(v + ε)
    Row dgamma, dbeta, factor, shift;  // memory for backward
    std::vector<std::uint8_t> counts;  // which rows are in μ and v
    S count = 0;                       // how many they are: n
    S more = 0;                        // what Keras adds to n to divide by, if there is a mask
    bool from_batch = false;           // whether μ and v are those of the batch
  };

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const auto x = args.x[0].matrix().array();
    auto y = args.y[0].matrix().array();
    cache.xhat.resize({x.rows(), x.cols()});
    cache.from_batch = args.pass.training;
    if (cache.from_batch) {
      count_rows(args.counting(), cache.xhat.dim(0), cache);
      set_moments(x, cache);
    } else {
      cache.mean = args.w[moving_mean()].row().array();
      cache.variance = args.w[moving_variance()].row().array();
    }
    cache.root = (cache.variance + static_cast<S>(epsilon)).rsqrt();
    auto xhat = cache.xhat.matrix().array();
    // x̂ = (x − μ) r    y = γ x̂ + β
    xhat = x.rowwise() - cache.mean;
    xhat.rowwise() *= cache.root;
    y = xhat;
    if (scale) y.rowwise() *= args.w[0].row().array();
    if (center) y.rowwise() += args.w[beta()].row().array();
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const auto dy = args.dy[0].matrix().array();
    const auto xhat = std::as_const(cache.xhat).matrix().array();
    // y = γ x̂ + β:  dβ = Σ dy    dγ = Σ dy ∘ x̂
    cache.dbeta = dy.colwise().sum();
    cache.dgamma = (dy * xhat).colwise().sum();
    if (args.dw) {
      if (scale) args.dw[0].row().array() += cache.dgamma;
      if (center) args.dw[beta()].row().array() += cache.dbeta;
      if (cache.from_batch) add_changes(args, cache);
    }
    if (!args.dx[0]) return;
    // x̂ = (x − μ) r with μ and v that are given:  dx = γ r dy
    auto dx = args.dx[0].matrix().array();
    cache.factor = cache.root;
    if (scale) cache.factor *= args.w[0].row().array();
    dx = dy.rowwise() * cache.factor;
    if (!cache.from_batch) return;
    // v = Σ (x − μ)² / n:  dv = −½ γ r² dγ
    // μ = Σ x / n:         dμ = −γ r dβ − 2 dv Σ (x − μ) / n, where the sum is 0 without a mask
    // dx += (dμ + 2 dv (x − μ)) / n = −γ r (dβ − r dγ Σ (x − μ) / n + dγ x̂) / n
    const S n = cache.count + cache.more;
    cache.factor /= n;
    cache.shift = cache.dbeta - cache.root * cache.dgamma * cache.mean * (cache.more / n);
    for (Index i = 0; i < dx.rows(); ++i) {
      if (cache.counts[static_cast<std::size_t>(i)] == 0) continue;
      dx.row(i) -= cache.factor * (cache.shift + cache.dgamma * xhat.row(i));
    }
  }

 private:
  std::size_t beta() const { return scale ? 1 : 0; }
  std::size_t moving_mean() const { return beta() + (center ? 1 : 0); }
  std::size_t moving_variance() const { return moving_mean() + 1; }

  template <class S>
  static void count_rows(const Steps& steps, Index rows, Cache<S>& cache) {
    cache.counts.assign(static_cast<std::size_t>(rows), 1);
    if (steps) {
      const Mask mask = steps->mask();
      const Index in_a_step = rows / mask.size();
      for (Index i = 0; i < rows; ++i) {
        cache.counts[static_cast<std::size_t>(i)] = mask.data()[i / in_a_step] != 0;
      }
    }
    cache.count = static_cast<S>(std::count(cache.counts.begin(), cache.counts.end(), 1));
    cache.more = steps ? static_cast<S>(1e-7) : S{0};
  }

  /// μ = Σ x / n and v = Σ (x − μ)² / n.
  template <class S, class X>
  static void set_moments(const X& x, Cache<S>& cache) {
    const S n = cache.count + cache.more;
    cache.mean.setZero(x.cols());
    cache.variance.setZero(x.cols());
    for (Index i = 0; i < x.rows(); ++i) {
      if (cache.counts[static_cast<std::size_t>(i)] != 0) cache.mean += x.row(i);
    }
    cache.mean /= n;
    for (Index i = 0; i < x.rows(); ++i) {
      if (cache.counts[static_cast<std::size_t>(i)] == 0) continue;
      cache.variance += (x.row(i) - cache.mean).square();
    }
    cache.variance /= n;
  }

  /// By how much the statistics of the batch differ from the moving ones.
  template <class S>
  void add_changes(const Backward<S>& args, const Cache<S>& cache) const {
    const auto change = [&](std::size_t i, const auto& batch) {
      args.dw[i].row().array() += batch - args.w[i].row().array();
    };
    change(moving_mean(), cache.mean);
    change(moving_variance(), cache.variance);
  }
};

}  // namespace heed
