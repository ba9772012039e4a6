#pragma once

#include <bit>

#include <heed/io/hdf5_file.hpp>

namespace heed::detail {

/// The number of bytes that numbers up to `most` need.
constexpr std::uint64_t hdf5_width(std::uint64_t most) {
  return most == 0 ? 1 : (static_cast<std::uint64_t>(std::bit_width(most)) + 7) / 8;
}

/// A fractal heap (section III.G). A group with more than eight names stores them in one, and so
/// does an object with many attributes. It consists of objects in blocks, which get larger from row
/// to row of a table.
class Hdf5Heap {
 public:
  Hdf5Heap(Hdf5File& file, std::uint64_t address, const std::string& place)
      : file_(file), place_(place) {
    Hdf5Cursor head(file.at(address, place), place);
    head.expect("FRHP");
    head.skip(1 + 2);
    check<FileError>(head.take<std::uint16_t>() == 0, place, " has a heap that is compressed");
    head.skip(1);
    const auto most_managed = head.take<std::uint32_t>();
    head.skip(12 * 8);
    width_ = head.take<std::uint16_t>();
    start_ = head.take<std::uint64_t>();
    const auto most_direct = head.take<std::uint64_t>();
    const auto bits = head.take<std::uint16_t>();
    head.skip(2);
    root_ = head.take<std::uint64_t>();
    rows_ = head.take<std::uint16_t>();
    head.skip(4);
    file.claim(file.at(address, file.at(address, place).size() - head.left(), place),
               "a heap of names", place);
    check<FileError>(std::has_single_bit(start_) && std::has_single_bit(most_direct) &&
                         start_ <= most_direct && most_direct <= std::uint64_t{1} << 40 &&
                         width_ <= 1024 && std::has_single_bit(width_) && bits <= 64 &&
                         rows_ <= most_rows(),
                     place, " is damaged: its heap has blocks of an impossible size");
    offset_bytes_ = (bits + 7u) / 8;
    length_bytes_ = hdf5_width(std::min<std::uint64_t>(most_direct, most_managed));
    direct_rows_ = rows_until(most_direct) + 1;
  }

  /// The object with an identifier of `id.size()` bytes.
  std::span<const std::byte> object(std::span<const std::byte> id) {
    Hdf5Cursor cursor(id, place_);
    const auto kind = cursor.take<std::uint8_t>();
    check<FileError>((kind & 0xF0) == 0, place_,
                     " has names or attributes of a size that Keras does not write");
    const auto offset = cursor.take_number(offset_bytes_);
    const auto length = cursor.take_number(length_bytes_);
    const auto found = find(offset);
    const auto object = file_.at(found, length, place_);
    file_.claim(object, "an object of its heap", place_);
    return object;
  }

 private:
  /// The number of rows whose blocks are smaller than `size`, a power of 2.
  std::uint64_t rows_until(std::uint64_t size) const {
    return size <= start_ ? 0 : static_cast<std::uint64_t>(std::countr_zero(size / start_)) + 1;
  }
  std::uint64_t row_size(std::uint64_t row) const {
    return row == 0 ? start_ : start_ << (row - 1);
  }
  std::uint64_t row_begin(std::uint64_t row) const {
    return row == 0 ? 0 : (start_ * width_) << (row - 1);
  }

  /// With more rows, an offset would not fit into 64 bits.
  std::uint64_t most_rows() const {
    return 63 - static_cast<std::uint64_t>(std::bit_width(start_ * width_));
  }

