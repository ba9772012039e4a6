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

inline nlohmann::ordered_json keras_crossentropy(std::string_view class_name, std::string_view name,
                                                 bool from_logits, double label_smoothing) {
  if (!from_logits && label_smoothing == 0) return name;
  return keras_object(class_name, {{"name", std::string(name)},
                                   {"from_logits", from_logits},
                                   {"label_smoothing", label_smoothing}});
}

inline nlohmann::ordered_json keras_training(const BinaryCrossentropy& loss) {
  return keras_crossentropy("BinaryCrossentropy", loss.name, loss.from_logits,
                            loss.label_smoothing);
}

inline nlohmann::ordered_json keras_training(const CategoricalCrossentropy& loss) {
  return keras_crossentropy("CategoricalCrossentropy", loss.name, loss.from_logits,
                            loss.label_smoothing);
}

inline nlohmann::ordered_json keras_training(const BinaryAccuracy& metric) {
  if (metric.threshold == 0.5) return metric.name;
  return keras_object("BinaryAccuracy",
                      {{"name", std::string(metric.name)}, {"threshold", metric.threshold}});
}

/// With the fields that every optimizer has; a bound of gradients that is 0 is off, and absent.
template <class O>
nlohmann::ordered_json keras_optimizer(std::string_view class_name, const O& optimizer,
                                       Config config) {
  config.emplace_back("learning_rate", optimizer.learning_rate);
  const auto bound = [&](const char* name, double value) {
    if (value != 0) config.emplace_back(name, value);
  };
  bound("clipnorm", optimizer.clipnorm);
  bound("clipvalue", optimizer.clipvalue);
  bound("global_clipnorm", optimizer.global_clipnorm);
  return keras_object(class_name, config);
}

inline nlohmann::ordered_json keras_training(const SGD& optimizer) {
  return keras_optimizer("SGD", optimizer,
                         {{"momentum", optimizer.momentum}, {"nesterov", optimizer.nesterov}});
}

inline nlohmann::ordered_json keras_training(const Adam& optimizer) {
  return keras_optimizer(
      "Adam", optimizer,
      {{"beta_1", optimizer.beta_1}, {"beta_2", optimizer.beta_2}, {"epsilon", optimizer.epsilon}});
}

inline nlohmann::ordered_json keras_training(const RMSprop& optimizer) {
  return keras_optimizer("RMSprop", optimizer,
                         {{"rho", optimizer.rho},
                          {"momentum", optimizer.momentum},
                          {"epsilon", optimizer.epsilon},
                          {"centered", optimizer.centered}});
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

/// What Keras is to go on training with, as `fit` was told; nothing unless a loss is given.
///
///     keras::save_model(model, "model.h5", {.loss = BinaryCrossentropy{}, .optimizer = Adam{},
///                                           .metrics = {BinaryAccuracy{}}});
struct CompileOptions {
  std::optional<TrainingPart> loss = {};
  TrainingPart optimizer = Adam{};
  std::vector<TrainingPart> metrics = {};
};

}  // namespace heed::keras
