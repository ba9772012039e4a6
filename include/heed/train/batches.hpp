#pragma once

#include <numeric>
#include <vector>

#include <heed/math/random.hpp>
#include <heed/tensor/tensor.hpp>

namespace heed {

/// Samples and what a model should give for them, both (N, …).
template <class Scalar>
struct Dataset {
  View<const Scalar> x = {};
  View<const Scalar> y = {};

  Index samples() const { return x ? x.dim(0) : 0; }
  Dataset part(Index first, Index count) const {
    return {x.samples(first, count), y.samples(first, count)};
  }
};

namespace detail {

/// Cuts a data set into batches, the last one smaller when it does not come out even. The order is a
/// function of the seed and the epoch alone.
template <class Scalar>
class Batches {
 public:
  Batches(const Dataset<Scalar>& data, Index batch_size, bool shuffle, std::uint64_t seed)
      : data_(data), batch_size_(batch_size), seed_(seed) {
    if (shuffle) order_.resize(static_cast<std::size_t>(data.samples()));
  }

  const Dataset<Scalar>& data() const { return data_; }

  Index steps() const {
    return data_.samples() / batch_size_ + (data_.samples() % batch_size_ > 0 ? 1 : 0);
  }

  void begin_epoch(std::uint64_t epoch) {
    std::iota(order_.begin(), order_.end(), Index{0});
    // Streams that `Model::build` does not draw weights from when it has the same seed.
    constexpr std::uint64_t first_stream = std::uint64_t{1} << 32;
    Random(seed_, first_stream + epoch).shuffle(std::span(order_));
  }

  /// Batch `step` of the epoch, from 0; valid until the next call.
  Dataset<Scalar> batch(Index step) {
    const Index first = step * batch_size_;
    const Index count = (std::min)(batch_size_, data_.samples() - first);
    if (order_.empty()) return data_.part(first, count);
    const auto rows = std::span<const Index>(order_).subspan(static_cast<std::size_t>(first),
                                                             static_cast<std::size_t>(count));
    gather(data_.x, rows, x_);
    gather(data_.y, rows, y_);
    return {x_, y_};
  }

 private:
  static void gather(View<const Scalar> from, std::span<const Index> rows, Tensor<Scalar>& to) {
    to.resize(from.shape().with(0, std::ssize(rows)));
    const Index size = from.shape().product(1, from.rank());
    Scalar* next = to.data();
    for (const Index row : rows) next = std::copy_n(from.data() + row * size, size, next);
  }

  Dataset<Scalar> data_;
  Index batch_size_;
  std::uint64_t seed_;
  std::vector<Index> order_;
  Tensor<Scalar> x_;
  Tensor<Scalar> y_;
};

}  // namespace detail

}  // namespace heed
