// The part of torch_roundtrip.py that is heed's. Samples and results travel as safetensors.
//
//   torch_files run|run64 NET.json WEIGHTS.safetensors IN.safetensors OUT.safetensors BACK.safetensors OWN.safetensors
//
// fills the network with the state_dict, predicts the tensor x as y, writes the weights for PyTorch, and saves the model.
//
//   torch_files own|own64 NET.json OWN.safetensors IN.safetensors OUT.safetensors
//
// fills it with weights under heed's names.
//
//   {"input": [T, D], "layers": [{"name", "type", "config", "module" or "modules": {"weight": "module"}}],
//    "cells": ["module"]}
#include <heed/io.hpp>
#include <iostream>

using namespace heed;

namespace {

template <class S>
Model<S> make_model(const std::string& path, pytorch::Modules& modules,
                    pytorch::SaveOptions& options) {
  const auto text = read_file(path);
  const auto json = parse_json({reinterpret_cast<const char*>(text.data()), text.size()}, path);
  Model<S> model;
  const auto input = json.at("input").get<std::vector<Index>>();
  model.input(Shape(std::span<const Index>(input)));
  for (const auto& layer : json.at("layers")) {
    const auto& name = layer.at("name").get_ref<const std::string&>();
    const auto& type = layer.at("type").get_ref<const std::string&>();
    const Node last{model.graph().nodes().size() - 1};
    model.add(name, Registry<S>().make(type, config_from_json(layer.at("config"))),
              std::span(&last, 1));
    if (layer.contains("module")) modules[name] = layer.at("module").get<std::string>();
    if (!layer.contains("modules")) continue;
    for (const auto& [weight, module] : layer.at("modules").items()) {
      modules[join(name, "/", weight)] = module.template get<std::string>();
    }
  }
  for (const auto& cell : json.at("cells")) options.cells.insert(cell.get<std::string>());
  return model;
}

template <class S>
void run(bool own, char** paths) {
  pytorch::Modules modules;
  pytorch::SaveOptions options;
  auto model = make_model<S>(paths[0], modules, options);
  if (own) {
    load_weights(model, paths[1]);
  } else {
    pytorch::load_weights(model, paths[1], modules);
  }
  const auto x = read_tensor<S>(read_safetensors(paths[2]), "x", paths[2]);
  const Tensor<S> y = model.predict(x);
  const std::vector<NamedView<S>> results{{"y", y}};
  write_safetensors<S>(paths[3], results);
  if (own) return;
  pytorch::save_weights(model, paths[4], modules, options);
  save_model(model, paths[5], {.sample = x});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  const bool own = command.starts_with("own");
  if (argc != (own ? 6 : 8)) {
    std::cerr << "usage: torch_files run|run64|own|own64 FILE…\n";
    return 2;
  }
  try {
    command.ends_with("64") ? run<double>(own, argv + 2) : run<float>(own, argv + 2);
  } catch (const std::exception& error) {
    std::cerr << "torch_files: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
