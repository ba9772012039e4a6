#pragma once

#include <heed/io/hdf5_object.hpp>

namespace heed::detail {

inline std::string hdf5_repacked(std::string_view options) {
  return join("; Keras writes plain datasets, and h5repack -l CONTI", options,
              " old.h5 new.h5 makes them of others");
}

/// The filters that each piece of a dataset went through (section IV.A.2.l), undone.
class Hdf5Filters {
 public:
  /// Throws `FileError` for a filter other than deflate, shuffle and the checksum.
  Hdf5Filters(std::optional<std::span<const std::byte>> message, const std::string& place)
      : place_(place) {
    if (!message) return;
    Hdf5Cursor cursor(*message, place);
    const auto version = cursor.take<std::uint8_t>();
    const auto count = cursor.take<std::uint8_t>();
    cursor.skip(version == 1 ? 6 : 0);
    for (int i = 0; i < count; ++i) {
      const auto id = cursor.take<std::uint16_t>();
      // Version 2 leaves the name of a known filter out.
      const std::uint64_t name = version == 1 || id >= 256 ? cursor.take<std::uint16_t>() : 0;
      cursor.skip(2);
      const std::uint64_t values = cursor.take<std::uint16_t>();
      cursor.skip(version == 1 ? (name + 7) / 8 * 8 : name);
      cursor.skip(4 * values + (version == 1 ? values % 2 * 4 : 0));
      check<FileError>(id == deflate || id == shuffle || id == checksum, place, " is compressed",
                       id == 4       ? ", by szip"
                       : id == 32000 ? ", by lzf"
                                     : "",
                       hdf5_repacked(" -f NONE"));
      check<FileError>(id != deflate || can_inflate, place, no_inflate, hdf5_repacked(" -f NONE"));
      filters_.push_back(id);
    }
    check<FileError>(
        std::count(filters_.begin(), filters_.end(), deflate) < 2 && filters_.size() <= 3, place,
        " is damaged: it is compressed twice");
  }

  bool any() const { return !filters_.empty(); }

  /// A piece of `size` bytes in numbers of `width` bytes. A bit of `skipped` says that the filter
  /// of this index was not used for it.
  std::vector<std::byte> undo(std::span<const std::byte> packed, std::uint64_t size, int width,
                              std::uint32_t skipped) const {
    std::vector<std::byte> bytes(packed.begin(), packed.end());
    for (std::size_t i = filters_.size(); i-- > 0;) {
      if ((skipped >> i & 1) != 0) continue;
      if (filters_[i] == checksum) {
        check<FileError>(bytes.size() >= 4, place_, " is damaged: a piece lacks its checksum");
        bytes.resize(bytes.size() - 4);
      } else if (filters_[i] == deflate) {
        const bool has_checksum =
            std::find(filters_.begin(), filters_.begin() + static_cast<std::ptrdiff_t>(i),
                      checksum) != filters_.begin() + static_cast<std::ptrdiff_t>(i);
        std::vector<std::byte> unpacked(static_cast<std::size_t>(size) + (has_checksum ? 4 : 0));
        check<FileError>(inflate(bytes, unpacked, Deflated::zlib), place_,
                         " is damaged: a piece of it cannot be unpacked");
        bytes = std::move(unpacked);
      } else {
        bytes = in_order(bytes, static_cast<std::size_t>(width));
      }
    }
    check<FileError>(bytes.size() == size, place_, " is damaged: a piece of it has ", bytes.size(),
                     " of ", size, " bytes");
    return bytes;
  }

 private:
  enum : std::uint16_t { deflate = 1, shuffle = 2, checksum = 3 };

  /// Undoes the shuffle, which puts the first bytes of all numbers first, then the second ones.
  static std::vector<std::byte> in_order(const std::vector<std::byte>& bytes, std::size_t width) {
    std::vector<std::byte> ordered = bytes;  // what is left over at the end stays there
    const std::size_t count = bytes.size() / width;
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t k = 0; k < width; ++k) ordered[i * width + k] = bytes[k * count + i];
    }
    return ordered;
  }

  const std::string& place_;
  std::vector<std::uint16_t> filters_;
};

}  // namespace heed::detail
