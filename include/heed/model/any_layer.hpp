#pragma once

#include <memory>
#include <optional>

#include <heed/layers/layer.hpp>

namespace heed {

/// What a layer of unknown type keeps between forward and backward: made by `AnyLayer::make_cache`,
/// and understood by the layer that made it.
using AnyCache = std::shared_ptr<void>;

/// Any layer, for one scalar type: the library's type erasure, and the only place with virtual
/// functions. A value: copying it copies the layer's configuration.
template <class Scalar>
class AnyLayer {
 public:
  template <Layer L>
  explicit AnyLayer(L layer) : layer_(std::make_shared<const Holder<L>>(std::move(layer))) {}

  std::string_view type() const { return layer_->type(); }

  /// The same for layers of the same C++ type, and for no others.
  const void* key() const { return layer_->key(); }

  Config config() const { return layer_->config(); }

  /// Whether the output is the input's memory under another shape; there is no forward then.
  bool only_reshapes() const { return layer_->only_reshapes(); }

  Shape output_shape(std::span<const Shape> x) const { return layer_->output_shape(x); }
  std::vector<Weight> weights(std::span<const Shape> x) const { return layer_->weights(x); }

  AnyCache make_cache() const { return layer_->make_cache(); }

  void forward(Parameters<const Scalar> w, std::span<const View<const Scalar>> x,
               const View<Scalar>& y, AnyCache& cache, const Pass& pass) const {
    layer_->forward(w, x, y, cache.get(), pass);
  }

  void backward(Parameters<const Scalar> w, std::span<const View<const Scalar>> x,
                const View<const Scalar>& y, const View<const Scalar>& dy, AnyCache& cache,
                Parameters<Scalar> dw, std::span<const View<Scalar>> dx) const {
    layer_->backward(w, x, y, dy, cache.get(), dw, dx);
  }

  /// The inner values that a block shows after a forward.
  std::vector<Published<Scalar>> published(const AnyCache& cache) const {
    return layer_->published(cache.get());
  }

  // What `Stream` asks of a layer whose inputs have steps; see the concept `Layer`.

  bool is_step_wise(std::span<const Shape> x) const { return layer_->is_step_wise(x); }
  bool can_stream() const { return layer_->can_stream(); }
  std::vector<Shape> state(const Shape& x, Index capacity) const {
    return layer_->state(x, capacity);
  }
  void start_stream(Parameters<const Scalar> w, AnyCache& cache) const {
    layer_->start_stream(w, cache.get());
  }
  void stream(Parameters<const Scalar> w, const View<const Scalar>& x, const View<Scalar>& y,
              std::span<const View<Scalar>> state, Index seen, AnyCache& cache) const {
    layer_->stream(w, x, y, state, seen, cache.get());
  }

  /// The activation function that ends the layer; none when the layer does not say.
  std::optional<ActivationFunction> output_activation() const {
    return layer_->output_activation();
  }

  /// The same layer with a linear function in that place.
  AnyLayer without_output_activation() const { return AnyLayer(layer_->lifted()); }

  /// The layer itself, or null when it is of another type.
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
    virtual Shape output_shape(std::span<const Shape> x) const = 0;
    virtual std::vector<Weight> weights(std::span<const Shape> x) const = 0;
    virtual AnyCache make_cache() const = 0;
    virtual void forward(Parameters<const Scalar> w, std::span<const View<const Scalar>> x,
                         const View<Scalar>& y, void* cache, const Pass& pass) const = 0;
    virtual void backward(Parameters<const Scalar> w, std::span<const View<const Scalar>> x,
                          const View<const Scalar>& y, const View<const Scalar>& dy, void* cache,
                          Parameters<Scalar> dw, std::span<const View<Scalar>> dx) const = 0;
    virtual std::vector<Published<Scalar>> published(const void* cache) const = 0;
    virtual bool is_step_wise(std::span<const Shape> x) const = 0;
    virtual bool can_stream() const = 0;
    virtual std::vector<Shape> state(const Shape& x, Index capacity) const = 0;
    virtual void start_stream(Parameters<const Scalar> w, void* cache) const = 0;
    virtual void stream(Parameters<const Scalar> w, const View<const Scalar>& x,
                        const View<Scalar>& y, std::span<const View<Scalar>> state, Index seen,
                        void* cache) const = 0;
    virtual std::optional<ActivationFunction> output_activation() const = 0;
    virtual std::shared_ptr<const Interface> lifted() const = 0;
    virtual const void* key() const = 0;
    virtual const void* address() const = 0;
  };

