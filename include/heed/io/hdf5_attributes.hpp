#pragma once

#include <heed/io/hdf5_heap.hpp>

namespace heed::detail {

/// The position of an attribute's name in its message (section IV.A.2.m).
struct Hdf5AttributeHead {
  Hdf5AttributeHead(std::span<const std::byte> message, const std::string& place)
      : rest(message, place) {
    version = rest.take<std::uint8_t>();
    flags = rest.take<std::uint8_t>();
    check<FileError>(version >= 1 && version <= 3, place,
                     " is damaged: it has an attribute of version ", version);
    const auto name_size = rest.take<std::uint16_t>();
    type_size = rest.take<std::uint16_t>();
    space_size = rest.take<std::uint16_t>();
    if (version == 3) rest.skip(1);
    const auto text = hdf5_text(part(name_size));
    name = text.substr(0, text.find('\0'));
  }

  std::span<const std::byte> part(std::uint16_t size) {
    return version == 1 ? rest.take_padded(size) : rest.take(size);
  }

  Hdf5Cursor rest;
  std::uint8_t version, flags;
  std::uint16_t type_size, space_size;
  std::string_view name;
};

/// All attributes of an object by name, each as its message. If there are many, they are in a heap
/// (section IV.A.2.v).
inline Hdf5Node::Attributes hdf5_attributes(Hdf5File& file, const Hdf5Node& node) {
  Hdf5Node::Attributes attributes;
  const auto add = [&](std::span<const std::byte> message) {
    attributes.emplace(Hdf5AttributeHead(message, node.place).name, message);
  };
  int heaps = 0;
  for (const auto& [type, flags, data] : node.messages) {
    if (type == Hdf5MessageType::attribute) add(data);
    if (type != Hdf5MessageType::attribute_info) continue;
    check<FileError>(++heaps == 1, node.place, " is damaged: its attributes are stored twice");
    Hdf5Cursor info(data, node.place);
    info.skip(1);
    if ((info.take<std::uint8_t>() & 1) != 0) info.skip(2);
    const auto address = info.take<std::uint64_t>();
    if (address == hdf5_nowhere) continue;
    Hdf5Heap heap(file, address, node.place);
    Hdf5Tree(file, info.take<std::uint64_t>(), node.place, [&](std::span<const std::byte> record) {
      add(heap.object(record.first(std::min<std::size_t>(8, record.size()))));
    });
  }
  return attributes;
}

}  // namespace heed::detail
