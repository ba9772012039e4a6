#include <heed/attention/luong_attention.hpp>
#include <heed/attention/step_attention.hpp>
#include <heed/layers/activation.hpp>
#include <heed/layers/add.hpp>
#include <heed/layers/dense.hpp>
#include <heed/layers/flatten.hpp>
#include <heed/model/any_layer.hpp>
#include <heed/model/arena.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/random_tensor.hpp"

namespace heed::any_layer_test {

using heed::testing::message;
using heed::testing::random_tensor;

namespace {

/// A user's layer of several inputs that also has a weight: y = w Σ xᵢ, one w for all.
struct ScaledSum {
  double offset = 0;

  static constexpr std::string_view type = "ScaledSum";
  static constexpr auto fields() { return std::tuple{field("offset", &ScaledSum::offset)}; }

  template <class S>
  struct Cache {
    Tensor<S> sum;
  };

  Shape output_shape(std::span<const Shape> x) const { return x[0]; }
  std::vector<Weight> weights(std::span<const Shape>) const { return {{"w", {1}}}; }

  template <class S>
  static std::array<Published<S>, 1> published(const Cache<S>& cache) {
    return {{{"sum", cache.sum}}};
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>& cache) const {
    const auto& w = args.w;
    const auto x = args.x;
    const View<S> y = args.y[0];
    const Pass& pass = args.pass;
    cache.sum.resize(y.shape());
    cache.sum.array().setConstant(static_cast<S>(pass.training ? offset : 0));
    for (const auto& term : x) cache.sum.array() += term.array();
    y.array() = w[0](0) * cache.sum.array();
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>& cache) const {
    const auto& w = args.w;
    const View<const S> dy = args.dy[0];
    const auto& dw = args.dw;
    const auto dx = args.dx;
    dw[0](0) += (dy.array() * cache.sum.array()).sum();
    for (const auto& d : dx) {
      if (d) d.array() = w[0](0) * dy.array();
    }
  }
};

}  // namespace

TEST_CASE("Any layer is known by its type and its configuration") {
  const AnyLayer<float> layer(Dense{.units = 3});
  CHECK(layer.type() == "Dense");
  CHECK(layer.config() == get_config(Dense{.units = 3}));
  CHECK_FALSE(layer.only_reshapes());
  CHECK(AnyLayer<float>(Flatten{}).only_reshapes());
}

TEST_CASE("Any layer gives itself back, by its own type only") {
  const AnyLayer<float> layer(Dense{.units = 3});
  REQUIRE(layer.get<Dense>() != nullptr);
  CHECK(*layer.get<Dense>() == Dense{.units = 3});
  CHECK(layer.get<Activation>() == nullptr);
  CHECK(layer.key() == AnyLayer<float>(Dense{.units = 4}).key());
  CHECK(layer.key() != AnyLayer<float>(Flatten{}).key());
}

TEST_CASE("A copy of any layer has the same configuration and lives on its own") {
  auto layer = std::make_unique<AnyLayer<float>>(Dense{.units = 3});
  const AnyLayer<float> copy = *layer;
  layer.reset();
  CHECK(copy.get<Dense>()->units == 3);
}

TEST_CASE("Any layer says its output's shape and its weights") {
  const std::vector<Shape> x{{4, 2}};
  const AnyLayer<float> dense(Dense{.units = 3});
  CHECK(dense.output_shape(x) == Shape{4, 3});
  CHECK(dense.weights(x).size() == 2);
  CHECK(AnyLayer<float>(Flatten{}).weights(x).empty());
  const std::vector<Shape> two{{4, 2}, {4, 2}};
  CHECK(AnyLayer<float>(Add{}).output_shape(two) == Shape{4, 2});
  CHECK(AnyLayer<float>(Add{}).weights(two).empty());
  CHECK(AnyLayer<float>(ScaledSum{}).weights(two).size() == 1);
}

TEST_CASE("A layer of one input refuses two, and none") {
  const AnyLayer<float> dense(Dense{.units = 3});
  const std::vector<Shape> two{{4}, {4}};
  CHECK(message<ShapeError>([&] { dense.output_shape(two); }) == "expected one input, got 2");
  CHECK(message<ShapeError>([&] { dense.output_shape({}); }) == "expected one input, got 0");
}

TEST_CASE("A user's layer of several inputs with a weight and a cache runs") {
  const AnyLayer<double> layer(ScaledSum{.offset = 10});
  Layout layout;
  layout.append("sum", {{"w", {1}}});
  Arena<double> weights{3};
  Arena<double> gradients{100};
  const auto a = random_tensor({2, 3}, 1);
  const auto b = random_tensor({2, 3}, 2);
  const std::vector<View<const double>> x{a, b};
  Tensor<double> y(Shape{2, 3}), db(Shape{2, 3});
  AnyCache cache = layer.make_cache();
  const Parameters<double> w(weights.data(), layout.all_slots());

  const View<double> y_view = y;
  layer.forward({.w = w, .x = x, .y = {&y_view, 1}}, cache);
  CHECK(((3 * (a.array() + b.array())) == y.array()).all());
  const auto published = layer.published(cache);
  REQUIRE(published.size() == 1);
  CHECK(published[0].name == "sum");
  CHECK((published[0].value.array() == a.array() + b.array()).all());

  Tensor<double> dy(Shape{2, 3});
  dy.array().setOnes();
  const std::vector<View<double>> dx{{}, db};
  const View<const double> made = y, dy_view = dy;
  layer.backward({.w = w,
                  .x = x,
                  .y = {&made, 1},
                  .dy = {&dy_view, 1},
                  .dw = {gradients.data(), layout.all_slots()},
                  .dx = dx},
                 cache);
  CHECK(gradients(0) == 100 + (a.array() + b.array()).sum());
  CHECK((db.array() == 3).all());

  // It is told about training.
  layer.forward({.w = w, .x = x, .y = {&y_view, 1}, .pass = {.training = true}}, cache);
  CHECK((published[0].value.array() >= 10 + (a.array() + b.array()) - 1e-12).all());
}

TEST_CASE("A layer that publishes nothing has nothing to look at") {
  const AnyLayer<double> dense(Dense{.units = 3});
  CHECK(dense.published(dense.make_cache()).empty());
  const AnyLayer<double> flatten(Flatten{});
  CHECK(flatten.make_cache() == nullptr);
  CHECK(flatten.published(nullptr).empty());
  const AnyLayer<double> luong(LuongAttention{});
  CHECK(luong.published(luong.make_cache()).size() == 2);
}

TEST_CASE("A layer that says nothing of steps cannot be streamed") {
  const std::vector<Shape> x{{4, 2}}, two{{4, 2}, {4, 2}};
  for (const AnyLayer<double>& layer :
       {AnyLayer<double>(Flatten{}), AnyLayer<double>(StepAttention{})}) {
    CHECK_FALSE(layer.is_step_wise(x));
    CHECK_FALSE(layer.can_stream());
    CHECK(layer.stream_state(x[0], 3).empty());
  }
  CHECK_FALSE(AnyLayer<double>(ScaledSum{}).is_step_wise(two));
  CHECK(AnyLayer<double>(Add{}).is_step_wise(two));
  CHECK(AnyLayer<double>(LuongAttention{}).stream_state({4, 2}, 3) == std::vector<Shape>{{3, 2}});
}

TEST_CASE("The function that ends a layer can be taken off") {
  const AnyLayer<double> dense(Dense{.units = 3, .activation = Activation::sigmoid});
  CHECK(dense.output_activation() == Activation::sigmoid);
  const AnyLayer<double> lifted = dense.without_output_activation();
  CHECK(*lifted.get<Dense>() == Dense{.units = 3});
  CHECK(dense.output_activation() == Activation::sigmoid);

  const AnyLayer<double> softmax(Activation{.activation = Activation::softmax});
  CHECK(softmax.output_activation() == Activation::softmax);
  CHECK(softmax.without_output_activation().output_activation() == Activation::linear);
  const AnyLayer<double> add(Add{});
  CHECK_FALSE(add.output_activation().has_value());
  CHECK(add.without_output_activation().get<Add>() != nullptr);
}

}  // namespace heed::any_layer_test
