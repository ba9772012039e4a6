// The model builder: bytes say which layers are added, with which fields and inputs; each call succeeds
// or throws an Error. A model that is small enough is built and run.

#include <heed/heed.hpp>

#include <fuzzer/FuzzedDataProvider.h>

#include "fuzzing.hpp"
#include "small.hpp"

using namespace heed;
using namespace heed::fuzzing;

namespace {

/// Reads choices from bytes.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : provider_(data, size) {}

  bool left() { return provider_.remaining_bytes() > 0; }
  bool flag() { return provider_.ConsumeBool(); }
  Index upto(Index most) { return provider_.ConsumeIntegralInRange<Index>(0, most); }

  /// Mostly small; sometimes nothing, less, or far too much.
  Index length() {
    const Index choice = upto(31);
    if (choice < 24) return 1 + choice % 6;
    if (choice < 28) return upto(40);
    return provider_.PickValueInArray<Index>(
        {-1, 0, 1000, Index{1} << std::numeric_limits<Index>::digits / 2,
         std::numeric_limits<Index>::max() / 8 + 1, std::numeric_limits<Index>::max()});
  }
  std::vector<Index> lengths() {
    std::vector<Index> result(static_cast<std::size_t>(upto(upto(7) < 7 ? 3 : 7)));
    for (Index& one : result) one = length();
    return result;
  }
  /// Small whole numbers, as axes are, of either sign.
  std::vector<Index> axes() {
    std::vector<Index> result(static_cast<std::size_t>(upto(upto(7) < 7 ? 3 : 7)));
    for (Index& one : result) one = upto(7) - 3;
    return result;
  }
  ActivationFunction activation() {
    const auto& table = Names<ActivationFunction>::table;
    return table[static_cast<std::size_t>(upto(std::ssize(table) - 1))].second;
  }
  Initializer initializer() {
    const auto& table = Names<Initializer>::table;
    return table[static_cast<std::size_t>(upto(std::ssize(table) - 1))].second;
  }
  WindowPadding window_padding() {
    const auto& table = Names<WindowPadding>::table;
    return table[static_cast<std::size_t>(upto(std::ssize(table) - 1))].second;
  }
  MergeMode merge_mode() {
    const auto& table = Names<MergeMode>::table;
    return table[static_cast<std::size_t>(upto(std::ssize(table) - 1))].second;
  }
  double rate() { return provider_.ConsumeFloatingPoint<double>(); }
  std::string name() { return flag() ? "" : provider_.ConsumeRandomLengthString(4); }

 private:
  FuzzedDataProvider provider_;
};

