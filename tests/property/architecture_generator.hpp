#pragma once

#include "architecture_builder.hpp"

namespace heed::testing {

/// Draws networks of one to eight layers or a few more, of every kind, of one or two inputs and outputs, with
/// branches that fan out and join. What it draws is valid by what the layers' documentation says: a network that
/// heed refuses is a failure.
class ArchitectureGenerator : ArchitectureBuilder {
 public:
  explicit ArchitectureGenerator(std::uint64_t seed) : ArchitectureBuilder(seed) {}

  Architecture draw() {
    plan_ = {};
    careful_ = false;
    plan_.has_kinks = upto(3) == 0;
    model_ = Model<double>();
    nodes_.clear();
    used_.clear();
    const Index kind = upto(9);
    if (kind == 0) add_input({{1 + upto(5)}});
    if (kind == 1) add_input({{1 + upto(2), 1 + upto(2), 1 + upto(2)}});
    if (kind >= 2) add_sequences();
    const std::size_t layers = plan_.layers.size() + static_cast<std::size_t>(1 + upto(7));
    while (plan_.layers.size() < layers) add_layer();
    plan_.outputs = {{model_.graph().nodes().size() - 1, 0}};
    if (chance(0.25)) {
      const Node other = nodes_[choose(
          [&](std::size_t node) { return nodes_[node].index >= plan_.inputs.size(); })];
      if (other != plan_.outputs[0]) plan_.outputs.push_back(other);
    }
    return plan_;
  }

 private:
  /// One input of steps, or two of the same length; of numbers or of ids, masked or not.
  void add_sequences() {
    const Index steps = 1 + upto(4), count = chance(0.25) ? 2 : 1;
    bool masked = false;
    std::vector<std::size_t> first;
    for (Index i = 0; i < count; ++i) {
      const bool ids = chance(0.2);
      const Index how = upto(4);
      const auto kind = how == 3 ? Masked::given : how == 4 ? Masked::by_value : Masked::no;
      masked = masked || kind != Masked::no;
      first.push_back(add_input({.shape = ids ? Shape{steps} : Shape{steps, 1 + upto(3)},
                                 .ids = ids ? 2 + upto(3) : 0,
                                 .masked = kind}));
    }
    careful_ = masked && chance(0.6);
    for (const std::size_t node : first) {
      const PlannedInput input = plan_.inputs[node];
      const bool by_value = input.masked == Masked::by_value;
      if (input.ids > 0) {
        put(Embedding{.input_dim = input.ids,
                      .output_dim = 1 + upto(2),
                      .embeddings_initializer = Initializer::glorot_uniform,
                      .mask_zero = by_value},
            {node});
      } else if (by_value) {
        put(Masking{.mask_value = masked_value}, {node});
      }
    }
  }

  /// Adds a layer of a kind that is drawn, unless no node fits it. A network that is careful has no
  /// layers that lose the mask of their input.
  void add_layer() {
    const std::size_t none = used_.size();
    const auto of_rank = [&](Index low, Index high) {
      return [this, low, high](std::size_t node) {
        return low <= shape(node).rank() && shape(node).rank() <= high;
      };
    };
    const auto any = choose([](std::size_t) { return true; });
    const auto steps = choose(of_rank(2, 2)), vector = choose(of_rank(1, 1));
    const auto deep = choose(of_rank(2, 3));
    const bool masks = careful_ && !chance(0.02);
    switch (upto(masks ? 18 : 36)) {
      case 0:
      case 1:
        if (steps < none) add_recurrent(steps);
        break;
      case 2:
        if (steps < none) add_with_states(steps);
        break;
      case 3:
        if (steps < none) add_bidirectional(steps);
        break;
      case 4:
      case 5:
        if (masks && steps == none) break;
        put(dense(), {masks ? steps : any});
        break;
      case 6: {
        const auto node = masks && steps < none ? steps : any;
        put(Activation{.activation = shape(node).back() > 1 ? function_of_rows() : function()},
            {node});
        break;
      }
      case 7: put(Dropout{.rate = 0.1 * static_cast<double>(upto(6))}, {any}); break;
      case 8:
        if (deep < none) add_time_distributed(deep);
        break;
      case 9:
        if (steps < none) put(LuongAttention{.units = 1 + upto(3)}, {steps});
        break;
      case 10:
        if (steps < none) put(LastStep{}, {steps});
        break;
      case 11: add_shared(); break;
      case 12: add_merging(any); break;
      case 13:
      case 14:
      case 15: add_element_wise(any); break;
      case 16:
      case 17: add_normalization(any); break;
      case 18:
        if (steps < none) put(GlobalAveragePooling1D{.keepdims = chance(0.2)}, {steps});
        break;
      case 19:
      case 36: add_noise(any); break;
      case 20: add_reshape(any); break;
      case 21:
        if (steps < none) add_convolution(steps);
        break;
      case 22:
      case 23:
        if (steps < none) add_pooling(steps);
        break;
      case 24:
      case 25:
        if (steps < none) add_other_steps(steps);
        break;
      case 26: put(Flatten{}, {any}); break;
      case 27:
        if (vector < none && shape(vector).size() * 3 <= most) {
          put(RepeatVector{.n = 1 + upto(2)}, {vector});
        }
        break;
      case 28:
        if (steps < none) put(StepAttention{.use_bias = chance(0.7)}, {steps});
        break;
      case 29: add_slice(any); break;
      case 30:
        // Of a value that nothing computes, so that steps do not begin to count where weights move.
        if (steps < none) put(Masking{.mask_value = 0.7318}, {steps});
        break;
      case 31: add_permute(any); break;
      case 32:
      case 33: add_merging(any); break;
      case 34: add_concatenate(any); break;
      default: add_dot(); break;
    }
  }

