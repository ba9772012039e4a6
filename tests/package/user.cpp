// A file of somebody who uses most of heed, and compiles with more warnings than heed itself.
#include <heed/heed.hpp>
#include <heed/io.hpp>
#include <heed/keras.hpp>
#include <heed/plot.hpp>

#include <cstdio>

namespace {

template <class Scalar>
heed::Model<Scalar> new_model() {
  heed::Model<Scalar> model;
  const auto question = model.input("question", {6, 2});
  const auto read = model.add("read", heed::LSTM{.units = 8, .return_sequences = true}, {question});
  const auto attention = model.add("attention", heed::StepAttention{}, {read});
  const auto luong = model.add("luong", heed::LuongAttention{.units = 4}, {attention});
  const auto dense =
      model.add(heed::Dense{.units = 4, .activation = heed::Activation::relu}, {luong});
  const auto sum = model.add(heed::Add{}, {luong, dense});
  const auto both = model.add(heed::Concatenate{}, {sum, luong});
  const auto dropped = model.add(heed::Dropout{.rate = 0.1}, {both});
  model.add("answer", heed::Dense{.units = 2, .activation = heed::Activation::softmax}, {dropped});
  model.build({.seed = 1});
  return model;
}

template <class Scalar>
bool try_out() {
  heed::Tensor<Scalar, 3> x(heed::Shape{32, 6, 2});
  heed::Tensor<Scalar, 2> y(heed::Shape{32, 2});
  heed::Random random(1);
  for (Scalar& value : x.values()) value = static_cast<Scalar>(random.normal());
  for (heed::Index n = 0; n < 32; ++n) y(n, x(n, 0, 0) > 0 ? 1 : 0) = 1;

  auto model = new_model<Scalar>();
  const heed::History history = model.fit(x, y,
                                          {.loss = heed::CategoricalCrossentropy{},
                                           .optimizer = heed::Adam{.learning_rate = 0.05},
                                           .metrics = {heed::CategoricalAccuracy{}},
                                           .epochs = 3,
                                           .batch_size = 8,
                                           .validation_split = 0.25,
                                           .callbacks = {heed::EarlyStopping{.patience = 5}},
                                           .verbose = heed::Verbose::silent});

  heed::save_model(model, "user.safetensors");
  heed::keras::save_model(model, "user.h5");
  const auto again = heed::load_model<Scalar>("user.safetensors");
  const auto of_keras = heed::keras::load_model<Scalar>("user.h5");
  const auto p = model.predict(x);
  const auto weights = model.activations("attention/weights", x);
  heed::plot::save("user.svg", heed::plot::heat_map(weights.samples(0, 1)));

  heed::Model<Scalar> stepwise;
  stepwise.input({6, 2});
  stepwise.add(heed::LSTM{.units = 4, .return_sequences = true});
  stepwise.build();
  heed::Stream<Scalar> stream(stepwise);
  stream.process(heed::Tensor<Scalar, 2>(x.slice(0)));
  return history["loss"].size() == 3 && again.predict(x) == p &&
         of_keras.predict(x).shape() == p.shape();
}

}  // namespace

int main() {
  const bool works = try_out<float>();
  std::puts(works ? "heed works" : "heed does not work");
  return works ? 0 : 1;
}
