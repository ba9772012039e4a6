#pragma once

#include <heed/io/hdf5_file.hpp>

// Archives as far as Keras uses them: a few files, stored as they are. Python's zipfile, which Keras
// writes its archives with, compresses nothing unless it is asked to.
//
// PKWARE, ".ZIP File Format Specification" 6.3.10; section numbers below are its. Numbers stand lowest
// byte first.

namespace heed::detail {

/// The checksum that an archive has of each file (section 4.4.7): CRC-32.
inline std::uint32_t crc32(std::span<const std::byte> bytes) {
  static constexpr auto table = [] {
    std::array<std::uint32_t, 256> remainders{};
    for (std::uint32_t i = 0; i < remainders.size(); ++i) {
      std::uint32_t remainder = i;
      for (int bit = 0; bit < 8; ++bit) {
        remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0xEDB88320u : 0u);
      }
      remainders[i] = remainder;
    }
    return remainders;
  }();
  std::uint32_t crc = ~0u;
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
  }
  return ~crc;
}

inline constexpr std::string_view zip_file_signature = "PK\3\4", zip_entry_signature = "PK\1\2",
                                  zip_end_signature = "PK\5\6";
inline constexpr std::size_t zip_end_size = 22;
inline constexpr std::uint32_t zip_elsewhere = ~std::uint32_t{0};  ///< a larger number is elsewhere

/// An archive that stands in memory, which has to stay there: what is read are views of it.
class ZipFile {
 public:
  /// Throws `FileError`, beginning with `where`, for what is no archive, or not all of one.
  ZipFile(std::span<const std::byte> bytes, std::string_view where) : bytes_(bytes), where_(where) {
    check<FileError>(bytes.size() >= zip_end_size, where, " is not an archive, or is cut off");
    const auto end = bytes.last(zip_end_size);
    check<FileError>(hdf5_text(end).starts_with(zip_end_signature), where,
                     " does not end as an archive without a comment does");
    Hdf5Cursor cursor(end, where_);
    cursor.skip(zip_end_signature.size() + 4 + 2);
    const auto count = cursor.take<std::uint16_t>();
    const auto size = cursor.take<std::uint32_t>();
    const auto begin = cursor.take<std::uint32_t>();
    check<FileError>(begin <= bytes.size(), where_, " is damaged: its directory is not there");
    Hdf5Cursor directory(Hdf5Cursor(bytes.subspan(begin), where_).take(size), where_);
    for (int i = 0; i < count; ++i) read_entry(directory);
  }

  /// A file in the archive. Throws `FileError` where there is none of that name, and for one that is
  /// compressed or whose checksum differs.
  std::span<const std::byte> file(std::string_view name) const {
    const auto found = entries_.find(name);
    check<FileError>(found != entries_.end(), where_, " has no file ", in_quotes(name));
    const Entry& entry = found->second;
    const std::string place = join(where_, ": ", name);
    check<FileError>(entry.method == 0 && (entry.flags & 1) == 0, place,
                     " is compressed or encrypted; Keras stores files as they are");
    check<FileError>(entry.size != zip_elsewhere && entry.begin <= bytes_.size(), place,
                     " is damaged: it is not where it should be");
    Hdf5Cursor cursor(bytes_.subspan(entry.begin), place);
    cursor.expect(zip_file_signature);
    cursor.skip(22);
    const auto name_size = cursor.take<std::uint16_t>();
    const auto extra_size = cursor.take<std::uint16_t>();
    check<FileError>(hdf5_text(cursor.take(name_size)) == name, place,
                     " is damaged: another file is where it should be");
    cursor.skip(extra_size);
    const auto content = cursor.take(entry.size);
    check<FileError>(crc32(content) == entry.crc, place, " is damaged: its checksum differs");
    return content;
  }

 private:
  struct Entry {
    std::uint16_t flags = 0, method = 0;
    std::uint32_t crc = 0, size = 0, begin = 0;
  };

  /// Section 4.3.12.
  void read_entry(Hdf5Cursor& directory) {
    Entry entry;
    directory.expect(zip_entry_signature);
    directory.skip(4);
    entry.flags = directory.take<std::uint16_t>();
    entry.method = directory.take<std::uint16_t>();
    directory.skip(4);
    entry.crc = directory.take<std::uint32_t>();
    entry.size = directory.take<std::uint32_t>();
    directory.skip(4);
    const auto name_size = directory.take<std::uint16_t>();
    const auto extra_size = directory.take<std::uint16_t>();
    const auto comment_size = directory.take<std::uint16_t>();
    directory.skip(8);
    entry.begin = directory.take<std::uint32_t>();
    const auto name = hdf5_text(directory.take(name_size));
    directory.skip(extra_size);
    directory.skip(comment_size);
    check<FileError>(entries_.emplace(name, entry).second, where_, " has two files ",
                     in_quotes(name));
  }

  std::span<const std::byte> bytes_;
  std::string where_;
  std::map<std::string_view, Entry> entries_;
};

/// An archive of files by their names, stored as they are, with no dates: the same files give the same
/// bytes. Throws `FileError`, beginning with `where`, for more than an archive can hold (4 GiB).
inline std::vector<std::byte> write_zip(
    const std::vector<std::pair<std::string_view, std::span<const std::byte>>>& files,
    std::string_view where) {
  constexpr std::uint16_t version = 20, first_of_1980 = 0x21;
  Hdf5Bytes out, directory;
  for (const auto& [name, content] : files) {
    check<FileError>(out.size() + content.size() < zip_elsewhere, where,
                     " is too large for an archive: at most 4 GiB fit into one");
    const auto begin = static_cast<std::uint32_t>(out.size());
    const auto size = static_cast<std::uint32_t>(content.size());
    Hdf5Bytes common;  // of both headers
    common.put(version, std::uint32_t{0}, std::uint16_t{0}, first_of_1980, crc32(content));
    common.put(size, size, static_cast<std::uint16_t>(name.size()), std::uint16_t{0});
    out.put(zip_file_signature).put(common).put(name).put(content);
    directory.put(zip_entry_signature).put(version).put(common).fill(10).put(begin).put(name);
  }
  const auto count = static_cast<std::uint16_t>(files.size());
  const auto begin = static_cast<std::uint32_t>(out.size());
  out.put(directory).put(zip_end_signature).fill(4).put(count, count);
  out.put(static_cast<std::uint32_t>(directory.size()), begin, std::uint16_t{0});
  return std::move(out).take();
}

}  // namespace heed::detail
