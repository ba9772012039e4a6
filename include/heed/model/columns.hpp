#pragma once

#include <memory>
#include <utility>

#include <heed/layers/steps.hpp>
#include <heed/model/named_list.hpp>
#include <heed/tensor/sequences.hpp>
#include <heed/tensor/tensor.hpp>

namespace heed {

/// The samples of one input or one output of a model: a tensor (N, …), with a mask if some steps
/// are masked, or `Sequences` of unequal lengths. It refers to them, so they must outlive it, except
/// that it keeps a temporary tensor and temporary `Sequences`. It always refers to the mask.
template <class Scalar>
class Column {
 public:
  Column() = default;
  template <class T>
    requires(!std::same_as<T, Column> && std::convertible_to<const T&, View<const Scalar>>)
  Column(const T& values, Mask mask = {})  // NOLINT(google-explicit-constructor)
      : values_(values), mask_(mask), count_(values_.rank() > 0 ? values_.dim(0) : 0) {}
  Column(const Sequences<Scalar>& sequences)  // NOLINT(google-explicit-constructor)
      : sequences_(&sequences), count_(sequences.samples()) {}
  template <int Rank>
  Column(Tensor<Scalar, Rank>&& values, Mask mask = {})  // NOLINT(google-explicit-constructor)
      : Column(std::make_shared<const Tensor<Scalar, Rank>>(std::move(values)), mask) {}
  Column(Sequences<Scalar>&& sequences)  // NOLINT(google-explicit-constructor)
      : Column(std::make_shared<const Sequences<Scalar>>(std::move(sequences))) {}

  /// Whether it refers to any samples.
  explicit operator bool() const { return sequences_ != nullptr || bool(values_); }
  Index samples() const { return count_; }

  /// The tensor; false for `Sequences`.
  View<const Scalar> values() const { return values_; }
  Mask mask() const { return mask_; }
  /// The `Sequences`; null for a tensor.
  const Sequences<Scalar>* sequences() const { return sequences_; }

  /// The shape of all samples: (N, …), with `any` for the steps of `Sequences` of unequal lengths.
  Shape shape() const {
    if (sequences_ == nullptr) return values_.shape();
    Shape shape{count_, padded_ == any && !is_even() ? any : steps(0)};
    for (const Index length : sequences_->step_shape()) shape.push_back(length);
    return shape;
  }

  /// The same samples, with `Sequences` padded with zeros to a length of `steps`, or, for `any`, to
  /// the longest sequence of each batch.
  Column padded(Index steps) const {
    Column column = *this;
    column.padded_ = steps;
    return column;
  }

  /// The length to which `Sequences` are padded; `any` if it differs between batches.
  Index padding() const { return padded_; }

  /// The same numbers with another shape, (N, …), that has as many elements.
  Column reshaped(const Shape& shape) const {
    Column column = *this;
    column.values_ = values_.reshaped(shape);
    return column;
  }

  /// The samples `first` to `first + count - 1`.
  Column part(Index first, Index count) const {
    Column column = *this;
    column.count_ = count;
    if (sequences_ != nullptr) {
      column.first_ += first;
      return column;
    }
    column.values_ = values_.samples(first, count);
    if (mask_) column.mask_ = mask_.samples(first, count);
    return column;
  }

  /// The number of time steps of sample n, including masked ones; 1 without a time axis.
  Index steps(Index n) const {
    if (padded_ != any) return padded_;
    if (sequences_ != nullptr) return sequences_->steps(first_ + n);
    return values_.rank() >= 2 ? values_.dim(1) : 1;
  }

  /// The number of steps of sample n that are not masked.
  Index counted_steps(Index n) const {
    if (sequences_ != nullptr) return sequences_->steps(first_ + n);
    if (!mask_) return steps(n);
    const std::uint8_t* const row = mask_.data() + n * mask_.dim(1);
    return std::count_if(row, row + mask_.dim(1), [](std::uint8_t counts) { return counts != 0; });
  }
  /// Whether the samples can have different numbers of steps that are not masked.
  bool has_lengths() const { return sequences_ != nullptr || bool(mask_); }

  /// Only for `Sequences`: the numbers of sample n, (T, …).
  View<const Scalar> sequence(Index n) const { return (*sequences_)[first_ + n]; }

 private:
  template <class T, class... More>
  explicit Column(std::shared_ptr<const T> kept, const More&... more) : Column(*kept, more...) {
    kept_ = std::move(kept);
  }

  bool is_even() const {
    for (Index n = 1; n < count_; ++n) {
      if (steps(n) != steps(0)) return false;
    }
    return count_ > 0;
  }

  View<const Scalar> values_ = {};
  Mask mask_ = {};
  const Sequences<Scalar>* sequences_ = nullptr;
  std::shared_ptr<const void> kept_ = nullptr;  ///< what was a temporary
  Index first_ = 0;                             ///< the first sample in `sequences_`
  Index count_ = 0;
  Index padded_ = any;
};

/// The data for a model's inputs: a tensor or `Sequences` for the only input, a list for several
/// inputs, or a list by names: `model.predict({{"left", a}, {"right", b}})`.
template <class Scalar>
using Columns = NamedList<Column<Scalar>>;

}  // namespace heed