  void add_recurrent(std::size_t steps) {
    const bool backwards = chance(0.15) && !careful_, states = chance(0.2);
    draw_cell([&](auto cell) {
      cell.go_backwards = backwards;
      cell.return_state = states;
      return put(cell, {steps});
    });
  }

  static MergeMode merge_mode_of(Index i) {
    return Names<MergeMode>::table[static_cast<std::size_t>(i)].second;
  }

  void add_bidirectional(std::size_t steps) {
    const MergeMode mode = merge_mode_of(upto(4));
    draw_cell([&](auto cell) {
      return put(Bidirectional<decltype(cell)>{.layer = cell, .merge_mode = mode}, {steps});
    });
  }

  /// Two recurrent layers of one kind, the second of which begins with the final states of the first.
  void add_with_states(std::size_t steps) {
    const auto other = choose([&](std::size_t node) { return shape(node).rank() == 2; });
    const bool both = chance(0.3);
    const MergeMode first_mode = merge_mode_of(upto(4)), mode = merge_mode_of(upto(4));
    draw_cell([&](auto cell) {
      const auto add = [&](const auto& encoder, const auto& decoder, std::size_t outputs) {
        const std::size_t first = put(encoder, {steps});
        std::vector<std::size_t> inputs{other};
        for (std::size_t k = first + outputs; k < nodes_.size(); ++k) inputs.push_back(k);
        return put(decoder, inputs);
      };
      auto states = cell;
      states.return_state = true;
      if (!both) return add(states, cell, 1);
      using Both = Bidirectional<decltype(cell)>;
      return add(Both{.layer = states, .merge_mode = first_mode},
                 Both{.layer = cell, .merge_mode = mode}, first_mode == MergeMode::none ? 2 : 1);
    });
  }

  void add_time_distributed(std::size_t node) {
    if (shape(node).rank() == 3 && chance(0.6)) {
      draw_cell(
          [&](auto cell) { return put(TimeDistributed<decltype(cell)>{.layer = cell}, {node}); });
    } else {
      put(TimeDistributed<Dense>{.layer = dense()}, {node});
    }
  }

  /// Adds a layer that has weights again, for a node of the shape that it was made for.
  void add_shared() {
    std::vector<std::size_t> layers;
    for (std::size_t i = 0; i < plan_.layers.size(); ++i) {
      const auto& node = model_.graph()[plan_.inputs.size() + i];
      if (node.slot_count > 0 && plan_.layers[i].type != "Embedding") layers.push_back(i);
    }
    if (layers.empty()) return;
    const std::size_t i = any_of(layers);
    const Shape wanted = model_.graph().shape(plan_.layers[i].inputs[0]);
    const auto node = choose([&](std::size_t other) { return shape(other) == wanted; });
    const auto inputs = take({node});
    plan_.layers.push_back({plan_.layers[i].type, plan_.layers[i].config, inputs, i});
    put_node(model_.share("", {plan_.inputs.size() + i, 0}, inputs));
  }

  WindowPadding window_padding(Index kinds) {
    return Names<WindowPadding>::table[static_cast<std::size_t>(upto(kinds - 1))].second;
  }

