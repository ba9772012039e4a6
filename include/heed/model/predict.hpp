#pragma once

#include <heed/model/model_class.hpp>

// What samples a model takes, and how it runs over them: `predict` and `activations`.

namespace heed {

namespace detail {

/// Whether data of a shape are samples of a shape, which may have axes of any length.
inline bool fits(const Shape& data, const Shape& sample) {
  bool fits = data.rank() == sample.rank() + 1;
  for (Index axis = 0; fits && axis < sample.rank(); ++axis) {
    fits = sample[axis] == any ? data[axis + 1] > 0 : sample[axis] == data[axis + 1];
  }
  return fits;
}

}  // namespace detail

template <class Scalar>
void Model<Scalar>::check_input(const Inputs<Scalar>& inputs) const {
  check_built("used");
  const auto count = graph_.inputs().size();
  check<ShapeError>(inputs.x.size() == count, "model \"", name_, "\": expected ", count,
                    count == 1 ? " input, got " : " inputs, got ", inputs.x.size());
  check<ShapeError>(inputs.masks.empty() || inputs.masks.size() == count, "model \"", name_,
                    "\": expected a mask for each of ", count, " inputs, got ",
                    inputs.masks.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Shape& x = inputs.x[i].shape();
    const Shape& expected = graph_.shape({graph_.inputs()[i], 0});
    check<ShapeError>(detail::fits(x, expected), "model \"", name_, "\": expected ",
                      count == 1 ? "x" : graph_[graph_.inputs()[i]].name, " of (samples) and ",
                      expected, ", got ", x);
    check<ShapeError>(x[0] == inputs.x[0].dim(0), "model \"", name_,
                      "\": expected inputs of as many samples, got ", inputs.x[0].shape(), " and ",
                      x);
    if (inputs.masks.empty() || !inputs.masks[i]) continue;
    const Shape& mask = inputs.masks[i].shape();
    check<ShapeError>(x.rank() >= 2 && mask.rank() == 2 && mask[0] == x[0] && mask[1] == x[1],
                      "model \"", name_, "\": expected a mask of (samples, steps) for x of ", x,
                      ", got ", mask);
  }
}

template <class Scalar>
void Model<Scalar>::check_batch(const Inputs<Scalar>& inputs) const {
  check_input(inputs);
  check<DataError>(inputs.x[0].dim(0) > 0, "model \"", name_,
                   "\": expected at least one sample, got ", inputs.x[0].shape());
}

namespace detail {

/// Some of the samples of all inputs. Of none one of zeros.
template <class Scalar>
class Samples {
 public:
  /// Allocates nothing when it has taken some before.
  const Inputs<Scalar>& take(const Inputs<Scalar>& inputs, Index first, Index count) {
    x_.clear();
    masks_.clear();
    zeros_.reserve(inputs.x.size());
    for (const auto& x : inputs.x) {
      if (x.dim(0) == 0) {
        zeros_.emplace_back(x.shape().with(0, 1));
        x_.push_back(zeros_.back());
      } else {
        x_.push_back(x.samples(first, count));
      }
    }
    for (const auto& mask : inputs.masks) {
      masks_.push_back(mask && mask.dim(0) > 0 ? mask.samples(first, count) : Mask{});
    }
    return taken_ = {x_, masks_};
  }

 private:
  std::vector<Tensor<Scalar>> zeros_;
  std::vector<View<const Scalar>> x_;
  std::vector<Mask> masks_;
  Inputs<Scalar> taken_;
};

}  // namespace detail

template <class Scalar>
Tensor<Scalar> Model<Scalar>::activations(std::string_view name, const Inputs<Scalar>& inputs,
                                          const PredictOptions& options) const {
  const std::size_t slash = (std::min)(name.find('/'), name.size());
  const Node node{find_layer(name.substr(0, slash)), 0};
  return std::move(
      run({&node, 1}, name.substr((std::min)(slash + 1, name.size())), inputs, options)[0]);
}

template <class Scalar>
std::vector<Tensor<Scalar>> Model<Scalar>::run(std::span<const Node> wanted, std::string_view inner,
                                               const Inputs<Scalar>& inputs,
                                               const PredictOptions& options) const {
  check_input(inputs);
  check<OptionError>(options.batch_size > 0, "expected a batch_size of at least 1, got ",
                     options.batch_size);
  const auto forward = [&](const Inputs<Scalar>& batch, Tape<Scalar>& tape) {
    graph_.forward(weights_, batch, wanted, {}, tape);
  };
  const auto value = [&](std::size_t i, const Tape<Scalar>& tape) {
    return inner.empty() ? graph_.value(wanted[i], tape)
                         : find_published(wanted[i].index, inner, tape);
  };
  const Index samples = inputs.x[0].dim(0);
  const Index batch_size = (std::min)(options.batch_size, samples);
  Team team((std::min)(options.threads, std::max<Index>(samples, 1)));
  std::vector<Tensor<Scalar>> results(wanted.size());
  {
    // Shapes of inner values, and of those of any length, show when a sample is run.
    Tape<Scalar> tape;
    detail::Samples<Scalar> one;
    bool is_run = false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      Shape shape = graph_.shape(wanted[i]);
      if (!inner.empty() || !shape.is_known()) {
        if (!std::exchange(is_run, true)) forward(one.take(inputs, 0, 1), tape);
        shape = value(i, tape).shape().sample();
      }
      results[i].resize(shape.batch(samples));
    }
  }
  if (samples == 0) return results;  // layers need memory to work on
  team.run(team.threads(), [&](Index shard) {
    const detail::Part part(samples, team.threads(), shard);
    const Index end = part.first + part.count;
    Tape<Scalar> tape;
    detail::Samples<Scalar> batch;
    for (Index first = part.first; first < end; first += batch_size) {
      const Index count = (std::min)(batch_size, end - first);
      forward(batch.take(inputs, first, count), tape);
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto y = value(i, tape);
        std::copy_n(y.data(), y.size(), results[i].samples(first, count).data());
      }
    }
  });
  return results;
}

template <class Scalar>
View<const Scalar> Model<Scalar>::find_published(std::size_t node, std::string_view inner,
                                                 const Tape<Scalar>& tape) const {
  const auto values = graph_[node].layer.published(tape.entries[node].cache);
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const auto& known) { return known.name == inner; });
  if (found == values.end()) {
    throw ModelError(join(graph_.title(node), " publishes no \"", inner, "\" among ",
                          detail::quoted(values, &Published<Scalar>::name)));
  }
  return found->value;
}

}  // namespace heed
