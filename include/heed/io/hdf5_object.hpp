#pragma once

#include <optional>

#include <heed/io/hdf5_file.hpp>
#include <heed/io/model_json.hpp>

namespace heed::detail {

/// A group or a dataset of a file, read when it is asked for. What it gives away are views of the
/// file's bytes, so that a file cannot make it take more memory than the file has. Nothing leads out
/// of the file: links, other files and shared messages are errors; Keras writes none of them.
class Hdf5Object {
 public:
  /// The root group.
  explicit Hdf5Object(Hdf5File& file) : Hdf5Object(file, file.root(), "/") {}

  /// How errors call it: `model.h5: "/model_weights/lstm"`.
  const std::string& place() const { return place_; }

  bool has_attribute(std::string_view name) const { return find_attribute(name).has_value(); }

  /// The texts of an attribute, one or a list; none where there is no such attribute.
  std::optional<std::vector<std::string_view>> texts(std::string_view name) const;

  /// What a group holds under a path, `lstm/lstm_cell/kernel`.
  std::optional<Hdf5Object> open(std::string_view path) const;

  using Type = Hdf5MessageType;

  /// The first message of a type; none where there is no such message.
  std::optional<std::span<const std::byte>> find(Type type) const;
  std::span<const std::byte> need(Type type, std::string_view what) const {
    const auto message = find(type);
    check<FileError>(message.has_value(), place_, " is not a ", what);
    return *message;
  }

  /// The lengths of the axes that a dataspace has, none for a scalar, and their product.
  std::vector<std::uint64_t> lengths(std::span<const std::byte> dataspace) const;
  std::uint64_t count(std::span<const std::byte> dataspace) const;

  const Hdf5File& file() const { return *file_; }

 private:
  struct Message {
    Type type;
    std::uint8_t flags;
    std::span<const std::byte> data;
  };
  struct Attribute {
    std::span<const std::byte> datatype, values;
    std::uint64_t count = 1;
  };

  Hdf5Object(Hdf5File& file, std::uint64_t address, std::string path)
      : file_(&file), path_(std::move(path)), place_(join(file.where(), ": ", in_quotes(path_))) {
    read_header(address);
  }

  template <class... Pieces>
  [[noreturn]] void damaged(const Pieces&... pieces) const {
    throw FileError(join(place_, " is damaged: ", pieces...));
  }

  void read_header(std::uint64_t address);
  std::optional<Attribute> find_attribute(std::string_view name) const;
  std::optional<std::uint64_t> child(std::string_view name) const;

  Hdf5File* file_;
  std::string path_;
  std::string place_;
  std::vector<Message> messages_;
};

/// An object header of version 1 (section IV.A.1.a): messages in one or several pieces of the file.
inline void Hdf5Object::read_header(std::uint64_t address) {
  Hdf5Cursor head(file_->at(address, place_), place_);
  const auto version = head.take<std::uint8_t>();
  check<FileError>(version == 1, place_,
                   " is damaged, or of a newer form than Keras and h5py write");
  head.skip(1);
  const auto count = head.take<std::uint16_t>();
  head.skip(4);
  const auto size = head.take<std::uint32_t>();
  head.skip(4);
  std::vector<std::span<const std::byte>> pieces{head.take(size)};
  std::uint64_t total = size;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    Hdf5Cursor piece(pieces[i], place_);
    while (messages_.size() < count && piece.left() >= 8) {
      const auto type = Type{piece.take<std::uint16_t>()};
      const auto length = piece.take<std::uint16_t>();
      const auto flags = piece.take<std::uint8_t>();
      piece.skip(3);
      messages_.push_back({type, flags, piece.take(length)});
      if (type != Type::continuation) continue;
      Hdf5Cursor next(messages_.back().data, place_);
      const auto begin = next.take<std::uint64_t>();
      pieces.push_back(file_->at(begin, next.take<std::uint64_t>(), place_));
      total += pieces.back().size();
      if (total > file_->size()) damaged("its header is longer than the file");
    }
  }
  file_->note_object(address, path_, total, place_);
}

inline std::optional<std::span<const std::byte>> Hdf5Object::find(Type type) const {
  const auto found = std::find_if(messages_.begin(), messages_.end(),
                                  [&](const Message& message) { return message.type == type; });
  if (found == messages_.end()) return {};
  constexpr int shared = 2;
  check<FileError>((found->flags & shared) == 0, place_, " shares a message with another object");
  return found->data;
}

/// Section IV.A.2.b.
inline std::vector<std::uint64_t> Hdf5Object::lengths(std::span<const std::byte> dataspace) const {
  Hdf5Cursor cursor(dataspace, place_);
  const auto version = cursor.take<std::uint8_t>();
  if (version != 1 && version != 2) damaged("a dataspace of version ", version);
  const auto rank = cursor.take<std::uint8_t>();
  cursor.skip(1);
  const auto type = cursor.take<std::uint8_t>();
  if (version == 1) cursor.skip(4);
  if (version == 2 && type == 2) return {0};  // a null dataspace
  std::vector<std::uint64_t> lengths(rank);
  for (auto& length : lengths) length = cursor.take<std::uint64_t>();
  return lengths;
}

inline std::uint64_t Hdf5Object::count(std::span<const std::byte> dataspace) const {
  std::uint64_t count = 1;
  for (const std::uint64_t length : lengths(dataspace)) {
    if (length != 0 && count > file_->size() / length) damaged("more elements than bytes");
    count *= length;
  }
  return count;
}

