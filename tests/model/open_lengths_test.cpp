#include <heed/io/registry.hpp>

#include <set>

#include "support/catch.hpp"

// What a layer says of axes of any length has to be true of every length.

namespace heed::open_lengths_test {

namespace {

using Shapes = std::vector<Shape>;

struct Case {
  AnyLayer<double> layer;
  Shapes inputs;
};

/// One of each layer or more, with the shapes that it takes.
std::vector<Case> cases() {
  const auto relu = ActivationFunction::relu;
  const GRU gru{.units = 2, .return_sequences = true, .return_state = true};
  const LSTM lstm{.units = 3, .return_state = true};
  const SimpleRNN rnn{.units = 2};
  std::vector<Case> all;
  const auto add = [&](const auto& layer, const Shapes& inputs) {
    all.push_back({AnyLayer<double>(layer), inputs});
  };
  add(Activation{relu}, {{2, 3}});
  add(Add{}, {{2, 3}, {2, 3}});
  add(Bidirectional<GRU>{.layer = gru, .merge_mode = MergeMode::sum}, {{2, 3}});
  add(Bidirectional<LSTM>{.layer = lstm}, {{2, 3}});
  add(Bidirectional<SimpleRNN>{.layer = rnn, .merge_mode = MergeMode::none}, {{2, 3}});
  for (const Index axis : {1, 2, -1}) add(Concatenate{.axis = axis}, {{2, 3}, {2, 3}, {2, 3}});
  add(Dense{.units = 4}, {{2, 3}});
  add(Dense{.units = 4}, {{2, 2, 3}});
  add(Dot{.axes = {1, 1}}, {{2, 3}, {2, 3}});
  add(Dot{.axes = {2, 1}}, {{2, 3}, {3, 2}});
  add(Dropout{.rate = 0.5}, {{2, 3}});
  add(Embedding{.input_dim = 5, .output_dim = 2}, {{3}});
  add(Flatten{}, {{2, 3}});
  add(Flatten{}, {{2, 3, 2}});
  add(gru, {{2, 3}});
  add(LastStep{}, {{2, 3}});
  add(lstm, {{2, 3}});
  add(LuongAttention{.units = 2}, {{2, 3}});
  add(Masking{}, {{2, 3}});
  add(Multiply{}, {{2, 3}, {2, 3}});
  add(Permute{.dims = {2, 1}}, {{2, 3}});
  add(Permute{.dims = {3, 1, 2}}, {{2, 3, 4}});
  add(RepeatVector{.n = 3}, {{2}});
  add(Reshape{.target_shape = {-1}}, {{2, 3}});
  add(Reshape{.target_shape = {3, -1}}, {{2, 3}});
  add(Reshape{.target_shape = {3, 2}}, {{2, 3}});
  add(rnn, {{2, 3}});
  add(Slice{.begin = {0, 1}, .end = {0, 2}, .squeeze = {2}}, {{2, 3}});
  add(Slice{.begin = {1}}, {{2, 3}});
  add(StepAttention{}, {{2, 3}});
  add(TimeDistributed<Flatten>{}, {{2, 3, 2}});
  add(ActivityRegularization{}, {{2, 3}});
  add(AlphaDropout{.rate = 0.5}, {{2, 3}});
  add(Average{}, {{2, 3}, {2, 3}});
  add(AveragePooling1D{.pool_size = 2}, {{6, 3}});
  add(BatchNormalization{}, {{2, 3}});
  for (const WindowPadding padding :
       {WindowPadding::valid, WindowPadding::same, WindowPadding::causal}) {
    add(Conv1D{.filters = 2, .kernel_size = 2, .strides = 2, .padding = padding}, {{6, 3}});
  }
  add(Conv1D{.filters = 2, .kernel_size = 2, .dilation_rate = 2}, {{6, 3}});
  add(Cropping1D{}, {{6, 3}});
  add(ELU{}, {{2, 3}});
  add(GaussianDropout{.rate = 0.5}, {{2, 3}});
  add(GaussianNoise{.stddev = 0.5}, {{2, 3}});
  add(GlobalAveragePooling1D{}, {{2, 3}});
  add(GlobalMaxPooling1D{.keepdims = true}, {{2, 3}});
  add(GroupNormalization{.groups = 3}, {{2, 3}});
  add(Identity{}, {{2, 3}});
  add(LayerNormalization{}, {{2, 3}});
  add(LayerNormalization{.axis = {1, 2}}, {{2, 3}});
  add(LeakyReLU{}, {{2, 3}});
  add(Maximum{}, {{2, 3}, {2, 3}});
  add(MaxPooling1D{.pool_size = 2, .padding = WindowPadding::same}, {{6, 3}});
  add(Minimum{}, {{2, 3}, {2, 3}});
  add(PReLU{.shared_axes = {1}}, {{2, 3}});
  add(PReLU{}, {{2, 3}});
  add(ReLU{}, {{2, 3}});
  add(Rescaling{.scale = 2}, {{2, 3}});
  add(Softmax{.axis = 1}, {{2, 3}});
  add(SpatialDropout1D{.rate = 0.5}, {{2, 3}});
  add(Subtract{}, {{2, 3}, {2, 3}});
  add(UnitNormalization{}, {{2, 3}});
  add(UpSampling1D{}, {{2, 3}});
  add(ZeroPadding1D{}, {{2, 3}});
  add(TimeDistributed<LSTM>{.layer = {.units = 2}}, {{2, 3, 2}});
  return all;
}

/// The input shapes with the axes of a pattern open: bit i is the i-th axis of all inputs together.
Shapes opened(const Shapes& inputs, unsigned pattern) {
  Shapes shapes;
  for (const Shape& shape : inputs) {
    shapes.push_back(shape);
    for (Index axis = 0; axis < shape.rank(); ++axis, pattern >>= 1) {
      if ((pattern & 1u) != 0) shapes.back() = shapes.back().with(axis, any);
    }
  }
  return shapes;
}

Shapes with_length(Shapes shapes, Index length) {
  for (Shape& shape : shapes) {
    for (Index axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == any) shape = shape.with(axis, length);
    }
  }
  return shapes;
}

/// What `use` gives, or nothing if the layer refuses the shapes.
template <class Use>
auto unless_refused(const Use& use) -> std::optional<decltype(use())> {
  try {
    return use();
  } catch (const ShapeError&) {
    return {};
  } catch (const OptionError&) {
    return {};
  }
}

/// Whether an actual shape is one that was said.
bool is_one_of(const Shape& actual, const Shape& said) {
  return std::equal(actual.begin(), actual.end(), said.begin(), said.end(),
                    [](Index a, Index b) { return b == any || a == b; });
}

}  // namespace

