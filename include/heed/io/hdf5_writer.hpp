#pragma once

#include <map>
#include <string>

#include <heed/io/hdf5.hpp>
#include <heed/io/json.hpp>

namespace heed::detail {

/// The content of a file: text attributes (one text or a list), datasets and groups. A dataset and
/// a group must not have the same name.
struct Hdf5Group {
  struct Attribute {
    std::string name;
    std::vector<std::string> texts;
    bool is_list = false;
  };

  std::vector<Attribute> attributes;
  std::map<std::string, Hdf5Group> groups;
  std::map<std::string, Hdf5Dataset> datasets;
};

/// Writes groups in the form that h5py writes by default. Each object is written after the objects
/// that it refers to. The superblock at the beginning of the file, which refers to the root group,
/// is written last.
class Hdf5Writer {
 public:
  /// The bytes of a file with this root group.
  static std::vector<std::byte> write(const Hdf5Group& root) {
    Hdf5Writer writer;
    writer.out_.fill(superblock_size);
    writer.put_texts(root);
    const Address address = writer.put_group(root);
    const auto superblock = writer.superblock(address);
    auto bytes = std::move(writer.out_).take();
    std::copy(superblock.begin(), superblock.end(), bytes.begin());
    return bytes;
  }

 private:
  using Address = std::uint64_t;
  using Type = Hdf5MessageType;
  struct Message {
    Type type;
    std::vector<std::byte> data;
  };
  /// A part of a group's tree, and the position of its last name in the group's heap.
  struct Branch {
    Address address;
    std::uint64_t last_name;
  };

  static constexpr std::size_t superblock_size = 96;
  static constexpr std::size_t leaf_k = 4;   ///< half the largest number of names in a leaf
  static constexpr std::size_t node_k = 16;  ///< half the largest number of branches in a node
  static constexpr std::size_t collection_texts = 60'000;  ///< indices have 16 bits

  Address here() {
    out_.pad();
    return out_.size();
  }

  /// Section II.A, version 0.
  std::vector<std::byte> superblock(Address root) const {
    Hdf5Bytes block;
    block.put(hdf5_signature).fill(5).put(std::uint8_t{8}, std::uint8_t{8}).fill(1);
    block.put(std::uint16_t{leaf_k}, std::uint16_t{node_k}, std::uint32_t{0});
    block.put(std::uint64_t{0}, hdf5_nowhere, std::uint64_t{out_.size()}, hdf5_nowhere);
    block.put(std::uint64_t{0}, root).fill(superblock_size - block.size());
    return std::move(block).take();
  }

  /// All texts of all attributes, in the order in which `put_group` needs them.
  void put_texts(const Hdf5Group& root) {
    std::vector<std::string_view> texts;
    collect(root, texts);
    for (std::size_t i = 0; i < texts.size(); i += collection_texts) {
      put_collection(std::span(texts).subspan(i, (std::min)(collection_texts, texts.size() - i)));
    }
  }

  static void collect(const Hdf5Group& group, std::vector<std::string_view>& texts) {
    for (const auto& [name, child] : group.groups) collect(child, texts);
    for (const auto& attribute : group.attributes) {
      texts.insert(texts.end(), attribute.texts.begin(), attribute.texts.end());
    }
  }

  /// A global heap collection (section III.E). Index 0 is the free space at its end.
  void put_collection(std::span<const std::string_view> texts) {
    Hdf5Bytes objects;
    const Address address = here();
    std::uint16_t index = 0;
    for (const std::string_view text : texts) {
      ++index;
      objects.put(index, std::uint16_t{1}, std::uint32_t{0}, std::uint64_t{text.size()});
      objects.put(text).pad();
      Hdf5Bytes reference;
      reference.put(static_cast<std::uint32_t>(text.size()), address, std::uint32_t{index});
      references_.push_back(std::move(reference).take());
    }
    constexpr std::size_t head = 16, smallest = 4096;
    const std::size_t used = head + objects.size();
    const std::size_t size = (std::max)(smallest, used + head);
    out_.put("GCOL").put(std::uint8_t{1}).fill(3).put(std::uint64_t{size}).put(objects);
    out_.put(std::uint64_t{0}, std::uint64_t{size - used}).fill(size - used - head);
  }

  Address put_group(const Hdf5Group& group) {
    std::map<std::string, Address> children;
    for (const auto& [name, child] : group.groups) children[name] = put_group(child);
    for (const auto& [name, child] : group.datasets) children[name] = put_dataset(child);
    std::vector<Message> messages{{Type::symbol_table, put_names(children)}};
    for (const auto& attribute : group.attributes) {
      messages.push_back({Type::attribute, make_attribute(attribute)});
    }
    return put_header(messages);
  }

  Address put_dataset(const Hdf5Dataset& dataset) {
    const Address numbers = here();
    out_.put(dataset.bytes);
    Hdf5Bytes layout;
    layout.put(std::uint8_t{3}, std::uint8_t{1}, numbers, std::uint64_t{dataset.bytes.size()});
    return put_header({{Type::dataspace, dataspace(dataset.shape)},
                       {Type::datatype, hdf5_float_type(dataset.dtype)},
                       {Type::layout, std::move(layout).take()}});
  }

