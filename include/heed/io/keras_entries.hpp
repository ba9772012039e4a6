#pragma once

#include <heed/io/hdf5_writer.hpp>
#include <heed/io/keras_blocks.hpp>
#include <heed/io/keras_checks.hpp>
#include <heed/io/keras_entry_list.hpp>
#include <heed/io/keras_entry_order.hpp>
#include <heed/io/keras_generations.hpp>

namespace heed::detail {

/// The layers of a model without blocks, in the form of Keras 2, which Keras 3 also reads. Calls
/// with states or a mask are an exception, because Keras 3 reads them only in its own form.
template <class Scalar>
class KerasEntries {
 public:
  explicit KerasEntries(const Model<Scalar>& model, const KerasForm& form = {})
      : model_(model),
        graph_(model.graph()),
        form_(form),
        list_(model.name(), sizeof(Scalar) == 4 ? "float32" : "float64", form.batch_size) {
    for (const auto& node : graph_.nodes()) list_.reserve(node.name);
    for (std::size_t i = 0; i < graph_.nodes().size(); ++i) {
      heed_.add(graph_);
      keras_.add(graph_);
      std::vector<KerasRef> inputs;
      for (const Node input : graph_[i].inputs) inputs.push_back(ref(input));
      calls_.push_back(add_node(i, std::move(inputs)));
      if (graph_[i].is_input()) inputs_.push_back(calls_.back());
    }
    for (const Node output : graph_.outputs()) outputs_.push_back(ref(output));
    if (is_for_keras_3_alone()) refuse_in_keras_2();
  }

  std::span<const KerasRef> inputs() const { return inputs_; }
  std::span<const KerasRef> outputs() const { return outputs_; }
  const KerasEntry& operator[](std::size_t entry) const { return list_.entries()[entry]; }
  /// Whether a layer is frozen.
  bool has_frozen() const {
    return std::any_of(graph_.nodes().begin(), graph_.nodes().end(),
                       [](const auto& node) { return !node.trains; });
  }

  /// The layers in the order that Keras gives them in a model, in which it expects their weights.
  /// Throws `ModelError` for a layer that no output depends on, because Keras would lose it.
  std::vector<const KerasEntry*> in_order() const {
    std::vector<const KerasEntry*> sorted;
    for (const std::size_t i : keras_order(list_.entries(), outputs_, true)) {
      const KerasEntry& entry = list_.entries()[i % list_.entries().size()];
      check<ModelError>(
          i < list_.entries().size(), "model \"", model_.name(), "\": the layer \"", entry.name(),
          "\" does not lead to the output, and Keras files cannot contain such a layer");
      sorted.push_back(&entry);
    }
    return sorted;
  }

 private:
  KerasRef ref(Node node) const {
    KerasRef result = calls_[node.index];
    result.output = node.output;
    result.shape = graph_.shape(node);
    return result;
  }

  /// Adds the call of a node. Returns its first output.
  KerasRef add_node(std::size_t i, std::vector<KerasRef> inputs) {
    const auto& node = graph_[i];
    if (node.layer.template get<LastStep>() != nullptr) {
      // A Lambda would contain Python code; these two layers do the same without it.
      const Shape& x = graph_.shape(node.inputs[0]);
      check<ModelError>(x[0] != any, graph_.title(i),
                        " of a sequence of any length cannot be written to a Keras file");
      const auto crop = list_.add("Cropping1D", node.name + "_crop", {{"cropping", {x[0] - 1, 0}}},
                                  std::move(inputs), Shape{1, x[1]});
      return list_.add("Reshape", node.name, {{"target_shape", {x[1]}}}, {crop}, node.shape());
    }
    if (const auto* slice = node.layer.template get<Slice>()) {
      keras_.set(i, {});
      return add_slice(*slice, node.name, graph_.shape(node.inputs[0]), node.shape(), inputs[0]);
    }
    if (node.is_input()) {
      return list_.add("InputLayer", node.name,
                       {{"batch_input_shape", keras_batch_shape(node.shape(), form_.batch_size)}},
                       {}, node.shape());
    }
    const auto masks = fit_mask(i, inputs);
    const std::size_t owner = owner_of_weights(graph_, i);
    if (owner != i)
      return list_.add_call(calls_[owner].entry, std::move(inputs), node.shape(), masks);
    check_known(i);
    check_axes(i);
    auto config = at_place(graph_.title(i), [&] {
      return keras_fields(node.layer.type(), node.layer.config(), list_.dtype(), node.trains);
    });
    const auto call = list_.add(registered_type(node.layer.type()), node.name, config,
                                std::move(inputs), node.shape(), masks);
    if (!node.trains) list_.entries()[call.entry].json["config"]["trainable"] = false;
    add_weights(i);
    return call;
  }

