#pragma once

#include <map>
#include <set>

#include <heed/io/keras_graph.hpp>

namespace heed::detail {

inline bool is_keras_input(const KerasLayer& layer) {
  return layer.of_keras && layer.class_name == "InputLayer";
}

/// Calls `use` with each tensor that a call reads.
template <class Call, class Use>
void for_each_tensor(Call& call, const Use& use) {
  for (auto& tensor : call.inputs) use(tensor);
  for (auto& tensor : call.states) use(tensor);
  if (call.mask) use(*call.mask);
}

/// A model of a file, or a model inside it, and the calls of its layers. The names in the calls are
/// those of its own layers.
struct KerasScope {
  const KerasModel* model;
  std::size_t parent = 0, position = 0;  ///< the model around it, and where it is there
  std::size_t count = 1;                 ///< how often it is called
  std::vector<std::string> inputs = {};  ///< the names of its inputs
  std::vector<KerasTensor> outputs = {};
  std::map<std::string, std::size_t, std::less<>> numbers = {};  ///< layers by their names

  // Of each layer:
  std::vector<std::vector<KerasCall>> calls = {};
  std::vector<std::size_t> flat = {};   ///< its index among all layers
  std::vector<std::size_t> inner = {};  ///< the scope of a model
  std::vector<std::size_t> first = {};  ///< the number that the file gives its first call

  /// Reads the calls. `place` is the model's name in errors. `unnamed` is the name of the input of
  /// a sequential model without an input layer.
  void read(const std::string& place, const std::string& unnamed) {
    const std::size_t count_of_layers = model->layers.size();
    calls.resize(count_of_layers);
    flat.resize(count_of_layers);
    inner.resize(count_of_layers);
    first.resize(count_of_layers);
    for (std::size_t i = 0; i < count_of_layers; ++i) {
      const KerasLayer& layer = model->layers[i];
      layer.expect(numbers.emplace(layer.name, i).second, " has the name of another layer");
    }
    if (model->sequential) {
      read_row(unnamed);
    } else {
      read_calls(place);
    }
    count_first_calls();
  }

 private:
  void read_row(const std::string& unnamed) {
    const auto& layers = model->layers;
    const bool has_input = is_keras_input(layers.front());
    std::string last = has_input ? layers.front().name : unnamed;
    inputs = {last};
    for (std::size_t i = has_input ? 1 : 0; i < layers.size(); ++i) {
      layers[i].expect(!is_keras_input(layers[i]), " is a second input of layers in a row");
      KerasCall call;
      call.inputs = {{last}};
      calls[i].push_back(std::move(call));
      last = layers[i].name;
    }
    outputs = {{last}};
  }

  void read_calls(const std::string& place) {
    const auto& layers = model->layers;
    std::set<std::string_view> entered;
    for (const KerasTensor& input : model->inputs) {
      const auto layer = numbers.find(input.layer);
      check<FileError>(layer != numbers.end() && is_keras_input(layers[layer->second]), place,
                       ": the model has the input ", in_quotes(input.layer),
                       ", which is not the name of an input layer");
      inputs.push_back(input.layer);
      check<FileError>(entered.insert(input.layer).second, place, ": the model has the input ",
                       in_quotes(input.layer), " twice");
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (!is_keras_input(layers[i])) {
        calls[i] = keras_calls(layers[i]);
      } else {
        layers[i].expect(entered.contains(layers[i].name),
                         " is not among the model's \"input_layers\"");
      }
    }
    outputs = model->outputs;
  }

  /// Keras 2 counts the making of a functional model as its call 0. Then the file has a call that
  /// the model would not have if its calls were counted from 0.
  void count_first_calls() {
    const auto look = [&](const KerasTensor& tensor) {
      const auto found = numbers.find(tensor.layer);
      if (found == numbers.end()) return;
      const std::size_t i = found->second;
      if (model->layers[i].model && tensor.call == calls[i].size()) first[i] = 1;
    };
    for (const auto& of_layer : calls) {
      for (const KerasCall& call : of_layer) for_each_tensor(call, look);
    }
    for (const KerasTensor& output : outputs) look(output);
  }
};

}  // namespace heed::detail
