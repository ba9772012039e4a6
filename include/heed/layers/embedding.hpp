#pragma once

#include <heed/layers/layer.hpp>

namespace heed {

/// Looks up a row of a table for each id, for example of a word:
///
///     y[n, t] = E[x[n, t]]
///
///     x: (N, T), ids    y: (N, T, D)    E = embeddings: (V, D), with V = input_dim, D = output_dim
///
/// Ids are numbers of the model's scalar type. They must be integers in [0, V); any other value
/// throws `DataError` before y is written. A float represents all ids up to 16,777,216. The
/// gradient with respect to the ids is zero.
///
/// With `mask_zero`, steps with id 0 are masked. Steps that are masked in the input stay masked;
/// they have no id, and their output is zeros.
///
/// Keras: `layers.Embedding`, which drops the mask of its input and does not check that ids are
/// inside the table.
struct Embedding {
  Required<Index> input_dim;
  Required<Index> output_dim;
  Initializer embeddings_initializer = Initializer::random_uniform;
  bool mask_zero = false;

  static constexpr std::string_view type = "Embedding";
  static constexpr auto fields() {
    return std::tuple{field("input_dim", &Embedding::input_dim),
                      field("output_dim", &Embedding::output_dim),
                      field("embeddings_initializer", &Embedding::embeddings_initializer),
                      field("mask_zero", &Embedding::mask_zero)};
  }

  enum { embeddings };

  template <class S>
  using Cache = NoCache;

  Shape output_shape(const Shape& x) const {
    detail::check_positive("input_dim", input_dim);
    detail::check_positive("output_dim", output_dim);
    check<ShapeError>(x.rank() >= 1 && x.rank() < Shape::max_rank - 1,
                      "expected an input of ids of 1 to ", Shape::max_rank - 2, " axes, got ", x);
    check<OptionError>(!mask_zero || x.rank() == 1,
                       "expected an input of (steps) with mask_zero, got ", x);
    Shape y = x;
    y.push_back(output_dim);
    return y;
  }

  std::vector<Weight> weights(const Shape&) const {
    return {{"embeddings", {input_dim, output_dim}, embeddings_initializer}};
  }

  static bool is_step_wise(const Shape&) { return true; }

  template <class S>
  void forward(const Forward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    check_ids(x, args.counting(), args.pass);
    const auto table = args.w[embeddings].matrix();
    auto y = args.y[0].matrix();
    for (Index i = 0; i < x.size(); ++i) {
      if (has_id(x, args.counting(), i)) {
        y.row(i) = table.row(static_cast<Index>(x.data()[i]));
      } else {
        y.row(i).setZero();
      }
    }
  }

  template <class S>
  bool mark(const Forward<S>& args, std::span<std::uint8_t> counts) const {
    const View<const S> x = args.x[0];
    if (!mask_zero && !args.counting()) return false;
    const Index steps = std::ssize(counts);
    for (Index step = 0; step < steps; ++step) {
      // The first id of the step; with mask_zero there is no other.
      const Index i = step * (x.size() / steps);
      const bool zero = mask_zero && x.data()[i] == S{0};
      counts[static_cast<std::size_t>(step)] = has_id(x, args.counting(), i) && !zero ? 1 : 0;
    }
    return true;
  }

  template <class S>
  void backward(const Backward<S>& args, Cache<S>&) const {
    const View<const S> x = args.x[0];
    if (args.dx[0]) args.dx[0].array().setZero();
    if (!args.dw) return;
    // y = E[x]:  dE[x] += dy, once for each occurrence of the id
    auto dtable = args.dw[embeddings].matrix();
    const auto dy = args.dy[0].matrix();
    for (Index i = 0; i < x.size(); ++i) {
      if (has_id(x, args.counting(), i)) dtable.row(static_cast<Index>(x.data()[i])) += dy.row(i);
    }
  }

 private:
  template <class S>
  static bool has_id(View<const S> x, const Steps& steps, Index i) {
    if (!steps) return true;
    const Index each = x.size() / (x.dim(0) * x.dim(1));
    return steps.counts(i / each / x.dim(1), i / each % x.dim(1));
  }

  template <class S>
  void check_ids(View<const S> x, const Steps& steps, const Pass& pass) const {
    for (Index i = 0; i < x.size(); ++i) {
      const S id = x.data()[i];
      const bool fits = id >= S{0} && id < static_cast<S>(input_dim.value) &&
                        static_cast<S>(static_cast<Index>(id)) == id;
      if (fits || !has_id(x, steps, i)) continue;
      const Index size = x.shape().product(1, x.rank());
      Index rest = i % size;
      Shape place;
      for (Index axis = 1; axis < x.rank(); ++axis) {
        const Index each = x.shape().product(axis + 1, x.rank());
        place.push_back(rest / each);
        rest %= each;
      }
      throw DataError(join("expected whole ids of 0 to ", input_dim - 1, ", got ",
                           static_cast<double>(id), " at step ",
                           x.rank() == 2 ? to_text(place[0]) : to_text(place), " of sample ",
                           pass.first_sample + i / size, " of the batch"));
    }
  }
};

}  // namespace heed
