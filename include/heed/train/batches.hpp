#pragma once

#include <numeric>
#include <vector>

#include <heed/math/random.hpp>
#include <heed/model/take.hpp>
#include <heed/train/data.hpp>

namespace heed::detail {

/// Cuts a data set into batches, the last one smaller when it does not come out even. The order is a
/// function of the seed and the epoch alone.
template <class Scalar>
class Batches {
 public:
  struct Order {
    bool shuffle = false;
    bool similar_lengths = false;
    std::uint64_t seed = 0;
  };

  Batches(Data<Scalar> data, Index batch_size, const Order& order)
      : data_(std::move(data)), batch_size_(batch_size), options_(order) {
    if (order.shuffle || order.similar_lengths) {
      order_.resize(static_cast<std::size_t>(data_.samples()));
    }
  }

  const Data<Scalar>& data() const { return data_; }

  Index steps() const {
    return data_.samples() / batch_size_ + (data_.samples() % batch_size_ > 0 ? 1 : 0);
  }

  void begin_epoch(std::uint64_t epoch) {
    std::iota(order_.begin(), order_.end(), Index{0});
    // Streams that `Model::build` does not draw weights from when it has the same seed.
    constexpr std::uint64_t first_stream = std::uint64_t{1} << 32;
    Random random(options_.seed, first_stream + epoch);
    if (options_.shuffle) random.shuffle(std::span(order_));
    if (options_.similar_lengths) sort_by_length(random);
  }

  /// How many time windows batch `step` has, of `length` steps each.
  Index windows(Index step, Index length) const {
    Index longest = 1;
    const Rows rows = this->rows(step);
    for (const Column<Scalar>& column : data_.x) {
      for (Index i = 0; i < rows.count; ++i) longest = (std::max)(longest, column.steps(rows[i]));
    }
    return (longest - 1) / length + 1;
  }

  /// Batch `step` of the epoch, from 0, or a time window of it; valid until the next call.
  Batch<Scalar> batch(Index step, const Window& window = {}) {
    const Rows rows = this->rows(step);
    x_.take(data_.x, rows, window);
    y_.take(data_.y, rows, window);
    weight_.take(data_.weight, rows, window);
    return {x_.inputs(), y_.values(), weight_.values(), y_.masks()};
  }

 private:
  Rows rows(Index step) const {
    const Index first = step * batch_size_;
    const Index count = (std::min)(batch_size_, data_.samples() - first);
    if (order_.empty()) return {first, count};
    return {first, count,
            std::span<const Index>(order_).subspan(static_cast<std::size_t>(first),
                                                   static_cast<std::size_t>(count))};
  }

  /// Sorts the samples of a hundred batches at a time, so that batches are of samples of similar length
  /// and still change from epoch to epoch, and puts the batches into a new order.
  void sort_by_length(Random& random) {
    const Index samples = std::ssize(order_);
    const Index pool = 100 * (std::min)(batch_size_, samples);
    for (Index first = 0; first < samples; first += pool) {
      const Index last = (std::min)(first + pool, samples);
      std::stable_sort(order_.begin() + first, order_.begin() + last,
                       [&](Index a, Index b) { return data_.length(a) < data_.length(b); });
    }
    if (!options_.shuffle) return;
    std::vector<Index> whole(static_cast<std::size_t>(samples / batch_size_));
    std::iota(whole.begin(), whole.end(), Index{0});
    random.shuffle(std::span(whole));
    const std::vector<Index> sorted = order_;
    auto next = order_.begin();
    for (const Index batch : whole) {
      next = std::copy_n(sorted.begin() + batch * batch_size_, batch_size_, next);
    }
  }

  Data<Scalar> data_;
  Index batch_size_;
  Order options_;
  std::vector<Index> order_;
  TakenColumns<Scalar> x_, y_, weight_;
};

}  // namespace heed::detail
