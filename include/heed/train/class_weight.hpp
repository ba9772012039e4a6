#pragma once

#include <cmath>

#include <heed/train/data_checks.hpp>

namespace heed::detail {

/// Converts class weights to a weight for each sample or step, a `sample_weight`.
template <class Scalar>
class ClassWeights {
 public:
  /// Throws `OptionError` for weights that are negative or not finite, and `DataError` if targets
  /// are not classes, if a class of y has no weight, or if a class with a weight does not occur in
  /// y.
  ClassWeights(const std::vector<double>& weights, const Column<Scalar>& y)
      : weights_(weights), occurs_(weights.size(), false) {
    for (const double weight : weights) {
      check<OptionError>(is_finite(weight) && weight >= 0,
                         "class_weight: expected numbers of at least 0, got ", weight);
    }
    if (y.sequences() == nullptr) {
      const View<const Scalar> targets = y.values();
      values_.resize(shape_of(targets.shape()));
      weigh(targets, values_);
    } else {
      for (Index n = 0; n < y.samples(); ++n) {
        const View<const Scalar> targets = y.sequence(n);
        const Index classes = targets.rank() > 1 ? targets.shape().back() : 1;
        Tensor<Scalar> one(Shape{targets.size() / classes});
        weigh(classes == 1 ? targets.reshaped({targets.size(), 1}) : targets, one);
        sequences_.push_back(one);
      }
    }
    for (std::size_t label = 0; label < weights.size(); ++label) {
      check<DataError>(occurs_[label], "class_weight has a weight for class ", label,
                       ", which does not occur in y");
    }
  }

  Column<Scalar> column(Index padding) const {
    if (sequences_.samples() == 0) return values_.view();
    return Column<Scalar>(sequences_).padded(padding);
  }

 private:
  /// (N) for targets (N, C), (N, T) for targets (N, T, C).
  static Shape shape_of(const Shape& targets) {
    check<DataError>(
        targets.rank() <= 3,
        "class_weight: expected targets of (samples) or (samples, steps) and classes, got ",
        targets);
    return targets.rank() < 3 ? Shape{targets[0]} : Shape{targets[0], targets[1]};
  }

  void weigh(View<const Scalar> y, View<Scalar> to) {
    const Index classes = y.shape().back();
    for (Index i = 0; i < to.size(); ++i) {
      const Scalar* const row = y.data() + i * classes;
      const Scalar label =
          classes == 1 ? *row : static_cast<Scalar>(std::max_element(row, row + classes) - row);
      check<DataError>(label >= 0 && label == std::floor(label),
                       "class_weight: expected classes in y, got ", static_cast<double>(label));
      check<DataError>(label < static_cast<Scalar>(weights_.size()), "class_weight has ",
                       weights_.size(), " weights, but none for class ", static_cast<double>(label),
                       " of y");
      const auto place = static_cast<std::size_t>(label);
      occurs_[place] = true;
      to.data()[i] = static_cast<Scalar>(weights_[place]);
    }
  }

  const std::vector<double>& weights_;
  std::vector<bool> occurs_;
  Tensor<Scalar> values_;
  Sequences<Scalar> sequences_;
};

}  // namespace heed::detail
