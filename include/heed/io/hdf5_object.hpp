#pragma once

#include <heed/io/hdf5_attributes.hpp>
#include <heed/io/hdf5_links.hpp>
#include <heed/io/model_json.hpp>

namespace heed::detail {

/// A group or a dataset of a file, read when it is needed. Its results are views of the file's
/// bytes, so it never needs more memory than the file. Soft links, external files and shared
/// messages are errors; Keras writes none of them.
class Hdf5Object {
 public:
  /// The root group.
  explicit Hdf5Object(Hdf5File& file) : Hdf5Object(file, file.root(), "/") {}

  /// Its name in errors: `model.h5: "/model_weights/lstm"`.
  const std::string& place() const { return node_->place; }

  bool has_attribute(std::string_view name) const { return find_attribute(name).has_value(); }

  /// The text or list of texts of an attribute; none if there is no such attribute.
  std::optional<std::vector<std::string_view>> texts(std::string_view name) const;

  /// The object at a path in this group, `lstm/lstm_cell/kernel`.
  std::optional<Hdf5Object> open(std::string_view path) const;

  /// All names in a group, sorted.
  std::vector<std::string_view> names() const {
    std::vector<std::string_view> names;
    for (const auto& [name, address] : links()) names.push_back(name);
    return names;
  }

  using Type = Hdf5MessageType;

  /// The first message of a type; none if there is no such message.
  std::optional<std::span<const std::byte>> find(Type type) const;
  std::span<const std::byte> need(Type type, std::string_view what) const {
    const auto message = find(type);
    check<FileError>(message.has_value(), place(), " is not a ", what);
    return *message;
  }

  /// The lengths of the axes of a dataspace, none for a scalar, and their product.
  std::vector<std::uint64_t> lengths(std::span<const std::byte> dataspace) const;
  std::uint64_t count(std::span<const std::byte> dataspace) const;

  const Hdf5File& file() const { return *file_; }

  /// See `Hdf5File`. `part` must outlive the file.
  void claim(std::span<const std::byte> bytes, std::string_view part) const {
    if (!node_->has_numbers) file_->claim(bytes, part, place());
  }
  void count_unpacked(std::uint64_t bytes) const { file_->count_unpacked(bytes, place()); }

  /// Claims the bytes of a dataset's numbers: see `Hdf5File::claim`.
  void claim_numbers(std::span<const std::byte> bytes) const {
    claim(bytes, "its numbers");
    node_->has_numbers = true;
  }

 private:
  struct Attribute {
    std::span<const std::byte> datatype, values;
    std::uint64_t count = 1;
  };

  Hdf5Object(Hdf5File& file, std::uint64_t address, std::string path) : file_(&file) {
    const auto [node, is_new] = file.node(address, std::move(path));
    node_ = node;
    if (is_new) read_header(address);
  }

  template <class... Pieces>
  [[noreturn]] void damaged(const Pieces&... pieces) const {
    throw FileError(join(place(), " is damaged: ", pieces...));
  }

  void read_header(std::uint64_t address);
  void read_messages(std::span<const std::byte> piece, std::size_t most, bool is_old,
                     bool has_order, std::vector<std::span<const std::byte>>& pieces);
  std::optional<Attribute> find_attribute(std::string_view name) const;
  const Hdf5Node::Links& links() const {
    if (!node_->links) node_->links = Hdf5Links(*file_, *node_).read();
    return *node_->links;
  }
  std::optional<std::uint64_t> child(std::string_view name) const;

  Hdf5File* file_;
  Hdf5Node* node_;
};

/// An object header (sections IV.A.1.a and b): messages in one or more blocks of the file.
inline void Hdf5Object::read_header(std::uint64_t address) {
  const auto all = file_->at(address, place());
  Hdf5Cursor head(all, place());
  const bool is_old = !hdf5_text(all).starts_with("OHDR");
  std::size_t most = (std::numeric_limits<std::size_t>::max)();
  std::uint64_t size = 0;
  bool has_order = false;
  if (is_old) {
    const auto version = head.take<std::uint8_t>();
    check<FileError>(version == 1, place(), " is damaged: its header is not where it should be");
    head.skip(1);
    most = head.take<std::uint16_t>();
    head.skip(4);
    size = head.take<std::uint32_t>();
    head.skip(4);
  } else {
    head.skip(4);
    if (const auto version = head.take<std::uint8_t>(); version != 2) {
      damaged("a header of version ", version);
    }
    const auto flags = head.take<std::uint8_t>();
    has_order = (flags & 4) != 0;
    if ((flags & 0x20) != 0) head.skip(16);
    if ((flags & 0x10) != 0) head.skip(4);
    size = head.take_number(std::uint64_t{1} << (flags & 3));
  }
  std::vector<std::span<const std::byte>> pieces{head.take(size)};
  if (!is_old) head.skip(4);
  file_->claim(all.first(all.size() - head.left()), "its header", place());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto piece = pieces[i];
    if (i > 0) {
      file_->claim(piece, "its header", place());
      if (!is_old) {
        Hdf5Cursor cursor(piece, place());
        cursor.expect("OCHK");
        cursor.skip(4);
        piece = piece.subspan(4, piece.size() - 8);
      }
    }
    read_messages(piece, most, is_old, has_order, pieces);
  }
}

