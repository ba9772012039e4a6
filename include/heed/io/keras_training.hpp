#pragma once

#include <heed/io/json.hpp>
#include <heed/train/losses.hpp>
#include <heed/train/metrics.hpp>
#include <heed/train/optimizer.hpp>

namespace heed::detail {

/// An object with its arguments as Keras writes it, `{"class_name": …, "config": {…}}`.
inline nlohmann::ordered_json keras_object(std::string_view class_name, const Config& config) {
  return {{"class_name", class_name}, {"config", config_to_json(config)}};
}

// Keras knows objects without arguments by their names.

template <class T>
concept HasName = requires {
  T::name;
};

template <class T>
concept HasLearningRate = requires(const T& part) {
  part.learning_rate;
};

template <class T>
  requires(HasName<T> && !HasLearningRate<T>)
nlohmann::ordered_json keras_training(const T&) { return T::name; }

inline nlohmann::ordered_json keras_training(std::string_view name) { return name; }

/// An object with fields: only its name if all fields have their defaults.
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
inline nlohmann::ordered_json keras_training(const SparseCategoricalCrossentropy& loss) {
  return keras_part("SparseCategoricalCrossentropy", loss);
}
inline nlohmann::ordered_json keras_training(const SparseTopKCategoricalAccuracy& metric) {
  return keras_part("SparseTopKCategoricalAccuracy", metric);
}
inline nlohmann::ordered_json keras_training(const BinaryAccuracy& metric) {
  return keras_part("BinaryAccuracy", metric);
}

/// The name of an optimizer's class in Keras.
inline std::string_view keras_optimizer_class(std::string_view name) {
  constexpr auto classes = std::to_array<std::string_view>(
      {"Adadelta", "Adagrad", "Adam", "Adamax", "AdamW", "Lion", "Nadam", "RMSprop", "SGD"});
  const auto is_called = [name](std::string_view type) {
    return std::equal(type.begin(), type.end(), name.begin(), name.end(),
                      [](char a, char b) { return (a | 0x20) == (b | 0x20); });
  };
  return *std::find_if(classes.begin(), classes.end(), is_called);
}

/// An optimizer with all its fields, except for clipping limits and a decay of 0, which are off in
/// heed and missing in Keras. AdamW's decay has another default.
template <HasLearningRate O>
nlohmann::ordered_json keras_training(const O& optimizer) {
  Config config = get_config(optimizer);
  std::erase_if(config, [](const auto& field) {
    const bool may_be_off = field.first.find("clip") != std::string::npos ||
                            (field.first == "weight_decay" && !std::same_as<O, AdamW>);
    return may_be_off && field.second == ConfigValue(0.0);
  });
  return keras_object(keras_optimizer_class(O::name), config);
}

}  // namespace heed::detail

namespace heed::keras {

/// A loss, a metric or an optimizer of heed in Keras's form, or the name of one that only Keras
/// has.
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

/// The options of `fit` with which Keras continues to train the model; nothing is written without a
/// loss. If a model has several outputs, all have this loss and these metrics. `batch_size` is the
/// number of samples in a batch, 0 for any number; a model with a stateful layer needs it.
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
