#include <heed/io/registry.hpp>

#include <algorithm>
#include <set>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::registry_test {

using heed::testing::message;

namespace {

/// A user's layer: y = factor · x.
struct Scale {
  double factor = 1;

  static constexpr std::string_view type = "Scale";
  static constexpr auto fields() { return std::tuple{field("factor", &Scale::factor)}; }
  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const { return x; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    y.array() = static_cast<S>(factor) * x.array();
  }
  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<const S> dy = args.dy[0];
    const View<S> dx = args.dx[0];
    if (dx) dx.array() = static_cast<S>(factor) * dy.array();
  }
};

/// Another with the same type name.
struct OtherScale : Scale {
  static constexpr auto fields() { return std::tuple{}; }
};

template <Layer L>
void check_made(const L& layer) {
  INFO(L::type);
  const AnyLayer<double> made = Registry<double>().make(L::type, get_config(layer));
  CHECK(made.type() == L::type);
  const L* again = made.get<L>();
  REQUIRE(again != nullptr);
  CHECK(get_config(*again) == get_config(layer));
}

}  // namespace

TEST_CASE(
    "A registry knows every layer of heed, and the TimeDistributed of each that can be in one") {
  std::vector<std::string> expected{"Activation",
                                    "ActivityRegularization",
                                    "Add",
                                    "AlphaDropout",
                                    "Average",
                                    "AveragePooling1D",
                                    "BatchNormalization",
                                    "Bidirectional<GRU>",
                                    "Bidirectional<LSTM>",
                                    "Bidirectional<SimpleRNN>",
                                    "Concatenate",
                                    "Conv1D",
                                    "Cropping1D",
                                    "Dense",
                                    "Dot",
                                    "Dropout",
                                    "ELU",
                                    "Embedding",
                                    "Flatten",
                                    "GRU",
                                    "GaussianDropout",
                                    "GaussianNoise",
                                    "GlobalAveragePooling1D",
                                    "GlobalMaxPooling1D",
                                    "GroupNormalization",
                                    "Identity",
                                    "InputLayer",
                                    "LSTM",
                                    "LastStep",
                                    "LayerNormalization",
                                    "LeakyReLU",
                                    "LuongAttention",
                                    "Masking",
                                    "MaxPooling1D",
                                    "Maximum",
                                    "Minimum",
                                    "Multiply",
                                    "PReLU",
                                    "Permute",
                                    "ReLU",
                                    "RepeatVector",
                                    "Rescaling",
                                    "Reshape",
                                    "SimpleRNN",
                                    "Slice",
                                    "Softmax",
                                    "SpatialDropout1D",
                                    "StepAttention",
                                    "Subtract",
                                    "UnitNormalization",
                                    "UpSampling1D",
                                    "ZeroPadding1D"};
  const std::set<std::string> joins_inputs{"Add",     "Average", "Concatenate", "Dot",
                                           "Maximum", "Minimum", "Multiply",    "Subtract"};
  for (const std::string& inner : std::vector<std::string>(expected)) {
    const bool several = joins_inputs.contains(inner) || inner == "InputLayer";
    if (!several) expected.push_back("TimeDistributed<" + inner + ">");
  }
  std::sort(expected.begin(), expected.end());
  CHECK(Registry<double>().types() == expected);
}

