#include <heed/io/zip.hpp>

#include "support/catch.hpp"
#include "support/errors.hpp"

namespace heed::zip_test {

using namespace detail;
using testing::message;

namespace {

using Bytes = std::vector<std::byte>;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

Bytes sample() {
  return write_zip({{"a.json", bytes_of("{}")}, {"empty", {}}, {"b/c.bin", bytes_of("123456789")}},
                   "sample");
}

std::string refusal(std::span<const std::byte> bytes, std::string_view name = "b/c.bin") {
  return message<FileError>([&] { ZipFile(bytes, "m.keras").file(name); });
}

std::size_t find(const Bytes& bytes, std::string_view text, std::size_t from = 0) {
  const auto at = hdf5_text(bytes).find(text, from);
  REQUIRE(at != std::string_view::npos);
  return at;
}

/// What is said of the sample with one byte changed.
std::string refusal_after(std::size_t position, int value) {
  Bytes bytes = sample();
  bytes.at(position) = static_cast<std::byte>(value);
  return refusal(bytes);
}

}  // namespace

TEST_CASE("The checksum of an archive is CRC-32") {
  CHECK(crc32(bytes_of("123456789")) == 0xCBF43926u);
  CHECK(crc32({}) == 0);
}

TEST_CASE("What is written to an archive is read from it") {
  const Bytes bytes = sample();
  const ZipFile archive(bytes, "m.keras");
  CHECK(hdf5_text(archive.file("a.json")) == "{}");
  CHECK(archive.file("empty").empty());
  CHECK(hdf5_text(archive.file("b/c.bin")) == "123456789");
  CHECK(message<FileError>([&] { archive.file("other"); }) == "m.keras has no file \"other\"");
  CHECK(sample() == sample());
}

TEST_CASE("An archive that is cut off anywhere is refused") {
  const Bytes whole = sample();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<Index>(size));
    const auto said = refusal(part);
    CHECK(said == (size < 22 ? "m.keras is not an archive, or is cut off"
                             : "m.keras does not end as an archive without a comment does"));
  }
}

TEST_CASE("An archive with any bit changed gives the same file or an error") {
  Bytes bytes = sample();
  std::size_t refused = 0, wrong = 0;
  for (std::byte& byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const auto mask = static_cast<std::byte>(1 << bit);
      byte ^= mask;
      try {
        const ZipFile archive(bytes, "m.keras");
        wrong += hdf5_text(archive.file("b/c.bin")) == "123456789" ? 0 : 1;
      } catch (const FileError&) {
        ++refused;
      }
      byte ^= mask;
    }
  }
  CHECK(wrong == 0);
  CHECK(refused > 400);
}

TEST_CASE("An archive of another form is an error that says which file") {
  const Bytes bytes = sample();
  const std::size_t file = find(bytes, "b/c.bin") - 30;
  const std::size_t directory = find(bytes, "PK\1\2");
  const std::size_t entry = find(bytes, "b/c.bin", directory) - 46;
  const std::size_t end = bytes.size() - 22;
  CHECK(refusal_after(entry + 10, 8) ==
        "m.keras: b/c.bin is compressed or encrypted; Keras stores files as they are");
  CHECK(refusal_after(entry + 8, 1) ==
        "m.keras: b/c.bin is compressed or encrypted; Keras stores files as they are");
  CHECK(refusal_after(file + 30 + 7, '0') == "m.keras: b/c.bin is damaged: its checksum differs");
  CHECK(refusal_after(file + 30, 'B') ==
        "m.keras: b/c.bin is damaged: another file is where it should be");
  CHECK(refusal_after(entry + 45, 0x7f) ==
        "m.keras: b/c.bin is damaged: it is not where it should be");
  CHECK(refusal_after(end + 19, 0x7f) == "m.keras is damaged: its directory is not there");
  CHECK(refusal_after(entry, 'Q').find("is not where it should be") != std::string::npos);

  Bytes twice = bytes;
  const std::string_view name = "a.json";
  const std::size_t other = find(bytes, name, directory) - 46;
  twice.at(other + 28) = std::byte{5};  // the length of the name, …
  twice.at(other + 30) = std::byte{1};  // … and of what follows it
  CHECK(refusal(twice, name) == "m.keras has no file \"a.json\"");
  const auto same = write_zip({{"a", {}}, {"a", {}}}, "same");
  CHECK(refusal(same, "a") == "m.keras has two files \"a\"");
}

TEST_CASE("A file in an archive can be larger than the archive only in what it says") {
  Bytes bytes = sample();
  const std::size_t entry = find(bytes, "b/c.bin", find(bytes, "PK\1\2")) - 46;
  to_little_endian(std::uint32_t{0x7fffffff}, bytes.data() + entry + 20);
  CHECK(refusal(bytes).find("m.keras: b/c.bin is damaged: 2147483647 bytes are announced") == 0);
  to_little_endian(~std::uint32_t{0}, bytes.data() + entry + 20);
  CHECK(refusal(bytes) == "m.keras: b/c.bin is damaged: it is not where it should be");
}

}  // namespace heed::zip_test
