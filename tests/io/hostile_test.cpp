#include <heed/io/model_file.hpp>
#include <heed/io/pytorch.hpp>

#include <cstring>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/errors.hpp"
#include "support/networks.hpp"

namespace heed::hostile_test {

using heed::testing::Allocations;
using heed::testing::small_network;

namespace {

using Bytes = std::vector<std::byte>;

/// How a file ends: with a `FileError`, whose text is kept, or as a whole model. Anything else that is
/// thrown ends the test.
struct Outcome {
  bool refused = false;
  std::string message;
};

/// How much memory reading a file may take: parsing makes values of a few dozen bytes of a byte, and
/// one layer of a kilobyte.
std::size_t allowed(const Bytes& bytes) { return 200'000 + 200 * bytes.size(); }

Outcome load(const Bytes& bytes) {
  Outcome outcome;
  const Allocations allocations;
  try {
    const auto model = load_model<float>(bytes, {}, "file");
    CHECK(model.is_built());
    CHECK(model.weights().size() == model.count_params());
  } catch (const FileError& error) {
    outcome = {true, error.what()};
  }
  CHECK(allocations.bytes() <= allowed(bytes));
  return outcome;
}

Bytes file_of(std::string_view header, std::size_t data) {
  Bytes bytes(8 + header.size() + data);
  detail::to_little_endian(std::uint64_t{header.size()}, bytes.data());
  std::memcpy(bytes.data() + 8, header.data(), header.size());
  return bytes;
}

Bytes small_file(bool with_sample) {
  const Tensor<float> x(Shape{1, 3, 2});
  return with_sample ? save_model(small_network(), {.sample = x}) : save_model(small_network());
}

std::size_t header_end(const Bytes& bytes) {
  return 8 + static_cast<std::size_t>(detail::from_little_endian<std::uint64_t>(bytes.data()));
}

/// The small file with another text in its header.
Bytes edited(const std::string& from, const std::string& to) {
  const Bytes bytes = small_file(true);
  std::string header(reinterpret_cast<const char*>(bytes.data()) + 8, header_end(bytes) - 8);
  const auto at = header.find(from);
  REQUIRE(at != std::string::npos);
  header.replace(at, from.size(), to);
  Bytes result = file_of(header, bytes.size() - header_end(bytes));
  std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(header_end(bytes)), bytes.end(),
            result.begin() + static_cast<std::ptrdiff_t>(8 + header.size()));
  return result;
}

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("A hostile file is refused with where it is wrong, in memory bounded by its size") {
  const auto said = [](const Bytes& bytes) { return load(bytes).message; };
  const auto tensor = [&](const std::string& dtype, const std::string& shape,
                          const std::string& offsets) {
    return said(file_of(join("{\"a\":{\"dtype\":\"", dtype, "\",\"shape\":", shape,
                             ",\"data_offsets\":", offsets, "}}"),
                        8));
  };
  const std::string a = "file: tensor \"a\"";

  // sizes and offsets
  Bytes bytes = small_file(true);
  detail::to_little_endian(~std::uint64_t{0}, bytes.data());
  CHECK(said(bytes).starts_with("file is not a safetensors file, or is cut off: a header of 1844"));
  const auto most = to_text(std::numeric_limits<Index>::max());
  CHECK(tensor("F32", "[2]", "[0," + most + "]").starts_with(a + " ends at byte " + most));
  CHECK(tensor("F32", "[2]", "[0,9223372036854775808]").starts_with(a + " has a value in"));
  CHECK(tensor("F32", "[2]", "[8,0]").starts_with(a + " has \"data_offsets\" that are not"));
  CHECK(tensor("F32", "[2]", "[-8,0]").starts_with(a + " has a value in \"data_offsets\""));
  // overlaps and gaps
  CHECK(said(edited("\"data_offsets\":[64,128]", "\"data_offsets\":[0,64]"))
            .ends_with(" begins inside the previous one"));
  CHECK(said(edited("\"data_offsets\":[64,128]", "\"data_offsets\":[60,124]"))
            .ends_with(" begins inside the previous one"));
  // shapes whose product overflows
  const auto root = to_text(Index{1} << (std::numeric_limits<Index>::digits + 1) / 2);
  CHECK(tensor("F32", "[" + root + "," + root + "]", "[0,8]")
            .ends_with("has more elements than can be counted"));
  CHECK(tensor("F32", "[" + most + ",0]", "[0,0]") != "");
  // So many that their bits are 8 bytes again, in the bits that an Index has.
  const auto turned = to_text(std::numeric_limits<Index>::max() / 4 + 2);
  CHECK(tensor("F64", "[" + turned + "]", "[0,8]").starts_with(a + " has " + turned));
  // dtype and length that disagree
  CHECK(tensor("F64", "[2]", "[0,8]") == a + " has 2 numbers of 64 bits in 8 bytes");
  CHECK(said(edited("\"dtype\":\"F32\"", "\"dtype\":\"F16\"")).find(" numbers of 16 bits in ") !=
        std::string::npos);
  // deep JSON and much of it
  CHECK(said(file_of("{\"a\":" + std::string(1'000'000, '['), 0)) ==
        "file: the header is nested deeper than 16 levels");
  CHECK(said(file_of(repeated("{\"a\":", 100'000), 0)) ==
        "file: the header is nested deeper than 16 levels");
  CHECK(tensor("F32", "[" + repeated("1,", 500'000) + "2]", "[0,8]") ==
        a + " has 500001 axes; expected at most 64");
  CHECK(said(file_of("{\"a\":[" + repeated("{},", 200'000) + "{}]}", 0)) ==
        a + " is not described by an object");
  CHECK(said(file_of("{\"" + std::string(1'000'000, 'n') + "\":0}", 0)).size() < 300);
  // a graph with a cycle, and one larger than its weights
  const auto layer = [](const std::string& text) { return "\\\"" + text + "\\\""; };
  CHECK(said(edited("\\\"inputs\\\":[" + layer("x") + "]",
                    "\\\"inputs\\\":[" + layer("out") + "]")) ==
        "file: LSTM \"lstm\" takes its input from \"out\", which is not the name of an earlier "
        "layer");
  CHECK(said(edited("\\\"inputs\\\":[" + layer("x") + "]",
                    "\\\"inputs\\\":[" + layer("lstm") + "]")) ==
        "file: LSTM \"lstm\" takes its input from \"lstm\", which is not the name of an earlier "
        "layer");
  for (const std::string units : {"1000000000", "1152921504606846976", "9223372036854775807"}) {
    CAPTURE(units);
    CHECK(said(edited("\\\"units\\\":1", "\\\"units\\\":" + units)).starts_with("file: "));
    CHECK(said(edited("\\\"units\\\":2", "\\\"units\\\":" + units)).starts_with("file: "));
    CHECK(said(edited("\\\"shape\\\":[3,2]", "\\\"shape\\\":[" + units + ",2]"))
              .starts_with("file: "));
  }
  CHECK_FALSE(load(small_file(true)).refused);
}

TEST_CASE(
    "A model's file that is cut off anywhere, or has any bit of its header flipped, is safe") {
  for (const bool with_sample : {false, true}) {
    const Bytes whole = small_file(with_sample);
    REQUIRE_FALSE(load(whole).refused);
    int accepted = 0;
    for (std::size_t length = 0; length < whole.size(); ++length) {
      // A copy of its own lets a sanitizer see a read beyond the end.
      accepted +=
          !load({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}).refused;
    }
    CHECK(accepted == 0);
    int refused = 0;
    const std::size_t bits = 8 * header_end(whole);
    for (std::size_t bit = 0; bit < bits; ++bit) {
      Bytes flipped = whole;
      flipped[bit / 8] ^= std::byte(1 << bit % 8);
      refused += load(flipped).refused;
    }
    CHECK(refused > static_cast<int>(bits) / 2);
  }
}

TEST_CASE("A state_dict that is cut off anywhere, or has any bit of its header flipped, is safe") {
  const pytorch::Modules modules{{"lstm", "rnn"}, {"out", "head"}};
  const Model<float> original = small_network();
  const Bytes whole = pytorch::save_weights(original, modules);
  const auto is_refused = [&](const Bytes& bytes) {
    Model<float> model = small_network();
    model.weights().array().setConstant(7);
    const Arena<float> untouched(model.weights());
    bool refused = false;
    const Allocations allocations;
    try {
      pytorch::load_weights(model, bytes, modules);
    } catch (const FileError&) {
      refused = true;
    }
    const std::size_t taken = allocations.bytes();
    CHECK(taken <= allowed(bytes));
    // The two biases are of one shape: their names could be exchanged, not by one bit.
    CHECK(model.weights() == (refused ? View<const float>(untouched) : original.weights()));
    return refused;
  };
  REQUIRE_FALSE(is_refused(whole));
  int accepted = 0;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    accepted += !is_refused({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
  }
  CHECK(accepted == 0);
  int refused = 0;
  const std::size_t bits = 8 * header_end(whole);
  for (std::size_t bit = 0; bit < bits; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= std::byte(1 << bit % 8);
    refused += is_refused(flipped);
  }
  CHECK(refused > static_cast<int>(bits) / 2);
}

}  // namespace heed::hostile_test