  void add_weights(std::size_t i) {
    const auto& node = graph_[i];
    const auto names = keras_own_names(graph_, i);
    const auto parts = keras_parts(node.layer.type(), node.layer.config());
    const auto places = keras_weight_places(parts, names);
    for (std::size_t k = 0; k < names.size(); ++k) {
      const Slot& slot = graph_.layout().all_slots()[node.first_slot + k];
      const View<const Scalar> values(model_.weights().data() + slot.offset, slot.shape);
      list_.entries().back().weights.push_back(
          {join(node.name, "/", places[k].path),
           places[k].group,
           {dtype_of<Scalar>(), slot.shape, as_little_endian(values)}});
    }
  }

  /// Throws `ModelError` for a layer that this writer does not know, which it would write as
  /// another layer.
  void check_known(std::size_t i) const {
    const auto& node = graph_[i];
    const auto type = full_type(node.layer.type(), node.layer.config());
    const bool known = any_keras_layer([&]<class L>(const L*) {
      const std::string form = full_type<L>();
      return type == form || type == join("TimeDistributed<", form, ">");
    });
    const auto heeds = Registry<Scalar>().types();
    check<ModelError>(known || std::find(heeds.begin(), heeds.end(), type) == heeds.end(),
                      graph_.title(i), " cannot be written to a Keras file");
  }

  /// From an `.h5`, Keras 3 reads the field `axis` only if it is one number, and its first versions
  /// only if that is in a list; otherwise they take the last axis.
  void check_axes(std::size_t i) const {
    for (const auto& [name, value] : graph_[i].layer.config()) {
      const auto* axes = std::get_if<std::vector<Index>>(&value);
      const bool is_group = graph_[i].layer.type() == GroupNormalization::type;
      const bool is_read =
          axes != nullptr ? axes->size() == 1 : !is_group || value == ConfigValue(Index{-1});
      check<ModelError>(form_.native || name != "axis" || is_read, graph_.title(i), " has ",
                        axes != nullptr ? "several axes" : "an axis that is not the last",
                        ", which not every Keras 3 reads from an .h5; in a file of the format "
                        ".keras it can be written");
    }
  }

  /// Whether Keras 2 would compute something else from the file, or would give weights to the wrong
  /// layers, because Keras 3 has another order of layers where it computes masks.
  bool is_for_keras_3_alone() const {
    const auto weighted = [&](bool with_masks) {
      auto order = keras_order(list_.entries(), outputs_, with_masks);
      std::erase_if(order, [&](std::size_t i) {
        return list_.entries()[i % list_.entries().size()].weights.empty();
      });
      return order;
    };
    const auto differs = [](const auto& node) { return is_of_keras_3(node.layer.config()); };
    return list_.is_of_keras_3() ||
           std::any_of(graph_.nodes().begin(), graph_.nodes().end(), differs) ||
           weighted(true) != weighted(false);
  }

  /// Makes Keras 2 refuse the file: it does not know `batch_shape`.
  void refuse_in_keras_2() {
    for (const KerasRef& input : inputs_) {
      auto& fields = list_.entries()[input.entry].json["config"];
      fields["batch_shape"] = fields["batch_input_shape"];
      fields.erase("batch_input_shape");
    }
  }