/// Section IV.A.2.m.
inline std::optional<Hdf5Object::Attribute> Hdf5Object::find_attribute(
    std::string_view name) const {
  for (const Message& message : messages_) {
    if (message.type != Type::attribute) continue;
    Hdf5Cursor cursor(message.data, place_);
    const auto version = cursor.take<std::uint8_t>();
    const auto flags = cursor.take<std::uint8_t>();
    if (version < 1 || version > 3) damaged("an attribute of version ", version);
    const auto name_size = cursor.take<std::uint16_t>();
    const auto type_size = cursor.take<std::uint16_t>();
    const auto space_size = cursor.take<std::uint16_t>();
    if (version == 3) cursor.skip(1);
    const auto part = [&](std::uint16_t size) {
      return version == 1 ? cursor.take_padded(size) : cursor.take(size);
    };
    const auto text = hdf5_text(part(name_size));
    if (text.substr(0, text.find('\0')) != name) continue;
    check<FileError>(version == 1 || flags == 0, place_, " shares the type of attribute ",
                     in_quotes(name), " with another object");
    Attribute attribute;
    attribute.datatype = part(type_size);
    attribute.count = count(part(space_size));
    attribute.values = cursor.take(cursor.left());
    return attribute;
  }
  return {};
}

inline std::optional<std::vector<std::string_view>> Hdf5Object::texts(std::string_view name) const {
  const auto attribute = find_attribute(name);
  if (!attribute) return {};
  Hdf5Cursor type(attribute->datatype, place_);
  const auto kind = type.take<std::uint8_t>();
  const auto variable_kind = type.take<std::uint8_t>() & 0xf;
  type.skip(2);
  const auto size = type.take<std::uint32_t>();
  const bool fixed = (kind & 0xf) == static_cast<int>(Hdf5Class::string) && size > 0;
  const bool variable = (kind & 0xf) == static_cast<int>(Hdf5Class::variable_length) &&
                        variable_kind == 1 && size == hdf5_reference_size;
  // What has no elements has no type to speak of: h5py makes float64 of an empty list.
  check<FileError>(attribute->count == 0 || fixed || variable, place_, ": attribute ",
                   in_quotes(name), " is not text");
  Hdf5Cursor values(attribute->values, place_);
  std::vector<std::string_view> texts;
  for (std::uint64_t i = 0; i < attribute->count; ++i) {
    if (fixed) {
      const auto text = hdf5_text(values.take(size));
      texts.push_back(text.substr(0, text.find('\0')));
    } else {
      const auto length = values.take<std::uint32_t>();
      const auto address = values.take<std::uint64_t>();
      texts.push_back(file_->text(address, values.take<std::uint32_t>(), length, place_));
    }
  }
  return texts;
}

/// The address of what a group holds under a name. Section III.A: names and addresses stand in nodes of
/// a few, `SNOD`, which are the leaves of a tree, `TREE`, sorted by name.
inline std::optional<std::uint64_t> Hdf5Object::child(std::string_view name) const {
  Hdf5Cursor table(need(Type::symbol_table, "group"), place_);
  auto address = table.take<std::uint64_t>();
  Hdf5Cursor heap(file_->at(table.take<std::uint64_t>(), place_), place_);
  heap.expect("HEAP");
  heap.skip(4);
  const auto heap_size = heap.take<std::uint64_t>();
  heap.skip(8);
  const auto names = hdf5_text(file_->at(heap.take<std::uint64_t>(), heap_size, place_));
  const auto name_at = [&](std::uint64_t offset) {
    if (offset > names.size()) damaged("a name is not where it should be");
    const auto text = names.substr(static_cast<std::size_t>(offset), name.size() + 1);
    return text.substr(0, text.find('\0'));
  };

  for (std::optional<int> level; !level || *level > 0;) {
    Hdf5Cursor node(file_->at(address, place_), place_);
    node.expect("TREE");
    if (node.take<std::uint8_t>() != 0) damaged("its tree is not one of names");
    const int here = node.take<std::uint8_t>();
    if (level && here != *level - 1) damaged("its tree has a node on the wrong level");
    if (here >= hdf5_most_levels) damaged("its tree has ", here, " levels");
    level = here;
    const auto children = node.take<std::uint16_t>();
    if (children > hdf5_most_children) damaged("its tree has a node of ", children, " branches");
    node.skip(16 + 8);
    bool found = false;
    for (int i = 0; i < children && !found; ++i) {
      address = node.take<std::uint64_t>();
      found = name <= name_at(node.take<std::uint64_t>());  // the last name in that child
    }
    if (!found) return {};
  }
  Hdf5Cursor node(file_->at(address, place_), place_);
  node.expect("SNOD");
  node.skip(2);
  auto entries = node.take<std::uint16_t>();
  if (entries > hdf5_most_children) damaged("its tree has a leaf of ", entries, " names");
  for (; entries > 0; --entries) {
    const bool found = name_at(node.take<std::uint64_t>()) == name;
    address = node.take<std::uint64_t>();
    const auto kind = node.take<std::uint32_t>();
    node.skip(20);
    constexpr std::uint32_t soft_link = 2;
    check<FileError>(!found || kind != soft_link, place_, " has a link under ", in_quotes(name),
                     "; links are not followed");
    if (found) return address;
  }
  return {};
}

inline std::optional<Hdf5Object> Hdf5Object::open(std::string_view path) const {
  check<FileError>(path.size() < 1000, place_, " has a path of ", path.size(), " letters");
  Hdf5Object object = *this;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const auto address = object.child(path.substr(begin, end - begin));
    if (!address) return {};
    const std::string_view slash = object.path_ == "/" ? "" : "/";
    object =
        Hdf5Object(*file_, *address, join(object.path_, slash, path.substr(begin, end - begin)));
    begin = end + 1;
  }
  return object;
}

}  // namespace heed::detail
