#pragma once

#include <heed/io/hdf5_file.hpp>
#include <heed/io/inflate.hpp>

// The part of the ZIP format that Keras uses: a few uncompressed files. Keras writes its archives
// with Python's zipfile, which does not compress by default. Other programs compress by deflate.
//
// PKWARE, ".ZIP File Format Specification" 6.3.10. Section numbers below refer to it. Numbers are
// little-endian.

namespace heed::detail {

/// The checksum of each file in an archive (section 4.4.7): CRC-32.
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

inline constexpr std::string_view zip_entry_signature = "PK\1\2", zip_end_signature = "PK\5\6";
inline constexpr std::size_t zip_end_size = 22;
inline constexpr std::uint32_t zip_elsewhere = ~std::uint32_t{0};  ///< it is in an extra field

/// An archive in memory. The bytes must outlive it, because all results are views of them. Its
/// directory and the header of each file must agree, and files must not share bytes; otherwise two
/// programs could find different models in the same archive.
class ZipFile {
 public:
  /// Throws `FileError`, which begins with `where`, for bytes that are not a complete archive.
  ZipFile(std::span<const std::byte> bytes, std::string_view where) : bytes_(bytes), where_(where) {
    const std::size_t end = find_end();
    Hdf5Cursor cursor(bytes.subspan(end), where_);
    cursor.skip(zip_end_signature.size());
    const auto disks = cursor.take<std::uint32_t>();
    const auto count_here = cursor.take<std::uint16_t>();
    const auto count = cursor.take<std::uint16_t>();
    const auto size = cursor.take<std::uint32_t>();
    const auto begin = cursor.take<std::uint32_t>();
    check<FileError>(begin != zip_elsewhere && size != zip_elsewhere, where_,
                     " is an archive of more than 4 GiB, which heed does not read");
    check<FileError>(begin <= end && size == end - begin, where_,
                     " is damaged: its directory is not there");
    Hdf5Cursor directory(bytes.subspan(begin, size), where_);
    for (int i = 0; i < count; ++i) read_entry(directory);
    check<FileError>(disks == 0 && count_here == count && directory.left() == 0, where_,
                     " is damaged: it does not have as many files as it says");
    directory_ = begin;
    check_apart();
  }

  /// A file in the archive. Throws `FileError` if there is no file with this name, if it is
  /// compressed, or if its checksum is wrong.
  std::span<const std::byte> file(std::string_view name) const {
    const auto found = entries_.find(name);
    check<FileError>(found != entries_.end(), where_, " has no file ", in_quotes(name));
    const Entry& entry = found->second;
    const std::string place = file_place(name);
    check<FileError>((entry.flags & 1) == 0, place, " is encrypted");
    constexpr int stored = 0, deflated = 8;
    check<FileError>(
        entry.method == stored || entry.method == deflated, place,
        " is compressed in a way that heed does not read; Keras stores files uncompressed, "
        "as zip -0 does");
    const auto content =
        entry.method == stored ? bytes_.subspan(entry.content, entry.size) : unpacked(name, entry);
    check<FileError>(crc32(content) == entry.crc, place, " is damaged: its checksum differs");
    return content;
  }

 private:
  struct Entry {
    std::uint16_t flags = 0, method = 0;
    std::uint32_t crc = 0, packed = 0, size = 0, begin = 0;
    std::size_t content = 0;  ///< the position of the file's bytes
  };

  /// A file that is compressed. It is unpacked once.
  std::span<const std::byte> unpacked(std::string_view name, const Entry& entry) const {
    const auto known = unpacked_.find(name);
    if (known != unpacked_.end()) return known->second;
    const std::string place = file_place(name);
    check<FileError>(can_inflate, place, no_inflate,
                     "; zip -0 makes an archive of files as they "
                     "are");
    check<FileError>(entry.size <= most_inflation * bytes_.size() - unpacked_bytes_, place,
                     " would be more than ", most_inflation, " times as large as the archive");
    unpacked_bytes_ += entry.size;
    std::vector<std::byte> content(entry.size);
    const bool is_whole =
        inflate(bytes_.subspan(entry.content, entry.packed), content, Deflated::raw);
    check<FileError>(is_whole, place, " is damaged: it cannot be unpacked");
    return unpacked_.emplace(name, std::move(content)).first->second;
  }

  std::string file_place(std::string_view name) const {
    return join(where_, ": ", printable(name, 80));
  }

  /// Section 4.3.16. Only a comment, whose length is given, may come after it.
  std::size_t find_end() const {
    constexpr std::size_t longest = zip_end_size + 0xffff;
    check<FileError>(bytes_.size() >= zip_end_size, where_, " is not an archive, or is cut off");
    const std::size_t last = bytes_.size() - zip_end_size;
    for (std::size_t at = last + 1; at-- > 0 && bytes_.size() - at <= longest;) {
      if (!hdf5_text(bytes_.subspan(at)).starts_with(zip_end_signature)) continue;
      const auto comment = from_little_endian<std::uint16_t>(&bytes_[at + zip_end_size - 2]);
      if (at + zip_end_size + comment == bytes_.size()) return at;
    }
    throw FileError(
        join(where_, " is cut off, or is not an archive: it does not end with a directory"));
  }

