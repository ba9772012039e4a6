#include <heed/check/gradient_check.hpp>
#include <heed/io.hpp>
#include <heed/keras.hpp>
#include <heed/stream/stream.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/networks.hpp"

namespace heed::moved_model_test {

TEST_CASE("Whatever takes a model says that it was moved from") {
  Model<double> model("net");
  model.input({4, 2});
  model.add(LSTM{.units = 3});
  model.add(Dense{.units = 1});
  model.build();
  const Model<double> taken = std::move(model);
  const Tensor<double> x(Shape{2, 4, 2}), y(Shape{2, 1});
  const std::string end = " before build(); it has no layers, so it may have been moved from";
  const auto said = [&](auto use) { return testing::message<ModelError>(use); };
  const FitOptions<double> how{.loss = MeanSquaredError{}, .verbose = Verbose::silent};
  CHECK(said([&] { save_model(model); }) == "model \"model\" is saved" + end);
  CHECK(said([&] { save_weights(model); }) == "model \"model\" is saved" + end);
  CHECK(said([&] { keras::save_model(model); }) == "model \"model\" is saved" + end);
  CHECK(said([&] { pytorch::save_weights(model, {}); }) == "model \"model\" is saved" + end);
  CHECK(said([&] { Stream<double>{model}; }) == "model \"model\" is streamed" + end);
  CHECK(said([&] { Trainer<double>(model, {.loss = MeanSquaredError{}}); }) ==
        "model \"model\" is trained" + end);
  CHECK(said([&] { model.fit(x, y, how); }) == "model \"model\" is used" + end);
  CHECK(said([&] { model.evaluate(x, y, {.loss = MeanSquaredError{}}); }) ==
        "model \"model\" is used" + end);
  CHECK(said([&] { gradient_check(model, x, y, MeanSquaredError{}); }) ==
        "model \"model\" is used" + end);
  CHECK_FALSE(model.summary().empty());
}

}  // namespace heed::moved_model_test