inline void Hdf5Object::read_messages(std::span<const std::byte> bytes, std::size_t most,
                                      bool is_old, bool has_order,
                                      std::vector<std::span<const std::byte>>& pieces) {
  const std::size_t head = is_old ? 8 : has_order ? 6 : 4;
  Hdf5Cursor piece(bytes, place());
  while (node_->messages.size() < most && piece.left() >= head) {
    const auto type =
        Type{is_old ? piece.take<std::uint16_t>() : std::uint16_t{piece.take<std::uint8_t>()}};
    const auto length = piece.take<std::uint16_t>();
    const auto flags = piece.take<std::uint8_t>();
    piece.skip(is_old ? 3 : has_order ? 2 : 0);
    node_->messages.push_back({type, flags, piece.take(length)});
    if (type != Type::continuation) continue;
    Hdf5Cursor next(node_->messages.back().data, place());
    const auto begin = next.take<std::uint64_t>();
    pieces.push_back(file_->at(begin, next.take<std::uint64_t>(), place()));
  }
}

inline std::optional<std::span<const std::byte>> Hdf5Object::find(Type type) const {
  const auto& messages = node_->messages;
  const auto found = std::find_if(messages.begin(), messages.end(),
                                  [&](const Hdf5Message& message) { return message.type == type; });
  if (found == messages.end()) return {};
  constexpr int shared = 2;
  check<FileError>((found->flags & shared) == 0, place(), " shares a message with another object");
  return found->data;
}

/// Section IV.A.2.b.
inline std::vector<std::uint64_t> Hdf5Object::lengths(std::span<const std::byte> dataspace) const {
  Hdf5Cursor cursor(dataspace, place());
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

inline std::optional<Hdf5Object::Attribute> Hdf5Object::find_attribute(
    std::string_view name) const {
  if (!node_->attributes) node_->attributes = hdf5_attributes(*file_, *node_);
  const auto found = node_->attributes->find(name);
  if (found == node_->attributes->end()) return {};
  Hdf5AttributeHead head(found->second, place());
  check<FileError>(head.version == 1 || head.flags == 0, place(), " shares the type of attribute ",
                   in_quotes(name), " with another object");
  Attribute attribute;
  attribute.datatype = head.part(head.type_size);
  attribute.count = count(head.part(head.space_size));
  attribute.values = head.rest.take(head.rest.left());
  return attribute;
}

inline std::optional<std::vector<std::string_view>> Hdf5Object::texts(std::string_view name) const {
  const auto attribute = find_attribute(name);
  if (!attribute) return {};
  Hdf5Cursor type(attribute->datatype, place());
  const auto kind = type.take<std::uint8_t>();
  const auto details = type.take<std::uint8_t>() & 0xf;
  type.skip(2);
  const auto size = type.take<std::uint32_t>();
  const bool fixed = (kind & 0xf) == static_cast<int>(Hdf5Class::string) && size > 0;
  const bool variable = (kind & 0xf) == static_cast<int>(Hdf5Class::variable_length) &&
                        details == 1 && size == hdf5_reference_size;
  // The type of an empty list does not matter: h5py writes float64.
  check<FileError>(attribute->count == 0 || fixed || variable, place(), ": attribute ",
                   in_quotes(name), " is not text");
  Hdf5Cursor values(attribute->values, place());
  std::vector<std::string_view> texts;
  for (std::uint64_t i = 0; i < attribute->count; ++i) {
    if (variable) {
      texts.push_back(file_->text(values.take(hdf5_reference_size), place()));
      continue;
    }
    auto text = hdf5_text(values.take(size));
    text = text.substr(0, text.find('\0'));
    constexpr int padded_by_spaces = 2;
    if (details == padded_by_spaces) text = text.substr(0, text.find_last_not_of(' ') + 1);
    texts.push_back(text);
  }
  return texts;
}

/// The address of a name in a group.
inline std::optional<std::uint64_t> Hdf5Object::child(std::string_view name) const {
  const auto found = links().find(name);
  if (found == links().end()) return {};
  check<FileError>(found->second.has_value(), place(), " has a link under ", in_quotes(name),
                   "; links are not followed");
  return found->second;
}

inline std::optional<Hdf5Object> Hdf5Object::open(std::string_view path) const {
  const auto depth = std::count(path.begin(), path.end(), '/');
  check<FileError>(depth < hdf5_most_depth, place(), " has a path of ", depth + 1, " groups");
  Hdf5Object object = *this;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = (std::min)(path.find('/', begin), path.size());
    const auto name = path.substr(begin, end - begin);
    const auto address = object.child(name);
    if (!address) return {};
    const std::string& parent = object.node_->path;
    object = Hdf5Object(*file_, *address, join(parent == "/" ? "" : parent, "/", name));
    begin = end + 1;
  }
  return object;
}

}  // namespace heed::detail
