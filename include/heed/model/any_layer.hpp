#pragma once

#include <memory>
#include <optional>

#include <heed/layers/signatures.hpp>
#include <heed/model/wiring.hpp>

namespace heed {

/// The values that a layer of unknown type keeps between forward and backward.
/// `AnyLayer::make_cache` makes them, and only the layer that made them can read them.
using AnyCache = std::shared_ptr<void>;

/// A layer of any type, for one scalar type. This is the library's type erasure and the only place
/// with virtual functions. It is a value: a copy is a layer with the same configuration.
template <class Scalar>
class AnyLayer {
 public:
  template <Layer L>
  explicit AnyLayer(L layer) : layer_(std::make_shared<const Holder<L>>(std::move(layer))) {}

  std::string_view type() const { return layer_->type(); }

  /// Equal for layers of the same C++ type, and different for all others.
  const void* key() const { return layer_->key(); }

  Config config() const { return layer_->config(); }

  /// Whether the output is the memory of the input with another shape. Such a layer is not run.
  bool only_reshapes() const { return layer_->only_reshapes(); }

  /// The shapes of all outputs for inputs of shapes `x`, both without the batch axis.
  std::vector<Shape> output_shapes(std::span<const Shape> x) const {
    return layer_->output_shapes(x);
  }
  /// The shape of the first output.
  Shape output_shape(std::span<const Shape> x) const { return output_shapes(x)[0]; }
  std::vector<Weight> weights(std::span<const Shape> x) const { return layer_->weights(x); }

  AnyCache make_cache() const { return layer_->make_cache(); }

  void forward(const Forward<Scalar>& args, AnyCache& cache) const {
    layer_->forward(args, cache.get());
  }
  void backward(const Backward<Scalar>& args, AnyCache& cache) const {
    layer_->backward(args, cache.get());
  }

  /// The inner values that a block publishes after a forward pass.
  std::vector<Published<Scalar>> published(const AnyCache& cache) const {
    return layer_->published(cache.get());
  }

  // Questions of the graph about time steps; see the concept `Layer`.

  bool is_step_wise(std::span<const Shape> x) const { return layer_->is_step_wise(x); }
  bool keeps_steps() const { return layer_->keeps_steps(); }
  bool can_mark() const { return layer_->can_mark(); }
  bool mark(const Forward<Scalar>& args, std::span<std::uint8_t> counts) const {
    return layer_->mark(args, counts);
  }
  std::vector<Shape> states(const Shape& x) const { return layer_->states(x); }
  /// The number of outputs that are not states.
  std::size_t outputs() const { return layer_->outputs(); }
  /// Whether each batch begins with the final states of the previous batch.
  bool is_stateful() const { return layer_->is_stateful(); }

  // Questions of `Stream` about a layer whose inputs have steps.

  bool can_stream() const { return layer_->can_stream(); }
  std::vector<Shape> stream_state(const Shape& x, Index capacity) const {
    return layer_->stream_state(x, capacity);
  }
  void start_stream(Parameters<const Scalar> w, AnyCache& cache) const {
    layer_->start_stream(w, cache.get());
  }
  void stream(const Forward<Scalar>& args, Index seen, AnyCache& cache) const {
    layer_->stream(args, seen, cache.get());
  }

  /// The activation function that the layer applies last, if the layer declares one.
  std::optional<ActivationFunction> output_activation() const {
    return layer_->output_activation();
  }

  /// The same layer with a linear function in place of that one.
  AnyLayer without_output_activation() const { return AnyLayer(layer_->lifted()); }

  /// The layer itself, or null if it is of another type.
  template <Layer L>
  const L* get() const {
    return key() == &key_of<L> ? static_cast<const L*>(layer_->address()) : nullptr;
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string_view type() const = 0;
    virtual Config config() const = 0;
    virtual bool only_reshapes() const = 0;
    virtual std::vector<Shape> output_shapes(std::span<const Shape> x) const = 0;
    virtual std::vector<Weight> weights(std::span<const Shape> x) const = 0;
    virtual AnyCache make_cache() const = 0;
    virtual void forward(const Forward<Scalar>& args, void* cache) const = 0;
    virtual void backward(const Backward<Scalar>& args, void* cache) const = 0;
    virtual std::vector<Published<Scalar>> published(const void* cache) const = 0;
    virtual bool is_step_wise(std::span<const Shape> x) const = 0;
    virtual bool keeps_steps() const = 0;
    virtual bool can_mark() const = 0;
    virtual bool mark(const Forward<Scalar>& args, std::span<std::uint8_t> counts) const = 0;
    virtual std::vector<Shape> states(const Shape& x) const = 0;
    virtual std::size_t outputs() const = 0;
    virtual bool is_stateful() const = 0;
    virtual bool can_stream() const = 0;
    virtual std::vector<Shape> stream_state(const Shape& x, Index capacity) const = 0;
    virtual void start_stream(Parameters<const Scalar> w, void* cache) const = 0;
    virtual void stream(const Forward<Scalar>& args, Index seen, void* cache) const = 0;
    virtual std::optional<ActivationFunction> output_activation() const = 0;
    virtual std::shared_ptr<const Interface> lifted() const = 0;
    virtual const void* key() const = 0;
    virtual const void* address() const = 0;
  };

  /// Its address identifies a layer type without run-time type information.
  template <Layer L>
  static constexpr char key_of = 0;

  template <Layer L>
  struct Holder final : Interface {
    explicit Holder(L given) : layer(std::move(given)) {}
    static_assert(detail::check_signatures<L, Scalar>());
    using Cache = detail::CacheOf<L, Scalar>;

