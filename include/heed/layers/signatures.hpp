#pragma once

#include <heed/layers/recurrent_stream.hpp>

// Checks the members of a layer one by one, so that the compiler names the member that is wrong. A
// member with the right name and the wrong signature is an error; it is not treated as missing.

namespace heed::detail {

template <class L>
using ShapeOf = std::conditional_t<UnaryLayer<L>, Shape, std::span<const Shape>>;

/// Detects whether a class has a member of a given name, whatever its type: the name is ambiguous
/// in a class that inherits from both, and unambiguous otherwise.
struct OtherNames {
  int weights, published, is_step_wise, keeps_steps, states, stream_state, mark;
};
template <class L>
struct WithOtherNames : L, OtherNames {};

template <class L>
concept HasWeights = !std::is_final_v<L> && !requires {
  &WithOtherNames<L>::weights;
};
template <class L>
concept HasPublished = !std::is_final_v<L> && !requires {
  &WithOtherNames<L>::published;
};
template <class L>
concept HasStepWise = !std::is_final_v<L> && !requires {
  &WithOtherNames<L>::is_step_wise;
};
template <class L>
concept HasKeepsSteps = !std::is_final_v<L> && !requires {
  &WithOtherNames<L>::keeps_steps;
};
template <class L>
concept HasStates = !std::is_final_v<L> && !requires {
  &WithOtherNames<L>::states;
};
template <class L>
concept HasStreamState = !std::is_final_v<L> && !requires {
  &WithOtherNames<L>::stream_state;
};
template <class L>
concept HasMark = !std::is_final_v<L> && !requires {
  &WithOtherNames<L>::mark;
};

template <class L>
concept SaysItHasNoWeights = requires {
  requires !L::has_weights;
};

/// Whether the layer works with the scalar `S`; if not, the compiler prints a sentence.
template <class L, class S>
constexpr bool check_signatures() {
  using Shapes = const ShapeOf<L>&;
  static_assert(
      UnaryLayer<L> ||
          requires(const L& layer, std::span<const Shape> x) {
            { layer.output_shape(x) } -> std::same_as<Shape>;
          },
      "a heed layer needs `Shape output_shape(const Shape& x) const`, or with "
      "`std::span<const Shape> x` for several inputs");
  static_assert(
      !HasStepWise<L> ||
          requires(const L& layer, Shapes x) {
            { layer.is_step_wise(x) } -> std::same_as<bool>;
          },
      "a heed layer's `is_step_wise` is `bool is_step_wise(const Shape& x) const`, with what "
      "`output_shape` takes");
  static_assert(
      !HasKeepsSteps<L> ||
          requires(const L& layer) {
            { layer.keeps_steps() } -> std::same_as<bool>;
          },
      "a heed layer's `keeps_steps` is `bool keeps_steps() const`");
  if constexpr (!ReshapingLayer<L>) {
    static_assert(
        SaysItHasNoWeights<L> ||
            requires(const L& layer, Shapes x) {
              { layer.weights(x) } -> std::same_as<std::vector<Weight>>;
            },
        "a heed layer needs `std::vector<Weight> weights(const Shape& x) const`, with what "
        "`output_shape` takes, or `static constexpr bool has_weights = false`");
    static_assert(!SaysItHasNoWeights<L> || !HasWeights<L>,
                  "a heed layer with `has_weights = false` has no `weights`");
    if constexpr (CellLayer<L>) {
      static_assert(
          requires(const L& layer, const CellStep<S>& args, const RecurrentCache<S>& cache) {
            { layer.template step<S>(args, cache) } -> std::same_as<void>;
          },
          "a cell needs `template <class S> void step(const CellStep<S>&, const "
          "RecurrentCache<S>&) const`");
      static_assert(
          requires(const L& layer, const CellStepBack<S>& args, RecurrentCache<S>& cache) {
            { layer.template step_back<S>(args, cache) } -> std::same_as<void>;
          },
          "a cell needs `template <class S> void step_back(const CellStepBack<S>&, "
          "RecurrentCache<S>&) "
          "const`");
    } else {
      static_assert(
          requires { typename L::template Cache<S>; },
          "a heed layer needs `template <class S> struct Cache`, or "
          "`template <class S> using Cache = NoCache`");
      using Cache = typename L::template Cache<S>;
      static_assert(
          requires(const L& layer, const Forward<S>& args, Cache& cache) {
            { layer.template forward<S>(args, cache) } -> std::same_as<void>;
          },
          "a heed layer needs `template <class S> void forward(const Forward<S>& args, Cache<S>& "
          "cache) "
          "const`");
      static_assert(
          requires(const L& layer, const Backward<S>& args, Cache& cache) {
            { layer.template backward<S>(args, cache) } -> std::same_as<void>;
          },
          "a heed layer needs `template <class S> void backward(const Backward<S>& args, Cache<S>& "
          "cache) "
          "const`");
      static_assert(
          !HasPublished<L> ||
              requires(const Cache& cache) {
                { L::template published<S>(cache).size() } -> std::convertible_to<std::size_t>;
              },
          "a heed layer's `published` is `template <class S> static std::array<Published<S>, K> "
          "published(const Cache<S>& cache)`");
      static_assert(
          !HasStates<L> ||
              requires(const L& layer, const Shape& x) {
                { layer.states(x) } -> std::same_as<std::vector<Shape>>;
              },
          "a heed layer's `states` is `std::vector<Shape> states(const Shape& x) const`");
      static_assert(
          !HasStreamState<L> || StreamableLayer<L>,
          "a heed layer's `stream_state` is `std::vector<Shape> stream_state(const Shape& x, "
          "Index capacity) const`");
      static_assert(
          !StreamableLayer<L> ||
              requires(const L& layer, const Forward<S>& args, Cache& cache) {
                { layer.template stream<S>(args, Index{}, cache) } -> std::same_as<void>;
              },
          "a heed layer with `stream_state` needs `template <class S> void stream(const "
          "Forward<S>& args, "
          "Index seen, Cache<S>& cache) const`");
      static_assert(
          !HasMark<L> ||
              requires(const L& layer, const Forward<S>& args, std::span<std::uint8_t> counts) {
                { layer.template mark<S>(args, counts) } -> std::same_as<bool>;
              },
          "a heed layer's `mark` is `template <class S> bool mark(const Forward<S>& args, "
          "std::span<std::uint8_t> counts) const`");
    }
  }
  return true;
}

}  // namespace heed::detail
