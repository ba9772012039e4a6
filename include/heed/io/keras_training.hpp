#pragma once

#include <heed/io/json.hpp>
#include <heed/train/losses.hpp>
#include <heed/train/metrics.hpp>
#include <heed/train/optimizers.hpp>

namespace heed::detail {

/// `{"class_name": …, "config": {…}}`, as Keras writes an object with its arguments.
inline nlohmann::ordered_json keras_object(std::string_view class_name, const Config& config) {
  return {{"class_name", class_name}, {"config", config_to_json(config)}};
}

// What needs no arguments is known to Keras by its name.

template <class T>
  requires requires { T::name; }
nlohmann::ordered_json keras_training(const T&) { return T::name; }

inline nlohmann::ordered_json keras_training(std::string_view name) { return name; }

/// One with fields of its own: by its name where all have their defaults.
template <class T>
nlohmann::ordered_json keras_part(std::string_view class_name, const T& part) {
  const Config config = get_config(part);
  if (config == get_config(T{})) return T::name;
  Config named{{"name", std::string(T::name)}};
  named.insert(named.end(), config.begin(), config.end());
  return keras_object(class_name, named);
}

inline nlohmann::ordered_json keras_training(const BinaryCrossentropy& loss) {
  return keras_part("BinaryCrossentropy", loss);
}
inline nlohmann::ordered_json keras_training(const CategoricalCrossentropy& loss) {
  return keras_part("CategoricalCrossentropy", loss);
}
inline nlohmann::ordered_json keras_training(const BinaryAccuracy& metric) {
  return keras_part("BinaryAccuracy", metric);
}

/// With all its fields, but for a bound of gradients that is 0, which is off, and absent.
template <class O>
nlohmann::ordered_json keras_optimizer(std::string_view class_name, const O& optimizer) {
  Config config = get_config(optimizer);
  std::erase_if(config, [](const auto& field) {
    return field.first.find("clip") != std::string::npos && field.second == ConfigValue(0.0);
  });
  return keras_object(class_name, config);
}

inline nlohmann::ordered_json keras_training(const SGD& optimizer) {
  return keras_optimizer("SGD", optimizer);
}
inline nlohmann::ordered_json keras_training(const Adam& optimizer) {
  return keras_optimizer("Adam", optimizer);
}
inline nlohmann::ordered_json keras_training(const RMSprop& optimizer) {
  return keras_optimizer("RMSprop", optimizer);
}

}  // namespace heed::detail

namespace heed::keras {

/// A loss, a metric or an optimizer of heed's as Keras says it, or the name of one of Keras's own.
class TrainingPart {
 public:
  /// From a loss, an optimizer or a metric.
  template <class T>
    requires requires(const T& part) { detail::keras_training(part); }
  TrainingPart(const T& part)  // NOLINT(google-explicit-constructor): `.loss = MeanSquaredError{}`
      : json_(detail::keras_training(part)) {}

  const nlohmann::ordered_json& json() const { return json_; }

 private:
  nlohmann::ordered_json json_;
};

/// What Keras is to go on training with, as `fit` was told; nothing unless a loss is given. Of several outputs each has
/// this loss and these metrics. And how many samples its
/// batches have, 0 for any number: for a model with a stateful layer Keras has to know.
///
///     keras::save_model(model, "model.h5", {.loss = BinaryCrossentropy{}, .optimizer = Adam{},
///                                           .metrics = {BinaryAccuracy{}}});
struct CompileOptions {
  std::optional<TrainingPart> loss = {};
  TrainingPart optimizer = Adam{};
  std::vector<TrainingPart> metrics = {};
  Index batch_size = 0;
};

}  // namespace heed::keras