TEST_CASE("The output of axes of any length is what it is said to be, whatever the length") {
  std::set<std::string> open;
  for (const Case& one : cases()) {
    const auto& layer = one.layer;
    const Shapes& inputs = one.inputs;
    Index axes = 0;
    for (const Shape& shape : inputs) axes += shape.rank();
    for (unsigned pattern = 1; pattern < 1u << axes; ++pattern) {
      const Shapes shapes = opened(inputs, pattern);
      CAPTURE(layer.type(), shapes[0], shapes.back());
      const auto said = unless_refused([&] { return layer.output_shapes(shapes); });
      if (!said) continue;
      const auto weights = layer.weights(shapes);  // the graph refuses those of unknown shape
      for (const Index length : {1, 2, 3, 6}) {
        const Shapes closed = with_length(shapes, length);
        const auto actual = unless_refused([&] { return layer.output_shapes(closed); });
        if (!actual) continue;
        CAPTURE(length);
        REQUIRE(actual->size() == said->size());
        for (std::size_t k = 0; k < said->size(); ++k) CHECK(is_one_of((*actual)[k], (*said)[k]));
        const auto needed = layer.weights(closed);
        REQUIRE(needed.size() == weights.size());
        for (std::size_t k = 0; k < needed.size(); ++k) {
          CHECK(is_one_of(needed[k].shape, weights[k].shape));
        }
        open.insert(std::string(layer.type()));
      }
    }
  }
  CHECK(open.contains("Flatten"));
  CHECK(open.contains("Concatenate"));
}

TEST_CASE("Every layer is asked about axes of any length") {
  std::set<std::string> asked{"InputLayer"};
  for (const auto& [layer, inputs] : cases()) {
    asked.insert(detail::full_type(layer.type(), layer.config()));
  }
  const auto each = [&]<class... L>(const std::tuple<L...>*) {
    const auto check = [&](const std::string& type) {
      CAPTURE(type);
      CHECK(asked.contains(type));
    };
    (check(detail::full_type<L>()), ...);
  };
  each(static_cast<const AllLayers*>(nullptr));
}

}  // namespace heed::open_lengths_test
