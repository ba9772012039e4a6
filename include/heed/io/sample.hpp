#pragma once

#include <optional>

#include <heed/io/forward_cost.hpp>
#include <heed/io/model_json.hpp>
#include <heed/io/safetensors.hpp>

namespace heed::detail {

// A model's file can contain samples and the model's predictions for them. No weight has one of
// these names, because the names of weights contain a "/".
inline constexpr std::string_view sample_input = "x";
inline constexpr std::string_view sample_output = "y";

/// Throws `E`, beginning with `place`, for samples that need more memory or time than a file is
/// allowed to cause, which is proportional to the number of values in it. Otherwise a small file
/// could cause any amount of work: a RepeatVector in memory, or an LSTM over many steps in time.
template <class E, class Scalar>
void check_sample_cost(const Model<Scalar>& model, View<const Scalar> x, std::string_view place) {
  constexpr double values_each = 100, values_always = 1 << 22;
  constexpr double work_each = 2000, work_always = 1e8;
  auto cost = forward_cost(model.graph());
  if (!model.input_shape().is_known()) {
    // The cost of a model for any length is that of one step.
    cost.values *= static_cast<double>(x.dim(1));
    cost.work *= static_cast<double>(x.dim(1));
  }
  const auto numbers = static_cast<double>(model.count_params() + x.size());
  const double values = (std::max)(values_always, values_each * numbers);
  check<E>(cost.values <= values, place, "model \"", model.name(), "\" needs about ", cost.values,
           " numbers for a sample of ", x.shape().sample(), "; at most ", values,
           " are allowed for weights and samples of ", numbers, " numbers");
  const double work = work_always + work_each * numbers;
  const double all = cost.work * static_cast<double>(x.dim(0));
  check<E>(all <= work, place, "model \"", model.name(), "\" computes about ", all,
           " products for ", x.dim(0), " samples of ", x.shape().sample(), "; at most ", work,
           " are allowed for weights and samples of ", numbers,
           " numbers; use fewer or shorter samples");
}

/// Options with batches so small that they need little more memory than one sample.
template <class Scalar>
PredictOptions sample_batches(const Model<Scalar>& model) {
  constexpr double most = 1 << 16;
  const double values = (std::max)(1.0, forward_cost(model.graph()).values);
  return {.batch_size = static_cast<Index>(std::clamp(most / values, 1.0, 32.0))};
}

/// The model's predictions for samples that are written to its file.
template <class Scalar>
Tensor<Scalar> predict_sample(const Model<Scalar>& model, View<const Scalar> x) {
  model.check_input(x);
  check<DataError>(x.dim(0) > 0, "{.sample = …}: expected at least one sample, got ", x.shape());
  check_sample_cost<DataError>(model, x, "{.sample = …}: ");
  auto y = model.predict(x, sample_batches(model));
  check<DataError>(y.array().isFinite().all(), "{.sample = …}: model \"", model.name(),
                   "\" predicts numbers that are not finite");
  return y;
}

/// Throws `FileError` unless the model's predictions for the samples in its file are those in the
/// file. Does nothing if the file has no samples. Differences are relative to the largest number of
/// y, or to 1 if that is less.
template <class Scalar>
void check_sample(const Model<Scalar>& model, const Safetensors& file,
                  std::optional<double> tolerance, std::string_view where) {
  const auto in = file.tensors.find(sample_input);
  const auto out = file.tensors.find(sample_output);
  if (in == file.tensors.end() && out == file.tensors.end()) return;
  if (tolerance && *tolerance > (std::numeric_limits<double>::max)()) return;
  check<FileError>(in != file.tensors.end() && out != file.tensors.end(), where,
                   " has one of the tensors \"x\" and \"y\" without the other");
  const auto x = read_tensor<Scalar>(file, sample_input, where);
  const auto expected = read_tensor<Scalar>(file, sample_output, where);
  at_place(join(where, ": tensor \"x\""), [&] { model.check_input(x); });
  const Shape shape = model.output_shape().batch(x.dim(0));
  check<FileError>(x.dim(0) > 0 && expected.shape() == shape, where,
                   ": tensor \"y\" has the shape ", expected.shape(),
                   ", and for the samples \"x\" of ", x.shape(), " the model predicts ", shape);
  check_sample_cost<FileError, Scalar>(model, x, join(where, ": "));
  const auto y = model.predict(x, sample_batches(model));
  const bool is_double = sizeof(Scalar) == 8 && out->second.dtype.bits == 64;
  const double scale = (std::max)(1.0, static_cast<double>(expected.array().abs().maxCoeff()));
  const double allowed = tolerance.value_or(is_double ? 1e-10 : 1e-4) * scale;
  const auto off = (y.array() - expected.array()).abs();
  const auto most = static_cast<double>(off.maxCoeff());
  check<FileError>(
      off.isFinite().all() && most <= allowed, where, ": the prediction for the sample differs by ",
      off.isFinite().all() ? to_text(most) : "more than can be represented", ", and ", allowed,
      " is allowed: the file is damaged, or was saved by a program that computes "
      "something else");
}

}  // namespace heed::detail
