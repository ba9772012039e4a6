#pragma once

#include <concepts>
#include <cstdint>
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

/// What a layer says of one of its weights: its name, its shape and how it starts.
struct Weight {
  std::string name;
  Shape shape;
  Initializer initializer = Initializer::zeros;
  bool unit_forget = false;  ///< its forget gate begins with ones: see `initialize_unit_forget`
};

/// Where one weight stands in the model's arena.
struct Slot {
  std::string name;  ///< with its layer's name: `lstm/kernel`
  Shape shape;
  Index offset = 0;
  Initializer initializer = Initializer::zeros;
  bool unit_forget = false;
};

/// The weights of one layer, or the gradients of them, as views into an arena: `w[kernel]`. They
/// come in the order in which the layer's `weights` lists them. Gradients of a frozen layer have no
/// memory, and are false.
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

  /// The weights from `first` on, as those of an inner layer.
  Parameters part(std::size_t first, std::size_t count) const {
    return {arena_, slots_.subspan(first, count)};
  }

 private:
  Scalar* arena_ = nullptr;
  std::span<const Slot> slots_;
};

/// What a layer may know about the run it takes part in: whether it trains, and its random numbers,
/// which depend on the seed, the step, the layer and the sample, and on nothing else.
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

/// What a layer's `forward` is given: N samples of each input, and where the outputs go.
template <class S>
struct Forward {
  Parameters<const S> w = {};
  std::span<const View<const S>> x = {};      ///< inputs, (N, …) each
  std::span<const View<S>> y = {};            ///< outputs, (N, …) each; most layers have one
  std::span<const Steps> steps = {};          ///< which steps of an input count; see `counting`
  std::span<const View<const S>> state = {};  ///< of before the first step, (N, …); none: zeros
  std::span<const View<S>> next_state =
      {};  ///< of after the last; none: nobody asks. May be `state`
  Pass pass = {};

  /// The steps of an input that count; false when all do.
  Steps counting(std::size_t input = 0) const {
    return input < steps.size() ? steps[input] : Steps{};
  }
};

/// What a layer's `backward` is given: what `forward` was, what it made, and the gradients of the loss.
/// `backward` adds to `dw` and writes `dx` and `dstate`, but for those without memory, which are false:
/// nobody needs them. It leaves all else alone.
template <class S>
struct Backward {
  Parameters<const S> w = {};
  std::span<const View<const S>> x = {};  ///< as `forward` had it
  std::span<const View<const S>> y = {};  ///< as `forward` left it
  std::span<const View<const S>> dy =
      {};  ///< of a layer of several outputs some may be false: zeros
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

/// The cache of a layer whose backward needs nothing but its inputs and its output.
struct NoCache {};

/// A value inside a block that can be looked at: `attention/weights`.
template <class Scalar>
struct Published {
  std::string_view name;
  View<const Scalar> value;
};

/// What `model.add` accepts. A layer is a plain aggregate of its configuration with
///
/// - `static constexpr std::string_view type` — its name in files and in the summary;
/// - `static constexpr auto fields()` — a tuple of `field("name", &Layer::member)`;
/// - `Shape output_shape(const Shape& x) const` — of one sample, without the batch axis; throws
///   `ShapeError` with what it expected and what it got;
/// - `std::vector<Weight> weights(const Shape& x) const`, or `static constexpr bool has_weights = false`;
/// - `template <class S> struct Cache` — what forward keeps for backward (or `using Cache = NoCache`);
/// - `template <class S> void forward(const Forward<S>& args, Cache<S>& cache) const`;
/// - `template <class S> void backward(const Backward<S>& args, Cache<S>& cache) const`.
///
/// A layer of several inputs takes `std::span<const Shape>` in place of `const Shape&`.
/// `template <class S> static std::array<Published<S>, K> published(const Cache<S>&)` makes inner
/// values visible. `static constexpr bool only_reshapes = true` replaces forward and backward: the
/// output is the input's memory under `output_shape`. What is there and has another signature does not
/// compile, with a sentence that names it (heed/layers/signatures.hpp).
///
/// Several threads may run a layer at once, each on other samples with a cache of its own: forward and
/// backward change nothing but what their arguments refer to, and a sample's values come from that
/// sample alone.
///
/// Time. The first axis of a sample is time where a layer's documentation says so, or where it has one
/// of these:
///
/// - `bool is_step_wise(const Shape& x) const` — true when each step of the output depends on that step
///   of the input alone; `forward` then serves blocks of any number of steps, and which steps of the
///   output count follows from the inputs: those that count in all of them;
/// - `bool keeps_steps() const` — true when the steps that count in the first input are those that count
///   in the first output, though a step depends on others;
/// - `template <class S> bool mark(const Forward<S>& args, std::span<std::uint8_t> counts) const` —
///   which steps of the output count, (N, T) with zeros for those that do not; false: all;
/// - `std::vector<Shape> states(const Shape& x) const` — of what it carries from step to step, for one
///   sample. Such a layer may be added with further inputs, the states that it begins with. With a field
///   `return_state` that is true, its own or of the layer that it holds as `layer`, its last states are
///   further outputs;
/// - `std::size_t outputs() const` — how many outputs of `output_shape` it has before its states, where
///   that is not one.
///
/// A layer can be streamed when it is step-wise, or has
///
/// - `std::vector<Shape> stream_state(const Shape& x, Index capacity) const` — of what it remembers between
///   steps, at most `capacity` of them; it begins as zeros. Throws `ModelError` with the reason when
///   these fields cannot be streamed;
///   `template <class S> void stream(const Forward<S>& args, Index seen, Cache<S>& cache) const` — the
///   next steps of one sample, x: (steps, …), y: (steps, …), after `seen` others; `next_state` is `state`;
///   `template <class S> void start_stream(Parameters<const S> w, Cache<S>& cache) const` — unless there
///   is nothing to be done once for all steps.
template <class L>
concept Layer = requires {
  { L::type } -> std::convertible_to<std::string_view>;
  L::fields();
};

template <class L>
concept ReshapingLayer = Layer<L> && requires {
  requires L::only_reshapes;
};

/// A layer that takes one input, rather than a list.
template <class L>
concept UnaryLayer = Layer<L> && requires(const L& layer, const Shape& x) {
  { layer.output_shape(x) } -> std::same_as<Shape>;
};

/// A layer that has a way of its own of being streamed.
template <class L>
concept StreamableLayer = Layer<L> && requires(const L& layer, const Shape& x) {
  { layer.stream_state(x, Index{1}) } -> std::same_as<std::vector<Shape>>;
};

/// A layer that ends in an activation function, which training may take off (`Dense`): the losses
/// that know the function work on what stands before it.
template <class L>
concept ActivatedLayer = Layer<L> && requires(L& layer) {
  { layer.output_activation() } -> std::same_as<ActivationFunction&>;
};

/// Layers are equal when their fields are.
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

/// For what looks at the steps of each sample, and has nothing to look at where none counts.
inline void check_each_has_a_step(const Steps& steps) {
  check<DataError>(!steps || steps->shortest() > 0,
                   "expected at least one step that counts in each sample, sample ",
                   steps ? steps->sample(steps->samples() - 1) : 0, " of the batch has none");
}

/// The last of T steps that counts; one has to.
inline Index last_step(const Steps& steps, Index n, Index T) {
  return steps ? steps->step(n, steps->length(n) - 1) : T - 1;
}

}  // namespace detail

}  // namespace heed
