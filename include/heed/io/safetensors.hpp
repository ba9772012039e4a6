#pragma once

#include <map>

#include <heed/io/dtype.hpp>
#include <heed/io/file.hpp>
#include <heed/io/file_kind.hpp>
#include <heed/io/json.hpp>
#include <heed/tensor/tensor.hpp>

namespace heed {

/// One tensor of a safetensors file, as a view of the file's bytes.
struct SafeTensor {
  Dtype dtype;
  Shape shape;  ///< empty if the tensor has more axes than a Shape can have
  std::span<const std::byte> bytes;
  std::vector<Index> more_axes = {};  ///< the lengths of all axes in that case
};

/// Texts in a file, by their names.
using Metadata = std::map<std::string, std::string, std::less<>>;

/// A safetensors file: the length of the header in 8 bytes, lowest first; then the header, a JSON
/// object,
///
///     {"__metadata__": {"text": "text", …},
///      "lstm/kernel": {"dtype": "F32", "shape": [2, 128], "data_offsets": [0, 1024]}, …}
///
/// padded with spaces; then the numbers, row-major, lowest byte first, without gaps.
/// https://github.com/huggingface/safetensors#format
struct Safetensors {
  Metadata metadata;
  std::map<std::string, SafeTensor, std::less<>> tensors;  ///< by name
  std::shared_ptr<const std::vector<std::byte>> memory;    ///< set if the file was read from a path
};

namespace detail {

inline constexpr std::string_view metadata_key = "__metadata__";

/// The whole numbers of a JSON list. Throws `FileError` for anything else.
inline std::vector<Index> lengths_from_json(const nlohmann::json& tensor, const char* key,
                                            const std::string& place) {
  const auto list = tensor.find(key);
  check<FileError>(list != tensor.end() && list->is_array(), place, " has no list \"", key, "\"");
  std::vector<Index> numbers;
  for (const auto& entry : *list) {
    check<FileError>(entry.is_number_unsigned() && std::in_range<Index>(entry.get<std::uint64_t>()),
                     place, " has a value in \"", key, "\" that is not a length");
    numbers.push_back(entry.get<Index>());
  }
  return numbers;
}

/// The number of elements, for any number of axes.
inline Index element_count(const std::vector<Index>& lengths, const std::string& place) {
  Index count = 1;
  for (const Index length : lengths) {
    check<FileError>(length == 0 || count <= (std::numeric_limits<Index>::max)() / 64 / length,
                     place, " has more numbers than can be counted");
    count *= length;
  }
  return count;
}

/// Throws `FileError` for a tensor with more axes than a Shape can have.
inline void check_axes(std::string_view name, const SafeTensor& tensor, std::string_view where) {
  check<FileError>(tensor.more_axes.empty(), where, ": tensor ", in_quotes(name), " has ",
                   tensor.more_axes.size(), " axes; heed supports at most ", Shape::max_rank);
}

inline SafeTensor tensor_from_json(const nlohmann::json& json, std::span<const std::byte> data,
                                   const std::string& place) {
  check<FileError>(json.is_object(), place, " is not described by an object");
  const auto dtype = json.find("dtype");
  check<FileError>(dtype != json.end() && dtype->is_string(), place, " has no \"dtype\"");
  const auto& type = dtype->get_ref<const std::string&>();
  check<FileError>(find_dtype(type) != nullptr, place, " has the unknown dtype ", in_quotes(type));

  SafeTensor tensor{*find_dtype(type), {}, {}};
  const auto lengths = lengths_from_json(json, "shape", place);
  try {
    if (lengths.size() <= Shape::max_rank) tensor.shape = Shape(lengths);
  } catch (const ShapeError& error) {
    throw FileError(join(place, ": ", error.what()));
  }
  const auto offsets = lengths_from_json(json, "data_offsets", place);
  check<FileError>(offsets.size() == 2 && offsets[0] <= offsets[1], place,
                   " has \"data_offsets\" that are not a begin and an end");
  const auto size = static_cast<Index>(data.size());
  check<FileError>(offsets[1] <= size, place, " ends at byte ", offsets[1],
                   " of the data, of which there are ", size, ": the file is cut off");
  const Index length = offsets[1] - offsets[0];
  constexpr std::size_t most_axes = 64;  // the limit of NumPy and PyTorch
  check<FileError>(lengths.size() <= most_axes, place, " has ", lengths.size(),
                   " axes; expected at most ", most_axes);
  Index elements = tensor.shape.size();
  if (lengths.size() > Shape::max_rank) {
    elements = element_count(lengths, place);
    tensor.more_axes = lengths;
  }
  // Computed in 64 bits, even if Index has 32. The first comparison keeps the product in the second
  // one small.
  const std::int64_t bits = 8 * std::int64_t{length};
  check<FileError>(elements <= bits && std::int64_t{elements} * tensor.dtype.bits == bits, place,
                   " has ", elements, " numbers of ", tensor.dtype.bits, " bits in ", length,
                   " bytes");
  tensor.bytes =
      data.subspan(static_cast<std::size_t>(offsets[0]), static_cast<std::size_t>(length));
  return tensor;
}

/// Throws unless the tensors cover the data exactly: no byte is used twice, and none is left over.
inline void check_gapless(const Safetensors& file, std::span<const std::byte> data,
                          std::string_view where) {
  std::vector<std::pair<std::span<const std::byte>, const std::string*>> parts;
  for (const auto& [name, tensor] : file.tensors) parts.emplace_back(tensor.bytes, &name);
  std::sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.data(), a.first.size()) < std::pair(b.first.data(), b.first.size());
  });
  const std::byte* end = data.data();
  for (const auto& [bytes, name] : parts) {
    check<FileError>(bytes.data() >= end, where, ": tensor ", in_quotes(*name),
                     " begins inside the previous one");
    check<FileError>(bytes.data() == end, where, ": ", bytes.data() - end, " bytes before tensor ",
                     in_quotes(*name), " belong to no tensor");
    end += bytes.size();
  }
  const auto rest = data.data() + data.size() - end;
  check<FileError>(rest == 0, where, ": the last ", rest, " bytes belong to no tensor");
}

}  // namespace detail