  /// Section 4.3.12.
  void read_entry(Hdf5Cursor& directory) {
    Entry entry;
    directory.expect(zip_entry_signature);
    directory.skip(4);
    entry.flags = directory.take<std::uint16_t>();
    entry.method = directory.take<std::uint16_t>();
    directory.skip(4);
    entry.crc = directory.take<std::uint32_t>();
    entry.packed = directory.take<std::uint32_t>();
    entry.size = directory.take<std::uint32_t>();
    const auto name_size = directory.take<std::uint16_t>();
    const auto extra_size = directory.take<std::uint16_t>();
    const auto comment_size = directory.take<std::uint16_t>();
    directory.skip(8);
    entry.begin = directory.take<std::uint32_t>();
    const auto name = hdf5_text(directory.take(name_size));
    directory.skip(extra_size);
    directory.skip(comment_size);
    read_header(name, entry);
    check<FileError>(entries_.emplace(name, entry).second, where_, " has two files ",
                     in_quotes(name));
  }

  /// Section 4.3.7: the header of a file, which must agree with its entry.
  void read_header(std::string_view name, Entry& entry) const {
    const std::string place = file_place(name);
    check<FileError>(entry.size != zip_elsewhere && entry.begin <= bytes_.size(), place,
                     " is damaged: it is not where it should be");
    Hdf5Cursor cursor(bytes_.subspan(entry.begin), place);
    cursor.expect(zip_file_signature);
    cursor.skip(2);
    const auto flags = cursor.take<std::uint16_t>();
    const auto method = cursor.take<std::uint16_t>();
    cursor.skip(4);
    const auto crc = cursor.take<std::uint32_t>();
    const auto packed = cursor.take<std::uint32_t>();
    const auto size = cursor.take<std::uint32_t>();
    const auto name_size = cursor.take<std::uint16_t>();
    const auto extra_size = cursor.take<std::uint16_t>();
    check<FileError>(hdf5_text(cursor.take(name_size)) == name, place,
                     " is damaged: another file is where it should be");
    const auto extra = cursor.take(extra_size);
    constexpr int comes_later = 8;  // section 4.3.9: after the file, if the writer could not seek
    const bool agrees = (flags & comes_later) != 0 && crc == 0
                            ? true
                            : crc == entry.crc && is_length(packed, entry.packed, extra, place) &&
                                  is_length(size, entry.size, extra, place);
    check<FileError>(agrees && flags == entry.flags && method == entry.method, place,
                     " is damaged: its header contradicts the archive's directory");
    check<FileError>(entry.method != 0 || entry.packed == entry.size, place,
                     " is damaged: it is stored uncompressed, but has two different lengths");
    cursor.take(entry.packed);
    entry.content = bytes_.size() - cursor.left() - entry.packed;
  }

  /// Whether a length in a header is `length`. It is in the header itself or in a field for large
  /// lengths (section 4.5.3), which Python writes if it does not know the length beforehand.
  static bool is_length(std::uint32_t said, std::uint32_t length, std::span<const std::byte> extra,
                        const std::string& place) {
    if (said != zip_elsewhere) return said == length;
    Hdf5Cursor fields(extra, place);
    while (fields.left() >= 4) {
      const auto kind = fields.take<std::uint16_t>();
      Hdf5Cursor field(fields.take(fields.take<std::uint16_t>()), place);
      constexpr int zip64 = 1;
      if (kind != zip64) continue;
      while (field.left() >= 8) {
        if (field.take<std::uint64_t>() != length) return false;
      }
      return true;
    }
    return false;
  }

  void check_apart() const {
    std::map<std::size_t, std::pair<std::size_t, std::string_view>> parts;  // the end of each part
    for (const auto& [name, entry] : entries_) {
      const auto [part, is_new] =
          parts.emplace(entry.begin, std::pair(entry.content + entry.packed, name));
      check<FileError>(is_new, file_place(name), " is damaged: it is ",
                       in_quotes(part->second.second), " as well");
    }
    std::size_t end = 0;
    for (const auto& [begin, part] : parts) {
      check<FileError>(begin >= end && part.first <= directory_, file_place(part.second),
                       " is damaged: it shares bytes with something else");
      end = part.first;
    }
  }

  std::span<const std::byte> bytes_;
  std::string where_;
  std::size_t directory_ = 0;
  std::map<std::string_view, Entry> entries_;
  mutable std::map<std::string_view, std::vector<std::byte>> unpacked_;
  mutable std::size_t unpacked_bytes_ = 0;
};

/// An archive with these files, uncompressed and without dates, so that the same files give the
/// same bytes. Throws `FileError`, which begins with `where`, if the archive would exceed the
/// format's limit (4 GiB).
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
    Hdf5Bytes common;  // the part that both headers have
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
