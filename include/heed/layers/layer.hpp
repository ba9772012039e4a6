#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <heed/layers/config.hpp>
#include <heed/layers/steps.hpp>
#include <heed/math/activation.hpp>
#include <heed/math/initializer.hpp>
#include <heed/math/random.hpp>
#include <heed/tensor/tensor.hpp>

namespace heed {

/// The specification of one weight of a layer: its name, its shape and its initializer.
struct Weight {
  std::string name;
  Shape shape;
  Initializer initializer = Initializer::zeros;
  bool unit_forget = false;  ///< its forget gate begins with ones: see `initialize_unit_forget`
  /// For a statistic of the data, which no optimizer changes. In training, `backward` adds to its
  /// gradient the batch's value less its own. The update is `(1 − momentum)` times this sum.
  std::optional<double> momentum = {};
};

/// The position of one weight in the model's arena.
struct Slot {
  std::string name;  ///< with its layer's name: `lstm/kernel`
  Shape shape;
  Index offset = 0;
  Initializer initializer = Initializer::zeros;
  bool unit_forget = false;             ///< see `Weight::unit_forget`
  std::optional<double> momentum = {};  ///< of a statistic; see `Weight::momentum`
  bool trains = true;                   ///< whether an optimizer changes it: it is not frozen
};

/// The weights of one layer, or their gradients, as views into an arena: `w[kernel]`. The order is
/// that of the layer's `weights`. The gradients of a frozen layer have no memory and are false.
template <class Scalar>
class Parameters {
 public:
  Parameters() = default;
  Parameters(Scalar* arena, std::span<const Slot> own_slots) : arena_(arena), slots_(own_slots) {}

  operator Parameters<const Scalar>() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<Scalar>) {
    return {arena_, slots_};
  }

  explicit operator bool() const { return arena_ != nullptr; }
  std::size_t size() const { return slots_.size(); }

  View<Scalar> operator[](std::size_t i) const {
    return {arena_ + slots_[i].offset, slots_[i].shape};
  }

  /// `count` weights from `first` on: the weights of an inner layer.
  Parameters part(std::size_t first, std::size_t count) const {
    return {arena_, slots_.subspan(first, count)};
  }

 private:
  Scalar* arena_ = nullptr;
  std::span<const Slot> slots_;
};

/// Information about the current run: whether it is training, and random numbers, which depend only
/// on the seed, the step, the layer and the sample.
struct Pass {
  bool training = false;
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint64_t node = 0;
  Index first_sample = 0;

  /// The random numbers of sample `n` of this batch.
  Random random(Index n) const {
    const auto sample = static_cast<std::uint64_t>(first_sample + n);
    return Random(seed + 0x9E3779B97F4A7C15u * (node + 1), (step << 24) + sample);
  }
};

/// The arguments of a layer's `forward`: N samples of each input, and memory for the outputs.
template <class S>
struct Forward {
  Parameters<const S> w = {};
  std::span<const View<const S>> x = {};      ///< inputs, (N, …) each
  std::span<const View<S>> y = {};            ///< outputs, (N, …) each; most layers have one
  std::span<const Steps> steps = {};          ///< masks of the inputs; see `counting`
  std::span<const View<const S>> state = {};  ///< initial states, (N, …); none: zeros
  std::span<const View<S>> next_state = {};   ///< final states; none: not needed. May be `state`
  Pass pass = {};

  /// The unmasked steps of an input; false if no step is masked.
  Steps counting(std::size_t input = 0) const {
    return input < steps.size() ? steps[input] : Steps{};
  }
};

/// The arguments of a layer's `backward`: those of `forward`, its results, and the gradients of the
/// loss. `backward` adds to `dw` and writes `dx` and `dstate`, except where they have no memory and
/// are false because they are not needed. It changes nothing else.
template <class S>
struct Backward {
  Parameters<const S> w = {};
  std::span<const View<const S>> x = {};   ///< the inputs of `forward`
  std::span<const View<const S>> y = {};   ///< the outputs of `forward`
  std::span<const View<const S>> dy = {};  ///< of several, some may be false: zeros
  Parameters<S> dw = {};
  std::span<const View<S>> dx = {};
  std::span<const Steps> steps = {};
  std::span<const View<const S>> state = {};
  std::span<const View<const S>> dnext_state = {};  ///< none, or false: zeros
  std::span<const View<S>> dstate = {};
  Pass pass = {};

  Steps counting(std::size_t input = 0) const {
    return input < steps.size() ? steps[input] : Steps{};
  }
};

/// The cache of a layer whose backward pass needs only its inputs and outputs.
struct NoCache {};

/// An inner value that a layer publishes: `attention/weights`.
template <class Scalar>
struct Published {
  std::string_view name;
  View<const Scalar> value;
};

