#pragma once

#include "architecture.hpp"
#include "support/random_tensor.hpp"

namespace heed::testing {

/// Samples for a network of a plan.
template <class S>
struct PlannedData {
  std::vector<Tensor<S>> x;
  std::vector<std::vector<std::uint8_t>> counts;  ///< (N, T) of each input; empty: all steps count
  std::vector<bool> is_given;                     ///< whether the mask is not in the values

  Index samples() const { return x[0].dim(0); }

  Mask mask(std::size_t i) const { return {counts[i].data(), {x[i].dim(0), x[i].dim(1)}}; }

  Columns<S> columns() const {
    std::vector<Column<S>> list;
    for (std::size_t i = 0; i < x.size(); ++i) {
      list.emplace_back(x[i], is_given[i] ? mask(i) : Mask{});
    }
    return Columns<S>(std::move(list));
  }

  /// The steps of a sample that count in an input.
  std::vector<Index> steps(std::size_t i, Index n) const {
    std::vector<Index> list;
    for (Index t = 0; t < x[i].dim(1); ++t) {
      if (counts[i][static_cast<std::size_t>(n * x[i].dim(1) + t)] != 0) list.push_back(t);
    }
    return list;
  }

  /// One sample without the steps that do not count; without any other, one of them stays.
  PlannedData alone(Index n) const {
    PlannedData one;
    for (std::size_t i = 0; i < x.size(); ++i) {
      Tensor<S> own(x[i].view().samples(n, 1));
      one.counts.emplace_back();
      one.is_given.push_back(false);
      if (!counts[i].empty()) {
        auto kept = steps(i, n);
        if (kept.empty()) {
          one.counts.back() = {0};
          one.is_given.back() = is_given[i];
          kept = {0};
        }
        Tensor<S> compact(own.shape().with(1, std::ssize(kept)));
        const Index width = own.size() / own.dim(1);
        for (std::size_t k = 0; k < kept.size(); ++k) {
          std::copy_n(own.data() + kept[k] * width, width,
                      compact.data() + static_cast<Index>(k) * width);
        }
        own = std::move(compact);
      }
      one.x.push_back(std::move(own));
    }
    return one;
  }
};

/// Whether a layer refuses samples without any step that counts.
inline bool needs_a_step(const Architecture& architecture) {
  return std::any_of(architecture.layers.begin(), architecture.layers.end(), [](const auto& layer) {
    return layer.type == "LastStep" || layer.type == "LuongAttention" ||
           layer.type == "GlobalAveragePooling1D";
  });
}

/// Draws samples. Of an input with a mask the first has a single step that counts, the second none where the
/// network allows it, the third all; the others have holes. `whole`: all steps count.
template <class S>
PlannedData<S> draw_data(const Architecture& architecture, Index samples, std::uint64_t seed,
                         bool whole = false) {
  PlannedData<S> data;
  for (std::size_t i = 0; i < architecture.inputs.size(); ++i) {
    const PlannedInput& input = architecture.inputs[i];
    Random random(seed, 0xda7a + i);
    auto x = random_tensor<S>(input.shape.batch(samples), seed + 1000 * i);
    if (input.ids > 0) {
      const Index first = input.masked == Masked::by_value ? 1 : 0;
      for (S& id : x.values()) id = static_cast<S>(first + random.below(input.ids - first));
    }
    data.counts.emplace_back();
    data.is_given.push_back(input.masked == Masked::given && !whole);
    if (input.masked != Masked::no && !whole) {
      const Index T = input.shape[0], width = x.size() / samples / T;
      auto& counts = data.counts.back();
      for (Index n = 0; n < samples; ++n) {
        const Index one = random.below(T);
        for (Index t = 0; t < T; ++t) {
          const bool drawn = random.bernoulli(0.6);
          const bool none = n == 1 && !needs_a_step(architecture);
          const bool kept = n == 2 || (!none && (t == one || (n > 2 && drawn)));
          counts.push_back(kept ? 1 : 0);
          if (kept) continue;
          // What is under a given mask is not read, and need not even be an id.
          S* const step = x.data() + (n * T + t) * width;
          if (input.masked == Masked::by_value) {
            std::fill_n(step, width, static_cast<S>(input.ids > 0 ? 0 : masked_value));
          } else if (input.ids > 0) {
            std::fill_n(step, width, static_cast<S>(-0.5));
          }
        }
      }
    }
    data.x.push_back(std::move(x));
  }
  return data;
}

/// A field of a layer that is true or false; false where it has none of that name.
inline bool is_set(const Config& config, std::string_view name) {
  for (const auto& [field, value] : config) {
    if (field == name) return std::get<bool>(value);
  }
  return false;
}

/// Where the steps of an output come from.
enum : int {
  by_sample = -1,  ///< it has no steps of a masked input
  broken = -2      ///< the places of masked steps can be seen in it
};

/// For each output of each node: the input with whose mask its steps count, or one of the above. What
/// docs/sequences.md says of each layer.
template <class S>
std::vector<std::vector<int>> trace_masks(const Architecture& architecture, const Graph<S>& graph) {
  std::vector<std::vector<int>> traces;
  for (std::size_t i = 0; i < architecture.inputs.size(); ++i) {
    const bool masked = architecture.inputs[i].masked != Masked::no;
    traces.push_back({masked ? static_cast<int>(i) : by_sample});
  }
  // Whether a node's masked steps are known from its values alone.
  const auto is_raw = [&](Node node) {
    return node.index < architecture.inputs.size() &&
           architecture.inputs[node.index].masked == Masked::by_value;
  };
  for (std::size_t i = 0; i < architecture.layers.size(); ++i) {
    const PlannedLayer& planned = architecture.layers[i];
    const auto& node = graph[architecture.inputs.size() + i];
    std::vector<int> x;
    bool rest_is_by_sample = true, raw = false;
    for (const Node input : planned.inputs) {
      x.push_back(traces[input.index][input.output]);
      rest_is_by_sample = rest_is_by_sample && (x.size() == 1 || x.back() == by_sample);
      raw = raw || is_raw(input);
    }
    const bool marks = node.layer.can_mark();
    const bool same = std::all_of(x.begin(), x.end(), [&](int trace) { return trace == x[0]; });
    int first = broken, states = broken;
    if (raw || x[0] == broken) {
      const bool is_masking =
          planned.type == "Masking" && planned.config == get_config(Masking{masked_value});
      if (is_masking || is_set(planned.config, "mask_zero")) first = x[0];
    } else if (same && x[0] == by_sample) {
      first = states = by_sample;
    } else if (marks) {
      // A Masking draws its own mask; an Embedding hands that of its input on.
      if (planned.type == "Embedding") first = x[0];
    } else if (!node.layer.states(graph.shape(planned.inputs[0])).empty()) {
      if (rest_is_by_sample) states = by_sample;
      if (!node.layer.keeps_steps()) {
        // As in Keras, a masked last step of the whole batch can then be seen in the output.
        if (!is_set(planned.config, "zero_output_for_mask")) first = states;
      } else if (rest_is_by_sample && !is_set(planned.config, "go_backwards")) {
        first = x[0];
      }
    } else if (node.step_wise) {
      if (same) first = x[0];
    } else if (planned.type == "LastStep" || planned.type == "LuongAttention" ||
               planned.type == "GlobalAveragePooling1D") {
      first = by_sample;
    }
    traces.emplace_back(node.shapes.size(), states);
    for (std::size_t k = 0; k < node.layer.outputs(); ++k) traces.back()[k] = first;
  }
  return traces;
}

}  // namespace heed::testing
