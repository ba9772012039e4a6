#pragma once

#include <heed/io/keras_graph.hpp>
#include <heed/layers/last_step.hpp>
#include <heed/layers/slice.hpp>

// The layers that Python's operators on tensors become in a file: `h * g`, `h + g`, `h[:, -1, :]`.
// Keras 3 has the classes Multiply, Add, GetItem, …, which are called with separate tensors;
// tf.keras has TFOpLambda and SlicingOpLambda.

namespace heed::detail {

enum class KerasOperator { none, add, maximum, minimum, multiply, slice, subtract };

/// An operator of two tensors: its class in Keras 3, and its function in a TFOpLambda.
struct KerasBinary {
  KerasOperator which;
  std::string_view type, function;
};
inline constexpr auto keras_binary_operators =
    std::to_array<KerasBinary>({{KerasOperator::add, Add::type, "math.add"},
                                {KerasOperator::add, Add::type, "__operators__.add"},
                                {KerasOperator::maximum, Maximum::type, "math.maximum"},
                                {KerasOperator::minimum, Minimum::type, "math.minimum"},
                                {KerasOperator::multiply, Multiply::type, "math.multiply"},
                                {KerasOperator::subtract, Subtract::type, "math.subtract"}});

inline KerasOperator keras_operator(const KerasLayer& layer, const KerasCall& call) {
  if (!layer.of_keras || call.is_list) return KerasOperator::none;
  const std::string& type = layer.class_name;
  if (type == "GetItem" || type == "SlicingOpLambda") return KerasOperator::slice;
  const auto function = layer.config->find("function");  // the end if there is none
  for (const KerasBinary& one : keras_binary_operators) {
    const bool is_function = type == "TFOpLambda" && function != layer.config->end() &&
                             *function == std::string(one.function);
    if (is_function || type == one.type) return one.which;
  }
  return KerasOperator::none;
}

/// One entry of `x[…]`: a slice as Keras 3 or tf.keras writes it, or null.
inline const nlohmann::json* keras_slice(const nlohmann::json& entry) {
  if (!entry.is_object()) return nullptr;
  if (entry.contains("start")) return &entry;
  const auto config = entry.find("config");
  const auto class_name = entry.find("class_name");
  const bool is_slice = class_name != entry.end() && *class_name == "__slice__" &&
                        config != entry.end() && config->is_object();
  return is_slice ? &*config : nullptr;
}

/// The entries of `x[…]`, one for each axis of a batch. An ellipsis and missing entries at the end
/// are whole axes.
inline std::vector<nlohmann::json> keras_slices(const nlohmann::json& said, Index rank) {
  const nlohmann::json whole{{"start", nullptr}, {"stop", nullptr}};
  const auto is_ellipsis = [](const nlohmann::json& entry) {
    return entry.is_object() && entry.contains("class_name") &&
           entry["class_name"] == "__ellipsis__";
  };
  const auto list = said.is_array() ? said : nlohmann::json::array({said});
  check<OptionError>(std::ssize(list) <= rank + 1, "it slices ", list.size(),
                     " axes, but its input has ", rank, ", including the batch axis");
  std::vector<nlohmann::json> entries;
  bool has_ellipsis = false;
  for (const auto& entry : list) {
    if (!is_ellipsis(entry)) {
      entries.push_back(entry);
      continue;
    }
    check<OptionError>(!has_ellipsis, "it has two ellipses");
    has_ellipsis = true;
    const Index others = std::ssize(list) - 1;
    entries.insert(entries.end(), static_cast<std::size_t>(rank - others), whole);
  }
  check<OptionError>(std::ssize(entries) <= rank, "it slices ", entries.size(),
                     " axes, but its input has ", rank, ", including the batch axis");
  entries.resize(static_cast<std::size_t>(rank), whole);
  return entries;
}

/// `x[:, said…]` for samples of a shape. Throws `OptionError` for entries that are neither ranges
/// nor numbers.
inline Slice slice_from_keras(const nlohmann::json& said, const Shape& x) {
  const auto entries = keras_slices(said, x.rank() + 1);
  Slice part;
  for (std::size_t axis = 0; axis < entries.size(); ++axis) {
    const auto* range = keras_slice(entries[axis]);
    const bool samples = axis == 0;
    const Index length = samples ? 0 : x[static_cast<Index>(axis) - 1];
    const bool open = length == any;  // only its last position can be taken
    Index first = 0, last = 0;
    if (range != nullptr) {
      const auto limit = [&](const char* key) -> Index {
        const auto found = range->find(key);
        if (found == range->end() || found->is_null()) return 0;
        check<OptionError>(!samples, "it slices the axis of samples");
        const Index at = index_from_json(*found, key);
        return open ? at : std::clamp(at, -length, length);
      };
      const auto step = range->find("step");
      check<OptionError>(step == range->end() || step->is_null() || *step == 1,
                         "it has a stride of ", step == range->end() ? "" : step->dump(),
                         ", but heed's Slice has no stride");
      first = limit("start");
      last = limit("stop");
      const auto stop = range->find("stop");
      check<OptionError>(last != 0 || stop == range->end() || stop->is_null(),
                         "it leaves nothing of axis ", axis);
    } else {
      check<OptionError>(entries[axis].is_number_integer() && !samples, "it has ",
                         printable(entries[axis].dump(), 80),
                         " in place of a range, which no layer of heed supports");
      first = index_from_json(entries[axis], "index");
      check<OptionError>(open || (-length <= first && first < length), "it takes position ", first,
                         " of an axis of ", length);
      check<OptionError>(!open || first == -1, "it takes position ", first,
                         " of an axis of any length, but heed supports only the last one");
      if (first < 0 && !open) first += length;
      last = first + 1;
      part.squeeze.push_back(static_cast<Index>(axis));
    }
    if (samples) continue;
    part.begin.push_back(first);
    part.end.push_back(last);
  }
  return part;
}

/// Whether a slice is the last step of a sequence.
inline bool takes_last_step(const Slice& part, const Shape& x) {
  return x.rank() == 2 && part.squeeze == std::vector<Index>{1} &&
         part.begin[0] == (x[0] == any ? -1 : x[0] - 1) && part.begin[1] == 0 &&
         (part.end[1] == 0 || part.end[1] == x[1]);
}

template <class Scalar>
AnyLayer<Scalar> operator_from_keras(KerasOperator which, const KerasCall& call,
                                     std::span<const Shape> x) {
  if (which == KerasOperator::slice) {
    const bool is_named = call.named.size() == 1 && call.named[0].first == "slice_spec";
    check<OptionError>(call.inputs.size() == 1 && call.arguments.size() + call.named.size() == 1 &&
                           (is_named || call.named.empty()),
                       "its slice is not made of ranges and numbers");
    const Slice part =
        slice_from_keras(is_named ? *call.named[0].second : *call.arguments[0], x[0]);
    if (takes_last_step(part, x[0])) return AnyLayer<Scalar>(LastStep{});
    return AnyLayer<Scalar>(part);
  }
  check<OptionError>(call.inputs.size() == 2 && call.arguments.empty() && call.named.empty(),
                     "it combines its input with a number, for which heed has no layer; replace it "
                     "with a layer of your own, {.layers = …}");
  switch (which) {
    case KerasOperator::add: return AnyLayer<Scalar>(Add{});
    case KerasOperator::maximum: return AnyLayer<Scalar>(Maximum{});
    case KerasOperator::minimum: return AnyLayer<Scalar>(Minimum{});
    case KerasOperator::subtract: return AnyLayer<Scalar>(Subtract{});
    default: return AnyLayer<Scalar>(Multiply{});
  }
}

/// The Slice that does the same as a Cropping2D.
inline Slice slice_from_cropping(const KerasLayer& layer, const KerasVersion& version,
                                 const Shape& x) {
  const auto found = layer.config->find("cropping");
  check<OptionError>(found != layer.config->end() && found->is_array(), "it has no \"cropping\"");
  KerasConfig(*layer.config, version).expect_only("cropping", *found);
  check<OptionError>(x.rank() == 3 && found->size() == 2, "expected an input of 3 axes, got ", x);
  Slice part;
  for (const auto& ends : *found) {
    check<OptionError>(ends.is_array() && ends.size() == 2, "\"cropping\" does not contain pairs");
    const Index first = index_from_json(ends[0], "cropping");
    const Index last = index_from_json(ends[1], "cropping");
    check<OptionError>(first >= 0 && last >= 0, "\"cropping\" has a negative number");
    part.begin.push_back(first);
    part.end.push_back(-last);
  }
  return part;
}

}  // namespace heed::detail
