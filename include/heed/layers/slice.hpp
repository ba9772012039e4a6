#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// A part of each sample, as in Python: `y = x[:, begin₁:end₁, begin₂:end₂, …]`.
///
///     begin {1}, end {3}:                  x: (N, T, D)    y: (N, 2, D)       x[:, 1:3]
///     begin {0, 2}, end {0, -1}:           x: (N, T, D)    y: (N, T, D − 3)   x[:, :, 2:-1]
///     begin {2}, end {3}, squeeze {1}:     x: (N, T, D)    y: (N, D)          x[:, 2]
///
/// Each list has one entry per axis of a sample; axes without an entry are kept whole. Negative
/// numbers count from the end of the axis, and an end of 0 is the end itself. `squeeze` lists axes
/// of length 1 to remove; the batch axis is axis 0.
///
/// Keras has no such layer; in the file of a model, `h[:, 1:3]` is an operator.
struct Slice {
  std::vector<Index> begin = {};
  std::vector<Index> end = {};
  std::vector<Index> squeeze = {};

  static constexpr std::string_view type = "Slice";
  static constexpr auto fields() {
    return std::tuple{field("begin", &Slice::begin), field("end", &Slice::end),
                      field("squeeze", &Slice::squeeze)};
  }

  static constexpr bool has_weights = false;

  template <class S>
  using Cache = NoCache;

  /// The first position along an axis of a sample, and the one after the last.
  std::pair<Index, Index> range(Index axis, Index length) const {
    const Index first = at(begin, axis), last = at(end, axis);
    return {first < 0 ? first + length : first, last <= 0 ? last + length : last};
  }

  Shape output_shape(const Shape& x) const {
    check<OptionError>((std::max)(std::ssize(begin), std::ssize(end)) <= x.rank(),
                       "expected a begin and an end for at most ", x.rank(), " axes, got ",
                       (std::max)(begin.size(), end.size()));
    std::vector<bool> dropped(static_cast<std::size_t>(x.rank()), false);
    for (const Index axis : squeeze) {
      check<OptionError>(1 <= axis && axis <= x.rank(), "expected axes from 1 to ", x.rank(),
                         " to squeeze, got ", axis);
      dropped[static_cast<std::size_t>(axis - 1)] = true;
    }
    Shape y;
    for (Index axis = 0; axis < x.rank(); ++axis) {
      const bool whole = at(begin, axis) == 0 && at(end, axis) == 0;
      if (x[axis] == any && whole && !dropped[static_cast<std::size_t>(axis)]) {
        y.push_back(any);
        continue;
      }
      check<ShapeError>(x[axis] != any, "expected an axis of known length to take a part of, got ",
                        x);
      const auto [first, last] = range(axis, x[axis]);
      check<ShapeError>(0 <= first && first < last && last <= x[axis], "expected a part of axis ",
                        axis + 1, ", got ", first, " to ", last, " of ", x);
      if (!dropped[static_cast<std::size_t>(axis)]) {
        y.push_back(last - first);
      } else {
        check<ShapeError>(last - first == 1, "expected one position of axis ", axis + 1,
                          ", which is squeezed, got ", last - first);
      }
    }
    check<ShapeError>(!y.empty(), "expected at least one axis that is not squeezed");
    return y;
  }

  bool is_step_wise(const Shape& x) const {
    const bool whole = at(begin, 0) == 0 && at(end, 0) == 0;
    return x.rank() >= 2 && whole && std::count(squeeze.begin(), squeeze.end(), 1) == 0;
  }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    const View<S> y = args.y[0];
    Index next = 0;
    for_each_run(x.shape(), [&](Index offset, Index length) {
      std::copy_n(x.data() + offset, length, y.data() + next);
      next += length;
    });
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0], dy = args.dy[0];
    const View<S> dx = args.dx[0];
    if (!dx) return;
    // y is a part of x:  dx is dy there and zero elsewhere
    dx.array().setZero();
    Index next = 0;
    for_each_run(x.shape(), [&](Index offset, Index length) {
      std::copy_n(dy.data() + next, length, dx.data() + offset);
      next += length;
    });
  }

 private:
  static Index at(const std::vector<Index>& list, Index axis) {
    return axis < std::ssize(list) ? list[static_cast<std::size_t>(axis)] : 0;
  }

  /// Calls `use(offset, length)` for each contiguous piece of a batch in y, in the order of y.
  template <class Use>
  void for_each_run(const Shape& x, const Use& use) const {
    const Index rank = x.rank();
    std::array<Index, Shape::max_rank> first{}, last{}, position{};
    last[0] = x[0];
    for (Index axis = 1; axis < rank; ++axis) {
      const auto i = static_cast<std::size_t>(axis);
      std::tie(first[i], last[i]) = range(axis - 1, x[axis]);
    }
    position = first;
    const auto inner = static_cast<std::size_t>(rank - 1);
    while (position[0] < last[0]) {
      Index offset = 0;
      for (Index axis = 0; axis < rank; ++axis) {
        offset = offset * x[axis] + position[static_cast<std::size_t>(axis)];
      }
      use(offset, last[inner] - first[inner]);
      std::size_t axis = inner;  // the last axis to count; the innermost is copied whole
      while (axis > 0) {
        --axis;
        if (++position[axis] < last[axis] || axis == 0) break;
        position[axis] = first[axis];
      }
    }
  }
};

}  // namespace heed
