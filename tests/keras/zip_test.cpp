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

/// What is said of the sample with some bytes changed.
std::string refusal_after(const std::vector<std::pair<std::size_t, int>>& changes) {
  Bytes bytes = sample();
  for (const auto& [position, value] : changes) bytes.at(position) = static_cast<std::byte>(value);
  return refusal(bytes);
}
std::string refusal_after(std::size_t position, int value) {
  return refusal_after({{position, value}});
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
    CHECK(said ==
          (size < 22
               ? "m.keras is not an archive, or is cut off"
               : "m.keras is cut off, or is not an archive: it does not end with a directory"));
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
  CHECK(refusal_after({{entry + 10, 14}, {file + 8, 14}}) ==
        "m.keras: b/c.bin is compressed in a way that heed does not read; Keras stores files "
        "uncompressed, as zip -0 does");
  CHECK(refusal_after({{entry + 8, 1}, {file + 6, 1}}) == "m.keras: b/c.bin is encrypted");
  CHECK(refusal_after(file + 30 + 7, '0') == "m.keras: b/c.bin is damaged: its checksum differs");
  CHECK(refusal_after(file + 30, 'B') ==
        "m.keras: b/c.bin is damaged: another file is where it should be");
  CHECK(refusal_after(entry + 45, 0x7f) ==
        "m.keras: b/c.bin is damaged: it is not where it should be");
  CHECK(refusal_after(end + 19, 0x7f) == "m.keras is damaged: its directory is not there");
  CHECK(refusal_after(entry, 'Q').find("is not where it should be") != std::string::npos);

  const auto same = write_zip({{"a", {}}, {"a", {}}}, "same");
  CHECK(refusal(same, "a") == "m.keras has two files \"a\"");
}

TEST_CASE("A file in an archive can be larger than the archive only in what it says") {
  Bytes bytes = sample();
  const std::size_t entry = find(bytes, "b/c.bin", find(bytes, "PK\1\2")) - 46;
  const std::size_t file = find(bytes, "b/c.bin") - 30;
  for (const std::size_t at : {entry + 20, entry + 24, file + 18, file + 22}) {
    to_little_endian(std::uint32_t{0x7fffffff}, bytes.data() + at);
  }
  CHECK(refusal(bytes).find("m.keras: b/c.bin is damaged: 2147483647 bytes are announced") == 0);
  to_little_endian(~std::uint32_t{0}, bytes.data() + entry + 24);
  CHECK(refusal(bytes) == "m.keras: b/c.bin is damaged: it is not where it should be");
}

TEST_CASE("What stands in front of a file in an archive says what the directory says") {
  const Bytes bytes = sample();
  const std::size_t file = find(bytes, "b/c.bin") - 30;
  const std::size_t entry = find(bytes, "b/c.bin", find(bytes, "PK\1\2")) - 46;
  const std::string other =
      "m.keras: b/c.bin is damaged: its header contradicts the archive's directory";
  for (const std::size_t at : {6u, 8u, 14u, 18u, 22u}) {  // flags, method, checksum, lengths
    CAPTURE(at);
    CHECK(refusal_after(file + at, std::to_integer<int>(bytes[file + at]) ^ 2) == other);
  }
  CHECK(refusal_after({{file + 18, 8}, {entry + 20, 8}}) ==
        "m.keras: b/c.bin is damaged: it is stored uncompressed, but has two different lengths");
  // Another file is held to it, too, though nobody asks for it.
  CHECK(refusal_after(22, 1) ==
        "m.keras: a.json is damaged: its header contradicts the archive's directory");
  CHECK(refusal_after(bytes.size() - 22 + 4, 1) ==
        "m.keras is damaged: it does not have as many files as it says");
  CHECK(refusal_after({{bytes.size() - 22 + 8, 2}, {bytes.size() - 22 + 10, 2}}) ==
        "m.keras is damaged: it does not have as many files as it says");
}

TEST_CASE("Two files of an archive share no byte") {
  Bytes bytes = write_zip({{"a", bytes_of("12345678")}, {"b", bytes_of("12345678")}}, "sample");
  const std::size_t entry = find(bytes, "b", find(bytes, "PK\1\2")) - 46;
  Bytes same = bytes;
  same.at(entry + 42) = std::byte{0};
  same.at(entry + 46) = std::byte{'a'};
  CHECK(refusal(same, "a") == "m.keras has two files \"a\"");
  // The first one says that it goes on into the second.
  for (const std::size_t at :
       {std::size_t{18}, std::size_t{22}, find(bytes, "PK\1\2") + 20, find(bytes, "PK\1\2") + 24}) {
    bytes.at(at) = std::byte{9};
  }
  CHECK(refusal(bytes, "b") == "m.keras: b is damaged: it shares bytes with something else");
}

TEST_CASE("An archive may end with a comment, and say lengths as Python does for large files") {
  Bytes bytes = sample();
  const std::string comment = "saved on a Friday PK\5\6";
  bytes.at(bytes.size() - 2) = static_cast<std::byte>(comment.size());
  const auto more = bytes_of(comment);
  bytes.insert(bytes.end(), more.begin(), more.end());
  CHECK(hdf5_text(ZipFile(bytes, "m.keras").file("b/c.bin")) == "123456789");

  // As zipfile's open(…, "w", force_zip64=True) writes it.
  const auto archive = [&](std::uint64_t length) {
    Hdf5Bytes out;
    const std::uint32_t crc = 0xCBF43926;
    const std::uint16_t version = 45, none = 0;
    out.put("PK\3\4").put(version, none, none, none, none, crc, ~0u, ~0u);
    out.put(std::uint16_t{1}, std::uint16_t{20}).put("f");
    out.put(std::uint16_t{1}, std::uint16_t{16}, length, length).put("123456789");
    const auto begin = static_cast<std::uint32_t>(out.size());
    out.put("PK\1\2").put(version, version, none, none, none, none, crc, 9u, 9u);
    out.put(std::uint16_t{1}).fill(12).put(std::uint32_t{0}).put("f");
    const auto size = static_cast<std::uint32_t>(out.size()) - begin;
    out.put("PK\5\6").fill(4).put(std::uint16_t{1}, std::uint16_t{1}, size, begin, none);
    return std::move(out).take();
  };
  const Bytes large = archive(9);
  CHECK(hdf5_text(ZipFile(large, "m.keras").file("f")) == "123456789");
  CHECK(refusal(archive(8), "f") ==
        "m.keras: f is damaged: its header contradicts the archive's directory");
}

}  // namespace heed::zip_test