/// Parses the header of a file in memory. The tensors are views of its bytes. Throws `FileError`,
/// which begins with `where`, for bytes that are not a complete safetensors file, and, unlike the
/// format's own reader, for a key that occurs twice.
inline Safetensors parse_safetensors(std::span<const std::byte> bytes,
                                     std::string_view where = "memory") {
  if (!detail::is_safetensors(bytes)) {
    const auto kind = detail::file_kind(bytes);
    if (!kind.empty()) throw FileError(join(where, kind));
  }
  check<FileError>(bytes.size() >= 8, where, " is not a safetensors file: it has ", bytes.size(),
                   " bytes, and the length of the header alone takes 8");
  const auto length = detail::from_little_endian<std::uint64_t>(bytes.data());
  const std::size_t rest = bytes.size() - 8;
  check<FileError>(length <= rest, where, " is not a safetensors file, or is cut off: a header of ",
                   length, " bytes is announced, and ", rest, " follow");
  const auto header = bytes.subspan(8, static_cast<std::size_t>(length));
  const auto data = bytes.subspan(8 + header.size());
  const std::string_view text(reinterpret_cast<const char*>(header.data()), header.size());
  check<FileError>(text.starts_with('{'), where,
                   " is not a safetensors file: its header does not begin with \"{\"");
  const auto json = parse_json(text, join(where, ": the header"));

  Safetensors file;
  for (const auto& [name, value] : json.items()) {
    if (name != detail::metadata_key) {
      const std::string place = join(where, ": tensor ", detail::in_quotes(name));
      file.tensors.emplace(name, detail::tensor_from_json(value, data, place));
      continue;
    }
    check<FileError>(value.is_object(), where, ": \"__metadata__\" is not an object");
    for (const auto& [key, entry] : value.items()) {
      check<FileError>(entry.is_string(), where, ": ", detail::in_quotes(key),
                       " in \"__metadata__\" is not a text");
      file.metadata.emplace(key, entry.get<std::string>());
    }
  }
  detail::check_gapless(file, data, where);
  return file;
}

