#pragma once

#include <heed/io/hdf5_filters.hpp>

namespace heed::detail {

/// Reads a dataset that is cut into pieces of one shape, its chunks (section IV.A.2.i). Chunks at
/// the ends of axes are stored whole. A chunk that the file does not have is zeros.
class Hdf5Chunks {
 public:
  /// `axes` are the lengths of the dataset, `width` the bytes of a number.
  Hdf5Chunks(const Hdf5Object& object, const Hdf5Filters& filters, std::vector<std::uint64_t> axes,
             int width)
      : object_(object), filters_(filters), axes_(std::move(axes)), width_(width) {}

  /// `layout` comes after the version and the class.
  std::vector<std::byte> read(Hdf5Cursor layout, int version) && {
    check<FileError>(!axes_.empty(), place(), " is damaged: one number is cut into pieces");
    std::uint64_t size = static_cast<std::uint64_t>(width_);
    for (const std::uint64_t length : axes_) size *= length;  // checked by `Hdf5Object::count`
    object_.count_unpacked(size);
    bytes_.resize(static_cast<std::size_t>(size));
    if (version == 3) {
      read_dims(layout, 4, true);
    } else {
      flags_ = layout.take<std::uint8_t>();
      constexpr int whole_alone = 1;
      check<FileError>((flags_ & whole_alone) == 0 || !filters_.any(), place(),
                       " is compressed only where its pieces are whole", hdf5_repacked(" -f NONE"));
      const auto rank = layout.take<std::uint8_t>();
      const auto number = layout.take<std::uint8_t>();
      check<FileError>(number >= 1 && number <= 8, place(), " is damaged: pieces of no size");
      rank_ = rank;
      read_dims(layout, number, false);
      read_index(layout);
    }
    return std::move(bytes_);
  }

 private:
  const std::string& place() const { return object_.place(); }

  template <class... Pieces>
  void expect(bool holds, const Pieces&... pieces) const {
    check<FileError>(holds, place(), " is damaged: ", pieces...);
  }

  /// The shape of a chunk, which ends with the bytes of a number.
  void read_dims(Hdf5Cursor& layout, std::uint64_t number, bool is_old) {
    std::uint64_t tree = hdf5_nowhere;
    if (is_old) {
      rank_ = layout.take<std::uint8_t>();
      tree = layout.take<std::uint64_t>();
    }
    expect(rank_ == axes_.size() + 1, "its pieces have ", rank_ - 1, " axes");
    chunk_bytes_ = static_cast<std::uint64_t>(width_);
    for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
      chunk_.push_back(layout.take_number(number));
      expect(chunk_[axis] > 0 && chunk_[axis] <= most_chunk_bytes / chunk_bytes_,
             "its pieces have an impossible size");
      chunk_bytes_ *= chunk_[axis];
      counts_.push_back((axes_[axis] + chunk_[axis] - 1) / chunk_[axis]);
    }
    expect(layout.take_number(number) == static_cast<std::uint64_t>(width_),
           "its pieces have numbers of another size");
    if (is_old && tree != hdf5_nowhere && !bytes_.empty()) read_tree(tree, {});
  }