  /// An object header (section IV.A.1.a).
  Address put_header(const std::vector<Message>& messages) {
    Hdf5Bytes content;
    for (const auto& [type, data] : messages) {
      const auto size = static_cast<std::uint16_t>((data.size() + 7) / 8 * 8);
      content.put(static_cast<std::uint16_t>(type), size, std::uint32_t{0}).put(data).pad();
    }
    const Address address = here();
    out_.put(std::uint8_t{1}, std::uint8_t{0}, static_cast<std::uint16_t>(messages.size()),
             std::uint32_t{1}, static_cast<std::uint32_t>(content.size()), std::uint32_t{0});
    out_.put(content);
    return address;
  }

  /// Section IV.A.2.b.
  static std::vector<std::byte> dataspace(std::span<const Index> lengths) {
    Hdf5Bytes space;
    space.put(std::uint8_t{1}, static_cast<std::uint8_t>(lengths.size())).fill(6);
    for (const Index length : lengths) space.put(static_cast<std::uint64_t>(length));
    return std::move(space).take();
  }

  /// Section IV.A.2.m. The texts have variable length and are in UTF-8. For the HDF5 library, they are
  /// sequences of bytes.
  std::vector<std::byte> make_attribute(const Hdf5Group::Attribute& attribute) {
    Hdf5Bytes type;
    type.put(std::uint8_t{0x19}, std::uint8_t{1}, std::uint8_t{1}, std::uint8_t{0},
             std::uint32_t{hdf5_reference_size});
    type.put(std::uint8_t{0x10}, std::uint8_t{0}, std::uint16_t{0}, std::uint32_t{1},
             std::uint16_t{0}, std::uint16_t{8});
    const Index count = std::ssize(attribute.texts);
    const auto space = dataspace(std::span(&count, attribute.is_list ? 1 : 0));
    Hdf5Bytes message;
    message.put(std::uint8_t{1}, std::uint8_t{0},
                static_cast<std::uint16_t>(attribute.name.size() + 1),
                static_cast<std::uint16_t>(type.size()), static_cast<std::uint16_t>(space.size()));
    message.put(attribute.name).fill(1).pad().put(type).pad().put(space).pad();
    for (Index i = 0; i < count; ++i) message.put(references_[next_reference_++]);
    return std::move(message).take();
  }

  /// The names in a group and their addresses: a local heap (section III.D) with the names, leaves
  /// (III.C) that refer to them, and a tree (III.A.1) above the leaves.
  std::vector<std::byte> put_names(const std::map<std::string, Address>& children) {
    Hdf5Bytes names;
    names.fill(8);  // the empty name, which comes first
    std::vector<Branch> branches;
    for (const auto& [name, address] : children) {
      const bool is_name = !name.empty() && name != "." && name.find('/') == std::string::npos &&
                           name.find('\0') == std::string::npos;
      check<FileError>(
          is_name, "an HDF5 file cannot hold the name ", in_quotes(name),
          ": names in it are not empty, not \".\", and have no \"/\" and no zero byte");
      branches.push_back({address, names.size()});
      names.put(name).fill(1).pad();
    }
    const Address heap = here();
    constexpr std::uint64_t no_free_space = 1;
    out_.put("HEAP").fill(4).put(std::uint64_t{names.size()}, no_free_space, heap + 32).put(names);

    std::vector<Branch> level = put_leaves(branches);
    std::uint8_t height = 0;
    do level = put_nodes(level, height++);
    while (level.size() > 1);
    Hdf5Bytes table;
    table.put(level[0].address, heap);
    return std::move(table).take();
  }

  std::vector<Branch> put_leaves(std::span<const Branch> entries) {
    constexpr std::size_t most = 2 * leaf_k, entry_size = 40;
    std::vector<Branch> leaves;
    for (std::size_t i = 0; i < entries.size(); i += most) {
      const auto part = entries.subspan(i, (std::min)(most, entries.size() - i));
      leaves.push_back({here(), part.back().last_name});
      out_.put("SNOD").put(std::uint8_t{1}, std::uint8_t{0},
                           static_cast<std::uint16_t>(part.size()));
      for (const auto& [address, name] : part) out_.put(name, address).fill(entry_size - 16);
      out_.fill((most - part.size()) * entry_size);
    }
    return leaves;
  }

  /// A level of a tree, with at least one node. Each node refers to its neighbours.
  std::vector<Branch> put_nodes(std::span<const Branch> below, std::uint8_t height) {
    constexpr std::size_t most = 2 * node_k, size = 24 + 8 + most * 16;
    const std::size_t count = std::max<std::size_t>(1, (below.size() + most - 1) / most);
    const Address first = here();
    std::vector<Branch> nodes;
    std::uint64_t last_name = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto part = below.subspan(i * most, (std::min)(most, below.size() - i * most));
      const auto left = i == 0 ? hdf5_nowhere : first + (i - 1) * size;
      const auto right = i + 1 == count ? hdf5_nowhere : first + (i + 1) * size;
      out_.put("TREE").put(std::uint8_t{0}, height, static_cast<std::uint16_t>(part.size()));
      out_.put(left, right, last_name);
      for (const auto& [address, name] : part) out_.put(address, last_name = name);
      out_.fill((most - part.size()) * 16);
      nodes.push_back({first + i * size, last_name});
    }
    return nodes;
  }

  Hdf5Bytes out_;
  std::vector<std::vector<std::byte>> references_;
  std::size_t next_reference_ = 0;
};

}  // namespace heed::detail
