#pragma once

#include <concepts>
#include <cstdint>
#include <vector>

#include <heed/io/file_kind.hpp>

// HDF5 as far as Keras uses it: groups, attributes of text, datasets of numbers that stand in one
// piece. heed writes the form that h5py writes by default (superblock version 0, object headers version
// 1), and reads the newer one too, which h5py uses for names that are not ASCII, for
// `track_order=True` and for `libver="latest"`.
//
// heed reads and writes it by itself. The HDF5 library runs over the end of its memory, or never
// ends, for several of the files that differ from a good one in a single byte (1.10.8 and 1.14.6), and
// must not be called by two threads; a file that somebody sends is to be an error, and no more.
//
// The HDF5 Group, "HDF5 File Format Specification Version 3.0"; section numbers below are its.
// Numbers stand lowest byte first. An address counts bytes from the beginning of the file.

namespace heed::detail {

/// The numbers of a dataset, where they stand in memory.
struct Hdf5Dataset {
  Dtype dtype;
  Shape shape;
  std::span<const std::byte> bytes;
  bool big_endian = false;  ///< written by a machine that has the highest byte first
};

/// The address of what is not there.
inline constexpr std::uint64_t hdf5_nowhere = ~std::uint64_t{0};

/// Kinds of header messages (section IV.A.2).
enum class Hdf5MessageType : std::uint16_t {
  dataspace = 0x1,
  link_info = 0x2,
  datatype = 0x3,
  link = 0x6,
  external_files = 0x7,
  layout = 0x8,
  filters = 0xB,
  attribute = 0xC,
  continuation = 0x10,
  symbol_table = 0x11,
  attribute_info = 0x15,
};

/// A message in the header of an object.
struct Hdf5Message {
  Hdf5MessageType type;
  std::uint8_t flags;
  std::span<const std::byte> data;
};

/// Classes of datatypes (section IV.A.2.d).
enum class Hdf5Class : std::uint8_t {
  floating_point = 1,
  string = 3,
  opaque = 5,
  variable_length = 9
};

/// A text of any length in an attribute: its length, the address of a global heap collection, and
/// its index there.
inline constexpr std::size_t hdf5_reference_size = 4 + 8 + 4;

/// How deep a tree, and how long a path, can be. Keras nests models a few deep.
inline constexpr int hdf5_most_levels = 16, hdf5_most_depth = 64;

/// Puts numbers one behind the other, lowest byte first.
class Hdf5Bytes {
 public:
  template <std::unsigned_integral... Unsigned>
  Hdf5Bytes& put(Unsigned... numbers) {
    (put_one(numbers), ...);
    return *this;
  }

  Hdf5Bytes& put(std::string_view text) {
    return put(std::as_bytes(std::span(text.data(), text.size())));
  }

  Hdf5Bytes& put(std::span<const std::byte> more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }

  /// Zeros up to a multiple of 8 bytes.
  Hdf5Bytes& pad() {
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    return *this;
  }

  /// Zeros.
  Hdf5Bytes& fill(std::size_t count) {
    bytes_.resize(bytes_.size() + count);
    return *this;
  }

  std::size_t size() const { return bytes_.size(); }
  operator std::span<const std::byte>() const { return bytes_; }  // NOLINT
  std::vector<std::byte> take() && { return std::move(bytes_); }

 private:
  template <std::unsigned_integral Number>
  void put_one(Number number) {
    bytes_.resize(bytes_.size() + sizeof(Number));
    to_little_endian(number, bytes_.data() + bytes_.size() - sizeof(Number));
  }

  std::vector<std::byte> bytes_;
};

/// How a datatype message describes the numbers of a format: F16, F32 or F64, as IEEE 754 has them.
/// Sections IV.A.2.d: class and version, bit fields, size; offset, precision, exponent, mantissa, bias.
inline std::vector<std::byte> hdf5_float_type(const Dtype& dtype) {
  const auto bits = static_cast<std::uint16_t>(dtype.bits);
  const auto exponent = static_cast<std::uint8_t>(bits == 16 ? 5 : bits == 32 ? 8 : 11);
  const auto mantissa = static_cast<std::uint8_t>(bits - 1 - exponent);
  const auto sign_at = static_cast<std::uint8_t>(bits - 1);
  const std::uint32_t bias = (1u << (exponent - 1)) - 1;
  Hdf5Bytes type;
  type.put(std::uint8_t{0x11}, std::uint8_t{0x20}, sign_at, std::uint8_t{0}, bits / 8u);
  type.put(std::uint16_t{0}, bits, mantissa, exponent, std::uint8_t{0}, mantissa, bias);
  return std::move(type).take();
}

}  // namespace heed::detail