/// Reads a whole file. Throws `FileError` as `read_file` and `parse_safetensors` do.
inline Safetensors read_safetensors(const std::filesystem::path& path) {
  auto memory = std::make_shared<const std::vector<std::byte>>(read_file(path));
  Safetensors file = parse_safetensors(*memory, path.string());
  file.memory = std::move(memory);
  return file;
}

/// The numbers of one tensor of a file. Throws `FileError`, which begins with `where`, if there is
/// no such tensor, or if its format is not F64, F32, F16 or BF16.
template <class Scalar>
Tensor<Scalar> read_tensor(const Safetensors& file, std::string_view name,
                           std::string_view where = "the file") {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end()) {
    std::vector<std::string> names;
    for (const auto& [known, tensor] : file.tensors) names.push_back(known);
    throw FileError(join(where, " has no tensor ", detail::in_quotes(name),
                         names.empty() ? "" : "; it has ", detail::quoted_list(names)));
  }
  const SafeTensor& tensor = found->second;
  detail::check_axes(name, tensor, where);
  check<FileError>(decode<Scalar>(tensor.dtype, tensor.bytes, {}), where, ": tensor ",
                   detail::in_quotes(name), " is of ", tensor.dtype.name,
                   "; numbers can be F64, F32, F16 or BF16");
  Tensor<Scalar> values(tensor.shape);
  decode(tensor.dtype, tensor.bytes, values.values());
  return values;
}

/// A tensor to be written, with its name.
template <class Scalar>
using NamedView = std::pair<std::string, View<const Scalar>>;

/// The bytes of a file with these tensors, in this order. The numbers begin at a multiple of 8
/// bytes. Throws `FileError` for a name that is used twice, reserved, or not UTF-8.
template <class Scalar>
std::vector<std::byte> format_safetensors(std::span<const NamedView<Scalar>> tensors,
                                          const Metadata& metadata = {}) {
  auto header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[std::string(detail::metadata_key)] = metadata;
  Index offset = 0;
  for (const auto& [name, values] : tensors) {
    check<FileError>(name != detail::metadata_key && !header.contains(name), "the tensor name ",
                     detail::in_quotes(name), " is taken");
    const Index end = offset + values.size() * static_cast<Index>(sizeof(Scalar));
    header[name] = {{"dtype", dtype_of<Scalar>().name},
                    {"shape", std::vector<Index>(values.shape().begin(), values.shape().end())},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = print_json(header, "the header of a safetensors file");
  text.resize((text.size() + 7) / 8 * 8, ' ');

  std::vector<std::byte> bytes(8 + text.size() + static_cast<std::size_t>(offset));
  detail::to_little_endian(static_cast<std::uint64_t>(text.size()), bytes.data());
  std::byte* next =
      std::copy_n(reinterpret_cast<const std::byte*>(text.data()), text.size(), bytes.data() + 8);
  for (const auto& [name, values] : tensors) {
    const auto size = static_cast<std::size_t>(values.size());
    encode(std::span<const Scalar>(values.data(), size), next);
    next += size * sizeof(Scalar);
  }
  return bytes;
}

/// Writes a file with these tensors: see `write_file`. Throws `FileError`.
template <class Scalar>
void write_safetensors(const std::filesystem::path& path,
                       std::span<const NamedView<Scalar>> tensors, const Metadata& metadata = {}) {
  write_file(path, format_safetensors(tensors, metadata));
}

}  // namespace heed