  /// Makes a layer mask the same steps in Keras as in heed. Returns the mask that Keras uses, if
  /// any, as a tensor. It is written to the file if Keras would use another mask by itself.
  std::vector<KerasRef> fit_mask(std::size_t i, std::vector<KerasRef>& inputs) {
    const auto& node = graph_[i];
    const Node x = node.inputs[0];
    const KerasMask mask = heed_.of(graph_, x), there = keras_.of(graph_, x);
    const bool takes = takes_keras_mask(node.layer, graph_.shape(x));
    const bool wraps = node.layer.type() == TimeDistributed<Dense>::type;
    const bool drops =
        there && ((takes && !mask) || hands_mask_inside(node.layer) || (wraps && !is_plain(there)));
    keras_.set(i, drops ? KerasMask{} : keras_mask_of(graph_, i, keras_));
    if (drops) {
      inputs[0] =
          list_.add_reshape(list_.free_name(node.name + "_unmasked"), graph_.shape(x), inputs[0]);
    } else if (takes && mask) {
      const bool says = mask != there || inputs.size() > 1;
      check<ModelError>(!says || (form_.native && is_known(mask)), graph_.title(i),
                        " skips steps by a mask that some versions of Keras do not pass on to it",
                        is_known(mask) ? "; the format .keras can represent it" : "");
      return {mask_of(mask, says)};
    } else if (wraps && there) {
      return {mask_of(there, false)};
    }
    return {};
  }

  static bool is_known(const KerasMask& mask) {
    return std::all_of(mask.tests.begin(), mask.tests.end(), [](const auto& t) { return t.known; });
  }
  /// Whether a mask comes from a single Masking or Embedding.
  static bool is_plain(const KerasMask& mask) { return is_known(mask) && mask.tests.size() == 1; }

  /// A mask as the tensor that Keras 3 computes. It is written to the file if `says` is set.
  KerasRef mask_of(const KerasMask& mask, bool says) {
    std::optional<KerasRef> all;
    for (const auto& test : mask.tests) {
      const KerasRef value = ref(test.value);
      KerasRef one = list_.add_operation("NotEqual", {value}, value.shape, test.other, says);
      const Shape steps{value.shape[0]};
      if (value.shape.rank() > 1) one = list_.add_operation("Any", {one}, steps, {}, says);
      all = all ? list_.add_operation("LogicalOr", {*all, one}, steps, {}, says) : one;
    }
    return *all;
  }

  /// Adds a slice of each axis in turn. A Cropping2D cuts the middle of three axes.
  KerasRef add_slice(const Slice& slice, const std::string& name, Shape shape, const Shape& y,
                     KerasRef input) {
    for (Index axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == any) continue;  // not cut
      const auto [first, last] = slice.range(axis, shape[axis]);
      if (first == 0 && last == shape[axis]) continue;
      check<ModelError>(shape.is_known(), "Slice ", in_quotes(name),
                        " of a sequence of any length cannot be written to a Keras file");
      const Shape three{shape.product(0, axis), shape[axis], shape.product(axis + 1, shape.rank())};
      input = list_.add_reshape(join(name, "_axis_", axis + 1), three, input);
      const OrderedJson cropping{{0, 0}, {first, shape[axis] - last}};
      shape = shape.with(axis, last - first);
      input = list_.add("Cropping2D", join(name, "_crop_", axis + 1),
                        {{"cropping", cropping}, {"data_format", "channels_last"}}, {input},
                        three.with(1, last - first));
    }
    return list_.add_reshape(name, y, input);
  }

  std::span<const std::byte> as_little_endian(View<const Scalar> values) {
    const auto count = static_cast<std::size_t>(values.size());
    auto& bytes = numbers_.emplace_back(count * sizeof(Scalar));
    encode(std::span<const Scalar>(values.data(), count), bytes.data());
    return bytes;
  }

  const Model<Scalar>& model_;
  const Graph<Scalar>& graph_;
  KerasForm form_;
  KerasMasks<Scalar> heed_, keras_;  ///< the masks in heed and in Keras
  KerasEntryList list_;
  std::vector<KerasRef> calls_;  ///< the call of each node
  std::vector<KerasRef> inputs_, outputs_;
  std::vector<std::vector<std::byte>> numbers_;
};

}  // namespace heed::detail
