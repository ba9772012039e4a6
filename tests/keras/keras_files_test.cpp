#include "keras/files.hpp"
#include "support/temporary_folder.hpp"

// Files that versions of Keras wrote, one of each kind: tests/golden/generate_keras_files.py.

namespace heed::keras_files_test {

using namespace testing;

namespace {

std::filesystem::path golden_file(const std::string& name) {
  return std::filesystem::path(HEED_TEST_DATA) / "keras" / ("files_" + name);
}

/// Whether a model predicts what Keras predicted.
void check_predicts(const Model<float>& model, const std::string& golden) {
  const Bytes bytes = read_file(golden_file(golden + ".golden.h5"));
  detail::Hdf5File file(bytes, "golden");
  std::vector<Tensor<float>> x;
  while (detail::Hdf5Object(file).open(join("x", x.size()))) {
    x.push_back(dataset(bytes, join("x", x.size())));
  }
  CHECK(distance(model.predict(Columns<float>(x)), dataset(bytes, "y0")) <= 1e-6);
}

Model<float> load(const std::string& name) { return keras::load_model<float>(golden_file(name)); }

Model<float> load(const std::string& json, const std::string& weights) {
  return keras::load_model<float>(golden_file(json), golden_file(weights));
}

Json json_of(const std::string& name) {
  const Bytes bytes = read_file(golden_file(name));
  return Json::parse(detail::hdf5_text(bytes));
}

/// What is said of the nested model of Keras 2.15 after a change of its JSON.
std::string refusal(const std::function<void(Json&)>& change) {
  Json json = json_of("2.15_nested.json");
  change(json);
  const std::string text = json.dump();
  const Bytes weights = read_file(golden_file("2.15_nested_weights.h5"));
  return message<FileError>(
      [&] { keras::load_model<float>(std::as_bytes(std::span(text)), weights, {}, "m"); });
}

Json& layer(Json& json, const std::string& name) {
  for (Json& layer : json["config"]["layers"]) {
    if (layer["config"]["name"] == name) return layer;
  }
  FAIL("no layer " << name);
  return json;
}

}  // namespace

TEST_CASE("A model with models inside predicts what it predicted in each version of Keras") {
  for (const char* name : {"2.13_nested.keras", "2.15_nested.keras", "2.15_nested.h5",
                           "3.15_nested.keras", "3.15_nested.h5", "2.15_row.h5", "3.15_row.h5",
                           "2.15_statistics.h5", "3.15_statistics.h5"}) {
    CAPTURE(name);
    check_predicts(load(name), std::string(name).substr(0, std::string_view(name).rfind('.')));
  }
}

TEST_CASE("Layers of models inside are layers of one model, shared and frozen as they were") {
  for (const char* name : {"2.13_nested.keras", "2.15_nested.h5", "3.15_nested.keras"}) {
    CAPTURE(name);
    const auto model = load(name);
    const auto& graph = model.graph();
    std::string names;
    for (const auto& node : graph.nodes()) names += node.name + " ";
    CHECK(names == "a b encoder_same encoder_same_2 rnn rnn_2 both head_same inner ");
    CHECK(detail::owner_of_weights(graph, graph.find("rnn_2")) == graph.find("rnn"));
    CHECK_FALSE(graph[graph.find("encoder_same")].trains);
    CHECK(graph[graph.find("head_same")].trains);
  }
}

TEST_CASE("A mask goes into and out of models inside as in Keras 2") {
  check_predicts(load("2.15_masked.h5"), "2.15_masked");
  CHECK(message<FileError>([] { load("3.15_masked.h5"); })
            .ends_with("GRU \"g\" has an input with a mask from inside another model, of which the "
                       "file does not say whether it counts"));
}

TEST_CASE("CuDNN's layers are LSTM and GRU with other weights") {
  const auto model = load("2.15_cudnn.h5");
  check_predicts(model, "2.15_cudnn");
  CHECK(model.graph()[model.graph().find("gru")].layer.get<GRU>()->reset_after);
}

TEST_CASE("A model's JSON is read with weights beside it, of all kinds") {
  check_predicts(load("2.12_nested.json", "2.12_nested.weights.h5"), "2.12_nested");
  for (const char* weights : {"2.15_nested_weights.h5", "2.15_nested.h5", "2.15_nested.keras"}) {
    CAPTURE(weights);
    check_predicts(load("2.15_nested.json", weights), "2.15_nested");
  }
  for (const char* weights : {"3.15_nested.h5", "3.15_nested.keras"}) {
    CAPTURE(weights);
    check_predicts(load("3.15_nested.json", weights), "3.15_nested");
  }
  const Bytes json = read_file(golden_file("2.15_nested.json"));
  const Bytes weights = read_file(golden_file("2.15_nested_weights.h5"));
  check_predicts(keras::load_model<float>(json, weights), "2.15_nested");
  CHECK(message<FileError>([&] { keras::load_model<float>(weights, json, {}, "m"); }) ==
        "m: JSON is an HDF5 file, as Keras saves .h5: heed::keras::load_model and "
        "heed::keras::load_weights read it; expected the JSON of a model, as model.to_json() makes "
        "it");
  CHECK(message<FileError>([&] {
          keras::load_model<float>(json, {}, "model.json");
        }).find("heed::keras::load_model(\"model.json\", \"weights.h5\")") != std::string::npos);
}

TEST_CASE("Weights belong to layers in the same order if no name is the same") {
  const auto path = golden_path("keras2_sequential");
  const auto golden = keras::load_model<float>(path);
  Model<float> renamed;
  renamed.input({4, 3});
  const LSTM last{.units = 3,
                  .activation = Activation::relu,
                  .recurrent_activation = Activation::softsign,
                  .use_bias = false};
  renamed.add("one", LSTM{.units = 2, .return_sequences = true, .go_backwards = true});
  renamed.add("two", last);
  renamed.add("three", Dense{.units = 2, .activation = Activation::softmax});
  keras::load_weights(renamed, path);
  CHECK(renamed.weights() == golden.weights());

  // One name that is the same says that names count.
  Model<float> mixed;
  mixed.input({4, 3});
  const std::string name = golden.graph()[golden.graph().nodes().size() - 1].name;
  mixed.add("one", LSTM{.units = 2, .return_sequences = true, .go_backwards = true});
  mixed.add("two", last);
  mixed.add(name, Dense{.units = 2, .activation = Activation::softmax});
  CHECK(message<FileError>([&] {
          keras::load_weights(mixed, path);
        }).find("has weights for other layers than the model: it lacks \"one\", \"two\"") !=
        std::string::npos);
  // Nor are weights found by order that another layer has.
  Model<float> fewer;
  fewer.input({4, 3});
  fewer.add("one", Dense{.units = 2});
  fewer.add("two", LSTM{.units = 3, .use_bias = false});
  fewer.add("three", Dense{.units = 2});
  CHECK(message<FileError>([&] {
          keras::load_weights(fewer, path);
        }).find("has weights for other layers than the model") != std::string::npos);
}

TEST_CASE("Weights of models inside go into the model that the file describes alone") {
  auto model = load("2.15_nested.h5");
  const auto said = [&](const std::string& name) {
    return message<FileError>([&] { keras::load_weights(model, golden_file(name)); });
  };
  CHECK(said("2.12_nested.weights.h5")
            .find("has the weights of a model inside the model, and does "
                  "not say where it stands among the layers") != std::string::npos);
  CHECK(said("2.15_nested_weights.h5").find("the model lacks \"encoder\", \"head\"") !=
        std::string::npos);
}

TEST_CASE("Models inside that do not fit are refused") {
  CHECK(refusal([](Json&) {}) == "(nothing thrown)");
  CHECK(refusal([](Json& json) {
          auto& nodes = layer(json, "encoder")["inbound_nodes"];
          nodes[0].push_back(nodes[0][0]);
        }) == "m: JSON: Functional \"encoder\" is called with 2 inputs, and has 1");
  CHECK(refusal([](Json& json) { layer(json, "both")["inbound_nodes"][0][0][2] = 7; }) ==
        "m: JSON: Concatenate \"both\" takes output 7 of \"encoder\", which has 2");
  CHECK(refusal([](Json& json) { layer(json, "both")["inbound_nodes"][0][0][1] = 3; }) ==
        "m: JSON: Concatenate \"both\" reads call 3 of \"encoder\", which has 2 calls, counted "
        "from 1");
  CHECK(refusal([](Json& json) {
          layer(json, "head")["inbound_nodes"][0][0][3] = {{"training", true}};
        }) ==
        "m: JSON: Sequential \"head\" is called with \"training\", which heed's layers are "
        "not");
  // A model whose output is its input, which it takes from itself.
  CHECK(refusal([](Json& json) {
          auto& encoder = layer(json, "encoder");
          encoder["config"]["output_layers"] = {{"i", 0, 0}, {"i", 0, 0}};
          encoder["inbound_nodes"] = {{{"encoder", 1, 0, Json::object()}},
                                      {{"b", 0, 0, Json::object()}}};
        }).find("through more than 64 models inside the model, or from itself") !=
        std::string::npos);
  // Layers that read each other through a model.
  CHECK(refusal([](Json& json) {
          layer(json, "encoder")["inbound_nodes"][0][0] = {"head", 1, 0, Json::object()};
        }).find("the layers are in a circle") != std::string::npos);
  CHECK(refusal([](Json& json) { layer(json, "head")["config"]["layers"].erase(1); }) ==
        "m: \"/head\" has 4 weights, and the layers of this model have 2");
  CHECK(refusal([](Json& json) {
          auto& nodes = layer(json, "encoder")["inbound_nodes"];
          const Json call = nodes[0];
          for (int i = 0; i < 100; ++i) nodes.push_back(call);
        }) ==
        "m: JSON: models that are shared by shared models make 306 calls of layers of 104, "
        "and heed makes at most twice as many");
}

TEST_CASE("Numbers in chunks and compressed numbers are the same numbers") {
  for (const char* name : {"h5py_chunks_earliest", "h5py_chunks_latest"}) {
    CAPTURE(name);
    const Bytes bytes = read_file(golden_path(name));
    const auto plain = dataset(bytes, "plain");
    for (const char* path : {"chunked", "one"}) CHECK(dataset(bytes, path) == plain);
    CHECK(dataset(bytes, "none") == Tensor<float>({2, 2}));
    if (std::string(name) == "h5py_chunks_latest") {
      // The only piece of "one" is not written.
      Bytes unwritten = bytes;
      const std::string_view layout("\4\2\0\3\1\5\7\4\1", 9);
      const std::size_t at = detail::hdf5_text(bytes).find(layout);
      REQUIRE(at != std::string_view::npos);
      std::fill_n(unwritten.begin() + static_cast<Index>(at + layout.size()), 8, std::byte{0xff});
      CHECK(dataset(unwritten, "one") == Tensor<float>({5, 7}));
    }
    detail::Hdf5File file(bytes, "m.h5");
    const detail::Hdf5Object root(file);
    const auto said = [&](const char* path) {
      return message<FileError>([&] { detail::hdf5_dataset(*root.open(path)); });
    };
    CHECK(said("chunked") == "(nothing thrown)");
    CHECK(said("chunked") == "(nothing thrown)");  // again
    CHECK(said("bomb") == "m.h5: \"/bomb\" is damaged: more elements than bytes");
    CHECK(
        said("lzf") ==
        "m.h5: \"/lzf\" is compressed, by lzf; Keras writes plain datasets, and h5repack -l CONTI "
        "-f NONE old.h5 new.h5 makes them of others");
    if (std::string(name) == "h5py_chunks_latest") {
      CHECK(
          said("grows") ==
          "m.h5: \"/grows\" can grow, and its pieces are found in a way that heed does not read; "
          "Keras writes plain datasets, and h5repack -l CONTI old.h5 new.h5 makes them of others");
    } else {
      CHECK(dataset(bytes, "grows") == plain);
    }
    const auto packed = {"gzip", "one_gzip", "shuffled", "checksum"};
    if constexpr (detail::can_inflate) {
      for (const char* path : packed) {
        CAPTURE(path);
        CHECK(dataset(bytes, path) == plain);
      }
      const auto swapped = detail::hdf5_dataset(*root.open("big_endian"));
      Tensor<float> values(swapped.shape);
      CHECK(detail::decode(swapped, values.values()));
      CHECK(values == plain);
    } else {
      for (const char* path : packed) {
        CHECK(said(path).find("is built without zlib") != std::string::npos);
      }
    }
  }
}

TEST_CASE("A compressed model is the same model") {
  const auto said = [](const std::string& name) { return message<FileError>([&] { load(name); }); };
  CHECK(
      said("2.13_lzma.keras").find("config.json is compressed in a way that heed does not read") !=
      std::string::npos);
  if constexpr (detail::can_inflate) {
    check_predicts(load("2.15_row_packed.h5"), "2.15_row");
    check_predicts(load("2.13_deflated.keras"), "2.13_nested");
    CHECK(said("bomb.keras")
              .find("config.json would be more than 64 times as large as the "
                    "archive") != std::string::npos);
  } else {
    CHECK(said("2.15_row_packed.h5").find("is built without zlib") != std::string::npos);
    CHECK(said("2.13_deflated.keras").find("is built without zlib") != std::string::npos);
  }
}

TEST_CASE("Any damage to chunks and compressed files is an error or is not noticed, and no crash") {
  for (const char* name : {"h5py_chunks_earliest", "h5py_chunks_latest"}) {
    const Bytes bytes = read_file(golden_path(name));
    Random random(3);
    for (int i = 0; i < 1000; ++i) {
      Bytes damaged = bytes;
      for (int k = 0; k <= i % 3; ++k) {
        damaged[static_cast<std::size_t>(random.below(std::ssize(bytes)))] =
            static_cast<std::byte>(random.below(256));
      }
      try {
        detail::Hdf5File file(damaged, "file");
        const detail::Hdf5Object root(file);
        for (const auto path : root.names()) {
          try {
            const auto object = root.open(path);  // none for a damaged name with a slash
            if (object) detail::hdf5_dataset(*object);
          } catch (const FileError&) {
          }
        }
      } catch (const FileError&) {
      }
    }
  }
  const Bytes archive = read_file(golden_file("2.13_deflated.keras"));
  Random random(4);
  for (int i = 0; i < 300; ++i) {
    Bytes damaged = archive;
    damaged[static_cast<std::size_t>(random.below(std::ssize(archive)))] =
        static_cast<std::byte>(random.below(256));
    try {
      keras::load_model<float>(damaged);
    } catch (const FileError&) {
    }
  }
}

}  // namespace heed::keras_files_test
