// Converts a model file to a C++ header, for a program without a file system:
//
//     embed index2.safetensors --name models::index2 --output index2.hpp
//
//     #include "index2.hpp"
//     const auto model = heed::load_model<float>(models::index2());
//
// The bytes are written as 64-bit integers, which a compiler reads in a fifth of the time that it
// needs for single bytes.
//
// load_model parses the bytes with nlohmann-json. A program that must do without it builds the
// network with the same code as for training, and uses only the weights, as floats:
//
//     embed index2.safetensors --weights --name models::index2_weights --output index2_weights.hpp
//
//     #include "index2_weights.hpp"
//     for (const auto& [name, values] : models::index2_weights) {
//       std::copy(values.begin(), values.end(), model.weight(name).data());
//     }

#include <heed/io/file.hpp>
#include <heed/io/safetensors.hpp>
#include <regex>

#include "support/keras_file.hpp"
#include "support/program.hpp"

using heed::join;

struct Options {
  std::string model;
  std::string name;
  std::string output;
  bool weights = false;
};

/// `my model-2.h5` becomes `model_my_model_2`: a valid name for every file, and never a keyword.
std::string name_of_file(const std::filesystem::path& path) {
  return "model_" + std::regex_replace(path.stem().string(), std::regex("[^A-Za-z0-9]+"), "_");
}

/// Checks an option that is a C++ name with an optional namespace.
std::string check_name(const std::string& name) {
  static const std::regex form("([A-Za-z]\\w*::)*[A-Za-z]\\w*");
  return std::regex_match(name, form) ? "" : "expected a name such as models::index2, got " + name;
}

std::string header(std::span<const std::byte> bytes, const std::string& file,
                   const std::string& qualified_name) {
  const auto colons = qualified_name.rfind("::");
  const bool has_namespace = colons != std::string::npos;
  const auto name = has_namespace ? qualified_name.substr(colons + 2) : qualified_name;
  std::string text =
      join("#pragma once\n\n// ", file, ", ", bytes.size(),
           " bytes, as heed's examples/embed found it:\n//\n",
           is_of_keras(bytes) ? "//     heed::keras" : "//     heed", "::load_model<float>(",
           qualified_name, "())\n\n", "#include <bit>\n#include <cstddef>\n#include <cstdint>\n",
           "#include <span>\n\n");
  if (has_namespace) text += join("namespace ", qualified_name.substr(0, colons), " {\n\n");
  text += join("inline constexpr std::uint64_t ", name, "_words[] = {");
  constexpr std::size_t words_a_line = 5;
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    std::uint64_t word = 0;  // the first byte is the lowest
    for (std::size_t k = 0; k < 8 && i + k < bytes.size(); ++k) {
      word |= static_cast<std::uint64_t>(bytes[i + k]) << 8 * k;
    }
    std::array<char, 24> digits{};
    std::snprintf(digits.data(), digits.size(), "0x%016llx,",
                  static_cast<unsigned long long>(word));
    text += join(i % (8 * words_a_line) == 0 ? "\n    " : " ", digits.data());
  }
  text += join(
      "\n};\n\nstatic_assert(std::endian::native == std::endian::little,\n",
      "              \"these words are the file only where the lowest byte comes first\");\n\n",
      "inline std::span<const std::byte> ", name, "() {\n", "  return std::as_bytes(std::span(",
      name, "_words)).first(", bytes.size(), ");\n}\n");
  if (has_namespace) text += join("\n}  // namespace ", qualified_name.substr(0, colons), "\n");
  return text;
}

/// A number as a C++ float, with enough digits to be exact.
std::string literal(float value) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const std::string text(digits.data(), end);
  return text + (text.find_first_of(".e") == std::string::npos ? ".0f" : "f");
}

/// The weights by name, as an array that needs only the standard library.
std::string weights_header(std::span<const std::byte> bytes, const std::string& file,
                           const std::string& qualified_name) {
  heed::check<heed::FileError>(
      !is_of_keras(bytes), file,
      " is Keras's; --weights takes a file of heed's, which save_model and save_weights write");
  const auto tensors = heed::parse_safetensors(bytes, file);
  const auto colons = qualified_name.rfind("::");
  const bool has_namespace = colons != std::string::npos;
  const auto name = has_namespace ? qualified_name.substr(colons + 2) : qualified_name;
  std::string text = join(
      "#pragma once\n\n// The weights of ", file, ", as heed's examples/embed found them:\n//\n",
      "//     for (const auto& [name, values] : ", qualified_name, ") {\n",
      "//       std::copy(values.begin(), values.end(), model.weight(name).data());\n//     }\n\n",
      "#include <span>\n#include <string_view>\n#include <utility>\n\n");
  if (has_namespace) text += join("namespace ", qualified_name.substr(0, colons), " {\n\n");
  std::string list;
  for (const auto& [weight, tensor] : tensors.tensors) {
    if (weight.find('/') == std::string::npos) continue;  // the sample that a file may contain
    const auto values = heed::read_tensor<float>(tensors, weight, file);
    heed::check<heed::FileError>(values.array().isFinite().all(), file, ": the weight ", weight,
                                 " has numbers that are not finite");
    const auto array = join(name, "_", std::count(list.begin(), list.end(), '\n'));
    text += join("// ", weight, " ", values.shape(), "\ninline constexpr float ", array, "[] = {");
    constexpr heed::Index numbers_a_line = 8;
    for (heed::Index i = 0; i < values.size(); ++i) {
      text += join(i % numbers_a_line == 0 ? "\n    " : " ", literal(values.data()[i]), ",");
    }
    text += "\n};\n\n";
    list += join("    {\"", weight, "\", ", array, "},\n");
  }
  heed::check<heed::FileError>(!list.empty(), file, " has no weights");
  text += join("inline constexpr std::pair<std::string_view, std::span<const float>> ", name,
               "[] = {\n", list, "};\n");
  if (has_namespace) text += join("\n}  // namespace ", qualified_name.substr(0, colons), "\n");
  return text;
}

void embed(const Options& options) {
  const auto bytes = heed::read_file(options.model);
  heed::check<heed::FileError>(!bytes.empty(), options.model, " is empty");
  const auto file = std::filesystem::path(options.model).filename().string();
  const auto name = options.name.empty() ? name_of_file(options.model) : options.name;
  const auto text = options.weights ? weights_header(bytes, file, name) : header(bytes, file, name);
  if (options.output.empty()) {
    std::cout << text;
  } else {
    write_text(options.output, text);
  }
}

int main(int argc, char** argv) {
  CLI::App app("Makes a C++ header of a model's file.");
  Options options;
  app.add_option("MODEL", options.model, "what save_model wrote, or Keras")->required();
  app.add_option("--name", options.name, "of the function that returns the bytes: models::index2")
      ->check(CLI::Validator(check_name, ""));
  app.add_flag("--weights", options.weights, "the weights alone, for a program without JSON");
  app.add_option("--output", options.output, "the header to write; otherwise it prints");
  if (const auto status = parse(app, argc, argv)) return *status;
  return run([&] { embed(options); });
}
