#pragma once

#include <heed/math/finite.hpp>
#include <heed/model/model.hpp>
#include <heed/train/batches.hpp>
#include <heed/train/loss.hpp>
#include <heed/train/position.hpp>

namespace heed::detail {

/// Throws `DataError` when x has a NaN or an infinity, with where the first one stands.
template <class Scalar>
void check_finite(std::string_view name, View<const Scalar> x) {
  const Scalar* const first = find_not_finite(x.values());
  if (first == x.data() + x.size()) return;
  throw DataError(join(name, " has ", static_cast<double>(*first), " at ",
                       position_text(x.shape(), first - x.data())));
}

/// Throws unless the model is built and takes x, and the loss takes y for what the model gives.
/// Returns the data with y in the shape of the output. `role` stands in front of names: "", or
/// "validation ".
template <class Scalar>
Dataset<Scalar> check_data(const Model<Scalar>& model, const Loss<Scalar>& loss,
                           const Dataset<Scalar>& data, std::string_view role) {
  const auto [x, y] = data;
  check<OptionError>(bool(loss), "model \"", model.name(), "\": expected a loss");
  model.check_input(x);
  check<DataError>(x.dim(0) > 0, "model \"", model.name(), "\": ", role, "x has no samples");
  check<ShapeError>(y.rank() > 0 && y.dim(0) == x.dim(0), "model \"", model.name(),
                    "\": expected as many samples in ", role, "x as in y, got x of ", x.shape(),
                    " and y of ", y.shape());
  Shape expected = model.output_shape().batch(y.dim(0));
  for (Index axis = 1; axis < (std::min)(expected.rank(), y.rank()); ++axis) {
    if (expected[axis] == any) expected = expected.with(axis, y.dim(axis));
  }
  const auto targets = fit_targets(y, expected);
  const bool are_classes = loss.canonical_activation() == ActivationFunction::softmax &&
                           fit_targets(y, expected.with_last(1)).rank() > 0;
  const auto advice = join("; one_hot(y, ", expected.back(), ") makes rows of class numbers");
  check<ShapeError>(targets.shape() == expected, loss.name(), ": expected ", role, "y of ",
                    expected, ", which is what ", model.graph().title(model.graph().output()),
                    " gives, got ", y.shape(), are_classes ? advice : "");
  check_finite(join(role, "x"), x);
  check_finite(join(role, "y"), y);
  loss.check_targets(targets);
  return {x, targets};
}

inline void check_batch_size(Index batch_size) {
  check<OptionError>(batch_size >= 1, "expected a batch_size of at least 1, got ", batch_size);
}

}  // namespace heed::detail