  /// The address of an offset in the heap. Only the objects in a block are claimed as parts of the
  /// file, not the block.
  std::uint64_t find(std::uint64_t offset) const {
    std::uint64_t address = root_;
    std::uint64_t rows = rows_;
    for (int level = 0; rows > 0; ++level) {
      check<FileError>(level < hdf5_most_levels, place_, " is damaged: its heap is too deep");
      std::uint64_t row = 0;
      while (row + 1 < rows && offset >= row_begin(row + 1)) ++row;
      const std::uint64_t column = (offset - row_begin(row)) / row_size(row);
      check<FileError>(column < width_, place_,
                       " is damaged: an object lies beyond the end of its heap");
      Hdf5Cursor block(file_.at(address, place_), place_);
      block.expect("FHIB");
      block.skip(1 + 8 + offset_bytes_ + (row * width_ + column) * 8);
      address = block.take<std::uint64_t>();
      offset -= row_begin(row) + column * row_size(row);
      // The rows of an indirect block are together as large as the block.
      rows =
          row < direct_rows_ ? 0 : std::max<std::uint64_t>(1, rows_until(row_size(row) / width_));
    }
    Hdf5Cursor block(file_.at(address, place_), place_);
    block.expect("FHDB");
    const auto begin = address + offset;
    check<FileError>(begin >= address, place_,
                     " is damaged: an object lies beyond the end of its heap");
    return begin;
  }

  Hdf5File& file_;
  const std::string& place_;
  std::uint64_t width_ = 0, start_ = 0, root_ = 0, rows_ = 0, direct_rows_ = 0;
  std::uint64_t offset_bytes_ = 0, length_bytes_ = 0;
};

/// Calls `take` for each record of a version 2 B-tree (section III.A.2).
template <class Take>
class Hdf5Tree {
 public:
  Hdf5Tree(Hdf5File& file, std::uint64_t address, const std::string& place, const Take& take)
      : file_(file), place_(place), take_(take) {
    Hdf5Cursor head(file.at(address, place), place);
    head.expect("BTHD");
    head.skip(2);
    const auto node_size = head.take<std::uint32_t>();
    record_size_ = head.take<std::uint16_t>();
    const auto depth = head.take<std::uint16_t>();
    head.skip(2);
    const auto root = head.take<std::uint64_t>();
    const auto records = head.take<std::uint16_t>();
    head.skip(12);
    file.claim(file.at(address, file.at(address, place).size() - head.left(), place),
               "a tree of names", place);
    check<FileError>(record_size_ > 0 && node_size > overhead && depth < hdf5_most_levels, place,
                     " is damaged: its tree has nodes of ", node_size, " bytes in ", depth + 1,
                     " levels");
    // The width of the counts in a node depends on the largest number of records in a node of each
    // level and all nodes below it.
    std::uint64_t most = (node_size - overhead) / record_size_;
    count_bytes_ = hdf5_width(most);
    total_bytes_.push_back(0);
    for (std::uint64_t total = most; total_bytes_.size() <= depth;) {
      const std::uint64_t pointer = 8 + count_bytes_ + total_bytes_.back();
      most = (node_size - std::min<std::uint64_t>(node_size, overhead + pointer)) /
             (record_size_ + pointer);
      total = (std::min)(total, ~std::uint64_t{0} / (most + 2)) * (most + 1) + most;
      total_bytes_.push_back(hdf5_width(total));
    }
    if (records > 0) read(root, records, depth);
  }

 private:
  static constexpr std::uint64_t overhead = 10;  ///< signature, version, type, checksum

  void read(std::uint64_t address, std::uint64_t records, std::size_t level) {
    check<FileError>(records <= file_.size(), place_, " is damaged: its tree has ", records,
                     " names");
    Hdf5Cursor node(file_.at(address, place_), place_);
    node.expect(level == 0 ? "BTLF" : "BTIN");
    node.skip(2);
    Hdf5Cursor all(node.take(records * record_size_), place_);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> children;
    for (std::uint64_t i = 0; level > 0 && i <= records; ++i) {
      const auto child = node.take<std::uint64_t>();
      children.emplace_back(child, node.take_number(count_bytes_));
      node.skip(total_bytes_[level - 1]);
    }
    file_.claim(file_.at(address, file_.at(address, place_).size() - node.left(), place_),
                "a node of its tree", place_);
    while (all.left() > 0) take_(all.take(record_size_));
    for (const auto& [child, count] : children) read(child, count, level - 1);
  }

  Hdf5File& file_;
  const std::string& place_;
  const Take& take_;
  std::uint64_t record_size_ = 0, count_bytes_ = 0;
  std::vector<std::uint64_t> total_bytes_;
};

}  // namespace heed::detail
