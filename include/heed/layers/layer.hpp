#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <heed/layers/config.hpp>
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
};

/// Where one weight stands in the model's arena.
struct Slot {
  std::string name;  ///< with its layer's name: `lstm/kernel`
  Shape shape;
  Index offset = 0;
  Initializer initializer = Initializer::zeros;
};

/// The weights of one layer, or the gradients of them, as views into an arena: `w[kernel]`. They
/// come in the order in which the layer's `weights` lists them.
template <class Scalar>
class Parameters {
 public:
  Parameters() = default;
  Parameters(Scalar* arena, std::span<const Slot> slots) : arena_(arena), slots_(slots) {}

  operator Parameters<const Scalar>() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<Scalar>) {
    return {arena_, slots_};
  }

  std::size_t size() const { return slots_.size(); }

  View<Scalar> operator[](std::size_t i) const {
    return {arena_ + slots_[i].offset, slots_[i].shape};
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
/// - `std::vector<Weight> weights(const Shape& x) const` — unless it has none;
/// - `template <class S> struct Cache` — what forward keeps for backward (or `using Cache = NoCache`);
/// - `forward<S>(Parameters<const S> w, View<const S> x, View<S> y, Cache<S>& cache) const`;
/// - `backward<S>(Parameters<const S> w, View<const S> x, View<const S> y, View<const S> dy,
///   Cache<S>& cache, Parameters<S> dw, View<S> dx) const`, which adds to `dw`, writes `dx` unless
///   `dx` is false, and leaves `dy` alone.
///
/// A layer of several inputs takes `std::span<const Shape>`, `std::span<const View<const S>>` and
/// `std::span<const View<S>>` in place of `x` and `dx`. A `forward` that takes a `const Pass&` last is
/// told about training. `static std::array<Published<S>, K> published(const Cache<S>&)` makes inner
/// values visible. `static constexpr bool only_reshapes = true` replaces forward and backward: the
/// output is the input's memory under `output_shape`.
///
/// Several threads may run a layer at once, each on other samples with a cache of its own: forward and
/// backward change nothing but their arguments, and a sample's values come from that sample alone.
///
/// A layer can be streamed behind an input with steps, when it has one of these:
///
/// - `bool is_step_wise(const Shape& x) const` — true when each step of the output depends on that step
///   of the input alone; `forward` then serves blocks of any number of steps;
/// - `std::vector<Shape> state(const Shape& x, Index capacity) const` — of what it remembers between
///   steps, at most `capacity` of them; it begins as zeros. Throws `ModelError` with the reason when
///   these fields cannot be streamed;
///   `stream<S>(Parameters<const S> w, const View<const S>& x, const View<S>& y,
///   std::span<const View<S>> state, Index seen, Cache<S>& cache) const` — the next steps of one
///   sample, x: (steps, …), y: (steps, …), after `seen` others;
///   `start_stream<S>(Parameters<const S> w, Cache<S>& cache) const` — unless there is nothing to be
///   done once for all steps.
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

/// A layer that keeps a state between the steps of a stream.
template <class L>
concept StreamableLayer = Layer<L> && requires(const L& layer, const Shape& x) {
  { layer.state(x, Index{1}) } -> std::same_as<std::vector<Shape>>;
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

}  // namespace detail

}  // namespace heed