AnyLayer<float> any_layer(Choices& next) {
  using Any = AnyLayer<float>;
  switch (next.upto(53)) {
    case 0: return Any(Activation{.activation = next.activation()});
    case 1: return Any(Add{});
    case 2: return Any(Concatenate{.axis = next.upto(5) - 2});
    case 3:
      return Any(Dense{.units = next.length(),
                       .activation = next.activation(),
                       .use_bias = next.flag(),
                       .kernel_initializer = next.initializer(),
                       .bias_initializer = next.initializer()});
    case 4: return Any(Dot{.axes = next.axes()});
    case 5: return Any(Dropout{.rate = next.flag() ? next.rate() : 0.5});
    case 6: return Any(Flatten{});
    case 7: return Any(Input{.shape = next.lengths()});
    case 8: return Any(LastStep{});
    case 9:
      return Any(LuongAttention{.units = next.length(), .kernel_initializer = next.initializer()});
    case 10: return Any(Multiply{});
    case 11: return Any(Permute{.dims = next.axes()});
    case 12: return Any(RepeatVector{.n = next.length()});
    case 13: return Any(Reshape{.target_shape = next.lengths()});
    case 14:
      return Any(StepAttention{.use_bias = next.flag(), .kernel_initializer = next.initializer()});
    case 15: return Any(Masking{.mask_value = next.flag() ? next.rate() : 0});
    case 16:
      return Any(Embedding{.input_dim = next.length(),
                           .output_dim = next.length(),
                           .embeddings_initializer = next.initializer(),
                           .mask_zero = next.flag()});
    case 17:
      return Any(GRU{.units = next.length(),
                     .activation = next.activation(),
                     .use_bias = next.flag(),
                     .return_sequences = next.flag(),
                     .return_state = next.flag(),
                     .go_backwards = next.flag()});
    case 18:
      return Any(SimpleRNN{.units = next.length(),
                           .activation = next.activation(),
                           .return_sequences = next.flag(),
                           .stateful = next.flag(),
                           .zero_output_for_mask = next.flag()});
    case 19:
      return Any(
          Bidirectional<GRU>{.layer = {.units = next.length(), .return_sequences = next.flag()},
                             .merge_mode = next.merge_mode()});
    case 20:
      return Any(Bidirectional<LSTM>{.layer = {.units = next.length(),
                                               .return_sequences = next.flag(),
                                               .return_state = next.flag(),
                                               .go_backwards = next.flag()},
                                     .merge_mode = next.merge_mode()});
    case 21:
      return Any(Bidirectional<SimpleRNN>{.layer = {.units = next.length(),
                                                    .return_sequences = next.flag(),
                                                    .stateful = next.flag()},
                                          .merge_mode = next.merge_mode()});
    case 22:
      return Any(Conv1D{.filters = next.length(),
                        .kernel_size = next.length(),
                        .strides = next.flag() ? 1 : next.length(),
                        .padding = next.window_padding(),
                        .dilation_rate = next.flag() ? 1 : next.length(),
                        .groups = next.flag() ? 1 : next.length(),
                        .activation = next.activation(),
                        .use_bias = next.flag()});
    case 23:
      return Any(AveragePooling1D{.pool_size = next.length(),
                                  .strides = next.flag() ? 0 : next.length(),
                                  .padding = next.window_padding()});
    case 24:
      return Any(MaxPooling1D{.pool_size = next.length(),
                              .strides = next.flag() ? 0 : next.length(),
                              .padding = next.window_padding()});
    case 25: return Any(GlobalAveragePooling1D{.keepdims = next.flag()});
    case 26: return Any(GlobalMaxPooling1D{.keepdims = next.flag()});
    case 27: return Any(ZeroPadding1D{.padding = next.lengths()});
    case 28: return Any(Cropping1D{.cropping = next.lengths()});
    case 29: return Any(UpSampling1D{.size = next.length()});
    case 30: return Any(Slice{.begin = next.lengths(), .end = next.lengths()});
    case 31:
      return Any(BatchNormalization{.axis = next.upto(4) - 2,
                                    .momentum = next.rate(),
                                    .epsilon = next.flag() ? next.rate() : 1e-3,
                                    .center = next.flag(),
                                    .scale = next.flag()});
    case 32: return Any(TimeDistributed<Dense>{.layer = {.units = next.length()}});
    case 33:
      return Any(TimeDistributed<Bidirectional<GRU>>{
          .layer = {.layer = {.units = next.length()}, .merge_mode = next.merge_mode()}});
    case 34: return Any(ActivityRegularization{.l1 = next.flag() ? next.rate() : 0});
    case 35: return Any(AlphaDropout{.rate = next.rate()});
    case 36: return Any(Average{});
    case 37: return Any(ELU{.alpha = next.rate()});
    case 38: return Any(GaussianDropout{.rate = next.rate()});
    case 39: return Any(GaussianNoise{.stddev = next.rate()});
    case 40:
      return Any(GroupNormalization{.groups = next.upto(7) - 2,
                                    .axis = next.upto(7) - 3,
                                    .center = next.flag(),
                                    .scale = next.flag()});
    case 41: return Any(Identity{});
    case 42:
      return Any(LayerNormalization{.axis = next.axes(),
                                    .epsilon = next.flag() ? next.rate() : 1e-3,
                                    .center = next.flag(),
                                    .scale = next.flag()});
    case 43: return Any(LeakyReLU{.negative_slope = next.rate()});
    case 44: return Any(Maximum{});
    case 45: return Any(Minimum{});
    case 46: return Any(PReLU{.shared_axes = next.axes()});
    case 47:
      return Any(ReLU{.max_value = next.flag() ? next.rate() : ReLU::unlimited,
                      .negative_slope = next.flag() ? next.rate() : 0,
                      .threshold = next.flag() ? next.rate() : 0});
    case 48: return Any(Rescaling{.scale = next.rate(), .offset = next.rate()});
    case 49: return Any(Softmax{.axis = next.upto(7) - 3});
    case 50: return Any(SpatialDropout1D{.rate = next.rate()});
    case 51: return Any(Subtract{});
    case 52: return Any(UnitNormalization{.axis = next.axes()});
    default:
      return Any(LSTM{.units = next.length(),
                      .activation = next.activation(),
                      .recurrent_activation = next.activation(),
                      .use_bias = next.flag(),
                      .unit_forget_bias = next.flag(),
                      .return_sequences = next.flag(),
                      .go_backwards = next.flag(),
                      .kernel_initializer = next.initializer(),
                      .recurrent_initializer = next.initializer()});
  }
}

/// Calls what may throw an Error, and nothing else.
template <class Call>
void may_fail(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    require(*error.what() != '\0', "an error says something");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Limits limits(size);
  Choices next(data, size);
  Model<float> model;
  may_fail([&] {
    const auto lengths = next.lengths();
    model.input(next.name(), Shape(std::span<const Index>(lengths)));
  });
  for (int layer = 0; layer < 12 && next.left(); ++layer) {
    const auto nodes = static_cast<Index>(model.graph().nodes().size());
    std::vector<Node> inputs;
    if (next.upto(7) < 6) {
      inputs.push_back({static_cast<std::size_t>(std::max<Index>(nodes, 1) - 1)});
    }
    for (Index more = next.upto(7) - 5; more > 0; --more) {
      // One beyond the last as well.
      inputs.push_back({static_cast<std::size_t>(next.upto(nodes))});
    }
    const std::string name = next.name();
    const auto before = model.count_params();
    may_fail([&] { model.add(name, any_layer(next), inputs); });
    require(
        static_cast<Index>(model.graph().nodes().size()) > nodes || model.count_params() == before,
        "a layer that was refused left nothing behind");
  }
  if (model.graph().nodes().empty()) return 0;
  if (next.flag()) {
    may_fail([&] {
      model.set_output({static_cast<std::size_t>(next.upto(std::ssize(model.graph().nodes())))});
    });
  }
  model.summary();
  if (!is_small(model)) return 0;
  may_fail([&] {
    model.build({.seed = 1});
    const Model<float> copy = model;
    run_if_small(copy);
    const auto x = some_numbers<float>(model.input_shape().batch(next.upto(3)));
    const auto y = model.predict(x), same = copy.predict(x, {.batch_size = 2});
    require((y.array() == same.array() || y.array().isNaN()).all(),
            "a copy predicts the same bits");
    Tape<float> tape;
    model.forward(x, tape);
  });
  return 0;
}
