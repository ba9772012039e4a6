// How do you write a layer? A gated linear unit is checked against finite differences, trained,
// saved and loaded.

#include <heed/check/gradient_check.hpp>
#include <heed/heed.hpp>
#include <heed/io.hpp>
#include <iostream>

using namespace heed;

/// y = (x W + b) ∘ σ(x V + c)      W, V: (features, units)      Dauphin et al. 2017, section 2
struct GatedLinearUnit {
  Required<Index> units;
  static constexpr std::string_view type = "GatedLinearUnit";
  static constexpr auto fields() { return std::tuple{field("units", &GatedLinearUnit::units)}; }

  Shape output_shape(const Shape& x) const { return x.with_last(units); }
  enum { kernel, bias };  // [W V] and [b c], in the order of weights()
  std::vector<Weight> weights(const Shape& x) const {
    return {{"kernel", {x.back(), 2 * units}, Initializer::glorot_uniform}, {"bias", {2 * units}}};
  }

  template <class S>
  struct Cache {
    Matrix<S> z, dz;  // from forward to backward: z = [a, g] with y = a ∘ g
  };

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const auto& w = args.w;
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    cache.z.noalias() = x.matrix() * w[kernel].matrix();
    cache.z.rowwise() += w[bias].row();
    auto g = cache.z.rightCols(units).array();
    g = g.logistic();
    y.matrix() = cache.z.leftCols(units).array() * g;
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const auto& w = args.w;
    const View<const S> x = args.x[0];
    const View<const S> y = args.y[0];
    const View<const S> dy = args.dy[0];
    const auto& dw = args.dw;
    const View<S> dx = args.dx[0];
    // y = a ∘ σ(t):  da = dy ∘ g,  dt = dy ∘ a ∘ g ∘ (1 − g) = dy ∘ y ∘ (1 − g)
    const auto g = cache.z.rightCols(units).array();
    cache.dz.resizeLike(cache.z);
    cache.dz.leftCols(units) = dy.matrix().array() * g;
    cache.dz.rightCols(units) = dy.matrix().array() * y.matrix().array() * (1 - g);
    // z = x K + b:  dK += xᵀ dz,  db += Σₙ dzₙ,  dx = dz Kᵀ
    if (dw) {  // false for a frozen layer
      dw[kernel].matrix().noalias() += x.matrix().transpose() * cache.dz;
      dw[bias].row() += cache.dz.colwise().sum();
    }
    if (dx) dx.matrix().noalias() = cache.dz * w[kernel].matrix().transpose();
  }
};

/// A layer with two inputs, a value and a switch: y is x₀ where x₁ is positive, and 0 elsewhere.
template <class Scalar>
void make_data(Tensor<Scalar, 2>& x, Tensor<Scalar, 2>& y) {
  Random random(1);
  for (Scalar& value : x.values()) value = static_cast<Scalar>(random.normal());
  for (Index n = 0; n < x.dim(0); ++n) y(n, 0) = x(n, 1) > 0 ? x(n, 0) : 0;
}

template <class Scalar>
Model<Scalar> make_model() {
  Model<Scalar> model;
  model.input({2});
  model.add(GatedLinearUnit{.units = 8});
  model.add(Dense{.units = 1});
  model.build({.seed = 1});
  return model;
}

int main() {
  Tensor<double, 2> few_x(Shape{5, 2}), few_y(Shape{5, 1});
  make_data(few_x, few_y);
  const auto gradients = gradient_check(make_model<double>(), few_x, few_y, MeanSquaredError{});
  std::cout << "largest gradient error: " << gradients << "\n";
  if (!(gradients.worst < 1e-7)) return 1;

  Tensor<float, 2> x(Shape{2000, 2}), y(Shape{2000, 1});
  make_data(x, y);
  auto model = make_model<float>();
  const auto history = model.fit(x, y,
                                 {.loss = MeanSquaredError{},
                                  .optimizer = Adam{.learning_rate = 0.01},
                                  .epochs = 20,
                                  .verbose = Verbose::silent});
  std::cout << "loss of epoch 1: " << history["loss"].front()
            << ", of epoch 20: " << history["loss"].back() << "\n";

  save_model(model, "gated.safetensors");
  Registry<float> registry;  // finds the types of the layers named in a file
  registry.add<GatedLinearUnit>();
  const auto loaded = load_model<float>("gated.safetensors", {.registry = registry});
  const bool same = loaded.predict(x) == model.predict(x);
  std::cout << "the loaded model predicts " << (same ? "the same" : "otherwise") << "\n";
  return same ? 0 : 1;
}
