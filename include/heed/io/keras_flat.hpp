#pragma once

#include <heed/io/keras_scope.hpp>

// Keras can put a model into a model as if it were a layer. heed has one graph: the layers of the
// inner models become layers of the outer one.

namespace heed::detail {

/// An input of a model in a file.
struct KerasInput {
  std::string name;
  std::string place;
  const KerasLayer* layer = nullptr;      ///< null if a sequential model has no input layer
  const char* key = "";                   ///< the name of the field with its shape
  const nlohmann::json* batch = nullptr;  ///< the shape with the batch axis
};

/// The layers of a file's model and of the models inside it, without input layers, and their calls.
/// If a model inside is called several times, its layers are shared. A layer of a model inside
/// keeps its name unless another layer has it: then it is `encoder_lstm`.
///
/// Throws `FileError` for calls that name no layer, and if sharing multiplies the calls.
class KerasFlat {
 public:
  KerasFlat(const KerasModel& file, const std::string& where) : file_(file), where_(where) {
    enter({&file}, file.trains, where);
    add_inputs();
    set_names();
    for (std::size_t scope = 0; scope < scopes_.size(); ++scope) resolve_calls(scope);
    resolve_outputs();
  }
  KerasFlat(const KerasFlat&) = delete;

  const std::string& name() const { return file_.name; }
  const std::vector<KerasLayer>& layers() const { return layers_; }
  const std::vector<KerasCall>& calls(std::size_t layer) const { return calls_[layer]; }
  std::span<const KerasInput> inputs() const { return inputs_; }
  const std::vector<KerasTensor>& outputs() const { return outputs_; }

  /// Calls `use(layer, i, inner)` for each layer of a model but its inputs, in the file's order.
  /// `scope` is 0 for the outermost model. `i` is the layer's index in `layers()` or, if it is a
  /// model, `inner` the scope of its layers.
  template <class Use>
  void visit(std::size_t scope, const Use& use) const {
    const KerasScope& here = scopes_[scope];
    for (std::size_t i = 0; i < here.model->layers.size(); ++i) {
      const KerasLayer& layer = here.model->layers[i];
      if (!is_keras_input(layer)) use(layer, here.flat[i], here.inner[i]);
    }
  }

  /// The indices of all layers of a model and of the models inside it, in the file's order.
  std::vector<std::size_t> all_in(std::size_t scope) const {
    std::vector<std::size_t> all;
    visit(scope, [&](const KerasLayer& layer, std::size_t i, std::size_t inner) {
      const auto more = layer.model ? all_in(inner) : std::vector{i};
      all.insert(all.end(), more.begin(), more.end());
    });
    return all;
  }

 private:
  /// Adds the layers of a model.
  std::size_t enter(KerasScope here, bool trains, const std::string& place) {
    const KerasModel& model = *here.model;
    const std::size_t scope = scopes_.size();
    here.read(place, scope == 0 ? model.layers.front().name + "_input" : "");
    scopes_.push_back({&model});
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
      const KerasLayer& layer = model.layers[i];
      if (is_keras_input(layer)) continue;
      written_ += here.calls[i].size();
      made_ += here.count * here.calls[i].size();
      check<FileError>(made_ <= 64 + 2 * written_, where_,
                       ": models that are shared by shared models make ", made_,
                       " calls of layers of ", written_, ", and heed makes at most twice as many");
      here.flat[i] = layer.model ? npos : layers_.size();
      if (layer.model) {
        here.inner[i] = enter_model(here, scope, i, trains);
      } else {
        layers_.push_back(layer);
        layers_.back().trains = trains;
        calls_.emplace_back(here.count * here.calls[i].size());
        scope_of_.push_back(scope);
      }
    }
    scopes_[scope] = std::move(here);
    return scope;
  }

  std::size_t enter_model(const KerasScope& here, std::size_t scope, std::size_t i, bool trains) {
    const KerasLayer& layer = here.model->layers[i];
    const KerasModel& model = here.model->inside[*layer.model];
    const auto& calls = here.calls[i];
    const std::size_t inner =
        enter({&model, scope, i, here.count * calls.size()}, trains && model.trains, layer.place);
    for (const KerasCall& call : calls) {
      call.expect_inputs_alone(layer, false);
      layer.expect(call.inputs.size() == scopes_[inner].inputs.size(), " is called with ",
                   call.inputs.size(), " inputs, and has ", scopes_[inner].inputs.size());
      layer.expect(!call.mask, " is a model inside the model that is called with a mask");
    }
    return inner;
  }

  void add_inputs() {
    static const nlohmann::json none;
    for (const std::string& name : scopes_[0].inputs) {
      const auto found = scopes_[0].numbers.find(name);
      const KerasLayer* layer =
          found == scopes_[0].numbers.end() ? nullptr : &file_.layers[found->second];
      if (layer == nullptr || !is_keras_input(*layer)) {
        check<FileError>(
            file_.input_shape != nullptr, where_,
            ": the model does not say the shape of its input; give it, {.input_shape = …}");
        inputs_.push_back({name, where_ + ": the model", nullptr, "", file_.input_shape});
        continue;
      }
      const char* key =
          layer->config->contains("batch_shape") ? "batch_shape" : "batch_input_shape";
      const auto shape = layer->config->find(key);
      inputs_.push_back(
          {layer->name, layer->place, layer, key, shape == layer->config->end() ? &none : &*shape});
    }
  }