  /// Section III.A.1: a B-tree of chunks, whose keys are the size of a chunk, the filters that were
  /// skipped, and its position in the dataset.
  void read_tree(std::uint64_t address, std::optional<int> above) {
    Hdf5Cursor head(object_.file().at(address, place()), place());
    head.expect("TREE");
    expect(head.take<std::uint8_t>() == 1, "its tree is not one of pieces");
    const int level = head.take<std::uint8_t>();
    expect(level < hdf5_most_levels && (!above || level == *above - 1),
           "its tree has a node on the wrong level");
    const std::uint64_t children = head.take<std::uint16_t>();
    const std::uint64_t key = 8 + 8 * rank_;
    const auto bytes = object_.file().at(address, 24 + children * (key + 8), place());
    object_.claim(bytes, "a node of its tree");
    Hdf5Cursor node(bytes, place());
    node.skip(24);
    for (std::uint64_t i = 0; i < children; ++i) {
      const auto size = node.take<std::uint32_t>();
      const auto skipped = node.take<std::uint32_t>();
      std::vector<std::uint64_t> at;
      for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
        at.push_back(node.take<std::uint64_t>());
      }
      node.skip(8);
      const auto child = node.take<std::uint64_t>();
      if (level > 0) {
        read_tree(child, level);
      } else {
        put(at, child, size, skipped);
      }
    }
  }

  /// Section IV.A.2.i, version 4, and its appendix C: kinds of indices.
  void read_index(Hdf5Cursor& layout) {
    if (bytes_.empty()) return;
    enum { one = 1, implicit, fixed_array };
    const auto kind = layout.take<std::uint8_t>();
    check<FileError>(kind >= one && kind <= fixed_array, place(),
                     " can grow, and its pieces are found in a way that heed does not read",
                     hdf5_repacked(""));
    std::uint64_t total = 1;
    for (const std::uint64_t count : counts_) total *= count;
    if (kind == one) {
      constexpr int is_filtered = 2;
      const bool filtered = (flags_ & is_filtered) != 0;
      const auto size = filtered ? layout.take<std::uint64_t>() : chunk_bytes_;
      const auto skipped = filtered ? layout.take<std::uint32_t>() : 0;
      expect(total == 1, "it has one piece of ", total);
      const auto begin = layout.take<std::uint64_t>();
      if (begin == hdf5_nowhere) return;
      put(std::vector<std::uint64_t>(axes_.size()), begin, size, skipped);
    } else if (kind == implicit) {
      const auto begin = layout.take<std::uint64_t>();
      for (std::uint64_t i = 0; begin != hdf5_nowhere && i < total; ++i) {
        put(position(i), begin + i * chunk_bytes_, chunk_bytes_, 0);
      }
    } else {
      layout.skip(1);
      read_array(layout.take<std::uint64_t>(), total);
    }
  }

  /// Section VII.C: an array with an entry for each chunk.
  void read_array(std::uint64_t address, std::uint64_t total) {
    if (address == hdf5_nowhere) return;
    constexpr std::uint64_t head_size = 28;
    const auto bytes = object_.file().at(address, head_size, place());
    object_.claim(bytes, "an array of its pieces");
    Hdf5Cursor head(bytes, place());
    head.expect("FAHD");
    head.skip(1);
    const bool filtered = head.take<std::uint8_t>() == 1;
    const std::uint64_t entry = head.take<std::uint8_t>();
    const auto page_bits = head.take<std::uint8_t>();
    const auto entries = head.take<std::uint64_t>();
    const auto block = head.take<std::uint64_t>();
    expect(entries == total, "it has ", entries, " pieces of ", total);
    expect(filtered ? entry > 12 && entry <= 20 : entry == 8, "its array of pieces has entries of ",
           entry, " bytes");
    check<FileError>(page_bits < 64 && entries <= std::uint64_t{1} << page_bits, place(), " has ",
                     entries, " pieces, which is more than heed reads", hdf5_repacked(""));
    if (block == hdf5_nowhere) return;
    constexpr std::uint64_t block_head = 14, block_end = 4;
    expect(entries <= object_.file().size() / entry, "it has more pieces than bytes");
    const auto all = object_.file().at(block, block_head + entries * entry + block_end, place());
    object_.claim(all, "a block of its array of pieces");
    Hdf5Cursor cursor(all, place());
    cursor.expect("FADB");
    cursor.skip(10);
    for (std::uint64_t i = 0; i < entries; ++i) {
      const auto begin = cursor.take<std::uint64_t>();
      const auto size = filtered ? cursor.take_number(entry - 12) : chunk_bytes_;
      const auto skipped = filtered ? cursor.take<std::uint32_t>() : 0;
      if (begin != hdf5_nowhere) put(position(i), begin, size, skipped);
    }
  }

  /// The position of a chunk, counted along the last axis first.
  std::vector<std::uint64_t> position(std::uint64_t i) const {
    std::vector<std::uint64_t> at(axes_.size());
    for (std::size_t axis = axes_.size(); axis-- > 0;) {
      at[axis] = i % counts_[axis] * chunk_[axis];
      i /= counts_[axis];
    }
    return at;
  }

  void put(const std::vector<std::uint64_t>& at, std::uint64_t address, std::uint64_t size,
           std::uint32_t skipped) {
    for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
      expect(at[axis] < axes_[axis] && at[axis] % chunk_[axis] == 0,
             "a piece of it is not where it should be");
    }
    const auto stored = object_.file().at(address, size, place());
    expect(!stored.empty(), "a piece of it is empty");
    object_.claim(stored, "a piece of its numbers");
    std::span<const std::byte> bytes = stored;
    std::vector<std::byte> undone;
    if (filters_.any()) {
      object_.count_unpacked(chunk_bytes_);
      undone = filters_.undo(stored, chunk_bytes_, width_, skipped);
      bytes = undone;
    }
    expect(bytes.size() == chunk_bytes_, "a piece of it has ", bytes.size(), " of ", chunk_bytes_,
           " bytes");
    copy(at, bytes, 0, 0);
  }

  /// Copies a chunk, or its part in the first axes, to where the numbers of the dataset are.
  void copy(const std::vector<std::uint64_t>& at, std::span<const std::byte> from, std::size_t axis,
            std::uint64_t to) {
    const std::uint64_t length = (std::min)(chunk_[axis], axes_[axis] - at[axis]);
    to = to * axes_[axis] + at[axis];
    const std::size_t each = from.size() / static_cast<std::size_t>(chunk_[axis]);
    if (axis + 1 == axes_.size()) {
      const auto row = from.first(static_cast<std::size_t>(length) * each);
      std::copy(row.begin(), row.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(to * each));
      return;
    }
    for (std::uint64_t i = 0; i < length; ++i) {
      copy(at, from.subspan(static_cast<std::size_t>(i) * each, each), axis + 1, to + i);
    }
  }

  static constexpr std::uint64_t most_chunk_bytes = std::uint64_t{1} << 32;

  const Hdf5Object& object_;
  const Hdf5Filters& filters_;
  std::vector<std::uint64_t> axes_, chunk_, counts_;
  int width_;
  std::size_t rank_ = 0;
  int flags_ = 0;
  std::uint64_t chunk_bytes_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace heed::detail
