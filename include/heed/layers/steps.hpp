#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <heed/tensor/view.hpp>

namespace heed {

/// A mask of time steps: (N, T), 0 for a masked step. False: no step is masked.
using Mask = View<const std::uint8_t>;

/// A mask in the form that loops use: for each sample the list of its unmasked steps, with the
/// samples sorted by decreasing length. The rows of step k are then the first `rows(k)` samples of
/// that order, and a loop over the steps needs no branch. Built once per batch; it keeps its
/// memory.
class StepTable {
 public:
  void assign(Mask mask) {
    samples_ = mask.dim(0);
    steps_ = mask.dim(1);
    counts_.assign(mask.data(), mask.data() + mask.size());
    const auto N = static_cast<std::size_t>(samples_);
    lengths_.resize(N);
    order_.resize(N);
    places_.resize(counts_.size());
    for (std::size_t n = 0; n < N; ++n) {
      const std::size_t row = n * static_cast<std::size_t>(steps_);
      Index length = 0;
      for (Index t = 0; t < steps_; ++t) {
        if (counts(static_cast<Index>(n), t)) {
          places_[row + static_cast<std::size_t>(length++)] = t;
        }
      }
      lengths_[n] = length;
    }
    sort();
  }

  Index samples() const { return samples_; }
  Index steps() const { return steps_; }
  bool counts(Index n, Index t) const { return counts_[at(n, t)] != 0; }
  Mask mask() const { return {counts_.data(), {samples_, steps_}}; }

  /// The number of unmasked steps of sample `n`, and the k-th of them.
  Index length(Index n) const { return lengths_[static_cast<std::size_t>(n)]; }
  Index step(Index n, Index k) const { return places_[at(n, k)]; }
  /// The length of the longest and of the shortest sample.
  Index longest() const { return samples_ == 0 ? 0 : length(sample(0)); }
  Index shortest() const { return samples_ == 0 ? 0 : length(sample(samples_ - 1)); }

  /// The number of samples that have a k-th step, and the number of rows of all steps before it.
  Index rows(Index k) const { return first(k + 1) - first(k); }
  Index first(Index k) const { return first_[static_cast<std::size_t>(k)]; }
  /// The sample in this row, which is the same in each of its steps.
  Index sample(Index row) const { return order_[static_cast<std::size_t>(row)]; }

 private:
  std::size_t at(Index n, Index t) const { return static_cast<std::size_t>(n * steps_ + t); }

  /// A counting sort: it allocates nothing and is stable.
  void sort() {
    const auto T = static_cast<std::size_t>(steps_);
    first_.assign(T + 1, 0);
    for (const Index length : lengths_) {
      if (length > 0) ++first_[static_cast<std::size_t>(length)];
    }
    // From the number of samples of each length to the number of samples of at least that length,
    // which is the number of rows.
    for (std::size_t k = T; k-- > 1;) first_[k] += first_[k + 1];
    begins_.assign(T + 1, 0);
    for (std::size_t k = 0; k < T; ++k) begins_[k] = first_[k + 1];
    for (std::size_t n = 0; n < order_.size(); ++n) {
      order_[static_cast<std::size_t>(begins_[static_cast<std::size_t>(lengths_[n])]++)] =
          static_cast<Index>(n);
    }
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
  }

  Index samples_ = 0, steps_ = 0;
  std::vector<std::uint8_t> counts_;
  std::vector<Index> lengths_, order_, places_, first_, begins_;
};

/// The unmasked steps of an input, as a layer receives them: a reference to a `StepTable`. False:
/// no step is masked.
class Steps {
 public:
  Steps() = default;
  explicit Steps(const StepTable& table) : table_(&table) {}
  Steps(const StepTable&&) = delete;

  explicit operator bool() const { return table_ != nullptr; }
  const StepTable* operator->() const { return table_; }
  const StepTable& operator*() const { return *table_; }

  /// Whether step t of sample n is not masked.
  bool counts(Index n, Index t) const { return table_ == nullptr || table_->counts(n, t); }

 private:
  const StepTable* table_ = nullptr;
};

}  // namespace heed