  void set_names() {
    std::map<std::string_view, int> counts;
    for (const KerasScope& scope : scopes_) {
      for (const KerasLayer& layer : scope.model->layers) ++counts[layer.name];
    }
    for (const KerasInput& input : inputs_) ++counts[input.name];
    std::set<std::string> taken;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      KerasLayer& layer = layers_[i];
      const KerasScope& scope = scopes_[scope_of_[i]];
      if (scope_of_[i] == 0 || counts[layer.saved_name] == 1) continue;
      const std::string name = join(scope.model->name, "_", layer.saved_name);
      layer.name = name;
      for (int number = 2; counts.contains(layer.name) || !taken.insert(layer.name).second;) {
        layer.name = join(name, "_", number++);
      }
    }
  }

  /// The tensor in the flat model. `call` is the call of the scope's model, counted over all.
  /// `crosses` is set if the tensor enters or leaves a model on its way.
  KerasTensor resolve(std::size_t scope, std::size_t call, KerasTensor tensor,
                      const std::string& place, bool& crosses) const {
    for (int models = 0; models < most_models; ++models) {
      const KerasScope& here = scopes_[scope];
      const auto found = here.numbers.find(tensor.layer);
      const auto input = std::find(here.inputs.begin(), here.inputs.end(), tensor.layer);
      const bool known = found != here.numbers.end() || input != here.inputs.end();
      check<FileError>(known, place, " takes its input from ", in_quotes(tensor.layer),
                       ", which is not the name of a layer");
      const std::size_t i = found == here.numbers.end() ? 0 : found->second;
      const bool enters = input != here.inputs.end();
      const std::size_t count = enters ? 1 : here.calls[i].size();
      const std::size_t first = enters ? 0 : here.first[i];
      check<FileError>(first <= tensor.call && tensor.call < first + count, place, " reads call ",
                       tensor.call, " of ", in_quotes(tensor.layer), ", which has ", count,
                       count == 1 ? " call" : " calls", ", counted from ", first);
      if (enters && scope == 0) return tensor;
      if (!enters && !here.model->layers[i].model) {
        return {layers_[here.flat[i]].name, call * count + tensor.call, tensor.output};
      }
      crosses = true;
      if (enters) {
        const auto& outer = scopes_[here.parent].calls[here.position];
        tensor = outer[call % outer.size()]
                     .inputs[static_cast<std::size_t>(input - here.inputs.begin())];
        call /= outer.size();
        scope = here.parent;
      } else {
        call = call * count + tensor.call - first;
        scope = here.inner[i];
        const auto& outputs = scopes_[scope].outputs;
        check<FileError>(tensor.output < outputs.size(), place, " takes output ", tensor.output,
                         " of ", in_quotes(tensor.layer), ", which has ", outputs.size());
        tensor = outputs[tensor.output];
      }
    }
    throw FileError(join(place, " takes its input through more than ", most_models,
                         " models inside the model, or from itself"));
  }

  void resolve_calls(std::size_t scope) {
    const KerasScope& here = scopes_[scope];
    for (std::size_t i = 0; i < here.calls.size(); ++i) {
      const KerasLayer& layer = here.model->layers[i];
      if (layer.model || is_keras_input(layer)) continue;
      const std::size_t count = here.calls[i].size();
      for (std::size_t k = 0; k < here.count * count; ++k) {
        KerasCall call = here.calls[i][k % count];
        for_each_tensor(call, [&](KerasTensor& tensor) {
          tensor = resolve(scope, k / count, tensor, layer.place, call.crosses);
        });
        calls_[here.flat[i]][k] = std::move(call);
      }
    }
  }

  void resolve_outputs() {
    bool crosses = false;
    for (const KerasTensor& output : scopes_[0].outputs) {
      check<FileError>(scopes_[0].numbers.contains(output.layer), where_,
                       ": the model has the output ", in_quotes(output.layer),
                       ", which is not the name of a layer");
      outputs_.push_back(resolve(0, 0, output, where_ + ": the model", crosses));
    }
  }

  static constexpr std::size_t npos = ~std::size_t{0};
  static constexpr int most_models = 64;

  const KerasModel& file_;
  const std::string& where_;
  std::vector<KerasScope> scopes_;
  std::vector<KerasLayer> layers_;
  std::vector<std::size_t> scope_of_;
  std::vector<std::vector<KerasCall>> calls_;
  std::vector<KerasInput> inputs_;
  std::vector<KerasTensor> outputs_;
  std::size_t written_ = 0, made_ = 0;
};

}  // namespace heed::detail
