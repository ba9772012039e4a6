#include "keras/files.hpp"

namespace heed::keras_hostile_test {

using namespace testing;

namespace {

/// Loads a file that may be anything; returns whether that was an error of heed's. Anything else that
/// is thrown ends the test.
bool is_refused(std::span<const std::byte> bytes) {
  try {
    const auto model = keras::load_model<float>(bytes);
    // What was accepted can be used.
    REQUIRE(model.is_built());
    REQUIRE(model.weights().size() == model.count_params());
    return false;
  } catch (const FileError&) {
    return true;
  }
}

/// A file as `save_model` writes it.
Bytes tiny_file() {
  Model<float> model;
  model.input("x", {2, 1});
  model.add("r", LSTM{.units = 1});
  model.add("d", Dense{.units = 1});
  model.build();
  return keras::save_model(model);
}

/// The least that is a model: one weight in one group at the root.
Bytes smallest_file() {
  Model<float> model;
  model.input("x", {1});
  model.add("d", Dense{.units = 1, .use_bias = false});
  model.build();
  Draft draft(model);
  detail::Hdf5Group root;
  root.attributes = {{"model_config", {draft.config.dump()}}, {"layer_names", {"d"}, true}};
  root.groups["d"].attributes = {{"weight_names", {"kernel"}, true}};
  root.groups["d"].datasets["kernel"] =
      draft.weights().groups.at("d").groups.at("d").datasets.at("kernel");
  return detail::Hdf5Writer::write(root);
}

/// How many of the files that differ from this one in one bit are refused. With `zeros`, every bit;
/// otherwise those of the bytes that are not zero, which is mostly free space.
std::size_t count_refused(Bytes bytes, bool zeros) {
  std::size_t refused = 0;
  for (std::byte& byte : bytes) {
    if (!zeros && byte == std::byte{0}) continue;
    for (int bit = 0; bit < 8; ++bit) {
      const auto mask = static_cast<std::byte>(1 << bit);
      byte ^= mask;
      refused += is_refused(bytes) ? 1 : 0;
      byte ^= mask;
    }
  }
  return refused;
}

/// The bytes as they stand in memory of exactly their size, so that a sanitizer sees the end.
Bytes exact(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

TEST_CASE("A Keras file that is cut off anywhere is refused") {
  for (const Bytes& whole :
       {smallest_file(), tiny_file(), read_file(golden_path("keras2_sequential"))}) {
    REQUIRE_FALSE(is_refused(whole));
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      accepted += is_refused(exact(std::span(whole).first(size))) ? 0 : 1;
    }
    CHECK(accepted == 0);
  }
}

// Free space, weights and some of the configuration can be anything, so that not all are refused.

TEST_CASE("A Keras file with any bit changed is refused or read") {
  CHECK(count_refused(smallest_file(), true) > 5'000);
  CHECK(count_refused(tiny_file(), false) > 10'000);
}

TEST_CASE("A file of Keras itself with any byte changed is refused or read") {
  Bytes bytes = read_file(golden_path("keras2_sequential"));
  std::size_t refused = 0;
  for (std::byte& byte : bytes) {
    if (byte == std::byte{0}) continue;
    byte = ~byte;
    refused += is_refused(bytes) ? 1 : 0;
    byte = ~byte;
  }
  CHECK(refused > 1'000);
}

TEST_CASE("A file of the newer form with some byte changed is refused or read") {
  std::size_t refused = 0;
  for (const char* name : {"keras3_names", "keras3_forms"}) {
    Bytes bytes = read_file(golden_path(name));
    for (std::size_t i = 0; i < bytes.size(); i += bytes[i] == std::byte{0} ? 1 : 101) {
      if (bytes[i] == std::byte{0}) continue;
      const std::byte kept = bytes[i];
      for (const int other : {0xff, 0}) {
        bytes[i] = static_cast<std::byte>(other);
        refused += is_refused(bytes) ? 1 : 0;
      }
      bytes[i] = kept;
    }
  }
  CHECK(refused > 50);
}

TEST_CASE("One weight is not that of two layers") {
  Model<float> model;
  model.input("x", {2});
  model.add("a", Dense{.units = 2, .use_bias = false});
  model.add("b", Dense{.units = 2, .use_bias = false});
  model.build();
  Draft draft(model);
  // "a" and its "b/kernel" stand where "a/b" and its "kernel" do.
  detail::Hdf5Group a;
  a.attributes = {{"weight_names", {"b/kernel"}, true}};
  a.groups["b"] = draft.weights().groups.at("b").groups.at("b");
  a.groups["b"].attributes = {{"weight_names", {"kernel"}, true}};
  detail::Hdf5Group root;
  root.attributes = {{"layer_names", {"a", "a/b"}, true}};
  root.groups["a"] = a;
  const Bytes bytes = detail::Hdf5Writer::write(root);
  CHECK(message<FileError>([&] { keras::load_weights(model, bytes, {}, "m.h5"); }) ==
        "m.h5: \"/a/b\" has \"kernel\", which is a weight of another layer as well");
}

TEST_CASE("Numbers of 8 bytes that are far off are refused or read") {
  const Bytes whole = smallest_file();
  for (const std::uint64_t number :
       {std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0} / 2, std::uint64_t{1} << 32,
        std::uint64_t{whole.size()}, ~std::uint64_t{0} - 7, std::uint64_t{96}}) {
    for (std::size_t i = 0; i + 8 <= whole.size(); i += 4) {
      Bytes bytes = whole;
      detail::to_little_endian(number, bytes.data() + i);
      is_refused(bytes);
    }
  }
}

TEST_CASE("A small file cannot ask for much memory") {
  // A layer of a billion units, whose weights the file does not have.
  Draft draft(small_model());
  draft.layer("dense")["config"]["units"] = 1'000'000'000;
  CHECK(is_refused(draft.bytes()));
  // Fifty layers whose kernels all stand at one place.
  Model<float> model;
  const Node x = model.input("x", {100});
  std::vector<Node> all;
  for (int i = 0; i < 50; ++i) all.push_back(model.add(join("d", i), Dense{.units = 100}, x));
  model.add("sum", AnyLayer<float>(Add{}), all);
  model.build();
  Draft shared(model);
  for (int i = 1; i < 50; ++i) {
    const auto name = join("d", i);
    shared.weights().groups[name].groups[name].datasets["kernel"].bytes = {};
  }
  Bytes bytes = shared.bytes();
  const auto number = [&](std::size_t at) {
    return detail::from_little_endian<std::uint64_t>(bytes.data() + at);
  };
  // Layout messages: their type 8 bytes in front, then 3 and 1, an address, a size.
  std::vector<std::size_t> layouts;
  std::uint64_t kernel = 0;
  for (std::size_t i = 8; i + 24 <= bytes.size(); i += 8) {
    if (bytes[i - 8] != std::byte{8} || bytes[i] != std::byte{3} || bytes[i + 1] != std::byte{1}) {
      continue;
    }
    if (number(i + 10) == 40'000) kernel = number(i + 2);
    if (number(i + 10) == 0) layouts.push_back(i);
  }
  REQUIRE(kernel > 0);
  REQUIRE(layouts.size() == 49);
  for (const std::size_t i : layouts) {
    detail::to_little_endian(kernel, bytes.data() + i + 2);
    detail::to_little_endian(std::uint64_t{40'000}, bytes.data() + i + 10);
  }
  CHECK(message<FileError>([&] {
          keras::load_model<float>(bytes, {}, "m.h5");
        }).find(", where m.h5: \"/model_weights/d0/d0/kernel\" has its numbers") !=
        std::string::npos);
}

}  // namespace heed::keras_hostile_test
