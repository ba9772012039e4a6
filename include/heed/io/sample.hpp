#pragma once

#include <optional>

#include <heed/io/model_json.hpp>
#include <heed/io/safetensors.hpp>

namespace heed::detail {

// A model's file can carry samples and what the model predicts for them. No weight has such a name:
// every one has its layer's in front, and a "/".
inline constexpr std::string_view sample_input = "x";
inline constexpr std::string_view sample_output = "y";

/// Sample by sample, so that memory does not grow with their number.
inline constexpr PredictOptions one_by_one{.batch_size = 1};

/// Whether computing one sample takes memory in proportion to the numbers that the file has. A layer
/// such as RepeatVector could ask for any amount.
template <class Scalar>
bool sample_is_bounded(const Model<Scalar>& model, View<const Scalar> x) {
  constexpr double most = 100;
  double values = 0;
  for (const auto& node : model.graph().nodes()) values += static_cast<double>(node.shape.size());
  return values <= most * static_cast<double>(model.count_params() + x.size());
}

/// What the model predicts for samples that are to go into its file.
template <class Scalar>
Tensor<Scalar> predict_sample(const Model<Scalar>& model, View<const Scalar> x) {
  model.check_input(x);
  check<DataError>(x.dim(0) > 0, "{.sample = …}: expected at least one sample, got ", x.shape());
  check<DataError>(sample_is_bounded(model, x), "{.sample = …}: the values that model \"",
                   model.name(), "\" computes from a sample of ", x.shape().sample(),
                   " are more than 100 times its weights and samples together");
  auto y = model.predict(x, one_by_one);
  check<DataError>(y.array().isFinite().all(), "{.sample = …}: model \"", model.name(),
                   "\" predicts numbers that are not finite");
  return y;
}

/// Throws `FileError` unless the model predicts what its file says for the samples that it carries;
/// nothing when it carries none. Differences count by the largest number of y, or by 1.
template <class Scalar>
void check_sample(const Model<Scalar>& model, const Safetensors& file,
                  std::optional<double> tolerance, std::string_view where) {
  const auto in = file.tensors.find(sample_input);
  const auto out = file.tensors.find(sample_output);
  if (in == file.tensors.end() && out == file.tensors.end()) return;
  check<FileError>(in != file.tensors.end() && out != file.tensors.end(), where,
                   " has one of the tensors \"x\" and \"y\" without the other");
  const auto x = read_tensor<Scalar>(file, sample_input, where);
  const auto expected = read_tensor<Scalar>(file, sample_output, where);
  at_place(join(where, ": tensor \"x\""), [&] { model.check_input(x); });
  const Shape shape = model.output_shape().batch(x.dim(0));
  check<FileError>(x.dim(0) > 0 && expected.shape() == shape, where,
                   ": tensor \"y\" has the shape ", expected.shape(),
                   ", and for the samples \"x\" of ", x.shape(), " the model predicts ", shape);
  check<FileError>(
      sample_is_bounded<Scalar>(model, x), where,
      ": the values that the model computes from its sample are more than 100 times its "
      "weights and samples together");

  const auto y = model.predict(x, one_by_one);
  const bool is_double = sizeof(Scalar) == 8 && out->second.dtype.bits == 64;
  const double scale = std::max(1.0, static_cast<double>(expected.array().abs().maxCoeff()));
  const double allowed = tolerance.value_or(is_double ? 1e-10 : 1e-4) * scale;
  const auto off = (y.array() - expected.array()).abs();
  const auto most = static_cast<double>(off.maxCoeff());
  check<FileError>(off.isFinite().all() && most <= allowed, where,
                   ": what the model predicts for its sample is off by ",
                   off.isFinite().all() ? to_text(most) : "more than can be said", ", and ",
                   allowed,
                   " is allowed: the file is damaged, or was saved by a program that computes "
                   "something else");
}

}  // namespace heed::detail
