#pragma once

#include <map>
#include <optional>

#include <heed/io/hdf5.hpp>
#include <heed/io/inflate.hpp>
#include <heed/io/json.hpp>

namespace heed::detail {

/// Reads numbers from a part of a file, one after the other. Reading beyond its end throws
/// `FileError`, which begins with `place`.
class Hdf5Cursor {
 public:
  Hdf5Cursor(std::span<const std::byte> bytes, const std::string& place)
      : rest_(bytes), place_(place) {}

  template <std::unsigned_integral Number>
  Number take() {
    return from_little_endian<Number>(take(sizeof(Number)).data());
  }

  /// Reads a number of 1 to 8 bytes.
  std::uint64_t take_number(std::uint64_t size) {
    std::uint64_t number = 0;
    const auto bytes = take(size);
    for (std::size_t i = bytes.size(); i-- > 0;) {
      number = number << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    }
    return number;
  }

  std::span<const std::byte> take(std::uint64_t count) {
    check<FileError>(count <= rest_.size(), place_, " is damaged: ", count,
                     " bytes are announced, and ", rest_.size(), " follow");
    const auto front = rest_.first(static_cast<std::size_t>(count));
    rest_ = rest_.subspan(front.size());
    return front;
  }

  /// The same, and skips the padding up to a multiple of 8 bytes.
  std::span<const std::byte> take_padded(std::uint64_t count) {
    const auto front = take(count);
    take(std::min<std::size_t>((8 - count % 8) % 8, rest_.size()));
    return front;
  }

  void skip(std::uint64_t count) { take(count); }

  void expect(std::string_view signature) {
    check<FileError>(bytes_as_text(take(signature.size())) == signature, place_,
                     " is damaged: ", in_quotes(signature), " is not where it should be");
  }

  std::size_t left() const { return rest_.size(); }

 private:
  std::span<const std::byte> rest_;
  const std::string& place_;
};

inline std::string_view hdf5_text(std::span<const std::byte> bytes) { return bytes_as_text(bytes); }

/// An object of a file. Each part is read once.
struct Hdf5Node {
  /// The addresses of the names in a group; a soft link has none.
  using Links = std::map<std::string_view, std::optional<std::uint64_t>>;
  using Attributes = std::map<std::string_view, std::span<const std::byte>>;

  std::string path;
  std::string place;  ///< its name in errors
  std::vector<Hdf5Message> messages;
  std::optional<Links> links;
  std::optional<Attributes> attributes;
  bool has_numbers = false;  ///< whether the numbers of a dataset have been claimed
};

/// A file in memory. The bytes must outlive it, because all results are views of them.
///
/// Each byte belongs to one part of the file and is read once. So weights that share bytes are an
/// error, and time and memory are linear in the file's size for every file.
class Hdf5File {
 public:
  /// Throws `FileError`, which begins with `where`, for bytes that are not a complete HDF5 file.
  Hdf5File(std::span<const std::byte> bytes, std::string_view where) : where_(where) {
    const std::size_t begin = find_hdf5(bytes);
    if (begin == bytes.size()) throw FileError(join(where, not_hdf5(bytes)));
    bytes_ = bytes.subspan(begin);
    Hdf5Cursor superblock(bytes_.subspan(hdf5_signature.size()), where_);
    const auto version = superblock.take<std::uint8_t>();
    check<FileError>(version <= 3, where, " is an HDF5 file of a newer form (superblock ", version,
                     ") than Keras and h5py write");
    const bool is_old = version < 2;
    if (is_old) superblock.skip(4);
    const auto offset_size = superblock.take<std::uint8_t>();
    const auto length_size = superblock.take<std::uint8_t>();
    check<FileError>(offset_size == 8 && length_size == 8, where, " has addresses of ", offset_size,
                     " and lengths of ", length_size, " bytes; expected 8");
    superblock.skip(version == 0 ? 9 : version == 1 ? 13 : 1);
    const auto base = superblock.take<std::uint64_t>();
    superblock.skip(8);
    const auto end = superblock.take<std::uint64_t>();
    superblock.skip(is_old ? 16 : 0);
    root_ = superblock.take<std::uint64_t>();
    superblock.skip(is_old ? 24 : 4);
    check<FileError>(base == begin, where,
                     " has a superblock that contradicts its position: its base address is ", base,
                     ", but HDF5 begins at byte ", begin);
    check<FileError>(end <= bytes.size(), where, " is cut off: it has ", bytes.size(), " of ", end,
                     " bytes");
    claim(bytes_.first(bytes_.size() - superblock.left()), "its superblock", where_);
  }
  Hdf5File(const Hdf5File&) = delete;

  const std::string& where() const { return where_; }
  std::size_t size() const { return bytes_.size(); }
  std::uint64_t root() const { return root_; }

