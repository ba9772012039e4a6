#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <heed/tensor/view.hpp>

namespace heed {

/// Which time steps of which samples count: (N, T), 0 for a step that does not. False: all count.
using Mask = View<const std::uint8_t>;

/// A mask in the form in which loops read it: for each sample the list of its steps that count, and the
/// samples by falling length. The rows of step k are then the first `rows(k)` samples of that order,
/// and a loop over steps has no branch in it. Made once a batch; it keeps its memory.
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

  /// How many steps of sample `n` count, and which is the k-th of them.
  Index length(Index n) const { return lengths_[static_cast<std::size_t>(n)]; }
  Index step(Index n, Index k) const { return places_[at(n, k)]; }
  /// Of the samples with the most and with the fewest steps.
  Index longest() const { return samples_ == 0 ? 0 : length(sample(0)); }
  Index shortest() const { return samples_ == 0 ? 0 : length(sample(samples_ - 1)); }

  /// How many samples have a k-th step; how many such rows all steps before it have.
  Index rows(Index k) const { return first(k + 1) - first(k); }
  Index first(Index k) const { return first_[static_cast<std::size_t>(k)]; }
  /// The sample that has a row in every step that it has.
  Index sample(Index row) const { return order_[static_cast<std::size_t>(row)]; }

 private:
  std::size_t at(Index n, Index t) const { return static_cast<std::size_t>(n * steps_ + t); }

  /// By counting, which allocates nothing, and keeps samples of one length in their order.
  void sort() {
    const auto T = static_cast<std::size_t>(steps_);
    first_.assign(T + 1, 0);
    for (const Index length : lengths_) {
      if (length > 0) ++first_[static_cast<std::size_t>(length)];
    }
    // From how many samples are so long to how many are at least so long, which have a row there.
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

/// The steps of an input that count, as a layer is given them: a reference to a `StepTable`. False:
/// all steps of all samples count.
class Steps {
 public:
  Steps() = default;
  explicit Steps(const StepTable& table) : table_(&table) {}
  Steps(const StepTable&&) = delete;

  explicit operator bool() const { return table_ != nullptr; }
  const StepTable* operator->() const { return table_; }
  const StepTable& operator*() const { return *table_; }

  /// Whether step t of sample n counts.
  bool counts(Index n, Index t) const { return table_ == nullptr || table_->counts(n, t); }

 private:
  const StepTable* table_ = nullptr;
};

}  // namespace heed
