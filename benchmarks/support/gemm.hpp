#pragma once

#include <heed/math/product.hpp>
#include <heed/tensor/tensor.hpp>

#include <chrono>
#include <string>
#include <vector>

/// Matrix products alone, in the shapes that networks consist of.
namespace gemm {

using namespace heed;

/// `c = a b` with a: (M, K), b: (K, N), or their transposes in memory; so many `times`.
struct Product {
  Index M, K, N;
  bool a_transposed = false;
  bool b_transposed = false;
  Index times = 1;

  double operations() const { return 2.0 * double(M) * double(K) * double(N); }

  /// `64x32x128`, and `nt` behind it where b is transposed, `tn` where a is.
  std::string name() const {
    std::string text = std::to_string(M) + "x" + std::to_string(K) + "x" + std::to_string(N);
    if (a_transposed || b_transposed) text += a_transposed ? "/tn" : "/nt";
    return text;
  }
};

/// z = x W, z += h U; dh = dz Uᵀ, dW = xᵀ dz, dU = hᵀ dz
inline std::vector<Product> lstm_products(Index N, Index T, Index D, Index U) {
  return {{N * T, D, 4 * U},
          {.M = N, .K = U, .N = 4 * U, .times = T},
          {.M = N, .K = 4 * U, .N = U, .b_transposed = true, .times = T},
          {.M = D, .K = N * T, .N = 4 * U, .a_transposed = true},
          {.M = U, .K = N * T, .N = 4 * U, .a_transposed = true}};
}

/// The LSTM's; l = Kᵀ x, dK = x dlᵀ, dx = K dl of each sample; z = f W, dW = fᵀ dz, df = dz Wᵀ of the
/// Dense behind the flattened f
inline std::vector<Product> index2_products(Index N, Index T, Index D, Index U) {
  auto products = lstm_products(N, T, D, U);
  products.insert(products.end(), {{.M = T, .K = T, .N = U, .a_transposed = true, .times = N},
                                   {.M = T, .K = U, .N = T, .b_transposed = true, .times = N},
                                   {.M = T, .K = T, .N = U, .times = N},
                                   {.M = N, .K = T * U, .N = 1},
                                   {.M = T * U, .K = N, .N = 1, .a_transposed = true},
                                   {.M = N, .K = 1, .N = T * U, .b_transposed = true}});
  return products;
}

/// A product with its operands, to be run by heed and by Eigen.
class Runner {
 public:
  explicit Runner(const Product& product)
      : product_(product),
        a_(product.a_transposed ? Shape{product.K, product.M} : Shape{product.M, product.K}),
        b_(product.b_transposed ? Shape{product.N, product.K} : Shape{product.K, product.N}),
        c_(Shape{product.M, product.N}) {
    a_.array().setRandom();
    b_.array().setRandom();
  }

  const Product& product() const { return product_; }

  void heed() {
    const Strided<const float> a(a_.matrix()), b(b_.matrix());
    set_product<float>(c_.matrix(), product_.a_transposed ? a.transpose() : a,
                       product_.b_transposed ? b.transpose() : b);
  }

  void eigen() {
    const auto a = a_.matrix(), b = b_.matrix();
    if (product_.a_transposed) {
      c_.matrix().noalias() = a.transpose() * b;
    } else if (product_.b_transposed) {
      c_.matrix().noalias() = a * b.transpose();
    } else {
      c_.matrix().noalias() = a * b;
    }
  }

 private:
  Product product_;
  Tensor<float> a_, b_, c_;
};

/// What index2_step cannot do without: its products, each by whoever is faster at it, and its
/// exponentials by Eigen. Nothing is added up, loaded for another purpose or waited for in between.
class Bound {
 public:
  Bound(Index N, Index T, Index D, Index U) : gates_(N * 4 * U), result_(N * 4 * U) {
    for (const Product& product : index2_products(N, T, D, U)) {
      Runner& runner = runners_.emplace_back(product);
      by_heed_.push_back(seconds([&] { runner.heed(); }) < seconds([&] { runner.eigen(); }));
    }
    // σ of three gates, tanh of one and of the state; softmax over the steps; the loss
    exponentials_ = N * T * 5 * U + N * T * U + N;
    gates_.setRandom();
  }

  void run() {
    for (std::size_t i = 0; i < runners_.size(); ++i) {
      for (Index k = 0; k < runners_[i].product().times; ++k) {
        if (by_heed_[i]) {
          runners_[i].heed();
        } else {
          runners_[i].eigen();
        }
      }
    }
    for (Index left = exponentials_; left > 0; left -= gates_.size()) {
      const Index count = std::min(left, gates_.size());
      result_.head(count) = gates_.head(count).exp();
    }
  }

 private:
  /// The least of several, so that an interruption does not decide.
  template <class F>
  static double seconds(const F& work) {
    double least = 1;
    for (int trial = 0; trial < 10; ++trial) {
      const auto start = std::chrono::steady_clock::now();
      for (int k = 0; k < 20; ++k) work();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      least = std::min(least, taken.count());
    }
    return least;
  }

  std::vector<Runner> runners_;
  std::vector<bool> by_heed_;
  Index exponentials_ = 0;
  Eigen::ArrayXf gates_, result_;  // in the first cache or the second, as those of a step are
};

}  // namespace gemm
