#pragma once

#include <heed/model/model_class.hpp>
#include <heed/model/take.hpp>

// The checks of a model's inputs, and the loop over batches of `predict` and `activations`.

namespace heed {

namespace detail {

/// Whether data have the shape (samples, …) for a sample shape, which may have axes of any length.
inline bool fits(const Shape& data, const Shape& sample) {
  bool fits = data.rank() == sample.rank() + 1;
  for (Index axis = 0; fits && axis < sample.rank(); ++axis) {
    fits = sample[axis] == any ? data[axis + 1] > 0 : sample[axis] == data[axis + 1];
  }
  return fits;
}

/// Whether the samples of an input have time steps. One axis alone is features for most layers; it
/// is steps if a layer that reads it works step by step, as Embedding does.
template <class Scalar>
bool has_steps(const Graph<Scalar>& graph, std::size_t input) {
  if (graph[input].shape().rank() != 1) return graph[input].shape().rank() > 1;
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](const auto& node) {
    const auto& read = node.inputs;
    return node.step_wise &&
           std::any_of(read.begin(), read.end(), [&](Node from) { return from.index == input; });
  });
}

}  // namespace detail

template <class Scalar>
void Model<Scalar>::check_input(std::size_t i, const Shape& x, const Shape& mask,
                                const Shape& first) const {
  const bool is_only = graph_.inputs().size() == 1;
  const Shape& expected = graph_.shape({graph_.inputs()[i], 0});
  check<ShapeError>(detail::fits(x, expected), "model \"", name_, "\": expected ",
                    is_only ? "x" : graph_[graph_.inputs()[i]].name, " of (samples) and ", expected,
                    ", got ", x);
  check<ShapeError>(x[0] == first[0], "model \"", name_,
                    "\": expected inputs of as many samples, got ", first, " and ", x);
  if (mask.empty()) return;
  check<ShapeError>(detail::has_steps(graph_, graph_.inputs()[i]), "model \"", name_,
                    "\": expected no mask for the input \"", graph_[graph_.inputs()[i]].name,
                    "\" of ", expected, ", which has features but no steps");
  check<ShapeError>(x.rank() >= 2 && mask.rank() == 2 && mask[0] == x[0] && mask[1] == x[1],
                    "model \"", name_, "\": expected a mask of (samples, steps) for x of ", x,
                    ", got ", mask);
}

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
    check_input(i, inputs.x[i].shape(), inputs.masks.empty() ? Shape{} : inputs.masks[i].shape(),
                inputs.x[0].shape());
  }
}

template <class Scalar>
void Model<Scalar>::check_batch(const Inputs<Scalar>& inputs) const {
  check_input(inputs);
  check<DataError>(inputs.x[0].dim(0) > 0, "model \"", name_,
                   "\": expected at least one sample, got ", inputs.x[0].shape());
}

template <class Scalar>
std::vector<Column<Scalar>> Model<Scalar>::ordered_inputs(const Columns<Scalar>& inputs) const {
  check_built("used");
  std::vector<std::string> names;
  for (const std::size_t input : graph_.inputs()) names.push_back(graph_[input].name);
  std::vector<Column<Scalar>> columns;
  try {
    columns = inputs.template in_order<ShapeError>(names, "data", "inputs");
  } catch (const ShapeError& error) {
    throw ShapeError(join("model \"", name_, "\": ", error.what()));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Column<Scalar>& column = columns[i];
    const Shape& expected = graph_.shape({graph_.inputs()[i], 0});
    if (const auto* sequences = column.sequences()) {
      const std::size_t node = graph_.inputs()[i];
      check<ShapeError>(detail::has_steps(graph_, node), "model \"", name_,
                        "\": expected a tensor for the input \"", graph_[node].name, "\" of ",
                        expected, ", which has features but no steps, got Sequences");
      const Index longest = sequences->longest();
      if (expected.rank() > 0 && expected[0] != any) {
        check<ShapeError>(longest <= expected[0], "model \"", name_,
                          "\": expected sequences of at most ", expected[0], " steps, got one of ",
                          longest, "; an input of Shape{any, …} takes any length");
        column = column.padded(expected[0]);
      }
      // An unknown number of steps fits every input with steps of any length.
      const Shape shape = column.shape();
      check_input(i,
                  shape.rank() > 1 && (shape[1] == any || shape[1] == 0) ? shape.with(1, 1) : shape,
                  {}, columns[0].shape());
    } else {
      check_input(i, column.values().shape(), column.mask().shape(), columns[0].shape());
    }
  }
  return columns;
}