    static Cache& cache_of(void* kept) { return *static_cast<Cache*>(kept); }

    std::string_view type() const override { return L::type; }
    Config config() const override { return get_config(layer); }
    bool only_reshapes() const override { return ReshapingLayer<L>; }

    std::vector<Shape> output_shapes(std::span<const Shape> x) const override {
      if constexpr (RecurrentLayer<L>) {
        check<ShapeError>(!x.empty(), "expected an input");
        std::vector<Shape> shapes(outputs(), layer.output_shape(x[0]));
        const auto states = detail::states_of(layer, x[0]);
        if (x.size() > 1) detail::check_states(states, x.subspan(1));
        if (detail::returns_state(layer)) shapes.insert(shapes.end(), states.begin(), states.end());
        return shapes;
      } else if constexpr (UnaryLayer<L>) {
        check<ShapeError>(x.size() == 1, "expected one input, got ", x.size());
        return {layer.output_shape(x[0])};
      } else {
        return {layer.output_shape(x)};
      }
    }

    std::vector<Weight> weights(std::span<const Shape> x) const override {
      if constexpr (requires { layer.weights(only_or_all(x)); }) {
        return layer.weights(only_or_all(x));
      } else {
        return {};
      }
    }

    AnyCache make_cache() const override {
      if constexpr (ReshapingLayer<L>) {
        return nullptr;
      } else {
        return std::make_shared<Cache>();
      }
    }

    void forward(const Forward<Scalar>& args, void* kept) const override {
      if constexpr (RecurrentLayer<L>) {
        detail::run_forward(layer, detail::with_states(args, outputs()), cache_of(kept));
        detail::hand_on_states(args, outputs());
      } else if constexpr (!ReshapingLayer<L>) {
        layer.template forward<Scalar>(args, cache_of(kept));
      }
    }

    void backward(const Backward<Scalar>& args, void* kept) const override {
      if constexpr (RecurrentLayer<L>) {
        detail::run_backward(layer, detail::with_states(args, outputs()), cache_of(kept));
      } else if constexpr (!ReshapingLayer<L>) {
        layer.template backward<Scalar>(args, cache_of(kept));
      }
    }

    std::vector<Published<Scalar>> published(const void* kept) const override {
      if constexpr (detail::HasPublished<L>) {
        const auto values = L::published(*static_cast<const Cache*>(kept));
        return {values.begin(), values.end()};
      }
      return {};
    }

    bool is_step_wise(std::span<const Shape> x) const override {
      if constexpr (detail::HasStepWise<L>) return layer.is_step_wise(only_or_all(x));
      return false;
    }

    bool keeps_steps() const override {
      if constexpr (CellLayer<L>) {
        return layer.return_sequences;
      } else if constexpr (detail::HasKeepsSteps<L>) {
        return layer.keeps_steps();
      }
      return false;
    }

    bool can_mark() const override { return detail::HasMark<L>; }
    bool mark(const Forward<Scalar>& args, std::span<std::uint8_t> counts) const override {
      if constexpr (detail::HasMark<L>) return layer.template mark<Scalar>(args, counts);
      return false;
    }

    std::vector<Shape> states(const Shape& x) const override {
      if constexpr (RecurrentLayer<L>) return detail::states_of(layer, x);
      return {};
    }

    std::size_t outputs() const override { return detail::outputs_of(layer); }
    bool is_stateful() const override { return detail::is_stateful(layer); }

    bool can_stream() const override { return CellLayer<L> || StreamableLayer<L>; }

    std::vector<Shape> stream_state(const Shape& x, Index capacity) const override {
      if constexpr (CellLayer<L>) {
        return detail::recurrent_stream_state(layer, x);
      } else if constexpr (StreamableLayer<L>) {
        return layer.stream_state(x, capacity);
      }
      return {};
    }

    void start_stream(Parameters<const Scalar> w, void* kept) const override {
      if constexpr (CellLayer<L>) {
        detail::start_recurrent_stream(layer, w, cache_of(kept));
      } else if constexpr (StreamableLayer<L>) {
        if constexpr (requires { layer.template start_stream<Scalar>(w, cache_of(kept)); }) {
          layer.template start_stream<Scalar>(w, cache_of(kept));
        }
      }
    }

    void stream(const Forward<Scalar>& args, Index seen, void* kept) const override {
      if constexpr (CellLayer<L>) {
        detail::recurrent_stream(layer, args, cache_of(kept));
      } else if constexpr (StreamableLayer<L>) {
        layer.template stream<Scalar>(args, seen, cache_of(kept));
      }
    }

    std::optional<ActivationFunction> output_activation() const override {
      if constexpr (ActivatedLayer<L>) {
        L copy = layer;
        return copy.output_activation();
      }
      return std::nullopt;
    }

    std::shared_ptr<const Interface> lifted() const override {
      L copy = layer;
      if constexpr (ActivatedLayer<L>) copy.output_activation() = ActivationFunction::linear;
      return std::make_shared<const Holder>(std::move(copy));
    }

    const void* key() const override { return &key_of<L>; }
    const void* address() const override { return &layer; }

    /// The only input of a layer that takes one, or all inputs of a layer that takes a list.
    template <class T>
    static decltype(auto) only_or_all(const std::span<T>& list) {
      if constexpr (UnaryLayer<L>) {
        return (list[0]);
      } else {
        return (list);
      }
    }

    L layer;
  };

  explicit AnyLayer(std::shared_ptr<const Interface> layer) : layer_(std::move(layer)) {}

  std::shared_ptr<const Interface> layer_;
};

}  // namespace heed
