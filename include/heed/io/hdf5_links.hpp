#pragma once

#include <heed/io/hdf5_heap.hpp>

namespace heed::detail {

/// Reads the names in a group and their addresses, in all three forms that a file can use.
class Hdf5Links {
 public:
  Hdf5Links(Hdf5File& file, const Hdf5Node& node) : file_(file), node_(node) {}

  Hdf5Node::Links read() && {
    int forms = 0;
    for (const auto& [type, flags, data] : node_.messages) {
      if (type == Hdf5MessageType::symbol_table) {
        ++forms;
        read_table(data);
      } else if (type == Hdf5MessageType::link_info) {
        ++forms;
        read_heap(data);
      } else if (type == Hdf5MessageType::link) {
        read_link(data);
      }
    }
    if (forms > 1) damaged("it has its names twice");
    check<FileError>(forms == 1, node_.place, " is not a group");
    return std::move(links_);
  }

 private:
  template <class... Pieces>
  [[noreturn]] void damaged(const Pieces&... pieces) const {
    throw FileError(join(node_.place, " is damaged: ", pieces...));
  }

  void add(std::string_view name, std::optional<std::uint64_t> address) {
    if (name.empty() || name.find('/') != std::string_view::npos) {
      damaged("expected names that are not empty and have no \"/\", got ", in_quotes(name));
    }
    if (!links_.emplace(name, address).second) damaged("it has ", in_quotes(name), " twice");
  }

  std::span<const std::byte> claim(std::uint64_t address, std::uint64_t size,
                                   std::string_view part) {
    const auto bytes = file_.at(address, size, node_.place);
    file_.claim(bytes, part, node_.place);
    return bytes;
  }

  /// Section III.A: names and addresses are in leaves, `SNOD`, of a B-tree, `TREE`. The texts of
  /// the names are in a local heap.
  void read_table(std::span<const std::byte> message) {
    Hdf5Cursor table(message, node_.place);
    const auto tree = table.take<std::uint64_t>();
    Hdf5Cursor heap(claim(table.take<std::uint64_t>(), 32, "the heap of its names"), node_.place);
    heap.expect("HEAP");
    heap.skip(4);
    const auto size = heap.take<std::uint64_t>();
    heap.skip(8);
    names_ = hdf5_text(claim(heap.take<std::uint64_t>(), size, "its names"));
    name_bytes_left_ = names_.size();
    read_tree(tree, {});
  }

  void read_tree(std::uint64_t address, std::optional<int> above) {
    Hdf5Cursor head(file_.at(address, node_.place), node_.place);
    head.expect("TREE");
    if (head.take<std::uint8_t>() != 0) damaged("its tree is not one of names");
    const int level = head.take<std::uint8_t>();
    if (above && level != *above - 1) damaged("its tree has a node on the wrong level");
    if (level >= hdf5_most_levels) damaged("its tree has ", level, " levels");
    const auto children = head.take<std::uint16_t>();
    Hdf5Cursor node(claim(address, 24 + children * 16u, "a node of its tree"), node_.place);
    node.skip(24);
    for (int i = 0; i < children; ++i) {
      node.skip(8);
      const auto child = node.take<std::uint64_t>();
      if (level > 0) {
        read_tree(child, level);
      } else {
        read_leaf(child);
      }
    }
  }

  void read_leaf(std::uint64_t address) {
    Hdf5Cursor head(file_.at(address, node_.place), node_.place);
    head.expect("SNOD");
    head.skip(2);
    const auto entries = head.take<std::uint16_t>();
    Hdf5Cursor node(claim(address, 8 + entries * 40u, "a leaf of its tree"), node_.place);
    node.skip(8);
    for (int i = 0; i < entries; ++i) {
      const auto name = name_at(node.take<std::uint64_t>());
      const auto child = node.take<std::uint64_t>();
      constexpr std::uint32_t soft_link = 2;
      const bool is_link = node.take<std::uint32_t>() == soft_link;
      node.skip(20);
      add(name, is_link ? std::nullopt : std::optional(child));
    }
  }

  std::string_view name_at(std::uint64_t offset) {
    if (offset > names_.size()) damaged("a name is not where it should be");
    const auto rest = names_.substr(static_cast<std::size_t>(offset));
    const auto name = rest.substr(0, rest.find('\0'));
    // If names could overlap, a small heap could contain a large amount of text.
    if (name.size() > name_bytes_left_) damaged("two names have the same letters");
    name_bytes_left_ -= name.size();
    return name;
  }

  /// Section IV.A.2.g.
  void read_link(std::span<const std::byte> message) {
    Hdf5Cursor link(message, node_.place);
    if (link.take<std::uint8_t>() != 1) damaged("a link of another version");
    const auto flags = link.take<std::uint8_t>();
    const int type = (flags & 8) != 0 ? link.take<std::uint8_t>() : 0;
    if ((flags & 4) != 0) link.skip(8);   // creation order
    if ((flags & 16) != 0) link.skip(1);  // ASCII or UTF-8
    const auto name = hdf5_text(link.take(link.take_number(std::uint64_t{1} << (flags & 3))));
    add(name, type == 0 ? std::optional(link.take<std::uint64_t>()) : std::nullopt);
  }

  /// Section IV.A.2.c. The links are in a heap. A B-tree contains a hash of each name and the
  /// identifier of its link.
  void read_heap(std::span<const std::byte> message) {
    Hdf5Cursor info(message, node_.place);
    if (info.take<std::uint8_t>() != 0) damaged("its links have another version");
    if ((info.take<std::uint8_t>() & 1) != 0) info.skip(8);
    const auto address = info.take<std::uint64_t>();
    if (address == hdf5_nowhere) return;
    Hdf5Heap heap(file_, address, node_.place);
    Hdf5Tree(file_, info.take<std::uint64_t>(), node_.place,
             [&](std::span<const std::byte> record) {
               if (record.size() < 11) damaged("its tree is not one of names");
               read_link(heap.object(record.subspan(4)));
             });
  }

  Hdf5File& file_;
  const Hdf5Node& node_;
  Hdf5Node::Links links_;
  std::string_view names_;
  std::size_t name_bytes_left_ = 0;
};

}  // namespace heed::detail