  /// Its address tells layer types apart without run-time type information.
  template <Layer L>
  static constexpr char key_of = 0;

  template <Layer L>
  struct Holder final : Interface {
    explicit Holder(L given) : layer(std::move(given)) {}

    std::string_view type() const override { return L::type; }
    Config config() const override { return get_config(layer); }
    bool only_reshapes() const override { return ReshapingLayer<L>; }

    Shape output_shape(std::span<const Shape> x) const override {
      if constexpr (UnaryLayer<L>) {
        check<ShapeError>(x.size() == 1, "expected one input, got ", x.size());
        return layer.output_shape(x[0]);
      } else {
        return layer.output_shape(x);
      }
    }

    std::vector<Weight> weights(std::span<const Shape> x) const override {
      if constexpr (requires { layer.weights(x); }) {
        return layer.weights(x);
      } else if constexpr (requires { layer.weights(x[0]); }) {
        return layer.weights(x[0]);
      } else {
        return {};
      }
    }

    AnyCache make_cache() const override {
      if constexpr (ReshapingLayer<L>) {
        return nullptr;
      } else {
        return std::make_shared<typename L::template Cache<Scalar>>();
      }
    }

    void forward(Parameters<const Scalar> w, std::span<const View<const Scalar>> x,
                 const View<Scalar>& y, void* kept, const Pass& pass) const override {
      if constexpr (!ReshapingLayer<L>) {
        auto& cache = *static_cast<typename L::template Cache<Scalar>*>(kept);
        const auto& input = only_or_all(x);
        if constexpr (requires { layer.template forward<Scalar>(w, input, y, cache, pass); }) {
          layer.template forward<Scalar>(w, input, y, cache, pass);
        } else {
          layer.template forward<Scalar>(w, input, y, cache);
        }
      }
    }

    void backward(Parameters<const Scalar> w, std::span<const View<const Scalar>> x,
                  const View<const Scalar>& y, const View<const Scalar>& dy, void* kept,
                  Parameters<Scalar> dw, std::span<const View<Scalar>> dx) const override {
      if constexpr (!ReshapingLayer<L>) {
        auto& cache = *static_cast<typename L::template Cache<Scalar>*>(kept);
        layer.template backward<Scalar>(w, only_or_all(x), y, dy, cache, dw, only_or_all(dx));
      }
    }

    std::vector<Published<Scalar>> published(const void* kept) const override {
      if constexpr (!ReshapingLayer<L>) {
        const auto& cache = *static_cast<const typename L::template Cache<Scalar>*>(kept);
        if constexpr (requires { L::published(cache); }) {
          const auto values = L::published(cache);
          return {values.begin(), values.end()};
        }
      }
      return {};
    }

    bool is_step_wise(std::span<const Shape> x) const override {
      if constexpr (requires { layer.is_step_wise(only_or_all(x)); }) {
        return layer.is_step_wise(only_or_all(x));
      } else {
        return false;
      }
    }

    bool can_stream() const override { return StreamableLayer<L>; }

    std::vector<Shape> state(const Shape& x, Index capacity) const override {
      if constexpr (StreamableLayer<L>) return layer.state(x, capacity);
      return {};
    }

    void start_stream(Parameters<const Scalar> w, void* kept) const override {
      if constexpr (StreamableLayer<L>) {
        auto& cache = *static_cast<typename L::template Cache<Scalar>*>(kept);
        if constexpr (requires { layer.template start_stream<Scalar>(w, cache); }) {
          layer.template start_stream<Scalar>(w, cache);
        }
      }
    }

    void stream(Parameters<const Scalar> w, const View<const Scalar>& x, const View<Scalar>& y,
                std::span<const View<Scalar>> state, Index seen, void* kept) const override {
      if constexpr (StreamableLayer<L>) {
        auto& cache = *static_cast<typename L::template Cache<Scalar>*>(kept);
        layer.template stream<Scalar>(w, x, y, state, seen, cache);
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

    /// The one input of a layer that takes one, all inputs of a layer that takes a list.
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
