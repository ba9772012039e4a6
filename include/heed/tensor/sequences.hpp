#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <ranges>
#include <string_view>
#include <utility>
#include <vector>

#include <heed/tensor/tensor.hpp>

namespace heed {

namespace detail {

/// A list of numbers: the words of a sentence, the values of a series. A text is none.
template <class List>
concept NumberList = std::ranges::forward_range<const List> &&
    std::is_arithmetic_v<std::ranges::range_value_t<const List>> &&
    !std::is_convertible_v<const List&, std::string_view>;

/// A list of tensors, or of lists of numbers.
template <class List, class Scalar>
concept SequenceList = std::ranges::input_range<const List> &&
    (NumberList<std::remove_cvref_t<std::ranges::range_reference_t<const List>>> ||
     std::convertible_to<std::ranges::range_reference_t<const List>, View<const Scalar>>);

}  // namespace detail

/// Samples of unequal length: each is a sequence (steps, …) of its own number of steps, which may be 0;
/// a step has the same shape in all of them. They own their numbers, which lie one after the other.
///
///     Sequences<float> series(Shape{12});                        // a step has 12 features
///     series.push_back(x);                                       // x: (steps, 12)
///     const Sequences<float> words{{4, 17, 2}, {9, 3}};          // a step is a number: shape ()
template <class Scalar>
class Sequences {
 public:
  /// Without samples; a step is one number.
  Sequences() = default;

  /// Without samples. Throws `ShapeError` for an axis of any length, and for more than four axes: a batch
  /// has two more.
  explicit Sequences(const Shape& step_shape) : step_shape_(step_shape) {
    constexpr Index most = Shape::max_rank - 2;
    check<ShapeError>(step_shape.is_known(), "Sequences: expected steps of a known shape, got ",
                      step_shape);
    check<ShapeError>(step_shape.rank() <= most, "Sequences: a step has at most ", most,
                      " axes, got ", step_shape);
  }

  /// Copies of a list of tensors or views, each (steps, …), the first of which says the shape of a step;
  /// or of a list of lists of numbers. Throws what `push_back` throws.
  template <detail::SequenceList<Scalar> List>
  explicit Sequences(const List& list) {
    append(list);
  }
  /// The same of a list in braces: `Sequences<float>{x1, x2}`.
  Sequences(std::initializer_list<View<const Scalar>> list) { append(list); }
  /// The same of numbers in braces: `Sequences<float>{{4, 17, 2}, {9, 3}}`.
  Sequences(std::initializer_list<std::initializer_list<Scalar>> list) { append(list); }

  /// A copy of a sequence (steps, …) becomes the last sample. Throws `ShapeError` for steps of another
  /// shape.
  void push_back(View<const Scalar> sequence) {
    check<ShapeError>(sequence.rank() > 0 && sequence.shape().sample() == step_shape_,
                      "Sequences: expected a sequence of ", step_shape_.batch(any), ", got ",
                      sequence.shape(), "; Sequences(Shape{…}) says the shape of a step");
    const auto size = used();
    // One of its own samples moves when the memory grows.
    const std::less<const Scalar*> before;
    const Scalar* from = sequence.data();
    const bool is_own = !before(from, values_.data()) && before(from, values_.data() + size);
    const auto place = is_own ? from - values_.data() : 0;
    values_.resize(size + static_cast<std::size_t>(sequence.size()));
    if (is_own) from = values_.data() + place;
    std::copy_n(from, sequence.size(), values_.data() + size);
    ends_.push_back(total_steps() + sequence.dim(0));
  }

  /// The same from a list of numbers, when a step is one. Throws `DataError` for a whole number that
  /// `Scalar` does not have.
  template <detail::NumberList List>
  void push_back(const List& numbers) {
    check<ShapeError>(step_shape_.empty(), "Sequences: expected a sequence of ",
                      step_shape_.batch(any), ", got a list of numbers");
    for (const auto number : numbers) check_number(+number);
    values_.resize(used());
    for (const auto number : numbers) values_.push_back(static_cast<Scalar>(number));
    ends_.push_back(static_cast<Index>(values_.size()));
  }
  /// The same from numbers in braces: `words.push_back({4, 17, 2})`.
  void push_back(std::initializer_list<Scalar> numbers) { push_back(std::span(numbers)); }

  /// How many samples there are.
  Index samples() const { return std::ssize(ends_); }
  /// The shape of a step, the same in all samples; () where it is one number.
  Shape step_shape() const { return step_shape_; }

