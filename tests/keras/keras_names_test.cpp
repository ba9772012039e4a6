// What a writer takes, the reader takes, whatever the names: names drawn at random, of letters that mean
// something somewhere.

#include <heed/io.hpp>

#include "keras/files.hpp"

namespace heed::keras_names_test {

using namespace testing;

namespace {

std::string any_name(Random& random) {
  static const std::vector<std::string> pieces{"a",       "B",    "7",
                                               "_",       ".",    "-",
                                               ">",       "/",    "\\",
                                               " ",       ":",    "\"",
                                               "'",       "\n",   std::string(1, '\0'),
                                               "ö",       "层",   "\xff",
                                               "\xc3",    "..",   "{",
                                               "%s",      "vars", "top_level_model_weights",
                                               "kernel:0"};
  std::string name;
  const auto most = random.below(8) == 0 ? 700 : 1 + random.below(6);
  const bool is_plain = random.bernoulli(0.5);
  for (std::ptrdiff_t i = 0; i < most; ++i) {
    name += pieces[static_cast<std::size_t>(
        random.below(is_plain ? 7 : static_cast<std::ptrdiff_t>(pieces.size())))];
  }
  return name;
}

Model<float> model_of(const std::string& name, const std::string& first,
                      const std::string& second) {
  Model<float> model(name);
  model.input("x", {2});
  model.add(first, Dense{.units = 2});
  model.add(second, Dense{.units = 2});
  model.build({.seed = 3});
  return model;
}

/// Whether a model was saved; if so, it comes back the same.
template <class Save, class Load>
bool comes_back(const Model<float>& model, const Save& save, const Load& load) {
  Bytes bytes;
  try {
    bytes = save(model);
  } catch (const FileError& error) {
    CHECK(std::string_view(error.what()).size() > 20);
    return false;
  }
  const Model<float> again = load(bytes);  // what it throws fails the test
  CHECK(again.name() == model.name());
  CHECK(again.weights() == model.weights());
  for (std::size_t i = 0; i < model.graph().nodes().size(); ++i) {
    CHECK(again.graph()[i].name == model.graph()[i].name);
  }
  return true;
}

}  // namespace

TEST_CASE("A model of any names is refused when it is saved, or comes back") {
  Random random(7);
  int own = 0, of_keras = 0;
  const int count = 400;
  for (int i = 0; i < count; ++i) {
    const std::string name = random.bernoulli(0.5) ? "m" : any_name(random);
    const std::string first = any_name(random), second = any_name(random);
    CAPTURE(name, first, second);
    std::optional<Model<float>> model;
    try {
      model = model_of(name, first, second);
    } catch (const ModelError&) {  // a "/", or the same name twice
      continue;
    }
    own += comes_back(
        *model, [](const auto& made) { return save_model(made); },
        [](const Bytes& bytes) { return load_model<float>(bytes); });
    for (const auto format : {keras::Format::hdf5, keras::Format::native}) {
      of_keras += comes_back(
          *model, [&](const auto& made) { return keras::save_model(made, {}, format); },
          [](const Bytes& bytes) { return keras::load_model<float>(bytes); });
    }
  }
  CHECK(own > count / 4);
  CHECK(of_keras > 10);
}

TEST_CASE("A group of any names is refused when it is written, or has them when it is read") {
  Random random(8);
  int written = 0;
  for (int i = 0; i < 200; ++i) {
    detail::Hdf5Group root;
    for (auto left = 1 + random.below(12); left > 0; --left) {
      root.datasets[any_name(random)] = {dtypes[1], {left, 0}, {}};
    }
    Bytes bytes;
    try {
      bytes = detail::Hdf5Writer::write(root);
    } catch (const FileError&) {
      continue;
    }
    ++written;
    detail::Hdf5File file(bytes, "names.h5");
    const detail::Hdf5Object object(file);
    CHECK(object.names().size() == root.datasets.size());
    for (const auto& [name, dataset] : root.datasets) {
      CAPTURE(name);
      CHECK(detail::hdf5_dataset(object.open(name).value()).shape == dataset.shape);
    }
  }
  CHECK(written > 10);
}

TEST_CASE("A name that Keras cannot load or run is refused when a model is saved for it") {
  const auto layer = [](const std::string& name) {
    return message<FileError>([&] { keras::save_model(model_of("m", name, "second")); });
  };
  const auto whole = [](const std::string& name) {
    return message<FileError>([&] { keras::save_model(model_of(name, "first", "second")); });
  };
  const std::string letters =
      " has a name that Keras cannot run: expected letters without accents, digits, \"_\", \".\", "
      "\"-\" and \">\" only, beginning with a letter, a digit or \".\"";
  // Tried with Keras 3.15 and tf_keras 2.21 on TensorFlow 2.21.
  for (const std::string name :
       {"my lstm", "größe", "层", "a:b", "a\\b", "a+b", "a\"b", "_x", "-x"}) {
    CHECK(layer(name) == join("Dense ", detail::in_quotes(name), letters));
  }
  for (const std::string name : {"top_level_model_weights", ".", ".."}) {
    CHECK(layer(name) == join("Dense \"", name, "\" has a name that is reserved in Keras files"));
  }
  for (const std::string name : {"a/b", "my model", "_x", "-x", "", "größe"}) {
    CHECK(whole(name) == join("model ", detail::in_quotes(name), letters));
  }
  for (const std::string name : {".x", "a.b", "a>b", "model_weights", "optimizer_weights"}) {
    CHECK(layer(name) == "(nothing thrown)");
  }
  CHECK(layer(std::string(1000, 'x')) == "(nothing thrown)");
  CHECK(layer(std::string("a\0b", 3)) == "Dense \"a?b\"" + letters);
}

}  // namespace heed::keras_names_test
