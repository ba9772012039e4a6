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

Bytes tiny_file() {
  Model<float> model;
  model.input("x", {2, 1});
  model.add("r", LSTM{.units = 1});
  model.add("d", Dense{.units = 1});
  model.build();
  return keras::save_model(model);
}

/// The bytes as they stand in memory of exactly their size, so that a sanitizer sees the end.
Bytes exact(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

TEST_CASE("A Keras file that is cut off anywhere is refused") {
  for (const Bytes& whole : {tiny_file(), read_file(golden_path("keras2_sequential"))}) {
    REQUIRE_FALSE(is_refused(whole));
    const std::size_t end = whole.size();
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < end; ++size) {
      // Every length at the front, where structures stand; farther on the file says its size.
      if (size > 2048 && size + 64 < end && size % 61 != 0) continue;
      accepted += is_refused(exact(std::span(whole).first(size))) ? 0 : 1;
    }
    CHECK(accepted == 0);
  }
}

TEST_CASE("A Keras file with any bit changed is refused or read") {
  const Bytes whole = tiny_file();
  Bytes bytes = whole;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    // Zeros are mostly free space: of those one bit each.
    const std::size_t step = whole[i] == std::byte{0} ? 8 : 1;
    for (std::size_t bit = i % step; bit < 8; bit += step) {
      bytes[i] = whole[i] ^ std::byte(1 << bit);
      refused += is_refused(bytes) ? 1 : 0;
    }
    bytes[i] = whole[i];
  }
  // Free space, weights and some of the configuration can be anything.
  CHECK(refused > 10'000);
}

TEST_CASE("A file of Keras itself with any byte changed is refused or read") {
  const Bytes whole = read_file(golden_path("keras2_sequential"));
  Bytes bytes = whole;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    bytes[i] = ~whole[i];
    refused += is_refused(bytes) ? 1 : 0;
    bytes[i] = whole[i];
  }
  CHECK(refused > 1'000);
}

TEST_CASE("Numbers of 8 bytes that are far off are refused or read") {
  const Bytes whole = tiny_file();
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
  CHECK(message<FileError>([&] { keras::load_model<float>(bytes, {}, "m.h5"); }) ==
        "m.h5 is damaged: weights overlap");
}

}  // namespace heed::keras_hostile_test
