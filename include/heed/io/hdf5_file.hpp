#pragma once

#include <map>

#include <heed/io/hdf5.hpp>
#include <heed/io/json.hpp>

namespace heed::detail {

/// Takes numbers off the front of a part of a file. What would go beyond its end throws `FileError`
/// that begins with `place`.
class Hdf5Cursor {
 public:
  Hdf5Cursor(std::span<const std::byte> bytes, const std::string& place)
      : rest_(bytes), place_(place) {}

  template <std::unsigned_integral Number>
  Number take() {
    return from_little_endian<Number>(take(sizeof(Number)).data());
  }

  std::span<const std::byte> take(std::uint64_t count) {
    check<FileError>(count <= rest_.size(), place_, " is damaged: ", count,
                     " bytes are announced, and ", rest_.size(), " follow");
    const auto front = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(front.size());
    return front;
  }

  /// The same, and the zeros behind it up to a multiple of 8 bytes.
  std::span<const std::byte> take_padded(std::uint64_t count) {
    const auto front = take(count);
    take(std::min<std::size_t>((8 - count % 8) % 8, rest_.size()));
    return front;
  }

  void skip(std::uint64_t count) { take(count); }

  void expect(std::string_view signature) {
    const auto found = take(signature.size());
    check<FileError>(std::equal(found.begin(), found.end(), signature.begin(),
                                [](std::byte b, char c) { return b == std::byte(c); }),
                     place_, " is damaged: ", in_quotes(signature), " is not where it should be");
  }

  std::size_t left() const { return rest_.size(); }

 private:
  std::span<const std::byte> rest_;
  const std::string& place_;
};

inline std::string_view hdf5_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A file that stands in memory, which has to stay there: what is read are views of it.
class Hdf5File {
 public:
  /// Throws `FileError`, beginning with `where`, for what is no HDF5 file, or not all of one, or of
  /// the form that only programs write which ask for it (`libver="latest"`).
  Hdf5File(std::span<const std::byte> bytes, std::string_view where)
      : bytes_(bytes), where_(where) {
    const auto front = hdf5_text(bytes.first(std::min(bytes.size(), hdf5_signature.size())));
    check<FileError>(front == hdf5_signature, where, " is not an HDF5 file");
    Hdf5Cursor superblock(bytes.subspan(front.size()), where_);
    const auto version = superblock.take<std::uint8_t>();
    check<FileError>(version <= 1, where, " is an HDF5 file of a newer form (superblock ", version,
                     ") than Keras and h5py write");
    superblock.skip(4);
    const auto offset_size = superblock.take<std::uint8_t>();
    const auto length_size = superblock.take<std::uint8_t>();
    check<FileError>(offset_size == 8 && length_size == 8, where, " has addresses of ", offset_size,
                     " and lengths of ", length_size, " bytes; expected 8");
    superblock.skip(version == 0 ? 9 : 13);
    const auto base = superblock.take<std::uint64_t>();
    superblock.skip(8);
    const auto end = superblock.take<std::uint64_t>();
    superblock.skip(16);
    root_ = superblock.take<std::uint64_t>();
    check<FileError>(base == 0, where, " begins with something that is not HDF5");
    check<FileError>(end <= bytes.size(), where, " is cut off: it has ", bytes.size(), " of ", end,
                     " bytes");
  }
  Hdf5File(const Hdf5File&) = delete;

  const std::string& where() const { return where_; }
  std::size_t size() const { return bytes_.size(); }
  std::uint64_t root() const { return root_; }

  /// What begins at an address.
  std::span<const std::byte> at(std::uint64_t address, const std::string& place) const {
    check<FileError>(address <= bytes_.size(), place,
                     " is damaged: something should stand at byte ", address, " of ",
                     bytes_.size());
    return bytes_.subspan(static_cast<std::size_t>(address));
  }

  std::span<const std::byte> at(std::uint64_t address, std::uint64_t length,
                                const std::string& place) const {
    return Hdf5Cursor(at(address, place), place).take(length);
  }

  /// Notes that the object at an address, with a header of `size` bytes, stands under a path. Throws
  /// `FileError` for one that stands under another path too, and for headers that overlap: otherwise a
  /// small file could have one large header read for each of many names.
  void note_object(std::uint64_t address, const std::string& path, std::uint64_t size,
                   const std::string& place) {
    const auto [object, is_new] = objects_.emplace(address, path);
    check<FileError>(object->second == path, place, " is damaged: it is ",
                     in_quotes(object->second), " as well");
    if (is_new) header_bytes_ += size;
    check<FileError>(header_bytes_ <= bytes_.size(), place,
                     " is damaged: its header is part of others");
  }

  /// A text of the collection at an address (section III.E).
  std::string_view text(std::uint64_t address, std::uint32_t index, std::uint32_t length,
                        const std::string& place) {
    if (length == 0) return {};
    const auto& objects = collection(address, place).objects;
    const auto object = objects.find(index);
    check<FileError>(object != objects.end() && length <= object->second.size(), place,
                     " is damaged: a text of ", length, " bytes is not where it should be");
    return hdf5_text(object->second.first(length));
  }

 private:
  struct Collection {
    std::uint64_t end = 0;
    std::map<std::uint32_t, std::span<const std::byte>> objects;
  };

  /// Reads a collection once. No two may overlap, so that all together are no larger than the file.
  const Collection& collection(std::uint64_t address, const std::string& place) {
    const auto next = collections_.lower_bound(address);
    if (next != collections_.end() && next->first == address) return next->second;
    Hdf5Cursor head(at(address, place), place);
    head.expect("GCOL");
    head.skip(4);
    const auto size = head.take<std::uint64_t>();
    Hdf5Cursor cursor(at(address, size, place), place);
    cursor.skip(16);
    check<FileError>((next == collections_.end() || address + size <= next->first) &&
                         (next == collections_.begin() || std::prev(next)->second.end <= address),
                     place, " is damaged: two collections of texts overlap");
    Collection found{address + size, {}};
    while (cursor.left() >= 16) {
      const auto index = cursor.take<std::uint16_t>();
      if (index == 0) break;  // free space, up to the end
      cursor.skip(6);
      const auto length = cursor.take<std::uint64_t>();
      found.objects.emplace(index, cursor.take_padded(length));
    }
    return collections_.emplace(address, std::move(found)).first->second;
  }

  std::span<const std::byte> bytes_;
  std::string where_;
  std::uint64_t root_ = 0, header_bytes_ = 0;
  std::map<std::uint64_t, std::string> objects_;
  std::map<std::uint64_t, Collection> collections_;
};

}  // namespace heed::detail