  void add_convolution(std::size_t node) {
    const Shape& x = shape(node);
    const WindowPadding padding = chance(0.4) ? WindowPadding::causal : window_padding(3);
    const Index size = 1 + upto(padding == WindowPadding::valid ? x[0] - 1 : 3);
    const bool strides = chance(0.3), dilates = !strides && (size - 1) * 2 < x[0];
    const Index groups = x[1] % 2 == 0 && chance(0.4) ? 2 : 1;
    put(Conv1D{.filters = groups * (1 + upto(1)),
               .kernel_size = size,
               .strides = strides ? 2 : 1,
               .padding = padding,
               .dilation_rate = dilates ? 1 + upto(1) : 1,
               .groups = groups,
               .activation = function(),
               .use_bias = chance(0.8),
               .bias_initializer = Initializer::glorot_uniform},
        {node});
  }

  /// The largest of equal values has a kink.
  void add_pooling(std::size_t node) {
    const WindowPadding padding = window_padding(2);
    const Index size = 1 + upto(padding == WindowPadding::valid ? shape(node)[0] - 1 : 3);
    const Index strides = upto(2);
    const Index kind = upto(2);
    plan_.has_kinks = plan_.has_kinks || kind > 0;
    if (kind == 0) {
      put(AveragePooling1D{.pool_size = size, .strides = strides, .padding = padding}, {node});
    } else if (kind == 1) {
      put(MaxPooling1D{.pool_size = size, .strides = strides, .padding = padding}, {node});
    } else {
      put(GlobalMaxPooling1D{.keepdims = chance(0.2)}, {node});
    }
  }

  void add_other_steps(std::size_t node) {
    const Index steps = shape(node)[0], first = upto(steps - 1);
    const Index kind = shape(node).size() * 3 <= most ? upto(2) : 0;
    if (kind == 0) {
      put(Cropping1D{.cropping = {first, upto(steps - 1 - first)}}, {node});
    } else if (kind == 1) {
      put(UpSampling1D{.size = 1 + upto(2)}, {node});
    } else {
      put(ZeroPadding1D{.padding = {upto(1), upto(1)}}, {node});
    }
  }

  void add_slice(std::size_t node) {
    std::vector<Index> begin, end, squeeze;
    for (Index axis = 0; axis < shape(node).rank(); ++axis) {
      const Index length = shape(node)[axis];
      const bool whole = chance(0.4);
      begin.push_back(whole ? 0 : upto(length - 1));
      end.push_back(whole ? length : begin.back() + 1 + upto(length - 1 - begin.back()));
      const bool one = end.back() - begin.back() == 1;
      if (one && chance(0.5) && std::ssize(squeeze) + 1 < shape(node).rank()) {
        squeeze.push_back(axis + 1);
      }
      if (end.back() == length)
        end.back() = 0;  // the end itself
      else if (chance(0.3))
        end.back() -= length;
      if (chance(0.3) && begin.back() > 0) begin.back() -= length;
    }
    put(Slice{.begin = begin, .end = end, .squeeze = squeeze}, {node});
  }

  void add_permute(std::size_t node) {
    std::vector<Index> dims(static_cast<std::size_t>(shape(node).rank()));
    for (std::size_t i = 0; i < dims.size(); ++i) dims[i] = static_cast<Index>(i) + 1;
    random_.shuffle(std::span(dims));
    put(Permute{.dims = dims}, {node});
  }

  void add_reshape(std::size_t node) {
    std::vector<Index> target;
    Index rest = shape(node).size();
    for (Index more = upto(2); more > 0; --more) {
      std::vector<Index> divisors;
      for (Index divisor = 1; divisor <= rest; ++divisor) {
        if (rest % divisor == 0) divisors.push_back(divisor);
      }
      target.push_back(divisors[static_cast<std::size_t>(upto(std::ssize(divisors) - 1))]);
      rest /= target.back();
    }
    target.push_back(rest);
    random_.shuffle(std::span(target));
    if (chance(0.5)) target[static_cast<std::size_t>(upto(std::ssize(target) - 1))] = -1;
    put(Reshape{.target_shape = target}, {node});
  }

  void add_merging(std::size_t first) {
    const auto again = [&] {
      return choose([&](std::size_t node) { return shape(node) == shape(first); });
    };
    std::vector<std::size_t> inputs{first, again()};
    const Index kind = upto(7);
    if (kind == 0) {
      put(Subtract{}, inputs);
      return;
    }
    if (chance(0.5)) inputs.push_back(again());
    switch (kind) {
      case 1:
      case 2: put(Multiply{}, inputs); break;
      case 3: put(Average{}, inputs); break;
      case 4:
        plan_.has_kinks = true;
        put(Maximum{}, inputs);
        break;
      case 5:
        plan_.has_kinks = true;
        put(Minimum{}, inputs);
        break;
      default: put(Add{}, inputs); break;
    }
  }