/// The requirements on a layer for `model.add`. A layer is an aggregate of its configuration with
///
/// - `static constexpr std::string_view type`: its name in files and in the summary;
/// - `static constexpr auto fields()`: a tuple of `field("name", &Layer::member)`;
/// - `Shape output_shape(const Shape& x) const`: of one sample, without the batch axis; throws
///   `ShapeError` with the expected and the actual shape;
/// - `std::vector<Weight> weights(const Shape& x) const`, or `static constexpr bool has_weights = false`;
/// - `template <class S> struct Cache`: what backward needs from forward, or `using Cache = NoCache`;
/// - `template <class S> void forward(const Forward<S>& args, Cache<S>& cache) const`;
/// - `template <class S> void backward(const Backward<S>& args, Cache<S>& cache) const`.
///
/// A layer with several inputs takes `std::span<const Shape>` instead of `const Shape&`. `template
/// <class S> static std::array<Published<S>, K> published(const Cache<S>&)` publishes inner values.
/// `static constexpr bool only_reshapes = true` replaces forward and backward: the output is the
/// memory of the input with the shape `output_shape`. A member with the wrong signature is a
/// compile error that names it (heed/layers/signatures.hpp).
///
/// Several threads may run a layer at once, each with other samples and its own cache: forward and
/// backward change nothing except what their arguments refer to, and the values of a sample depend
/// on that sample alone. A layer with statistics (`Weight::momentum`) is an exception: it is trained
/// on whole batches, by one thread, and is never told that it is in training while it is frozen.
///
/// Time. The first axis of a sample is time if the documentation of a layer says so, or if the
/// layer has one of these members:
///
/// - `bool is_step_wise(const Shape& x) const`: true if each step of the output depends only on the
///   same step of the inputs. `forward` then accepts blocks of any number of steps, and a step of the
///   output is masked only if it is masked in all inputs;
/// - `bool keeps_steps() const`: true if the mask of the first output is that of the first input,
///   although a step may depend on other steps;
/// - `template <class S> bool mark(const Forward<S>& args, std::span<std::uint8_t> counts) const`:
///   writes the mask of the output, (N, T), with zeros for masked steps; false: no step is masked;
/// - `std::vector<Shape> states(const Shape& x) const`: the shapes of the states that it carries from
///   step to step, for one sample. The initial states are optional further inputs of such a layer. If
///   a field `return_state`, its own or that of its inner `layer`, is true, the final states are
///   further outputs;
/// - `std::size_t outputs() const`: the number of outputs with `output_shape` before the states, if it
///   is not one.
///
/// A layer can be streamed if it is step-wise, or has
///
/// - `std::vector<Shape> stream_state(const Shape& x, Index capacity) const`: the shapes of what it
///   stores between steps, for at most `capacity` of them; initially zero. Throws `ModelError` with the
///   reason if the layer cannot be streamed with its current fields;
/// - `template <class S> void stream(const Forward<S>& args, Index seen, Cache<S>& cache) const`:
///   computes the next steps of one sample, x: (steps, …), y: (steps, …), after `seen` others;
///   `next_state` is `state`;
/// - `template <class S> void start_stream(Parameters<const S> w, Cache<S>& cache) const`: optional; does
///   what is done once for all steps.
template <class L>
concept Layer = requires {
  { L::type } -> std::convertible_to<std::string_view>;
  L::fields();
};

template <class L>
concept ReshapingLayer = Layer<L> && requires {
  requires L::only_reshapes;
};

/// A layer with one input, not a list of inputs.
template <class L>
concept UnaryLayer = Layer<L> && requires(const L& layer, const Shape& x) {
  { layer.output_shape(x) } -> std::same_as<Shape>;
};

/// A layer with its own implementation of streaming.
template <class L>
concept StreamableLayer = Layer<L> && requires(const L& layer, const Shape& x) {
  { layer.stream_state(x, Index{1}) } -> std::same_as<std::vector<Shape>>;
};

/// A layer that ends in an activation function (`Dense`). Training may remove it, because losses
/// that belong to this function are computed from its input.
template <class L>
concept ActivatedLayer = Layer<L> && requires(L& layer) {
  { layer.output_activation() } -> std::same_as<ActivationFunction&>;
};

/// Layers are equal if their fields are equal.
template <Layer L>
bool operator==(const L& a, const L& b) {
  return get_config(a) == get_config(b);
}

namespace detail {

inline void check_positive(std::string_view what, Index value) {
  check<OptionError>(value > 0, "expected ", what, " of at least 1, got ", value);
}

inline void check_rank(const Shape& x, Index rank, std::string_view axes) {
  check<ShapeError>(x.rank() == rank, "expected an input of ", axes, ", got ", x);
}

/// For layers that need an unmasked step in each sample: throws if a sample has none.
inline void check_each_has_a_step(const Steps& steps) {
  check<DataError>(!steps || steps->shortest() > 0,
                   "expected at least one unmasked step in each sample, but sample ",
                   steps ? steps->sample(steps->samples() - 1) : 0, " of the batch has none");
}

/// The last unmasked one of T steps; there must be one.
inline Index last_step(const Steps& steps, Index n, Index T) {
  return steps ? steps->step(n, steps->length(n) - 1) : T - 1;
}

}  // namespace detail

}  // namespace heed
