#pragma once

#include <heed/model/columns.hpp>
#include <heed/model/graph.hpp>

// Takes samples out of columns to make a batch.

namespace heed::detail {

/// The samples to take: `count` consecutive ones, or those of a list.
struct Rows {
  Index first = 0;
  Index count = 0;
  std::span<const Index> list = {};

  Index operator[](Index i) const {
    return list.empty() ? first + i : list[static_cast<std::size_t>(i)];
  }
};

/// The time steps to take; all if `count` is `any`.
struct Window {
  Index first = 0;
  Index count = any;
};

/// Some samples of a column as one batch. It keeps its memory, so the second batch of a size
/// allocates nothing.
template <class Scalar>
class Taken {
 public:
  View<const Scalar> values() const { return values_; }  ///< (rows, …)
  Mask mask() const { return mask_; }                    ///< (rows, T); false: all steps count

  void take(const Column<Scalar>& column, const Rows& rows, const Window& window = {}) {
    mask_ = {};
    if (column.sequences() != nullptr) {
      pad(column, rows, window);
    } else if (rows.list.empty() && window.count == any) {
      const Column<Scalar> part = column.part(rows.first, rows.count);
      values_ = part.values();
      mask_ = part.mask();
    } else {
      gather(column, rows, window);
    }
  }

 private:
  void gather(const Column<Scalar>& column, const Rows& rows, const Window& window) {
    const View<const Scalar> from = column.values();
    Shape shape = from.shape().with(0, rows.count);
    const Index T = from.rank() >= 2 ? from.dim(1) : 1;
    const bool is_cut = window.count != any && from.rank() >= 2;
    const Index count = is_cut ? (std::min)(window.count, T - window.first) : T;
    if (is_cut) shape = shape.with(1, count);
    memory_.resize(shape);
    const Index width = from.shape().product((std::min)(from.rank(), Index{2}), from.rank());
    Scalar* next = memory_.data();
    for (Index i = 0; i < rows.count; ++i) {
      const Scalar* const row = from.data() + (rows[i] * T + (is_cut ? window.first : 0)) * width;
      next = std::copy_n(row, count * width, next);
    }
    values_ = memory_;
    if (!column.mask()) return;
    counts_.resize(static_cast<std::size_t>(rows.count * count));
    auto counts = counts_.begin();
    for (Index i = 0; i < rows.count; ++i) {
      counts = std::copy_n(column.mask().data() + rows[i] * T + window.first, count, counts);
    }
    mask_ = {counts_.data(), {rows.count, count}};
  }

  /// Pads sequences with zeros after their end. The result has at least one step, because layers
  /// need one.
  void pad(const Column<Scalar>& column, const Rows& rows, const Window& window) {
    Index longest = 1;
    for (Index i = 0; i < rows.count; ++i) longest = (std::max)(longest, column.steps(rows[i]));
    const Index T =
        window.count == any ? longest : std::clamp<Index>(longest - window.first, 1, window.count);
    Shape shape{rows.count, T};
    for (const Index length : column.sequences()->step_shape()) shape.push_back(length);
    memory_.resize(shape);
    counts_.resize(static_cast<std::size_t>(rows.count * T));
    const Index width = shape.product(2, shape.rank());
    Scalar* next = memory_.data();
    auto counts = counts_.begin();
    for (Index i = 0; i < rows.count; ++i) {
      const View<const Scalar> from = column.sequence(rows[i]);
      const Index count = std::clamp<Index>(column.counted_steps(rows[i]) - window.first, 0, T);
      next = std::copy_n(from.data() + (count > 0 ? window.first * width : 0), count * width, next);
      next = std::fill_n(next, (T - count) * width, Scalar(0));
      counts = std::fill_n(std::fill_n(counts, count, std::uint8_t{1}), T - count, std::uint8_t{0});
    }
    values_ = memory_;
    mask_ = {counts_.data(), {rows.count, T}};
  }

  View<const Scalar> values_;
  Mask mask_;
  Tensor<Scalar> memory_;
  std::vector<std::uint8_t> counts_;
};

/// The same for several columns: the inputs of a batch, or its targets.
template <class Scalar>
class TakenColumns {
 public:
  std::span<const View<const Scalar>> values() const { return values_; }
  std::span<const Mask> masks() const { return masks_; }
  Inputs<Scalar> inputs() const { return {values_, masks_}; }

  void take(std::span<const Column<Scalar>> columns, const Rows& rows, const Window& window = {}) {
    taken_.resize(columns.size());
    values_.clear();
    masks_.clear();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      taken_[i].take(columns[i], rows, window);
      values_.push_back(taken_[i].values());
      masks_.push_back(taken_[i].mask());
    }
  }

 private:
  std::vector<Taken<Scalar>> taken_;
  std::vector<View<const Scalar>> values_;
  std::vector<Mask> masks_;
};

}  // namespace heed::detail
