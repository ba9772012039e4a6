#pragma once

#include <heed/io/keras_graph.hpp>
#include <heed/io/keras_masks.hpp>

// Keras 3 writes the tensors that are masks into a file as it does all others, made by classes that are no layers:
// `NotEqual(ids, 0)` for an Embedding, `Any(NotEqual(x, 0.5))` for a Masking, `LogicalOr` where two are joined, and for a
// Concatenate a long sum of these.

namespace heed::detail {

/// A mask that a file computes.
struct KerasMaskValue {
  enum class Kind { mask, all, nothing, unknown };  ///< all: every step counts

  Kind kind = Kind::unknown;
  KerasMask mask = {};
};

inline bool is_keras_mask_class(const KerasLayer& layer) {
  constexpr auto names = std::to_array<std::string_view>(
      {"Any", "ExpandDims", "LogicalAnd", "LogicalOr", "NotEqual", "OnesLike", "ZerosLike"});
  return layer.of_keras && std::find(names.begin(), names.end(), layer.class_name) != names.end();
}

/// What counts in any of some masks.
inline KerasMaskValue any_of_masks(std::span<const KerasMaskValue> values) {
  using Kind = KerasMaskValue::Kind;
  KerasMaskValue result{Kind::nothing};
  for (const KerasMaskValue& value : values) {
    if (value.kind == Kind::unknown || value.kind == Kind::all) return value;
    if (value.kind == Kind::nothing) continue;
    result.kind = Kind::mask;
    result.mask.tests.insert(value.mask.tests.begin(), value.mask.tests.end());
    if (result.mask.tests.size() > KerasMask::most) return {};
  }
  return result;
}

/// The mask that an operation makes of others, `inputs`. `value` is the node of what a NotEqual looks at.
inline KerasMaskValue keras_mask_value(const KerasLayer& layer, const KerasCall& call,
                                       std::span<const KerasMaskValue> inputs,
                                       const std::optional<Node>& value) {
  using Kind = KerasMaskValue::Kind;
  const std::string& type = layer.class_name;
  const auto axis = layer.config->find("axis");
  const bool last = axis != layer.config->end() && *axis == -1;
  if (type == "NotEqual") {
    const bool test = value && call.inputs.size() == 1 && call.arguments.size() == 1 &&
                      call.arguments[0]->is_number();
    if (!test) return {};
    return {Kind::mask, {{{*value, call.arguments[0]->get<double>()}}}};
  }
  if (type == "ZerosLike") return {Kind::nothing};
  if (type == "OnesLike") return {Kind::all};
  const bool one = type == "Any" || type == "ExpandDims";
  const bool some = type == "LogicalOr" || (type == "Concatenate" && last);
  if (inputs.size() != call.inputs.size() || !(some || (one && last))) return {};
  return any_of_masks(inputs);
}

}  // namespace heed::detail