namespace detail {

/// Columns whose first sample, when it is run, gives the shapes of the model's values: `Sequences`
/// are padded to the longest one, and a column without samples is replaced by one sample of zeros.
template <class Scalar>
std::vector<Column<Scalar>> shape_columns(std::vector<Column<Scalar>> columns,
                                          std::vector<Tensor<Scalar>>& zeros) {
  zeros.reserve(columns.size());
  for (Column<Scalar>& column : columns) {
    Index longest = 1;
    for (Index n = 0; n < column.samples(); ++n) longest = (std::max)(longest, column.steps(n));
    if (column.sequences() != nullptr) column = column.padded(longest);
    if (column.samples() == 0) column = zeros.emplace_back(column.shape().with(0, 1));
  }
  return columns;
}

/// Copies y: (n, …) to the beginning of each axis of `to`, which contains zeros and may have longer
/// axes. Steps that the mask (n, T) masks are not copied.
template <class Scalar>
void copy_corner(View<const Scalar> y, Mask mask, View<Scalar> to) {
  if (y.shape() == to.shape() && !mask) {
    std::copy_n(y.data(), y.size(), to.data());
    return;
  }
  const Index axes =
      y.rank() > 2 ? y.rank() - 1 : y.rank();  // a row is one number or the last axis
  const Index width = y.shape().product(axes, y.rank());
  for (Index row = 0; row * width < y.size(); ++row) {
    Index rest = row, offset = 0, stride = to.shape().product(axes, to.rank());
    std::array<Index, Shape::max_rank> position{};
    for (Index axis = axes; axis-- > 0;) {
      position[static_cast<std::size_t>(axis)] = rest % y.dim(axis);
      offset += rest % y.dim(axis) * stride;
      rest /= y.dim(axis);
      stride *= to.dim(axis);
    }
    if (mask && mask(position[0], position[1]) == 0) continue;
    std::copy_n(y.data() + row * width, width, to.data() + offset);
  }
}

}  // namespace detail

template <class Scalar>
Tensor<Scalar> Model<Scalar>::activations(std::string_view name, const Columns<Scalar>& inputs,
                                          const PredictOptions& options) const {
  const std::size_t slash = (std::min)(name.find('/'), name.size());
  const Node node{find_layer(name.substr(0, slash)), 0};
  return std::move(
      run({&node, 1}, name.substr((std::min)(slash + 1, name.size())), inputs, options)[0]);
}

template <class Scalar>
std::vector<Tensor<Scalar>> Model<Scalar>::run(std::span<const Node> wanted, std::string_view inner,
                                               const Columns<Scalar>& inputs,
                                               const PredictOptions& options) const {
  const std::vector<Column<Scalar>> columns = ordered_inputs(inputs);
  check<OptionError>(options.batch_size > 0, "expected a batch_size of at least 1, got ",
                     options.batch_size);
  const auto value = [&](std::size_t i, const Tape<Scalar>& tape) {
    return inner.empty() ? graph_.value(wanted[i], tape)
                         : find_published(wanted[i].index, inner, tape);
  };
  const Index samples = columns[0].samples();
  const Index batch_size = (std::min)(options.batch_size, samples);
  // A batch that begins with the states of the previous batch has to wait for it.
  const Index threads =
      graph_.carries_states() ? std::min<Index>(options.threads, 1) : options.threads;
  Team team((std::min)(threads, std::max<Index>(samples, 1)));
  const bool is_uneven = std::any_of(columns.begin(), columns.end(), [](const auto& column) {
    return column.sequences() != nullptr;
  });
  std::vector<Tensor<Scalar>> results(wanted.size());
  {
    // The shapes of inner values and of values of any length are found by running the longest
    // sample.
    Tape<Scalar> tape;
    std::vector<Tensor<Scalar>> zeros;
    detail::TakenColumns<Scalar> sample;
    bool is_run = false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      Shape shape = graph_.shape(wanted[i]);
      if (!inner.empty() || !shape.is_known()) {
        if (!std::exchange(is_run, true)) {
          sample.take(detail::shape_columns(columns, zeros), {0, 1});
          graph_.forward(weights_, sample.inputs(), wanted, {}, tape);
        }
        shape = value(i, tape).shape().sample();
      }
      results[i].resize(shape.batch(samples));
    }
  }
  if (samples == 0) return results;  // layers cannot be run on empty batches
  team.run(team.threads(), [&](Index shard) {
    const detail::Part part(samples, team.threads(), shard);
    const Index end = part.first + part.count;
    Tape<Scalar> tape;
    detail::TakenColumns<Scalar> batch;
    for (Index first = part.first; first < end; first += batch_size) {
      const Index count = (std::min)(batch_size, end - first);
      batch.take(columns, {first, count});
      graph_.forward(weights_, batch.inputs(), wanted, {}, tape);
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        // Values after the end of a sequence would depend on the other sequences of its batch.
        const Steps steps = is_uneven ? graph_.steps(wanted[i], tape) : Steps{};
        detail::copy_corner<Scalar>(value(i, tape), steps && inner.empty() ? steps->mask() : Mask{},
                                    results[i].samples(first, count));
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
