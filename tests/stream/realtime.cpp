// Steps and blocks of a stream in functions that clang takes for real-time ones: built with
// -fsanitize=realtime, the program ends with an error when one of them allocates, takes a lock or calls the
// system. It prints how many steps it has run. With an argument it does allocate there, which has to be seen.

#include <heed/heed.hpp>

#include <iostream>

namespace {

using namespace heed;

/// Every layer that can be streamed, and behind them those that need all steps at once.
Model<float> every_layer() {
  Model<float> model;
  const Node x = model.input({6, 2});
  const Node lstm = model.add(LSTM{.units = 33, .return_sequences = true}, x);
  const Node dense = model.add(Dense{.units = 33, .activation = Activation::tanh}, x);
  const Node dropped = model.add(Dropout{.rate = 0.5}, dense);
  const Node product = model.add(Multiply{}, {lstm, dropped});
  const Node sum = model.add(Add{}, {lstm, dropped});
  const Node both = model.add(Concatenate{}, {product, sum});
  const Node relu = model.add(Activation{.activation = Activation::relu}, both);
  const LSTM other{
      .units = 7, .activation = ActivationFunction::softsign, .return_sequences = true};
  const Node second = model.add(other, relu);
  const Node last = model.add(LastStep{}, second);
  const Node attention = model.add(LuongAttention{.units = 4}, second);
  model.add(Concatenate{}, {attention, last});
  model.add(RepeatVector{.n = 3});
  model.add(LSTM{.units = 5, .return_sequences = true, .go_backwards = true});
  model.add(StepAttention{});
  model.add(Permute{.dims = {2, 1}});
  model.add(Flatten{});
  model.add(Dense{.units = 3, .activation = Activation::softmax});
  model.build();
  return model;
}

void step(Stream<float>& stream, View<const float> x) noexcept [[clang::nonblocking]] {
  const FlushDenormals flush;
  for (Index t = 0; t < x.dim(0); ++t) stream.step(std::span(x.data() + 2 * t, 2));
}

void process(Stream<float>& stream, View<const float> x) noexcept [[clang::nonblocking]] {
  stream.process(x);
}

void allocate(Tensor<float>& memory) noexcept [[clang::nonblocking]] { memory.resize({12'345}); }

}  // namespace

int main(int count, char**) {
  const Model<float> model = every_layer();
  const Tensor<float> x(Shape{40, 2});
  Stream<float> stream(model, {.capacity = 10});
  step(stream, x);
  stream.process(x);  // makes the memory for blocks of this length
  process(stream, x);
  process(stream, x.samples(0, 7));
  step(stream, x);
  process(stream, x);
  std::cout << stream.steps() << " steps\n";
  if (count > 1) {
    Tensor<float> memory;
    allocate(memory);
  }
}
