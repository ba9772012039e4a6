#include <heed/io/file_kind.hpp>

#include <heed/io/checkpoint.hpp>
#include <heed/io/pytorch.hpp>
#include <heed/keras.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/networks.hpp"

namespace heed::file_kind_test {

using heed::testing::message;
using heed::testing::small_network;

namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// What each of heed's loaders says of a file.
std::vector<std::string> refusals(const Bytes& bytes) {
  Model<float> model = small_network();
  return {message<FileError>([&] { load_model<float>(bytes, {}, "file"); }),
          message<FileError>([&] { load_weights(model, bytes, "file"); }),
          message<FileError>([&] { load_checkpoint<float>(bytes, "file"); }),
          message<FileError>([&] {
            pytorch::load_weights(model, bytes, {{"lstm", "rnn"}, {"out", "head"}}, "file");
          }),
          message<FileError>([&] { keras::load_model<float>(bytes, {}, "file"); }),
          message<FileError>([&] { keras::load_weights(model, bytes, {}, "file"); })};
}

}  // namespace

TEST_CASE("A file of Keras that is given to heed's own loaders says whose it is, and the reverse") {
  const auto model = small_network();
  const auto h5 = refusals(keras::save_model(model));
  const auto native = refusals(keras::save_model(model, {}, keras::Format::native));
  for (std::size_t loader = 0; loader < 4; ++loader) {
    CAPTURE(loader);
    CHECK(h5[loader] ==
          "file is an HDF5 file, as Keras saves .h5: heed::keras::load_model and "
          "heed::keras::load_weights read it");
    CHECK(native[loader] ==
          "file is an archive, as Keras saves .keras: heed::keras::load_model reads it");
  }
  const auto own = refusals(save_model(model));
  for (std::size_t loader = 4; loader < 6; ++loader) {
    CAPTURE(loader);
    CHECK(h5[loader] == "(nothing thrown)");
    CHECK(native[loader] == "(nothing thrown)");
    CHECK(own[loader] ==
          "file is a safetensors file, as heed saves models: heed::load_model and "
          "heed::load_weights read it, and heed::pytorch::load_weights for one of PyTorch");
  }
}

TEST_CASE("A file that is no model says what it is") {
  const auto all = [](std::string_view text, const std::string& said) {
    for (const auto& refusal : refusals(bytes_of(text))) CHECK(refusal == "file" + said);
  };
  all("", " is empty");
  all("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
      " is a Git LFS pointer to a file that was not fetched: run git lfs pull");
  all("\x1f\x8b\x08 and more", " is compressed by gzip: unpack it first, with gunzip");
  all("<!DOCTYPE html><html>", " is a web page, not a model: the download went wrong");
  all(std::string_view("\x1c\0\0\0TFL3", 8),
      " is a TensorFlow Lite model, which heed does not read: load the Keras model that it was "
      "made from");
  const std::string name(1000, 'x');
  for (const auto& refusal :
       refusals(bytes_of("PK\3\4" + std::string(26, '\0') + "m/data.pkl" + name))) {
    CHECK((refusal.find("archive of torch.save") != std::string::npos ||
           refusal.find("is cut off, or is not an archive") != std::string::npos));
  }
  CHECK(refusals(bytes_of("something else"))[0].starts_with("file is not a safetensors file"));
  CHECK(refusals(bytes_of("something else"))[4] == "file is not an HDF5 file");
}

TEST_CASE("A safetensors file whose header is as long as another signature says is one") {
  // 0x504b0304 and 0x1f8b are lengths, too.
  std::string text = R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})";
  text.resize(0x8b1f, ' ');
  Bytes bytes(8);
  detail::to_little_endian(std::uint64_t{text.size()}, bytes.data());
  const auto header = bytes_of(text);
  bytes.insert(bytes.end(), header.begin(), header.end());
  CHECK(std::to_integer<int>(bytes[0]) == 0x1f);
  CHECK(parse_safetensors(bytes).tensors.contains("a"));
}

}  // namespace heed::file_kind_test
