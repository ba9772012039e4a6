#pragma once

#include <heed/math/finite.hpp>
#include <heed/model/model.hpp>
#include <heed/train/data.hpp>
#include <heed/train/objective.hpp>
#include <heed/train/position.hpp>

// Checks that a data set fits a model and its losses.

namespace heed::detail {

/// Throws `DataError` with the position of the first NaN or infinity in x.
template <class Scalar>
void check_finite(std::string_view name, View<const Scalar> x) {
  const Scalar* const first = find_not_finite(x.values());
  if (first == x.data() + x.size()) return;
  throw DataError(join(name, " has ", static_cast<double>(*first), " at ",
                       position_text(x.shape(), first - x.data())));
}

template <class Scalar>
void check_column_is_finite(std::string_view name, const Column<Scalar>& column) {
  if (column.sequences() == nullptr) return check_finite<Scalar>(name, column.values());
  for (Index n = 0; n < column.samples(); ++n) {
    check_finite<Scalar>(join("sample ", n, " of ", name), column.sequence(n));
  }
}

/// Pads targets that are `Sequences` as the output is padded: to the output's length if it has one,
/// otherwise like an input whose samples have the same lengths.
template <class Scalar>
Column<Scalar> pad_as_output(const Column<Scalar>& y, Index output_steps,
                             const std::vector<Column<Scalar>>& inputs, const std::string& name) {
  if (output_steps != any) {
    const Index longest = y.sequences()->longest();
    check<ShapeError>(longest <= output_steps, "expected ", name, " of at most ", output_steps,
                      " steps, which is what the model gives, got ", longest);
    return y.padded(output_steps);
  }
  const Column<Scalar>* other = nullptr;
  Index differs = 0;
  for (const Column<Scalar>& x : inputs) {
    if (x.sequences() == nullptr || x.padding() != any) continue;
    Index n = 0;
    while (n < y.samples() && y.counted_steps(n) == x.counted_steps(n)) ++n;
    if (n == y.samples()) return y;
    if (other == nullptr) differs = n;
    if (other == nullptr) other = &x;
  }
  throw ShapeError(
      join("expected ", name, " to have as many steps as x, got ", y.counted_steps(differs),
           " for ", other == nullptr ? 0 : other->counted_steps(differs), " in sample ", differs));
}

/// Pads `Sequences` whose length determines that of the output to the length of the targets y: (N,
/// T, …).
template <class Scalar>
void pad_as_targets(std::vector<Column<Scalar>>& inputs, const Shape& y, const std::string& name) {
  for (Column<Scalar>& x : inputs) {
    if (x.sequences() == nullptr || x.padding() != any) continue;
    check<ShapeError>(x.sequences()->longest() <= y[1], "expected ", name,
                      " to have as many steps as the longest of x, which has ",
                      x.sequences()->longest(), ", got ", y);
    x = x.padded(y[1]);
  }
}

/// The targets of an output in the output's shape, which is `output` for one sample. Throws unless
/// the loss accepts them.
template <class Scalar>
Column<Scalar> check_targets(const Graph<Scalar>& graph, std::size_t k, const Shape& output,
                             const Loss<Scalar>& loss, const Column<Scalar>& y,
                             const std::vector<Column<Scalar>>& inputs, const std::string& name) {
  const bool is_uneven = y.sequences() != nullptr;
  Shape expected = output.batch(y.samples());
  Shape given = y.shape();
  if (is_uneven && given.rank() > 1) given = given.with(1, expected.rank() > 1 ? expected[1] : any);
  for (Index axis = 1; axis < (std::min)(expected.rank(), given.rank()); ++axis) {
    if (expected[axis] == any) expected = expected.with(axis, (std::max)(given[axis], Index{1}));
    if (given[axis] == any) given = given.with(axis, 1);
  }
  const auto fits = [&](const Shape& shape) {
    return fit_targets(View<const Scalar>(nullptr, given), shape).rank() > 0;
  };
  const bool are_classes =
      loss.canonical_activation() == ActivationFunction::softmax && fits(expected.with_last(1));
  const auto advice = join("; one_hot(y, ", expected.back(), ") makes rows of class numbers");
  // Targets that are `Sequences` need an output with steps.
  check<ShapeError>(fits(expected) && (!is_uneven || output.rank() > 1), loss.name(), ": expected ",
                    name, " of ", output.batch(y.samples()), ", which is what ",
                    graph.title(graph.outputs()[k].index), " gives, got ",
                    is_uneven ? "Sequences of " : "", y.shape(), are_classes ? advice : "");
  const Mask mask = y.mask();
  check<ShapeError>(
      !mask || (expected.rank() > 2 && mask.shape() == Shape{expected[0], expected[1]}),
      "expected a mask of (samples, steps) for ", name, " of ", expected, ", got ", mask.shape());
  check_column_is_finite(name, y);
  if (is_uneven) {
    for (Index n = 0; n < y.samples(); ++n) loss.check_targets(y.sequence(n));
    return pad_as_output(y, output[0], inputs, name);
  }
  const Column<Scalar> targets = y.reshaped(expected);
  loss.check_targets(targets.values());
  return targets;
}

/// The weights of samples, (N), or of their steps, (N, T). Throws unless they fit the targets.
template <class Scalar>
Column<Scalar> check_weight(const Column<Scalar>& weight, const Column<Scalar>& y,
                            const std::string& name) {
  check<ShapeError>(!weight.mask(), "expected ", name, " without a mask; give x or y one");
  Column<Scalar> checked = weight;
  const Shape &targets = y.shape(), given = weight.shape();
  if (weight.sequences() != nullptr) {
    bool fits = y.sequences() != nullptr && given.rank() == 2 && weight.samples() == y.samples();
    for (Index n = 0; fits && n < y.samples(); ++n) {
      fits = weight.counted_steps(n) == y.counted_steps(n);
    }
    check<ShapeError>(fits, "expected ", name,
                      " of one number for each step of y, got Sequences of ", given);
    checked = weight.padded(y.padding());
  } else {
    if (given.rank() == 2 && given[1] == 1 && (targets.rank() < 3 || targets[1] != 1)) {
      checked = weight.reshaped({given[0]});
    }
    const Shape shape = checked.shape();
    const bool fits =
        shape.rank() > 0 && shape[0] == targets[0] &&
        (shape.rank() == 1 || (shape.rank() == 2 && targets.rank() > 2 && shape[1] == targets[1]));
    check<ShapeError>(fits, "expected ", name, " of (", targets[0], ")",
                      targets.rank() > 2 ? join(" or (", targets[0], ", ", targets[1], ")") : "",
                      " for y of ", targets, ", got ", given);
  }
  check_column_is_finite(name, checked);
  const auto values =
      weight.sequences() != nullptr ? weight.sequences()->values() : weight.values().values();
  check<DataError>(std::none_of(values.begin(), values.end(), [](Scalar w) { return w < 0; }),
                   "expected a ", name, " of at least 0, got ",
                   static_cast<double>(*std::min_element(values.begin(), values.end())));
  check<DataError>(std::any_of(values.begin(), values.end(), [](Scalar w) { return w > 0; }), name,
                   ": expected a weight above 0, all are 0");
  return checked;
}

/// Throws unless the model is built and accepts x, and the losses accept y as targets of the
/// outputs. Returns the data with y in the shapes of the outputs. `role` is a prefix of names: ""
/// or "validation ".
template <class Scalar>
Data<Scalar> check_data(const Model<Scalar>& model, const Losses<Scalar>& losses,
                        const Dataset<Scalar>& given, std::string_view role) {
  check<OptionError>(!losses.empty(), "model \"", model.name(), "\": expected a loss");
  Data<Scalar> data{.x = model.ordered_inputs(given.x), .y = {}, .weight = {}};
  const Graph<Scalar>& graph = model.graph();
  const auto names = output_names(graph);
  const auto name_of = [&](std::string_view what, std::size_t k, const auto& all) {
    return all.size() == 1 ? join(role, what) : join(role, what, " of \"", all[k], "\"");
  };
  const Index samples = data.samples();
  check<DataError>(samples > 0, "model \"", model.name(), "\": ", role, "x has no samples");
  const auto each = losses.template in_order<OptionError>(names, "a loss", "outputs");
  data.y = given.y.template in_order<ShapeError>(names, "targets", "outputs");
  for (std::size_t k = 0; k < names.size(); ++k) {
    check<OptionError>(bool(each[k]), "model \"", model.name(), "\": expected a loss");
    check<ShapeError>(data.y[k].samples() == samples, "model \"", model.name(),
                      "\": expected as many samples in ", role, "x as in y, got x of ",
                      data.x[0].shape(), " and y of ", data.y[k].shape());
  }
  std::vector<std::string> inputs;
  for (const std::size_t input : graph.inputs()) inputs.push_back(graph[input].name);
  std::vector<Shape> shapes;
  for (const Column<Scalar>& x : data.x) {
    shapes.push_back(x.shape().sample());
    if (x.sequences() != nullptr) shapes.back() = shapes.back().with(0, x.padding());
  }
  const std::vector<Shape> outputs = graph.output_shapes(shapes);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check_column_is_finite(name_of("x", i, inputs), data.x[i]);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const Shape& output = outputs[k];
    const std::string name = name_of("y", k, names);
    data.y[k] = check_targets(graph, k, output, each[k], data.y[k], data.x, name);
    const bool is_even = data.y[k].sequences() == nullptr;
    if (is_even && output.rank() > 1 && output[0] == any)
      pad_as_targets(data.x, data.y[k].shape(), name);
  }
  if (given.sample_weight.empty()) return data;
  data.weight =
      given.sample_weight.template in_order<ShapeError>(names, "a sample_weight", "outputs");
  for (std::size_t k = 0; k < names.size(); ++k) {
    data.weight[k] = check_weight(data.weight[k], data.y[k], name_of("sample_weight", k, names));
  }
  return data;
}

