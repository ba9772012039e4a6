// The part of torch_roundtrip.py that is heed's. Samples and results travel as safetensors.
//
//   torch_files run|run64 NET.json WEIGHTS.safetensors IN.safetensors OUT.safetensors BACK.safetensors
//
// fills the network with the state_dict, predicts the tensor x as y, and writes the weights for PyTorch:
//
//   {"input": [T, D], "layers": [{"name", "type", "config", "module" or "modules": {"weight": "module"}}]}
#include <heed/io.hpp>
#include <iostream>

using namespace heed;

namespace {

template <class S>
void run(char** paths) {
  const auto text = read_file(paths[0]);
  const auto json = parse_json({reinterpret_cast<const char*>(text.data()), text.size()}, paths[0]);
  Model<S> model;
  const auto input = json.at("input").get<std::vector<Index>>();
  model.input(Shape(std::span<const Index>(input)));
  pytorch::Modules modules;
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
  pytorch::load_weights(model, paths[1], modules);

  const Safetensors file = read_safetensors(paths[2]);
  const auto x = read_tensor<S>(file, "x", paths[2]);
  const Tensor<S> y = model.predict(x);
  const std::vector<NamedView<S>> results{{"y", y}};
  write_safetensors<S>(paths[3], results);
  pytorch::save_weights(model, paths[4], modules);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc == 7 ? argv[1] : "";
  try {
    if (command == "run") {
      run<float>(argv + 2);
    } else if (command == "run64") {
      run<double>(argv + 2);
    } else {
      std::cerr << "usage: torch_files run|run64 NET.json WEIGHTS IN OUT BACK\n";
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << "torch_files: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
