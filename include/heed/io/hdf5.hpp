#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <vector>

#include <heed/io/file_kind.hpp>

// The part of HDF5 that Keras uses: groups, text attributes, and contiguous datasets of numbers.
// heed writes the form that h5py writes by default (superblock version 0, object headers version
// 1). It also reads the newer form, which h5py uses for names that are not ASCII, for
// `track_order=True` and for `libver="latest"`.
//
// heed does not use the HDF5 library. For several files that differ from a valid one in a single
// byte, the library (1.10.8 and 1.14.6) reads beyond its memory or never returns, and it must not
// be called by two threads. heed must report such a file as an error.
//
// The HDF5 Group, "HDF5 File Format Specification Version 3.0". Section numbers below refer to it.
// Numbers are little-endian. An address is an offset from the beginning of the file.

namespace heed::detail {

/// The numbers of a dataset, as a view of the file in memory, or of `unpacked` if they do not stand
/// in one piece there.
struct Hdf5Dataset {
  Dtype dtype;
  Shape shape;
  std::span<const std::byte> bytes;
  std::shared_ptr<const std::vector<std::byte>> unpacked = {};
  bool big_endian = false;  ///< whether the highest byte comes first
};

/// The address of an object that does not exist.
inline constexpr std::uint64_t hdf5_nowhere = ~std::uint64_t{0};

/// Types of header messages (section IV.A.2).
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

/// The size of a variable-length text in an attribute: its length, the address of a global heap
/// collection, and its index there.
inline constexpr std::size_t hdf5_reference_size = 4 + 8 + 4;

/// The largest depth of a tree and of a path. Keras nests models only a few levels deep.
inline constexpr int hdf5_most_levels = 16, hdf5_most_depth = 64;

/// Appends numbers, lowest byte first.
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

  /// Appends zeros up to a multiple of 8 bytes.
  Hdf5Bytes& pad() {
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    return *this;
  }

  /// Appends zeros.
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

/// The datatype message of a format F16, F32 or F64, as in IEEE 754. Sections IV.A.2.d: class and
/// version, bit fields, size; offset, precision, exponent, mantissa, bias.
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