  /// A layer that computes each element on its own, or each of a row from the row.
  void add_element_wise(std::size_t node) {
    const Index kind = upto(8);
    plan_.has_kinks = plan_.has_kinks || (1 <= kind && kind <= 4);
    switch (kind) {
      case 1:
        put(ReLU{.max_value = chance(0.5) ? 1. : ReLU::unlimited,
                 .negative_slope = 0.1 * static_cast<double>(upto(2)),
                 .threshold = 0.1 * static_cast<double>(upto(2))},
            {node});
        break;
      case 2: put(ELU{.alpha = 0.5}, {node}); break;
      case 3: put(LeakyReLU{}, {node}); break;
      case 4: {
        std::vector<Index> shared;
        if (shape(node).rank() > 1 && chance(0.7)) shared.push_back(1);
        put(PReLU{.alpha_initializer = Initializer::glorot_uniform, .shared_axes = shared}, {node});
        break;
      }
      case 5:
        if (const Index axis = upto(shape(node).rank() - 1); shape(node)[axis] > 1) {
          put(Softmax{.axis = axis + 1}, {node});
        }
        break;
      case 6: put(Identity{}, {node}); break;
      case 7: put(ActivityRegularization{}, {node}); break;
      default: put(Rescaling{.scale = 0.5, .offset = 0.2}, {node}); break;
    }
  }

  /// Near a variance or a norm of 0, a difference would not be a derivative. Where all elements are the same, they
  /// become exactly 0, where other functions have a kink; a beta or a Rescaling moves them away.
  void add_normalization(std::size_t node) {
    const bool center = chance(0.8), scale = chance(0.8);
    const auto add = [&](auto layer) {
      layer.epsilon = 0.1;
      layer.center = center;
      layer.scale = scale;
      layer.beta_initializer = Initializer::glorot_uniform;
      const std::size_t made = put(layer, {node});
      if (!center) put(Rescaling{.scale = 1, .offset = 0.3}, {made});
    };
    switch (upto(4)) {
      case 0: add(LayerNormalization{}); break;
      case 1: add(GroupNormalization{.groups = shape(node).back() % 2 == 0 ? 2 : 1}); break;
      case 2: put(UnitNormalization{}, {put(Rescaling{.scale = 0.3, .offset = 2}, {node})}); break;
      default: add(BatchNormalization{.momentum = 0.9}); break;
    }
  }

  void add_noise(std::size_t node) {
    const double rate = 0.1 * static_cast<double>(upto(4));
    switch (shape(node).rank() == 2 ? upto(5) : upto(2)) {
      case 0: put(GaussianNoise{.stddev = rate}, {node}); break;
      case 1: put(GaussianDropout{.rate = rate}, {node}); break;
      case 2: put(AlphaDropout{.rate = rate}, {node}); break;
      default: put(SpatialDropout1D{.rate = rate}, {node}); break;
    }
  }

  void add_concatenate(std::size_t first) {
    const Shape& x = shape(first);
    const Index axis = upto(x.rank() - 1);
    const auto second = choose([&](std::size_t node) {
      return shape(node).rank() == x.rank() && shape(node).with(axis, 0) == x.with(axis, 0);
    });
    if (x.size() + shape(second).size() > most) return;
    // Axes count from the batch axis, or from the last one backwards.
    put(Concatenate{.axis = chance(0.5) ? axis + 1 : axis - x.rank()}, {first, second});
  }

  void add_dot() {
    const auto takes = [&](std::size_t node) { return shape(node).rank() <= 2; };
    const auto first = choose(takes);
    if (first == used_.size()) return;
    const Index a = upto(shape(first).rank() - 1);
    Index b = 0;
    const auto second = choose([&](std::size_t node) {
      if (!takes(node)) return false;
      for (Index axis = 0; axis < shape(node).rank(); ++axis) {
        if (shape(node)[axis] == shape(first)[a]) return true;
      }
      return false;
    });
    const Index K = shape(first)[a];
    while (shape(second)[b] != K) ++b;
    if (shape(first).size() / K * (shape(second).size() / K) > most) return;
    put(Dot{.axes = {a + 1, b + 1}}, {first, second});
  }

  bool careful_ = false;  ///< no layers that lose the mask of their input
};

}  // namespace heed::testing