  /// The bytes from an address to the end.
  std::span<const std::byte> at(std::uint64_t address, const std::string& place) const {
    check<FileError>(address <= bytes_.size(), place, " is damaged: it refers to byte ", address,
                     " of ", bytes_.size());
    return bytes_.subspan(static_cast<std::size_t>(address));
  }

  std::span<const std::byte> at(std::uint64_t address, std::uint64_t length,
                                const std::string& place) const {
    return Hdf5Cursor(at(address, place), place).take(length);
  }

  /// Marks these bytes of the file as part of an object. Throws `FileError` if one of them already
  /// belongs to another part. `part` and `place` must outlive this object.
  void claim(std::span<const std::byte> bytes, std::string_view part, const std::string& place) {
    if (bytes.empty()) return;
    const auto begin = static_cast<std::uint64_t>(bytes.data() - bytes_.data());
    const std::uint64_t end = begin + bytes.size();
    const auto next = parts_.lower_bound(begin);
    const auto report = [&](const auto& other) {
      const auto& [other_end, other_part, other_place] = other->second;
      throw FileError(join(place, " is damaged: it has ", part, " in bytes ", begin, " to ", end,
                           ", where ", *other_place, " has ", other_part));
    };
    if (next != parts_.end() && next->first < end) report(next);
    if (next != parts_.begin() && std::prev(next)->second.end > begin) report(std::prev(next));
    parts_.emplace_hint(next, begin, Part{end, part, &place});
  }

  /// Counts bytes that are made of the file's. Throws `FileError` if they are too many.
  void count_unpacked(std::uint64_t bytes, const std::string& place) {
    check<FileError>(bytes <= most_inflation * bytes_.size() - unpacked_, place,
                     " makes the numbers more than ", most_inflation,
                     " times as large as the file");
    unpacked_ += bytes;
  }

  /// The node at an address, and whether it is new. Throws `FileError` for a node that was already
  /// reached under another path.
  std::pair<Hdf5Node*, bool> node(std::uint64_t address, std::string path) {
    const auto [entry, is_new] = nodes_.try_emplace(address);
    Hdf5Node& node = entry->second;
    if (is_new) {
      node.place = join(where_, ": ", in_quotes(path));
      node.path = std::move(path);
    } else {
      check<FileError>(node.path == path, where_, ": ", in_quotes(path), " is damaged: it is ",
                       in_quotes(node.path), " as well");
    }
    return {&node, is_new};
  }

  /// The text to which `reference` refers, from a global heap collection (section III.E).
  std::string_view text(std::span<const std::byte> reference, const std::string& place) {
    Hdf5Cursor cursor(reference, place);
    const auto length = cursor.take<std::uint32_t>();
    const auto address = cursor.take<std::uint64_t>();
    const auto index = cursor.take<std::uint32_t>();
    if (length == 0) return {};
    auto& objects = collection(address, place);
    const auto object = objects.find(index);
    check<FileError>(object != objects.end() && length <= object->second.bytes.size(), place,
                     " is damaged: a text of ", length, " bytes is not where it should be");
    auto& [bytes, referrer] = object->second;
    check<FileError>(referrer == nullptr || referrer == reference.data(), place,
                     " is damaged: two attributes share one text");
    referrer = reference.data();
    return hdf5_text(bytes.first(length));
  }

 private:
  struct Part {
    std::uint64_t end;
    std::string_view name;
    const std::string* place;
  };
  struct Text {
    std::span<const std::byte> bytes;
    const std::byte* referrer = nullptr;
  };
  using Collection = std::map<std::uint32_t, Text>;

  static std::string not_hdf5(std::span<const std::byte> bytes) {
    const auto kind = file_kind(bytes);
    return kind.empty() ? " is not an HDF5 file" : kind;
  }

  /// Reads a collection once.
  Collection& collection(std::uint64_t address, const std::string& place) {
    const auto known = collections_.find(address);
    if (known != collections_.end()) return known->second;
    Hdf5Cursor head(at(address, place), place);
    head.expect("GCOL");
    head.skip(4);
    const auto all = at(address, head.take<std::uint64_t>(), place);
    claim(all, "a collection of texts", place);
    Hdf5Cursor cursor(all, place);
    cursor.skip(16);
    Collection found;
    while (cursor.left() >= 16) {
      const auto index = cursor.take<std::uint16_t>();
      if (index == 0) break;  // free space, up to the end
      cursor.skip(6);
      const auto length = cursor.take<std::uint64_t>();
      found.emplace(index, Text{cursor.take_padded(length)});
    }
    return collections_.emplace(address, std::move(found)).first->second;
  }

  std::span<const std::byte> bytes_;
  std::string where_;
  std::uint64_t root_ = 0;
  std::uint64_t unpacked_ = 0;
  std::map<std::uint64_t, Part> parts_;
  std::map<std::uint64_t, Hdf5Node> nodes_;
  std::map<std::uint64_t, Collection> collections_;
};

}  // namespace heed::detail
