#include <heed/io/registry.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "support/catch.hpp"

// A layer that is made known in one place has to be made known in all.

namespace heed::all_layers_test {

namespace {

/// A file of the project, by its path in it.
std::string text_of(const std::string& path) {
  const auto root = std::filesystem::path(HEED_TEST_DATA).parent_path().parent_path();
  std::ifstream file(root / path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The name of each layer as code says it, which for Input is not its type.
std::vector<std::string> names() {
  std::vector<std::string> result;
  const auto add = [&]<class... L>(const std::tuple<L...>*) {
    (result.push_back(std::same_as<L, Input> ? "Input" : detail::full_type<L>()), ...);
  };
  add(static_cast<const AllLayers*>(nullptr));
  return result;
}

/// Whether a text has a word, and not as part of a longer one.
bool has_word(const std::string& text, const std::string& word) {
  const auto joins = [&](std::size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_');
  };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    if (!joins(at - 1) && (word.back() == '{' || !joins(at + word.size()))) return true;
  }
  return false;
}

std::string without_inner(const std::string& name) { return name.substr(0, name.find('<')); }

/// Layers that Keras has under another name, or not at all, and how its files hold them.
const std::map<std::string, std::string> not_in_keras{{"Input", "InputLayer"},
                                                      {"LastStep", "a Lambda"},
                                                      {"LuongAttention", "several layers"},
                                                      {"StepAttention", "several layers"},
                                                      {"Slice", "operators"}};

const std::set<std::string> joins_inputs{"Add",     "Average", "Concatenate", "Dot",
                                         "Maximum", "Minimum", "Multiply",    "Subtract"};

}  // namespace

TEST_CASE("Every layer is in instances.hpp, with the TimeDistributed of those that can be in one") {
  const std::string text = text_of("include/heed/instances.hpp");
  for (const std::string& name : names()) {
    CAPTURE(name);
    CHECK(text.find("Holder<" + name + ">;") != std::string::npos);
    const bool in_one = !joins_inputs.contains(name) && name != "Input";
    CHECK((text.find("Holder<TimeDistributed<" + name + ">>;") != std::string::npos) == in_one);
  }
}

TEST_CASE("Every layer is in the registry") {
  const auto types = Registry<double>().types();
  for (const std::string& name : names()) {
    CAPTURE(name);
    CHECK(std::find(types.begin(), types.end(), name == "Input" ? "InputLayer" : name) !=
          types.end());
  }
}

TEST_CASE("Every layer is described in docs/layers.md") {
  const std::string text = text_of("docs/layers.md");
  for (const std::string& name : names()) {
    if (name == "Input") continue;  // model.input(shape)
    CAPTURE(name);
    CHECK(has_word(text, without_inner(name)));
  }
  CHECK(has_word(text, "TimeDistributed"));
}

TEST_CASE("Every layer has a row in the table of docs/exchange.md") {
  const std::string text = text_of("docs/exchange.md");
  const std::size_t begin = text.find("| LSTM |"), end = text.find("| content |");
  REQUIRE(begin < end);
  for (const std::string& name : names()) {
    if (name == "Input") continue;
    CAPTURE(name);
    CHECK(has_word(text.substr(begin, end - begin), without_inner(name)));
  }
}

TEST_CASE("Every layer is built by the fuzzer of models") {
  const std::string text = text_of("tests/fuzz/model_fuzzer.cpp");
  for (const std::string& name : names()) {
    CAPTURE(name);
    CHECK(has_word(text, name + "{"));
  }
  CHECK(has_word(text, "TimeDistributed<Dense>{"));
}

TEST_CASE("Every layer is one of Keras's, or listed here with what its files hold for it") {
  const std::string text = text_of("include/heed/io/keras_forms.hpp");
  const std::size_t begin = text.find("using KerasLayers");
  REQUIRE(begin != std::string::npos);
  const std::string known = text.substr(begin, text.find(';', begin) - begin);
  for (const std::string& name : names()) {
    CAPTURE(name);
    CHECK(has_word(known, name) != not_in_keras.contains(name));
  }
  for (const auto& [name, how] : not_in_keras) {
    const auto all = names();
    CAPTURE(name);
    CHECK(std::find(all.begin(), all.end(), name) != all.end());
  }
}

}  // namespace heed::all_layers_test
