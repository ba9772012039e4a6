#pragma once

#include <cmath>
#include <concepts>

#include <heed/math/finite.hpp>
#include <heed/tensor/tensor.hpp>
#include <heed/train/position.hpp>

namespace heed {

/// For each class number a row of `classes` numbers, 1 at the index of the class and 0 elsewhere,
/// as CategoricalCrossentropy expects its targets. Labels (N, …) give (N, …, classes); a last axis
/// of 1 is dropped. Throws `DataError` for a label that is not a whole number in [0, classes).
///
///     model.fit(x, one_hot<float>(labels, 10), {.loss = CategoricalCrossentropy{}});
template <class Scalar>
Tensor<Scalar> one_hot(View<const Scalar> labels, Index classes) {
  check<OptionError>(classes > 0, "one_hot: expected one class or more, got ", classes);
  Shape shape = labels.shape();
  if (shape.rank() > 1 && shape.back() == 1) {
    shape = shape.with_last(classes);
  } else {
    shape.push_back(classes);
  }
  Tensor<Scalar> rows(shape);
  rows.set_zero();
  for (Index i = 0; i < labels.size(); ++i) {
    const Scalar label = labels.data()[i];
    const bool fits = is_finite(label) && label >= 0 && label < static_cast<Scalar>(classes);
    check<DataError>(fits && label == std::floor(label),
                     "one_hot: expected whole numbers from 0 to ", classes - 1, ", got ",
                     static_cast<double>(label), " at ", detail::position_text(labels.shape(), i));
    rows.data()[i * classes + static_cast<Index>(label)] = 1;
  }
  return rows;
}

/// The same for a list of numbers: N labels give (N, classes).
template <class Scalar, std::integral Label>
Tensor<Scalar> one_hot(const std::vector<Label>& labels, Index classes) {
  Tensor<Scalar> numbers(Shape{std::ssize(labels)});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    numbers.data()[i] = static_cast<Scalar>(labels[i]);
  }
  return one_hot<Scalar>(numbers.view(), classes);
}

}  // namespace heed