inline void check_batch_size(Index batch_size) {
  check<OptionError>(batch_size >= 1, "expected a batch_size of at least 1, got ", batch_size);
}

/// Throws unless all inputs and targets have the same numbers of steps, and the network can be
/// trained in windows.
template <class Scalar>
void check_window(Index window, const Graph<Scalar>& graph, const Data<Scalar>& data,
                  std::string_view role) {
  check<OptionError>(
      window >= 0, "expected a window of at least 1 step, or 0 for whole sequences, got ", window);
  if (window == 0 || data.samples() == 0) return;
  windowed(graph);
  const Column<Scalar>& first = data.x[0];
  for (const auto* columns : {&data.x, &data.y}) {
    for (const Column<Scalar>& column : *columns) {
      const bool is_uneven = column.sequences() != nullptr;
      bool fits = is_uneven == (first.sequences() != nullptr);
      for (Index n = 0; fits && n < (is_uneven ? data.samples() : 1); ++n) {
        fits = column.steps(n) == first.steps(n);
      }
      check<ShapeError>(fits, "window: expected ", role,
                        "inputs and targets of the same steps, got ", first.shape(), " and ",
                        column.shape());
    }
  }
}

/// Throws for options that make no sense if each batch begins with the states of the previous one.
template <class Options>
void check_stateful(const Options& options, Index samples) {
  check<OptionError>(
      options.window == 0,
      "window: windows carry the states themselves; remove .stateful from the layers");
  check<OptionError>(!options.shuffle && !options.similar_lengths,
                     "a stateful layer continues the previous batch: expected .shuffle = false"
                     " and .similar_lengths = false");
  check<OptionError>(
      samples % options.batch_size == 0,
      "a stateful layer continues the previous batch: expected a number of samples that "
      "batch_size divides, got ",
      samples, " samples and a batch_size of ", options.batch_size);
}

}  // namespace heed::detail