TEST_CASE("Every layer is made again from its configuration") {
  check_made(Activation{.activation = Activation::softsign});
  check_made(Add{});
  check_made(Concatenate{.axis = 1});
  check_made(Dense{.units = 3,
                   .activation = Activation::relu,
                   .use_bias = false,
                   .kernel_initializer = Initializer::he_normal,
                   .bias_initializer = Initializer::ones});
  check_made(Dot{.axes = {1, -1}});
  check_made(Dropout{.rate = 0.1});
  check_made(Flatten{});
  check_made(Input{.shape = std::vector<Index>{10, 2}});
  check_made(LastStep{});
  check_made(LSTM{.units = 5,
                  .activation = Activation::softsign,
                  .recurrent_activation = Activation::hard_sigmoid,
                  .use_bias = false,
                  .unit_forget_bias = false,
                  .return_sequences = true,
                  .go_backwards = true,
                  .kernel_initializer = Initializer::lecun_uniform,
                  .recurrent_initializer = Initializer::glorot_normal});
  check_made(LuongAttention{.units = 7, .kernel_initializer = Initializer::he_uniform});
  check_made(Multiply{});
  check_made(Permute{.dims = {2, 1, 3}});
  check_made(RepeatVector{.n = 4});
  check_made(Reshape{.target_shape = {-1, 2}});
  check_made(StepAttention{.use_bias = false, .kernel_initializer = Initializer::he_uniform});
  check_made(Masking{.mask_value = -1});
  check_made(Embedding{.input_dim = 7, .output_dim = 2, .mask_zero = true});
  check_made(Bidirectional<LSTM>{.layer = {.units = 3}, .merge_mode = MergeMode::mul});
  check_made(Bidirectional<GRU>{.layer = {.units = 3}});
  check_made(Bidirectional<SimpleRNN>{.layer = {.units = 3}});
  check_made(TimeDistributed<Dense>{.layer = {.units = 3, .activation = Activation::relu}});
  check_made(TimeDistributed<Flatten>{});
  check_made(TimeDistributed<Bidirectional<GRU>>{.layer = {.layer = {.units = 3}}});
}

TEST_CASE("A layer in a layer is found by its own type") {
  const auto said = [](const std::string& type) {
    return message<ModelError>([&] {
      Registry<double>().make("Bidirectional", {{"layer", LayerConfig{type, {}}}});
    });
  };
  CHECK(
      said("Dense").starts_with("the layer type \"Bidirectional<Dense>\" is unknown; register a "
                                "layer of your own with registry.add<Bidirectional<Dense>>(), "));
  Registry<double> registry;
  registry.add<Scale>();
  const auto made =
      registry.make("TimeDistributed", {{"layer", LayerConfig{"Scale", {{"factor", 2.5}}}}});
  REQUIRE(made.get<TimeDistributed<Scale>>() != nullptr);
  CHECK(made.get<TimeDistributed<Scale>>()->layer.factor == 2.5);
}

TEST_CASE("A layer of one's own is made after it was added") {
  Registry<double> registry;
  CHECK(message<ModelError>([&] { registry.make("Scale", {}); }) ==
        "the layer type \"Scale\" is unknown; register a layer of your own with "
        "registry.add<Scale>(), and pass the registry: load_model(…, {.registry = registry})");
  registry.add<Scale>();
  const auto made = registry.make("Scale", {{"factor", 2.5}});
  REQUIRE(made.get<Scale>() != nullptr);
  CHECK(made.get<Scale>()->factor == 2.5);
}

TEST_CASE("A type name stands for one layer") {
  Registry<double> registry;
  registry.add<Scale, Dense>();
  registry.add<Scale>();
  CHECK(message<ModelError>([&] { registry.add<OtherScale>(); }) ==
        "the layer type \"Scale\" is registered for another layer");
  CHECK(registry.make("Scale", {}).get<Scale>() != nullptr);
}

TEST_CASE("A configuration that is not the layer's is refused") {
  const Registry<double> registry;
  const auto said = [&](std::string_view type, const Config& config) {
    return message<OptionError>([&] { registry.make(type, config); });
  };
  CHECK(said("Dense", {}) == "Dense needs \"units\"");
  CHECK(said("Dense", {{"units", Index{1}}, {"colour", true}}) == "Dense has no field \"colour\"");
  CHECK(said("Dense", {{"units", 1.0}}) == "\"units\" has a value of the wrong type");
  CHECK(said("Dense", {{"units", Index{1}}, {"activation", std::string("red")}}) ==
        "\"activation\" cannot be \"red\"");
}

}  // namespace heed::registry_test