  /// How many steps sample `n` has.
  Index steps(Index n) const { return end_of(n) - begin_of(n); }
  /// How many steps all samples have together.
  Index total_steps() const { return ends_.empty() ? 0 : ends_.back(); }
  /// How many steps the sample with the most has; 0 without samples.
  Index longest() const { return reduced<std::greater<>>(); }
  /// How many steps the sample with the fewest has; 0 without samples.
  Index shortest() const { return reduced<std::less<>>(); }

  /// Sample `n`: (steps, …). Until samples are added.
  View<const Scalar> operator[](Index n) const& {
    return {values_.data() + begin_of(n) * step_shape_.size(), step_shape_.batch(steps(n))};
  }
  void operator[](Index) const&& = delete;  // give the sequences a name first

  /// All numbers, sample after sample.
  std::span<const Scalar> values() const& { return {values_.data(), used()}; }
  void values() const&& = delete;  // give the sequences a name first

  /// A copy of samples [first, first + count). Throws `ShapeError` when there are not so many.
  Sequences part(Index first, Index count) const {
    check<ShapeError>(0 <= first && 0 <= count && first <= samples() - count,
                      "Sequences: expected a part of ", samples(), " samples, got ", count,
                      " from sample ", first, " on");
    Sequences result(step_shape_);
    for (Index n = first; n < first + count; ++n) result.push_back((*this)[n]);
    return result;
  }

  /// Writes some samples one below the other, x: (rows, length, …), with zeros after the last step of each,
  /// and which steps are theirs, counts: (rows, length), 1 or 0. Allocates nothing where x and counts have
  /// had that size before. Throws `ShapeError`, with x and counts as they were, for a sample that is not
  /// there, or has more steps than `length`.
  void pad(std::span<const Index> rows, Index length, Tensor<Scalar>& x,
           std::vector<std::uint8_t>& counts) const {
    check<ShapeError>(length >= 0, "Sequences: expected 0 steps or more, got ", length);
    for (const Index n : rows) {
      check<ShapeError>(0 <= n && n < samples(), "Sequences: expected a sample below ", samples(),
                        ", got ", n);
      check<ShapeError>(steps(n) <= length, "Sequences: sample ", n, " has ", steps(n),
                        " steps, which do not fit in ", length);
    }
    x.resize(step_shape_.batch(length).batch(std::ssize(rows)));
    counts.resize(rows.size() * static_cast<std::size_t>(length));
    Scalar* next = x.data();
    std::uint8_t* count = counts.data();
    for (const Index n : rows) {
      const Index rest = length - steps(n);
      const View<const Scalar> sample = (*this)[n];
      next = std::copy_n(sample.data(), sample.size(), next);
      next = std::fill_n(next, rest * step_shape_.size(), Scalar{0});
      count = std::fill_n(count, steps(n), std::uint8_t{1});
      count = std::fill_n(count, rest, std::uint8_t{0});
    }
  }

  bool operator==(const Sequences&) const = default;

 private:
  template <class Number>
  void check_number(Number number) const {
    if constexpr (std::is_integral_v<Number>) {
      constexpr std::int64_t most = std::int64_t{1} << std::numeric_limits<Scalar>::digits;
      check<DataError>(std::cmp_less_equal(number, most) && std::cmp_less_equal(-most, number),
                       "Sequences: sample ", samples(), " has ", number,
                       ", but its numbers are exact only up to ", most);
    }
  }

  template <class List>
  void append(const List& list) {
    bool is_first = true;
    for (const auto& sequence : list) {
      if constexpr (std::convertible_to<decltype(sequence), View<const Scalar>>) {
        const View<const Scalar> view = sequence;
        if (std::exchange(is_first, false)) *this = Sequences(view.shape().sample());
        push_back(view);
      } else {
        push_back(sequence);
      }
    }
  }

  /// How many of `values_` belong to samples: all, unless memory ran out.
  std::size_t used() const { return static_cast<std::size_t>(total_steps() * step_shape_.size()); }

  Index begin_of(Index n) const { return n == 0 ? 0 : end_of(n - 1); }
  Index end_of(Index n) const {
    eigen_assert(0 <= n && n < samples());
    return ends_[static_cast<std::size_t>(n)];
  }

  template <class Before>
  Index reduced() const {
    Index result = samples() == 0 ? 0 : steps(0);
    for (Index n = 1; n < samples(); ++n) result = (std::min)(result, steps(n), Before{});
    return result;
  }

  Shape step_shape_;
  std::vector<Index> ends_;  // in steps: where each sample ends in the row of all
  std::vector<Scalar> values_;
};

}  // namespace heed
