// Runs a saved model that consists of heed's own layers on the tensor `x` of a safetensors file, in
// float. Prints the predictions, or writes them to another file as `y`, together with inner values.

#include <heed/io.hpp>
#include <heed/tensor/print.hpp>
#ifdef HEED_EXAMPLE_HAS_KERAS
#include <heed/keras.hpp>
#endif

#include "support/keras_file.hpp"
#include "support/program.hpp"

using namespace heed;

struct Options {
  std::string model;
  std::string input;
  std::string output;
  std::vector<std::string> activations;
  bool summary = false;
};

Model<float> load(const std::string& path) {
  const auto bytes = read_file(path);
  if (!is_of_keras(bytes)) return load_model<float>(bytes, {}, path);
#ifdef HEED_EXAMPLE_HAS_KERAS
  return keras::load_model<float>(bytes, {}, path);
#else
  throw FileError(path + " is a file of Keras, and this program was built with HEED_KERAS=OFF");
#endif
}

void predict(const Options& options) {
  const auto model = load(options.model);
  if (options.summary) std::cout << model.summary() << "\n";
  const auto x = read_tensor<float>(read_safetensors(options.input), "x", options.input);
  std::vector<std::pair<std::string, Tensor<float>>> values;
  values.emplace_back("y", model.predict(x));
  for (const auto& name : options.activations) {
    values.emplace_back(name, model.activations(name, x));
  }
  if (options.output.empty()) {
    for (const auto& [name, value] : values) {
      std::cout << name << ":\n" << value << "\n";
    }
  } else {
    const std::vector<NamedView<float>> tensors(values.begin(), values.end());
    write_safetensors<float>(options.output, tensors);
  }
}

int main(int argc, char** argv) {
  CLI::App app(
      "Runs a saved model, .safetensors, .h5 or .keras, on the tensor x of a safetensors file.");
  Options options;
  app.add_option("MODEL", options.model, "what save_model wrote, or Keras as .h5 or .keras")
      ->required();
  app.add_option("INPUT", options.input, "the safetensors file with x: (samples, …)")->required();
  app.add_option("--output", options.output, "the safetensors file to write; otherwise it prints");
  app.add_option("--activations", options.activations,
                 "what layers give for x, by name: lstm, attention/weights");
  app.add_flag("--summary", options.summary, "print the model's layers");
  if (const auto status = parse(app, argc, argv)) return *status;
  return run([&] { predict(options); });
}
