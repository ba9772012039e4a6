#pragma once

#include <map>
#include <set>

#include <heed/io/keras_graph.hpp>

namespace heed::detail {

/// An input of a model in a file.
struct KerasInput {
  std::string name;
  std::string place;
  const KerasLayer* layer = nullptr;      ///< null if a sequential model has no input layer
  const char* key = "";                   ///< the name of the field with its shape
  const nlohmann::json* batch = nullptr;  ///< the shape with the batch axis
};

/// The calls of a file's layers, in an order in which each call comes after the calls whose tensors
/// it reads. It is the file's order if possible, which it is unless layers are shared. Throws
/// `FileError` if there is no such order.
class KerasOrder {
 public:
  KerasOrder(const KerasModel& file, const std::string& where) : file_(file), where_(where) {
    calls_.resize(file.layers.size());
    for (std::size_t i = 0; i < file.layers.size(); ++i) {
      const KerasLayer& layer = file.layers[i];
      layer.expect(numbers_.emplace(layer.name, i).second, " has the name of another layer");
    }
    if (file.sequential) {
      read_row();
    } else {
      read_calls();
    }
  }

  std::span<const KerasInput> inputs() const { return inputs_; }

  std::vector<KerasTensor> outputs() const {
    if (file_.sequential) return {{file_.layers.back().name}};
    for (const KerasTensor& output : file_.outputs) {
      const auto layer = numbers_.find(output.layer);
      check<FileError>(layer != numbers_.end(), where_, ": the model has the output ",
                       in_quotes(output.layer), ", which is not the name of a layer");
      check_call(layer->second, output, where_ + ": the model");
    }
    return file_.outputs;
  }

  /// Calls `use(layer, {name, call}, call)` for each.
  template <class Use>
  void visit(const Use& use) {
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      for (std::size_t k = 0; k < calls_[i].size(); ++k) visit(i, k, use);
    }
  }

 private:
  struct Call {
    KerasCall call;
    std::vector<KerasTensor> needs;
    enum { waiting, open, done } turn = waiting;
  };

  static bool is_input(const KerasLayer& layer) {
    return layer.of_keras && layer.class_name == "InputLayer";
  }

  void read_row() {
    const KerasLayer& first = file_.layers.front();
    std::string last = first.name;
    if (is_input(first)) {
      add_input(first);
    } else {
      check<FileError>(
          file_.input_shape != nullptr, where_,
          ": the model does not say the shape of its input; give it, {.input_shape = …}");
      last += "_input";
      inputs_.push_back({last, where_ + ": the model", nullptr, "", file_.input_shape});
    }
    for (std::size_t i = is_input(first) ? 1 : 0; i < calls_.size(); ++i) {
      const KerasLayer& layer = file_.layers[i];
      layer.expect(!is_input(layer), " is a second input of layers in a row");
      KerasCall call;
      call.inputs = {{last}};
      calls_[i].push_back({std::move(call), {}});
      last = layer.name;
    }
  }

  void read_calls() {
    std::set<std::string_view> entered;
    for (const KerasTensor& input : file_.inputs) {
      const auto layer = numbers_.find(input.layer);
      check<FileError>(layer != numbers_.end() && is_input(file_.layers[layer->second]), where_,
                       ": the model has the input ", in_quotes(input.layer),
                       ", which is not the name of an input layer");
      add_input(file_.layers[layer->second]);
      check<FileError>(entered.insert(input.layer).second, where_, ": the model has the input ",
                       in_quotes(input.layer), " twice");
    }
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const KerasLayer& layer = file_.layers[i];
      if (is_input(layer)) {
        layer.expect(entered.contains(layer.name), " is not among the model's \"input_layers\"");
        continue;
      }
      for (KerasCall& call : keras_calls(layer)) {
        std::vector<KerasTensor> needs = call.inputs;
        needs.insert(needs.end(), call.states.begin(), call.states.end());
        if (call.mask) needs.push_back(*call.mask);
        calls_[i].push_back({std::move(call), std::move(needs)});
      }
    }
  }

  void add_input(const KerasLayer& layer) {
    static const nlohmann::json none;
    const char* key = layer.config->contains("batch_shape") ? "batch_shape" : "batch_input_shape";
    const auto found = layer.config->find(key);
    inputs_.push_back(
        {layer.name, layer.place, &layer, key, found == layer.config->end() ? &none : &*found});
  }

  void check_call(std::size_t layer, const KerasTensor& tensor, const std::string& place) const {
    const std::size_t count = is_input(file_.layers[layer]) ? 1 : calls_[layer].size();
    check<FileError>(tensor.call < count, place, " reads call ", tensor.call, " of ",
                     in_quotes(tensor.layer), ", which has ", count,
                     count == 1 ? " call" : " calls", ", counted from 0");
  }

  /// Without recursion, because a file could make it arbitrarily deep.
  template <class Use>
  void visit(std::size_t layer, std::size_t call, const Use& use) {
    struct Place {
      std::size_t layer, call, next = 0;
    };
    std::vector<Place> path{{layer, call}};
    while (!path.empty()) {
      const auto [i, k, next] = path.back();
      Call& here = calls_[i][k];
      const KerasLayer& user = file_.layers[i];
      if (here.turn == Call::done) {
        path.pop_back();
      } else if (next == here.needs.size()) {
        use(i, KerasTensor{user.name, k}, here.call);
        here.turn = Call::done;
      } else {
        here.turn = Call::open;
        const KerasTensor& tensor = here.needs[path.back().next++];
        const auto found = numbers_.find(tensor.layer);
        user.expect(found != numbers_.end(), " takes its input from ", in_quotes(tensor.layer),
                    ", which is not the name of a layer");
        check_call(found->second, tensor, user.place);
        if (is_input(file_.layers[found->second])) continue;
        const auto turn = calls_[found->second][tensor.call].turn;
        user.expect(turn != Call::open, " takes its input from ", in_quotes(tensor.layer),
                    ", which takes its own from it: the layers are in a circle");
        if (turn == Call::waiting) path.push_back({found->second, tensor.call});
      }
    }
  }

  const KerasModel& file_;
  const std::string& where_;
  std::map<std::string, std::size_t, std::less<>> numbers_;
  std::vector<std::vector<Call>> calls_;
  std::vector<KerasInput> inputs_;
};

}  // namespace heed::detail
